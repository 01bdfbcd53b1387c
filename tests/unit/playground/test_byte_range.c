/* Which part of a file the header Range asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "byte_range.h"

static void one_range_is_a_part(void **state) {
    (void)state;
    static const struct {
        const char *header;
        size_t first;
        size_t last;
    } cases[] = {
        {"bytes=0-0", 0, 0},       {"bytes=0-99", 0, 99},   {"bytes=10-19", 10, 19},
        {"bytes=90-", 90, 99},     {"bytes=-10", 90, 99},   {"bytes=-1000", 0, 99},
        {"bytes=50-1000", 50, 99}, {"bytes= 5 - 6 ", 5, 6},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        size_t first;
        size_t last;
        assert_int_equal(byte_range_parse(cases[i].header, 100, &first, &last), BYTE_RANGE_PART);
        assert_int_equal(first, cases[i].first);
        assert_int_equal(last, cases[i].last);
    }
}

static void what_is_outside_or_broken_is_nowhere(void **state) {
    (void)state;
    static const char *const headers[] = {
        "bytes=100-", "bytes=100-200", "bytes=5-4", "bytes=-0",
        "bytes=-",    "bytes=",        "bytes=a-b", "bytes=1",
        "lines=1-2",  "bytes=1-x",     "bytes=-x",  "bytes=99999999999999999999-",
    };
    for (size_t i = 0; i < countof(headers); i++) {
        size_t first;
        size_t last;
        assert_int_equal(byte_range_parse(headers[i], 100, &first, &last), BYTE_RANGE_NOWHERE);
    }
    size_t first;
    size_t last;
    assert_int_equal(byte_range_parse("bytes=0-", 0, &first, &last), BYTE_RANGE_NOWHERE);
    assert_int_equal(byte_range_parse("bytes=-5", 0, &first, &last), BYTE_RANGE_NOWHERE);
}

static void no_header_or_many_ranges_are_the_whole(void **state) {
    (void)state;
    size_t first;
    size_t last;
    assert_int_equal(byte_range_parse(NULL, 100, &first, &last), BYTE_RANGE_NONE);
    assert_int_equal(byte_range_parse("", 100, &first, &last), BYTE_RANGE_NONE);
    assert_int_equal(byte_range_parse("bytes=0-1,5-6", 100, &first, &last), BYTE_RANGE_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_range_is_a_part),
        cmocka_unit_test(what_is_outside_or_broken_is_nowhere),
        cmocka_unit_test(no_header_or_many_ranges_are_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
