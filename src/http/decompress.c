#include "http/compression.h"

#include <brotli/decode.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/check.h"

/* Each stage appends to out until the input ends. Growth is geometric from what is decoded, never
 * from what the input claims. */
#define ROOM_MIN ((size_t)4096)

static const char eof_words[] = "unexpected EOF";

enum origin {
    STARTING,  /* Go's decoder fails in its constructor */
    BY_NAME,   /* in the stream, one of the errors that k6 counts as decompression errors */
    BY_PREFIX, /* the same, known by its text only */
    OTHER      /* in the stream, shown as it is */
};

static int fail(struct http_decode_error *e, enum origin origin, bool is_listed,
                const char *words) {
    e->drops_body = origin == STARTING;
    e->is_wrapped_twice = is_listed;
    if (origin == OTHER)
        return error_set(&e->error, KE_FAILED, "%s", words);
    return error_set(&e->error, KE_HTTP_DECOMPRESS, "error decompressing response body (%s)",
                     words);
}

static int too_large(struct http_decode_error *e, const struct buf *out) {
    e->drops_body = e->is_wrapped_twice = false;
    return error_set(&e->error, KE_TOO_LARGE, "response body is larger than %zu bytes", out->cap);
}

/* Bytes that may be written behind out->len; one stays for the NUL of buf_detach. */
static size_t room_of(const struct buf *out) {
    size_t end = out->alloc ? out->alloc - 1 : 0;
    return (end < out->cap ? end : out->cap) - out->len;
}

static int make_room(struct buf *out) {
    if (room_of(out) >= ROOM_MIN / 4)
        return 0;
    size_t more = out->len < ROOM_MIN ? ROOM_MIN : out->len;
    if (more > out->cap - out->len)
        more = out->cap - out->len;
    return more ? buf_reserve(out, more) : KE_TOO_LARGE;
}

static unsigned clamp_uint(size_t n) {
    return n < (1U << 30) ? (unsigned)n : (1U << 30);
}

/* ---------------------------------------------------------------- gzip and deflate */

static bool says(const z_stream *z, const char *what) {
    return z->msg && strstr(z->msg, what);
}

static int zlib_failed(struct http_decode_error *e, const z_stream *z, int rc, bool is_gzip,
                       bool is_first) {
    enum origin start = is_first ? STARTING : BY_NAME;
    if (rc == Z_NEED_DICT)
        return fail(e, start, true, "zlib: invalid dictionary");
    if (says(z, "header") || says(z, "compression method") || says(z, "window size"))
        return fail(e, start, true, is_gzip ? "gzip: invalid header" : "zlib: invalid header");
    if (says(z, "incorrect data check") || says(z, "incorrect length check"))
        return fail(e, BY_NAME, true,
                    is_gzip ? "gzip: invalid checksum" : "zlib: invalid checksum");
    char words[80];
    unsigned long header = is_gzip ? 10 : 2;
    snprintf(words, sizeof words, "flate: corrupt input before offset %lu",
             z->total_in > header ? z->total_in - header : 0);
    return fail(e, OTHER, false, words);
}

static int inflate_all(struct slice in, bool is_gzip, struct buf *out,
                       struct http_decode_error *e) {
    z_stream z = {0};
    size_t header = is_gzip ? 10 : 2;
    if (in.len < header)
        return fail(e, STARTING, false, in.len == 0 && is_gzip ? "EOF" : eof_words);
    CHECK(inflateInit2(&z, is_gzip ? 15 + 16 : 15) == Z_OK);
    bool is_first = true;
    int rc = Z_OK, result = 0;
    while (result == 0) {
        if (z.avail_in == 0 && in.len) {
            size_t n = clamp_uint(in.len);
            z.next_in = (unsigned char *)(uintptr_t)in.ptr;
            z.avail_in = (unsigned)n;
            in = slice_from(in.ptr + n, in.len - n);
        }
        if (make_room(out)) {
            result = too_large(e, out);
            break;
        }
        z.next_out = (unsigned char *)out->ptr + out->len;
        z.avail_out = clamp_uint(room_of(out));
        unsigned before = z.avail_out;
        rc = inflate(&z, Z_NO_FLUSH);
        out->len += before - z.avail_out;
        if (rc == Z_STREAM_END) {
            /* gzip files may follow one another; behind a zlib stream nothing is looked at. */
            if (!is_gzip || (z.avail_in == 0 && in.len == 0))
                break;
            is_first = false;
            inflateReset(&z);
        } else if (rc == Z_BUF_ERROR || (rc == Z_OK && z.avail_in == 0 && in.len == 0)) {
            if (z.avail_out == 0)
                continue;
            result = fail(e, OTHER, false, eof_words);
        } else if (rc != Z_OK) {
            result = zlib_failed(e, &z, rc, is_gzip, is_first);
        }
    }
    inflateEnd(&z);
    return result;
}

/* ---------------------------------------------------------------- zstd */

