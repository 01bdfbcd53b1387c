#include "output/native_histogram.h"

#include <math.h>
#include <stdlib.h>

#include "base/vec.h"
#include "output/protobuf.h"

/* Fields of prometheus.Histogram and prometheus.BucketSpan (prompb/types.proto). */
enum {
    H_COUNT_INT = 1,
    H_SUM = 3,
    H_SCHEMA = 4,
    H_ZERO_THRESHOLD = 5,
    H_ZERO_COUNT_INT = 6,
    H_NEGATIVE_SPANS = 8,
    H_NEGATIVE_DELTAS = 9,
    H_POSITIVE_SPANS = 11,
    H_POSITIVE_DELTAS = 12,
    H_TIMESTAMP = 15,
    SPAN_OFFSET = 1,
    SPAN_LENGTH = 2
};

/* Up to this many empty buckets are written rather than a span begun, as client libraries do. */
#define GAP_MAX 2

#define PER_OCTAVE (1 << NATIVE_SCHEMA)

int32_t native_bucket_index(double value) {
    /* 0.5 * 2^(i/8): the bounds of the buckets in frexp's octave. */
    static const double bounds[PER_OCTAVE] = {0.5,
                                              0.5452538663326288,
                                              0.5946035575013605,
                                              0.6484197773255048,
                                              0.7071067811865475,
                                              0.7711054127039704,
                                              0.8408964152537144,
                                              0.9170040432046711};
    int exponent, i = 0;
    double fraction = frexp(value, &exponent);
    while (i < PER_OCTAVE && fraction > bounds[i])
        i++;
    return (int32_t)(exponent - 1) * PER_OCTAVE + i;
}

struct filling {
    struct native_histogram *h;
    double factor;
};

/* Values come ascending, so the buckets of the negative side come with falling indexes. */
static void add_value(void *arg, double value, uint64_t n) {
    struct filling *f = arg;
    double scaled = value * f->factor;
    if (fabs(scaled) <= NATIVE_ZERO_THRESHOLD) {
        f->h->zeros += n;
        return;
    }
    struct native_side *side = scaled > 0 ? &f->h->positive : &f->h->negative;
    double size = isinf(scaled) ? 1.7976931348623157e308 : fabs(scaled);
    int32_t index = native_bucket_index(size) + (isinf(scaled) ? 1 : 0);
    if (side->len && side->ptr[side->len - 1].index == index)
        side->ptr[side->len - 1].count += n;
    else
        vec_push(side, (struct native_bucket){index, n});
}

static void reverse(struct native_side *s) {
    for (size_t i = 0, k = s->len; i + 1 < k; i++) {
        struct native_bucket b = s->ptr[i];
        s->ptr[i] = s->ptr[--k];
        s->ptr[k] = b;
    }
}

void native_histogram_init(struct native_histogram *h, const struct trend *t, double factor) {
    struct filling f = {h, factor};
    *h = (struct native_histogram){.count = t->count, .sum = t->sum * factor};
    trend_each(t, add_value, &f);
    reverse(&h->negative);
}

void native_histogram_release(struct native_histogram *h) {
    vec_release(&h->positive);
    vec_release(&h->negative);
}

/* ---------------------------------------------------------------- wire form */

static void put_span(struct buf *out, unsigned field, int32_t offset, uint32_t length) {
    size_t at = pb_begin(out, field);
    pb_sint(out, SPAN_OFFSET, offset);
    pb_uint(out, SPAN_LENGTH, length);
    pb_end(out, at);
}

/* An offset counts from the end of the span before; the first from 0. */
static void put_spans(struct buf *out, unsigned field, const struct native_side *s) {
    int32_t end = 0, offset = 0;
    uint32_t length = 0;
    for (size_t i = 0; i < s->len; i++) {
        int32_t gap = s->ptr[i].index - end;
        if (length && gap <= GAP_MAX) {
            length += (uint32_t)gap + 1;
        } else {
            if (length)
                put_span(out, field, offset, length);
            offset = gap;
            length = 1;
        }
        end = s->ptr[i].index + 1;
    }
    if (length)
        put_span(out, field, offset, length);
}

static void put_delta(struct buf *out, int64_t *before, int64_t count) {
    int64_t delta = count - *before;
    pb_varint(out, (uint64_t)delta << 1 ^ (delta < 0 ? UINT64_MAX : 0));
    *before = count;
}

static void put_deltas(struct buf *out, unsigned field, const struct native_side *s) {
    int64_t before = 0;
    if (s->len == 0)
        return;
    size_t at = pb_begin(out, field);
    for (size_t i = 0; i < s->len; i++) {
        int32_t gap = i ? s->ptr[i].index - s->ptr[i - 1].index - 1 : 0;
        for (; gap > 0 && gap <= GAP_MAX; gap--)
            put_delta(out, &before, 0);
        put_delta(out, &before, (int64_t)s->ptr[i].count);
    }
    pb_end(out, at);
}

void native_histogram_write(struct buf *out, const struct native_histogram *h, int64_t time_ms) {
    pb_uint(out, H_COUNT_INT, h->count);
    pb_double(out, H_SUM, h->sum);
    pb_sint(out, H_SCHEMA, NATIVE_SCHEMA);
    pb_double(out, H_ZERO_THRESHOLD, NATIVE_ZERO_THRESHOLD);
    pb_uint(out, H_ZERO_COUNT_INT, h->zeros);
    put_spans(out, H_NEGATIVE_SPANS, &h->negative);
    put_deltas(out, H_NEGATIVE_DELTAS, &h->negative);
    put_spans(out, H_POSITIVE_SPANS, &h->positive);
    put_deltas(out, H_POSITIVE_DELTAS, &h->positive);
    pb_int(out, H_TIMESTAMP, time_ms);
}
