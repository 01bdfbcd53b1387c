#include "http/h1_parser.h"

#include "base/hex.h"

enum state {
    SIZE,     /* hexadecimal digits */
    SIZE_END, /* extension, blanks and CR up to LF */
    SIZE_LF,  /* after CR */
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER,      /* first byte of a trailer line */
    TRAILER_LINE, /* the rest of one */
    TRAILER_LF    /* after the CR of the empty line */
};

/* Go's limits. */
#define LINE_MAX_BYTES 4096
#define EXCESS_MAX_BYTES (16 * 1024)
#define TRAILER_MAX_BYTES 4096

void h1_chunked_init(struct h1_chunked *c) {
    *c = (struct h1_chunked){0};
}

static int bad(struct error *err, const char *words) {
    error_set(err, KE_HTTP_MALFORMED, "%s", words);
    return KE_HTTP_MALFORMED;
}

static int size_is_complete(struct h1_chunked *c, struct error *err) {
    if (c->n_digits == 0)
        return bad(err, "empty hex number for chunk length");
    /* A sender that dresses little data in much framing wastes our time on purpose. */
    c->excess_bytes += c->line_bytes + 2;
    c->excess_bytes -= 16 + (int64_t)(c->left < INT64_MAX / 4 ? 2 * c->left : INT64_MAX / 2);
    if (c->excess_bytes < 0)
        c->excess_bytes = 0;
    if (c->excess_bytes > EXCESS_MAX_BYTES)
        return bad(err, "chunked encoding contains too much non-data");
    c->line_bytes = 0;
    c->n_digits = 0;
    c->has_extension = false;
    c->state = c->left ? DATA : TRAILER;
    return 0;
}

/* One byte of a size line. */
static int take_size(struct h1_chunked *c, char byte, struct error *err) {
    if (++c->line_bytes >= LINE_MAX_BYTES)
        return bad(err, "header line too long");
    if (byte == '\n')
        return bad(err, "chunked line ends with bare LF");
    if (byte == '\r') {
        c->state = SIZE_LF;
        return 0;
    }
    if (c->has_extension)
        return 0;
    if (byte == ';') {
        c->has_extension = true;
        return 0;
    }
    if (byte == ' ' || byte == '\t') { /* only allowed behind the number */
        c->state = SIZE_END;
        return 0;
    }
    int digit = c->state == SIZE ? hex_value(byte) : -1;
    if (digit < 0)
        return bad(err, "invalid byte in chunk length");
    if (++c->n_digits > 16)
        return bad(err, "http chunk length too large");
    c->left = c->left << 4 | (unsigned)digit;
    return 0;
}

static int take_trailer(struct h1_chunked *c, char byte, struct error *err) {
    if (++c->line_bytes > TRAILER_MAX_BYTES)
        return bad(err, "http: suspiciously long trailer after chunked body");
    switch (c->state) {
    case TRAILER:
        if (byte == '\n')
            return 1;
        c->state = byte == '\r' ? TRAILER_LF : TRAILER_LINE;
        return 0;
    case TRAILER_LF:
        if (byte == '\n')
            return 1;
        c->state = TRAILER_LINE;
        return 0;
    default:
        if (byte == '\n')
            c->state = TRAILER;
        return 0;
    }
}

/* One byte of framing. 1 at the end of everything. */
static int take_framing(struct h1_chunked *c, char byte, struct error *err) {
    switch (c->state) {
    case SIZE:
    case SIZE_END:
        return take_size(c, byte, err);
    case SIZE_LF:
        if (byte != '\n')
            return bad(err, "invalid CR in chunked line");
        return size_is_complete(c, err);
    case DATA_CR:
        if (byte != '\r')
            return bad(err, "malformed chunked encoding");
        c->state = DATA_LF;
        return 0;
    case DATA_LF:
        if (byte != '\n')
            return bad(err, "malformed chunked encoding");
        c->state = SIZE;
        return 0;
    default:
        return take_trailer(c, byte, err);
    }
}

int h1_chunked_decode(struct h1_chunked *c, char *buf, size_t len, size_t *out_len,
                      size_t *out_used, struct error *err) {
    size_t from = 0, to = 0;
    int rc = 0;
    while (from < len && rc == 0) {
        if (c->state == DATA) {
            size_t n = len - from < c->left ? len - from : (size_t)c->left;
            if (to != from)
                memmove(buf + to, buf + from, n);
            from += n;
            to += n;
            c->left -= n;
            if (c->left == 0)
                c->state = DATA_CR;
        } else {
            rc = take_framing(c, buf[from++], err);
        }
    }
    *out_len = to;
    *out_used = from;
    return rc;
}

const char *h1_chunked_eof_text(const struct h1_chunked *c) {
    return c->state >= TRAILER ? "http: unexpected EOF reading trailer" : "unexpected EOF";
}
