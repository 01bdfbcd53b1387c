#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log_redact.h"

#define BATCH_BYTES (64 * 1024)
#define PRINTF_BYTES ((size_t)64 * 1024 * 1024)
#define SINKS_MAX 8

struct sink_entry {
    log_sink_fn *fn;
    void *arg;
};

static struct {
    pthread_mutex_t lock;
    struct log_config config;
    struct buf batch;
    struct sink_entry sinks[SINKS_MAX];
    atomic_size_t n_sinks;
    void (*before)(void *);
    void (*after)(void *);
    void *ui_arg;
    int64_t start_ns;
    bool has_exit_hook;
} g = {.lock = PTHREAD_MUTEX_INITIALIZER,
       .config = {.level = LOG_INFO, .fd = STDERR_FILENO},
       .batch = {.cap = BUF_NO_CAP}};

void log_init(const struct log_config *cfg) {
    pthread_mutex_lock(&g.lock);
    if (g.start_ns == 0)
        g.start_ns = clock_now_ns();
    if (!g.has_exit_hook)
        atexit(log_flush);
    g.has_exit_hook = true;
    pthread_mutex_unlock(&g.lock);
    log_flush();
    pthread_mutex_lock(&g.lock);
    g.config = *cfg;
    pthread_mutex_unlock(&g.lock);
}

const struct log_config *log_config(void) {
    return &g.config;
}

bool log_enabled(enum log_level level) {
    return level >= g.config.level;
}

static void flush_locked(void) {
    if (g.batch.len == 0)
        return;
    if (g.before != NULL && g.config.is_tty)
        g.before(g.ui_arg);
    if (g.config.fd >= 0)
        fd_write_all(g.config.fd, buf_slice(&g.batch)); /* nowhere to complain */
    if (g.after != NULL && g.config.is_tty)
        g.after(g.ui_arg);
    if (g.batch.alloc > 4 * BATCH_BYTES)
        buf_release(&g.batch); /* one huge record does not keep its memory */
    buf_reset(&g.batch);
}

void log_flush(void) {
    pthread_mutex_lock(&g.lock);
    flush_locked();
    pthread_mutex_unlock(&g.lock);
}

static void write_record(enum log_level level, struct slice msg, const struct log_field *fields,
                         size_t n_fields) {
    int64_t wall_ns = clock_wall_ns(), mono_ns = clock_now_ns();
    size_t n_sinks = atomic_load_explicit(&g.n_sinks, memory_order_acquire);
    for (size_t i = 0; i < n_sinks; i++)
        g.sinks[i].fn(g.sinks[i].arg, level, wall_ns, msg, fields, n_fields);
    if (g.config.fd < 0)
        return;
    pthread_mutex_lock(&g.lock);
    if (g.start_ns == 0)
        g.start_ns = mono_ns;
    /* k6's text formatter has its terminal form only with colours. */
    bool tty_form = g.config.is_tty && !g.config.no_color;
    log_format_record(&g.batch, g.config.format, tty_form, tty_form, level, wall_ns,
                      mono_ns - g.start_ns, msg, fields, n_fields);
    if (g.config.is_tty || g.batch.len >= BATCH_BYTES)
        flush_locked();
    pthread_mutex_unlock(&g.lock);
}

void log_write(enum log_level level, struct slice msg, const struct log_field *fields,
               size_t n_fields) {
    if (log_enabled(level))
        log_write_always(level, msg, fields, n_fields);
}

void log_write_always(enum log_level level, struct slice msg, const struct log_field *fields,
                      size_t n_fields) {
    struct log_redacted clean;
    if (!log_redact(msg, fields, n_fields, &clean)) {
        write_record(level, msg, fields, n_fields);
        return;
    }
    write_record(level, clean.msg, clean.fields, n_fields);
    log_redact_release(&clean);
}

void log_printf(enum log_level level, const char *fmt, ...) {
    if (!log_enabled(level))
        return;
    struct buf text;
    va_list ap;
    buf_init(&text, PRINTF_BYTES);
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    log_write(level, buf_slice(&text), NULL, 0);
    buf_release(&text);
}

void log_add_sink(log_sink_fn *fn, void *arg) {
    pthread_mutex_lock(&g.lock);
    size_t n = atomic_load_explicit(&g.n_sinks, memory_order_relaxed);
    CHECK(n < SINKS_MAX);
    g.sinks[n] = (struct sink_entry){fn, arg};
    atomic_store_explicit(&g.n_sinks, n + 1, memory_order_release);
    pthread_mutex_unlock(&g.lock);
}

void log_set_ui_hook(void (*before)(void *), void (*after)(void *), void *arg) {
    pthread_mutex_lock(&g.lock);
    flush_locked();
    g.before = before;
    g.after = after;
    g.ui_arg = arg;
    pthread_mutex_unlock(&g.lock);
}
