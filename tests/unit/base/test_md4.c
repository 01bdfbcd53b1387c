#include "unit.h"

#include "base/md4.h"

static void check(const char *text, size_t step, const char *hex) {
    struct md4 m;
    uint8_t sum[MD4_BYTES];
    char out[2 * MD4_BYTES + 1];
    md4_init(&m);
    for (size_t at = 0, len = strlen(text); at < len; at += step)
        md4_update(&m, text + at, len - at < step ? len - at : step);
    md4_sum(&m, sum);
    for (size_t i = 0; i < MD4_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02x", sum[i]);
    assert_string_equal(out, hex);
}

static const char digits[] =
    "12345678901234567890123456789012345678901234567890123456789012345678901234567890";

static void rfc_1320_vectors(void **state) {
    (void)state;
    check("", 1, "31d6cfe0d16ae931b73c59d7e0c089c0");
    check("a", 1, "bde52cb31de33e46245e05fbdbd6fb24");
    check("abc", 3, "a448017aaf21d8525fc10ae87aa6729d");
    check("message digest", 14, "d9130a8164549fe818874806e1c7014b");
    check("abcdefghijklmnopqrstuvwxyz", 26, "d79e1c308aa5bbcdeea8ed63df412da9");
    check(digits, 80, "e33b4ddc9c38f2199c3e7b164fcc0536");
}

static void sums_do_not_depend_on_the_pieces(void **state) {
    (void)state;
    for (size_t step = 1; step < 80; step++)
        check(digits, step, "e33b4ddc9c38f2199c3e7b164fcc0536");
}

static void a_sum_leaves_the_hash_open(void **state) {
    (void)state;
    struct md4 m;
    uint8_t first[MD4_BYTES], again[MD4_BYTES];
    md4_init(&m);
    md4_update(&m, "ab", 2);
    md4_sum(&m, first);
    md4_sum(&m, again);
    assert_memory_equal(first, again, MD4_BYTES);
    md4_update(&m, "c", 1);
    md4_sum(&m, again);
    assert_memory_equal(again, "\xa4\x48\x01\x7a\xaf\x21\xd8\x52\x5f\xc1\x0a\xe8\x7a\xa6\x72\x9d",
                        MD4_BYTES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_1320_vectors),
        cmocka_unit_test(sums_do_not_depend_on_the_pieces),
        cmocka_unit_test(a_sum_leaves_the_hash_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
