/* Messages of the browser, taken apart at their top level only. */
#include "cdp_unit.h"

#include "cdp/cdp_message.h"

static void expect(const char *json, int64_t id, const char *session, const char *method,
                   const char *payload, bool is_error) {
    struct cdp_message m;
    assert_true(cdp_message_read(slice_cstr(json), &m));
    assert_int_equal(m.id, id);
    assert_true(slice_eq(m.session, slice_cstr(session)));
    assert_true(slice_eq(m.method, slice_cstr(method)));
    assert_true(slice_eq(m.payload, slice_cstr(payload)));
    assert_int_equal(m.is_error, is_error);
}

static void events_answers_and_errors_are_told_apart(void **state) {
    (void)state;
    expect("{\"method\":\"Page.load\",\"params\":{\"a\":1},\"sessionId\":\"S1\"}", 0, "S1",
           "Page.load", "{\"a\":1}", false);
    expect("{\"id\":7,\"result\":{},\"sessionId\":\"S1\"}", 7, "S1", "", "{}", false);
    expect(" { \"id\" : 8 , \"error\" : {\"code\":-32000,\"message\":\"no\"} } ", 8, "", "",
           "{\"code\":-32000,\"message\":\"no\"}", true);
    expect("{}", 0, "", "", "", false);
}

static void what_is_nested_is_not_looked_at(void **state) {
    (void)state;
    expect("{\"result\":{\"id\":1,\"t\":\"}]\\\"{\",\"l\":[[{}],\"]\"]},\"id\":9}", 9, "", "",
           "{\"id\":1,\"t\":\"}]\\\"{\",\"l\":[[{}],\"]\"]}", false);
    expect("{\"other\":\"x\\\\\",\"id\":3}", 3, "", "", "", false);
}

static void numbers_that_are_no_ids_are_none(void **state) {
    (void)state;
    expect("{\"id\":-1}", 0, "", "", "", false);
    expect("{\"id\":99999999999999999999}", 0, "", "", "", false);
    expect("{\"id\":\"5\"}", 0, "", "", "", false);
}

static void what_is_no_object_or_ends_early_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"",        " ",         "[]",       "x",
                                      "{",       "{\"id\"",   "{\"id\":", "{\"id\":1",
                                      "{\"a\"1", "{\"a\":\"", "{\"a\":{", "{\"a\":\"\\\""};
    struct cdp_message m;
    for (size_t i = 0; i < countof(bad); i++)
        if (cdp_message_read(slice_cstr(bad[i]), &m))
            fail_msg("%s was read", bad[i]);
}

static void the_method_of_an_event_is_found_in_its_first_bytes(void **state) {
    (void)state;
    assert_true(slice_eq(cdp_message_method(SLICE("{\"method\":\"A.b\",\"par")), SLICE("A.b")));
    assert_null(cdp_message_method(SLICE("{\"id\":1,\"method\":\"A.b\"}")).ptr);
    assert_null(cdp_message_method(SLICE("{\"method\":\"A.b")).ptr);
    assert_null(cdp_message_method(SLICE("{\"method\"")).ptr);
    assert_null(cdp_message_method(SLICE("")).ptr);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_answers_and_errors_are_told_apart),
        cmocka_unit_test(what_is_nested_is_not_looked_at),
        cmocka_unit_test(numbers_that_are_no_ids_are_none),
        cmocka_unit_test(what_is_no_object_or_ends_early_is_refused),
        cmocka_unit_test(the_method_of_an_event_is_found_in_its_first_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
