/* A shard: one worker's measurements since the last swap. A *series* is a metric with a tag set; it resolves once to the
 * sinks that see its samples (the metric's own, each matching submetric's, and, when an output wants per-series
 * aggregates, one of its own), so that recording is a handful of adds, no lookup by string.
 *
 * The main thread's aggregate (metrics/aggregate.h) collects the shards at ticks: a message makes the worker move its
 * sinks' content out (pointers swapped, addresses of sinks stay) and post it back. Nothing is locked. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "metrics/metric.h"
#include "metrics/tags.h"
#include "metrics/trend.h"

struct sink {
    struct metric *metric;
    bool has_samples;
    union {
        struct { double sum; int64_t first_ns; } counter;
        struct { double last, min, max; int64_t last_ns; } gauge; /* last by time over shards */
        struct { uint64_t trues, total; } rate;
        struct trend trend;
    };
};

struct shard;
struct series {
    struct metric *metric;
    const struct tagset *tags;
    struct shard *shard;
    uint32_t n_sinks;
    struct sink *sinks[];
};

struct shard *shard_new(struct tag_table *tags);
void shard_free(struct shard *s);
struct tag_table *shard_tags(struct shard *s);

/* Interned lookup; create when new. The pointer is valid for the life of the shard. */
struct series *shard_series(struct shard *s, struct metric *m, const struct tagset *tags);

/* Records one value. time_ns is monotonic. Rates count value != 0; counters sum; gauges keep last, min and max. */
void series_add(struct series *s, double value, int64_t time_ns);
/* The same with non-indexable metadata for streaming outputs (vu, iter: 0-based iteration, -1 = tag off). */
void series_add_meta(struct series *s, double value, int64_t time_ns, int64_t vu, int64_t iter);

/* All the metrics of one HTTP request, resolved for one tag set at once. */
struct http_series {
    const struct tagset *tags;
    struct series *reqs, *failed /* NULL when there is no expected_response */, *duration, *blocked, *connecting, *tls,
        *sending, *waiting, *receiving;
};
struct http_series *shard_http_series(struct shard *s, const struct tagset *tags, bool with_failed);

/* Streaming of raw samples, off unless an output asks: each recorded value is also appended to the current chunk; full
 * chunks (and all of them at shard_flush_raw) are given to the callback, on the worker's thread, which owns them. */
struct raw_sample {
    const struct series *series;
    double value;
    int64_t time_ns;
    int64_t vu, iter; /* -1 = absent */
};
struct raw_chunk {
    struct raw_chunk *next;
    uint32_t len;
    struct raw_sample samples[1024];
};
void shard_stream_raw(struct shard *s, void (*give)(void *arg, struct raw_chunk *chunk), void *arg);
void shard_flush_raw(struct shard *s);

/* Moves every sink with samples out of the shard. Worker thread. The delta is freed by aggregate_merge. */
struct shard_delta;
struct shard_delta *shard_take(struct shard *s);
