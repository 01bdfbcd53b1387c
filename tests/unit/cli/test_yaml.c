/* YAML in the form of Go's yaml.v3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/check.h"
#include "cli/yaml.h"

static void floats_are_as_short_as_in_go(void **state) {
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {7, "7"},
        {0.25, "0.25"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {1.0 / 3, "0.3333333333333333"},
        {123456, "123456"},
        {999999.5, "999999.5"},
        {1000000, "1e+06"},
        {1234567.25, "1.23456725e+06"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {200.16119429999998, "200.16119429999998"},
        {1e300, "1e+300"},
        {INFINITY, ".inf"},
        {-INFINITY, "-.inf"},
        {NAN, ".nan"},
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        struct buf out;
        buf_init(&out, BUF_NO_CAP);
        yaml_put_float(&out, rows[i].value);
        assert_string_equal(buf_cstr(&out), rows[i].text);
        buf_release(&out);
    }
}

static void check_line(const char *json, enum yaml_style style, const char *expected) {
    struct buf out;
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    buf_init(&out, BUF_NO_CAP);
    yaml_put(&out, 2, "k", value, style);
    assert_string_equal(buf_cstr(&out), expected);
    json_decref(value);
    buf_release(&out);
}

static void values_are_quoted_where_they_would_be_misread(void **state) {
    (void)state;
    check_line("true", YAML_PLAIN, "  k: true\n");
    check_line("true", YAML_QUOTED, "  k: \"true\"\n");
    check_line("12", YAML_QUOTED, "  k: \"12\"\n");
    check_line("null", YAML_PLAIN, "  k: null\n");
    check_line("null", YAML_QUOTED, "  k: \"\"\n");
    check_line("\"http_req_duration{expected_response:true}\"", YAML_PLAIN,
               "  k: http_req_duration{expected_response:true}\n");
    check_line("\"true\"", YAML_PLAIN, "  k: \"true\"\n");
    check_line("\"a: b\"", YAML_PLAIN, "  k: \"a: b\"\n");
    check_line("\"a\\nb\"", YAML_PLAIN, "  k: \"a\\nb\"\n");
    check_line("\"\"", YAML_PLAIN, "  k: \"\"\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_are_as_short_as_in_go),
        cmocka_unit_test(values_are_quoted_where_they_would_be_misread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
