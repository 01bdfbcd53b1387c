#include "unit.h"

#include <math.h>

#include "base/json_write.h"

static void write_sample(struct json_writer *w) {
    json_object_begin(w);
    json_key(w, "a");
    json_array_begin(w);
    json_int(w, -1);
    json_double(w, 0.5);
    json_array_begin(w);
    json_array_end(w);
    json_array_end(w);
    json_key(w, "b");
    json_object_begin(w);
    json_object_end(w);
    json_key(w, "c");
    json_null(w);
    json_object_end(w);
}

static void compact_form(void **state) {
    (void)state;
    struct buf b;
    struct json_writer w;
    buf_init(&b, BUF_NO_CAP);
    json_write_init(&w, &b, NULL, true);
    write_sample(&w);
    assert_string_equal(buf_cstr(&b), "{\"a\":[-1,0.5,[]],\"b\":{},\"c\":null}");
    buf_release(&b);
}

static void indented_form_is_marshal_indents(void **state) {
    (void)state;
    struct buf b;
    struct json_writer w;
    buf_init(&b, BUF_NO_CAP);
    json_write_init(&w, &b, "  ", true);
    write_sample(&w);
    assert_string_equal(buf_cstr(&b), "{\n  \"a\": [\n    -1,\n    0.5,\n    []\n  ],\n"
                                      "  \"b\": {},\n  \"c\": null\n}");
    buf_release(&b);
}

static void check_string(struct slice s, bool html, const char *expected) {
    struct buf b;
    struct json_writer w;
    buf_init(&b, BUF_NO_CAP);
    json_write_init(&w, &b, NULL, html);
    json_string(&w, s);
    assert_string_equal(buf_cstr(&b), expected);
    buf_release(&b);
}

static void strings_are_escaped_as_go_does(void **state) {
    (void)state;
    check_string(SLICE("a\"\\\n\t\r\x01\x7f"), true, "\"a\\\"\\\\\\n\\t\\r\\u0001\x7f\"");
    check_string(SLICE("<&>"), true, "\"\\u003c\\u0026\\u003e\"");
    check_string(SLICE("<&>"), false, "\"<&>\"");
    check_string(SLICE("\xc3\xa9\xff\xe2\x80\xa8"), false, "\"\xc3\xa9\\ufffd\\u2028\"");
    check_string(SLICE("\xed\xa0\x80"), false, "\"\\ufffd\\ufffd\\ufffd\"");
    check_string(SLICE(""), false, "\"\"");
}

static void doubles_read_back_and_are_shortest(void **state) {
    (void)state;
    static const struct {
        double v;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0"},
        {0.1, "0.1"},
        {1.0 / 3, "0.3333333333333333"},
        {100, "100"},
        {1e20, "100000000000000000000"},
        {1e21, "1e+21"},
        {1.5e-7, "1.5e-7"},
        {1e-6, "0.000001"},
        {123456.789, "123456.789"},
        {-2.5, "-2.5"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {0.30000000000000004, "0.30000000000000004"},
        {9007199254740993.0, "9007199254740992"},
        {NAN, "null"},
    };
    char out[32];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(double_format_json(rows[i].v, out), rows[i].text);
    assert_string_equal(double_format_js(-0.0, out), "0");
    assert_string_equal(double_format_js(NAN, out), "NaN");
    assert_string_equal(double_format_js(-INFINITY, out), "-Infinity");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compact_form),
        cmocka_unit_test(indented_form_is_marshal_indents),
        cmocka_unit_test(strings_are_escaped_as_go_does),
        cmocka_unit_test(doubles_read_back_and_are_shortest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
