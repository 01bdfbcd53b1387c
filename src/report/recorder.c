#include "report/recorder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/map.h"
#include "base/vec.h"
#include "report/recorder_internal.h"

/* A window that is shorter than this part of a period is not worth a point, unless it is the only
 * one. */
#define LAST_PERIOD_MIN 0.5
/* Ticks come every second, not to the nanosecond. */
#define TICK_SLACK_NS (200 * NS_PER_MS)
#define AUTO_POINTS 1200
#define K6_POINTS 2880

struct tracked {
    char *name;
    const struct aggregate_window *window; /* NULL: the pseudo-metric "time" */
    struct sink period;                    /* since the last snapshot */
};

struct recorder {
    struct recorder_config config;
    VEC(struct tracked *) by_name; /* sorted */
    VEC(struct tracked *) by_window;
    struct map names;
    bool is_full;  /* told that there are more */
    size_t n_told; /* of by_window, by a "metric" event */
    int64_t period_start_ns;
    size_t n_snapshots;
    struct buf json;
};

static void give(struct recorder *r, const char *event, bool is_latest) {
    r->config.give(r->config.arg, event, buf_slice(&r->json), is_latest);
}

static struct json_writer begin(struct recorder *r) {
    struct json_writer w;
    buf_reset(&r->json);
    json_write_init(&w, &r->json, NULL, false);
    return w;
}

/* ---------------------------------------------------------------- names */

static int compare_names(const void *a, const void *b) {
    return strcmp((*(struct tracked *const *)a)->name, (*(struct tracked *const *)b)->name);
}

static char *window_name(const struct aggregate_window *w) {
    if (!w->key.ptr)
        return xstrdup(w->metric->name);
    return xasprintf("%s{%.*s:%.*s}", w->metric->name, SLICE_FMT(w->key), SLICE_FMT(w->value));
}

static struct tracked *track(struct recorder *r, const struct aggregate_window *w) {
    struct tracked *t = xcalloc(1, sizeof *t);
    t->window = w;
    t->name = w ? window_name(w) : xstrdup("time");
    if (w) {
        t->period.metric = w->metric;
        vec_push(&r->by_window, t);
    }
    /* A submetric of a threshold and a tag's value may be the same. */
    if (map_has(&r->names, slice_cstr(t->name)))
        return t;
    if (r->by_name.len >= RECORDER_NAMES_MAX) {
        if (!r->is_full)
            log_printf(LOG_WARN,
                       "The web dashboard and the HTML report show the first %u metrics and tag "
                       "values, there are more",
                       RECORDER_NAMES_MAX);
        r->is_full = true;
        return t;
    }
    map_set(&r->names, slice_cstr(t->name), t);
    vec_push(&r->by_name, t);
    return t;
}

static bool is_custom(const struct metric *m) {
    return !(m->parent ? m->parent : m)->is_builtin;
}

static bool is_tainted(const struct recorder *r, const struct metric *m) {
    const struct threshold_set *set = r->config.thresholds;
    for (size_t i = 0; set && i < set->len; i++)
        if (set->items[i].metric == m && set->items[i].has_failed)
            return true;
    return false;
}

static void put_description(struct recorder *r, struct json_writer *w, const struct tracked *t) {
    const struct metric *m = t->window ? t->window->metric : NULL;
    json_key(w, t->name);
    json_object_begin(w);
    json_key(w, "type");
    json_cstr(w, m ? metric_type_name(m->type) : "gauge");
    json_key(w, "contains");
    json_cstr(w, m ? metric_contains_name(m->contains) : "time");
    if (m && is_tainted(r, m)) {
        json_key(w, "tainted");
        json_bool(w, true);
    }
    if (m && is_custom(m)) {
        json_key(w, "custom");
        json_bool(w, true);
    }
    json_object_end(w);
}

static void tell_new(struct recorder *r) {
    if (r->n_told == r->by_window.len)
        return;
    struct json_writer w = begin(r);
    json_object_begin(&w);
    for (size_t i = r->n_told; i < r->by_window.len; i++)
        if (map_get(&r->names, slice_cstr(r->by_window.ptr[i]->name)) == r->by_window.ptr[i])
            put_description(r, &w, r->by_window.ptr[i]);
    json_object_end(&w);
    r->n_told = r->by_window.len;
    qsort(r->by_name.ptr, r->by_name.len, sizeof *r->by_name.ptr, compare_names);
    give(r, "metric", false);
}

