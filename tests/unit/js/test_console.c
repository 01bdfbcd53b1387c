/* What console.log prints of errors of Go and, in the form of v0.51, of objects. */
#include "base/compat.h"
#include "script_test.h"

#define HEAD                                                                        \
    "import http from 'k6/http'; import { group } from 'k6'; import encoding from " \
    "'k6/encoding';\n"                                                              \
    "function thrown(f) { try { f(); } catch (e) { return e; } }\n"                 \
    "export default function () {\n"                                                \
    "const e = thrown(() => group('a::b', () => 1));\n"

#define NAMES_MAY "group and check names may not contain '::'"

static void errors_of_go_carry_their_value(void **state) {
    (void)state;
    expect_log(HEAD "console.log(e, [e]);\n"
                    "console.log(e.value, [e.value], e.value.error());\n"
                    "console.log(Object.keys(e), JSON.stringify(e)); }",
               "info: GoError: " NAMES_MAY " [ GoError: " NAMES_MAY " ]\n"
               "info: " NAMES_MAY " [ { error: [object Function] } ] " NAMES_MAY "\n"
               "info: [ \"value\" ] {\"value\":{}}\n");
}

static void the_older_form_is_json_as_go_writes_it(void **state) {
    (void)state;
    compat_set(COMPAT_V0_51);
    expect_log(
        HEAD "console.log(e, [e], e.value);\n"
             "console.log({ html: '<a href=\"x\">&amp;</a>' }, ['\\u2027\\u2028\\u2029\\u202a']);\n"
             "console.log('<a>'); }",
        "info: {\"value\":{}} [{\"value\":{}}] {}\n"
        "info: {\"html\":\"\\u003ca href=\\\"x\\\"\\u003e\\u0026amp;\\u003c/a\\u003e\"} "
        "[\"\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa\"]\n"
        "info: <a>\n");
    compat_set(COMPAT_V2_2);
}

static void the_older_version_names_gojas_types(void **state) {
    (void)state;
    compat_set(COMPAT_V0_51);
    expect_log(HEAD "console.log(String(thrown(() => encoding.b64encode(() => 1))));\n"
                    "console.log(String(thrown(() => http.batch(Promise.resolve()))));\n"
                    "console.log(String(thrown(() => http.batch(new ArrayBuffer(1)))));\n"
                    "console.log(http.file(new ArrayBuffer(2), 'f').data.byteLength);\n"
                    "console.log(String(thrown(() => setTimeout(5)))); }",
               "info: GoError: invalid type func(goja.FunctionCall) goja.Value, expected string, "
               "[]byte or ArrayBuffer\n"
               "info: GoError: invalid http.batch() argument type *goja.Promise\n"
               "info: GoError: invalid http.batch() argument type goja.ArrayBuffer\n"
               "info: 2\n"
               "info: TypeError: could not convert function call parameter 0: could not convert 5 "
               "to goja.Callable\n");
    compat_set(COMPAT_V2_2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_go_carry_their_value),
        cmocka_unit_test(the_older_form_is_json_as_go_writes_it),
        cmocka_unit_test(the_older_version_names_gojas_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
