/* The codec: bytes on the wire beside the events expected, in pieces of every size. */
#include "ws_unit.h"

#include <stdlib.h>

#include "ws/ws_frame.h"

#define MAX_MESSAGE 70000

static void describe(struct buf *out, const struct ws_event *e) {
    static const char *const names[16] = {[WS_TEXT] = "text",
                                          [WS_BINARY] = "binary",
                                          [WS_CLOSE] = "close",
                                          [WS_PING] = "ping",
                                          [WS_PONG] = "pong"};
    buf_printf(out, "%s", names[e->opcode]);
    if (e->is_compressed)
        buf_append_str(out, "*");
    if (e->opcode == WS_CLOSE)
        buf_printf(out, " %d", e->close_code);
    if (e->data.len > 200)
        buf_printf(out, " (%zu)", e->data.len);
    else if (e->data.len)
        buf_printf(out, " %.*s", SLICE_FMT(e->data));
    buf_append_str(out, ";");
}

/* Feeds the wire in pieces of `step` bytes, each in a block of its own size. */
static char *events_of(struct slice wire, size_t step, bool is_server, bool may_deflate) {
    struct ws_decoder d;
    struct ws_event e;
    struct error err = {0};
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    ws_decoder_init(&d, is_server, MAX_MESSAGE);
    d.may_deflate = may_deflate;
    int rc = 0;
    while (wire.len && rc >= 0) {
        size_t n = wire.len < step ? wire.len : step, used;
        char *piece = xmalloc(n);
        struct slice rest = slice_from(piece, n);
        memcpy(piece, wire.ptr, n);
        wire = slice_from(wire.ptr + n, wire.len - n);
        do {
            rc = ws_decoder_feed(&d, rest, &used, &e, &err);
            assert_true(used <= rest.len);
            rest = slice_from(rest.ptr + used, rest.len - used);
            if (rc > 0)
                describe(&out, &e);
            else if (rc < 0)
                buf_printf(&out, "%s -> %d", err.text, e.close_code);
        } while (rc > 0 && rest.len);
        assert_true(rc != 0 || rest.len == 0);
        free(piece);
    }
    ws_decoder_release(&d);
    return buf_detach(&out, NULL);
}

static void gives(struct slice wire, const char *expected) {
    static const size_t steps[] = {1, 2, 3, 5, 7, 64, 1000000};
    for (size_t i = 0; i < countof(steps); i++) {
        char *got = events_of(wire, steps[i], false, false);
        if (strcmp(got, expected) != 0)
            fail_msg("in pieces of %zu: \"%s\" != \"%s\"", steps[i], got, expected);
        free(got);
    }
}

static void messages_and_fragments(void **state) {
    (void)state;
    gives(SLICE("\x81\x05hello"), "text hello;");
    gives(SLICE("\x82\x03"
                "abc"
                "\x81\x00"),
          "binary abc;text;");
    gives(SLICE("\x01\x03"
                "one"
                "\x00\x01-"
                "\x80\x03"
                "two"),
          "text one-two;");
    gives(SLICE("\x01\x00\x80\x00"), "text;");
    gives(SLICE("\x01\x03"
                "one"
                "\x89\x03mid"
                "\x8a\x00"
                "\x80\x03"
                "two"),
          "ping mid;pong;text onetwo;");
    /* Text is not checked to be UTF-8, as in k6. */
    gives(SLICE("\x81\x02\xff\xfe"), "text \xff\xfe;");
}

static void lengths_of_two_and_eight_bytes(void **state) {
    (void)state;
    char *wire = xmalloc(70014);
    memset(wire, 'x', 70014);
    memcpy(wire, "\x82\x7e\x00\xc9", 4);
    gives(slice_from(wire, 4 + 201), "binary (201);");
    memcpy(wire, "\x82\x7e\x03\xe8", 4);
    gives(slice_from(wire, 4 + 1000), "binary (1000);");
    memcpy(wire, "\x82\x7f\0\0\0\0\0\x01\x11\x70", 10);
    gives(slice_from(wire, 10 + 70000), "binary (70000);");
    free(wire);
}

static void breaches_have_gorillas_words(void **state) {
    (void)state;
    gives(SLICE("\xf3\x00"), "websocket: RSV1 set, RSV2 set, RSV3 set, bad opcode 3 -> 1002");
    gives(SLICE("\x81\x81"), "websocket: bad MASK -> 1002");
    gives(SLICE("\x80\x00"), "websocket: continuation after FIN -> 1002");
    gives(SLICE("\x01\x00\x81\x00"), "websocket: data before FIN -> 1002");
    gives(SLICE("\x09\x00"), "websocket: FIN not set on control -> 1002");
    gives(SLICE("\x89\x7e"), "websocket: len > 125 for control -> 1002");
    gives(SLICE("\x8f\x00"), "websocket: bad opcode 15 -> 1002");
    gives(SLICE("\x81\x02ok\xc1\x00"), "text ok;websocket: RSV1 set -> 1002");
}

