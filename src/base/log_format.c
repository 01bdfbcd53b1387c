#include "base/log.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/go_text.h"
#include "base/json_write.h"
#include "base/utf8.h"

#define MESSAGE_WIDTH 44
#define FIELDS_MAX 32

static const struct {
    const char *name, *tty_name, *color;
} levels[] = {
    [LOG_DEBUG] = {"debug", "DEBU", "37"},
    [LOG_INFO] = {"info", "INFO", "36"},
    [LOG_WARN] = {"warning", "WARN", "33"},
    [LOG_ERROR] = {"error", "ERRO", "31"},
};

static bool needs_quotes(struct slice s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_alnum && (c == '\0' || strchr("-._/@^+", c) == NULL))
            return true;
    }
    return false;
}

static void put_value(struct buf *out, struct slice s) {
    if (needs_quotes(s))
        go_quote(out, s);
    else
        buf_append_slice(out, s);
}

/* A field of a user's that is named like one of the record's own is moved out of the way. */
static const char *key_prefix(const char *key) {
    bool clashes = strcmp(key, "time") == 0 || strcmp(key, "msg") == 0 || strcmp(key, "level") == 0;
    return clashes ? "fields." : "";
}

static int compare_fields(const void *a, const void *b) {
    const struct log_field *const *x = a, *const *y = b;
    return strcmp((*x)->key, (*y)->key);
}

static size_t sort_fields(const struct log_field *fields, size_t n,
                          const struct log_field *sorted[FIELDS_MAX]) {
    if (n > FIELDS_MAX)
        n = FIELDS_MAX;
    for (size_t i = 0; i < n; i++)
        sorted[i] = &fields[i];
    if (n > 1)
        qsort(sorted, n, sizeof sorted[0], compare_fields);
    return n;
}

static void format_text(struct buf *out, enum log_level level, int64_t wall_ns, struct slice msg,
                        const struct log_field *const *fields, size_t n) {
    char time[40];
    clock_format_rfc3339(wall_ns, time);
    buf_printf(out, "time=\"%s\" level=%s", time, levels[level].name);
    if (msg.len > 0) {
        buf_append_str(out, " msg=");
        put_value(out, msg);
    }
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, " %s%s=", key_prefix(fields[i]->key), fields[i]->key);
        put_value(out, fields[i]->value);
    }
}

static void format_tty(struct buf *out, bool color, enum log_level level, int64_t since_start_ns,
                       struct slice msg, const struct log_field *const *fields, size_t n) {
    const char *on = color ? levels[level].color : "", *start = color ? "\x1b[" : "",
               *m = color ? "m" : "", *off = color ? "\x1b[0m" : "";
    if (msg.len > 0 && msg.ptr[msg.len - 1] == '\n')
        msg.len--;
    buf_printf(out, "%s%s%s%s%s[%04lld] ", start, on, m, levels[level].tty_name, off,
               (long long)(since_start_ns / NS_PER_S));
    buf_append_slice(out, msg);
    for (size_t width = utf8_length(msg); width < MESSAGE_WIDTH; width++)
        buf_append_char(out, ' ');
    buf_append_char(out, ' ');
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, " %s%s%s%s%s%s=", start, on, m, key_prefix(fields[i]->key), fields[i]->key,
                   off);
        put_value(out, fields[i]->value);
    }
}

static void put_json_fields(struct json_writer *w, const char *below, const char **from,
                            const struct log_field *const *fields, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const char *key = fields[i]->key;
        const char *sort_key = *key_prefix(key) ? "fields." : key;
        if ((*from && strcmp(sort_key, *from) < 0) || (below && strcmp(sort_key, below) >= 0))
            continue;
        char name[128];
        struct buf full = {.ptr = name, .alloc = sizeof name, .cap = sizeof name - 1};
        buf_printf(&full, "%s%.100s", key_prefix(key), key);
        json_key_slice(w, buf_slice(&full));
        json_string(w, fields[i]->value);
    }
    *from = below;
}

/* One object with all keys sorted: the record's own stand between the fields. */
static void format_json(struct buf *out, enum log_level level, int64_t wall_ns, struct slice msg,
                        const struct log_field *const *fields, size_t n) {
    char time[40];
    struct json_writer w;
    const char *from = NULL;
    clock_format_rfc3339(wall_ns, time);
    json_write_init(&w, out, NULL, true);
    json_object_begin(&w);
    put_json_fields(&w, "level", &from, fields, n);
    json_key(&w, "level");
    json_cstr(&w, levels[level].name);
    put_json_fields(&w, "msg", &from, fields, n);
    json_key(&w, "msg");
    json_string(&w, msg);
    put_json_fields(&w, "time", &from, fields, n);
    json_key(&w, "time");
    json_cstr(&w, time);
    put_json_fields(&w, NULL, &from, fields, n);
    json_object_end(&w);
}

void log_format_record(struct buf *out, enum log_format format, bool tty_form, bool color,
                       enum log_level level, int64_t wall_ns, int64_t since_start_ns,
                       struct slice msg, const struct log_field *fields, size_t n_fields) {
    const struct log_field *sorted[FIELDS_MAX];
    size_t n = sort_fields(fields, n_fields, sorted);
    if (format == LOG_FORMAT_JSON)
        format_json(out, level, wall_ns, msg, sorted, n);
    else if (format == LOG_FORMAT_RAW)
        buf_append_slice(out, msg);
    else if (tty_form)
        format_tty(out, color, level, since_start_ns, msg, sorted, n);
    else
        format_text(out, level, wall_ns, msg, sorted, n);
    buf_append_char(out, '\n');
}

const char *log_level_name(enum log_level level) {
    return levels[level].name;
}
