#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/go_parse.h"

static void assert_int(const char *text, int base, int64_t expected) {
    int64_t value;
    assert_int_equal(go_parse_int(slice_cstr(text), base, &value, NULL), 0);
    assert_true(value == expected);
}

static void integers_are_read_in_gos_bases(void **state) {
    (void)state;
    assert_int("42", 10, 42);
    assert_int("-9223372036854775808", 10, INT64_MIN);
    assert_int("+7", 0, 7);
    assert_int("0x1F", 0, 31);
    assert_int("0b101", 0, 5);
    assert_int("017", 0, 15);
    assert_int("0o17", 0, 15);
    assert_int("1_000", 0, 1000);
    assert_int("0", 0, 0);
}

static void assert_int_error(const char *text, const char *words) {
    int64_t value;
    struct error err;
    assert_int_equal(go_parse_int(slice_cstr(text), 10, &value, &err), KE_INVALID);
    assert_string_equal(err.text, words);
}

static void bad_integers_are_quoted(void **state) {
    (void)state;
    assert_int_error("five", "strconv.ParseInt: parsing \"five\": invalid syntax");
    assert_int_error("", "strconv.ParseInt: parsing \"\": invalid syntax");
    assert_int_error("1.5", "strconv.ParseInt: parsing \"1.5\": invalid syntax");
    assert_int_error("9223372036854775808",
                     "strconv.ParseInt: parsing \"9223372036854775808\": value out of range");
}

static void assert_duration_error(const char *text, const char *words) {
    int64_t ns;
    struct error err;
    assert_int_equal(go_parse_duration_extended(slice_cstr(text), &ns, &err), KE_INVALID);
    assert_string_equal(err.text, words);
}

static void bad_durations_are_explained(void **state) {
    (void)state;
    assert_duration_error("soon", "time: invalid duration \"soon\"");
    assert_duration_error("5x", "time: unknown unit \"x\" in duration \"5x\"");
    assert_duration_error("", "time: invalid duration \"\"");
    assert_duration_error("1d-2h", "invalid time format '-2h'");
    assert_duration_error("xd", "strconv.ParseInt: parsing \"x\": invalid syntax");
    int64_t ns;
    struct error err;
    assert_int_equal(go_parse_duration(SLICE("5"), &ns, &err), KE_INVALID);
    assert_string_equal(err.text, "time: missing unit in duration \"5\"");
}

static void days_and_bare_milliseconds_are_durations(void **state) {
    int64_t ns;
    (void)state;
    assert_int_equal(go_parse_duration_extended(SLICE("1d12h"), &ns, NULL), 0);
    assert_true(ns == 36 * 3600 * NS_PER_S);
    assert_int_equal(go_parse_duration_extended(SLICE("1500"), &ns, NULL), 0);
    assert_true(ns == 1500 * NS_PER_MS);
}

static void booleans_have_gos_spellings(void **state) {
    bool value;
    struct error err;
    (void)state;
    assert_int_equal(go_parse_bool(SLICE("T"), &value, NULL), 0);
    assert_true(value);
    assert_int_equal(go_parse_bool(SLICE("FALSE"), &value, NULL), 0);
    assert_false(value);
    assert_int_equal(go_parse_bool(SLICE("yes"), &value, &err), KE_INVALID);
    assert_string_equal(err.text, "strconv.ParseBool: parsing \"yes\": invalid syntax");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_read_in_gos_bases),
        cmocka_unit_test(bad_integers_are_quoted),
        cmocka_unit_test(bad_durations_are_explained),
        cmocka_unit_test(days_and_bare_milliseconds_are_durations),
        cmocka_unit_test(booleans_have_gos_spellings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
