#include "../base/unit.h"

#include "base/compat.h"
#include "js/json_error.h"

static void words(const char *json, const char *expected) {
    char out[256];
    json_error_describe(slice_cstr(json), out, sizeof out);
    char full[300];
    snprintf(full, sizeof full, "cannot parse json due to an error at %s", expected);
    assert_string_equal(out, full);
}

static void is_json(const char *json) {
    struct json_syntax_error e = {0, ""};
    if (!json_valid(slice_cstr(json), &e))
        fail_msg("'%s' was refused: %s", json, e.text);
}

static void the_recorded_errors_of_k6(void **state) {
    (void)state;
    words("{\"broken\": [1, 2,", "line 1, character 17 , error: unexpected end of JSON input");
    words("welcome",
          "line 1, character 1 , error: invalid character 'w' looking for beginning of value");
    words("", "line 1, character 0 , error: unexpected end of JSON input");
}

static void valid_documents_are_accepted(void **state) {
    (void)state;
    static const char *const good[] = {"{}",
                                       "[]",
                                       " [ ] ",
                                       "{\"a\":{\"b\":[1,2,{}]},\"c\":null}",
                                       "0",
                                       "-0",
                                       "-0.5e+10",
                                       "1E5",
                                       "true",
                                       "null",
                                       "\"\\u12aF\\n\"",
                                       "\"\xff\"",
                                       "[[[[]]],{}]",
                                       "\t\r\n false \n"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        is_json(good[i]);
}

static void each_place_has_its_words(void **state) {
    (void)state;
    static const struct {
        const char *json, *error;
    } cases[] = {
        {"{a",
         "character 2 , error: invalid character 'a' looking for beginning of object key string"},
        {"{\"a\":1,}",
         "character 8 , error: invalid character '}' looking for beginning of object key string"},
        {"{\"a\"}", "character 5 , error: invalid character '}' after object key"},
        {"{\"a\":1]", "character 7 , error: invalid character ']' after object key:value pair"},
        {"[1 2]", "character 4 , error: invalid character '2' after array element"},
        {"[1,]", "character 4 , error: invalid character ']' looking for beginning of value"},
        {"{} x", "character 4 , error: invalid character 'x' after top-level value"},
        {"01", "character 2 , error: invalid character '1' after top-level value"},
        {"-x", "character 2 , error: invalid character 'x' in numeric literal"},
        {"1.x", "character 3 , error: invalid character 'x' in numeric literal"},
        {"1e+x", "character 4 , error: invalid character 'x' in numeric literal"},
        {"tRue", "character 2 , error: invalid character 'R' in literal true (expecting 'r')"},
        {"nul!", "character 4 , error: invalid character '!' in literal null (expecting 'l')"},
        {"fals", "character 4 , error: unexpected end of JSON input"},
        {"\"a\tb\"", "character 3 , error: invalid character '\\t' in string"},
        {"\"a\\x\"", "character 3 , error: invalid escape sequence `\\x` in string"},
        {"\"\\u12g4\"", "character 2 , error: invalid escape sequence `\\u12g4` in string"},
        {"'a'", "character 1 , error: invalid character '\\'' looking for beginning of value"},
        {"\"\"\"", "character 3 , error: invalid character '\"' after top-level value"},
        {"\xc3\xa9",
         "character 1 , error: invalid character '\xc3\xa9' looking for beginning of value"},
        {"\xff", "character 1 , error: invalid character '\\xff' looking for beginning of value"},
        {"\x01", "character 1 , error: invalid character '\\x01' looking for beginning of value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[200];
        snprintf(expected, sizeof expected, "line 1, %s", cases[i].error);
        words(cases[i].json, expected);
    }
}

static void lines_are_counted_and_a_new_line_is_their_first_character(void **state) {
    (void)state;
    words("{\n\"a\": 1,\n  \"b\": x}",
          "line 3, character 9 , error: invalid character 'x' looking for beginning of value");
    words("[\"\xe2\x98\x95\xe2\x98\x95\", x]",
          "line 1, character 8 , error: invalid character 'x' looking for beginning of value");
}

static void the_older_words_count_the_offending_byte(void **state) {
    (void)state;
    compat_set(COMPAT_V0_51);
    words("<html>",
          "line 1, character 2 , error: invalid character '<' looking for beginning of value");
    words("{\"broken\": [1, 2,", "line 1, character 17 , error: unexpected end of JSON input");
    words(
        "[1.x]",
        "line 1, character 5 , error: invalid character 'x' after decimal point in numeric literal");
    words("[1ex]",
          "line 1, character 5 , error: invalid character 'x' in exponent of numeric literal");
    words("[\"\\x\"]", "line 1, character 5 , error: invalid character 'x' in string escape code");
    words("[\"\\u00x0\"]",
          "line 1, character 8 , error: invalid character 'x' in \\u hexadecimal character escape");
    words("[\"\n\"]", "line 2, character 2 , error: invalid character '\\n' in string literal");
    words(
        "\xc3\xa9",
        "line 1, character 1 , error: invalid character '\xc3\x83' looking for beginning of value");
    compat_set(COMPAT_V2_2);
}

static void nesting_is_limited_as_in_go(void **state) {
    (void)state;
    static char deep[20003];
    memset(deep, '[', 10000);
    memset(deep + 10000, ']', 10000);
    assert_true(json_valid(slice_from(deep, 20000), NULL));
    memset(deep, '[', 10001);
    memset(deep + 10001, ']', 10001);
    struct json_syntax_error e;
    assert_false(json_valid(slice_from(deep, 20002), &e));
    assert_string_equal(e.text, "exceeded max depth");
}

static void every_cut_of_a_document_is_refused(void **state) {
    (void)state;
    struct slice json = SLICE("{\"a\":[1,-2.5e+3,true,null,\"x\\u0041\\n\"],\"b\":{}}");
    for (size_t n = 0; n < json.len; n++) {
        char *exact = malloc(n ? n : 1);
        assert_non_null(exact);
        memcpy(exact, json.ptr, n);
        struct json_syntax_error e;
        assert_false(json_valid(slice_from(exact, n), &e));
        assert_string_equal(e.text, "unexpected end of JSON input");
        free(exact);
    }
    assert_true(json_valid(json, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_recorded_errors_of_k6),
        cmocka_unit_test(valid_documents_are_accepted),
        cmocka_unit_test(each_place_has_its_words),
        cmocka_unit_test(lines_are_counted_and_a_new_line_is_their_first_character),
        cmocka_unit_test(the_older_words_count_the_offending_byte),
        cmocka_unit_test(nesting_is_limited_as_in_go),
        cmocka_unit_test(every_cut_of_a_document_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
