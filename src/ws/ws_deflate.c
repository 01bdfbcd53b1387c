#include "ws/ws_deflate.h"

#include <zlib.h>

#include "base/check.h"

#define STEP_BYTES 4096
/* As gorilla/websocket: fast rather than small. */
#define LEVEL 1

/* What ends each message and is not sent; and an empty final block, so that the stream ends. */
static const unsigned char tail[] = {0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff};

static int grow(struct buf *out, z_stream *z) {
    size_t room = out->len < STEP_BYTES ? STEP_BYTES : out->len;
    if (out->cap - out->len < room)
        room = out->cap - out->len;
    if (room == 0 || buf_reserve(out, room))
        return KE_TOO_LARGE;
    z->next_out = (unsigned char *)out->ptr + out->len;
    z->avail_out = (uInt)(room < 1u << 30 ? room : 1u << 30);
    return 0;
}

/* Inflates one piece of input; Z_OK, Z_STREAM_END, or KE_TOO_LARGE, or another code of zlib. */
static int inflate_piece(struct buf *out, z_stream *z, const void *in, size_t bytes) {
    int rc = Z_OK;
    z->next_in = (unsigned char *)(uintptr_t)in;
    z->avail_in = (uInt)bytes;
    while (rc == Z_OK) {
        if (grow(out, z))
            return KE_TOO_LARGE;
        uInt room = z->avail_out;
        rc = inflate(z, Z_SYNC_FLUSH);
        out->len += room - z->avail_out;
        if (rc == Z_BUF_ERROR || (rc == Z_OK && z->avail_in == 0 && z->avail_out > 0))
            return Z_OK;
    }
    return rc;
}

int ws_inflate(struct buf *out, struct slice in, struct error *err) {
    z_stream z = {0};
    buf_reset(out);
    if (in.len > (size_t)1 << 31)
        return error_set(err, KE_TOO_LARGE, "websocket: read limit exceeded");
    CHECK(inflateInit2(&z, -MAX_WBITS) == Z_OK);
    int rc = inflate_piece(out, &z, in.ptr, in.len);
    if (rc == Z_OK)
        rc = inflate_piece(out, &z, tail, sizeof tail);
    unsigned long at = z.total_in;
    inflateEnd(&z);
    if (rc == KE_TOO_LARGE)
        return error_set(err, KE_TOO_LARGE, "websocket: read limit exceeded");
    if (rc == Z_OK)
        return error_set(err, KE_INVALID, "unexpected EOF");
    if (rc != Z_STREAM_END)
        return error_set(err, KE_INVALID, "flate: corrupt input before offset %lu", at);
    return 0;
}

int ws_deflate(struct buf *out, struct slice in) {
    z_stream z = {0};
    buf_reset(out);
    if (in.len > (size_t)1 << 31)
        return KE_TOO_LARGE;
    CHECK(deflateInit2(&z, LEVEL, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    size_t bound = deflateBound(&z, (uLong)in.len) + 16;
    int rc = buf_reserve(out, bound);
    if (rc == 0) {
        z.next_in = (unsigned char *)(uintptr_t)in.ptr;
        z.avail_in = (uInt)in.len;
        z.next_out = (unsigned char *)out->ptr;
        z.avail_out = (uInt)bound;
        CHECK(deflate(&z, Z_SYNC_FLUSH) == Z_OK && z.avail_in == 0 && z.avail_out > 0);
        out->len = bound - z.avail_out;
        CHECK(out->len >= 4);
        out->len -= 4; /* 00 00 ff ff */
    }
    deflateEnd(&z);
    return rc;
}
