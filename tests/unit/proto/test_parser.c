#include "proto_unit.h"

/* Texts and positions are those of protocompile, from its documentation of what it refuses. */
static const struct {
    const char *text, *error;
} cases[] = {
    {"", NULL},
    {"syntax = \"proto3\";", NULL},
    {"\xef\xbb\xbfsyntax = \"proto3\";", NULL},
    {"syntax = \"proto1\";", "test.proto:1:10: syntax value must be \"proto2\" or \"proto3\""},
    {"syntax \"proto3\";",
     "test.proto:1:8: syntax error: unexpected string literal, expecting '='"},
    {"0", "test.proto:1:1: syntax error: unexpected int literal"},
    {"0.0.0.0.0", "test.proto:1:1: invalid syntax in float value: 0.0.0.0.0"},
    {"foobar", "test.proto:1:1: syntax error: unexpected identifier"},
    {"\"abc\"", "test.proto:1:1: syntax error: unexpected string literal"},
    {".", "test.proto:1:1: syntax error: unexpected '.'"},
    {"message", "test.proto:1:8: syntax error: unexpected $end"},
    {"message M", "test.proto:1:10: syntax error: unexpected $end, expecting '{'"},
    {"message M {", "test.proto:1:12: syntax error: unexpected $end"},
    {"import 5;", "test.proto:1:8: syntax error: unexpected int literal, expecting string literal, "
                  "\"weak\", or \"public\""},
    {"package foo\n\nenum E { A = 0; }", "test.proto:3:1: syntax error: expecting ';'"},
    {"package a; package b;", "test.proto:1:12: files should have only one package declaration"},
    {"enum E { A = 0; C; }", "test.proto:1:18: syntax error: unexpected ';', expecting '='"},
    {"message Foo {\n\tfoo = 1;\n}", "test.proto:2:13: syntax error: unexpected '='"},
    {"message group { } message Foo { optional group Foo = 1; }",
     "test.proto:1:55: syntax error: unexpected ';', expecting '{' or '['"},
    {"message Foo { optional string a = 1", "test.proto:1:36: syntax error: expecting ';'"},
    {"/* no end", "test.proto:1:1: block comment never terminates, unexpected EOF"},
    {"option a = \"x", "test.proto:1:12: unexpected EOF"},
    {"option a = \"x\n\";",
     "test.proto:1:12: encountered end-of-line before end of string literal"},
    {"option a = \"\\q\";", "test.proto:1:13: invalid escape sequence: \\q"},
    {"option a = \"\\xzz\";", "test.proto:1:13: invalid hex escape: \\x"},
    {"option a = \"\\777\";",
     "test.proto:1:13: octal escape is out range, must be between 0 and 377: \\777"},
    {"option a = \"\\u12\";", "test.proto:1:13: invalid unicode escape: \\u12"},
    {"option a = 08;", "test.proto:1:12: invalid syntax in octal integer value: 08"},
    {"option a = 0xfffffffffffffffff;",
     "test.proto:1:12: value out of range for hexadecimal integer: fffffffffffffffff"},
    {"message \x01", "test.proto:1:9: invalid control character"},
    {"message $", "test.proto:1:9: invalid character"},
    {"message Foo { optional double bar = 1 [default = -18446744073709551615]; }", NULL},
    {"message Foo { optional double bar = 1 [default = 18446744073709551616]; }", NULL},
    {"message Foo { optional string s = 5000000000; }",
     "test.proto:1:35: tag number 5000000000 is higher than max allowed tag number (536870911)"},
    {"message Foo { optional string s = 0; }",
     "test.proto:1:35: tag number 0 must be greater than zero"},
    {"message Foo { optional string s = 19500; }",
     "test.proto:1:35: tag number 19500 is in disallowed reserved range 19000-19999"},
    {"enum Foo { V = 5000000000; }", "test.proto:1:16: value 5000000000 is out of range: should be "
                                     "between -2147483648 and 2147483647"},
    {"enum Foo { V = -5000000000; }", "test.proto:1:16: value -5000000000 is out of range: should "
                                      "be between -2147483648 and 2147483647"},
    {"enum Foo { V = 0; reserved 5000000000; }",
     "test.proto:1:28: range start 5000000000 is out of range: should be between -2147483648 and "
     "2147483647"},
    {"enum Foo { V = 0; reserved -5 to 5000000000; }",
     "test.proto:1:34: range end 5000000000 is out of range: should be between -2147483648 and "
     "2147483647"},
    {"enum Foo { }", "test.proto:1:1: enum Foo: enums must define at least one value"},
    {"message Foo { oneof Bar { } }", "test.proto:1:15: oneof must contain at least one field"},
    {"message Foo { extensions 1 to max; } extend Foo { }",
     "test.proto:1:38: extend sections must define at least one extension"},
    {"message Foo { option map_entry = true; }",
     "test.proto:1:22: message Foo: map_entry option should not be set explicitly; use map type "
     "instead"},
    {"message Foo { string s = 1; }",
     "test.proto:1:22: field Foo.s: field has no label; proto2 requires explicit 'optional' label"},
    {"syntax = \"proto3\"; message Foo { optional string s = 1; }", NULL},
    {"syntax = \"proto3\"; message Foo { required string s = 1; }",
     "test.proto:1:34: field Foo.s: label 'required' is not allowed in proto3 or editions"},
    {"message Foo { extensions 1 to max; } extend Foo { required string sss = 100; }",
     "test.proto:1:51: extension sss: extension fields cannot be 'required'"},
    {"syntax = \"proto3\"; message Foo { optional group Grp = 1 { } }",
     "test.proto:1:43: field Foo.grp: groups are not allowed in proto3 or editions"},
    {"syntax = \"proto3\"; message Foo { extensions 1 to max; }",
     "test.proto:1:45: message Foo: extension ranges are not allowed in proto3"},
    {"syntax = \"proto3\"; message Foo { string s = 1 [default = \"abcdef\"]; }",
     "test.proto:1:48: field Foo.s: default values are not allowed in proto3"},
    {"edition = \"2023\"; message Foo { string s = 1 [default = \"abcdef\"]; }", NULL},
    {"edition = \"2023\"; message Foo { optional string name = 1; }",
     "test.proto:1:33: field Foo.name: label 'optional' is not allowed in editions; use option "
     "features.field_presence instead"},
    {"enum Foo { V1 = 1; V2 = 1; }",
     "test.proto:1:25: enum Foo: values V1 and V2 both have the same numeric value 1; use "
     "allow_alias option if intentional"},
    {"enum Foo { option allow_alias = true; V1 = 1; V2 = 1; }", NULL},
    {"enum Foo { V1 = 1; reserved 1 to 20; reserved \"V2\"; }",
     "test.proto:1:17: enum Foo: value V1 is using number 1 which is in reserved range 1 to 20"},
    {"enum Foo { V2 = 0; reserved 1 to 20; reserved \"V2\"; }",
     "test.proto:1:12: enum Foo: value V2 is using a reserved name"},
    {"enum Foo { V0 = 0; reserved 1 to 20; reserved 20 to 40; }",
     "test.proto:1:47: enum Foo: reserved ranges overlap: 1 to 20 and 20 to 40"},
    {"syntax = \"proto3\"; enum Foo { FIRST = 1; }",
     "test.proto:1:39: enum Foo: proto3 requires that first value in enum have numeric value of 0"},
    {"syntax = \"proto3\"; message Foo { string s = 1; int32 i = 1; }",
     "test.proto:1:58: message Foo: fields s and i both have the same tag 1"},
    {"message Foo { reserved 1 to 10, 10 to 12; }",
     "test.proto:1:33: message Foo: reserved ranges overlap: 1 to 10 and 10 to 12"},
    {"message Foo { extensions 1 to 10, 10 to 12; }",
     "test.proto:1:35: message Foo: extension ranges overlap: 1 to 10 and 10 to 12"},
    {"message Foo { reserved 1 to 10; extensions 10 to 12; }",
     "test.proto:1:44: message Foo: extension range 10 to 12 overlaps reserved range 1 to 10"},
    {"message Foo { reserved 10 to 1; }",
     "test.proto:1:24: range, 10 to 1, is invalid: start must be <= end"},
    {"message Foo { reserved 0 to 10; }",
     "test.proto:1:24: range start 0 is out of range: should be between 1 and 536870911"},
    {"message Foo { reserved \"foo\"; reserved \"foo\"; }",
     "test.proto:1:40: name \"foo\" is already reserved at test.proto:1:24"},
    {"message Foo { reserved \"foo\"; optional string foo = 1; }",
     "test.proto:1:47: message Foo: field foo is using a reserved name"},
    {"message Foo { reserved 1 to 10; optional string foo = 1; }",
     "test.proto:1:55: message Foo: field foo is using tag 1 which is in reserved range 1 to 10"},
    {"message Foo { extensions 1 to 10; optional string foo = 1; }",
     "test.proto:1:57: message Foo: field foo is using tag 1 which is in extension range 1 to 10"},
    {"message Foo { optional group foo = 1 { } }",
     "test.proto:1:30: group foo should have a name that starts with a capital letter"},
    {"message Foo { oneof bar { group Baz = 1 [deprecated=true] { optional int32 abc = 1; } } }",
     NULL},
    {"message Foo { repeated string a = 1 [default = \"abc\"]; }",
     "test.proto:1:38: field Foo.a: default value cannot be set because field is repeated"},
    {"message Foo { map<float, string> m = 1; }",
     "test.proto:1:19: syntax error: unexpected \"float\""},
    {"service S { rpc A(B) }", "test.proto:1:22: syntax error: unexpected '}', expecting "
                               "\"returns\""},
};

