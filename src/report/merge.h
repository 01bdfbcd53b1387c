/* One run out of its parts: sums and histograms of saved runs are put into one aggregate, from
 * which every report is made as if one machine had measured it all.
 *
 *     merge_init(&m, aggregate, submetrics, n);
 *     merge_add(&m, file, &err);             each file
 *     merge_finish(&m);                      the VUs of all, second by second
 *     merge_release(&m);
 *
 * Counters, rates, trends and checks add up. Of gauges the latest value counts, with the least and
 * the greatest of all; vus and vus_max are summed over the instances that ran in the same second.
 */
#pragma once

#include "base/vec.h"
#include "metrics/aggregate.h"
#include "report/merge_files.h"
#include "report/result_file.h"

struct merge_vus {
    int64_t second;
    uint32_t file;
    bool is_max, is_end;
    double value;
};

struct merge {
    struct aggregate *aggregate;
    const char *const *submetrics; /* "http_req_duration{status:200}": what thresholds need */
    size_t n_submetrics;
    int64_t start_ms, end_ms; /* of the whole: the earliest and the latest */
    int64_t iterations, interrupted;
    uint32_t n_files;
    VEC(struct merge_vus) vus;
};

void merge_init(struct merge *m, struct aggregate *a, const char *const *submetrics, size_t n);
/* KE_IO, KE_INVALID with words that begin with the path: nothing was added. */
int merge_add(struct merge *m, const struct merge_file *file, struct error *err);
void merge_finish(struct merge *m);
/* The aggregate stays. */
void merge_release(struct merge *m);

/* The registry's metric, or submetric, for one of a file. NULL with KE_INVALID: its name is none,
 * or is that of a metric of another type. */
struct metric *merge_register_metric(const struct metric *m, struct error *err);
/* Wall-clock milliseconds of files as monotonic time, which may be negative. */
int64_t merge_mono_ns(int64_t wall_ms);
