#include "ws_unit.h"

#include <stdlib.h>

#include "ws/ws_deflate.h"

static void what_is_deflated_inflates_again(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 100, 4095, 4096, 4097, 300000};
    struct buf small, back;
    struct error err;
    buf_init(&small, BUF_NO_CAP);
    buf_init(&back, 1 << 20);
    for (size_t i = 0; i < countof(sizes); i++) {
        char *text = xmalloc(sizes[i] + 1);
        for (size_t k = 0; k < sizes[i]; k++)
            text[k] = (char)(k * k % 251);
        assert_int_equal(ws_deflate(&small, slice_from(text, sizes[i])), 0);
        assert_int_equal(ws_inflate(&back, buf_slice(&small), &err), 0);
        assert_int_equal(back.len, sizes[i]);
        assert_memory_equal(back.ptr, text, sizes[i]);
        free(text);
    }
    buf_release(&small);
    buf_release(&back);
}

static void the_example_of_the_rfc_inflates(void **state) {
    (void)state;
    struct buf out;
    struct error err;
    buf_init(&out, 100);
    assert_int_equal(ws_inflate(&out, SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00"), &err), 0);
    assert_memory_equal(out.ptr, "Hello", 5);
    buf_release(&out);
}

static void a_bomb_stops_at_the_cap(void **state) {
    (void)state;
    struct buf small, out;
    struct error err;
    char *zeros = xcalloc(1, 10 << 20);
    buf_init(&small, BUF_NO_CAP);
    buf_init(&out, 1 << 20);
    assert_int_equal(ws_deflate(&small, slice_from(zeros, 10 << 20)), 0);
    assert_true(small.len < 100000);
    assert_int_equal(ws_inflate(&out, buf_slice(&small), &err), KE_TOO_LARGE);
    assert_true(out.alloc <= (1 << 20) + 1);
    free(zeros);
    buf_release(&small);
    buf_release(&out);
}

static void rubbish_is_an_error(void **state) {
    (void)state;
    struct buf out;
    struct error err;
    buf_init(&out, 1000);
    assert_int_equal(ws_inflate(&out, SLICE("\xff\xff\xff\xff"), &err), KE_INVALID);
    assert_int_equal(strncmp(err.text, "flate: corrupt input", 20), 0);
    buf_release(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_deflated_inflates_again),
        cmocka_unit_test(the_example_of_the_rfc_inflates),
        cmocka_unit_test(a_bomb_stops_at_the_cap),
        cmocka_unit_test(rubbish_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
