#include "cdp/cdp_process.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"

#define WORDS_MAX 2000

struct cdp_process {
    struct worker *worker;
    pid_t supervisor;
    int pid;
    int life_fd; /* the supervisor acts when this is closed */
    int news_fd; /* what exec said; closed when the supervisor has ended */
    struct worker_io *news;
    char *profile;
};

/* What the supervisor tells once. */
struct news {
    int pid, exec_errno;
};

enum { LIFE, NEWS, COMMANDS, EVENTS, PIPES };

/* ---------------------------------------------------------------- the supervisor
 * A copy of a process with threads: it may call little more than the system. */

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st;
    (void)flag;
    (void)ftw;
    remove(path);
    return 0;
}

static void kill_children(void) {
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    for (char *p = text, *next; *p; p = next) {
        long pid = strtol(p, &next, 10);
        if (next == p)
            break;
        if (pid > 1)
            kill((pid_t)pid, SIGKILL);
    }
}

/* Descendants of a killed child become the supervisor's own children. */
static void kill_all(pid_t browser) {
    int status;
    kill(-browser, SIGKILL);
    do
        kill_children();
    while (waitpid(-1, &status, 0) > 0 || errno == EINTR);
}

static void exec_browser(const struct cdp_launch *launch, const char *const *args,
                         const char *profile, int commands, int events, int exec_fd) {
    char words[4096];
    snprintf(words, sizeof words, "%s/stderr.log", profile);
    int null = open("/dev/null", O_RDWR), log = open(words, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    setpgid(0, 0);
    /* Out of the way of 3 and 4 first. */
    commands = fcntl(commands, F_DUPFD, 10);
    events = fcntl(events, F_DUPFD, 10);
    exec_fd = fcntl(exec_fd, F_DUPFD_CLOEXEC, 10);
    log = fcntl(log, F_DUPFD, 10);
    null = fcntl(null, F_DUPFD, 10);
    dup2(null, 0);
    dup2(null, 1);
    dup2(log >= 0 ? log : null, 2);
    dup2(commands, 3);
    dup2(events, 4);
    close_range(5, 9, 0);
    fcntl(log, F_SETFD, FD_CLOEXEC);
    fcntl(null, F_SETFD, FD_CLOEXEC);
    fcntl(commands, F_SETFD, FD_CLOEXEC);
    fcntl(events, F_SETFD, FD_CLOEXEC);
    signal(SIGPIPE, SIG_DFL);
    execv(launch->executable, (char *const *)(uintptr_t)args);
    int why = errno;
    if (write(exec_fd, &why, sizeof why) < 0)
        _exit(126);
    _exit(127);
}

static void reset_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Moves the descriptors to 10 and up and closes all others: nothing of kiln's stays open here. */
static void keep_only(int fds[4]) {
    for (int i = 0; i < 4; i++) {
        int high = fcntl(fds[i], F_DUPFD_CLOEXEC, 1000);
        fds[i] = high;
    }
    close_range(3, 999, 0);
    int last = 0;
    for (int i = 0; i < 4; i++)
        last = fds[i] > last ? fds[i] : last;
    close_range((unsigned)last + 1, ~0U, 0);
}

static void supervise(const struct cdp_launch *launch, const char *const *args, const char *profile,
                      int life, int news_fd, int commands, int events) {
    int fds[4] = {life, news_fd, commands, events}, exec_pipe[2];
    struct news news = {0};
    char byte;
    setsid();
    reset_signals();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    keep_only(fds);
    if (pipe2(exec_pipe, O_CLOEXEC))
        _exit(125);
    pid_t browser = fork();
    if (browser == 0)
        exec_browser(launch, args, profile, fds[2], fds[3], exec_pipe[1]);
    close(exec_pipe[1]);
    close(fds[2]);
    close(fds[3]);
    news.pid = (int)browser;
    if (browser < 0)
        news.exec_errno = errno;
    else if (read(exec_pipe[0], &news.exec_errno, sizeof news.exec_errno) <= 0)
        news.exec_errno = 0;
    close(exec_pipe[0]);
    ssize_t told = write(fds[1], &news, sizeof news);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    while (told > 0 && read(fds[0], &byte, 1) < 0 && errno == EINTR)
        ;
    if (browser > 0)
        kill_all(browser);
    nftw(profile, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    _exit(0);
}

/* ---------------------------------------------------------------- kiln's side */

static const char *const names[] = {
    "headless_shell",     "headless-shell",         "chromium",
    "chromium-browser",   "google-chrome",          "google-chrome-stable",
    "google-chrome-beta", "google-chrome-unstable", "chrome"};

static bool is_program(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static char *find_on_path(struct slice name) {
    const char *path = getenv("PATH");
    struct slice rest = slice_cstr(path ? path : "/usr/local/bin:/usr/bin:/bin");
    while (rest.ptr) {
        struct slice dir = slice_cut(&rest, ':');
        char *file = xasprintf("%.*s/%.*s", SLICE_FMT(dir), SLICE_FMT(name));
        if (dir.len && is_program(file))
            return file;
        free(file);
    }
    return NULL;
}

char *cdp_find_browser(const char *wanted) {
    struct slice name = slice_trim(slice_cstr(wanted ? wanted : ""));
    char *found = NULL;
    if (name.len && memchr(name.ptr, '/', name.len)) {
        found = slice_dup(name);
        if (is_program(found))
            return found;
        free(found);
        return NULL;
    }
    if (name.len)
        return find_on_path(name);
    for (size_t i = 0; i < countof(names) && !found; i++)
        found = find_on_path(slice_cstr(names[i]));
    return found;
}

static char *new_profile(struct error *err) {
    const char *tmp = getenv("TMPDIR");
    char *dir = xasprintf("%s/kiln-browser-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (mkdtemp(dir))
        return dir;
    error_set(err, KE_IO, "cannot make a profile directory '%s': %s", dir, strerror(errno));
    free(dir);
    return NULL;
}

static const char **all_args(const struct cdp_launch *launch, const char *profile, char **out_dir) {
    size_t n = 0, at = 0;
    while (launch->args[n])
        n++;
    const char **args = xcalloc(n + 4, sizeof *args);
    *out_dir = xasprintf("--user-data-dir=%s", profile);
    args[at++] = launch->executable;
    for (size_t i = 0; i < n; i++)
        args[at++] = launch->args[i];
    args[at++] = *out_dir;
    args[at] = "--remote-debugging-pipe";
    return args;
}

static int read_news(struct cdp_process *p, struct news *out) {
    size_t have = 0;
    while (have < sizeof *out) {
        ssize_t n = read(p->news_fd, (char *)out + have, sizeof *out - have);
        if (n > 0) {
            have += (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            int rc = worker_io_wait(p->news, IO_READ, NEVER_NS);
            if (rc)
                return rc;
        } else if (n == 0 || errno != EINTR) {
            return KE_EOF;
        }
    }
    return 0;
}

static int open_pipes(int pipes[PIPES][2], struct error *err) {
    for (int i = 0; i < PIPES; i++)
        pipes[i][0] = pipes[i][1] = -1;
    for (int i = 0; i < PIPES; i++)
        /* Commands go through a socket: a write to a pipe whose reader is gone would be a signal.
         */
        if (i == COMMANDS ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pipes[i])
                          : pipe2(pipes[i], O_CLOEXEC))
            return error_set(err, KE_IO, "cannot make a pipe for the browser: %s", strerror(errno));
    return 0;
}

static void close_fd(int fd) {
    if (fd >= 0)
        close(fd);
}

int cdp_process_start(const struct cdp_launch *launch, struct cdp_process **out, int *out_read_fd,
                      int *out_write_fd, struct error *err) {
    int pipes[PIPES][2];
    struct news news;
    char *dir = NULL, *profile = new_profile(err);
    if (!profile)
        return KE_IO;
    if (open_pipes(pipes, err)) {
        for (int i = 0; i < PIPES; i++) {
            close_fd(pipes[i][0]);
            close_fd(pipes[i][1]);
        }
        rmdir(profile);
        free(profile);
        return KE_IO;
    }
    const char **args = all_args(launch, profile, &dir);
    struct cdp_process *p = xcalloc(1, sizeof *p);
    p->worker = worker_self();
    p->profile = profile;
    p->supervisor = fork();
    if (p->supervisor == 0)
        supervise(launch, args, profile, pipes[LIFE][0], pipes[NEWS][1], pipes[COMMANDS][0],
                  pipes[EVENTS][1]);
    int fork_errno = errno;
    free(args);
    free(dir);
    close(pipes[LIFE][0]);
    close(pipes[NEWS][1]);
    close(pipes[COMMANDS][0]);
    close(pipes[EVENTS][1]);
    p->life_fd = pipes[LIFE][1];
    p->news_fd = pipes[NEWS][0];
    CHECK(fcntl(p->news_fd, F_SETFL, O_NONBLOCK) == 0);
    p->news = worker_io_new(p->worker, p->news_fd);
    int rc = p->supervisor < 0 ? KE_IO : read_news(p, &news);
    if (p->supervisor < 0)
        error_set(err, KE_IO, "cannot start a process for the browser: %s", strerror(fork_errno));
    else if (rc)
        error_set(err, rc, "%s", error_text(rc));
    else if (news.exec_errno)
        rc = error_set(err, KE_IO, "cannot run '%s': %s", launch->executable,
                       strerror(news.exec_errno));
    if (rc) {
        close(pipes[COMMANDS][1]);
        close(pipes[EVENTS][0]);
        cdp_process_free(p);
        return rc;
    }
    p->pid = news.pid;
    *out = p;
    *out_read_fd = pipes[EVENTS][0];
    *out_write_fd = pipes[COMMANDS][1];
    return 0;
}

int cdp_process_pid(const struct cdp_process *p) {
    return p->pid;
}

const char *cdp_process_profile(const struct cdp_process *p) {
    return p->profile;
}

char *cdp_process_words(const struct cdp_process *p) {
    char *path = xasprintf("%s/stderr.log", p->profile), *words = xcalloc(1, WORDS_MAX + 1);
    FILE *f = fopen(path, "re");
    free(path);
    if (!f)
        return words;
    if (fseek(f, -WORDS_MAX, SEEK_END))
        rewind(f);
    words[fread(words, 1, WORDS_MAX, f)] = 0;
    fclose(f);
    return words;
}

void cdp_process_free(struct cdp_process *p) {
    struct news none;
    if (!p)
        return;
    close(p->life_fd);
    struct fiber *self = fiber_self();
    if (self)
        fiber_mask_cancel(self);
    if (p->supervisor > 0) {
        while (read_news(p, &none) == 0)
            ;
        while (waitpid(p->supervisor, NULL, 0) < 0 && errno == EINTR)
            ;
    } else {
        rmdir(p->profile);
    }
    if (self)
        fiber_unmask_cancel(self);
    worker_io_close(p->news);
    free(p->profile);
    free(p);
}
