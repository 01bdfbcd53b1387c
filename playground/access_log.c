#include "access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/go_text.h"

#define FLUSH_EVERY_NS (100 * NS_PER_MS)
#define FLUSH_ABOVE ((size_t)256 << 10)
#define MAX_UNWRITTEN ((size_t)8 << 20)
#define MAX_VALUE_BYTES 256
#define QUIET_EVERY_NS (30 * NS_PER_S)
#define SECOND_TEXT_SIZE 20 /* "2026-11-23T08:29:32" and a zero byte */

/* Paths that are asked for all the time, by health checks, scrapers and browsers: a line each now
 * and then will do. */
static const char *const quiet_paths[] = {
    "/",
    "/ready",
    "/healthz",
    "/metrics",
    "/ws",
    "/contacts.php",
    "/news.php",
    "/flip_coin.php",
    "/browser.php",
    "/my_messages.php",
    "/admin.php",
};

struct access_log {
    int fd;
    bool is_quiet;
    enum log_threshold threshold;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    struct buf lines;         /* being filled */
    struct buf being_written; /* the thread's */
    size_t line_start;        /* of the line being put together */
    unsigned long dropped;
    time_t second_s; /* what `second` is the text of */
    char second[SECOND_TEXT_SIZE];
    int64_t quiet_until_ns[countof(quiet_paths)];
    bool is_stopping;
};

static void write_all(int fd, struct slice text) {
    while (text.len > 0) {
        ssize_t written = write(fd, text.ptr, text.len);
        if (written < 0 && errno != EINTR && errno != EAGAIN)
            return;
        if (written > 0)
            text = slice_from(text.ptr + written, text.len - (size_t)written);
    }
}

/* The first words of a line; the caller holds the lock. */
static void append_head(struct access_log *log, struct buf *out, const char *level) {
    const int64_t now_ns = clock_wall_ns();
    const time_t now_s = (time_t)(now_ns / NS_PER_S);
    if (now_s != log->second_s) {
        struct tm utc;
        gmtime_r(&now_s, &utc);
        strftime(log->second, sizeof log->second, "%Y-%m-%dT%H:%M:%S", &utc);
        log->second_s = now_s;
    }
    const unsigned ms = (unsigned)(now_ns % NS_PER_S / NS_PER_MS);
    const char tail[] = {'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
                         (char)('0' + ms % 10), 'Z'};
    buf_append(out, "time=", 5);
    buf_append(out, log->second, SECOND_TEXT_SIZE - 1);
    buf_append(out, tail, sizeof tail);
    buf_append(out, " level=", 7);
    buf_append_str(out, level);
    buf_append(out, " msg=", 5);
}

/* Swaps the buffers under the lock and writes without it. */
static void flush(struct access_log *log) {
    struct buf full = log->lines;
    log->lines = log->being_written;
    if (log->dropped > 0) {
        append_head(log, &log->lines, "WARN");
        buf_printf(&log->lines, "\"log lines dropped\" count=%lu\n", log->dropped);
        log->dropped = 0;
    }
    pthread_mutex_unlock(&log->lock);
    write_all(log->fd, buf_slice(&full));
    buf_reset(&full);
    pthread_mutex_lock(&log->lock);
    log->being_written = full;
}

static void *run(void *arg) {
    struct access_log *log = arg;
    pthread_mutex_lock(&log->lock);
    while (!log->is_stopping) {
        if (log->lines.len == 0)
            pthread_cond_wait(&log->changed, &log->lock);
        const int64_t until_ns = clock_now_ns() + FLUSH_EVERY_NS;
        const struct timespec until = {until_ns / NS_PER_S, until_ns % NS_PER_S};
        while (!log->is_stopping && log->lines.len < FLUSH_ABOVE &&
               pthread_cond_timedwait(&log->changed, &log->lock, &until) != ETIMEDOUT)
            continue;
        flush(log);
    }
    while (log->lines.len > 0)
        flush(log);
    pthread_mutex_unlock(&log->lock);
    return NULL;
}

