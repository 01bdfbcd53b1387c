#include "metrics/threshold.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/compat.h"
#include "base/go_text.h"
#include "base/log.h"

static const struct {
    const char *text;
    enum threshold_op op;
} operators[] = {{"<=", OP_LE},  {"<", OP_LT},  {">=", OP_GE}, {">", OP_GT},
                 {"===", OP_EQ}, {"==", OP_EQ}, {"!=", OP_NE}};

static const struct {
    const char *name;
    int aggregation, kind;
} methods[] = {
    {"value", AGG_VALUE, 0},     {"count", AGG_COUNT, 0},          {"rate", AGG_RATE, 0},
    {"avg", AGG_STAT, STAT_AVG}, {"min", AGG_STAT, STAT_MIN},      {"med", AGG_STAT, STAT_MED},
    {"max", AGG_STAT, STAT_MAX}, {"p", AGG_STAT, STAT_PERCENTILE},
};

/* ---------------------------------------------------------------- parsing */

/* The first operator of the table that occurs at all splits the expression. */
static bool scan(struct slice s, struct slice *out_method, enum threshold_op *out_op,
                 struct slice *out_bound) {
    for (size_t i = 0; i < countof(operators); i++) {
        size_t len = strlen(operators[i].text);
        const char *at = s.len ? memmem(s.ptr, s.len, operators[i].text, len) : NULL;
        if (!at)
            continue;
        size_t right = (size_t)(at - s.ptr) + len;
        if (right == s.len && !compat_on(COMPAT_THRESHOLD_EMPTY_BOUND))
            continue;
        *out_method = slice_trim(slice_from(s.ptr, (size_t)(at - s.ptr)));
        *out_op = operators[i].op;
        *out_bound = slice_trim(slice_from(s.ptr + right, s.len - right));
        return true;
    }
    return false;
}

/* Fills err->text with the reason. */
static int parse_method(struct slice s, struct threshold *t, struct error *err) {
    double percent;
    snprintf(t->stat.name, sizeof t->stat.name, "%.*s", SLICE_FMT(s));
    for (size_t i = 0; i < countof(methods); i++) {
        if (slice_eq(s, slice_cstr(methods[i].name))) {
            t->aggregation = methods[i].aggregation;
            t->stat.kind = methods[i].kind;
            return 0;
        }
    }
    if (!slice_starts(s, SLICE("p(")) || !slice_ends(s, SLICE(")")))
        return error_set(err, KE_CONFIG, "failed parsing method from expression");
    struct error reason;
    if (go_parse_float(slice_from(s.ptr + 2, s.len - 3), &percent, &reason))
        return error_set(err, KE_CONFIG, "malformed percentile value; reason: %.300s", reason.text);
    if (!(percent >= 0 && percent <= 100))
        return error_set(err, KE_CONFIG,
                         "malformed percentile value, provide a number between 0 and 100");
    t->aggregation = AGG_STAT;
    t->stat.kind = STAT_PERCENTILE;
    t->stat.p = percent / 100;
    return 0;
}

int threshold_parse(struct slice expression, struct threshold *out, struct error *err) {
    struct slice method, bound;
    struct error reason = {0};
    struct buf quoted;
    int rc = KE_CONFIG;
    *out = (struct threshold){.source = slice_dup(expression)};
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, expression);
    if (!scan(expression, &method, &out->op, &bound)) {
        error_set(err, rc,
                  "failed parsing threshold expression %s; reason: malformed threshold expression",
                  buf_cstr(&quoted));
        goto out;
    }
    if (parse_method(method, out, &reason)) {
        error_set(err, rc, "failed parsing threshold expression's %s left hand side; reason: %s",
                  buf_cstr(&quoted), reason.text);
        goto out;
    }
    /* "expresion" is k6's spelling. */
    if (go_parse_float(bound, &out->bound, &reason)) {
        error_set(err, rc, "failed parsing threshold expresion's %s right hand side; reason: %s",
                  buf_cstr(&quoted), reason.text);
        goto out;
    }
    rc = 0;
out:
    buf_release(&quoted);
    return rc;
}

/* ---------------------------------------------------------------- binding */

static const char *method_name(const struct threshold *t) {
    for (size_t i = 0; i < countof(methods); i++)
        if (methods[i].aggregation == (int)t->aggregation &&
            (t->aggregation != AGG_STAT || methods[i].kind == (int)t->stat.kind))
            return methods[i].name;
    return "?";
}

static bool suits(const struct threshold *t, enum metric_type type) {
    switch (type) {
    case METRIC_COUNTER:
        return t->aggregation == AGG_COUNT || t->aggregation == AGG_RATE;
    case METRIC_GAUGE:
        return t->aggregation == AGG_VALUE;
    case METRIC_RATE:
        return t->aggregation == AGG_RATE;
    case METRIC_TREND:
        return t->aggregation == AGG_STAT;
    }
    return false;
}

static const char *supported(enum metric_type type) {
    static const char *const lists[] = {[METRIC_COUNTER] = "count, rate",
                                        [METRIC_GAUGE] = "value",
                                        [METRIC_RATE] = "rate",
                                        [METRIC_TREND] = "avg, min, max, med, p"};
    return lists[type];
}

