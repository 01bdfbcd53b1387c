#include "metrics/sink_code.h"

#include <math.h>
#include <stdlib.h>

#define OCTAVES 4096u
#define LOW_BITS_END (UINT64_C(1) << TREND_SHIFT)

enum trend_form { TREND_EXACT_FORM, TREND_BUCKET_FORM };

/* ---------------------------------------------------------------- out */

struct bucket_writer {
    struct buf pairs;
    uint32_t last;
    uint64_t n;
};

static void put_bucket(void *arg, uint32_t number, uint64_t n) {
    struct bucket_writer *w = arg;
    wire_put_varint(&w->pairs, number - w->last);
    wire_put_varint(&w->pairs, n);
    w->last = number;
    w->n++;
}

static void put_buckets(const struct trend *t, struct buf *out) {
    struct bucket_writer w = {0};
    struct trend_apart apart;
    buf_init(&w.pairs, BUF_NO_CAP);
    trend_each_bucket(t, &apart, put_bucket, &w);
    wire_put_varint(out, apart.low_bits);
    wire_put_varint(out, apart.zeros);
    wire_put_varint(out, apart.infinite[0]);
    wire_put_varint(out, apart.infinite[1]);
    wire_put_varint(out, w.n);
    buf_append_slice(out, buf_slice(&w.pairs));
    buf_release(&w.pairs);
}

static void put_trend(const struct trend *t, bool is_compact, struct buf *out) {
    bool is_exact = trend_is_exact(t) && !is_compact;
    wire_put_varint(out, is_exact ? TREND_EXACT_FORM : TREND_BUCKET_FORM);
    wire_put_varint(out, t->count);
    wire_put_double(out, t->sum);
    wire_put_double(out, t->min);
    wire_put_double(out, t->max);
    if (!is_exact) {
        put_buckets(t, out);
        return;
    }
    for (uint32_t i = 0; i < t->n_exact; i++)
        wire_put_double(out, t->exact[i]);
}

static uint64_t wall_ms(int64_t mono_ns) {
    int64_t ms = clock_mono_to_wall_ns(mono_ns) / NS_PER_MS;
    return ms > 0 ? (uint64_t)ms : 0;
}

void sink_encode(const struct sink *s, bool is_compact, struct buf *out) {
    switch (s->metric->type) {
    case METRIC_COUNTER:
        wire_put_double(out, s->counter.sum);
        wire_put_varint(out, wall_ms(s->counter.first_ns));
        break;
    case METRIC_GAUGE:
        wire_put_double(out, s->gauge.last);
        wire_put_double(out, s->gauge.min);
        wire_put_double(out, s->gauge.max);
        wire_put_varint(out, wall_ms(s->gauge.last_ns));
        break;
    case METRIC_RATE:
        wire_put_varint(out, s->rate.trues);
        wire_put_varint(out, s->rate.total);
        break;
    case METRIC_TREND:
        put_trend(&s->trend, is_compact, out);
        break;
    }
}

/* ---------------------------------------------------------------- in */

static bool spend(size_t *budget, size_t bytes) {
    if (bytes > *budget)
        return false;
    *budget -= bytes;
    return true;
}

static bool take_exact(struct wire_reader *r, struct trend *t, uint64_t count) {
    if (count > TREND_EXACT)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        double v = wire_double(r);
        if (r->is_bad || isnan(v))
            return false;
        trend_add(t, v);
    }
    return true;
}

/* The octaves at both ends are those of infinities and NaN. */
static bool take_buckets(struct wire_reader *r, struct trend *t, uint64_t left, size_t *budget) {
    size_t n = wire_count(r, 2);
    uint64_t number = 0;
    uint32_t octave = OCTAVES, first = OCTAVES;
    for (size_t i = 0; i < n; i++) {
        uint64_t step = wire_varint(r), samples = wire_varint(r);
        number += step;
        if (r->is_bad || step >= OCTAVES * TREND_BUCKETS || (i > 0 && step == 0) || samples == 0 ||
            samples > left || number < TREND_BUCKETS || number >= (OCTAVES - 1) * TREND_BUCKETS)
            return false;
        left -= samples;
        if (octave != number >> TREND_BUCKET_BITS) {
            uint32_t gap = first == OCTAVES ? 1 : (uint32_t)(number >> TREND_BUCKET_BITS) - octave;
            octave = (uint32_t)(number >> TREND_BUCKET_BITS);
            first = first == OCTAVES ? octave : first;
            if (!spend(budget, sizeof(struct trend_chunk) + gap * sizeof(void *)))
                return false;
        }
        if (samples > UINT32_MAX && !spend(budget, TREND_BUCKETS * sizeof(uint32_t)))
            return false;
        trend_put_bucket(t, (uint32_t)number, samples);
    }
    return left == 0;
}

static bool take_trend(struct wire_reader *r, struct trend *t, size_t *budget) {
    uint64_t form = wire_varint(r), count = wire_varint(r);
    double sum = wire_double(r), min = wire_double(r), max = wire_double(r);
    if (r->is_bad || count == 0 || isnan(min) || isnan(max) || min > max)
        return false;
    if (form == TREND_EXACT_FORM)
        return spend(budget, TREND_EXACT * sizeof(double)) && take_exact(r, t, count);
    struct trend_apart apart;
    apart.low_bits = wire_varint(r);
    apart.zeros = wire_varint(r);
    apart.infinite[0] = wire_varint(r);
    apart.infinite[1] = wire_varint(r);
    if (r->is_bad || form != TREND_BUCKET_FORM || apart.low_bits >= LOW_BITS_END ||
        apart.zeros > count || apart.infinite[0] > count - apart.zeros ||
        apart.infinite[1] > count - apart.zeros - apart.infinite[0])
        return false;
    if ((apart.zeros && (min > 0 || max < 0)) || (apart.infinite[0] && min != -INFINITY) ||
        (apart.infinite[1] && max != INFINITY))
        return false;
    trend_restore(t, count, sum, min, max, &apart);
    return take_buckets(r, t, count - apart.zeros - apart.infinite[0] - apart.infinite[1], budget);
}

bool sink_decode(struct wire_reader *r, struct sink *out, size_t *budget) {
    out->has_samples = true;
    switch (out->metric->type) {
    case METRIC_COUNTER:
        out->counter.sum = wire_double(r);
        out->counter.first_ns = (int64_t)(wire_varint(r) & INT64_MAX);
        break;
    case METRIC_GAUGE:
        out->gauge.last = wire_double(r);
        out->gauge.min = wire_double(r);
        out->gauge.max = wire_double(r);
        out->gauge.last_ns = (int64_t)(wire_varint(r) & INT64_MAX);
        break;
    case METRIC_RATE:
        out->rate.trues = wire_varint(r);
        out->rate.total = wire_varint(r);
        return !r->is_bad && out->rate.trues <= out->rate.total;
    case METRIC_TREND:
        return take_trend(r, &out->trend, budget);
    }
    return !r->is_bad;
}
