/* Processes that stand in for a browser: shell scripts. */
#include "cdp_unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cdp/cdp_process.h"

struct run {
    struct worker *worker;
    char folder[64], program[100];
    void (*body)(struct run *r);
};

static void body_fiber(void *arg) {
    struct run *r = arg;
    r->body(r);
    worker_stop(r->worker);
}

static void write_program(const char *path, const char *text) {
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    fprintf(f, "#!/bin/sh\n%s", text);
    fclose(f);
    chmod(path, 0755);
}

static void run_with(const char *text, void (*body)(struct run *r)) {
    struct run r = {.body = body, .folder = "/tmp/kiln-test-process-XXXXXX"};
    assert_non_null(mkdtemp(r.folder));
    snprintf(r.program, sizeof r.program, "%s/chromium", r.folder);
    write_program(r.program, text);
    r.worker = worker_new(0);
    fiber_detach(fiber_start(r.worker, FIBER_STACK_DEFAULT, body_fiber, &r));
    worker_run(r.worker);
    worker_free(r.worker);
    unlink(r.program);
    rmdir(r.folder);
}

/* The next bytes of the browser, up to a zero byte. */
static char *hear(int fd) {
    static char text[300];
    size_t n = 0;
    int64_t end = clock_now_ns() + 20 * NS_PER_S;
    CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    while (clock_now_ns() < end && n < sizeof text) {
        ssize_t got = read(fd, text + n, 1);
        if (got == 1 && text[n++] == 0)
            return text;
        if (got < 0)
            fiber_sleep_until(clock_now_ns() + NS_PER_MS);
    }
    fail_msg("the program does not answer");
    return NULL;
}

/* It answers with its arguments and what it reads, and has a child that wants to stay. */
static const char echo[] = "echo warning >&2\n"
                           "(trap '' TERM INT HUP; exec sleep 1000) &\n"
                           "printf '%s %s\\0' \"$*\" $! >&4\n"
                           "read line <&3\n"
                           "printf '%s\\0' \"$line\" >&4\n"
                           "read forever <&3\n";

static void body_life(struct run *r) {
    static const char *const args[] = {"--one", "--two", NULL};
    struct cdp_launch launch = {r->program, args};
    struct cdp_process *p;
    struct error err = {0};
    char wanted[300], profile[200];
    int in, out, child = 0;
    assert_int_equal(cdp_process_start(&launch, &p, &in, &out, &err), 0);
    snprintf(profile, sizeof profile, "%s", cdp_process_profile(p));
    assert_int_equal(access(profile, W_OK), 0);
    char *said = hear(in);
    snprintf(wanted, sizeof wanted, "--one --two --user-data-dir=%s --remote-debugging-pipe ",
             profile);
    assert_memory_equal(said, wanted, strlen(wanted));
    child = (int)strtol(said + strlen(wanted), NULL, 10);
    assert_true(child > 1);
    assert_int_equal(write(out, "hello\n", 6), 6);
    assert_string_equal(hear(in), "hello");
    int pid = cdp_process_pid(p);
    assert_int_equal(kill(pid, 0), 0);
    assert_int_equal(kill(child, 0), 0);
    char *words = cdp_process_words(p);
    assert_string_equal(words, "warning\n");
    free(words);
    cdp_process_free(p);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(kill(child, 0), -1);
    assert_int_equal(access(profile, F_OK), -1);
    close(in);
    close(out);
}

static void nothing_is_left_of_a_browser_and_its_children(void **state) {
    (void)state;
    run_with(echo, body_life);
}

static void body_missing(struct run *r) {
    static const char *const args[] = {NULL};
    struct cdp_launch launch = {"/nowhere/chromium", args};
    struct cdp_process *p;
    struct error err = {0};
    int in, out;
    (void)r;
    assert_int_equal(cdp_process_start(&launch, &p, &in, &out, &err), KE_IO);
    assert_string_equal(err.text, "cannot run '/nowhere/chromium': No such file or directory");
}

static void a_program_that_cannot_run_is_said(void **state) {
    (void)state;
    run_with("", body_missing);
}

static void body_early_end(struct run *r) {
    static const char *const args[] = {NULL};
    struct cdp_launch launch = {r->program, args};
    struct cdp_process *p;
    struct error err = {0};
    char byte;
    int in, out;
    assert_int_equal(cdp_process_start(&launch, &p, &in, &out, &err), 0);
    assert_int_equal(read(in, &byte, 1), 0); /* blocks until the program has ended */
    char *words = cdp_process_words(p);
    assert_string_equal(words, "cannot open display\n");
    free(words);
    cdp_process_free(p);
    close(in);
    close(out);
}

static void a_browser_that_ends_at_once_leaves_its_words(void **state) {
    (void)state;
    run_with("echo cannot open display >&2; exit 1\n", body_early_end);
}

static void expect_found(const char *wanted, const char *path) {
    char *found = cdp_find_browser(wanted);
    if (path)
        assert_string_equal(found, path);
    else
        assert_null(found);
    free(found);
}

static void body_find(struct run *r) {
    char *path = getenv("PATH") ? strdup(getenv("PATH")) : NULL;
    char other[100], list[200];
    snprintf(other, sizeof other, "%s/mine", r->folder);
    write_program(other, "");
    snprintf(list, sizeof list, "/nowhere::%s", r->folder);
    setenv("PATH", list, 1);
    expect_found(NULL, r->program);
    expect_found(" ", r->program);
    expect_found("mine", other);
    expect_found(other, other);
    expect_found(r->folder, NULL); /* no program */
    expect_found("theirs", NULL);
    setenv("PATH", "/nowhere", 1);
    expect_found(NULL, NULL);
    if (path)
        setenv("PATH", path, 1);
    free(path);
    unlink(other);
}

static void browsers_are_found_on_the_path(void **state) {
    (void)state;
    run_with("", body_find);
}

/* kiln itself ignores the signal; that would pass on to programs. */
static const char pipe_signal[] = "sh -c 'kill -PIPE $$'\n"
                                  "printf '%s\\0' $? >&4\n"
                                  "read forever <&3\n";

static void body_pipe_signal(struct run *r) {
    static const char *const args[] = {NULL};
    struct cdp_launch launch = {r->program, args};
    struct cdp_process *p;
    struct error err = {0};
    int in, out;
    assert_int_equal(cdp_process_start(&launch, &p, &in, &out, &err), 0);
    assert_string_equal(hear(in), "141");
    cdp_process_free(p);
    close(in);
    close(out);
}

static void a_browser_is_ended_by_a_broken_pipe(void **state) {
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    run_with(pipe_signal, body_pipe_signal);
    signal(SIGPIPE, SIG_DFL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left_of_a_browser_and_its_children),
        cmocka_unit_test(a_program_that_cannot_run_is_said),
        cmocka_unit_test(a_browser_that_ends_at_once_leaves_its_words),
        cmocka_unit_test(a_browser_is_ended_by_a_broken_pipe),
        cmocka_unit_test(browsers_are_found_on_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