/* ---------------------------------------------------------------- values */

/* Six digits are more than a curve shows. */
static void put_value(struct json_writer *w, double v) {
    char text[40];
    if (!isfinite(v)) {
        json_null(w);
        return;
    }
    bool is_whole = fabs(v) < 9e15 && v == rint(v);
    int n = snprintf(text, sizeof text, is_whole || fabs(v) >= 1e6 ? "%.0f" : "%.6g", v);
    json_raw(w, slice_from(text, (size_t)n));
}

static void put_trend(struct json_writer *w, const struct trend *t) {
    static const double p[] = {0.5, 0.9, 0.95, 0.99};
    double q[countof(p)];
    trend_quantiles(t, p, q, countof(p));
    put_value(w, trend_avg(t));
    put_value(w, t->max);
    put_value(w, q[0]);
    put_value(w, t->min);
    put_value(w, q[1]);
    put_value(w, q[2]);
    put_value(w, q[3]);
}

static void put_sink(struct json_writer *w, const struct sink *s, double seconds) {
    json_array_begin(w);
    if (s->has_samples) {
        switch (s->metric->type) {
        case METRIC_COUNTER:
            put_value(w, s->counter.sum);
            put_value(w, seconds > 0 ? s->counter.sum / seconds : 0);
            break;
        case METRIC_GAUGE:
            put_value(w, s->gauge.last);
            break;
        case METRIC_RATE:
            put_value(w, s->rate.total ? (double)s->rate.trues / (double)s->rate.total : 0);
            break;
        case METRIC_TREND:
            put_trend(w, &s->trend);
            break;
        }
    }
    json_array_end(w);
}

enum values { VALUES_NONE, VALUES_PERIOD, VALUES_TOTAL };

static const struct sink *sink_of(const struct tracked *t, enum values which) {
    static struct metric no_metric;
    static const struct sink none = {.metric = &no_metric};
    if (which == VALUES_NONE)
        return &none;
    /* A gauge keeps its value until it is set again. */
    bool is_kept = t->period.metric->type == METRIC_GAUGE && !t->period.has_samples;
    return which == VALUES_TOTAL || is_kept ? t->window->total : &t->period;
}

static void give_values(struct recorder *r, const char *event, enum values which, int64_t now_ns,
                        int64_t span_ns, bool is_latest) {
    struct json_writer w = begin(r);
    json_array_begin(&w);
    for (size_t i = 0; i < r->by_name.len; i++) {
        const struct tracked *t = r->by_name.ptr[i];
        if (t->window) {
            put_sink(&w, sink_of(t, which), (double)span_ns / (double)NS_PER_S);
            continue;
        }
        json_array_begin(&w);
        json_int(&w, clock_mono_to_wall_ns(now_ns) / NS_PER_MS);
        json_array_end(&w);
    }
    json_array_end(&w);
    give(r, event, is_latest);
}

static void reset_period(struct recorder *r, int64_t now_ns) {
    for (size_t i = 0; i < r->by_window.len; i++) {
        struct sink *s = &r->by_window.ptr[i]->period;
        struct metric *m = s->metric;
        sink_release(s);
        *s = (struct sink){.metric = m};
    }
    r->period_start_ns = now_ns;
}

/* ---------------------------------------------------------------- the rest */

static void give_param(struct recorder *r, int64_t now_ns) {
    struct json_writer w = begin(r);
    recorder_write_param(&w, &r->config, clock_mono_to_wall_ns(now_ns) / NS_PER_MS);
    give(r, "param", false);
}

static void give_totals(struct recorder *r, const struct aggregate *a,
                        const struct recorder_state *s) {
    give_values(r, "cumulative", VALUES_TOTAL, s->now_ns, s->elapsed_ns, true);
    struct json_writer w = begin(r);
    if (recorder_write_failed(&w, r->config.thresholds))
        give(r, "threshold", true);
    w = begin(r);
    recorder_write_thresholds(&w, r->config.thresholds);
    give(r, "thresholds", true);
    w = begin(r);
    recorder_write_checks(&w, aggregate_root_group(a));
    give(r, "checks", true);
}

