/* --out csv: a row a sample; the enabled system tags are columns, other tags go to extra_tags. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/duration.h"
#include "base/go_text.h"
#include "output/file_writer.h"
#include "output/output_type.h"
#include "output/sample_text.h"

enum time_format { TIME_UNIX, TIME_MILLI, TIME_MICRO, TIME_NANO, TIME_RFC3339, TIME_RFC3339_NANO };

#define COLUMNS_MAX 32

struct csv_output {
    struct output base;
    char *name;
    struct file_writer file;
    struct tags_text tags;
    struct buf field; /* scratch */
    enum time_format time_format;
    struct slice columns[COLUMNS_MAX], ignored[COLUMNS_MAX]; /* sorted system tags */
    size_t n_columns, n_ignored;
};

/* ---------------------------------------------------------------- configuration */

static int set_time_format(struct csv_output *o, struct slice s, struct error *err) {
    static const char *const names[] = {"unix",      "unix_milli", "unix_micro",
                                        "unix_nano", "rfc3339",    "rfc3339_nano"};
    for (size_t i = 0; i < countof(names); i++) {
        if (slice_ieq(s, slice_cstr(names[i]))) {
            o->time_format = (enum time_format)i;
            return 0;
        }
    }
    return error_set(err, KE_CONFIG, "%.*s does not belong to TimeFormat values", SLICE_FMT(s));
}

static int set_interval(struct csv_output *o, struct slice s, struct error *err) {
    struct buf quoted;
    if (duration_parse(s, &o->base.flush_ns) == 0)
        return 0;
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, s);
    error_set(err, KE_CONFIG, "time: invalid duration %s", buf_cstr(&quoted));
    buf_release(&quoted);
    return KE_CONFIG;
}

static void set_name(struct csv_output *o, struct slice s) {
    free(o->name);
    o->name = slice_dup(s);
}

static int bad_argument(const char *what, struct slice arg, struct error *err) {
    struct buf quoted;
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, arg);
    error_set(err, KE_CONFIG, "%s %s as argument for csv output", what, buf_cstr(&quoted));
    buf_release(&quoted);
    return KE_CONFIG;
}

/* FILE, or key=value pairs. The time format is looked at last, when all tiers are known. */
static int parse_arg(struct csv_output *o, struct slice arg, struct slice *time_format,
                     struct error *err) {
    struct slice rest = arg;
    if (arg.len == 0)
        return 0;
    if (!memchr(arg.ptr, '=', arg.len)) {
        set_name(o, arg);
        return 0;
    }
    while (rest.ptr) {
        struct slice value = slice_cut(&rest, ','), key = slice_cut(&value, '=');
        if (value.len == 0)
            return bad_argument("couldn't parse", arg, err);
        if (slice_eq(key, SLICE("saveInterval"))) {
            if (set_interval(o, value, err))
                return KE_CONFIG;
        } else if (slice_eq(key, SLICE("fileName"))) {
            set_name(o, value);
        } else if (slice_eq(key, SLICE("timeFormat"))) {
            *time_format = value;
        } else {
            return bad_argument("unknown key", key, err);
        }
    }
    return 0;
}

static int configure(struct csv_output *o, struct slice arg, struct error *err) {
    struct slice time_format = SLICE("unix");
    const char *env;
    set_name(o, SLICE("file.csv"));
    o->base.flush_ns = NS_PER_S;
    if ((env = output_getenv(&o->base, "K6_CSV_FILENAME")) != NULL)
        set_name(o, slice_cstr(env));
    if ((env = output_getenv(&o->base, "K6_CSV_TIME_FORMAT")) != NULL)
        time_format = slice_cstr(env);
    if ((env = output_getenv(&o->base, "K6_CSV_SAVE_INTERVAL")) != NULL && env[0]) {
        struct error reason;
        if (set_interval(o, slice_cstr(env), &reason))
            return error_set(err, KE_CONFIG,
                             "envconfig.Process: assigning K6_CSV_SAVE_INTERVAL to SaveInterval: "
                             "converting '%s' to type types.NullDuration. details: %s",
                             env, reason.text);
    }
    if (parse_arg(o, arg, &time_format, err))
        return KE_CONFIG;
    return set_time_format(o, time_format, err);
}

static int compare_slices(const void *a, const void *b) {
    const struct slice *x = a, *y = b;
    size_t n = x->len < y->len ? x->len : y->len;
    int c = memcmp(x->ptr, y->ptr, n);
    return c ? c : (x->len > y->len) - (x->len < y->len);
}

static void choose_columns(struct csv_output *o) {
    uint32_t on = o->base.params->system_tags;
    for (uint32_t bit = 1; bit & SYSTEM_TAGS_ALL; bit <<= 1) {
        if (bit & SYSTEM_TAGS_METADATA)
            continue;
        struct slice name = slice_cstr(system_tag_name(bit));
        if (on & bit)
            o->columns[o->n_columns++] = name;
        else
            o->ignored[o->n_ignored++] = name;
    }
    qsort(o->columns, o->n_columns, sizeof o->columns[0], compare_slices);
}

/* ---------------------------------------------------------------- rows */

/* RFC 4180 as Go's encoding/csv writes it. */
static void put_field(struct buf *out, struct slice s) {
    bool needs_quotes = s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t');
    for (size_t i = 0; i < s.len && !needs_quotes; i++)
        needs_quotes = s.ptr[i] == ',' || s.ptr[i] == '"' || s.ptr[i] == '\r' || s.ptr[i] == '\n';
    if (!needs_quotes && !slice_eq(s, SLICE("\\."))) {
        buf_append_slice(out, s);
        return;
    }
    buf_append_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"')
            buf_append_char(out, '"');
        buf_append_char(out, s.ptr[i]);
    }
    buf_append_char(out, '"');
}

