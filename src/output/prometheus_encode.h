/* Series as prometheus.TimeSeries of remote write 1, mapped as k6 does: k6_NAME with a suffix by
 * type, a label for each tag. */
#pragma once

#include "base/buf.h"
#include "metrics/aggregate.h"

#define PROM_STATS_MAX 32

struct prom_stats {
    struct trend_stat items[PROM_STATS_MAX];
    char suffixes[PROM_STATS_MAX][32]; /* p(99.9) -> "p999" */
    size_t len;
};
/* Adds "p(95)", "avg", "sum" …; one that is there already is fine. The words of k6 on an error. */
int prom_stats_add(struct prom_stats *s, struct slice text, struct error *err);

struct prom_mapping {
    struct prom_stats stats;
    bool is_native; /* trends as native histograms instead of a gauge a stat */
};

/* Appends the time series of one series as members of prometheus.WriteRequest; returns how many.
 * Trends of times are in seconds, every stat of them, as in k6 the count too. */
size_t prom_put_series(struct buf *out, const struct prom_mapping *m,
                       const struct aggregate_series *s, int64_t time_ms);
/* The same series, with the value that says they have ended. */
size_t prom_put_stale(struct buf *out, const struct prom_mapping *m,
                      const struct aggregate_series *s, int64_t time_ms);
