/* What k6/http says about arguments that it cannot use; nothing is sent. */
#include "script_test.h"

#define HEAD                                                                                          \
    "import http from 'k6/http'; const U = 'http://127.0.0.1:1/';\n"                                  \
    "const show = (f) => { try { const r = f(); console.log(r && r.error_code !== undefined ? "       \
    "`${r.error_code} ${r.error}` : JSON.stringify(r)); } catch (e) { console.log(String(e)); } };\n" \
    "export default function () {\n"
#define SHOW(code) "show(() => " code ");\n"
#define REFUSED "warn: Request Failed\n"

static void values_that_are_no_url_are_printed_as_go_does(void **state) {
    (void)state;
    expect_log(HEAD SHOW("http.get()") SHOW("http.get({ b: [1, 'x'], a: null })")
                   SHOW("http.get(new Date(0).getTime())") SHOW("http.get(['x'])") "}",
               REFUSED "info: 1020 invalid URL: '#<nil>'\n" REFUSED
                       "info: 1020 invalid URL: '#map[a:<nil> b:[1 x]]'\n" REFUSED
                       "info: 1020 invalid URL: '#0'\n" REFUSED "info: 1020 invalid URL: '#[x]'\n");
}

static void bodies_of_other_types_are_named_as_go_does(void **state) {
    (void)state;
    expect_log(HEAD SHOW("http.post(U, [1])") SHOW("http.post(U, () => 1)")
                   SHOW("http.post(U, 10n)") SHOW("http.post(U, new Date(0))")
                       SHOW("http.post(U, new Map())") SHOW("http.post(U, new Set())")
                           SHOW("http.post(U, Promise.resolve())") SHOW("http.post(U, 1.5)") "}",
               REFUSED
               "info: 0 unknown request body type []interface {}\n" REFUSED
               "info: 0 unknown request body type func(sobek.FunctionCall) sobek.Value\n" REFUSED
               "info: 0 unknown request body type *big.Int\n" REFUSED
               "info: 0 unknown request body type time.Time\n" REFUSED
               "info: 0 unknown request body type [][2]interface {}\n" REFUSED
               "info: 0 unknown request body type []interface {}\n" REFUSED
               "info: 0 unknown request body type *sobek.Promise\n" REFUSED
               "info: 0 unknown request body type float64\n");
}

static void bad_timeouts_have_the_words_of_go(void **state) {
    (void)state;
    expect_log(
        HEAD SHOW("http.get(U, { timeout: '1x' })") SHOW("http.get(U, { timeout: 'xd' })")
            SHOW("http.get(U, { timeout: '1dx' })") SHOW("http.get(U, { timeout: {} })") "}",
        REFUSED
        "info: 0 invalid timeout value: time: unknown unit \"x\" in duration \"1x\"\n" REFUSED
        "info: 0 invalid timeout value: strconv.ParseInt: parsing \"x\": invalid syntax\n" REFUSED
        "info: 0 invalid timeout value: time: invalid duration \"x\"\n" REFUSED
        "info: 0 invalid timeout value: unable to use type map[string]interface {} as a duration "
        "value\n");
}

static void get_and_head_take_two_arguments(void **state) {
    (void)state;
    expect_log(HEAD SHOW("http.get('::', {}, 1)") SHOW("http.head('::', {}, 1, 2)") "}",
               "warn: http.get only accepts a url and a params argument (2 arguments), but 3 were "
               "given\n" REFUSED "info: 1020 invalid URL: parse \"::\": missing protocol scheme\n"
               "warn: http.head only accepts a url and a params argument (2 arguments), but 4 were "
               "given\n" REFUSED "info: 1020 invalid URL: parse \"::\": missing protocol scheme\n");
}

static void expected_statuses_says_what_is_wrong(void **state) {
    (void)state;
#define NEITHER "to expectedStatuses was neither an integer nor an object like {min:100, max:329}\n"
    expect_log(HEAD SHOW("http.expectedStatuses(null)") SHOW("http.expectedStatuses({})")
                   SHOW("http.expectedStatuses(200, { min: 1 })")
                       SHOW("http.expectedStatuses({ min: 1, max: 'x' })")
                           SHOW("http.setResponseCallback()") "}",
               "info: TypeError: Cannot convert undefined or null to object\n"
               "info: GoError: argument number 1 " NEITHER
               "info: GoError: argument number 2 " NEITHER
               "info: GoError: both min and max need to be integers for argument number 1\n"
               "info: undefined\n");
}

