/* k6/experimental/tracing: what is refused; the requests themselves are in the scenario tests. */
#include "script_test.h"

#define HEAD "import { Client, instrumentHTTP } from 'k6/experimental/tracing';\n"
#define TRY(code) "try { " code "; } catch (e) { console.log(String(e)); }\n"

static void bad_options_have_k6s_words(void **state) {
    (void)state;
    expect_log(
        HEAD "if (__VU === 1) {" TRY("new Client()") TRY("new Client(5)") TRY(
            "new Client(null)") TRY("new Client({})") TRY("new Client({ propagator: 'b3' })")
            TRY("instrumentHTTP({ propagator: 'w3c', sampling: 2 })") TRY(
                "new Client({ propagator: 'w3c', baggage: 5 })") "}\n"
                                                                 "export default function () {}",
#define INVALID \
    "info: GoError: failed initializing tracing client, invalid configuration; reason: invalid options: "
#define PARSE \
    "info: GoError: unable to parse options object; reason: unable to parse options object; reason: "
        "info: GoError: Client constructor expects a single configuration object as argument; none given\n" PARSE
        "could not convert 5 to tracing.options\n"
        "info: TypeError: Cannot convert undefined or null to object\n" INVALID
        "unknown propagator: \n" INVALID "unknown propagator: b3\n" INVALID
        "sampling rate must be between 0.0 and 1.0\n" PARSE
        "could not convert 5 to map[string]string\n");
}

static void too_many_arguments_are_refused(void **state) {
    (void)state;
    expect_log(HEAD "const c = new Client({ propagator: 'jaeger' });\n"
                    "export default function () {" TRY("c.get('http://127.0.0.1:1/', {}, 1)")
                        TRY("c.request('PUT', 'http://127.0.0.1:1/', 'x', {}, 1)") "}",
               "info: GoError: failed to instrument request arguments; reason: invalid number of "
               "arguments; expected 1 or 2, got 3\n"
               "info: GoError: failed to instrument request arguments; reason: invalid number of "
               "arguments; expected 1 or 2, got 3\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_options_have_k6s_words),
        cmocka_unit_test(too_many_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
