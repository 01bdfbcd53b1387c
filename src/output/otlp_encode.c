#include "output/otlp_encode.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "output/native_histogram.h"
#include "output/protobuf.h"

/* Fields of opentelemetry/proto/collector/metrics/v1, metrics/v1 and common/v1. */
enum {
    REQUEST_RESOURCE_METRICS = 1,
    RM_RESOURCE = 1,
    RM_SCOPE_METRICS = 2,
    SM_SCOPE = 1,
    SM_METRICS = 2,
    SCOPE_NAME = 1,
    METRIC_NAME = 1,
    METRIC_UNIT = 3,
    METRIC_DATA_GAUGE = 5,
    METRIC_DATA_SUM = 7,
    METRIC_DATA_HISTOGRAM = 9,
    METRIC_DATA_EXPONENTIAL = 10,
    DATA_POINTS = 1,
    DATA_TEMPORALITY = 2,
    SUM_IS_MONOTONIC = 3,
    TEMPORALITY_CUMULATIVE = 2,
    POINT_START = 2,
    POINT_TIME = 3,
    NUMBER_DOUBLE = 4,
    NUMBER_INT = 6,
    NUMBER_ATTRIBUTES = 7,
    HISTOGRAM_COUNT = 4,
    HISTOGRAM_SUM = 5,
    HISTOGRAM_COUNTS = 6,
    HISTOGRAM_BOUNDS = 7,
    HISTOGRAM_ATTRIBUTES = 9,
    HISTOGRAM_MIN = 11,
    HISTOGRAM_MAX = 12,
    EXP_ATTRIBUTES = 1,
    EXP_COUNT = 4,
    EXP_SUM = 5,
    EXP_SCALE = 6,
    EXP_ZERO_COUNT = 7,
    EXP_POSITIVE = 8,
    EXP_NEGATIVE = 9,
    EXP_MIN = 12,
    EXP_MAX = 13,
    BUCKETS_OFFSET = 1,
    BUCKETS_COUNTS = 2,
    KEY_VALUE_KEY = 1,
    KEY_VALUE_VALUE = 2,
    ANY_STRING = 1,
    ANSWER_PARTIAL = 1,
    PARTIAL_REJECTED = 1,
    PARTIAL_MESSAGE = 2
};

/* The bounds of the SDKs' default histograms. */
static const double bounds[] = {0,   5,   10,   25,   50,   75,   100,  250,
                                500, 750, 1000, 2500, 5000, 7500, 10000};
#define N_BUCKETS (countof(bounds) + 1)

/* An exponential histogram has at most so many buckets a side, as in the SDKs: the scale falls. */
#define EXP_BUCKETS_MAX 160

/* ---------------------------------------------------------------- points */

void otlp_put_attribute(struct buf *out, unsigned field, struct slice key, struct slice value) {
    size_t at = pb_begin(out, field);
    pb_bytes(out, KEY_VALUE_KEY, key);
    size_t any = pb_begin(out, KEY_VALUE_VALUE);
    pb_bytes(out, ANY_STRING, value);
    pb_end(out, any);
    pb_end(out, at);
}

static void put_tags(struct buf *out, unsigned field, const struct tagset *tags) {
    for (size_t i = 0; i < tags->len; i++)
        if (tags->tags[i].key.len && tags->tags[i].value.len)
            otlp_put_attribute(out, field, tags->tags[i].key, tags->tags[i].value);
}

static void make_of_number(void *arg, struct buf *out, const struct tagset *tags) {
    (void)arg;
    put_tags(out, NUMBER_ATTRIBUTES, tags);
}

static void make_of_histogram(void *arg, struct buf *out, const struct tagset *tags) {
    const struct otlp_encoder *e = arg;
    put_tags(out, e->mapping.has_exponential ? EXP_ATTRIBUTES : HISTOGRAM_ATTRIBUTES, tags);
}

void otlp_encoder_init(struct otlp_encoder *e, const struct otlp_mapping *mapping) {
    e->mapping = *mapping;
    tags_text_init(&e->of_numbers, make_of_number, e);
    tags_text_init(&e->of_histograms, make_of_histogram, e);
}

void otlp_encoder_release(struct otlp_encoder *e) {
    tags_text_release(&e->of_numbers);
    tags_text_release(&e->of_histograms);
}

struct encoding {
    struct otlp_encoder *encoder;
    const struct otlp_mapping *mapping;
    int64_t wall_ns;
    void (*give)(void *arg, struct buf *body, uint64_t n_points);
    void *arg;
    struct buf body;
    uint64_t n_points;
    size_t resource_at, scope_at, metric_at, data_at; /* messages that are open */
    size_t len_before;                                /* before the metric */
    uint64_t points_before;
};

