#include "report/merge.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "report/merge_internal.h"

#define COUNT_MAX ((int64_t)1 << 60)

void merge_init(struct merge *m, struct aggregate *a, const char *const *submetrics, size_t n) {
    *m = (struct merge){.aggregate = a, .submetrics = submetrics, .n_submetrics = n};
}

void merge_release(struct merge *m) {
    vec_release(&m->vus);
}

int64_t merge_mono_ns(int64_t wall_ms) {
    wall_ms = wall_ms < 0 ? 0 : wall_ms > MERGE_MS_MAX ? MERGE_MS_MAX : wall_ms;
    return wall_ms * NS_PER_MS - clock_mono_to_wall_ns(0);
}

/* ---------------------------------------------------------------- metrics */

/* A submetric stands on its metric. */
struct metric *merge_register_metric(const struct metric *m, struct error *err) {
    struct slice name = slice_cstr(m->name);
    struct slice base = slice_from(name.ptr, strcspn(m->name, "{"));
    char *copy = slice_dup(base);
    struct metric *parent = metric_register(slice_cstr(copy), m->type, m->contains, err);
    free(copy);
    if (parent == NULL || base.len == name.len)
        return parent;
    return metric_submetric(name, err);
}

/* *out_metrics[i] is of r->series.ptr[i]; heap, also after an error. */
static int register_all(const struct result *r, const char *path, struct metric ***out_metrics,
                        struct error *err) {
    struct metric **all = xcalloc(r->series.len + 1, sizeof *all);
    *out_metrics = all;
    for (size_t i = 0; i < r->series.len; i++) {
        struct error why = {0};
        all[i] = merge_register_metric(&r->series.ptr[i]->metric, &why);
        if (all[i] == NULL)
            return error_set(err, KE_INVALID, "%s does not fit the others: %s", path, why.text);
    }
    return 0;
}

/* Times of sinks are milliseconds of the wall clock in files. */
static struct sink with_time(const struct sink *from) {
    struct sink s = *from;
    if (s.metric->type == METRIC_COUNTER)
        s.counter.first_ns = merge_mono_ns(s.counter.first_ns);
    else if (s.metric->type == METRIC_GAUGE)
        s.gauge.last_ns = merge_mono_ns(s.gauge.last_ns);
    return s;
}

static bool is_vus(const struct metric *m) {
    return m->id == M_VUS || m->id == M_VUS_MAX;
}

static void add_totals(struct merge *m, const struct result *r, struct metric *const *metrics) {
    for (size_t i = 0; i < r->series.len; i++) {
        const struct result_series *s = r->series.ptr[i];
        struct sink total = with_time(&s->total);
        if (!total.has_samples)
            continue;
        if (s->kind == RESULT_SERIES)
            aggregate_add_series(m->aggregate, metrics[i], s->tags, s->n_tags, &total);
        else if (s->kind == RESULT_METRIC && !is_vus(metrics[i]))
            aggregate_add(m->aggregate, metrics[i], &total);
    }
}

/* Submetrics that the runners did not keep, as they had --no-thresholds: made of the series. */
static void add_submetrics(struct merge *m, const struct result *r) {
    for (size_t i = 0; i < m->n_submetrics; i++) {
        struct metric *metric = metric_submetric(slice_cstr(m->submetrics[i]), NULL);
        struct sink sum;
        if (metric == NULL || metric->parent == NULL || result_find(r, metric->name) != NULL ||
            !result_total(r, metric->name, &sum))
            continue;
        struct sink total = with_time(&sum);
        aggregate_add(m->aggregate, metric, &total);
        sink_release(&sum);
    }
}

/* ---------------------------------------------------------------- the outcome */

/* Groups and checks in the order of the file; `order` counts them. */
static void add_group(struct merge *m, const json_t *group, int64_t *order) {
    size_t i;
    const json_t *item;
    const char *path = json_string_value(json_object_get(group, "path"));
    struct slice at = slice_cstr(path != NULL ? path : "");
    aggregate_add_check(m->aggregate, at, (struct slice){0}, 0, 0, ++*order);
    json_array_foreach(json_object_get(group, "checks"), i, item) {
        const char *name = json_string_value(json_object_get(item, "name"));
        uint64_t passes = (uint64_t)merge_number(item, "passes", COUNT_MAX);
        uint64_t fails = (uint64_t)merge_number(item, "fails", COUNT_MAX);
        int64_t first_ns = merge_mono_ns(merge_number(item, "first_ms", MERGE_MS_MAX));
        if (name != NULL)
            aggregate_add_check(m->aggregate, at, slice_cstr(name), passes, fails,
                                first_ns + ++*order);
    }
    json_array_foreach(json_object_get(group, "groups"), i, item) {
        add_group(m, item, order);
    }
}

/* Thresholds may be on metrics that nobody has measured. */
static void register_thresholds(const json_t *outcome) {
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(outcome, "thresholds"), i, item) {
        const char *name = json_string_value(json_object_get(item, "metric"));
        const char *type = json_string_value(json_object_get(item, "type"));
        const char *contains = json_string_value(json_object_get(item, "contains"));
        for (int t = METRIC_COUNTER; name && type && contains && t <= METRIC_TREND; t++)
            for (int c = METRIC_DEFAULT; c <= METRIC_DATA; c++) {
                struct metric m = {
                    .name = name, .type = (enum metric_type)t, .contains = (enum metric_contains)c};
                if (strcmp(type, metric_type_name(m.type)) == 0 &&
                    strcmp(contains, metric_contains_name(m.contains)) == 0)
                    merge_register_metric(&m, NULL);
            }
    }
}

