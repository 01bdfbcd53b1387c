#include "http_unit.h"

#include <stdlib.h>

#include "client_run.h"
#include "http/compression.h"

static void compress(const char *algorithms, struct slice text, struct buf *out) {
    struct buf encoding;
    struct error err = {0};
    buf_init(&encoding, BUF_NO_CAP);
    buf_init(out, BUF_NO_CAP);
    assert_int_equal(http_compress(slice_cstr(algorithms), text, out, &encoding, &err), 0);
    buf_release(&encoding);
}

static void what_is_compressed_can_be_undone(void **state) {
    (void)state;
    static const char *const algorithms[] = {
        "gzip", "deflate", "zstd", "br", "gzip, br", "deflate,gzip", "zstd, gzip, br", "br,zstd"};
    static const size_t sizes[] = {0, 1, 1000, 300000};
    char *text = xmalloc(300000);
    for (size_t i = 0; i < 300000; i++)
        text[i] = (char)(i * i >> 7);
    for (size_t i = 0; i < countof(algorithms); i++) {
        for (size_t k = 0; k < countof(sizes); k++) {
            struct buf packed, plain;
            struct http_decode_error e;
            compress(algorithms[i], slice_from(text, sizes[k]), &packed);
            buf_init(&plain, BUF_NO_CAP);
            assert_int_equal(
                http_decompress(slice_cstr(algorithms[i]), buf_slice(&packed), &plain, &e), 0);
            assert_int_equal(plain.len, sizes[k]);
            assert_true(slice_eq(buf_slice(&plain), slice_from(text, sizes[k])));
            buf_release(&plain);
            buf_release(&packed);
        }
    }
    free(text);
}

static void short_bodies_have_gos_length(void **state) {
    (void)state;
    struct buf b;
    compress("gzip", SLICE("text"), &b);
    assert_int_equal(b.len, 28);
    buf_release(&b);
    compress("gzip", SLICE(""), &b);
    assert_int_equal(b.len, 23);
    buf_release(&b);
    compress("deflate", SLICE("text"), &b);
    assert_int_equal(b.len, 16);
    buf_release(&b);
}

static void names_of_algorithms_are_checked(void **state) {
    (void)state;
    struct error err;
    assert_int_equal(http_compression_check(SLICE("gzip, br"), NULL), 0);
    assert_int_equal(http_compression_check(SLICE("gzip, lzw"), &err), KE_INVALID);
    assert_string_equal(err.text, "unknown compression algorithm lzw, supported algorithms are "
                                  "[gzip deflate zstd br]");
    assert_true(http_is_compressed(SLICE("identity, gzip")));
    assert_false(http_is_compressed(SLICE("x-rot13")));
    assert_false(http_is_compressed(SLICE("GZIP"))); /* k6 compares exactly */
}

#define DECODING(words) "error decompressing response body (" words ")"

static void check(const char *encoding, struct slice body, int code, const char *words,
                  bool is_wrapped_twice, bool drops_body) {
    struct http_decode_error e;
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    assert_int_equal(http_decompress(slice_cstr(encoding), body, &out, &e), code);
    assert_int_equal(e.error.code, code);
    assert_string_equal(e.error.text, words);
    assert_int_equal(e.is_wrapped_twice, is_wrapped_twice);
    assert_int_equal(e.drops_body, drops_body);
    buf_release(&out);
}