static void give_status(struct recorder *r, const struct recorder_state *s, const char *verdict) {
    struct json_writer w = begin(r);
    recorder_write_status(&w, &r->config, s, verdict);
    give(r, "status", true);
}

/* ---------------------------------------------------------------- life */

struct recorder *recorder_new(const struct recorder_config *config, int64_t now_ns) {
    struct recorder *r = xcalloc(1, sizeof *r);
    r->config = *config;
    r->period_start_ns = now_ns;
    map_init(&r->names);
    buf_init(&r->json, BUF_NO_CAP);
    give_param(r, now_ns);
    struct tracked *time = track(r, NULL);
    struct json_writer w = begin(r);
    json_object_begin(&w);
    put_description(r, &w, time);
    json_object_end(&w);
    give(r, "metric", false);
    give_values(r, "start", VALUES_NONE, now_ns, 0, false);
    return r;
}

void recorder_free(struct recorder *r) {
    if (!r)
        return;
    for (size_t i = 0; i < r->by_name.len; i++)
        if (!r->by_name.ptr[i]->window) { /* "time"; the others are in by_window */
            free(r->by_name.ptr[i]->name);
            free(r->by_name.ptr[i]);
        }
    for (size_t i = 0; i < r->by_window.len; i++) {
        sink_release(&r->by_window.ptr[i]->period);
        free(r->by_window.ptr[i]->name);
        free(r->by_window.ptr[i]);
    }
    vec_release(&r->by_name);
    vec_release(&r->by_window);
    map_release(&r->names);
    buf_release(&r->json);
    free(r);
}

void recorder_add(struct recorder *r, const struct aggregate *a) {
    while (r->by_window.len < aggregate_window_count(a))
        track(r, aggregate_window_at(a, r->by_window.len));
    for (size_t i = 0; i < r->by_window.len; i++)
        sink_merge(&r->by_window.ptr[i]->period, &r->by_window.ptr[i]->window->window);
}

static void snapshot(struct recorder *r, int64_t now_ns) {
    tell_new(r);
    give_values(r, "snapshot", VALUES_PERIOD, now_ns, now_ns - r->period_start_ns, false);
    r->n_snapshots++;
    reset_period(r, now_ns);
}

void recorder_tick(struct recorder *r, const struct aggregate *a, const struct recorder_state *s) {
    give_status(r, s, NULL);
    if (s->now_ns - r->period_start_ns < r->config.period_ns - TICK_SLACK_NS)
        return;
    snapshot(r, s->now_ns);
    give_totals(r, a, s);
}

void recorder_stop(struct recorder *r, const struct aggregate *a, const struct recorder_state *s,
                   const char *verdict) {
    int64_t span_ns = s->now_ns - r->period_start_ns;
    if (r->n_snapshots == 0 || (double)span_ns >= LAST_PERIOD_MIN * (double)r->config.period_ns)
        snapshot(r, s->now_ns);
    tell_new(r);
    give_totals(r, a, s);
    give_status(r, s, verdict);
    give_values(r, "stop", VALUES_NONE, s->now_ns, 0, false);
}

int64_t recorder_period_ns(int64_t wanted_ns, int64_t end_offset_ns, int64_t known_duration_ns) {
    bool is_short = known_duration_ns > 0 && known_duration_ns < 3 * wanted_ns;
    if (wanted_ns > 0 && !is_short) {
        int64_t least_ns = end_offset_ns / K6_POINTS;
        int64_t times = (least_ns + wanted_ns - 1) / wanted_ns;
        return wanted_ns * (times > 0 ? times : 1);
    }
    static const int64_t steps[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800};
    if (end_offset_ns == 0) /* nobody knows how long: externally controlled */
        return 10 * NS_PER_S;
    for (size_t i = 0; i < countof(steps); i++)
        if (end_offset_ns / (steps[i] * NS_PER_S) <= AUTO_POINTS)
            return steps[i] * NS_PER_S;
    return NS_PER_S * 3600;
}
