/* The log: leveled records with fields, in k6's forms. Text on a terminal: `INFO[0000] message
 * source=console`; text elsewhere: `time="…" level=info msg="…" source=console`; json; raw.
 * Thread-safe: any thread may log; records of one thread keep their order. Default output stderr,
 * level info.
 *
 *     log_fields(LOG_WARN, SLICE("Request Failed"), LOG_STR("error", text));
 *     log_printf(LOG_INFO, "listening on %s", address);
 *
 * While progress bars are drawn on a terminal, the UI sets a hook that clears and redraws them
 * around each record. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON, LOG_FORMAT_RAW };

struct log_field {
    const char *key;
    struct slice value;
};

#define LOG_STR(key, cstr) ((struct log_field){key, slice_cstr(cstr)})
#define LOG_SLICE(key, s) ((struct log_field){key, s})

struct log_config {
    enum log_level level;
    enum log_format format;
    bool is_tty; /* terminal text form; with no_color, as k6, the key=value form */
    bool no_color;
    int fd; /* 2 by default; -1 = discard */
};

/* Called before any thread starts; may be called again to reconfigure. Returns nothing: bad values
 * are the CLI's job. */
void log_init(const struct log_config *cfg);
const struct log_config *log_config(void);
bool log_enabled(enum log_level level);
const char *log_level_name(enum log_level level); /* "debug", "info", "warning", "error" */
/* Fields are written in the order k6 (logrus) does: sorted by key. */
void log_write(enum log_level level, struct slice msg, const struct log_field *fields,
               size_t n_fields);
/* Whatever the log's level: for parts with a level of their own. */
void log_write_always(enum log_level level, struct slice msg, const struct log_field *fields,
                      size_t n_fields);
void log_printf(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Records for a terminal go out at once, others are gathered up to 64 KiB: this writes what is
 * gathered. Called by the main loop every 100 ms, and at exit. */
void log_flush(void);

#define log_fields(level, msg, ...)                                \
    log_write(level, msg, (const struct log_field[]){__VA_ARGS__}, \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

/* A further destination (file, loki, --console-output): gets every record of its level and above,
 * on the logging thread; must be quick (queue it). */
typedef void log_sink_fn(void *arg, enum log_level level, int64_t wall_ns, struct slice msg,
                         const struct log_field *fields, size_t n_fields);
void log_add_sink(log_sink_fn *fn, void *arg);
/* Formats one record in the given form, with newline, appended to out (for sinks and tests). */
struct buf;
void log_format_record(struct buf *out, enum log_format format, bool tty_form, bool color,
                       enum log_level level, int64_t wall_ns, int64_t since_start_ns,
                       struct slice msg, const struct log_field *fields, size_t n_fields);
/* UI hook: before(arg) runs before a record goes to a terminal, after(arg) after it, both under the
 * log's lock. */
void log_set_ui_hook(void (*before)(void *), void (*after)(void *), void *arg);
