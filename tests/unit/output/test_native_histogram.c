#include "unit.h"

#include <math.h>

#include "output/native_histogram.h"
#include "output/protobuf.h"

static void bounds_belong_to_the_bucket_below(void **state) {
    (void)state;
    for (int32_t i = -8000; i <= 8000; i += 8) {
        double bound = ldexp(1, i / 8);
        assert_int_equal(native_bucket_index(bound), i);
        assert_int_equal(native_bucket_index(nextafter(bound, INFINITY)), i + 1);
    }
    for (double v = 1e-9; v < 1e9; v *= 1.013) {
        int32_t i = native_bucket_index(v);
        assert_true(v <= exp2(i / 8.0) * (1 + 1e-15));
        assert_true(v > exp2((i - 1) / 8.0) * (1 - 1e-15));
    }
}

static void each_value_is_counted_once_on_its_side(void **state) {
    static const double values[] = {-2, -1, 0, 1e-300, 1, 1, 1.5, 1000, INFINITY};
    struct trend t;
    struct native_histogram h;
    uint64_t n = 0;
    (void)state;
    trend_init(&t);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        trend_add(&t, values[i]);
    native_histogram_init(&h, &t, 1);
    assert_int_equal(h.count, 9);
    assert_int_equal(h.zeros, 2);
    for (size_t i = 0; i < h.positive.len; i++) {
        n += h.positive.ptr[i].count;
        assert_true(i == 0 || h.positive.ptr[i].index > h.positive.ptr[i - 1].index);
    }
    assert_int_equal(n, 5);
    assert_int_equal(h.negative.len, 2);
    assert_int_equal(h.negative.ptr[0].index, 0);
    assert_int_equal(h.negative.ptr[1].index, 8);
    native_histogram_release(&h);
    trend_release(&t);
}

/* Reads spans and deltas back as Prometheus does. */
static size_t read_side(struct slice message, unsigned spans_field, unsigned deltas_field,
                        struct native_bucket *out) {
    struct pb_reader r = pb_reader_of(message), deltas = {0};
    struct pb_field f;
    int64_t spans[64][2] = {{0}}, count = 0;
    size_t n_spans = 0, n = 0;
    while (pb_read(&r, &f)) {
        if (f.number == deltas_field)
            deltas = pb_reader_of(f.bytes);
        if (f.number != spans_field)
            continue;
        struct pb_reader span = pb_reader_of(f.bytes);
        struct pb_field part;
        while (pb_read(&span, &part))
            spans[n_spans][part.number - 1] =
                part.number == 1 ? (int64_t)(part.value >> 1) ^ -(int64_t)(part.value & 1)
                                 : (int64_t)part.value;
        n_spans++;
    }
    int32_t index = 0;
    for (size_t i = 0; i < n_spans; i++) {
        index += (int32_t)spans[i][0];
        for (int64_t k = 0; k < spans[i][1]; k++, index++) {
            uint64_t delta;
            assert_true(pb_read_varint(&deltas, &delta));
            count += (int64_t)(delta >> 1) ^ -(int64_t)(delta & 1);
            assert_true(count >= 0);
            if (count)
                out[n++] = (struct native_bucket){index, (uint64_t)count};
        }
    }
    assert_ptr_equal(deltas.at, deltas.end);
    return n;
}

static void assert_side(struct slice message, unsigned spans, unsigned deltas,
                        const struct native_side *want) {
    struct native_bucket got[256];
    assert_int_equal(read_side(message, spans, deltas, got), want->len);
    for (size_t i = 0; i < want->len; i++) {
        assert_int_equal(got[i].index, want->ptr[i].index);
        assert_int_equal(got[i].count, want->ptr[i].count);
    }
}

static void spans_and_deltas_give_the_buckets_back(void **state) {
    struct trend t;
    struct native_histogram h;
    struct buf out;
    (void)state;
    trend_init(&t);
    buf_init(&out, BUF_NO_CAP);
    for (int i = 0; i < 3000; i++) /* beyond what a trend keeps exactly */
        trend_add(&t, (i % 7 - 2) * exp2(i % 23));
    native_histogram_init(&h, &t, 1e-3);
    native_histogram_write(&out, &h, 1234567890123);
    assert_side(buf_slice(&out), 11, 12, &h.positive);
    assert_side(buf_slice(&out), 8, 9, &h.negative);
    native_histogram_release(&h);
    buf_release(&out);
    trend_release(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_belong_to_the_bucket_below),
        cmocka_unit_test(each_value_is_counted_once_on_its_side),
        cmocka_unit_test(spans_and_deltas_give_the_buckets_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
