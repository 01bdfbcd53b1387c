#include <stdlib.h>

#include "base/check.h"
#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "report/summary_internal.h"
#include "report/text.h"

int summary_mode_parse(struct slice text, enum summary_mode *out) {
    static const char *const names[] = {
        [SUMMARY_LEGACY] = "legacy",
        [SUMMARY_COMPACT] = "compact",
        [SUMMARY_FULL] = "full",
        [SUMMARY_DISABLED] = "disabled",
    };
    for (size_t i = 0; i < countof(names); i++) {
        if (slice_eq(text, slice_cstr(names[i]))) {
            *out = (enum summary_mode)i;
            return 0;
        }
    }
    return KE_INVALID;
}

double summary_per_second(const struct summary_options *o, double count) {
    return o->duration_ns > 0 ? count / ((double)o->duration_ns / 1e9) : 0;
}

void summary_metric_fill(struct summary *s, struct summary_metric *out, const struct metric *m,
                         const struct sink *sink) {
    const struct summary_options *o = &s->options;
    bool has = sink != NULL && sink->has_samples;
    *out = (struct summary_metric){.name = m->name, .type = m->type, .contains = m->contains};
    switch (m->type) {
    case METRIC_COUNTER:
        out->counter.count = has ? sink->counter.sum : 0;
        out->counter.rate = summary_per_second(o, out->counter.count);
        break;
    case METRIC_GAUGE:
        out->gauge.value = has ? sink->gauge.last : 0;
        out->gauge.min = has ? sink->gauge.min : 0;
        out->gauge.max = has ? sink->gauge.max : 0;
        break;
    case METRIC_RATE:
        out->rate.passes = has ? sink->rate.trues : 0;
        out->rate.fails = has ? sink->rate.total - sink->rate.trues : 0;
        out->rate.rate =
            has && sink->rate.total ? (double)sink->rate.trues / (double)sink->rate.total : 0;
        break;
    case METRIC_TREND:
        out->stats = arena_alloc(&s->arena, (o->n_trend_stats + 1) * sizeof *out->stats);
        for (size_t i = 0; i < o->n_trend_stats; i++)
            out->stats[i] = has ? trend_stat_value(&sink->trend, &o->trend_stats[i]) : 0;
        break;
    }
}

static int compare_metrics(const void *a, const void *b) {
    const struct summary_metric *x = a, *y = b;
    return text_compare_metric_names(x->name, y->name);
}

void summary_metrics_sort(struct summary_metric *metrics, size_t n) {
    if (n > 1)
        qsort(metrics, n, sizeof *metrics, compare_metrics);
}

/* A threshold on a percentile that no column shows still prints its value. */
static void threshold_value(const struct threshold *t, const struct sink *sink,
                            struct summary_threshold *out) {
    if (t->aggregation != AGG_STAT || t->stat.kind != STAT_PERCENTILE)
        return;
    out->has_value = true;
    out->value = sink != NULL && sink->has_samples ? trend_quantile(&sink->trend, t->stat.p) : 0;
}

static void add_thresholds(struct summary *s, struct summary_metric *out, const struct metric *m,
                           const struct sink *sink, const struct threshold_set *set) {
    size_t n = 0;
    for (size_t i = 0; i < set->len; i++)
        n += set->items[i].metric == m;
    if (n == 0)
        return;
    out->thresholds = arena_alloc(&s->arena, n * sizeof *out->thresholds);
    for (size_t i = 0; i < set->len; i++) {
        const struct threshold *t = &set->items[i];
        if (t->metric != m)
            continue;
        struct summary_threshold *to = &out->thresholds[out->n_thresholds++];
        *to = (struct summary_threshold){.source = t->source, .ok = !t->has_failed};
        threshold_value(t, sink, to);
    }
}

/* k6 counts a metric with thresholds as observed, and with a submetric its parent. */
static bool has_thresholds(const struct metric *m, const struct threshold_set *set) {
    for (size_t i = 0; i < set->len; i++)
        if (set->items[i].metric == m ||
            (set->items[i].metric != NULL && set->items[i].metric->parent == m))
            return true;
    return false;
}