static void warn_of_metadata_tags(const struct metric *m) {
    static const char *const names[] = {"vu", "iter"};
    for (size_t i = 0; i < m->n_match; i++)
        for (size_t j = 0; j < countof(names); j++)
            if (slice_eq(m->match[i].key, slice_cstr(names[j])))
                log_printf(
                    LOG_WARN,
                    "'%s' is metadata of a sample, not a tag that can be matched: the threshold on "
                    "'%s' will see no samples.",
                    names[j], m->name);
}

static int unknown_metric(struct slice name, struct error *err) {
    struct buf quoted;
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, name);
    error_set(err, KE_CONFIG, "invalid threshold defined on %.*s; reason: no metric name %s found",
              SLICE_FMT(name), buf_cstr(&quoted));
    buf_release(&quoted);
    return KE_CONFIG;
}

static int wrong_method(const struct threshold *t, struct slice name, enum metric_type type,
                        struct error *err) {
    struct buf quoted;
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, slice_cstr(t->source));
    error_set(err, KE_CONFIG,
              "invalid threshold %s applied on metric %.*s; reason: unsupported aggregation method "
              "%s on metric of type %s. supported aggregation methods for this metric are: %s",
              buf_cstr(&quoted), SLICE_FMT(name), method_name(t), metric_type_name(type),
              supported(type));
    buf_release(&quoted);
    return KE_CONFIG;
}

int threshold_bind(struct threshold *t, struct slice metric_expression, struct error *err) {
    struct error reason;
    uint32_t known = metric_count();
    struct metric *m = metric_submetric(metric_expression, &reason);
    if (!m && reason.code == KE_NOT_FOUND)
        return unknown_metric(metric_expression, err);
    if (!m)
        return error_set(err, KE_CONFIG, "unable to validate threshold expressions; reason: %.450s",
                         reason.text);
    if (!suits(t, m->type))
        return wrong_method(t, metric_expression, m->type, err);
    if (m->id >= known)
        warn_of_metadata_tags(m);
    t->metric = m;
    m->is_shown = true;
    if (m->parent)
        m->parent->is_shown = true;
    return 0;
}

/* ---------------------------------------------------------------- evaluation */

static bool compare(double value, enum threshold_op op, double bound) {
    switch (op) {
    case OP_LT:
        return value < bound;
    case OP_LE:
        return value <= bound;
    case OP_GT:
        return value > bound;
    case OP_GE:
        return value >= bound;
    case OP_EQ:
        return value == bound;
    case OP_NE:
        return value != bound;
    }
    return false;
}

/* What the method gives on the sink (NULL = no samples); false when there is nothing to compare,
 * which passes. */
static bool measure(const struct threshold *t, const struct sink *sink, int64_t elapsed_ns,
                    double *out) {
    static const struct trend empty;
    *out = 0;
    switch (t->metric->type) {
    case METRIC_COUNTER:
        *out = sink ? sink->counter.sum : 0;
        if (t->aggregation == AGG_RATE)
            *out /= (double)elapsed_ns / (double)NS_PER_S;
        return t->aggregation != AGG_RATE || elapsed_ns > 0;
    case METRIC_GAUGE:
        *out = sink ? sink->gauge.last : 0;
        return true;
    case METRIC_RATE:
        if (!sink || sink->rate.total == 0)
            return false;
        *out = (double)sink->rate.trues / (double)sink->rate.total;
        return true;
    case METRIC_TREND:
        *out = trend_stat_value(sink ? &sink->trend : &empty, &t->stat);
        return true;
    }
    return false;
}

size_t thresholds_eval(struct threshold_set *set, const struct aggregate *a, int64_t elapsed_ns,
                       bool is_final, bool *out_abort) {
    size_t failed = 0;
    *out_abort = false;
    for (size_t i = 0; i < set->len; i++) {
        struct threshold *t = &set->items[i];
        const struct sink *sink = t->metric ? aggregate_sink(a, t->metric) : NULL;
        if (!t->metric || (!sink && !is_final))
            continue;
        t->has_value = measure(t, sink, elapsed_ns, &t->last_value);
        t->has_failed = t->has_value && !compare(t->last_value, t->op, t->bound);
        failed += t->has_failed;
        if (t->has_failed && t->abort_on_fail &&
            (t->delay_abort_ns == 0 || t->delay_abort_ns < elapsed_ns))
            *out_abort = true;
    }
    return failed;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void thresholds_failed_names(const struct threshold_set *set, struct buf *out) {
    const char **names = xcalloc(set->len + 1, sizeof *names);
    size_t n = 0;
    for (size_t i = 0; i < set->len; i++)
        if (set->items[i].has_failed)
            names[n++] = set->items[i].metric->name;
    qsort(names, n, sizeof *names, compare_names);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && strcmp(names[i], names[i - 1]) == 0)
            continue;
        buf_append_str(out, i > 0 ? ", " : "");
        buf_append_str(out, names[i]);
    }
    free(names);
}

void threshold_release(struct threshold *t) {
    free(t->source);
    t->source = NULL;
}

void threshold_set_release(struct threshold_set *set) {
    for (size_t i = 0; i < set->len; i++)
        threshold_release(&set->items[i]);
    free(set->items);
    *set = (struct threshold_set){0};
}
