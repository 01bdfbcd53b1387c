#include "unit.h"

#include "base/clock.h"
#include "base/duration.h"
#include "base/error.h"

static int64_t go(const char *text) {
    int64_t ns = -1;
    return duration_parse_go(slice_cstr(text), &ns) == 0 ? ns : INT64_MIN;
}

static int64_t wide(const char *text) {
    int64_t ns = -1;
    return duration_parse(slice_cstr(text), &ns) == 0 ? ns : INT64_MIN;
}

static void go_form_parses(void **state) {
    (void)state;
    assert_true(go("0") == 0);
    assert_true(go("1h2m3.5s") == 3723500 * NS_PER_MS);
    assert_true(go("-1.5h") == -5400 * NS_PER_S);
    assert_true(go(".5s") == 500 * NS_PER_MS);
    assert_true(go("3\xc2\xb5s") == 3000);
    assert_true(go("3\xce\xbcs") == 3000);
    assert_true(go("1ns") == 1);
    assert_true(go("2540400h10m10.000000000s") == 9145440610 * NS_PER_S);
}

static void go_form_refuses(void **state) {
    (void)state;
    static const char *const bad[] = {"",   "3",  "-",   "s",   ".",        "-.s",
                                      ".s", "3d", "1s ", "+.s", "3000000h", "--1s"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (go(bad[i]) != INT64_MIN)
            fail_msg("'%s' was accepted", bad[i]);
}

static void wide_form_takes_days_and_milliseconds(void **state) {
    (void)state;
    assert_true(wide("1d12h") == 36 * 3600 * NS_PER_S);
    assert_true(wide("2d") == 48 * 3600 * NS_PER_S);
    assert_true(wide("-1d1h") == -25 * 3600 * NS_PER_S);
    assert_true(wide("1500") == 1500 * NS_PER_MS);
    assert_true(wide("0.5") == 500 * NS_PER_US);
    assert_true(wide("1e3") == NS_PER_S);
    assert_true(wide("10s") == 10 * NS_PER_S);
}

static void wide_form_refuses(void **state) {
    (void)state;
    static const char *const bad[] = {"", "d", "1d-1h", "1dd", "xd", "1d5", "1e300", "abc"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (wide(bad[i]) != INT64_MIN)
            fail_msg("'%s' was accepted", bad[i]);
}

static void format_is_gos(void **state) {
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } rows[] = {
        {0, "0s"},
        {1, "1ns"},
        {1100, "1.1\xc2\xb5s"},
        {2200000, "2.2ms"},
        {3300000000, "3.3s"},
        {600 * NS_PER_S, "10m0s"},
        {3600 * NS_PER_S, "1h0m0s"},
        {245001000000, "4m5.001s"},
        {-1500 * NS_PER_MS, "-1.5s"},
        {INT64_MAX, "2562047h47m16.854775807s"},
        {INT64_MIN, "-2562047h47m16.854775808s"},
    };
    char out[DURATION_TEXT_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(duration_format(rows[i].ns, out), rows[i].text);
}

static void rfc3339_has_nine_digits_at_most_without_trailing_zeros(void **state) {
    (void)state;
    char out[40];
    clock_format_rfc3339(INT64_C(1700000000) * NS_PER_S, out);
    assert_string_equal(out, "2023-11-14T22:13:20Z");
    clock_format_rfc3339_nano(INT64_C(1700000000) * NS_PER_S + 120000000, out);
    assert_string_equal(out, "2023-11-14T22:13:20.12Z");
    clock_format_rfc3339_nano(INT64_C(1700000000) * NS_PER_S, out);
    assert_string_equal(out, "2023-11-14T22:13:20Z");
    clock_format_rfc3339_nano(INT64_C(1700000000) * NS_PER_S + 7, out);
    assert_string_equal(out, "2023-11-14T22:13:20.000000007Z");
}

static void rfc3339_has_the_local_offset(void **state) {
    (void)state;
    char out[40];
    setenv("TZ", "XXX-05:30", 1);
    tzset();
    clock_format_rfc3339(INT64_C(1700000001) * NS_PER_S, out);
    assert_string_equal(out, "2023-11-15T03:43:21+05:30");
    setenv("TZ", "UTC", 1);
    tzset();
}

int main(void) {
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(go_form_parses),
        cmocka_unit_test(go_form_refuses),
        cmocka_unit_test(wide_form_takes_days_and_milliseconds),
        cmocka_unit_test(wide_form_refuses),
        cmocka_unit_test(format_is_gos),
        cmocka_unit_test(rfc3339_has_nine_digits_at_most_without_trailing_zeros),
        cmocka_unit_test(rfc3339_has_the_local_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
