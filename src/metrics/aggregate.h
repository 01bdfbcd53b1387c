/* The one aggregate that every report reads: merged sinks per metric and submetric. Main thread
 * only. */
#pragma once

#include "metrics/shard.h"

struct aggregate;

struct aggregate *aggregate_new(void);
void aggregate_free(struct aggregate *a);
/* Adds a shard's delta and frees it. The shard still lives (the delta points to its names). Warns
 * once when a shard has more series than k6's suggested limit, or dropped tag values. */
void aggregate_merge(struct aggregate *a, struct shard_delta *d);
/* Adds what was measured elsewhere (a saved run) as a shard's delta would. `name.ptr` NULL: a
 * group. The names are copied; first_ns orders groups and checks. */
void aggregate_add(struct aggregate *a, struct metric *m, const struct sink *from);
/* Only to the window of the metric, or of its part: the totals are there already. */
void aggregate_add_window(struct aggregate *a, struct metric *m, const struct tag *part,
                          const struct sink *from);
void aggregate_add_series(struct aggregate *a, struct metric *m, const struct tag *tags,
                          size_t n_tags, const struct sink *from);
void aggregate_add_check(struct aggregate *a, struct slice group_path, struct slice name,
                         uint64_t passes, uint64_t fails, int64_t first_ns);
/* NULL when the metric was never observed. */
const struct sink *aggregate_sink(const struct aggregate *a, const struct metric *m);

/* Per-series values since the start, of shards that keep them (shard_keep_series), in order of
 * first sight. */
struct aggregate_series {
    struct metric *metric;
    const struct tagset *tags; /* the aggregate's own */
    struct sink sink;
    bool is_updated;  /* set by a merge; the reader clears it */
    uint64_t updates; /* merges so far: for several readers, who remember what they saw */
};
size_t aggregate_series_count(const struct aggregate *a);
struct aggregate_series *aggregate_series_at(struct aggregate *a, size_t i);

/* Windows: what came since the last look, for curves and for results per second. Off until asked
 * for, before the first merge. There is a window per metric or submetric and, where shards break
 * down, per tag value of a metric; in order of first sight, at most AGGREGATE_WINDOWS_MAX. */
struct aggregate_window {
    struct metric *metric;
    struct slice key, value;  /* ptr NULL: all of the metric */
    const struct sink *total; /* since the start */
    struct sink window;       /* has_samples: since the reset */
};
#define AGGREGATE_WINDOWS_MAX 20000u
void aggregate_keep_windows(struct aggregate *a);
size_t aggregate_window_count(const struct aggregate *a);
const struct aggregate_window *aggregate_window_at(const struct aggregate *a, size_t i);
void aggregate_reset_windows(struct aggregate *a);

/* Groups and checks in the order they were first seen, for the summary and the REST API. Workers
 * count checks in their shard by (group path, check name); merged here. Pointers are valid until
 * the next merge. */
struct check_stats {
    const char *name;
    uint64_t passes, fails;
    int64_t first_ns; /* first sight, for reports that list checks without their groups */
};
struct group_stats {
    const char *name, *path; /* "" for the root; path "::a::b" */
    struct group_stats **groups;
    size_t n_groups;
    struct check_stats *checks;
    size_t n_checks;
};
const struct group_stats *aggregate_root_group(const struct aggregate *a);

/* Called from the VU side, through the shard: makes sure the group exists in order of first use. */
void shard_note_group(struct shard *s, struct slice path);
void shard_note_check(struct shard *s, struct slice group_path, struct slice name, bool passed);

/* A statistic of a trend by its k6 name: avg, min, med, max, count, p(95), p(99.9). KE_INVALID with
 * k6's words. STAT_SUM is for outputs that know "sum"; it is never parsed here. */
struct trend_stat {
    enum { STAT_AVG, STAT_MIN, STAT_MED, STAT_MAX, STAT_COUNT, STAT_SUM, STAT_PERCENTILE } kind;
    double p; /* 0..1 */
    char name[24];
};
int trend_stat_parse(struct slice text, struct trend_stat *out, struct error *err);
double trend_stat_value(const struct trend *t, const struct trend_stat *stat);
