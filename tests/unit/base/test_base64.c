#include "unit.h"

#include "base/base64.h"
#include "base/error.h"

static const struct base64_form std_form = {BASE64_STD, false}, raw = {BASE64_STD, true},
                                url = {BASE64_URL, false}, raw_url = {BASE64_URL, true};

static void check(const char *plain, size_t len, struct base64_form form, const char *text) {
    struct buf b;
    size_t bad_byte;
    buf_init(&b, BUF_NO_CAP);
    base64_encode(&b, slice_from(plain, len), form);
    assert_string_equal(buf_cstr(&b), text);
    buf_reset(&b);
    assert_int_equal(base64_decode(&b, slice_cstr(text), form, &bad_byte), 0);
    assert_int_equal(b.len, len);
    if (len > 0)
        assert_memory_equal(b.ptr, plain, len);
    buf_release(&b);
}

static void rfc_4648_vectors_go_both_ways(void **state) {
    (void)state;
    check("", 0, std_form, "");
    check("f", 1, std_form, "Zg==");
    check("fo", 2, std_form, "Zm8=");
    check("foo", 3, std_form, "Zm9v");
    check("foob", 4, std_form, "Zm9vYg==");
    check("fooba", 5, std_form, "Zm9vYmE=");
    check("foobar", 6, std_form, "Zm9vYmFy");
}

static void alphabets_and_padding_are_the_forms(void **state) {
    (void)state;
    check("\xfb\xff\xfe\x3e", 4, std_form, "+//+Pg==");
    check("\xfb\xff\xfe\x3e", 4, raw, "+//+Pg");
    check("\xfb\xff\xfe\x3e", 4, url, "-__-Pg==");
    check("\xfb\xff\xfe\x3e", 4, raw_url, "-__-Pg");
}

static void line_breaks_are_skipped(void **state) {
    (void)state;
    struct buf b;
    size_t bad_byte;
    buf_init(&b, BUF_NO_CAP);
    assert_int_equal(base64_decode(&b, SLICE("Zm9v\r\nYm\nFy\n"), std_form, &bad_byte), 0);
    assert_string_equal(buf_cstr(&b), "foobar");
    buf_release(&b);
}

static void expect_bad(const char *text, struct base64_form form, size_t at) {
    struct buf b;
    size_t bad_byte = 999;
    buf_init(&b, BUF_NO_CAP);
    assert_int_equal(base64_decode(&b, slice_cstr(text), form, &bad_byte), KE_INVALID);
    assert_int_equal(bad_byte, at);
    buf_release(&b);
}

static void errors_tell_the_byte_that_go_tells(void **state) {
    (void)state;
    expect_bad("!!!!", std_form, 0);
    expect_bad("x===", std_form, 1);
    expect_bad("AA=A", std_form, 2);
    expect_bad("AAAA====", std_form, 4);
    expect_bad("AA", std_form, 0);
    expect_bad("AAAAA", raw, 4);
    expect_bad("AA==", raw, 2);
    expect_bad("AA==B", std_form, 4);
    expect_bad("A-AA", std_form, 1);
    expect_bad("A+AA", url, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_4648_vectors_go_both_ways),
        cmocka_unit_test(alphabets_and_padding_are_the_forms),
        cmocka_unit_test(line_breaks_are_skipped),
        cmocka_unit_test(errors_tell_the_byte_that_go_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
