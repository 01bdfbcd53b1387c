#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "load/segment.h"

static struct arena arena;

static int setup(void **state) {
    (void)state;
    arena_init(&arena);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_release(&arena);
    return 0;
}

static void tuple(const char *segment, const char *sequence, struct execution_tuple *out) {
    struct segment own;
    struct segment_sequence seq;
    assert_int_equal(segment_parse(slice_cstr(segment), &own, NULL), 0);
    assert_int_equal(segment_sequence_parse(&arena, slice_cstr(sequence), &seq, NULL), 0);
    assert_int_equal(execution_tuple_init(&arena, &own, &seq, out, NULL), 0);
}

static void assert_segment(const char *text, const char *canonical) {
    struct segment s;
    struct buf out;
    assert_int_equal(segment_parse(slice_cstr(text), &s, NULL), 0);
    buf_init(&out, BUF_NO_CAP);
    segment_format(&out, &s);
    assert_string_equal(buf_cstr(&out), canonical);
    buf_release(&out);
}

static void segments_are_read_in_all_their_forms(void **state) {
    (void)state;
    assert_segment("", "0:1");
    assert_segment("50%", "0:1/2");
    assert_segment("0.25:0.75", "1/4:3/4");
    assert_segment("1/3", "0:1/3");
    assert_segment("2/4:75%", "1/2:3/4");
    assert_segment("0:1/100", "0:1/100");
}

static void assert_refused(const char *text, const char *words) {
    struct segment s;
    struct error err;
    assert_int_not_equal(segment_parse(slice_cstr(text), &s, &err), 0);
    assert_string_equal(err.text, words);
}

static void bad_segments_are_refused_with_k6s_words(void **state) {
    (void)state;
    assert_refused("2", "segment end value can't be more than 1 but was 2.00");
    assert_refused("-1:1", "segment start value must be at least 0 but was -1.00");
    assert_refused("3/4:1/4", "segment start(0.75) must be less than its end(0.25)");
    assert_refused("a:b", "'a' is not a valid percentage, decimal, fraction or interval value");
    assert_refused("x%", "'x%' is not a valid percentage");
    assert_refused("1/0", "'1/0' is not a valid percentage, decimal, fraction or interval value");
    assert_refused("1:", "'' is not a valid percentage, decimal, fraction or interval value");
}

static void stripes_of_unequal_segments_interleave(void **state) {
    struct execution_tuple half, third, last;
    (void)state;
    tuple("0:1/2", "0,1/2,3/4,1", &half);
    tuple("1/2:3/4", "0,1/2,3/4,1", &third);
    tuple("3/4:1", "0,1/2,3/4,1", &last);
    for (int k = 0; k < 6; k++) {
        assert_int_equal(execution_global_index(&half, k), 2 * k);
        assert_int_equal(execution_global_index(&third, k), 1 + 4 * k);
        assert_int_equal(execution_global_index(&last, k), 3 + 4 * k);
    }
}

static void shares_add_up_to_the_whole(void **state) {
    static const char *const segments[] = {"0:1/3", "1/3:1/2", "1/2:0.7", "0.7:1"};
    (void)state;
    for (int64_t value = 0; value < 200; value++) {
        int64_t sum = 0;
        for (int i = 0; i < 4; i++) {
            struct execution_tuple t;
            tuple(segments[i], "0,1/3,1/2,0.7,1", &t);
            sum += execution_scale(&t, value);
        }
        assert_int_equal(sum, value);
    }
}

static void a_segment_without_a_sequence_is_filled_up(void **state) {
    struct segment s;
    struct execution_tuple t;
    (void)state;
    assert_int_equal(segment_parse(SLICE("1/4:3/4"), &s, NULL), 0);
    assert_int_equal(execution_tuple_init(&arena, &s, NULL, &t, NULL), 0);
    assert_int_equal(t.sequence.len, 3);
    assert_int_equal(t.index, 1);
    assert_int_equal(execution_scale(&t, 4), 2);
}

static void without_segments_everything_is_ours(void **state) {
    struct execution_tuple t;
    (void)state;
    assert_int_equal(execution_tuple_init(&arena, NULL, NULL, &t, NULL), 0);
    assert_int_equal(execution_scale(&t, 12345), 12345);
    assert_int_equal(execution_global_index(&t, 99), 99);
}

static void iterations_follow_the_stripes_of_the_vus(void **state) {
    struct execution_tuple t, by_vus;
    (void)state;
    tuple("0:1/3", "0,1/3,1", &t);
    assert_int_equal(execution_tuple_from_value(&arena, &t, 10, &by_vus), 0);
    /* 3 of 10 VUs, so 3 of 10 iterations */
    assert_int_equal(execution_scale(&t, 10), 3);
    assert_int_equal(execution_scale(&by_vus, 100), 30);
    tuple("0:1/100", "", &t);
    assert_int_equal(execution_tuple_from_value(&arena, &t, 0, &by_vus), KE_CONFIG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_are_read_in_all_their_forms),
        cmocka_unit_test(bad_segments_are_refused_with_k6s_words),
        cmocka_unit_test(stripes_of_unequal_segments_interleave),
        cmocka_unit_test(shares_add_up_to_the_whole),
        cmocka_unit_test(a_segment_without_a_sequence_is_filled_up),
        cmocka_unit_test(without_segments_everything_is_ours),
        cmocka_unit_test(iterations_follow_the_stripes_of_the_vus),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
