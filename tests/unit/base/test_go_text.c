#include "unit.h"

#include <math.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/error.h"
#include "base/go_text.h"

static void floats_in_gos_syntax_parse(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double value;
    } cases[] = {{"0", 0},
                 {"-1.5", -1.5},
                 {"+2", 2},
                 {".5", 0.5},
                 {"5.", 5},
                 {"1e3", 1000},
                 {"1E-2", 0.01},
                 {"0x1p4", 16},
                 {"0X1.8P+1", 3},
                 {"0x_1_0p0", 16},
                 {"1_000.5", 1000.5},
                 {"inf", INFINITY},
                 {"+Infinity", INFINITY},
                 {"-INF", -INFINITY},
                 {"1e-999", 0}};
    for (size_t i = 0; i < countof(cases); i++) {
        double got = NAN;
        assert_int_equal(go_parse_float(slice_cstr(cases[i].text), &got, NULL), 0);
        if (got != cases[i].value)
            fail_msg("%s: got %g", cases[i].text, got);
    }
    double nan = 0;
    assert_int_equal(go_parse_float(SLICE("NaN"), &nan, NULL), 0);
    assert_true(isnan(nan));
}

static void other_texts_are_invalid_syntax(void **state) {
    (void)state;
    static const char *const cases[] = {"",     " 1", "1 ",    "abc",  "1e",   "e5",    ".",
                                        "0x10", "0x", "1.2.3", "--1",  "+nan", "infin", "1__0",
                                        "_1",   "1_", "1_.5",  "1e_5", "1,5",  "0x1p",  "0b11"};
    for (size_t i = 0; i < countof(cases); i++) {
        double got;
        struct error err;
        if (go_parse_float(slice_cstr(cases[i]), &got, &err) != KE_INVALID)
            fail_msg("'%s' parsed as %g", cases[i], got);
        assert_non_null(strstr(err.text, "\": invalid syntax"));
    }
}

static void too_large_is_out_of_range(void **state) {
    (void)state;
    double got;
    struct error err;
    assert_int_equal(go_parse_float(SLICE("-1e400"), &got, &err), KE_INVALID);
    assert_string_equal(err.text, "strconv.ParseFloat: parsing \"-1e400\": value out of range");
    assert_true(isinf(got) && got < 0);
}

static void quoting_escapes_as_go_does(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    go_quote(&b, SLICE("a\"\\\n\t\x01\x7f\xff \xc3\xa9 \xe2\x80\xa8"));
    assert_string_equal(buf_cstr(&b), "\"a\\\"\\\\\\n\\t\\x01\\x7f\\xff \xc3\xa9 \\u2028\"");
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_in_gos_syntax_parse),
        cmocka_unit_test(other_texts_are_invalid_syntax),
        cmocka_unit_test(too_large_is_out_of_range),
        cmocka_unit_test(quoting_escapes_as_go_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
