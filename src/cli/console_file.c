#include "cli/console_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "js/console.h"

static int file_fd = -1;
static pthread_mutex_t file_lock = PTHREAD_MUTEX_INITIALIZER;

static void write_record(void *arg, enum log_level level, struct slice msg) {
    struct buf line;
    (void)arg;
    if (!log_enabled(level))
        return;
    buf_init(&line, BUF_NO_CAP);
    log_format_record(&line, log_config()->format, false, false, level, clock_wall_ns(), 0, msg,
                      NULL, 0);
    pthread_mutex_lock(&file_lock);
    ssize_t written = write(file_fd, line.ptr, line.len);
    pthread_mutex_unlock(&file_lock);
    (void)written; /* as with the log itself, there is nowhere to complain */
    buf_release(&line);
}

int console_file_open(const char *path, struct failure *f) {
    file_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file_fd < 0)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "open %s: %s", path,
                           errno == ENOENT ? "no such file or directory" : strerror(errno));
    js_console_redirect(write_record, NULL);
    return 0;
}