static void good_and_bad_files_are_told_apart(void **state) {
    (void)state;
    for (size_t i = 0; i < countof(cases); i++)
        expect_text_error(cases[i].text, cases[i].error);
}

/* Words of the language are names too. */
static void keywords_are_names(void **state) {
    (void)state;
    expect_text_error("syntax = \"proto3\"; package message.enum;"
                      "message map { string string = 1; int32 max = 2; map rpc = 3; }"
                      "message stream { bool true = 1; map<string, map> package = 2; }"
                      "service service { rpc rpc(stream) returns (stream stream) {} "
                      "rpc returns(stream .message.enum.stream) returns (.message.enum.map); }",
                      NULL);
}

static void options_of_every_form_are_read(void **state) {
    (void)state;
    expect_text_error(
        "syntax = \"proto3\"; import \"google/protobuf/descriptor.proto\";"
        "option java_package = 'a' \"b\"; option (my.opt).field.(other) = -1.5e3;"
        "extend google.protobuf.MessageOptions { repeated string my = 50000; }"
        "message M { option (my) = \"x\"; option (agg) = { a: 1, b { c: [1, 2]; d < e: -inf > } "
        "[type.x/y.Z]: { f: \"g\" 'h' } }; string s = 1 [deprecated = true, (x.y) = { z: NAME }, "
        "json_name = \"T\"]; }",
        NULL);
}

static void deep_nesting_is_refused(void **state) {
    (void)state;
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    for (int i = 0; i < 20000; i++)
        buf_append_str(&text, "message M {");
    struct error err;
    const struct text_file files[] = {{"test.proto", buf_cstr(&text)}, {NULL, NULL}};
    assert_null(pool_of_texts(files, &err));
    assert_non_null(strstr(err.text, "nested too deeply"));
    buf_release(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_and_bad_files_are_told_apart),
        cmocka_unit_test(keywords_are_names),
        cmocka_unit_test(options_of_every_form_are_read),
        cmocka_unit_test(deep_nesting_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
