/* A shard: one worker's measurements since the last swap. A *series* is a metric with a tag set; it
 * resolves once, at its first sample, to the sinks that see its samples (the metric's own, each
 * matching submetric's, and, when an output wants per-series aggregates, one of its own), so that
 * recording is a handful of adds, no lookup by string.
 *
 * The main thread's aggregate (metrics/aggregate.h) collects the shards at ticks: a message makes
 * the worker move its sinks' content out (addresses of sinks stay) and post it back. Nothing is
 * locked. All functions are for the worker's thread. A series' metric and tags may be read by any
 * thread that was handed a pointer to it while the shard lives. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "metrics/metric.h"
#include "metrics/tags.h"
#include "metrics/trend.h"

struct sink {
    struct metric *metric;
    struct shard *shard; /* in a shard: told at the first sample since a take */
    struct sink *next_touched;
    const struct series
        *series;            /* in a shard: the one series that it is for, NULL = all of metric */
    const struct tag *part; /* the one tag whose samples it sees, NULL = all */
    bool has_samples;
    union {
        struct {
            double sum;
            int64_t first_ns;
        } counter;
        struct {
            double last, min, max;
            int64_t last_ns;
        } gauge; /* last by time over shards */
        struct {
            uint64_t trues, total;
        } rate;
        struct trend trend;
    };
};

struct shard;
struct raw_chunk;

struct series {
    struct sink **sinks;
    uint32_t n_sinks; /* 0 = not resolved yet */
    uint8_t type;     /* enum metric_type, of the metric and of every sink */
    struct metric *metric;
    const struct tagset *tags;
    struct shard *shard;
    struct sink *own; /* per-series aggregate, when kept */
    struct series *next_own;
    struct sink *first; /* where sinks points when there is only one */
};

/* What goes with a sample to streaming outputs, without being indexable: 0-based iteration, -1 =
 * the system tag is off; custom: exec.vu.metrics.metadata as an interned set, NULL = none. */
struct sample_meta {
    int64_t vu, iter;
    const struct tagset *custom;
};

struct shard *shard_new(struct tag_table *tags);
/* The tag table stays. No pointer into the shard (series, raw samples) may be used afterwards. */
void shard_free(struct shard *s);
struct tag_table *shard_tags(struct shard *s);

/* Series per shard; beyond it a metric's new series all become its one with the tag
 * overflow="true". */
#define SHARD_SERIES_MAX 2000000u

/* Interned lookup; create when new. The pointer is valid for the life of the shard. */
struct series *shard_series(struct shard *s, struct metric *m, const struct tagset *tags);
uint32_t shard_series_count(const struct shard *s);

/* Records one value. time_ns is monotonic. Rates count value != 0; counters sum; gauges keep last,
 * min and max. */
static inline void series_add(struct series *s, double value, int64_t time_ns);
/* The same with vu and iter for streaming outputs. */
static inline void series_add_meta(struct series *s, double value, int64_t time_ns, int64_t vu,
                                   int64_t iter);
/* The same with all metadata. meta may be NULL. */
static inline void series_add_with(struct series *s, double value, int64_t time_ns,
                                   const struct sample_meta *meta);

/* All the metrics of one HTTP request, resolved for one tag set at once. */
struct http_series {
    const struct tagset *tags;
    struct series *reqs, *failed /* NULL when there is no expected_response */, *duration, *blocked,
        *connecting, *tls, *sending, *waiting, *receiving;
};
struct http_series *shard_http_series(struct shard *s, const struct tagset *tags, bool with_failed);

/* Milliseconds. */
struct http_sample {
    double duration, blocked, connecting, tls, sending, waiting, receiving;
    bool is_failed;
};
/* Records one request: nine adds, in k6's order for streaming outputs. meta may be NULL. */
void http_series_add(struct http_series *h, const struct http_sample *v, int64_t time_ns,
                     const struct sample_meta *meta);

/* Streaming of raw samples, off unless an output asks: each recorded value is also appended to the
 * current chunk; full chunks (and all of them at shard_flush_raw) are given to the callback, on the
 * worker's thread, which owns them (raw_chunk_free, any thread). */
