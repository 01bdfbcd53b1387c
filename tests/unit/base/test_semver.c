/* Constraints: what they allow, how they are printed, what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/semver.h"

static bool allows(const char *constraint, const char *version) {
    struct error err;
    struct semver v;
    struct semver_constraints *c = semver_constraints_new(slice_cstr(constraint), &err);
    if (!c)
        fail_msg("%s: %s", constraint, err.text);
    if (!semver_parse(slice_cstr(version), &v))
        fail_msg("no version: %s", version);
    bool is_good = semver_constraints_allow(c, &v);
    semver_constraints_free(c);
    return is_good;
}

static void constraints_allow_what_the_go_library_does(void **state) {
    (void)state;
    /* Constraint, versions that it allows, versions that it does not. */
    static const char *const cases[][3] = {
        {"*", "v2.2.0 0.0.1", ""},
        {">= 1.0", "1.0.0 2.2.0", "0.9.9"},
        {">=1.2.3", "1.2.3 1.10.0", "1.2.2"},
        {"=>1", "1.0.0", "0.9.0"},
        {"> 1", "2.0.0", "1.9.9 1.0.0"},
        {"> 1.2", "1.3.0", "1.2.9"},
        {"> 1.2.3", "1.2.4", "1.2.3"},
        {"< 2", "1.9.9", "2.0.0"},
        {"<=2", "2.9.9 1.0.0", "3.0.0"},
        {"<=2.1", "2.1.9", "2.2.0"},
        {"1.2.3", "1.2.3", "1.2.4"},
        {"1.2", "1.2.0 1.2.9", "1.3.0"},
        {"=1", "1.0.0 1.9.0", "2.0.0"},
        {"1.x", "1.5.0", "2.0.0 0.9.0"},
        {"!=1.2.3", "1.2.4", "1.2.3"},
        {"!=1.2", "1.3.0 2.0.0", "1.2.5"},
        {"!=1", "2.0.0", "1.2.5"},
        {"~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2"},
        {"~1", "1.9.0", "2.0.0"},
        {"~>2.1", "2.1.5", "2.2.0"},
        {"~*", "9.9.9", ""},
        {"^1.2.3", "1.2.3 1.9.0", "2.0.0 1.2.2"},
        {"^0.2.3", "0.2.3 0.2.9", "0.3.0 1.0.0"},
        {"^0.0.3", "0.0.3", "0.0.4 0.1.0"},
        {"^0.0", "0.0.9", "0.1.0"},
        {"^0", "0.9.0", "1.0.0"},
        {">=1.2, <2", "1.2.0 1.9.9", "2.0.0 1.1.0"},
        {">=1.2 <2", "1.2.0", "2.0.0"},
        {"<1 || >=2", "0.5.0 2.0.0", "1.5.0"},
        {"1.2 - 1.4", "1.2.0 1.4.9", "1.5.0 1.1.9"},
        {">=2.0.0-0", "2.0.0-rc.1 2.0.0 2.1.0-a", "1.9.9"},
        {">=2.0.0", "2.0.1", "2.1.0-rc1"},
        {">1.0.0-alpha.1", "1.0.0-alpha.2 1.0.0-alpha.beta 1.0.0-alpha.1.1 1.0.0",
         "1.0.0-alpha.1 1.0.0-1"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        for (int k = 1; k <= 2; k++) {
            struct slice rest = slice_cstr(cases[i][k]);
            while (rest.ptr && rest.len) {
                char *version = slice_dup(slice_cut(&rest, ' '));
                if (allows(cases[i][0], version) != (k == 1))
                    fail_msg("%s and %s", cases[i][0], version);
                free(version);
            }
        }
    }
}

static void they_are_printed_without_spaces(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {">= 1.2.3", ">=1.2.3"},  {"  v1.x ", "v1.x"},
        {">=1, <2", ">=1 <2"},    {"^ 1 ||  ~ 2.0", "^1 || ~2.0"},
        {"1 - 2.3", ">=1 <=2.3"}, {"1.0.0-rc.1+build.5", "1.0.0-rc.1+build.5"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct buf out;
        struct error err;
        buf_init(&out, BUF_NO_CAP);
        struct semver_constraints *c = semver_constraints_new(slice_cstr(cases[i][0]), &err);
        assert_non_null(c);
        semver_constraints_print(c, &out);
        assert_string_equal(buf_cstr(&out), cases[i][1]);
        semver_constraints_free(c);
        buf_release(&out);
    }
}

static void what_is_no_constraint_is_told(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", "improper constraint: \"\""},
        {"latest", "improper constraint: \"latest\""},
        {"1.2.3.4", "improper constraint: \"1.2.3.4\""},
        {">=1<2", "improper constraint: \">=1<2\""},
        {">=", "improper constraint: \">=\""},
        {"1 || foo", "improper constraint: \" foo\""},
        {">>1", "improper constraint: \">>1\""},
        {"1,", "improper constraint: \"1,\""},
        {"1xx", "improper constraint: \"1xx\""},
        {"1.0.0-", "improper constraint: \"1.0.0-\""},
        {"1.0.0-a..b", "improper constraint: \"1.0.0-a..b\""},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct error err = {.code = 0};
        struct semver_constraints *c = semver_constraints_new(slice_cstr(cases[i][0]), &err);
        if (c)
            fail_msg("%s is a constraint", cases[i][0]);
        assert_string_equal(err.text, cases[i][1]);
    }
    char many[513];
    memset(many, '1', sizeof many);
    struct error err;
    assert_null(semver_constraints_new(slice_from(many, sizeof many), &err));
    assert_string_equal(err.text, "constraint string is too long (max 512 bytes)");
}

static void versions(void **state) {
    (void)state;
    struct semver v;
    assert_true(semver_parse(SLICE("v2.2.0"), &v));
    assert_int_equal(v.major, 2);
    assert_int_equal(v.minor, 2);
    assert_false(semver_parse(SLICE("x"), &v));
    assert_false(semver_parse(SLICE("1.2.3 "), &v));
    assert_false(semver_parse(SLICE(""), &v));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constraints_allow_what_the_go_library_does),
        cmocka_unit_test(they_are_printed_without_spaces),
        cmocka_unit_test(what_is_no_constraint_is_told),
        cmocka_unit_test(versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
