#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "js/js_alloc.h"

#define N 2000

static uint32_t next_random(uint32_t *x) {
    *x = *x * 1664525 + 1013904223;
    return *x >> 8;
}

static void blocks_keep_their_bytes(void **state) {
    (void)state;
    struct js_alloc *a = js_alloc_ref();
    JSMallocState s = {.malloc_limit = (size_t)-1, .opaque = a};
    struct {
        unsigned char *ptr;
        size_t len;
    } blocks[N] = {{0}};
    uint32_t x = 1;
    for (int step = 0; step < 200000; step++) {
        size_t i = next_random(&x) % N;
        size_t len = next_random(&x) % (next_random(&x) % 8 == 0 ? 5000 : 300) + 1;
        unsigned char mark = (unsigned char)i;
        for (size_t k = 0; k < blocks[i].len; k++)
            assert_int_equal(blocks[i].ptr[k], mark);
        if (blocks[i].ptr && next_random(&x) % 2) {
            js_alloc_functions.js_free(&s, blocks[i].ptr);
            blocks[i].ptr = NULL;
            blocks[i].len = 0;
            continue;
        }
        size_t old = blocks[i].len;
        blocks[i].ptr = js_alloc_functions.js_realloc(&s, blocks[i].ptr, len);
        for (size_t k = 0; k < (old < len ? old : len); k++)
            assert_int_equal(blocks[i].ptr[k], mark);
        assert_true(js_alloc_functions.js_malloc_usable_size(blocks[i].ptr) >= len);
        memset(blocks[i].ptr, mark, len);
        blocks[i].len = len;
    }
    for (size_t i = 0; i < N; i++)
        js_alloc_functions.js_free(&s, blocks[i].ptr);
    assert_int_equal(s.malloc_count, 0);
    assert_int_equal(s.malloc_size, 0);
    js_alloc_unref(a);
}

static void the_limit_holds(void **state) {
    (void)state;
    struct js_alloc *a = js_alloc_ref();
    JSMallocState s = {.malloc_limit = 1000, .opaque = a};
    void *p = js_alloc_functions.js_malloc(&s, 500);
    assert_non_null(p);
    assert_null(js_alloc_functions.js_malloc(&s, 600));
    assert_null(js_alloc_functions.js_realloc(&s, p, 2000));
    js_alloc_functions.js_free(&s, p);
    assert_non_null(p = js_alloc_functions.js_malloc(&s, 900));
    js_alloc_functions.js_free(&s, p);
    js_alloc_unref(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_keep_their_bytes),
        cmocka_unit_test(the_limit_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
