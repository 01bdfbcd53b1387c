#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "report/compare_internal.h"

static const struct compare_stat trend_stats[] = {
    {.kind = COMPARE_TREND, .trend = {.kind = STAT_AVG}, .name = "avg"},
    {.kind = COMPARE_TREND, .trend = {.kind = STAT_MED}, .name = "med"},
    {.kind = COMPARE_TREND, .trend = {.kind = STAT_PERCENTILE, .p = 0.90}, .name = "p(90)"},
    {.kind = COMPARE_TREND, .trend = {.kind = STAT_PERCENTILE, .p = 0.95}, .name = "p(95)"},
    {.kind = COMPARE_TREND, .trend = {.kind = STAT_PERCENTILE, .p = 0.99}, .name = "p(99)"},
};
static const struct compare_stat counter_stats[] = {{.kind = COMPARE_PER_SECOND, .name = "rate"}},
                                 rate_stats[] = {{.kind = COMPARE_RATE, .name = "rate"}};

const struct compare_stat *compare_stats(enum metric_type type, size_t *out_n) {
    switch (type) {
    case METRIC_TREND:
        *out_n = countof(trend_stats);
        return trend_stats;
    case METRIC_COUNTER:
        *out_n = countof(counter_stats);
        return counter_stats;
    case METRIC_RATE:
        *out_n = countof(rate_stats);
        return rate_stats;
    case METRIC_GAUGE:
        break;
    }
    *out_n = 0; /* vus and the like say how it was run */
    return NULL;
}

double compare_value(const struct sink *s, const struct compare_stat *stat, double seconds) {
    double total = (double)s->rate.total;
    switch (s->metric->type) {
    case METRIC_TREND:
        return stat->kind == COMPARE_COUNT ? (double)s->trend.count
                                           : trend_stat_value(&s->trend, &stat->trend);
    case METRIC_COUNTER:
        if (stat->kind == COMPARE_COUNT)
            return s->counter.sum;
        return seconds > 0 ? s->counter.sum / seconds : 0;
    case METRIC_RATE:
        return total > 0 ? (double)s->rate.trues / total : 0;
    case METRIC_GAUGE:
        break;
    }
    return s->gauge.last;
}

/* ---------------------------------------------------------------- reading */

/* Welford's way. */
static void note_window(void *arg, int64_t from_ms, int64_t length_ms, size_t series,
                        const struct sink *sink) {
    struct compare_side *side = arg;
    size_t n;
    const struct compare_stat *stats = compare_stats(sink->metric->type, &n);
    (void)from_ms;
    if (series >= side->n_moments) {
        size_t wanted = series * 2 + 64;
        side->moments = xrealloc(side->moments, wanted * sizeof *side->moments);
        memset(side->moments + side->n_moments, 0,
               (wanted - side->n_moments) * sizeof *side->moments);
        side->n_moments = wanted;
    }
    for (size_t i = 0; i < n; i++) {
        double x = compare_value(sink, &stats[i], (double)length_ms / 1000);
        double *count = &side->moments[series].of[i].n, *mean = &side->moments[series].of[i].mean;
        double off = x - *mean;
        if (!isfinite(x))
            continue;
        *mean += off / ++*count;
        side->moments[series].of[i].m2 += off * (x - *mean);
    }
}

static int read_facts(struct compare_side *side, const char *path, struct error *err) {
    json_t *meta = json_loadb(side->result.meta.ptr, side->result.meta.len, 0, NULL);
    json_t *outcome = json_loadb(side->result.outcome.ptr, side->result.outcome.len, 0, NULL);
    const char *script = json_string_value(json_object_get(meta, "script"));
    int rc = 0;
    if (!json_is_object(meta) || !json_is_object(outcome))
        rc = error_set(err, KE_INVALID, "%s is damaged: its description cannot be read", path);
    side->script = xstrdup(script ? script : "");
    side->start_ms = json_integer_value(json_object_get(outcome, "start_ms"));
    side->seconds = (double)json_integer_value(json_object_get(outcome, "elapsed_ns")) / 1e9;
    json_decref(meta);
    json_decref(outcome);
    return rc;
}

/* ---------------------------------------------------------------- judging */

/* More is better: counters of work done. Nothing is said of data and custom counters. */
static int good_direction(const struct result_series *s) {
    static const struct {
        const char *name;
        int good; /* +1: more is better, -1: less is */
    } known[] = {{"http_reqs", 1},
                 {"iterations", 1},
                 {"checks", 1},
                 {"http_req_failed", -1},
                 {"dropped_iterations", -1}};
    const char *name = s->metric.name;
    size_t len = strcspn(name, "{");
    for (size_t i = 0; i < countof(known); i++)
        if (strlen(known[i].name) == len && strncmp(known[i].name, name, len) == 0)
            return known[i].good;
    return s->metric.type == METRIC_TREND && s->metric.contains == METRIC_TIME ? -1 : 0;
}

static size_t index_of(const struct result *r, const struct result_series *s) {
    size_t i = 0;
    while (i < r->series.len && r->series.ptr[i] != s)
        i++;
    return i;
}

/* t at p = 0.001, two-sided, within 5 % of the tables from 5 degrees of freedom on. */
static double critical_t(double degrees) {
    return 3.29 + 11 / degrees + 35 / (degrees * degrees);
}

