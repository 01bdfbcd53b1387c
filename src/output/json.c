/* --out json: one JSON object a line, a Metric line before the first Point of each metric. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/compat.h"
#include "base/duration.h"
#include "base/json_write.h"
#include "base/log.h"
#include "output/file_writer.h"
#include "output/output_type.h"
#include "output/sample_text.h"

#define FLUSH_NS (200 * NS_PER_MS)

struct json_output {
    struct output base;
    char *name;
    struct file_writer file;
    struct tags_text tags;
    bool *is_seen; /* by metric id */
    uint32_t seen_len;
    bool escapes_html;
    int64_t time_ns; /* of time_text: the samples of a request share theirs */
    char time_text[40];
    uint64_t n_failed; /* since the last flush */
    char failure[64];
};

static void put_pairs(struct json_writer *w, const struct tag *pairs, size_t n) {
    json_object_begin(w);
    for (size_t i = 0; i < n; i++) {
        json_key_slice(w, pairs[i].key);
        json_string(w, pairs[i].value);
    }
    json_object_end(w);
}

static void make_tags(void *arg, struct buf *out, const struct tagset *tags) {
    struct json_output *o = arg;
    struct json_writer w;
    json_write_init(&w, out, NULL, o->escapes_html);
    put_pairs(&w, tags->tags, tags->len);
}

/* ---------------------------------------------------------------- Metric lines */

/* A threshold is written as the options would be: plain unless it aborts. */
static void put_threshold(struct json_writer *w, const struct output_threshold *t) {
    char delay[DURATION_TEXT_MAX];
    if (!t->abort_on_fail) {
        json_cstr(w, t->source);
        return;
    }
    json_object_begin(w);
    json_key(w, "threshold");
    json_cstr(w, t->source);
    json_key(w, "abortOnFail");
    json_bool(w, true);
    json_key(w, "delayAbortEval");
    if (t->delay_abort_ns >= 0)
        json_cstr(w, duration_format(t->delay_abort_ns, delay));
    else
        json_null(w);
    json_object_end(w);
}

static void put_thresholds(struct json_writer *w, const struct output_params *p,
                           const struct metric *m) {
    bool escapes = w->html_escape;
    w->html_escape = false;
    json_array_begin(w);
    for (size_t i = 0; i < p->n_thresholds; i++)
        if (strcmp(p->thresholds[i].metric, m->name) == 0)
            put_threshold(w, &p->thresholds[i]);
    json_array_end(w);
    w->html_escape = escapes;
}

static void put_submetrics(struct json_writer *w, const struct metric *m) {
    if (!m->submetrics) {
        json_null(w);
        return;
    }
    json_array_begin(w);
    for (const struct metric *sub = m->submetrics; sub; sub = sub->next_sub) {
        json_object_begin(w);
        json_key(w, "name");
        json_cstr(w, sub->name);
        json_key(w, "suffix");
        json_cstr(w, sub->suffix);
        json_key(w, "tags");
        json_object_begin(w);
        for (size_t i = 0; i < sub->n_match; i++) {
            json_key_slice(w, sub->match[i].key);
            json_string(w, sub->match[i].value);
        }
        json_object_end(w);
        json_object_end(w);
    }
    json_array_end(w);
}

static void put_metric(struct json_output *o, const struct metric *m) {
    struct json_writer w;
    json_write_init(&w, &o->file.buf, NULL, o->escapes_html);
    json_object_begin(&w);
    json_key(&w, "type");
    json_cstr(&w, "Metric");
    json_key(&w, "data");
    json_object_begin(&w);
    json_key(&w, "name");
    json_cstr(&w, m->name);
    json_key(&w, "type");
    json_cstr(&w, metric_type_name(m->type));
    json_key(&w, "contains");
    json_cstr(&w, metric_contains_name(m->contains));
    json_key(&w, "thresholds");
    put_thresholds(&w, o->base.params, m);
    json_key(&w, "submetrics");
    put_submetrics(&w, m);
    json_object_end(&w);
    json_key(&w, "metric");
    json_cstr(&w, m->name);
    json_object_end(&w);
    buf_append_char(&o->file.buf, '\n');
}

