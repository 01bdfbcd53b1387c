#include "unit.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/http_date.h"

static void is_ms(const char *text, int64_t expected) {
    int64_t ms = -1;
    if (http_date_parse(slice_cstr(text), &ms) != 0)
        fail_msg("'%s' was refused", text);
    if (ms != expected)
        fail_msg("'%s' is %" PRId64 ", expected %" PRId64, text, ms, expected);
}

static void the_two_forms_of_go_are_read(void **state) {
    (void)state;
    is_ms("Mon, 02 Jan 2006 15:04:05 GMT", 1136214245000);
    is_ms("Mon, 02-Jan-2006 15:04:05 GMT", 1136214245000);
    is_ms("Thu, 01 Jan 1970 00:00:00 GMT", 0);
    is_ms("Fri, 01 Jan 2100 00:00:00 UTC", 4102444800000);
    is_ms("Tue, 29 Feb 2000 12:00:00 GMT", 951825600000);
    is_ms("Mon, 01 Jan 0001 00:00:00 UTC", -62135596800000);
    is_ms("Sat, 01 Jan 0000 00:00:00 UTC", -62167219200000);
    is_ms("Fri, 31 Dec 9999 23:59:59 GMT", 253402300799000);
}

static void what_go_forgives_is_forgiven(void **state) {
    (void)state;
    is_ms("sun, 02 JAN 2006 15:04:05 GMT", 1136214245000);
    is_ms("Mon,  02 Jan  2006 15:04:05 GMT", 1136214245000);
    is_ms("Mon, 02 Jan 2006 5:04:05 GMT", 1136178245000);
    is_ms("Mon, 02 Jan 2006 15:04:05.25 GMT", 1136214245250);
    is_ms("Mon, 02 Jan 2006 15:04:05 EST", 1136214245000);
    is_ms("Mon, 02 Jan 2006 15:04:05 GMT+2", 1136207045000);
}

static void other_forms_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "tomorrow",
        "Monday, 02-Jan-06 15:04:05 GMT",
        "Mon Jan  2 15:04:05 2006",
        "Mon, 2 Jan 2006 15:04:05 GMT",
        "Mon, 02 Jan 2006 15:04:05",
        "Mon, 02 Jan 2006 15:04:05 GMT x",
        "Mon, 02-Jan 2006 15:04:05 GMT",
        "Mon, 02 Jan 2006 24:04:05 GMT",
        "Mon, 02 Jan 2006 15:60:05 GMT",
        "Mon, 02 Jan 2006 15:04:60 GMT",
        "Mon, 29 Feb 2006 15:04:05 GMT",
        "Mon, 00 Jan 2006 15:04:05 GMT",
        "Mon, 02 Foo 2006 15:04:05 GMT",
        "Mon, 02 Jan 2006 15:04:05 +0200",
        "Mon, 02 Jan 20",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ms;
        if (http_date_parse(slice_cstr(bad[i]), &ms) != KE_INVALID)
            fail_msg("'%s' was accepted", bad[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_two_forms_of_go_are_read),
        cmocka_unit_test(what_go_forgives_is_forgiven),
        cmocka_unit_test(other_forms_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