int access_log_open(struct access_log **out, const struct config *config, struct error *err) {
    int fd = STDERR_FILENO;
    if (config->log_file != NULL) {
        fd = open(config->log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (fd < 0)
            return error_set(err, KE_IO, "cannot open '%s': %s", config->log_file, strerror(errno));
    }
    struct access_log *log = xcalloc(1, sizeof *log);
    log->fd = fd;
    log->is_quiet = config->is_quiet;
    log->threshold = config->log_threshold;
    buf_init(&log->lines, MAX_UNWRITTEN);
    buf_init(&log->being_written, MAX_UNWRITTEN);
    pthread_mutex_init(&log->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&log->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    CHECK(pthread_create(&log->thread, NULL, run, log) == 0);
    *out = log;
    return 0;
}

void access_log_close(struct access_log *log) {
    if (log == NULL)
        return;
    pthread_mutex_lock(&log->lock);
    log->is_stopping = true;
    pthread_cond_signal(&log->changed);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    if (log->fd != STDERR_FILENO)
        close(log->fd);
    buf_release(&log->lines);
    buf_release(&log->being_written);
    pthread_cond_destroy(&log->changed);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

/* Lines are put together in place, under the lock: a line takes less time than a copy of it would.
 */
static struct buf *begin_line(struct access_log *log) {
    pthread_mutex_lock(&log->lock);
    log->line_start = log->lines.len;
    return &log->lines;
}

static void end_line(struct access_log *log) {
    const size_t start = log->line_start;
    if (buf_append_char(&log->lines, '\n') != 0) {
        log->lines.len = start;
        log->dropped++;
    }
    if (start == 0 || (start < FLUSH_ABOVE && log->lines.len >= FLUSH_ABOVE))
        pthread_cond_signal(&log->changed);
    pthread_mutex_unlock(&log->lock);
}

static bool is_bare(struct slice value) {
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return value.len > 0;
}

void access_log_value(struct buf *out, struct slice value) {
    if (value.len > MAX_VALUE_BYTES)
        value.len = MAX_VALUE_BYTES;
    if (is_bare(value)) {
        buf_append_slice(out, value);
        return;
    }
    go_quote(out, value);
}

static void append_number(struct buf *out, const char *key, uint64_t value) {
    char digits[24];
    char *p = digits + sizeof digits;
    do {
        *--p = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    buf_append_str(out, key);
    buf_append(out, p, (size_t)(digits + sizeof digits - p));
}

/* Is this one of the quiet paths, and not yet due again? */
static bool is_hushed(struct access_log *log, const char *path, int64_t now_ns) {
    size_t i = 0;
    while (i < countof(quiet_paths) && strcmp(quiet_paths[i], path) != 0)
        i++;
    if (i == countof(quiet_paths))
        return false;
    pthread_mutex_lock(&log->lock);
    const bool is_early = now_ns < log->quiet_until_ns[i];
    if (!is_early)
        log->quiet_until_ns[i] = now_ns + QUIET_EVERY_NS;
    pthread_mutex_unlock(&log->lock);
    return is_early;
}

void access_log_request(struct access_log *log, const struct request *r, size_t body_bytes) {
    const int status = r->response.status;
    if (log->is_quiet ||
        log->threshold > (status >= 500 ? LOG_THRESHOLD_ERROR : LOG_THRESHOLD_INFO))
        return;
    const int64_t now_ns = clock_now_ns();
    if (status < 400 && is_hushed(log, r->path, now_ns))
        return;
    const uint64_t elapsed_us = (uint64_t)(now_ns - r->start_ns) / NS_PER_US;
    struct buf *line = begin_line(log);
    append_head(log, line, status >= 500 ? "ERROR" : "INFO");
    buf_append_str(line, r->pizza.len > 0 ? "\"New pizza recommendation\"" : "Request");
    buf_append_str(line, " method=");
    access_log_value(line, slice_cstr(r->method_name));
    buf_append_str(line, " path=");
    access_log_value(line, slice_cstr(r->path));
    append_number(line, " status=", (uint64_t)status);
    append_number(line, " bytes=", body_bytes);
    append_number(line, " elapsed=", elapsed_us / 1000);
    const char fraction[] = {'.',
                             (char)('0' + elapsed_us / 100 % 10),
                             (char)('0' + elapsed_us / 10 % 10),
                             (char)('0' + elapsed_us % 10),
                             'm',
                             's'};
    buf_append(line, fraction, sizeof fraction);
    if (r->user.len > 0) {
        buf_append_str(line, " user=");
        access_log_value(line, r->user);
    }
    if (r->pizza.len > 0) {
        buf_append_str(line, " pizza=");
        access_log_value(line, r->pizza);
    }
    end_line(log);
}

void access_log_note(struct access_log *log, const char *message, const char *detail) {
    if (log->threshold > LOG_THRESHOLD_INFO)
        return;
    struct buf *line = begin_line(log);
    append_head(log, line, "INFO");
    access_log_value(line, slice_cstr(message));
    if (detail != NULL) {
        buf_append_char(line, ' ');
        buf_append_str(line, detail);
    }
    end_line(log);
}

void access_log_failure(struct access_log *log, const char *message) {
    struct buf *line = begin_line(log);
    append_head(log, line, "ERROR");
    access_log_value(line, slice_cstr(message));
    end_line(log);
}
