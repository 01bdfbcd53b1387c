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

static unsigned part_of(size_t n) {
    return n < (1U << 30) ? (unsigned)n : (1U << 30); /* zlib counts in 32 bits */
}

static int run_deflate(z_stream *z, int flush, struct buf *out) {
    int rc;
    do {
        buf_reserve(out, deflateBound(z, z->avail_in) + 64);
        z->next_out = (unsigned char *)out->ptr + out->len;
        z->avail_out = part_of(out->alloc - out->len - 1); /* the NUL of buf_detach */
        unsigned before = z->avail_out;
        rc = deflate(z, flush);
        out->len += before - z->avail_out;
    } while (rc == Z_OK && z->avail_out == 0);
    return rc == Z_OK || rc == Z_BUF_ERROR ? 0 : KE_FAILED;
}

/* Raw deflate that ends as Go's writer ends it, so that small bodies have the length that k6 would
 * send: the data's blocks are not marked as last, an empty stored block behind them is. */
static int raw_deflate(struct slice in, struct buf *out) {
    z_stream z = {0};
    unsigned pending;
    int bits = 0, rc = 0;
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return KE_FAILED;
    do {
        z.next_in = (unsigned char *)(uintptr_t)in.ptr;
        z.avail_in = part_of(in.len);
        in = slice_from(in.ptr + z.avail_in, in.len - z.avail_in);
        if (z.avail_in)
            rc = run_deflate(&z, in.len ? Z_NO_FLUSH : Z_BLOCK, out);
    } while (!rc && in.len);
    if (!rc && (deflatePending(&z, &pending, &bits) != Z_OK || deflatePrime(&z, 3, 1) != Z_OK ||
                deflatePrime(&z, (8 - (bits + 3) % 8) % 8, 0) != Z_OK))
        rc = KE_FAILED;
    if (!rc)
        rc = run_deflate(&z, Z_BLOCK, out);
    deflateEnd(&z);
    buf_append(out, "\x00\x00\xff\xff", 4);
    return rc;
}

static void put_u32(struct buf *out, uint32_t v, bool is_big_endian) {
    for (int i = 0; i < 4; i++)
        buf_append_char(out, (char)(v >> (is_big_endian ? 24 - 8 * i : 8 * i)));
}

static int by_gzip(struct slice in, struct buf *out) {
    buf_append(out, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
    int rc = raw_deflate(in, out);
    put_u32(out, (uint32_t)crc32_z(0, (const unsigned char *)in.ptr, in.len), false);
    put_u32(out, (uint32_t)in.len, false);
    return rc;
}

static int by_deflate(struct slice in, struct buf *out) {
    buf_append(out, "\x78\x9c", 2);
    int rc = raw_deflate(in, out);
    put_u32(out, (uint32_t)adler32_z(1, (const unsigned char *)in.ptr, in.len), true);
    return rc;
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
        return by_gzip(in, out);
    if (slice_eq(name, SLICE("deflate")))
        return by_deflate(in, out);
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
