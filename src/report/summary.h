/* The end-of-test summary. summary_collect takes one consistent picture of the run's measurements;
 * every form of the summary is written from that picture:
 *
 *     struct summary s;
 *     summary_collect(&s, &options, aggregate, thresholds);
 *     summary_write_text(&s, &text);         for standard output, when handleSummary() gave nothing
 *     summary_write_data(&s, &json);         the argument of handleSummary(data)
 *     summary_write_export(&s, &json);       --summary-export
 *     summary_release(&s);
 *
 * The structs are plain data: tests fill them by hand. Main thread only. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "metrics/aggregate.h"
#include "metrics/threshold.h"

enum summary_mode { SUMMARY_LEGACY, SUMMARY_COMPACT, SUMMARY_FULL, SUMMARY_DISABLED };

/* "legacy", "compact", "full", "disabled"; KE_INVALID. */
int summary_mode_parse(struct slice text, enum summary_mode *out);

struct summary_options {
    enum summary_mode mode;
    const struct trend_stat *trend_stats; /* options.summaryTrendStats */
    size_t n_trend_stats;
    const char *time_unit; /* "s", "ms", "us"; "" or NULL = automatic */
    int64_t duration_ns;   /* of the test run, for rates */
    bool no_color;         /* --no-color or NO_COLOR */
    bool is_stdout_tty, is_stderr_tty;
    struct slice setup_data; /* JSON; ptr NULL when setup() gave nothing */
    /* For the machine-readable form. */
    struct slice script; /* source text of the main script */
    int64_t wall_ns;     /* generated at */
    bool is_cloud;
};

struct summary_threshold {
    const char *source;
    bool ok;
    bool has_value; /* a percentile of a trend that is not among the trend stats */
    double value;
};

struct summary_metric {
    const char *name; /* "http_reqs", submetric "http_reqs{status:200}" */
    enum metric_type type;
    enum metric_contains contains;
    union {
        struct {
            double count, rate;
        } counter;
        struct {
            double value, min, max;
        } gauge;
        struct {
            double rate;
            uint64_t passes, fails;
        } rate;
        double *stats; /* trend: one value per trend stat */
    };
    struct summary_threshold *thresholds; /* in the order of the options */
    size_t n_thresholds;
};

struct summary_check {
    const char *name;
    uint64_t passes, fails;
};

/* Results of one scenario, or of a group within a scenario or the test (full mode). */
struct summary_section {
    const char *name;
    struct summary_metric *metrics; /* sorted by name; "checks" among them */
    size_t n_metrics;
    struct summary_check *checks; /* in order of first sight, without regard to groups */
    size_t n_checks;
    struct summary_section *groups;
    size_t n_groups;
};

struct summary {
    struct arena arena; /* owns everything below but root_group */
    struct summary_options options;
    struct summary_section
        total; /* all metrics, submetrics and checks; groups: those outside of named scenarios */
    struct summary_section *scenarios; /* sorted by name */
    size_t n_scenarios;
    const struct group_stats *root_group; /* the aggregate's */
};

/* Metrics without samples are left out, except those with thresholds (and their parents). The full
 * mode needs the values of each series: shards with shard_keep_series. thresholds may be NULL. The
 * aggregate, the options' pointers and the thresholds must outlive *out. */
void summary_collect(struct summary *out, const struct summary_options *options,
                     struct aggregate *a, const struct threshold_set *thresholds);
void summary_release(struct summary *s);

/* Appends the text for standard output by options.mode, line feeds around it included. Colours when
 * standard output is a terminal and colours are not off. */
void summary_write_text(const struct summary *s, struct buf *out);
void summary_write_legacy(const struct summary *s, struct buf *out);
void summary_write_modern(const struct summary *s, struct buf *out);

/* The data object of handleSummary() as JSON. "setup_data" is absent when there is none. */
void summary_write_data(const struct summary *s, struct buf *out);
/* The document of --summary-export: the flattened form, where a threshold's value says "breached".
 */
void summary_write_export(const struct summary *s, struct buf *out);
/* The document of --new-machine-readable-summary, for handleSummary() (indented false) and the
 * export (true). */
void summary_write_machine_readable(const struct summary *s, bool indented, struct buf *out);