enum evidence { EVIDENCE_NONE, EVIDENCE_LITTLE, EVIDENCE_RISE, EVIDENCE_FALL };

/* What the seconds of both runs say. */
static enum evidence weigh(const struct compare *c, const struct result_series *const *s,
                           size_t stat) {
    double n[2], mean[2], error2[2];
    for (int i = 0; i < 2; i++) {
        const struct compare_side *side = &c->sides[i];
        size_t at = index_of(&side->result, s[i]);
        if (at >= side->n_moments || side->moments[at].of[stat].n < COMPARE_WINDOWS_MIN)
            return EVIDENCE_LITTLE;
        n[i] = side->moments[at].of[stat].n;
        mean[i] = side->moments[at].of[stat].mean;
        error2[i] = side->moments[at].of[stat].m2 / (n[i] - 1) / n[i];
    }
    double sum = error2[0] + error2[1], change = mean[1] - mean[0];
    if (sum > 0) {
        double degrees =
            sum * sum / (error2[0] * error2[0] / (n[0] - 1) + error2[1] * error2[1] / (n[1] - 1));
        if (fabs(change) < critical_t(degrees) * sqrt(sum))
            return EVIDENCE_NONE;
    }
    return change > 0 ? EVIDENCE_RISE : EVIDENCE_FALL;
}

static enum compare_verdict judge(const struct compare *c, const struct result_series *const *s,
                                  size_t stat, const struct compare_cell *cell) {
    double change = cell->after - cell->before;
    if (fabs(change) < COMPARE_LEAST * fabs(cell->before) || change == 0)
        return VERDICT_SAME;
    enum evidence evidence = weigh(c, s, stat);
    if (evidence == EVIDENCE_LITTLE)
        return VERDICT_UNSURE;
    if (evidence != (change > 0 ? EVIDENCE_RISE : EVIDENCE_FALL))
        return VERDICT_SAME;
    int good = good_direction(s[0]);
    if (good == 0)
        return VERDICT_DIFFERENT;
    return (change > 0) == (good > 0) ? VERDICT_BETTER : VERDICT_WORSE;
}

static void add_row(struct compare *c, const struct result_series *before,
                    const struct result_series *after) {
    const struct result_series *s[2] = {before, after};
    const struct metric *m = &(before ? before : after)->metric;
    size_t n;
    const struct compare_stat *stats = compare_stats(m->type, &n);
    struct compare_row row = {.name = m->name, .type = m->type, .contains = m->contains};
    row.cells = arena_alloc(&c->arena, (n + 1) * sizeof *row.cells);
    row.n_cells = n;
    for (size_t i = 0; i < n; i++) {
        struct compare_cell *cell = &row.cells[i];
        *cell = (struct compare_cell){.stat = stats[i], .verdict = VERDICT_UNSURE};
        cell->is_in_before = before && before->total.has_samples;
        cell->is_in_after = after && after->total.has_samples;
        if (cell->is_in_before)
            cell->before = compare_value(&before->total, &stats[i], c->sides[0].seconds);
        if (cell->is_in_after)
            cell->after = compare_value(&after->total, &stats[i], c->sides[1].seconds);
        if (cell->is_in_before && cell->is_in_after)
            cell->verdict = judge(c, s, i, cell);
    }
    if (n > 0)
        vec_push(&c->rows, row);
}

static int compare_rows(const void *a, const void *b) {
    return strcmp(((const struct compare_row *)a)->name, ((const struct compare_row *)b)->name);
}

static void add_rows(struct compare *c) {
    const struct result *before = &c->sides[0].result, *after = &c->sides[1].result;
    for (size_t i = 0; i < before->series.len; i++) {
        const struct result_series *s = before->series.ptr[i];
        if (s->kind != RESULT_METRIC)
            continue;
        const struct result_series *other = result_find(after, s->metric.name);
        if (!other || other->metric.type == s->metric.type)
            add_row(c, s, other);
    }
    for (size_t i = 0; i < after->series.len; i++) {
        const struct result_series *s = after->series.ptr[i];
        if (s->kind == RESULT_METRIC && !result_find(before, s->metric.name))
            add_row(c, NULL, s);
    }
    if (c->rows.len > 1)
        qsort(c->rows.ptr, c->rows.len, sizeof *c->rows.ptr, compare_rows);
}

bool compare_row_is_part(const struct compare_row *row) {
    return strchr(row->name, '{') != NULL;
}

int compare_runs(struct compare *c, const char *before_path, const char *after_path,
                 struct error *err) {
    const char *paths[2] = {before_path, after_path};
    int rc = 0;
    *c = (struct compare){0};
    arena_init(&c->arena);
    for (int i = 0; i < 2 && rc == 0; i++) {
        struct compare_side *side = &c->sides[i];
        rc = result_read(paths[i], RESULT_WHOLE, note_window, side, &side->result, err);
        if (rc == 0)
            rc = read_facts(side, paths[i], err);
    }
    if (rc == 0)
        add_rows(c);
    return rc;
}

void compare_release(struct compare *c) {
    for (int i = 0; i < 2; i++) {
        result_release(&c->sides[i].result);
        free(c->sides[i].moments);
        free(c->sides[i].script);
    }
    vec_release(&c->rows);
    arena_release(&c->arena);
}