static void close_frames(void **state) {
    (void)state;
    gives(SLICE("\x88\x00"), "close 1005;");
    gives(SLICE("\x88\x01x"), "close 1005;");
    gives(SLICE("\x88\x02\x03\xe8"), "close 1000;");
    gives(SLICE("\x88\x05\x0f\xa5why"), "close 4005 why;");
    gives(SLICE("\x88\x04\x03\xe8\xff\xfe"),
          "websocket: invalid utf8 payload in close frame -> 1002");
    static const struct {
        int code;
        bool is_valid;
    } codes[] = {{999, false},  {1000, true}, {1003, true}, {1004, false}, {1005, false},
                 {1006, false}, {1007, true}, {1013, true}, {1014, false}, {1015, false},
                 {2999, false}, {3000, true}, {4999, true}, {5000, false}, {0, false}};
    for (size_t i = 0; i < countof(codes); i++) {
        char wire[4] = {(char)0x88, 2, (char)(codes[i].code >> 8), (char)codes[i].code}, text[64];
        if (codes[i].is_valid)
            snprintf(text, sizeof text, "close %d;", codes[i].code);
        else
            snprintf(text, sizeof text, "websocket: bad close code %d -> 1002", codes[i].code);
        gives(slice_from(wire, 4), text);
    }
}

static void a_message_beyond_the_cap_is_refused_before_it_comes(void **state) {
    (void)state;
    gives(SLICE("\x82\x7f\0\0\0\0\0\x01\x11\x71"), "websocket: read limit exceeded -> 1009");
    gives(SLICE("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"),
          "websocket: read limit exceeded -> 1009");
    gives(SLICE("\x02\x01x\x80\x7f\0\0\0\0\0\x01\x11\x70"),
          "websocket: read limit exceeded -> 1009");
}

static void compressed_messages_are_marked(void **state) {
    (void)state;
    char *got = events_of(SLICE("\x41\x01x\x80\x01y\x81\x01z"), 1, false, true);
    assert_string_equal(got, "text* xy;text z;");
    free(got);
}

static void what_is_written_can_be_read(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 7, 8, 9, 125, 126, 127, 65535, 65536};
    const uint8_t mask[4] = {0x12, 0x34, 0x56, 0x78};
    for (size_t i = 0; i < countof(sizes); i++) {
        size_t n = sizes[i];
        uint8_t *wire = xmalloc(WS_HEADER_MAX + n);
        size_t at = ws_header_write(wire, WS_BINARY, true, false, n, mask);
        memset(wire + at, 'm', n);
        ws_mask(wire + at, n, mask, 0);
        assert_true(n < 2 || wire[at] != 'm');
        struct slice all = slice_from((const char *)wire, at + n);
        for (size_t step = 1; step < 20; step += 6) {
            struct ws_decoder d;
            struct ws_event e = {.opcode = WS_CONTINUATION};
            struct error err;
            struct slice rest = all;
            int rc = 0;
            ws_decoder_init(&d, true, MAX_MESSAGE);
            while (rest.len && rc == 0) {
                size_t used;
                rc = ws_decoder_feed(&d, slice_from(rest.ptr, rest.len < step ? rest.len : step),
                                     &used, &e, &err);
                rest = slice_from(rest.ptr + used, rest.len - used);
            }
            assert_int_equal(rc, 1);
            assert_int_equal(e.data.len, n);
            for (size_t k = 0; k < n; k++)
                assert_int_equal(e.data.ptr[k], 'm');
            ws_decoder_release(&d);
        }
        free(wire);
    }
}

static void masking_may_begin_anywhere(void **state) {
    (void)state;
    const uint8_t mask[4] = {1, 2, 3, 4};
    uint8_t whole[37], pieces[37];
    for (size_t i = 0; i < sizeof whole; i++)
        whole[i] = pieces[i] = (uint8_t)(i * 7);
    ws_mask(whole, sizeof whole, mask, 0);
    for (size_t at = 0; at < sizeof pieces;) {
        size_t n = at % 11 + 1;
        n = n < sizeof pieces - at ? n : sizeof pieces - at;
        ws_mask(pieces + at, n, mask, at);
        at += n;
    }
    assert_memory_equal(whole, pieces, sizeof whole);
}

static void close_payloads_are_cut_to_what_a_control_frame_holds(void **state) {
    (void)state;
    uint8_t out[WS_CONTROL_MAX];
    char reason[200];
    memset(reason, 'r', sizeof reason);
    assert_int_equal(ws_close_payload(out, WS_CLOSE_NO_STATUS, SLICE("x")), 0);
    assert_int_equal(ws_close_payload(out, 1001, SLICE("bye")), 5);
    assert_memory_equal(out,
                        "\x03\xe9"
                        "bye",
                        5);
    assert_int_equal(ws_close_payload(out, 1001, slice_from(reason, sizeof reason)), 125);
}

static void close_errors_have_gorillas_words(void **state) {
    (void)state;
    struct error err;
    ws_close_error(&err, 1006, SLICE("unexpected EOF"));
    assert_string_equal(err.text, "websocket: close 1006 (abnormal closure): unexpected EOF");
    ws_close_error(&err, 4005, SLICE(""));
    assert_string_equal(err.text, "websocket: close 4005");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_and_fragments),
        cmocka_unit_test(lengths_of_two_and_eight_bytes),
        cmocka_unit_test(breaches_have_gorillas_words),
        cmocka_unit_test(close_frames),
        cmocka_unit_test(a_message_beyond_the_cap_is_refused_before_it_comes),
        cmocka_unit_test(compressed_messages_are_marked),
        cmocka_unit_test(what_is_written_can_be_read),
        cmocka_unit_test(masking_may_begin_anywhere),
        cmocka_unit_test(close_payloads_are_cut_to_what_a_control_frame_holds),
        cmocka_unit_test(close_errors_have_gorillas_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
