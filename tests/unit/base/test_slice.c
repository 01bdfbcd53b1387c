#include "unit.h"

#include "base/slice.h"
#include "base/utf8.h"

static void ieq_ignores_ascii_case_only(void **state) {
    (void)state;
    assert_true(slice_ieq(SLICE("Content-Type"), SLICE("content-TYPE")));
    assert_false(slice_ieq(SLICE("a"), SLICE("ab")));
    assert_false(slice_ieq(SLICE("@"), SLICE("`")));
}

static void starts_and_ends(void **state) {
    (void)state;
    assert_true(slice_starts(SLICE("http://x"), SLICE("http://")));
    assert_false(slice_starts(SLICE("htt"), SLICE("http")));
    assert_true(slice_ends(SLICE("a.gz"), SLICE(".gz")));
    assert_false(slice_ends(SLICE("gz"), SLICE(".gz")));
    assert_true(slice_starts(SLICE(""), SLICE("")));
}

static void trim_takes_white_space_off_both_ends(void **state) {
    (void)state;
    assert_true(slice_eq(slice_trim(SLICE(" \t a b\r\n")), SLICE("a b")));
    assert_int_equal(slice_trim(SLICE("  ")).len, 0);
}

static void cut_walks_a_list(void **state) {
    (void)state;
    struct slice rest = SLICE("a,,b");
    assert_true(slice_eq(slice_cut(&rest, ','), SLICE("a")));
    assert_true(slice_eq(slice_cut(&rest, ','), SLICE("")));
    assert_non_null(rest.ptr);
    assert_true(slice_eq(slice_cut(&rest, ','), SLICE("b")));
    assert_null(rest.ptr);
}

static void to_u64_refuses_overflow_and_signs(void **state) {
    (void)state;
    uint64_t v = 0;
    assert_true(slice_to_u64(SLICE("18446744073709551615"), &v));
    assert_true(v == UINT64_MAX);
    assert_false(slice_to_u64(SLICE("18446744073709551616"), &v));
    assert_false(slice_to_u64(SLICE("-1"), &v));
    assert_false(slice_to_u64(SLICE(""), &v));
}

static void hash_depends_on_every_byte(void **state) {
    (void)state;
    char text[40];
    memset(text, 'a', sizeof text);
    for (size_t len = 1; len <= sizeof text; len++) {
        uint64_t before = hash_bytes(text, len);
        for (size_t i = 0; i < len; i++) {
            text[i] = 'b';
            assert_true(hash_bytes(text, len) != before);
            text[i] = 'a';
        }
        assert_true(hash_bytes(text, len - 1) != before);
    }
}

static void utf8_counts_runes(void **state) {
    (void)state;
    assert_int_equal(utf8_length(SLICE("a\xc3\xa9\xe2\x9c\x93")), 3);
    assert_int_equal(utf8_length(SLICE("\xff\xc0\xaf")), 3);
    assert_int_equal(utf8_length(SLICE("\xe2\x9c")), 2);
    assert_int_equal(utf8_prefix_bytes(SLICE("\xc3\xa9\xc3\xa9"), 1), 2);
}

static void utf8_is_valid_looks_at_every_byte(void **state) {
    (void)state;
    assert_true(utf8_is_valid(SLICE("")));
    assert_true(utf8_is_valid(SLICE("plain ASCII, then \xc3\xa9 and \xf0\x9f\x98\x80")));
    char text[] = "0123456789abcdef";
    for (size_t i = 0; i < 16; i++) {
        text[i] = '\xff';
        assert_false(utf8_is_valid(slice_from(text, 16)));
        text[i] = 'x';
    }
    assert_false(utf8_is_valid(SLICE("cut off: \xe2\x9c")));
    assert_false(utf8_is_valid(SLICE("a surrogate: \xed\xa0\x80")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ieq_ignores_ascii_case_only),
        cmocka_unit_test(starts_and_ends),
        cmocka_unit_test(trim_takes_white_space_off_both_ends),
        cmocka_unit_test(cut_walks_a_list),
        cmocka_unit_test(to_u64_refuses_overflow_and_signs),
        cmocka_unit_test(hash_depends_on_every_byte),
        cmocka_unit_test(utf8_counts_runes),
        cmocka_unit_test(utf8_is_valid_looks_at_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