static void collect_metrics(struct summary *s, const struct aggregate *a,
                            const struct threshold_set *set) {
    uint32_t count = metric_count();
    struct summary_metric *metrics = arena_alloc(&s->arena, (count + 1) * sizeof *metrics);
    size_t n = 0;
    for (uint32_t id = 0; id < count; id++) {
        const struct metric *m = metric_by_id(id);
        const struct sink *sink = aggregate_sink(a, m);
        if ((sink == NULL || !sink->has_samples) && !has_thresholds(m, set))
            continue;
        summary_metric_fill(s, &metrics[n], m, sink);
        add_thresholds(s, &metrics[n], m, sink, set);
        n++;
    }
    summary_metrics_sort(metrics, n);
    s->total.metrics = metrics;
    s->total.n_metrics = n;
}

struct seen_check {
    const struct check_stats *stats;
    size_t position; /* in the walk, where the time does not decide */
};

typedef VEC(struct seen_check) seen_vec;

static void walk_checks(const struct group_stats *g, seen_vec *seen) {
    for (size_t i = 0; i < g->n_checks; i++)
        vec_push(seen, (struct seen_check){&g->checks[i], seen->len});
    for (size_t i = 0; i < g->n_groups; i++)
        walk_checks(g->groups[i], seen);
}

static int compare_seen(const void *a, const void *b) {
    const struct seen_check *x = a, *y = b;
    if (x->stats->first_ns != y->stats->first_ns)
        return x->stats->first_ns < y->stats->first_ns ? -1 : 1;
    return (x->position > y->position) - (x->position < y->position);
}

/* Checks of one name are one line, whatever group they are in. */
static void collect_checks(struct summary *s) {
    seen_vec seen = {0};
    struct map by_name;
    map_init(&by_name);
    walk_checks(s->root_group, &seen);
    if (seen.len > 1)
        qsort(seen.ptr, seen.len, sizeof *seen.ptr, compare_seen);
    s->total.checks = arena_alloc(&s->arena, (seen.len + 1) * sizeof *s->total.checks);
    for (size_t i = 0; i < seen.len; i++) {
        const struct check_stats *from = seen.ptr[i].stats;
        struct summary_check *to = map_get(&by_name, slice_cstr(from->name));
        if (to == NULL) {
            to = &s->total.checks[s->total.n_checks++];
            *to = (struct summary_check){.name = from->name};
            map_set(&by_name, slice_cstr(from->name), to);
        }
        to->passes += from->passes;
        to->fails += from->fails;
    }
    map_release(&by_name);
    vec_release(&seen);
}

static void collect_sections(struct summary *s, struct aggregate *a) {
    struct summary_sections *sections = summary_sections_new();
    for (size_t i = 0; i < aggregate_series_count(a); i++) {
        const struct aggregate_series *series = aggregate_series_at(a, i);
        summary_sections_add(sections, series->metric, series->tags, &series->sink);
    }
    summary_sections_collect(s, sections);
    summary_sections_free(sections);
}

void summary_collect(struct summary *out, const struct summary_options *options,
                     struct aggregate *a, const struct threshold_set *thresholds) {
    static const struct threshold_set none;
    *out = (struct summary){.options = *options};
    arena_init(&out->arena);
    out->root_group = aggregate_root_group(a);
    collect_metrics(out, a, thresholds ? thresholds : &none);
    if (out->root_group != NULL)
        collect_checks(out);
    if (options->mode == SUMMARY_FULL)
        collect_sections(out, a);
}

void summary_release(struct summary *s) {
    arena_release(&s->arena);
    *s = (struct summary){0};
}

void summary_write_text(const struct summary *s, struct buf *out) {
    switch (s->options.mode) {
    case SUMMARY_LEGACY:
        summary_write_legacy(s, out);
        break;
    case SUMMARY_COMPACT:
    case SUMMARY_FULL:
        summary_write_modern(s, out);
        break;
    case SUMMARY_DISABLED:
        break;
    }
}