static void put_times(struct encoding *e) {
    pb_fixed64(&e->body, POINT_START, (uint64_t)e->mapping->start_ns);
    pb_fixed64(&e->body, POINT_TIME, (uint64_t)e->wall_ns);
}

static size_t begin_point(struct encoding *e) {
    size_t at = pb_begin(&e->body, DATA_POINTS);
    put_times(e);
    e->n_points++;
    return at;
}

static void put_double(struct encoding *e, const struct tagset *tags, double value) {
    size_t at = begin_point(e);
    pb_double(&e->body, NUMBER_DOUBLE, value);
    buf_append_slice(&e->body, tags_text_get(&e->encoder->of_numbers, tags));
    pb_end(&e->body, at);
}

/* It takes the place of a tag of that name. */
static void put_condition(struct buf *out, const struct tagset *tags, const char *condition) {
    const struct slice name = SLICE("condition");
    for (size_t i = 0; i < tags->len; i++)
        if (tags->tags[i].key.len && tags->tags[i].value.len && !slice_eq(tags->tags[i].key, name))
            otlp_put_attribute(out, NUMBER_ATTRIBUTES, tags->tags[i].key, tags->tags[i].value);
    otlp_put_attribute(out, NUMBER_ATTRIBUTES, name, slice_cstr(condition));
}

static void put_count(struct encoding *e, const struct tagset *tags, const char *condition,
                      uint64_t n) {
    if (n == 0)
        return;
    size_t at = begin_point(e);
    pb_fixed64(&e->body, NUMBER_INT, n);
    if (condition)
        put_condition(&e->body, tags, condition);
    else
        buf_append_slice(&e->body, tags_text_get(&e->encoder->of_numbers, tags));
    pb_end(&e->body, at);
}

static void count_value(void *arg, double value, uint64_t n) {
    uint64_t *counts = arg;
    size_t i = 0;
    while (i < countof(bounds) && value > bounds[i])
        i++;
    counts[i] += n;
}

static void put_histogram(struct encoding *e, const struct tagset *tags, const struct trend *t) {
    uint64_t counts[N_BUCKETS] = {0};
    size_t at = begin_point(e);
    trend_each(t, count_value, counts);
    pb_fixed64(&e->body, HISTOGRAM_COUNT, t->count);
    pb_double(&e->body, HISTOGRAM_SUM, t->sum);
    pb_packed64(&e->body, HISTOGRAM_COUNTS, counts, N_BUCKETS);
    pb_packed64(&e->body, HISTOGRAM_BOUNDS, bounds, countof(bounds));
    buf_append_slice(&e->body, tags_text_get(&e->encoder->of_histograms, tags));
    pb_double(&e->body, HISTOGRAM_MIN, t->min);
    pb_double(&e->body, HISTOGRAM_MAX, t->max);
    pb_end(&e->body, at);
}

/* ---------------------------------------------------------------- exponential histograms */

/* OTLP's buckets are (base^i, base^(i+1)], so their index is one less than Prometheus's; halving
 * the scale merges the buckets 2i and 2i+1. */
static int32_t otlp_index(int32_t native, int n_halvings) {
    return (native - 1) >> n_halvings;
}

static int halvings_for(const struct native_side *s) {
    int n = 0;
    if (s->len == 0)
        return 0;
    int32_t first = s->ptr[0].index, last = s->ptr[s->len - 1].index;
    while (otlp_index(last, n) - otlp_index(first, n) >= EXP_BUCKETS_MAX)
        n++;
    return n;
}

static void put_buckets(struct buf *out, unsigned field, const struct native_side *s,
                        int n_halvings) {
    if (s->len == 0)
        return;
    int32_t first = otlp_index(s->ptr[0].index, n_halvings);
    uint64_t counts[EXP_BUCKETS_MAX] = {0};
    size_t n = 0;
    for (size_t i = 0; i < s->len; i++) {
        size_t k = (size_t)(otlp_index(s->ptr[i].index, n_halvings) - first);
        counts[k] += s->ptr[i].count;
        n = k + 1;
    }
    size_t at = pb_begin(out, field);
    pb_sint(out, BUCKETS_OFFSET, first);
    size_t packed = pb_begin(out, BUCKETS_COUNTS);
    for (size_t i = 0; i < n; i++)
        pb_varint(out, counts[i]);
    pb_end(out, packed);
    pb_end(out, at);
}

