#include "http/compression.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

static bool is_known(struct slice name) {
    return slice_eq(name, SLICE("gzip")) || slice_eq(name, SLICE("deflate")) ||
           slice_eq(name, SLICE("zstd")) || slice_eq(name, SLICE("br"));
}

int http_compression_check(struct slice algorithms, struct error *err) {
    while (algorithms.ptr) {
        struct slice name = slice_trim(slice_cut(&algorithms, ','));
        if (!is_known(name))
            return error_set(err, KE_INVALID,
                             "unknown compression algorithm %.*s, supported algorithms are "
                             "[gzip deflate zstd br]",
                             SLICE_FMT(name));
    }
    return 0;
}

static int by_zlib(struct slice in, int window_bits, struct buf *out) {
    z_stream z = {0};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return KE_FAILED;
    int rc;
    do { /* zlib counts in 32 bits */
        if (z.avail_in == 0 && in.len) {
            size_t n = in.len < (1U << 30) ? in.len : (1U << 30);
            z.next_in = (unsigned char *)(uintptr_t)in.ptr;
            z.avail_in = (unsigned)n;
            in = slice_from(in.ptr + n, in.len - n);
        }
        buf_reserve(out, deflateBound(&z, z.avail_in) + 32);
        z.next_out = (unsigned char *)out->ptr + out->len;
        size_t room = out->alloc - out->len - 1; /* the NUL of buf_detach */
        z.avail_out = room < (1U << 30) ? (unsigned)room : (1U << 30);
        unsigned before = z.avail_out;
        rc = deflate(&z, in.len ? Z_NO_FLUSH : Z_FINISH);
        out->len += before - z.avail_out;
    } while (rc == Z_OK || rc == Z_BUF_ERROR);
    deflateEnd(&z);
    return rc == Z_STREAM_END ? 0 : KE_FAILED;
}

static int by_zstd(struct slice in, struct buf *out) {
    buf_reserve(out, ZSTD_compressBound(in.len));
    size_t n = ZSTD_compress(out->ptr, out->alloc - 1, in.ptr, in.len, ZSTD_CLEVEL_DEFAULT);
    if (ZSTD_isError(n))
        return KE_FAILED;
    out->len = n;
    return 0;
}

static int by_brotli(struct slice in, struct buf *out) {
    size_t n = BrotliEncoderMaxCompressedSize(in.len) + 64;
    buf_reserve(out, n);
    n = out->alloc - 1;
    if (!BrotliEncoderCompress(6, BROTLI_DEFAULT_WINDOW, BROTLI_DEFAULT_MODE, in.len,
                               (const uint8_t *)in.ptr, &n, (uint8_t *)out->ptr))
        return KE_FAILED;
    out->len = n;
    return 0;
}

static int compress_once(struct slice name, struct slice in, struct buf *out) {
    if (slice_eq(name, SLICE("gzip")))
        return by_zlib(in, 15 + 16, out);
    if (slice_eq(name, SLICE("deflate")))
        return by_zlib(in, 15, out);
    if (slice_eq(name, SLICE("zstd")))
        return by_zstd(in, out);
    return by_brotli(in, out);
}

int http_compress(struct slice algorithms, struct slice body, struct buf *out,
                  struct buf *out_encoding, struct error *err) {
    struct buf stage;
    buf_init(&stage, BUF_NO_CAP);
    int rc = http_compression_check(algorithms, err);
    struct slice in = body;
    while (!rc && algorithms.ptr) {
        struct slice name = slice_trim(slice_cut(&algorithms, ','));
        struct buf next;
        buf_init(&next, BUF_NO_CAP);
        rc = compress_once(name, in, &next);
        if (rc)
            error_set(err, rc, "cannot compress the request body with %.*s", SLICE_FMT(name));
        buf_release(&stage);
        stage = next;
        in = buf_slice(&stage);
        if (out_encoding->len)
            buf_append(out_encoding, ", ", 2);
        buf_append_slice(out_encoding, name);
    }
    buf_release(out);
    *out = stage;
    return rc;
}
