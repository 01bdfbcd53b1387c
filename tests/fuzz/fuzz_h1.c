/* layer: http
 * An HTTP/1 response in one piece and in many: both must give the same events, and nothing may be
 * read or written out of bounds. The first byte says whether the request was HEAD and how the
 * pieces are cut. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "http/h1_parser.h"
#include "http/header.h"

/* Moves the next piece of the wire into an exactly sized block, so that a sanitizer sees the first
 * byte too many. */
static bool feed(struct buf *in, struct slice *wire, size_t step) {
    size_t n = wire->len < step ? wire->len : step;
    if (n == 0)
        return false;
    char *grown = xmalloc(in->len + n);
    if (in->len)
        memcpy(grown, in->ptr, in->len);
    memcpy(grown + in->len, wire->ptr, n);
    free(in->ptr);
    in->ptr = grown;
    in->len = in->alloc = in->len + n;
    *wire = slice_from(wire->ptr + n, wire->len - n);
    return true;
}

static void describe_fields(struct buf *out, struct slice head) {
    struct http_header f;
    slice_cut(&head, '\n');
    for (size_t pos = 0; head.ptr && http_header_next(head, &pos, &f);) {
        buf_append_slice(out, f.name);
        buf_append_char(out, '=');
        buf_append_slice(out, f.value);
        buf_append_char(out, '\n');
    }
}

static void decode_chunks(struct buf *out, struct buf *in, struct slice wire, size_t step) {
    struct h1_chunked c;
    struct error err = {.code = 0};
    int rc;
    h1_chunked_init(&c);
    do {
        size_t len, used;
        size_t before = in->len;
        rc = h1_chunked_decode(&c, in->ptr, in->len, &len, &used, &err);
        CHECK(len <= used && used <= before);
        buf_append(out, in->ptr, len);
        in->len = 0;
    } while (rc == 0 && feed(in, &wire, step));
    buf_printf(out, "\n%d %s", rc, rc < 0 ? err.text : rc == 0 ? h1_chunked_eof_text(&c) : "");
}

static void events(struct buf *out, struct slice wire, bool is_head, size_t step) {
    struct buf in;
    struct h1_head h;
    struct error err = {.code = 0};
    long n;
    buf_init(&in, BUF_NO_CAP);
    h1_head_init(&h, is_head);
    while ((n = h1_head_parse(&h, in.ptr, &in.len, &err)) == 0 && feed(&in, &wire, step))
        ;
    if (n < 0) {
        buf_append_str(out, err.text);
    } else if (n > 0) {
        CHECK((size_t)n <= in.len);
        buf_printf(out, "%d.%d %d %d %lld %d\n", h.proto_major, h.proto_minor, h.status, h.framing,
                   (long long)h.content_length, h.is_close);
        CHECK(h.location.at + h.location.len <= (size_t)n);
        CHECK(h.content_encoding.at + h.content_encoding.len <= (size_t)n);
        buf_append(out, in.ptr + h.status_text.at, h.status_text.len);
        describe_fields(out, slice_from(in.ptr, (size_t)n));
        memmove(in.ptr, in.ptr + n, in.len - (size_t)n);
        in.len -= (size_t)n;
        if (h.framing == H1_CHUNKED)
            decode_chunks(out, &in, wire, step);
    }
    buf_release(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes < 1)
        return 0;
    struct slice wire = slice_from((const char *)data + 1, bytes - 1);
    bool is_head = data[0] & 1;
    struct buf whole, pieces;
    buf_init(&whole, BUF_NO_CAP);
    buf_init(&pieces, BUF_NO_CAP);
    events(&whole, wire, is_head, SIZE_MAX);
    events(&pieces, wire, is_head, (size_t)(data[0] >> 1) % 16 + 1);
    CHECK(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
    buf_release(&whole);
    buf_release(&pieces);
    return 0;
}