static bool is_in(const struct slice *list, size_t n, struct slice s) {
    for (size_t i = 0; i < n; i++)
        if (slice_eq(list[i], s))
            return true;
    return false;
}

/* k=v&k=v of what is no column, nor a system tag that is off. */
static void put_extra(struct csv_output *o, struct buf *out, const struct tag *pairs, size_t n) {
    buf_reset(&o->field);
    for (size_t i = 0; i < n; i++) {
        if (is_in(o->columns, o->n_columns, pairs[i].key) ||
            is_in(o->ignored, o->n_ignored, pairs[i].key))
            continue;
        if (o->field.len)
            buf_append_char(&o->field, '&');
        buf_append_slice(&o->field, pairs[i].key);
        buf_append_char(&o->field, '=');
        buf_append_slice(&o->field, pairs[i].value);
    }
    put_field(out, buf_slice(&o->field));
}

/* The columns of the tags, with the commas around them, up to metadata. */
static void make_tags(void *arg, struct buf *out, const struct tagset *tags) {
    struct csv_output *o = arg;
    for (size_t i = 0; i < o->n_columns; i++) {
        buf_append_char(out, ',');
        put_field(out, tagset_get(tags, o->columns[i]));
    }
    buf_append_char(out, ',');
    put_extra(o, out, tags->tags, tags->len);
    buf_append_char(out, ',');
}

static void put_time(struct csv_output *o, struct buf *out, int64_t wall_ns) {
    static const int64_t units[] = {NS_PER_S, NS_PER_MS, NS_PER_US, 1};
    char text[40];
    if (o->time_format == TIME_RFC3339)
        clock_format_rfc3339(wall_ns, text);
    else if (o->time_format == TIME_RFC3339_NANO)
        clock_format_rfc3339_nano(wall_ns, text);
    else
        snprintf(text, sizeof text, "%lld", (long long)(wall_ns / units[o->time_format]));
    buf_append_str(out, text);
}

/* Go's %f. */
static void put_value(struct buf *out, double v) {
    if (isnan(v))
        buf_append_str(out, "NaN");
    else if (isinf(v))
        buf_append_str(out, v < 0 ? "-Inf" : "+Inf");
    else
        buf_printf(out, "%f", v);
}

static void csv_consume(struct output *base, const struct raw_chunk *chunk) {
    struct csv_output *o = (struct csv_output *)base;
    struct buf *out = &o->file.buf;
    for (uint32_t i = 0; i < chunk->len; i++) {
        const struct raw_sample *s = &chunk->samples[i];
        buf_append_str(out, s->series->metric->name);
        buf_append_char(out, ',');
        put_time(o, out, clock_mono_to_wall_ns(s->time_ns));
        buf_append_char(out, ',');
        put_value(out, s->value);
        buf_append_slice(out, tags_text_get(&o->tags, s->series->tags));
        if (sample_has_meta(s)) {
            struct sample_meta_text meta;
            sample_meta_get(s, &meta);
            put_extra(o, out, meta.pairs, meta.len);
        }
        buf_append_char(out, '\n');
    }
    file_writer_spill(&o->file);
}

static void csv_flush(struct output *base) {
    file_writer_flush(&((struct csv_output *)base)->file);
}

/* ---------------------------------------------------------------- life */

static int csv_start(struct output *base, struct error *err) {
    struct csv_output *o = (struct csv_output *)base;
    struct buf *out = &o->file.buf;
    char text[DURATION_TEXT_MAX];
    buf_append_str(out, "metric_name,timestamp,metric_value");
    for (size_t i = 0; i < o->n_columns; i++) {
        buf_append_char(out, ',');
        buf_append_slice(out, o->columns[i]);
    }
    buf_append_str(out, ",extra_tags,metadata\n");
    file_writer_flush(&o->file);
    if (base->flush_ns <= 0)
        return error_set(err, KE_CONFIG, "metric flush period should be positive but was %s",
                         duration_format(base->flush_ns, text));
    return 0;
}

static void csv_stop(struct output *base) {
    file_writer_close(&((struct csv_output *)base)->file);
}

static void csv_release(struct output *base) {
    struct csv_output *o = (struct csv_output *)base;
    file_writer_close(&o->file);
    tags_text_release(&o->tags);
    buf_release(&o->field);
    free(o->name);
}

static int csv_create(struct output *base, struct slice arg, struct error *err) {
    struct csv_output *o = (struct csv_output *)base;
    o->file.fd = -1;
    buf_init(&o->field, BUF_NO_CAP);
    tags_text_init(&o->tags, make_tags, o);
    base->wants = OUTPUT_WANTS_RAW;
    base->start = csv_start;
    base->consume = csv_consume;
    base->flush = csv_flush;
    base->stop = csv_stop;
    base->release = csv_release;
    choose_columns(o);
    if (configure(o, arg, err))
        return KE_CONFIG;
    base->description = o->name[0] == '\0' || strcmp(o->name, "-") == 0
                            ? xstrdup("csv (stdout)")
                            : xasprintf("csv (%s)", o->name);
    /* Unlike json, k6 creates the file now. */
    return file_writer_open(&o->file, o->name, base->params->stdout_fd, err);
}

const struct output_type output_csv = {
    .name = "csv", .create = csv_create, .bytes = sizeof(struct csv_output)};
