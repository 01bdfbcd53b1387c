#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/suggest.h"

static void edits_are_counted(void **state) {
    (void)state;
    assert_int_equal(edit_distance("run", "run"), 0);
    assert_int_equal(edit_distance("rnu", "run"), 2);
    assert_int_equal(edit_distance("", "run"), 3);
    assert_int_equal(edit_distance("RUN", "run"), 0);
    assert_int_equal(edit_distance("insect", "inspect"), 1);
}

static void assert_suggests(const char *typed, const char *expected) {
    static const char *const names[] = {"run", "new", "inspect", "archive", NULL};
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    suggest(&out, typed, names);
    assert_string_equal(buf_cstr(&out), expected);
    buf_release(&out);
}

static void near_names_and_beginnings_are_suggested(void **state) {
    (void)state;
    assert_suggests("rnu", "\n\nDid you mean this?\n\trun\n");
    assert_suggests("arch", "\n\nDid you mean this?\n\tarchive\n");
    assert_suggests("unknown-thing", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_are_counted),
        cmocka_unit_test(near_names_and_beginnings_are_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
