/* WebSocket frames, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "ws_frame.h"

static void a_header_is_read_when_it_is_complete(void **state) {
    (void)state;
    /* RFC 6455, 5.7: a masked "Hello" */
    uint8_t hello[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
    struct ws_frame frame;
    for (size_t size = 0; size < 6; size++)
        assert_int_equal(ws_frame_parse(hello, size, &frame), 0);
    assert_int_equal(ws_frame_parse(hello, 6, &frame), 1);
    assert_int_equal(frame.opcode, WS_TEXT);
    assert_true(frame.is_final);
    assert_int_equal(frame.header_bytes, 6);
    assert_int_equal(frame.payload_bytes, 5);
    ws_frame_unmask(hello + 6, 5, frame.mask);
    assert_memory_equal(hello + 6, "Hello", 5);
}

static void long_lengths(void **state) {
    (void)state;
    const uint8_t medium[] = {0x82, 0xfe, 0x01, 0x00, 1, 2, 3, 4};
    const uint8_t large[] = {0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4};
    const uint8_t negative[] = {0x82, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4};
    struct ws_frame frame;
    assert_int_equal(ws_frame_parse(medium, sizeof medium, &frame), 1);
    assert_int_equal(frame.payload_bytes, 256);
    assert_int_equal(ws_frame_parse(large, sizeof large, &frame), 1);
    assert_int_equal(frame.payload_bytes, 65536);
    assert_int_equal(ws_frame_parse(large, sizeof large - 1, &frame), 0);
    assert_int_equal(ws_frame_parse(negative, sizeof negative, &frame), KE_INVALID);
}

static void breaches_are_refused(void **state) {
    (void)state;
    static const uint8_t cases[][2] = {
        {0x81, 0x05}, /* no mask */
        {0xc1, 0x85}, /* reserved bit */
        {0x83, 0x85}, /* reserved opcode */
        {0x09, 0x80}, /* ping in parts */
        {0x89, 0xfe}, /* long ping */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ws_frame frame;
        assert_int_equal(ws_frame_parse(cases[i], 2, &frame), KE_INVALID);
    }
}

static void headers_are_written_in_their_shortest_form(void **state) {
    (void)state;
    uint8_t out[WS_HEADER_MAX_BYTES];
    assert_int_equal(ws_frame_header(WS_TEXT, 125, out), 2);
    assert_memory_equal(out, "\x81\x7d", 2);
    assert_int_equal(ws_frame_header(WS_TEXT, 126, out), 4);
    assert_memory_equal(out, "\x81\x7e\x00\x7e", 4);
    assert_int_equal(ws_frame_header(WS_CLOSE, 65536, out), 10);
    assert_memory_equal(out, "\x88\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10);
}

static void the_accept_key_of_the_rfc(void **state) {
    (void)state;
    char accept[WS_ACCEPT_BYTES];
    ws_accept_key("dGhlIHNhbXBsZSBub25jZQ==", accept);
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_read_when_it_is_complete),
        cmocka_unit_test(long_lengths),
        cmocka_unit_test(breaches_are_refused),
        cmocka_unit_test(headers_are_written_in_their_shortest_form),
        cmocka_unit_test(the_accept_key_of_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
