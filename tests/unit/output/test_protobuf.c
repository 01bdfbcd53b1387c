#include "unit.h"

#include "output/protobuf.h"

/* Known bytes: the examples of protobuf's own documentation of its encoding. */
static void fields_have_the_bytes_of_the_encoding(void **state) {
    struct buf b;
    (void)state;
    buf_init(&b, BUF_NO_CAP);
    pb_uint(&b, 1, 150);
    assert_memory_equal(b.ptr, "\x08\x96\x01", 3);
    assert_int_equal(b.len, 3);
    buf_reset(&b);
    pb_bytes(&b, 2, S("testing"));
    assert_int_equal(b.len, 9);
    assert_memory_equal(b.ptr, "\x12\x07testing", 9);
    buf_reset(&b);
    pb_int(&b, 1, -2);
    assert_int_equal(b.len, 11);
    assert_memory_equal(b.ptr, "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
    buf_reset(&b);
    pb_sint(&b, 1, -2);
    assert_memory_equal(b.ptr, "\x08\x03", 2);
    buf_reset(&b);
    pb_double(&b, 1, 1.0);
    assert_memory_equal(b.ptr, "\x09\x00\x00\x00\x00\x00\x00\xf0\x3f", 9);
    buf_release(&b);
}

static void messages_of_every_length_are_written_in_place(void **state) {
    static const size_t lengths[] = {0, 1, 127, 128, 129, 16383, 16384, 70000};
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct buf b;
        struct pb_field f, inner;
        buf_init(&b, BUF_NO_CAP);
        size_t outer = pb_begin(&b, 3), at = pb_begin(&b, 4);
        for (size_t k = 0; k < lengths[i]; k++)
            buf_append_char(&b, 'x');
        pb_end(&b, at);
        pb_end(&b, outer);
        struct pb_reader r = pb_reader_of(buf_slice(&b));
        assert_true(pb_read(&r, &f));
        assert_int_equal(f.number, 3);
        struct pb_reader within = pb_reader_of(f.bytes);
        assert_true(pb_read(&within, &inner));
        assert_int_equal(inner.bytes.len, lengths[i]);
        assert_ptr_equal(within.at, within.end);
        assert_false(pb_read(&r, &f));
        buf_release(&b);
    }
}

static void every_prefix_of_a_message_is_read_without_harm(void **state) {
    struct buf b;
    (void)state;
    buf_init(&b, BUF_NO_CAP);
    pb_uint(&b, 1, UINT64_MAX);
    pb_fixed64(&b, 2, 7);
    pb_bytes(&b, 3, S("text"));
    buf_append(&b, "\x25\x01\x02\x03\x04", 5); /* fixed32, field 4 */
    for (size_t len = 0; len <= b.len; len++) {
        char *copy = malloc(len + 1);
        memcpy(copy, b.ptr, len);
        struct pb_reader r = pb_reader_of(slice_from(copy, len));
        struct pb_field f;
        int n = 0;
        while (pb_read(&r, &f))
            n++;
        assert_int_equal(n, len == b.len ? 4 : len >= 11 + 9 + 6 ? 3 : len >= 20 ? 2 : len >= 11);
        free(copy);
    }
    buf_release(&b);
}

static void what_is_no_message_is_not_read(void **state) {
    static const struct slice bad[] = {
        SLICE("\x00\x01"),                                     /* field 0 */
        SLICE("\x0b"),                                         /* a group */
        SLICE("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* longer than memory */
        SLICE("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pb_reader r = pb_reader_of(bad[i]);
        struct pb_field f;
        assert_false(pb_read(&r, &f));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_have_the_bytes_of_the_encoding),
        cmocka_unit_test(messages_of_every_length_are_written_in_place),
        cmocka_unit_test(every_prefix_of_a_message_is_read_without_harm),
        cmocka_unit_test(what_is_no_message_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
