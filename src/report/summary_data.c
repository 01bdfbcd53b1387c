#include <stdlib.h>
#include <openssl/evp.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "report/summary_internal.h"

#define ID_BYTES 16
#define PATH_BYTES ((size_t)1 << 20)

/* k6's id of a group or check: the MD5 of its path in hex. */
static void put_id(struct json_writer *w, struct slice path) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    char text[2 * ID_BYTES + 1] = "";
    if (EVP_Digest(path.ptr, path.len, digest, &len, EVP_md5(), NULL) == 1 && len == ID_BYTES)
        for (unsigned i = 0; i < ID_BYTES; i++)
            snprintf(text + 2 * i, 3, "%02x", digest[i]);
    json_key(w, "id");
    json_cstr(w, text);
}

static void put_check(struct json_writer *w, const struct group_stats *g,
                      const struct check_stats *c) {
    struct buf path;
    buf_init(&path, PATH_BYTES);
    buf_printf(&path, "%s::%s", g->path, c->name);
    json_object_begin(w);
    json_key(w, "name");
    json_cstr(w, c->name);
    json_key(w, "path");
    json_string(w, buf_slice(&path));
    put_id(w, buf_slice(&path));
    json_key(w, "passes");
    json_int(w, (int64_t)c->passes);
    json_key(w, "fails");
    json_int(w, (int64_t)c->fails);
    json_object_end(w);
    buf_release(&path);
}

/* by_name: groups and checks are objects by name, as in the export; else arrays. */
static void put_group(struct json_writer *w, const struct group_stats *g, bool by_name) {
    json_object_begin(w);
    json_key(w, "name");
    json_cstr(w, g->name);
    json_key(w, "path");
    json_cstr(w, g->path);
    put_id(w, slice_cstr(g->path));
    json_key(w, "groups");
    by_name ? json_object_begin(w) : json_array_begin(w);
    for (size_t i = 0; i < g->n_groups; i++) {
        if (by_name)
            json_key(w, g->groups[i]->name);
        put_group(w, g->groups[i], by_name);
    }
    by_name ? json_object_end(w) : json_array_end(w);
    json_key(w, "checks");
    by_name ? json_object_begin(w) : json_array_begin(w);
    for (size_t i = 0; i < g->n_checks; i++) {
        if (by_name)
            json_key(w, g->checks[i].name);
        put_check(w, g, &g->checks[i]);
    }
    by_name ? json_object_end(w) : json_array_end(w);
    json_object_end(w);
}

static void put_root_group(struct json_writer *w, const struct summary *s, bool by_name) {
    static const struct group_stats empty = {.name = "", .path = ""};
    json_key(w, "root_group");
    put_group(w, s->root_group ? s->root_group : &empty, by_name);
}

static void put_number(struct json_writer *w, const char *key, double value) {
    json_key(w, key);
    json_double(w, value);
}

static void put_values(struct json_writer *w, const struct summary *s,
                       const struct summary_metric *m, const char *rate_key) {
    switch (m->type) {
    case METRIC_COUNTER:
        put_number(w, "count", m->counter.count);
        put_number(w, "rate", m->counter.rate);
        break;
    case METRIC_GAUGE:
        put_number(w, "value", m->gauge.value);
        put_number(w, "min", m->gauge.min);
        put_number(w, "max", m->gauge.max);
        break;
    case METRIC_RATE:
        put_number(w, rate_key, m->rate.rate);
        put_number(w, "passes", (double)m->rate.passes);
        put_number(w, "fails", (double)m->rate.fails);
        break;
    case METRIC_TREND:
        for (size_t i = 0; i < s->options.n_trend_stats; i++)
            put_number(w, s->options.trend_stats[i].name, m->stats[i]);
        break;
    }
}

static void put_options(struct json_writer *w, const struct summary_options *o) {
    json_key(w, "options");
    json_object_begin(w);
    json_key(w, "summaryTrendStats");
    json_array_begin(w);
    for (size_t i = 0; i < o->n_trend_stats; i++)
        json_cstr(w, o->trend_stats[i].name);
    json_array_end(w);
    json_key(w, "summaryTimeUnit");
    json_cstr(w, o->time_unit ? o->time_unit : "");
    json_key(w, "noColor");
    json_bool(w, o->no_color);
    json_object_end(w);
}

static void put_state(struct json_writer *w, const struct summary_options *o) {
    json_key(w, "state");
    json_object_begin(w);
    json_key(w, "isStdOutTTY");
    json_bool(w, o->is_stdout_tty);
    json_key(w, "isStdErrTTY");
    json_bool(w, o->is_stderr_tty);
    put_number(w, "testRunDurationMs", (double)o->duration_ns / 1e6);
    json_object_end(w);
}

static void put_data_metric(struct json_writer *w, const struct summary *s,
                            const struct summary_metric *m) {
    json_key(w, m->name);
    json_object_begin(w);
    json_key(w, "type");
    json_cstr(w, metric_type_name(m->type));
    json_key(w, "contains");
    json_cstr(w, metric_contains_name(m->contains));
    json_key(w, "values");
    json_object_begin(w);
    put_values(w, s, m, "rate");
    json_object_end(w);
    if (m->n_thresholds > 0) {
        json_key(w, "thresholds");
        json_object_begin(w);
        for (size_t i = 0; i < m->n_thresholds; i++) {
            json_key(w, m->thresholds[i].source);
            json_object_begin(w);
            json_key(w, "ok");
            json_bool(w, m->thresholds[i].ok);
            json_object_end(w);
        }
        json_object_end(w);
    }
    json_object_end(w);
}

static void put_setup_data(struct json_writer *w, const struct summary_options *o) {
    if (o->setup_data.ptr == NULL)
        return;
    json_key(w, "setup_data");
    json_raw(w, o->setup_data);
}

void summary_write_data(const struct summary *s, struct buf *out) {
    struct json_writer w;
    json_write_init(&w, out, NULL, false);
    json_object_begin(&w);
    put_root_group(&w, s, false);
    put_options(&w, &s->options);
    put_state(&w, &s->options);
    json_key(&w, "metrics");
    json_object_begin(&w);
    for (size_t i = 0; i < s->total.n_metrics; i++)
        put_data_metric(&w, s, &s->total.metrics[i]);
    json_object_end(&w);
    put_setup_data(&w, &s->options);
    json_object_end(&w);
}

static void put_export_metric(struct json_writer *w, const struct summary *s,
                              const struct summary_metric *m) {
    json_key(w, m->name);
    json_object_begin(w);
    put_values(w, s, m, "value");
    if (m->n_thresholds > 0) {
        json_key(w, "thresholds");
        json_object_begin(w);
        for (size_t i = 0; i < m->n_thresholds; i++) {
            json_key(w, m->thresholds[i].source);
            json_bool(w, !m->thresholds[i].ok);
        }
        json_object_end(w);
    }
    json_object_end(w);
}

void summary_write_export(const struct summary *s, struct buf *out) {
    struct json_writer w;
    json_write_init(&w, out, "    ", false);
    json_object_begin(&w);
    json_key(&w, "metrics");
    json_object_begin(&w);
    for (size_t i = 0; i < s->total.n_metrics; i++)
        put_export_metric(&w, s, &s->total.metrics[i]);
    json_object_end(&w);
    put_root_group(&w, s, true);
    put_setup_data(&w, &s->options);
    json_object_end(&w);
}