struct raw_sample {
    const struct series *series;
    double value;
    int64_t time_ns;
    int64_t vu, iter;            /* -1 = absent */
    const struct tagset *custom; /* NULL = none */
};
#define RAW_CHUNK_SAMPLES 1024
struct raw_chunk {
    struct raw_chunk *next;
    uint32_t len;
    struct raw_sample samples[RAW_CHUNK_SAMPLES];
};
void shard_stream_raw(struct shard *s, void (*give)(void *arg, struct raw_chunk *chunk), void *arg);
/* Gives the current chunk away if it holds something. */
void shard_flush_raw(struct shard *s);
void raw_chunk_free(struct raw_chunk *chunk);

/* Gives each series a sink of its own, so that the aggregate also holds per-series values
 * (aggregate_series_at). Before the first sample. */
void shard_keep_series(struct shard *s);

/* Parts of a metric: a sink for each value of each of these tags (empty values apart), so that
 * aggregate windows (aggregate_keep_windows) also hold them. keys must outlive the shard. Before
 * the first sample. */
void shard_break_down(struct shard *s, const struct slice *keys, size_t n);
#define SHARD_PARTS_MAX 2000u

/* Adds src to dst, which may be empty; both of one type, neither in a shard. */
void sink_merge(struct sink *dst, const struct sink *src);
/* Frees what it holds, not the sink. */
void sink_release(struct sink *sink);

/* Moves every sink with samples, and the counts of checks, out of the shard. Never NULL; freed by
 * aggregate_merge or shard_delta_free. */
struct shard_delta;
struct shard_delta *shard_take(struct shard *s);
void shard_delta_free(struct shard_delta *d);

/* ---------------------------------------------------------------- recording */

/* Not for callers: the seldom taken parts of series_add. */
void series_resolve(struct series *s);
void series_stream(struct series *s, double value, int64_t time_ns, const struct sample_meta *meta);
void sink_add_first(struct sink *sink, enum metric_type type, double value, int64_t time_ns);
/* First member of struct shard: NULL unless raw samples are streamed. */
struct shard_head {
    struct raw_chunk *raw;
};

static inline void sink_add(struct sink *sink, enum metric_type type, double value,
                            int64_t time_ns) {
    if (unlikely(!sink->has_samples)) {
        sink_add_first(sink, type, value, time_ns);
        return;
    }
    switch (type) {
    case METRIC_TREND:
        trend_add(&sink->trend, value);
        break;
    case METRIC_COUNTER:
        sink->counter.sum += value;
        break;
    case METRIC_RATE:
        sink->rate.trues += value != 0;
        sink->rate.total++;
        break;
    default:
        sink->gauge.last = value;
        sink->gauge.min = value < sink->gauge.min ? value : sink->gauge.min;
        sink->gauge.max = value > sink->gauge.max ? value : sink->gauge.max;
        sink->gauge.last_ns = time_ns;
    }
}

/* type is known where it is inlined, or read once for all sinks. */
static inline void series_add_typed(struct series *s, enum metric_type type, double value,
                                    int64_t time_ns) {
    if (unlikely(s->n_sinks == 0))
        series_resolve(s);
    struct sink **at = s->sinks, **end = at + s->n_sinks;
    do
        sink_add(*at, type, value, time_ns);
    while (++at != end);
}

static inline void series_add_with(struct series *s, double value, int64_t time_ns,
                                   const struct sample_meta *meta) {
    series_add_typed(s, (enum metric_type)s->type, value, time_ns);
    if (unlikely(((const struct shard_head *)s->shard)->raw != NULL))
        series_stream(s, value, time_ns, meta);
}

static inline void series_add(struct series *s, double value, int64_t time_ns) {
    series_add_with(s, value, time_ns, NULL);
}

static inline void series_add_meta(struct series *s, double value, int64_t time_ns, int64_t vu,
                                   int64_t iter) {
    series_add_with(s, value, time_ns, &(struct sample_meta){vu, iter, NULL});
}
