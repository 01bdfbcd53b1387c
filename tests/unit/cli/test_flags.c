/* The command line by pflag's rules. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "cli/flags.h"

static const struct flag_def defs[] = {
    {"vus", 'u', FLAG_INT, NULL, "", NULL},
    {"duration", 'd', FLAG_DURATION, NULL, "", NULL},
    {"quiet", 'q', FLAG_BOOL, NULL, "", NULL},
    {"verbose", 'v', FLAG_BOOL, NULL, "", NULL},
    {"env", 'e', FLAG_LIST, NULL, "", NULL},
    {"http-debug", 0, FLAG_TEXT, NULL, "", "headers"},
    {NULL},
};
static const struct flag_def *const sets[] = {defs, NULL};

#define PARSE(...)                \
    char *argv[] = {__VA_ARGS__}; \
    struct flags f;               \
    struct error err = {0};       \
    int rc = flags_parse(sets, (int)(sizeof argv / sizeof argv[0]), argv, &f, &err)

static void values_may_stand_behind_the_name_in_four_ways(void **state) {
    (void)state;
    static const char *const forms[4][2] = {
        {"-u5", NULL}, {"-u", "5"}, {"--vus=5", NULL}, {"--vus", "5"}};
    for (int i = 0; i < 4; i++) {
        char *argv[] = {(char *)(uintptr_t)forms[i][0], (char *)(uintptr_t)forms[i][1]};
        struct flags f;
        struct error err;
        assert_int_equal(flags_parse(sets, forms[i][1] ? 2 : 1, argv, &f, &err), 0);
        assert_int_equal(flags_int(&f, "vus", 0), 5);
        flags_release(&f);
    }
}

static void flags_and_arguments_mix_until_two_dashes(void **state) {
    (void)state;
    PARSE("a.js", "-qv", "b.js", "--", "-u");
    assert_int_equal(rc, 0);
    assert_true(flags_bool(&f, "quiet", false));
    assert_true(flags_bool(&f, "verbose", false));
    assert_int_equal(f.args.len, 3);
    assert_string_equal(f.args.ptr[2], "-u");
    flags_release(&f);
}

static void the_last_value_counts_and_lists_keep_all(void **state) {
    (void)state;
    PARSE("-e", "A=1", "-u", "1", "-e=B=2", "-u", "2");
    assert_int_equal(rc, 0);
    assert_int_equal(flags_int(&f, "vus", 0), 2);
    assert_string_equal(f.uses.ptr[0].value, "A=1");
    assert_string_equal(f.uses.ptr[2].value, "B=2");
    flags_release(&f);
}

static void a_flag_with_a_bare_value_takes_no_argument(void **state) {
    (void)state;
    PARSE("--http-debug", "x.js", "--quiet=false");
    assert_int_equal(rc, 0);
    assert_string_equal(flags_text(&f, "http-debug"), "headers");
    assert_int_equal(f.args.len, 1);
    assert_false(flags_bool(&f, "quiet", true));
    flags_release(&f);
}

#define REFUSES(words, ...)                   \
    do {                                      \
        PARSE(__VA_ARGS__);                   \
        assert_int_equal(rc, KE_INVALID);     \
        assert_string_equal(err.text, words); \
        flags_release(&f);                    \
    } while (0)

static void errors_have_the_words_of_pflag(void **state) {
    (void)state;
    REFUSES("unknown flag: --nope", "--nope");
    REFUSES("unknown shorthand flag: 'x' in -qx", "-qx");
    REFUSES("flag needs an argument: --vus", "--vus");
    REFUSES("flag needs an argument: 'u' in -u", "-u");
    REFUSES(
        "invalid argument \"x\" for \"-u, --vus\" flag: strconv.ParseInt: parsing \"x\": invalid syntax",
        "-u", "x");
    REFUSES(
        "invalid argument \"soon\" for \"-d, --duration\" flag: time: invalid duration \"soon\"",
        "--duration=soon");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_may_stand_behind_the_name_in_four_ways),
        cmocka_unit_test(flags_and_arguments_mix_until_two_dashes),
        cmocka_unit_test(the_last_value_counts_and_lists_keep_all),
        cmocka_unit_test(a_flag_with_a_bare_value_takes_no_argument),
        cmocka_unit_test(errors_have_the_words_of_pflag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
