#include "unit.h"

#include "base/buf.h"
#include "base/error.h"

static void append_joins_pieces(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    assert_int_equal(buf_append_str(&b, "ab"), 0);
    assert_int_equal(buf_append_char(&b, 'c'), 0);
    assert_int_equal(buf_printf(&b, "%d-%s", 42, "x"), 0);
    assert_string_equal(buf_cstr(&b), "abc42-x");
    buf_release(&b);
}

static void printf_longer_than_room_is_complete(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    assert_int_equal(buf_printf(&b, "%0200d", 7), 0);
    assert_int_equal(b.len, 200);
    assert_int_equal(b.ptr[199], '7');
    buf_release(&b);
}

static void growth_past_cap_fails_and_keeps_content(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 4);
    assert_int_equal(buf_append(&b, "abcd", 4), 0);
    assert_int_equal(buf_append_char(&b, 'e'), KE_TOO_LARGE);
    assert_int_equal(buf_printf(&b, "%s", "e"), KE_TOO_LARGE);
    assert_string_equal(buf_cstr(&b), "abcd");
    buf_release(&b);
}

static void consume_drops_from_the_front(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    buf_append_str(&b, "hello");
    buf_consume(&b, 2);
    assert_string_equal(buf_cstr(&b), "llo");
    buf_consume(&b, 3);
    assert_int_equal(b.len, 0);
    buf_release(&b);
}

static void detach_gives_terminated_memory(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    size_t len = 9;
    char *empty = buf_detach(&b, &len);
    assert_string_equal(empty, "");
    assert_int_equal(len, 0);
    free(empty);
    buf_append_str(&b, "xyz");
    char *text = buf_detach(&b, &len);
    assert_string_equal(text, "xyz");
    assert_int_equal(len, 3);
    assert_null(b.ptr);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(append_joins_pieces),
        cmocka_unit_test(printf_longer_than_room_is_complete),
        cmocka_unit_test(growth_past_cap_fails_and_keeps_content),
        cmocka_unit_test(consume_drops_from_the_front),
        cmocka_unit_test(detach_gives_terminated_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