static void put_exponential(struct encoding *e, const struct tagset *tags, const struct trend *t) {
    struct native_histogram h;
    native_histogram_init(&h, t, 1);
    int up = halvings_for(&h.positive), down = halvings_for(&h.negative);
    int n_halvings = up > down ? up : down;
    size_t at = begin_point(e);
    buf_append_slice(&e->body, tags_text_get(&e->encoder->of_histograms, tags));
    pb_fixed64(&e->body, EXP_COUNT, h.count);
    pb_double(&e->body, EXP_SUM, h.sum);
    pb_sint(&e->body, EXP_SCALE, NATIVE_SCHEMA - n_halvings);
    pb_fixed64(&e->body, EXP_ZERO_COUNT, h.zeros);
    put_buckets(&e->body, EXP_POSITIVE, &h.positive, n_halvings);
    put_buckets(&e->body, EXP_NEGATIVE, &h.negative, n_halvings);
    pb_double(&e->body, EXP_MIN, t->min);
    pb_double(&e->body, EXP_MAX, t->max);
    pb_end(&e->body, at);
    native_histogram_release(&h);
}

/* ---------------------------------------------------------------- metrics */

/* What is written of a metric; a rate may be two. */
enum form { FORM_SUM, FORM_GAUGE, FORM_HISTOGRAM, FORM_RATE, FORM_RATE_OCCURRED, FORM_RATE_TOTAL };

static const char *suffix_of(enum form f) {
    return f == FORM_RATE_OCCURRED ? ".occurred" : f >= FORM_RATE ? ".total" : "";
}

static const char *unit_of(const struct metric *m) {
    return m->contains == METRIC_TIME ? "ms" : m->contains == METRIC_DATA ? "By" : "";
}

static void put_series(struct encoding *e, const struct aggregate_series *s, enum form f) {
    const struct sink *sink = &s->sink;
    if (f == FORM_SUM)
        put_double(e, s->tags, sink->counter.sum);
    else if (f == FORM_GAUGE)
        put_double(e, s->tags, sink->gauge.last);
    else if (f == FORM_RATE_OCCURRED)
        put_count(e, s->tags, NULL, sink->rate.trues);
    else if (f == FORM_RATE_TOTAL)
        put_count(e, s->tags, NULL, sink->rate.total);
    else if (f == FORM_HISTOGRAM && e->mapping->has_exponential)
        put_exponential(e, s->tags, &sink->trend);
    else if (f == FORM_HISTOGRAM)
        put_histogram(e, s->tags, &sink->trend);
    else {
        put_count(e, s->tags, "nonzero", sink->rate.trues);
        put_count(e, s->tags, "zero", sink->rate.total - sink->rate.trues);
    }
}

static void begin_request(struct encoding *e) {
    if (e->body.len)
        return;
    e->resource_at = pb_begin(&e->body, REQUEST_RESOURCE_METRICS);
    pb_bytes(&e->body, RM_RESOURCE, e->mapping->resource);
    e->scope_at = pb_begin(&e->body, RM_SCOPE_METRICS);
    size_t scope = pb_begin(&e->body, SM_SCOPE);
    pb_bytes(&e->body, SCOPE_NAME, SLICE("k6"));
    pb_end(&e->body, scope);
}

static void begin_metric(struct encoding *e, const struct metric *m, enum form f) {
    static const unsigned data[] = {[FORM_SUM] = METRIC_DATA_SUM,
                                    [FORM_GAUGE] = METRIC_DATA_GAUGE,
                                    [FORM_HISTOGRAM] = METRIC_DATA_HISTOGRAM,
                                    [FORM_RATE] = METRIC_DATA_SUM,
                                    [FORM_RATE_OCCURRED] = METRIC_DATA_SUM,
                                    [FORM_RATE_TOTAL] = METRIC_DATA_SUM};
    bool is_exponential = f == FORM_HISTOGRAM && e->mapping->has_exponential;
    begin_request(e);
    e->len_before = e->body.len;
    e->points_before = e->n_points;
    e->metric_at = pb_begin(&e->body, SM_METRICS);
    size_t name = pb_begin(&e->body, METRIC_NAME);
    buf_append_str(&e->body, e->mapping->prefix);
    buf_append_str(&e->body, m->name);
    buf_append_str(&e->body, suffix_of(f));
    pb_end(&e->body, name);
    if (f < FORM_RATE && unit_of(m)[0])
        pb_bytes(&e->body, METRIC_UNIT, slice_cstr(unit_of(m)));
    e->data_at = pb_begin(&e->body, is_exponential ? METRIC_DATA_EXPONENTIAL : data[f]);
    if (f == FORM_GAUGE)
        return;
    pb_uint(&e->body, DATA_TEMPORALITY, TEMPORALITY_CUMULATIVE);
    if (f != FORM_HISTOGRAM)
        pb_uint(&e->body, SUM_IS_MONOTONIC, 1);
}