static void add_outcome(struct merge *m, const struct result *r, const struct merge_file *file) {
    json_t *outcome = r->outcome.ptr ? json_loadb(r->outcome.ptr, r->outcome.len, 0, NULL) : NULL;
    int64_t end_ms = file->start_ms + file->elapsed_ns / NS_PER_MS, order = 0;
    if (m->n_files == 0 || file->start_ms < m->start_ms)
        m->start_ms = file->start_ms;
    if (m->n_files == 0 || end_ms > m->end_ms)
        m->end_ms = end_ms;
    m->iterations += merge_number(outcome, "iterations", COUNT_MAX / METRICS_MAX);
    m->interrupted += merge_number(outcome, "interrupted", COUNT_MAX / METRICS_MAX);
    register_thresholds(outcome);
    const json_t *root = json_object_get(outcome, "group");
    if (json_is_object(root))
        add_group(m, root, &order);
    json_decref(outcome);
}

/* ---------------------------------------------------------------- VUs */

static void note_vus(void *arg, int64_t from_ms, int64_t length_ms, size_t series,
                     const struct sink *sink) {
    struct merge *m = arg;
    bool is_max = strcmp(sink->metric->name, "vus_max") == 0;
    (void)series;
    if (sink->metric->type != METRIC_GAUGE || (!is_max && strcmp(sink->metric->name, "vus") != 0))
        return;
    int64_t second = (from_ms + length_ms / 2) / 1000;
    vec_push(&m->vus, (struct merge_vus){.second = second,
                                         .file = m->n_files,
                                         .is_max = is_max,
                                         .value = sink->gauge.last});
}

/* Two seconds after the last word of an instance its VUs are gone. */
static void end_vus(struct merge *m, size_t first) {
    int64_t last[2] = {INT64_MIN, INT64_MIN};
    for (size_t i = first; i < m->vus.len; i++)
        if (m->vus.ptr[i].second > last[m->vus.ptr[i].is_max])
            last[m->vus.ptr[i].is_max] = m->vus.ptr[i].second;
    for (int is_max = 0; is_max < 2; is_max++)
        if (last[is_max] != INT64_MIN)
            vec_push(&m->vus, (struct merge_vus){.second = last[is_max] + 2,
                                                 .file = m->n_files,
                                                 .is_max = is_max,
                                                 .is_end = true});
}

static int by_time(const void *a, const void *b) {
    const struct merge_vus *x = a, *y = b;
    if (x->is_max != y->is_max)
        return x->is_max ? 1 : -1;
    return (x->second > y->second) - (x->second < y->second);
}

struct vus_sum {
    double *current; /* by file */
    bool *is_known;
    uint32_t n_known;
    double sum;
};

static void step(struct vus_sum *s, const struct merge_vus *v) {
    s->n_known += !s->is_known[v->file];
    s->is_known[v->file] = true;
    s->sum += v->value - s->current[v->file];
    s->current[v->file] = v->value;
}

/* One gauge: all of the same second go in before the sum is looked at; who has ended is missed only
 * while others go on. */
static void sum_vus(struct merge *m, size_t from, size_t to, enum builtin_metric id) {
    struct vus_sum s = {.current = xcalloc(m->n_files + 1, sizeof *s.current),
                        .is_known = xcalloc(m->n_files + 1, sizeof *s.is_known)};
    struct sink total = {.metric = metric_by_id(id)};
    int64_t last = INT64_MIN;
    uint32_t n = 0;
    for (size_t i = from; i < to; i++) {
        const struct merge_vus *v = &m->vus.ptr[i];
        n += v->is_end;
        last = !v->is_end && v->second > last ? v->second : last;
    }
    for (size_t i = from; i < to && m->vus.ptr[i].second <= last; i++) {
        step(&s, &m->vus.ptr[i]);
        bool is_last_of_second = i + 1 == to || m->vus.ptr[i + 1].second != m->vus.ptr[i].second;
        if (!is_last_of_second || s.n_known < n)
            continue;
        int64_t at_ns = merge_mono_ns(m->vus.ptr[i].second * 1000);
        struct sink now = {
            .metric = total.metric, .has_samples = true, .gauge = {s.sum, s.sum, s.sum, at_ns}};
        sink_merge(&total, &now);
    }
    if (total.has_samples)
        aggregate_add(m->aggregate, total.metric, &total);
    free(s.current);
    free(s.is_known);
}

void merge_finish(struct merge *m) {
    size_t middle = 0;
    if (m->vus.len == 0)
        return;
    qsort(m->vus.ptr, m->vus.len, sizeof *m->vus.ptr, by_time);
    while (middle < m->vus.len && !m->vus.ptr[middle].is_max)
        middle++;
    sum_vus(m, 0, middle, M_VUS);
    sum_vus(m, middle, m->vus.len, M_VUS_MAX);
}

/* ---------------------------------------------------------------- all of it */

int merge_add(struct merge *m, const struct merge_file *file, struct error *err) {
    struct result r;
    struct metric **metrics = NULL;
    size_t n_vus = m->vus.len;
    int rc = result_read(file->path, RESULT_PARTIAL, note_vus, m, &r, err);
    if (rc == 0)
        rc = register_all(&r, file->path, &metrics, err);
    if (rc == 0) {
        add_outcome(m, &r, file);
        add_totals(m, &r, metrics);
        add_submetrics(m, &r);
        end_vus(m, n_vus);
        m->n_files++;
    } else {
        m->vus.len = n_vus;
    }
    free(metrics);
    result_release(&r);
    return rc;
}
