#include "unit.h"

#include <math.h>

#include "report/format.h"

static struct arena arena;

static void numbers_are_fixed_as_javascript_does(void **state) {
    (void)state;
    assert_string_equal(format_to_fixed(&arena, 0.5, 0), "1");
    assert_string_equal(format_to_fixed(&arena, 2.5, 0), "3");
    assert_string_equal(format_to_fixed(&arena, -2.5, 0), "-3");
    assert_string_equal(format_to_fixed(&arena, 1.005, 2), "1.00");
    assert_string_equal(format_to_fixed(&arena, 0.125, 2), "0.13");
    assert_string_equal(format_to_fixed(&arena, 1.45, 1), "1.4");
    assert_string_equal(format_to_fixed(&arena, 123456.789, 2), "123456.79");
    assert_string_equal(format_to_fixed(&arena, 1e21, 2), "1e+21");
    assert_string_equal(format_to_fixed(&arena, NAN, 2), "NaN");
}

static void plain_values_have_six_decimals_without_zeros(void **state) {
    (void)state;
    static const struct {
        double v;
        const char *text;
    } rows[] = {
        {0.0001234, "0.000123"},      {0.5, "0.5"},   {1, "1"}, {123456.789, "123456.789"},
        {12345678901, "12345678901"}, {-5.5, "-5.5"}, {0, "0"}, {58.0844861, "58.084486"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(format_value(&arena, rows[i].v, METRIC_GAUGE, METRIC_DEFAULT, ""),
                            rows[i].text);
}

static void rates_are_cut_not_rounded(void **state) {
    (void)state;
    assert_string_equal(format_percent(&arena, 2.0 / 3), "66.66%");
    assert_string_equal(format_percent(&arena, 0), "0.00%");
    assert_string_equal(format_percent(&arena, 1), "100.00%");
    assert_string_equal(format_percent(&arena, 0.99999), "99.99%");
}

static void bytes_have_base_1000(void **state) {
    (void)state;
    assert_string_equal(format_bytes(&arena, 0), "0 B");
    assert_string_equal(format_bytes(&arena, 9.5), "9.5 B");
    assert_string_equal(format_bytes(&arena, 740), "740 B");
    assert_string_equal(format_bytes(&arena, 6800), "6.8 kB");
    assert_string_equal(format_bytes(&arena, 9999), "10 kB");
    assert_string_equal(format_bytes(&arena, 56789), "57 kB");
    assert_string_equal(format_bytes(&arena, 1234567), "1.2 MB");
    assert_string_equal(format_bytes(&arena, 5e27), "5000 YB");
}

static void durations_choose_their_unit(void **state) {
    (void)state;
    static const struct {
        double ms;
        const char *text;
    } rows[] = {
        {0, "0s"},
        {0.0001234, "123ns"},
        {0.25113, "251.13µs"},
        {0.5, "500µs"},
        {1, "1ms"},
        {16.419, "16.41ms"},
        {1500, "1.5s"},
        {60000, "1m0s"},
        {123456.789, "2m3s"},
        {3600000, "1h0m0s"},
        {12345678901, "3429h21m18s"},
        {-5.5, "-5500000ns"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(format_duration_ms(&arena, rows[i].ms, ""), rows[i].text);
}

static void fixed_units_have_two_decimals(void **state) {
    (void)state;
    assert_string_equal(format_duration_ms(&arena, 875.25, "s"), "0.88s");
    assert_string_equal(format_duration_ms(&arena, 875.25, "ms"), "875.25ms");
    assert_string_equal(format_duration_ms(&arena, 875.25, "us"), "875250.00µs");
}

int main(void) {
    arena_init(&arena);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_fixed_as_javascript_does),
        cmocka_unit_test(plain_values_have_six_decimals_without_zeros),
        cmocka_unit_test(rates_are_cut_not_rounded),
        cmocka_unit_test(bytes_have_base_1000),
        cmocka_unit_test(durations_choose_their_unit),
        cmocka_unit_test(fixed_units_have_two_decimals),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_release(&arena);
    return failed;
}