/* A metric without a point, as a rate that never occurred, is not written. */
static void end_metric(struct encoding *e) {
    if (e->n_points == e->points_before) {
        e->body.len = e->len_before;
        return;
    }
    pb_end(&e->body, e->data_at);
    pb_end(&e->body, e->metric_at);
}

static void end_request(struct encoding *e) {
    if (e->body.len == 0)
        return;
    pb_end(&e->body, e->scope_at);
    pb_end(&e->body, e->resource_at);
    if (e->n_points)
        e->give(e->arg, &e->body, e->n_points);
    buf_reset(&e->body);
    e->n_points = 0;
}

/* ---------------------------------------------------------------- all series */

/* OTLP keeps the points of a metric together; the aggregate has series in order of first sight. */
struct by_metric {
    uint32_t *first, *next; /* 1 + index of a series; 0 = none */
    uint32_t n_metrics;
};

static void group_series(struct by_metric *g, struct aggregate *a) {
    size_t n = aggregate_series_count(a);
    g->n_metrics = metric_count();
    g->first = xcalloc(g->n_metrics + 1, sizeof *g->first);
    g->next = xcalloc(n + 1, sizeof *g->next);
    for (size_t i = n; i-- > 0;) {
        uint32_t id = aggregate_series_at(a, i)->metric->id;
        g->next[i] = g->first[id];
        g->first[id] = (uint32_t)i + 1;
    }
}

static void encode_form(struct encoding *e, struct aggregate *a, const struct by_metric *g,
                        uint32_t id, enum form f) {
    bool is_open = false;
    for (uint32_t i = g->first[id]; i; i = g->next[i - 1]) {
        const struct aggregate_series *s = aggregate_series_at(a, i - 1);
        if (!is_open)
            begin_metric(e, s->metric, f);
        is_open = true;
        put_series(e, s, f);
        if (e->body.len < OTLP_BODY_BYTES)
            continue;
        end_metric(e);
        end_request(e);
        is_open = false;
    }
    if (is_open)
        end_metric(e);
}

void otlp_encode(struct otlp_encoder *encoder, struct aggregate *a, int64_t wall_ns,
                 void (*give)(void *arg, struct buf *body, uint64_t n_points), void *arg) {
    static const enum form forms[] = {[METRIC_COUNTER] = FORM_SUM,
                                      [METRIC_GAUGE] = FORM_GAUGE,
                                      [METRIC_RATE] = FORM_RATE,
                                      [METRIC_TREND] = FORM_HISTOGRAM};
    const struct otlp_mapping *m = &encoder->mapping;
    struct encoding e = {
        .encoder = encoder, .mapping = m, .wall_ns = wall_ns, .give = give, .arg = arg};
    struct by_metric g;
    buf_init(&e.body, BUF_NO_CAP);
    group_series(&g, a);
    for (uint32_t id = 0; id < g.n_metrics; id++) {
        const struct metric *metric = metric_by_id(id);
        if (metric->type == METRIC_RATE && m->has_rate_pair) {
            encode_form(&e, a, &g, id, FORM_RATE_OCCURRED);
            encode_form(&e, a, &g, id, FORM_RATE_TOTAL);
        } else {
            encode_form(&e, a, &g, id, forms[metric->type]);
        }
    }
    end_request(&e);
    buf_release(&e.body);
    free(g.first);
    free(g.next);
}

/* ---------------------------------------------------------------- answers */

bool otlp_read_partial(struct slice answer, struct otlp_partial *out) {
    struct pb_reader r = pb_reader_of(answer);
    struct pb_field f;
    *out = (struct otlp_partial){0};
    while (pb_read(&r, &f)) {
        struct pb_reader inner = pb_reader_of(f.bytes);
        if (f.number != ANSWER_PARTIAL || !f.bytes.ptr)
            continue;
        while (pb_read(&inner, &f)) {
            if (f.number == PARTIAL_REJECTED)
                out->rejected = f.value;
            else if (f.number == PARTIAL_MESSAGE && f.bytes.ptr)
                out->message = f.bytes;
        }
    }
    return out->rejected > 0 || out->message.len > 0;
}