static void broken_bodies_have_gos_words(void **state) {
    (void)state;
    struct buf gzip, zstd, br, deflate;
    char *text = xcalloc(1, 100000);
    for (size_t i = 0; i < 100000; i++)
        text[i] = (char)(i * 7919 >> 5);
    struct slice long_text = slice_from(text, 100000);
    compress("gzip", long_text, &gzip);
    compress("deflate", long_text, &deflate);
    compress("zstd", long_text, &zstd);
    compress("br", long_text, &br);

    check("gzip", SLICE(""), KE_HTTP_DECOMPRESS, DECODING("EOF"), false, true);
    check("gzip", SLICE("plain, not gzip"), KE_HTTP_DECOMPRESS, DECODING("gzip: invalid header"),
          true, true);
    check("gzip", SLICE("\x1f\x8b"), KE_HTTP_DECOMPRESS, DECODING("unexpected EOF"), false, true);
    check("gzip", slice_from(gzip.ptr, gzip.len / 2), KE_FAILED, "unexpected EOF", false, false);
    gzip.ptr[gzip.len - 6] ^= 1;
    check("gzip", buf_slice(&gzip), KE_HTTP_DECOMPRESS, DECODING("gzip: invalid checksum"), true,
          false);
    check("deflate", SLICE(""), KE_HTTP_DECOMPRESS, DECODING("unexpected EOF"), false, true);
    check("deflate", SLICE("raw deflate"), KE_HTTP_DECOMPRESS, DECODING("zlib: invalid header"),
          true, true);
    deflate.ptr[deflate.len - 1] ^= 1;
    check("deflate", buf_slice(&deflate), KE_HTTP_DECOMPRESS, DECODING("zlib: invalid checksum"),
          true, false);
    check("zstd", SLICE("nothing of zstd's"), KE_HTTP_DECOMPRESS,
          DECODING("invalid input: magic number mismatch"), true, false);
    check("zstd", slice_from(zstd.ptr, zstd.len / 2), KE_FAILED, "unexpected EOF", false, false);
    check("br", slice_from(br.ptr, br.len / 2), KE_FAILED, "unexpected EOF", false, false);
    buf_append_str(&br, "tail");
    check("br", buf_slice(&br), KE_HTTP_DECOMPRESS, DECODING("brotli: excessive input"), false,
          false);
    check("gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip", SLICE(""), KE_HTTP_DECOMPRESS,
          DECODING("EOF"), false, true);
    buf_release(&gzip);
    buf_release(&deflate);
    buf_release(&zstd);
    buf_release(&br);
    free(text);
}

static void two_gzip_members_are_one_body(void **state) {
    (void)state;
    struct buf one, two, out;
    struct http_decode_error e;
    compress("gzip", SLICE("first "), &one);
    compress("gzip", SLICE("second"), &two);
    buf_append_slice(&one, buf_slice(&two));
    buf_init(&out, BUF_NO_CAP);
    assert_int_equal(http_decompress(SLICE("gzip"), buf_slice(&one), &out, &e), 0);
    assert_slice(buf_slice(&out), "first second");
    buf_append_str(&one, "not a third member");
    assert_int_equal(http_decompress(SLICE("gzip"), buf_slice(&one), &out, &e), KE_HTTP_DECOMPRESS);
    assert_false(e.drops_body);
    assert_slice(buf_slice(&out), "first second");
    buf_release(&one);
    buf_release(&two);
    buf_release(&out);
}

static void a_bomb_stops_at_the_cap(void **state) {
    (void)state;
    static const char *const algorithms[] = {"gzip", "deflate", "zstd", "br", "gzip, gzip"};
    char *zeros = xcalloc(1, 20000000);
    for (size_t i = 0; i < countof(algorithms); i++) {
        struct buf packed, out;
        struct http_decode_error e;
        compress(algorithms[i], slice_from(zeros, 20000000), &packed);
        assert_true(packed.len < 30000);
        buf_init(&out, 1000000);
        assert_int_equal(http_decompress(slice_cstr(algorithms[i]), buf_slice(&packed), &out, &e),
                         KE_TOO_LARGE);
        assert_string_equal(e.error.text, "response body is larger than 1000000 bytes");
        assert_true(out.len <= 1000000 && out.alloc < 2000000);
        buf_release(&out);
        buf_release(&packed);
    }
    free(zeros);
}

/* ---------------------------------------------------------------- in the client */

