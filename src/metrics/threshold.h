/* Thresholds: parsing (k6's grammar and error texts), validation against metrics, evaluation on the
 * aggregate. */
#pragma once

#include "metrics/aggregate.h"

struct buf;

enum threshold_op { OP_LT, OP_LE, OP_GT, OP_GE, OP_EQ, OP_NE };

struct threshold {
    char *source;          /* as the script wrote it */
    struct metric *metric; /* or submetric; NULL until bound */
    enum { AGG_COUNT, AGG_RATE, AGG_VALUE, AGG_STAT } aggregation;
    struct trend_stat stat;
    enum threshold_op op;
    double bound;
    bool abort_on_fail;
    int64_t delay_abort_ns;
    bool has_failed;   /* at the last evaluation */
    double last_value; /* what was compared */
    bool has_value;
};

struct threshold_set {
    struct threshold *items;
    size_t len;
};

/* Parses one expression; abort_on_fail and delay_abort_ns are the caller's to set. 0 or KE_CONFIG
 * with k6's words; out is released by threshold_release, also after an error. */
int threshold_parse(struct slice expression, struct threshold *out, struct error *err);
/* Attaches to a metric (submetric expression allowed) and checks that the method suits its type.
 * Marks the metric and its parent as shown, and warns of the tags vu and iter, which no sample
 * carries. KE_CONFIG with k6's words. */
int threshold_bind(struct threshold *t, struct slice metric_expression, struct error *err);
/* Evaluates all that are bound. elapsed_ns: test time for counter rates and delayAbortEval.
 * is_final: empty sinks are evaluated too. Sets has_failed; *out_abort when one with abort_on_fail
 * failed past its delay. Returns how many fail. */
size_t thresholds_eval(struct threshold_set *set, const struct aggregate *a, int64_t elapsed_ns,
                       bool is_final, bool *out_abort);
/* Appends the names of the metrics that have a failed threshold, sorted, each once: "a, b{c:d}". */
void thresholds_failed_names(const struct threshold_set *set, struct buf *out);
void threshold_release(struct threshold *t);
void threshold_set_release(struct threshold_set *set);
