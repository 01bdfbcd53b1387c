/* Two saved runs side by side: what got slower, and gates for CI.
 *
 *     compare_gate_parse(SLICE("p95=+10%"), &gate, &err);
 *     compare_runs(&c, before_path, after_path, &err);
 *     compare_check(&c, &gate) …
 *     compare_write_text(&c, &options, out);
 *     compare_release(&c);
 *
 * Whether a difference is one is judged by how much the values of the seconds vary in both runs
 * (Welch's t test, p < 0.001, as many values are looked at): a change of less than COMPARE_LEAST,
 * or one that the test does not confirm, is called noise. */
#pragma once

#include "base/buf.h"
#include "base/vec.h"
#include "report/result_file.h"

#define COMPARE_LEAST 0.02
/* Seconds that a run must have for its variation to say something. */
#define COMPARE_WINDOWS_MIN 5

struct compare_stat {
    enum { COMPARE_TREND, COMPARE_COUNT, COMPARE_PER_SECOND, COMPARE_RATE, COMPARE_VALUE } kind;
    struct trend_stat trend;
    char name[24];
};

struct compare_gate {
    char *source; /* "http_req_duration:p95=+10%" */
    char *metric;
    struct compare_stat stat;
    double limit;    /* +: may rise by so much; -: may fall by so much */
    bool is_percent; /* of the old value; of rates percentage points */
    /* By compare_check. */
    bool is_checked, has_failed, is_missing;
    double before, after;
    enum metric_type type;
    enum metric_contains contains;
};

enum compare_verdict {
    VERDICT_SAME,
    VERDICT_WORSE,
    VERDICT_BETTER,
    VERDICT_DIFFERENT,
    VERDICT_UNSURE
};

struct compare_cell {
    struct compare_stat stat;
    double before, after;
    bool is_in_before, is_in_after;
    enum compare_verdict verdict;
};

struct compare_row {
    const char *name;
    enum metric_type type;
    enum metric_contains contains;
    struct compare_cell *cells;
    size_t n_cells;
};

struct compare_side {
    struct result result;
    double seconds; /* of the run */
    struct moments *moments;
    size_t n_moments;
    char *script;
    int64_t start_ms;
};

struct compare {
    struct arena arena;
    struct compare_side sides[2]; /* before, after */
    VEC(struct compare_row) rows; /* by name */
};

/* "[METRIC:]STAT=±N[%|ms|s|us]". METRIC is http_req_duration by default; STAT: avg, min, med, max,
 * p95, p(99.9), count, rate (of a counter per second), value. KE_INVALID. */
int compare_gate_parse(struct slice text, struct compare_gate *out, struct error *err);
void compare_gate_release(struct compare_gate *g);

int compare_runs(struct compare *c, const char *before_path, const char *after_path,
                 struct error *err);
void compare_release(struct compare *c);
/* False: it fails, also when one of the runs does not have the metric. */
bool compare_check(const struct compare *c, struct compare_gate *g);

struct compare_text_options {
    bool is_color;
    bool is_all; /* submetrics, and what did not change */
};
void compare_write_text(const struct compare *c, const struct compare_gate *gates, size_t n_gates,
                        const struct compare_text_options *o, struct buf *out);
void compare_write_json(const struct compare *c, const struct compare_gate *gates, size_t n_gates,
                        struct buf *out);
