/* Content codings of bodies: gzip, deflate (zlib), zstd, br, and chains of them, as k6 has them in
 * both directions. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

/* Checks a params.compression value ("gzip, br"). 0 or KE_INVALID with k6's words (`unknown
 * compression algorithm lzw, supported algorithms are [gzip deflate zstd br]`). */
int http_compression_check(struct slice algorithms, struct error *err);
/* Applies the algorithms in the order given. out receives the bytes, out_encoding the
 * Content-Encoding ("gzip, br"). 0 or KE_FAILED. */
int http_compress(struct slice algorithms, struct slice body, struct buf *out,
                  struct buf *out_encoding, struct error *err);

/* What went wrong with a compressed body. */
struct http_decode_error {
    struct error error;    /* words for the log; code KE_HTTP_DECOMPRESS (1701), or KE_FAILED for
                              errors that k6 does not count    as decompression errors */
    bool is_wrapped_twice; /* k6 puts its words around twice in response.error, for errors that it
                              knows by name */
    bool drops_body;       /* it failed before the first byte: the body is null, not empty */
};

/* True when Content-Encoding names a coding that http_decompress would undo; unknown ones
 * (identity, x-rot13) are left alone. */
bool http_is_compressed(struct slice content_encoding);
/* Undoes the codings, last one first. out holds what was decoded, also on error. Growth stops at
 * out's cap, whatever the input claims: KE_TOO_LARGE. 0 or e->error.code. */
int http_decompress(struct slice content_encoding, struct slice body, struct buf *out,
                    struct http_decode_error *e);
