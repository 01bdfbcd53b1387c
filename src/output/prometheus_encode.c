#include "output/prometheus_encode.h"

#include <stdio.h>

#include "output/native_histogram.h"
#include "output/protobuf.h"

#define PREFIX "k6_"
/* A NaN of its own: pkg/value of Prometheus. */
#define STALE_BITS UINT64_C(0x7ff0000000000002)

/* Fields of prompb's remote.proto and types.proto. */
enum {
    WRITE_TIMESERIES = 1,
    SERIES_LABELS = 1,
    SERIES_SAMPLES = 2,
    SERIES_HISTOGRAMS = 4,
    LABEL_NAME = 1,
    LABEL_VALUE = 2,
    SAMPLE_VALUE = 1,
    SAMPLE_TIMESTAMP = 2
};

/* ---------------------------------------------------------------- stats */

int prom_stats_add(struct prom_stats *s, struct slice text, struct error *err) {
    struct trend_stat stat = {.kind = STAT_SUM, .name = "sum"};
    if (!slice_eq(text, SLICE("sum")) && trend_stat_parse(text, &stat, err))
        return KE_CONFIG;
    for (size_t i = 0; i < s->len; i++)
        if (strcmp(s->items[i].name, stat.name) == 0)
            return 0;
    if (s->len == PROM_STATS_MAX)
        return error_set(err, KE_CONFIG, "more than %d trend stats", PROM_STATS_MAX);
    char *out = s->suffixes[s->len];
    for (const char *in = stat.name; *in; in++)
        if (*in != '(' && *in != ')' && *in != '.')
            *out++ = *in;
    *out = '\0';
    s->items[s->len++] = stat;
    return 0;
}

/* ---------------------------------------------------------------- parts */

static void put_label(struct buf *out, struct slice name, struct slice value) {
    size_t at = pb_begin(out, SERIES_LABELS);
    pb_bytes(out, LABEL_NAME, name);
    pb_bytes(out, LABEL_VALUE, value);
    pb_end(out, at);
}

static void put_name(struct buf *out, const struct metric *m, const char *suffix) {
    char name[256];
    int n = snprintf(name, sizeof name, PREFIX "%s%s%s", m->name, suffix[0] ? "_" : "", suffix);
    size_t len = n < (int)sizeof name ? (size_t)n : sizeof name - 1;
    put_label(out, SLICE("__name__"), slice_from(name, len));
}

static bool is_before(struct slice a, struct slice b) {
    int c = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return c < 0 || (c == 0 && a.len < b.len);
}

/* Sorted by name, as the protocol wants it; an empty value is no label. */
static void put_labels(struct buf *out, const struct aggregate_series *s, const char *suffix) {
    const struct slice name = SLICE("__name__");
    bool has_name = false;
    for (size_t i = 0; i < s->tags->len; i++) {
        struct tag t = s->tags->tags[i];
        if (t.key.len == 0 || t.value.len == 0 || slice_eq(t.key, name))
            continue;
        if (!has_name && is_before(name, t.key)) {
            put_name(out, s->metric, suffix);
            has_name = true;
        }
        put_label(out, t.key, t.value);
    }
    if (!has_name)
        put_name(out, s->metric, suffix);
}

static void put_bits(struct buf *out, const struct aggregate_series *s, const char *suffix,
                     uint64_t bits, int64_t time_ms) {
    size_t series = pb_begin(out, WRITE_TIMESERIES);
    put_labels(out, s, suffix);
    size_t sample = pb_begin(out, SERIES_SAMPLES);
    pb_fixed64(out, SAMPLE_VALUE, bits);
    pb_int(out, SAMPLE_TIMESTAMP, time_ms);
    pb_end(out, sample);
    pb_end(out, series);
}

static void put_value(struct buf *out, const struct aggregate_series *s, const char *suffix,
                      double value, int64_t time_ms) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_bits(out, s, suffix, bits, time_ms);
}

/* ---------------------------------------------------------------- series */

static double trend_factor(const struct metric *m) {
    return m->contains == METRIC_TIME ? 1e-3 : 1;
}

static const char *native_suffix(const struct metric *m) {
    return m->contains == METRIC_TIME ? "seconds" : m->contains == METRIC_DATA ? "bytes" : "";
}

static void put_native(struct buf *out, const struct aggregate_series *s, int64_t time_ms) {
    struct native_histogram h;
    size_t series = pb_begin(out, WRITE_TIMESERIES);
    put_labels(out, s, native_suffix(s->metric));
    size_t at = pb_begin(out, SERIES_HISTOGRAMS);
    native_histogram_init(&h, &s->sink.trend, trend_factor(s->metric));
    native_histogram_write(out, &h, time_ms);
    native_histogram_release(&h);
    pb_end(out, at);
    pb_end(out, series);
}

static size_t put_trend(struct buf *out, const struct prom_mapping *m,
                        const struct aggregate_series *s, int64_t time_ms) {
    double p[PROM_STATS_MAX], at[PROM_STATS_MAX];
    size_t n = 0, next = 0;
    if (m->is_native) {
        put_native(out, s, time_ms);
        return 1;
    }
    /* One walk over the trend for all percentiles. */
    for (size_t i = 0; i < m->stats.len; i++)
        if (m->stats.items[i].kind == STAT_PERCENTILE)
            p[n++] = m->stats.items[i].p;
    if (n)
        trend_quantiles(&s->sink.trend, p, at, n);
    for (size_t i = 0; i < m->stats.len; i++) {
        const struct trend_stat *stat = &m->stats.items[i];
        double value =
            stat->kind == STAT_PERCENTILE ? at[next++] : trend_stat_value(&s->sink.trend, stat);
        if (s->metric->contains == METRIC_TIME)
            value /= 1000;
        put_value(out, s, m->stats.suffixes[i], value, time_ms);
    }
    return m->stats.len;
}

static const char *suffix_of(const struct metric *m) {
    return m->type == METRIC_COUNTER ? "total" : m->type == METRIC_RATE ? "rate" : "";
}

size_t prom_put_series(struct buf *out, const struct prom_mapping *m,
                       const struct aggregate_series *s, int64_t time_ms) {
    const struct sink *sink = &s->sink;
    double value = 0;
    if (s->metric->type == METRIC_TREND)
        return put_trend(out, m, s, time_ms);
    if (s->metric->type == METRIC_COUNTER)
        value = sink->counter.sum;
    else if (s->metric->type == METRIC_GAUGE)
        value = sink->gauge.last;
    else if (sink->rate.total)
        value = (double)sink->rate.trues / (double)sink->rate.total;
    put_value(out, s, suffix_of(s->metric), value, time_ms);
    return 1;
}

size_t prom_put_stale(struct buf *out, const struct prom_mapping *m,
                      const struct aggregate_series *s, int64_t time_ms) {
    if (s->metric->type != METRIC_TREND) {
        put_bits(out, s, suffix_of(s->metric), STALE_BITS, time_ms);
        return 1;
    }
    if (m->is_native) {
        put_bits(out, s, native_suffix(s->metric), STALE_BITS, time_ms);
        return 1;
    }
    for (size_t i = 0; i < m->stats.len; i++)
        put_bits(out, s, m->stats.suffixes[i], STALE_BITS, time_ms);
    return m->stats.len;
}
