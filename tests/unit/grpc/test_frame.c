/* Messages on a stream, the words of statuses, and metadata: what needs no connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/percent.h"
#include "grpc/grpc_frame.h"
#include "grpc/grpc_metadata.h"
#include "grpc/grpc_wire.h"
#include "http/compression.h"

#define MAX 64

static int read_frame(struct slice in, struct grpc_frame *f, struct grpc_status *status) {
    return grpc_frame_read(in, MAX, f, status);
}

static void a_message_is_there_once_its_last_byte_is(void **state) {
    const char wire[] = "\0\0\0\0\3abc\0\0\0\0\0";
    struct grpc_status status;
    struct grpc_frame f;
    (void)state;
    grpc_status_init(&status);
    for (size_t n = 0; n < 8; n++)
        assert_int_equal(read_frame(slice_from(wire, n), &f, &status), 0);
    assert_int_equal(read_frame(slice_from(wire, 8), &f, &status), 1);
    assert_true(slice_eq(f.message, SLICE("abc")));
    assert_int_equal(f.bytes, 8);
    assert_int_equal(read_frame(slice_from(wire + 8, 5), &f, &status), 1);
    assert_int_equal(f.message.len, 0);
    grpc_status_release(&status);
}

static void what_is_too_large_is_refused_by_its_prefix(void **state) {
    struct grpc_status status;
    struct grpc_frame f;
    (void)state;
    grpc_status_init(&status);
    assert_int_equal(read_frame(slice_from("\0\0\0\0\x41", 5), &f, &status), -1);
    assert_int_equal(status.code, GRPC_RESOURCE_EXHAUSTED);
    assert_string_equal(buf_cstr(&status.message),
                        "grpc: received message larger than max (65 vs. 64)");
    assert_int_equal(read_frame(slice_from("\0\xff\xff\xff\xff", 5), &f, &status), -1);
    assert_int_equal(read_frame(slice_from("\7\0\0\0\0", 5), &f, &status), -1);
    assert_string_equal(buf_cstr(&status.message), "grpc: received unexpected payload format 7");
    grpc_status_release(&status);
}

static void a_prefix_holds_four_bytes_of_length(void **state) {
    char prefix[GRPC_PREFIX_BYTES];
    (void)state;
    grpc_prefix_write(prefix, 0x01020304);
    assert_memory_equal(prefix, "\0\1\2\3\4", 5);
}

static bool open_frame(struct grpc_frame *f, const char *encoding, struct grpc_status *status,
                       struct buf *out) {
    struct slice message;
    struct buf room;
    buf_init(&room, 0);
    bool ok = grpc_frame_open(f, slice_cstr(encoding), MAX, &room, &message, status);
    buf_reset(out);
    if (ok)
        buf_append_slice(out, message);
    buf_release(&room);
    return ok;
}

static void compressed_messages_are_opened_within_the_limit(void **state) {
    struct grpc_status status;
    struct grpc_frame f = {.is_compressed = true};
    struct buf packed, encoding, out;
    char big[MAX + 1];
    (void)state;
    grpc_status_init(&status);
    buf_init(&packed, BUF_NO_CAP);
    buf_init(&encoding, BUF_NO_CAP);
    buf_init(&out, BUF_NO_CAP);
    memset(big, 'a', sizeof big);
    assert_int_equal(http_compress(SLICE("gzip"), slice_from(big, MAX), &packed, &encoding, NULL),
                     0);
    f.message = buf_slice(&packed);
    assert_true(open_frame(&f, "gzip", &status, &out));
    assert_int_equal(out.len, MAX);
    assert_false(open_frame(&f, "", &status, &out));
    assert_string_equal(buf_cstr(&status.message),
                        "grpc: compressed flag set with identity or empty encoding");
    assert_false(open_frame(&f, "br", &status, &out));
    assert_string_equal(buf_cstr(&status.message),
                        "grpc: Decompressor is not installed for grpc-encoding \"br\"");
    buf_reset(&packed);
    assert_int_equal(
        http_compress(SLICE("gzip"), slice_from(big, MAX + 1), &packed, &encoding, NULL), 0);
    f.message = buf_slice(&packed);
    assert_false(open_frame(&f, "gzip", &status, &out));
    assert_string_equal(buf_cstr(&status.message),
                        "grpc: received message after decompression larger than max 64");
    f.message = SLICE("no gzip");
    assert_false(open_frame(&f, "gzip", &status, &out));
    assert_int_equal(status.code, GRPC_INTERNAL);
    buf_release(&packed);
    buf_release(&encoding);
    buf_release(&out);
    grpc_status_release(&status);
}

static void messages_of_statuses_are_percent_encoded(void **state) {
    static const char *const cases[][2] = {
        {"no%20such person", "no such person"}, {"100%", "100%"}, {"%zz%4", "%zz%4"},
        {"%e4%BD%a0", "\xe4\xbd\xa0"},          {"%25", "%"},     {"", ""}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        buf_init(&out, BUF_NO_CAP);
        percent_decode(&out, slice_cstr(cases[i][0]), false);
        assert_string_equal(buf_cstr(&out), cases[i][1]);
        buf_release(&out);
    }
}

static void details_bring_their_message_and_must_agree_on_the_code(void **state) {
    struct grpc_status s;
    (void)state;
    grpc_status_init(&s);
    grpc_status_set(&s, GRPC_NOT_FOUND, "short");
    grpc_status_take_details(&s, slice_from("\x08\x05\x12\x04long", 8));
    assert_string_equal(buf_cstr(&s.message), "long");
    assert_int_equal(s.details.len, 8);
    grpc_status_set(&s, GRPC_ABORTED, "short");
    grpc_status_take_details(&s, slice_from("\x08\x05\x12\x04long", 8));
    assert_int_equal(s.code, GRPC_INTERNAL);
    assert_int_equal(s.details.len, 0);
    grpc_status_set(&s, GRPC_ABORTED, "short");
    grpc_status_take_details(&s, slice_from("\x08\x0a\x12\x7f", 4));
    assert_string_equal(buf_cstr(&s.message), "short");
    grpc_status_release(&s);
}

static void codes_of_http_and_resets(void **state) {
    (void)state;
    assert_int_equal(grpc_code_of_http(401), GRPC_UNAUTHENTICATED);
    assert_int_equal(grpc_code_of_http(404), GRPC_UNIMPLEMENTED);
    assert_int_equal(grpc_code_of_http(503), GRPC_UNAVAILABLE);
    assert_int_equal(grpc_code_of_http(200), GRPC_UNKNOWN);
    assert_int_equal(grpc_code_of_reset(7), GRPC_UNAVAILABLE);
    assert_int_equal(grpc_code_of_reset(8), GRPC_CANCELED);
    assert_int_equal(grpc_code_of_reset(11), GRPC_RESOURCE_EXHAUSTED);
    assert_int_equal(grpc_code_of_reset(2), GRPC_INTERNAL);
    assert_int_equal(grpc_code_of_reset(99), GRPC_UNKNOWN);
}

static void timeouts_take_the_finest_unit_that_has_room(void **state) {
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {{-5, "0n"},
                 {1, "1n"},
                 {99999999, "99999999n"},
                 {100000001, "100001u"},
                 {99999999000, "99999999u"},
                 {120000000000, "120000m"},
                 {99999999 * INT64_C(1000000) + 1, "100000S"},
                 {3600 * INT64_C(1000000000) * 48, "172800S"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[24];
        grpc_timeout_text(cases[i].ns, out);
        assert_string_equal(out, cases[i].text);
    }
}

static void binary_metadata_travels_in_base64(void **state) {
    struct buf out, back;
    (void)state;
    buf_init(&out, BUF_NO_CAP);
    buf_init(&back, BUF_NO_CAP);
    grpc_value_encode(&out, SLICE("x-bin"), slice_from("\0\xff", 2));
    assert_string_equal(buf_cstr(&out), "AP8");
    assert_true(grpc_value_decode(&back, SLICE("x-bin"), SLICE("AP8")));
    assert_true(grpc_value_decode(&back, SLICE("x-bin"), SLICE("AP8=")));
    assert_int_equal(back.len, 4);
    assert_memory_equal(back.ptr, "\0\xff\0\xff", 4);
    assert_false(grpc_value_decode(&back, SLICE("x-bin"), SLICE("*")));
    buf_reset(&out);
    grpc_value_encode(&out, SLICE("x"), SLICE("as it is"));
    assert_string_equal(buf_cstr(&out), "as it is");
    buf_release(&out);
    buf_release(&back);
}

static void metadata_that_http_cannot_carry_is_refused(void **state) {
    struct grpc_metadata md = {0};
    (void)state;
    grpc_metadata_add(&md, SLICE("X-Good_1.2"), SLICE("printable ~"));
    assert_true(slice_eq(md.pairs[0].name, SLICE("x-good_1.2")));
    assert_null(grpc_metadata_problem(&md));
    grpc_metadata_add(&md, SLICE("any-bin"), SLICE("\n"));
    assert_null(grpc_metadata_problem(&md));
    grpc_metadata_add(&md, SLICE("x"), SLICE("line\n"));
    char *why = grpc_metadata_problem(&md);
    assert_string_equal(why, "header key \"x\" contains value with non-printable ASCII characters");
    free(why);
    grpc_metadata_release(&md);
    grpc_metadata_add(&md, SLICE("a b"), SLICE(""));
    why = grpc_metadata_problem(&md);
    assert_string_equal(why, "header key \"a b\" contains illegal characters not in [0-9a-z-_.]");
    free(why);
    grpc_metadata_release(&md);
}

static void broken_wire_messages_end_the_reading(void **state) {
    static const struct slice bad[] = {SLICE("\x0a\x05"
                                             "abc"),
                                       SLICE("\x0b"), SLICE("\xff\xff"), SLICE("\x02"),
                                       SLICE("\x0d\x01")};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct grpc_wire_reader r = {.rest = bad[i]};
        struct grpc_wire_field f;
        while (grpc_wire_next(&r, &f))
            ;
        assert_true(r.is_bad);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_there_once_its_last_byte_is),
        cmocka_unit_test(what_is_too_large_is_refused_by_its_prefix),
        cmocka_unit_test(a_prefix_holds_four_bytes_of_length),
        cmocka_unit_test(compressed_messages_are_opened_within_the_limit),
        cmocka_unit_test(messages_of_statuses_are_percent_encoded),
        cmocka_unit_test(details_bring_their_message_and_must_agree_on_the_code),
        cmocka_unit_test(codes_of_http_and_resets),
        cmocka_unit_test(timeouts_take_the_finest_unit_that_has_room),
        cmocka_unit_test(binary_metadata_travels_in_base64),
        cmocka_unit_test(metadata_that_http_cannot_carry_is_refused),
        cmocka_unit_test(broken_wire_messages_end_the_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
