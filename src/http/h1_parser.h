/* HTTP/1.x responses from bytes, no I/O. The head is parsed in one pass over a buffer that may
 * arrive in any number of pieces; bodies are framed by what the head says, and chunked ones are
 * decoded in place. Rules and words are those of Go's net/http and net/textproto, so that a broken
 * server shows the same error as in k6. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

enum h1_framing {
    H1_NO_BODY, /* HEAD, 1xx, 204, 304 */
    H1_LENGTH,  /* content_length bytes, maybe 0 */
    H1_CHUNKED,
    H1_UNTIL_CLOSE
};

/* A view of the buffer as offsets: the buffer may move while the head is incomplete. len 0 =
 * absent. */
struct h1_view {
    uint32_t at, len;
};

struct h1_head {
    bool is_head_request; /* set by the caller: the response to HEAD has no body */
    /* Results. */
    uint8_t proto_major, proto_minor;
    bool is_close;   /* the connection ends with this response */
    bool is_chunked; /* Transfer-Encoding: chunked */
    bool has_set_cookie, has_content_encoding;
    int status;
    enum h1_framing framing;
    int64_t content_length;     /* as declared, also for HEAD; -1 = not declared */
    struct h1_view status_text; /* "200 OK" as on the wire */
    struct h1_view location, content_encoding;
    /* Parser state. */
    uint32_t pos;     /* start of the first line not parsed yet */
    uint32_t scanned; /* no line end before this */
    uint16_t n_folds;
    bool has_status_line, says_close, says_keep_alive;
    uint8_t n_transfer_encoding, n_content_length;
    struct h1_view transfer_encoding, content_length_text;
};

void h1_head_init(struct h1_head *h, bool is_head_request);
/* Parses what is new in buf[0 … *len). Returns the bytes of the complete head (empty line
 * included), 0 when more bytes are needed (call again with the same bytes and more behind them), or
 * KE_HTTP_MALFORMED with Go's words. Folded and repeated lines are tidied in place, which can
 * shorten *len. */
long h1_head_parse(struct h1_head *h, char *buf, size_t *len, struct error *err);

struct h1_chunked {
    uint8_t state;
    uint8_t n_digits;
    bool has_extension;
    uint64_t left;        /* bytes of the current chunk */
    uint32_t line_bytes;  /* of the current size line, or of the trailer */
    int64_t excess_bytes; /* framing beyond what the data justifies */
};

void h1_chunked_init(struct h1_chunked *c);
/* Decodes buf[0 … len) in place: *out_len decoded bytes stand at the front, *out_used input bytes
 * were consumed. Returns 1 when the body and its trailer are complete (bytes behind *out_used
 * belong to nobody), 0 when more is needed, or KE_HTTP_MALFORMED; out_len counts good bytes then,
 * too. */
int h1_chunked_decode(struct h1_chunked *c, char *buf, size_t len, size_t *out_len,
                      size_t *out_used, struct error *err);
/* What Go says when the connection ends before the body does. */
const char *h1_chunked_eof_text(const struct h1_chunked *c);