static int zstd_failed(struct http_decode_error *e, size_t rc) {
    switch (ZSTD_getErrorCode(rc)) {
    case ZSTD_error_prefix_unknown:
        return fail(e, BY_NAME, true, "invalid input: magic number mismatch");
    case ZSTD_error_checksum_wrong:
        return fail(e, BY_NAME, true, "CRC check failed");
    case ZSTD_error_frameParameter_windowTooLarge:
        return fail(e, BY_NAME, true, "window size exceeded");
    case ZSTD_error_dictionary_wrong:
        return fail(e, BY_NAME, true, "unknown dictionary");
    default:
        return fail(e, OTHER, false, ZSTD_getErrorName(rc));
    }
}

static int unzstd_all(struct slice in, struct buf *out, struct http_decode_error *e) {
    ZSTD_DStream *z = ZSTD_createDStream();
    CHECK(z != NULL);
    ZSTD_inBuffer from = {in.ptr, in.len, 0};
    size_t rc = 0;
    int result = 0;
    while (result == 0) {
        if (make_room(out)) {
            result = too_large(e, out);
            break;
        }
        ZSTD_outBuffer to = {out->ptr, out->len + room_of(out), out->len};
        rc = ZSTD_decompressStream(z, &to, &from);
        out->len = to.pos;
        if (ZSTD_isError(rc))
            result = zstd_failed(e, rc);
        else if (from.pos == from.size && to.pos < to.size)
            break;
    }
    if (result == 0 && rc != 0 && in.len)
        result = fail(e, OTHER, false, eof_words);
    ZSTD_freeDStream(z);
    return result;
}

/* ---------------------------------------------------------------- brotli */

static int brotli_failed(struct http_decode_error *e, const char *name) {
    char words[128];
    static const char *const prefixes[] = {"_ERROR_FORMAT_", "_ERROR_"};
    for (size_t i = 0; i < countof(prefixes); i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) {
            name += strlen(prefixes[i]);
            break;
        }
    }
    snprintf(words, sizeof words, "brotli: %s", name);
    return fail(e, BY_PREFIX, false, words);
}

static int unbrotli_all(struct slice in, struct buf *out, struct http_decode_error *e) {
    if (in.len == 0)
        return 0;
    BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    CHECK(state != NULL);
    const uint8_t *next = (const uint8_t *)in.ptr;
    size_t left = in.len;
    int result = 0;
    for (;;) {
        if (make_room(out)) {
            result = too_large(e, out);
            break;
        }
        uint8_t *to = (uint8_t *)out->ptr + out->len;
        size_t room = room_of(out), before = room;
        BrotliDecoderResult rc =
            BrotliDecoderDecompressStream(state, &left, &next, &room, &to, NULL);
        out->len += before - room;
        if (rc == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT)
            continue;
        if (rc == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT)
            result = fail(e, OTHER, false, eof_words);
        else if (rc == BROTLI_DECODER_RESULT_ERROR)
            result = brotli_failed(e, BrotliDecoderErrorString(BrotliDecoderGetErrorCode(state)));
        else if (left)
            result = brotli_failed(e, "excessive input");
        break;
    }
    BrotliDecoderDestroyInstance(state);
    return result;
}

/* ---------------------------------------------------------------- chains */

typedef int stage_fn(struct slice in, struct buf *out, struct http_decode_error *e);

static int ungzip(struct slice in, struct buf *out, struct http_decode_error *e) {
    return inflate_all(in, true, out, e);
}

static int undeflate(struct slice in, struct buf *out, struct http_decode_error *e) {
    return inflate_all(in, false, out, e);
}

static stage_fn *stage_of(struct slice name) {
    if (slice_eq(name, SLICE("gzip")))
        return ungzip;
    if (slice_eq(name, SLICE("deflate")))
        return undeflate;
    if (slice_eq(name, SLICE("zstd")))
        return unzstd_all;
    if (slice_eq(name, SLICE("br")))
        return unbrotli_all;
    return NULL;
}

/* The last name of a comma-separated list; takes it off. */
static struct slice cut_last(struct slice *list) {
    size_t at = list->len;
    while (at > 0 && list->ptr[at - 1] != ',')
        at--;
    struct slice last = slice_trim(slice_from(list->ptr + at, list->len - at));
    *list = at ? slice_from(list->ptr, at - 1) : slice_from(NULL, 0);
    return last;
}

bool http_is_compressed(struct slice content_encoding) {
    while (content_encoding.ptr) {
        if (stage_of(slice_trim(slice_cut(&content_encoding, ','))))
            return true;
    }
    return false;
}

/* More codings than anybody stacks in earnest; each may multiply the size by a thousand. */
#define STAGES_MAX 8

int http_decompress(struct slice content_encoding, struct slice body, struct buf *out,
                    struct http_decode_error *e) {
    struct buf stage;
    int rc = 0, n = 0;
    struct slice in = body;
    buf_init(&stage, out->cap);
    *e = (struct http_decode_error){0};
    while (rc == 0 && content_encoding.ptr) {
        stage_fn *decode = stage_of(cut_last(&content_encoding));
        if (!decode)
            continue;
        if (++n > STAGES_MAX) {
            rc = fail(e, OTHER, false, "too many content encodings");
            break;
        }
        struct buf next;
        buf_init(&next, out->cap);
        rc = decode(in, &next, e);
        buf_release(&stage);
        stage = next;
        in = buf_slice(&stage);
    }
    buf_release(out);
    *out = stage;
    return rc;
}
