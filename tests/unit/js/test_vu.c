#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fixture.h"

static void expect(const char *source, int n, const char *log) {
    struct fixture f;
    fixture_init(&f);
    fixture_script(&f, source, n);
    assert_string_equal(fixture_log(&f), log);
    fixture_release(&f);
}

static void default_function_runs_per_iteration(void **state) {
    (void)state;
    expect("export default function () { console.log('hi', __VU, __ITER); }", 2,
           "info: hi 1 0\ninfo: hi 1 1\n");
}

static void init_code_runs_once_per_vu(void **state) {
    (void)state;
    expect("console.log('init', __VU); export default function () {}", 3,
           "info: init 0\ninfo: init 1\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_function_runs_per_iteration),
        cmocka_unit_test(init_code_runs_once_per_vu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