static void see_metric(struct json_output *o, const struct metric *m) {
    if (m->id >= o->seen_len) {
        uint32_t len = metric_count();
        o->is_seen = xrealloc(o->is_seen, len * sizeof *o->is_seen);
        memset(o->is_seen + o->seen_len, 0, (len - o->seen_len) * sizeof *o->is_seen);
        o->seen_len = len;
    }
    if (o->is_seen[m->id])
        return;
    o->is_seen[m->id] = true;
    put_metric(o, m);
}

/* ---------------------------------------------------------------- Point lines */

static void fail_value(struct json_output *o, double value) {
    const char *what = isnan(value) ? "NaN" : value < 0 ? "-Inf" : "+Inf";
    if (o->n_failed++ == 0)
        snprintf(o->failure, sizeof o->failure, "json: unsupported value: %s", what);
}

#define PUT(buf, literal) buf_append(buf, literal, sizeof(literal) - 1)

static void put_point(struct json_output *o, const struct raw_sample *s) {
    struct buf *out = &o->file.buf;
    if (s->time_ns != o->time_ns || !o->time_text[0]) {
        clock_format_rfc3339_nano(clock_mono_to_wall_ns(s->time_ns), o->time_text);
        o->time_ns = s->time_ns;
    }
    PUT(out, "{\"metric\":\"");
    buf_append_str(out, s->series->metric->name);
    PUT(out, "\",\"type\":\"Point\",\"data\":{\"time\":\"");
    buf_append_str(out, o->time_text);
    PUT(out, "\",\"value\":");
    append_value(out, s->value);
    PUT(out, ",\"tags\":");
    buf_append_slice(out, tags_text_get(&o->tags, s->series->tags));
    if (sample_has_meta(s)) {
        struct sample_meta_text meta;
        struct json_writer w;
        sample_meta_get(s, &meta);
        PUT(out, ",\"metadata\":");
        json_write_init(&w, out, NULL, o->escapes_html);
        put_pairs(&w, meta.pairs, meta.len);
    }
    PUT(out, "}}\n");
}

static void json_consume(struct output *base, const struct raw_chunk *chunk) {
    struct json_output *o = (struct json_output *)base;
    for (uint32_t i = 0; i < chunk->len; i++) {
        const struct raw_sample *s = &chunk->samples[i];
        see_metric(o, s->series->metric);
        if (unlikely(!isfinite(s->value)))
            fail_value(o, s->value);
        else
            put_point(o, s);
    }
    file_writer_spill(&o->file);
}

static void json_flush(struct output *base) {
    struct json_output *o = (struct json_output *)base;
    file_writer_flush(&o->file);
    if (o->n_failed == 0)
        return;
    char failed[24];
    snprintf(failed, sizeof failed, "%llu", (unsigned long long)o->n_failed);
    log_fields(LOG_ERROR, SLICE("Sample(s) couldn't be marshalled to JSON"),
               LOG_STR("error", o->failure), LOG_STR("failed", failed),
               LOG_STR("filename", o->name), LOG_STR("output", "json"));
    o->n_failed = 0;
}

/* ---------------------------------------------------------------- life */

static int json_start(struct output *base, struct error *err) {
    struct json_output *o = (struct json_output *)base;
    return file_writer_open(&o->file, o->name, base->params->stdout_fd, err);
}

static void json_stop(struct output *base) {
    file_writer_close(&((struct json_output *)base)->file);
}

static void json_release(struct output *base) {
    struct json_output *o = (struct json_output *)base;
    tags_text_release(&o->tags);
    free(o->is_seen);
    free(o->name);
}

static int json_create(struct output *base, struct slice arg, struct error *err) {
    struct json_output *o = (struct json_output *)base;
    (void)err;
    o->name = slice_dup(arg);
    o->file.fd = -1;
    o->escapes_html = compat_on(COMPAT_JSON_OUTPUT_HTML_ESCAPE);
    tags_text_init(&o->tags, make_tags, o);
    base->description = arg.len == 0 || slice_eq(arg, SLICE("-")) ? xstrdup("json(stdout)")
                                                                  : xasprintf("json (%s)", o->name);
    base->flush_ns = FLUSH_NS;
    base->wants = OUTPUT_WANTS_RAW;
    base->start = json_start;
    base->consume = json_consume;
    base->flush = json_flush;
    base->stop = json_stop;
    base->release = json_release;
    return 0;
}

const struct output_type output_json = {
    .name = "json", .create = json_create, .bytes = sizeof(struct json_output)};