static void cookie_jars_read_their_options_as_k6(void **state) {
    (void)state;
    expect_log(
        HEAD "const jar = http.CookieJar();\n" SHOW("Object.keys(jar)")
            SHOW("jar.set(U, 'a', 'b', { PATH: '/deep', Max_Age: 5 })") SHOW(
                "[jar.cookiesForURL(U), jar.cookiesForURL(U + 'deep')]") SHOW("jar.delete(U, '')")
                SHOW("jar.set(U, 'a', 'b', { expires: 'soon' })") SHOW(
                    "jar.set(U, 'a', 'b', { Expires: 'Mon, 02 Jan 2006' })")
                    SHOW("jar.set(U, 'a', 'b', { expires: 'Mon, 02-Jan-2006 15:04:05 GMT' })") SHOW(
                        "jar.set(U, 'a', 'b', { expires: 'Mon, 32 Jan 2006 15:04:05 GMT' })") "}",
#define EXPIRES(date) \
    "info: GoError: unable to parse \"expires\" date string \"" date "\": parsing time \"" date "\""
        "info: [\"clear\",\"cookiesForURL\",\"delete\",\"set\"]\n"
        "info: true\n"
        "info: [{},{\"a\":[\"b\"]}]\n"
        "info: GoError: cookie: is null\n" EXPIRES("soon") " as \"Mon, 02 Jan 2006 15:04:05 MST\": cannot parse \"soon\" as \"Mon\"\n" EXPIRES("Mon, 02 Jan 2006") " as \"Mon, 02 Jan 2006 15:04:05 MST\": cannot parse \"\" as \"15\"\n" EXPIRES(
            "Mon, 02-Jan-2006 15:04:05 GMT") " as \"Mon, 02 Jan 2006 15:04:05 MST\": cannot parse "
                                             "\"-Jan-2006 15:04:05 GMT\" as \" \"\n" EXPIRES(
                                                 "Mon, 32 Jan 2006 15:04:05 GMT") ": day out of range\n");
}

static void files_and_urls_take_what_go_takes(void **state) {
    (void)state;
    expect_log(
        HEAD SHOW("http.file('x', undefined, 5)") SHOW("http.file(new Uint8Array(1))")
            SHOW("http.url`http://[::${1}`") SHOW("http.url`http://u:p@h/`") SHOW("http.url('x')")
                SHOW("http.batch(() => 1)") SHOW("(http.TLS_1_0 = 'x')") "}",
        "info: {\"data\":\"x\",\"filename\":\"\",\"content_type\":\"5\"}\n"
        "info: GoError: invalid type []uint8, expected string or ArrayBuffer\n"
        "info: GoError: invalid URL: parse \"http://[::1\": missing ']' in host\n"
        "info: {\"name\":\"http://****:****@h/\",\"url\":\"http://u:p@h/\",\"clean_url\":"
        "\"http://****:****@h/\"}\n"
        "info: TypeError: could not convert function call parameter 0: could not convert x to "
        "[]string\n"
        "info: GoError: invalid http.batch() argument type func(sobek.FunctionCall) "
        "sobek.Value\n"
        "info: TypeError: Cannot assign to read only property 'TLS_1_0'\n");
}

static void a_request_that_was_none_has_an_empty_body(void **state) {
    (void)state;
    expect_log(HEAD "const r = http.get('::');\n" SHOW("[r.url, r.request, r.body.length]")
                   SHOW("r.json()") SHOW("r.json('a')") SHOW("r.html().html()") "}",
               REFUSED "info: [\"\",null,0]\n"
                       "info: GoError: cannot parse json due to an error at line 1, character 0 , "
                       "error: unexpected end of JSON input\n"
                       "info: undefined\n"
                       "info: \"<html><head></head><body></body></html>\"\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_that_are_no_url_are_printed_as_go_does),
        cmocka_unit_test(bodies_of_other_types_are_named_as_go_does),
        cmocka_unit_test(bad_timeouts_have_the_words_of_go),
        cmocka_unit_test(get_and_head_take_two_arguments),
        cmocka_unit_test(expected_statuses_says_what_is_wrong),
        cmocka_unit_test(cookie_jars_read_their_options_as_k6),
        cmocka_unit_test(a_request_that_was_none_has_an_empty_body),
        cmocka_unit_test(files_and_urls_take_what_go_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
