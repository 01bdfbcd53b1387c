#include "unit.h"

#include "report/text.h"

static void width_skips_escape_sequences(void **state) {
    (void)state;
    assert_int_equal(text_width(SLICE("250µs ✓")), 7);
    assert_int_equal(text_width(SLICE("\x1b[36;2mab\x1b[0m")), 2);
    assert_int_equal(text_width(SLICE("")), 0);
}

static int names(const char *a, const char *b) {
    return text_compare_metric_names(a, b);
}

static void names_sort_as_locale_compare_does(void **state) {
    (void)state;
    assert_true(names("http_req_failed", "http_reqs") < 0);
    assert_true(names("iteration_duration", "iterations") < 0);
    assert_true(names("a", "B") < 0);
    assert_true(names("a", "A") < 0);
    assert_true(names("Ab", "ac") < 0);
    assert_true(names("a1", "aa") < 0);
    assert_true(names("a_", "a1") < 0);
    assert_true(names("vus", "vus_max") < 0);
    assert_int_equal(names("x", "x"), 0);
}

static void submetrics_follow_their_parent(void **state) {
    (void)state;
    assert_true(names("items", "items{kind:x}") < 0);
    assert_true(names("items{kind:x}", "items{kind:y}") < 0);
    assert_true(names("items{kind:x}", "items_more") < 0);
    assert_true(names("items_more", "items{kind:x}") > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(width_skips_escape_sequences),
        cmocka_unit_test(names_sort_as_locale_compare_does),
        cmocka_unit_test(submetrics_follow_their_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