static void responses(struct run *r) {
    assert_int_equal(get(r, "/gzip-br"), 0);
    assert_slice(r->response->body, "packed twice");
    assert_int_equal(r->response->body_bytes, 12);
    assert_int_equal(get(r, "/bad"), KE_HTTP_DECOMPRESS);
    assert_int_equal(r->response->error_code, 1701);
    assert_int_equal(r->response->status, 0);
    assert_string_equal(r->response->error.text, DECODING(DECODING("gzip: invalid header")));
    assert_string_equal(r->response->error.log_text, DECODING("gzip: invalid header"));
    assert_null(r->response->body.ptr);
    assert_int_equal(get(r, "/rot13"), 0);
    assert_slice(r->response->body, "left");
    struct http_request req = request(r, "HEAD");
    assert_int_equal(fetch(r, &req, "/head"), KE_HTTP_DECOMPRESS);
    assert_string_equal(r->response->error.text, DECODING("EOF"));
    assert_int_equal(get(r, "/204"), 0);
    assert_int_equal(r->response->status, 204);
}

static void compressed_responses(void **state) {
    (void)state;
    struct run r = {.config.max_body_bytes = 1000000};
    struct buf body, reply;
    compress("gzip, br", SLICE("packed twice"), &body);
    buf_init(&reply, BUF_NO_CAP);
    buf_printf(&reply,
               "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, br\r\nContent-Length: %zu\r\n\r\n",
               body.len);
    buf_append_slice(&reply, buf_slice(&body));
    const struct server_step steps[] = {
        {.reply = reply.ptr, .reply_len = reply.len},
        {.reply = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 15\r\n\r\n"
                  "plain, not gzip"},
        {.reply = "HTTP/1.1 200 OK\r\nContent-Encoding: x-rot13\r\nContent-Length: 4\r\n\r\nleft"},
        {.reply = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n"},
        {.reply = "HTTP/1.1 204 X\r\nContent-Encoding: gzip\r\n\r\n"},
    };
    RUN(&r, steps, responses);
    assert_int_equal(r.server->n_connections, 1);
    assert_string_equal(r.hops, "GET 200 /gzip-br;GET 0 /bad;GET 200 /rot13;HEAD 0 /head;"
                                "GET 204 /204;");
    server_free(r.server);
    buf_release(&body);
    buf_release(&reply);
}

static void requests(struct run *r) {
    struct http_request req = request(r, "POST");
    req.has_body = true;
    req.body = SLICE("squeeze me");
    req.compression = SLICE("deflate,gzip");
    assert_int_equal(fetch(r, &req, "/1"), 0);
    const struct http_header own = {SLICE("content-encoding"), SLICE("own")};
    req.headers = &own;
    req.n_headers = 1;
    assert_int_equal(fetch(r, &req, "/2"), 0);
    req = request(r, "POST");
    req.compression = SLICE("gzip");
    assert_int_equal(fetch(r, &req, "/no-body"), 0);
}

static void compressed_requests(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {OK_REPLY(0, ""), OK_REPLY(0, ""), OK_REPLY(0, "")};
    RUN(&r, steps, requests);
    struct http_decode_error e;
    struct buf out;
    const char *text = r.server->requests[0], *end = strstr(text, "\r\n\r\n");
    assert_non_null(strstr(text, "\r\nContent-Encoding: deflate, gzip\r\n"));
    size_t head = (size_t)(end - text) + 4;
    buf_init(&out, BUF_NO_CAP);
    struct slice body = slice_from(text + head, r.server->request_bytes[0] - head);
    assert_int_equal(http_decompress(SLICE("deflate, gzip"), body, &out, &e), 0);
    assert_slice(buf_slice(&out), "squeeze me");
    buf_release(&out);
    assert_non_null(strstr(r.server->requests[1], "\r\nContent-Encoding: own\r\n"));
    assert_null(strstr(r.server->requests[2], "Content-Encoding"));
    server_free(r.server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_compressed_can_be_undone),
        cmocka_unit_test(short_bodies_have_gos_length),
        cmocka_unit_test(names_of_algorithms_are_checked),
        cmocka_unit_test(broken_bodies_have_gos_words),
        cmocka_unit_test(two_gzip_members_are_one_body),
        cmocka_unit_test(a_bomb_stops_at_the_cap),
        cmocka_unit_test(compressed_responses),
        cmocka_unit_test(compressed_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
