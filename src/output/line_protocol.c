#include "output/line_protocol.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/go_text.h"
#include "base/json_write.h"
#include "output/output_config.h"

/* ---------------------------------------------------------------- configuration */

int line_fields_add(struct line_fields *f, struct slice spec, struct error *err) {
    static const char *const kinds[] = {"string", "int", "float", "bool"};
    struct slice kind = spec, name = slice_cut(&kind, ':');
    size_t k = 0;
    for (size_t i = 0; i < f->len; i++)
        if (slice_eq(slice_cstr(f->items[i].name), name))
            return error_set(err, KE_CONFIG,
                             "a tag name (%.*s) shows up more than once in InfluxDB field type "
                             "configurations",
                             SLICE_FMT(name));
    while (kind.len && k < countof(kinds) && !slice_eq(kind, slice_cstr(kinds[k])))
        k++;
    if (k == countof(kinds))
        return error_set(err, KE_CONFIG,
                         "an invalid type (%.*s) is specified for an InfluxDB field (%.*s)",
                         SLICE_FMT(kind), SLICE_FMT(name));
    if (f->len == LINE_FIELDS_MAX)
        return error_set(err, KE_CONFIG, "more than %d InfluxDB fields", LINE_FIELDS_MAX);
    f->items[f->len++] = (struct line_field){slice_dup(name), (enum line_field_kind)k};
    return 0;
}

void line_fields_release(struct line_fields *f) {
    for (size_t i = 0; i < f->len; i++)
        free(f->items[i].name);
    f->len = 0;
}

static const struct line_field *field_of(const struct line_fields *f, struct slice key) {
    for (size_t i = 0; i < f->len; i++)
        if (slice_eq(slice_cstr(f->items[i].name), key))
            return &f->items[i];
    return NULL;
}

/* ---------------------------------------------------------------- text */

static void put_escaped(struct buf *out, struct slice s, const char *special) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '\n' || c == '\r') {
            /* The protocol has no escape for it in a key or a tag: it would begin another line. */
            buf_append_str(out, c == '\n' ? "\\n" : "\\r");
            continue;
        }
        if (c && strchr(special, c))
            buf_append_char(out, '\\');
        buf_append_char(out, c);
    }
    /* A backslash at the end would escape what follows. */
    if (s.len && s.ptr[s.len - 1] == '\\')
        buf_append_char(out, ' ');
}

static void put_string(struct buf *out, struct slice s) {
    buf_append_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"' || s.ptr[i] == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, s.ptr[i]);
    }
    buf_append_char(out, '"');
}

/* A text that is not of its kind stays a text. */
static void put_field_value(struct buf *out, enum line_field_kind kind, struct slice text) {
    int64_t n;
    double d;
    bool b;
    if (kind == FIELD_INT && parse_int_go(text, &n))
        buf_printf(out, "%lldi", (long long)n);
    else if (kind == FIELD_FLOAT && go_parse_float(text, &d, NULL) == 0 && isfinite(d))
        append_value(out, d);
    else if (kind == FIELD_BOOL && parse_bool_go(text, &b))
        buf_append_str(out, b ? "true" : "false");
    else
        put_string(out, text);
}

static int compare_keys(struct slice a, struct slice b) {
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

static void put_tags(struct line_writer *w, struct buf *out, const struct tagset *tags) {
    for (size_t i = 0; i < tags->len; i++) {
        struct tag t = tags->tags[i];
        if (t.value.len == 0 || t.key.len == 0 || field_of(w->fields, t.key))
            continue;
        buf_append_char(out, ',');
        put_escaped(out, t.key, ", =");
        buf_append_char(out, '=');
        put_escaped(out, t.value, ", =");
    }
}

static void put_field(struct buf *out, const struct line_field *f, struct slice value) {
    put_escaped(out, slice_cstr(f->name), ", =");
    buf_append_char(out, '=');
    put_field_value(out, f->kind, value);
}

/* Fields are sorted, "value" among them: those before it, with a comma after each, or those after
 * it, with a comma before each. A field "value" would be the sample's. */
static void put_fields(struct line_writer *w, struct buf *out, const struct tagset *tags,
                       bool is_before) {
    for (size_t i = 0; i < tags->len; i++) {
        const struct line_field *f = field_of(w->fields, tags->tags[i].key);
        int side = compare_keys(tags->tags[i].key, SLICE("value"));
        if (!f || side == 0 || (side < 0) != is_before)
            continue;
        if (!is_before)
            buf_append_char(out, ',');
        put_field(out, f, tags->tags[i].value);
        if (is_before)
            buf_append_char(out, ',');
    }
}

static void make_before(void *arg, struct buf *out, const struct tagset *tags) {
    put_tags(arg, out, tags);
    buf_append_char(out, ' ');
    put_fields(arg, out, tags, true);
}

static void make_after(void *arg, struct buf *out, const struct tagset *tags) {
    put_fields(arg, out, tags, false);
}

/* ---------------------------------------------------------------- lines */

void line_writer_init(struct line_writer *w, const struct line_fields *fields, int64_t unit_ns) {
    *w = (struct line_writer){.fields = fields, .unit_ns = unit_ns};
    tags_text_init(&w->before, make_before, w);
    tags_text_init(&w->after, make_after, w);
}

void line_writer_release(struct line_writer *w) {
    tags_text_release(&w->before);
    tags_text_release(&w->after);
}

/* 'f' form: no exponent, which not every reader of the protocol takes. */
static void put_value(struct buf *out, double value) {
    char text[32];
    if (append_decimal(out, value))
        return;
    double_format_json(value, text);
    if (!strchr(text, 'e')) {
        buf_append_str(out, text);
        return;
    }
    int digits = 0;
    for (const char *p = text; *p && *p != 'e'; p++)
        digits += *p >= '0' && *p <= '9';
    int exponent = (int)floor(log10(fabs(value)));
    int decimals = digits - 1 - exponent;
    buf_printf(out, "%.*f", decimals > 0 ? decimals : 0, value);
}

/* The samples of a request share their time. */
static void put_time(struct line_writer *w, struct buf *out, int64_t time_ns) {
    if (time_ns != w->time_ns || w->time_len == 0) {
        long long stamp = (long long)(clock_mono_to_wall_ns(time_ns) / w->unit_ns);
        w->time_ns = time_ns;
        w->time_len = (size_t)snprintf(w->time_text, sizeof w->time_text, " %lld\n", stamp);
    }
    buf_append(out, w->time_text, w->time_len);
}

bool line_write(struct line_writer *w, struct buf *out, const struct raw_sample *s) {
    if (!isfinite(s->value))
        return false;
    buf_append_str(out, s->series->metric->name); /* it has nothing to escape */
    buf_append_slice(out, tags_text_get(&w->before, s->series->tags));
    buf_append_str(out, "value=");
    put_value(out, s->value);
    buf_append_slice(out, tags_text_get(&w->after, s->series->tags));
    put_time(w, out, s->time_ns);
    return true;
}
