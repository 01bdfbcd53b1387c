/* Histograms in Prometheus's text form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "histogram.h"

static const struct histogram_shape shape = {
    .bounds = {5000000, 50000000, 1000000000}, .bound_count = 3, .scale = 1e9};

static void buckets_are_cumulative_and_include_their_bound(void **state) {
    (void)state;
    struct histogram h = {0};
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    histogram_add(&h, &shape, 1000000);
    histogram_add(&h, &shape, 5000000);
    histogram_add(&h, &shape, 6000000);
    histogram_add(&h, &shape, 2000000000);
    histogram_write(&h, &shape, "d", "a=\"b\"", &text);
    assert_string_equal(buf_cstr(&text), "d_bucket{a=\"b\",le=\"0.005\"} 2\n"
                                         "d_bucket{a=\"b\",le=\"0.05\"} 3\n"
                                         "d_bucket{a=\"b\",le=\"1\"} 3\n"
                                         "d_bucket{a=\"b\",le=\"+Inf\"} 4\n"
                                         "d_sum{a=\"b\"} 2.012\n"
                                         "d_count{a=\"b\"} 4\n");
    buf_release(&text);
}

static void a_native_twin_has_the_last_bucket_only(void **state) {
    (void)state;
    struct histogram h = {0};
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    histogram_add(&h, &shape, 1000000000);
    histogram_write_native(&h, &shape, "d", "", &text);
    assert_string_equal(buf_cstr(&text), "d_bucket{le=\"+Inf\"} 1\nd_sum 1\nd_count 1\n");
    buf_release(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_are_cumulative_and_include_their_bound),
        cmocka_unit_test(a_native_twin_has_the_last_bucket_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
