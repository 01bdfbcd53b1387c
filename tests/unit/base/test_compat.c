#include "unit.h"

#include "base/compat.h"
#include "base/error.h"

static void versions_parse(void **state) {
    (void)state;
    enum compat_version v;
    assert_int_equal(compat_parse("v0.51", &v), 0);
    assert_int_equal(v, COMPAT_V0_51);
    assert_int_equal(compat_parse("v2.2", &v), 0);
    assert_int_equal(v, COMPAT_V2_2);
    assert_int_equal(compat_parse("0.51.0", &v), 0);
    assert_int_equal(v, COMPAT_V0_51);
    assert_int_equal(compat_parse("v2", &v), 0);
    assert_int_equal(v, COMPAT_V2_2);
    assert_int_equal(compat_parse("v1", &v), KE_INVALID);
    assert_int_equal(compat_parse("", &v), KE_INVALID);
}

static void rows_follow_the_version(void **state) {
    (void)state;
    compat_set(COMPAT_V0_51);
    assert_true(compat_on(COMPAT_CONSOLE_JSON_OBJECTS));
    assert_string_equal(compat_text(COMPAT_USER_AGENT), "k6/0.51.0 (https://k6.io/)");
    compat_set(COMPAT_V2_2);
    assert_false(compat_on(COMPAT_CONSOLE_JSON_OBJECTS));
    assert_string_equal(compat_text(COMPAT_USER_AGENT), "Grafana k6/2.2.1");
}

static void errors_have_text_and_k6_code(void **state) {
    (void)state;
    assert_string_equal(error_text(KE_TIMEOUT), "request timeout");
    assert_int_equal(error_k6_code(KE_TIMEOUT), 1050);
    assert_string_equal(error_text(-999), "unknown error");
    struct error err;
    assert_int_equal(error_set(&err, KE_IO, "cannot open '%s'", "x"), KE_IO);
    assert_string_equal(err.text, "cannot open 'x'");
    assert_int_equal(error_set(NULL, KE_IO, "ignored"), KE_IO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_parse),
        cmocka_unit_test(rows_follow_the_version),
        cmocka_unit_test(errors_have_text_and_k6_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
