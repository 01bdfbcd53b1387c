#include "http/h1_parser.h"

#include <strings.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/go_text.h"
#include "http/header.h"

/* Each fold moves what follows it. */
#define FOLDS_MAX 1000

static int malformed(struct error *err, const char *what, struct slice quoted) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    go_quote(&b, quoted);
    error_set(err, KE_HTTP_MALFORMED, "%s %s", what, buf_cstr(&b));
    buf_release(&b);
    return KE_HTTP_MALFORMED;
}

void h1_head_init(struct h1_head *h, bool is_head_request) {
    *h = (struct h1_head){.is_head_request = is_head_request, .content_length = -1};
}

static struct slice view(const char *buf, struct h1_view v) {
    return slice_from(buf + v.at, v.len);
}

static struct h1_view view_of(const char *buf, struct slice s) {
    return (struct h1_view){(uint32_t)(s.ptr - buf), (uint32_t)s.len};
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static int parse_status_line(struct h1_head *h, const char *buf, struct slice line,
                             struct error *err) {
    struct slice rest = line;
    struct slice proto = slice_cut(&rest, ' ');
    if (!rest.ptr)
        return malformed(err, "malformed HTTP response", line);
    while (rest.len && rest.ptr[0] == ' ')
        rest = slice_from(rest.ptr + 1, rest.len - 1);
    h->status_text = view_of(buf, rest);
    struct slice code = slice_cut(&rest, ' ');
    if (code.len != 3 || !is_digit(code.ptr[0]) || !is_digit(code.ptr[1]) || !is_digit(code.ptr[2]))
        return malformed(err, "malformed HTTP status code", code);
    h->status = (code.ptr[0] - '0') * 100 + (code.ptr[1] - '0') * 10 + (code.ptr[2] - '0');
    if (proto.len != 8 || memcmp(proto.ptr, "HTTP/", 5) != 0 || !is_digit(proto.ptr[5]) ||
        proto.ptr[6] != '.' || !is_digit(proto.ptr[7]))
        return malformed(err, "malformed HTTP version", proto);
    h->proto_major = (uint8_t)(proto.ptr[5] - '0');
    h->proto_minor = (uint8_t)(proto.ptr[7] - '0');
    return 0;
}

/* Control characters eight at a time; most values have none. */
static bool is_value(const char *p, size_t len) {
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t w;
        memcpy(&w, p + i, 8);
        uint64_t below_space = (w - ones * 0x20) & ~w & highs;
        uint64_t del = w ^ (ones * 0x7f);
        uint64_t is_del = (del - ones) & ~del & highs;
        if (unlikely(below_space | is_del) && !http_all_of(slice_from(p + i, 8), HTTP_VALUE))
            return false;
    }
    return http_all_of(slice_from(p + i, len - i), HTTP_VALUE);
}

/* The usual spelling is told by a comparison of constant length. */
#define IS_NAME(literal)                                    \
    (memcmp(name.ptr, literal, sizeof(literal) - 1) == 0 || \
     strncasecmp(name.ptr, literal, sizeof(literal) - 1) == 0)

static void note_connection(struct h1_head *h, struct slice value) {
    if (value.len == 10 && memcmp(value.ptr, "keep-alive", 10) == 0) {
        h->says_keep_alive = true;
        return;
    }
    h->says_close = h->says_close || http_value_has_token(value, SLICE("close"));
    h->says_keep_alive = h->says_keep_alive || http_value_has_token(value, SLICE("keep-alive"));
}

/* The fields that the client itself needs, told apart by length first. */
static void note_field(struct h1_head *h, const char *buf, struct slice name, struct slice value) {
    switch (name.len) {
    case 8:
        if (h->location.at == 0 && IS_NAME("Location"))
            h->location = view_of(buf, value);
        break;
    case 10:
        if (IS_NAME("Connection")) {
            note_connection(h, value);
        } else if (IS_NAME("Set-Cookie")) {
            h->has_set_cookie = true;
        }
        break;
    case 14:
        if (IS_NAME("Content-Length")) {
            h->n_content_length = (uint8_t)(h->n_content_length < 2 ? h->n_content_length + 1 : 2);
            if (h->n_content_length == 1)
                h->content_length_text = view_of(buf, value);
        }
        break;
    case 16:
        if (!h->has_content_encoding && IS_NAME("Content-Encoding")) {
            h->has_content_encoding = true;
            h->content_encoding = view_of(buf, value);
        }
        break;
    case 17:
        if (IS_NAME("Transfer-Encoding")) {
            h->n_transfer_encoding =
                (uint8_t)(h->n_transfer_encoding < 2 ? h->n_transfer_encoding + 1 : 2);
            if (h->n_transfer_encoding == 1)
                h->transfer_encoding = view_of(buf, value);
        }
        break;
    default:
        break;
    }
}

static inline struct slice trim_blanks(const char *p, size_t len) {
    while (len && (*p == ' ' || *p == '\t')) {
        p++;
        len--;
    }
    while (len && (p[len - 1] == ' ' || p[len - 1] == '\t'))
        len--;
    return slice_from(p, len);
}

static int parse_field(struct h1_head *h, const char *buf, const char *line, size_t len,
                       struct error *err) {
    const char *colon = memchr(line, ':', len);
    if (!colon)
        return malformed(err, "malformed MIME header: missing colon:", slice_from(line, len));
    struct slice name = slice_from(line, (size_t)(colon - line));
    bool is_good = name.len > 0;
    /* Go lets a blank into a name, and then keeps the name as it is. */
    for (size_t i = 0; i < name.len && is_good; i++)
        is_good = http_char_class[(unsigned char)name.ptr[i]] & HTTP_TOKEN || name.ptr[i] == ' ';
    struct slice value = trim_blanks(colon + 1, len - name.len - 1);
    if (!is_good || !is_value(value.ptr, value.len)) {
        error_set(err, KE_HTTP_MALFORMED, "malformed MIME header line: %.*s", (int)len, line);
        return KE_HTTP_MALFORMED;
    }
    note_field(h, buf, name, value);
    return 0;
}

/* Joins a folded line with the one before it by a single blank. lf is the line end between them.
 * False when the blanks at its front have not all arrived. */
static bool unfold(char *buf, size_t *len, char *lf) {
    char *end = buf + *len, *from = lf + 1, *to = lf;
    while (from < end && (*from == ' ' || *from == '\t'))
        from++;
    if (from == end)
        return false;
    if (to > buf && to[-1] == '\r')
        to--;
    while (to > buf && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    *to++ = ' ';
    memmove(to, from, (size_t)(end - from));
    *len -= (size_t)(from - to);
    return true;
}

static void quote_all(struct buf *out, struct slice block, struct slice name) {
    struct http_header f;
    const char *separator = "[";
    for (size_t pos = 0; http_header_next(block, &pos, &f);) {
        if (!slice_ieq(f.name, name))
            continue;
        buf_append_str(out, separator);
        go_quote(out, f.value);
        separator = " ";
    }
    buf_append_char(out, ']');
}

static int malformed_list(struct error *err, const char *what, struct slice block,
                          struct slice name) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    quote_all(&b, block, name);
    error_set(err, KE_HTTP_MALFORMED, "%s %s", what, buf_cstr(&b));
    buf_release(&b);
    return KE_HTTP_MALFORMED;
}

/* Several Content-Length lines are fine when they agree; the later ones are taken out. */
static int merge_content_lengths(struct h1_head *h, char *buf, size_t head_bytes, size_t *len,
                                 struct error *err) {
    struct slice first = view(buf, h->content_length_text);
    struct slice block = slice_from(buf, head_bytes);
    struct http_header f;
    for (size_t pos = 0; http_header_next(block, &pos, &f);) {
        if (slice_ieq(f.name, SLICE("content-length")) && !slice_eq(f.value, first))
            return malformed_list(
                err, "http: message cannot contain multiple Content-Length headers; got", block,
                SLICE("content-length"));
    }
    size_t to = 0, start = 0, pos = 0;
    while (http_header_next(block, &pos, &f)) {
        if (!slice_ieq(f.name, SLICE("content-length")) || f.value.ptr == first.ptr) {
            memmove(buf + to, buf + start, pos - start);
            to += pos - start;
        }
        start = pos;
    }
    memmove(buf + to, buf + start, *len - start);
    *len -= start - to;
    return 0;
}

static int parse_transfer_encoding(struct h1_head *h, const char *buf, size_t head_bytes,
                                   struct error *err) {
    /* HTTP/1.0 has no transfer codings: a peer that claims one gets its header ignored. */
    if (h->n_transfer_encoding == 0 || h->proto_major < 1 ||
        (h->proto_major == 1 && h->proto_minor == 0))
        return 0;
    if (h->n_transfer_encoding > 1)
        return malformed_list(err, "too many transfer encodings:", slice_from(buf, head_bytes),
                              SLICE("transfer-encoding"));
    struct slice coding = view(buf, h->transfer_encoding);
    if (!slice_ieq(coding, SLICE("chunked")))
        return malformed(err, "unsupported transfer encoding:", coding);
    h->is_chunked = true;
    return 0;
}

static int parse_content_length(struct h1_head *h, const char *buf, struct error *err) {
    struct slice text = view(buf, h->content_length_text);
    uint64_t n;
    if (text.len == 0)
        return malformed(err, "invalid empty Content-Length", text);
    if (!slice_to_u64(text, &n) || n > INT64_MAX)
        return malformed(err, "bad Content-Length", text);
    h->content_length = (int64_t)n;
    return 0;
}

/* RFC 9112 6.3, in Go's order. */
static int decide_framing(struct h1_head *h, const char *buf, size_t head_bytes,
                          struct error *err) {
    int rc = parse_transfer_encoding(h, buf, head_bytes, err);
    if (!rc && h->n_content_length > 0)
        rc = parse_content_length(h, buf, err);
    if (rc)
        return rc;
    if (h->is_head_request || h->status / 100 == 1 || h->status == 204 || h->status == 304)
        h->framing = H1_NO_BODY;
    else if (h->is_chunked)
        h->framing = H1_CHUNKED;
    else if (h->content_length >= 0)
        h->framing = H1_LENGTH;
    else
        h->framing = H1_UNTIL_CLOSE;
    if (h->is_chunked)
        h->content_length = -1;
    if (h->proto_major < 1)
        h->is_close = true;
    else if (h->proto_major == 1 && h->proto_minor == 0)
        h->is_close = h->says_close || !h->says_keep_alive;
    else
        h->is_close = h->says_close;
    if (h->framing == H1_UNTIL_CLOSE)
        h->is_close = true;
    return 0;
}

long h1_head_parse(struct h1_head *h, char *buf, size_t *len, struct error *err) {
    int rc;
    for (;;) {
        if (h->scanned == *len)
            return 0;
        char *line = buf + h->pos, *end = buf + *len;
        char *lf = memchr(buf + h->scanned, '\n', *len - h->scanned);
        if (!lf) {
            h->scanned = (uint32_t)*len;
            return 0;
        }
        h->scanned = (uint32_t)(lf - buf);
        size_t line_len = (size_t)(lf - line);
        if (line_len && line[line_len - 1] == '\r')
            line_len--;
        if (unlikely(!h->has_status_line)) {
            rc = parse_status_line(h, buf, slice_from(line, line_len), err);
            if (rc)
                return rc;
            h->has_status_line = true;
            h->pos = h->scanned = (uint32_t)(lf + 1 - buf);
            continue;
        }
        if (line_len == 0) {
            size_t head_bytes = (size_t)(lf + 1 - buf);
            if (unlikely(h->n_content_length > 1)) {
                rc = merge_content_lengths(h, buf, head_bytes, len, err);
                if (rc)
                    return rc;
                h1_head_init(h, h->is_head_request);
                continue;
            }
            rc = decide_framing(h, buf, head_bytes, err);
            return rc ? rc : (long)head_bytes;
        }
        if (unlikely(*line == ' ' || *line == '\t')) {
            error_set(err, KE_HTTP_MALFORMED, "malformed MIME header initial line: %.*s",
                      (int)line_len, line);
            return KE_HTTP_MALFORMED;
        }
        /* Whether the next line continues this one is told by its first byte. */
        if (lf + 1 == end)
            return 0;
        if (unlikely(lf[1] == ' ' || lf[1] == '\t')) {
            if (!unfold(buf, len, lf))
                return 0;
            if (++h->n_folds > FOLDS_MAX)
                return error_set(err, KE_HTTP_MALFORMED, "malformed MIME header: too many folds");
            h->scanned = h->pos;
            continue;
        }
        rc = parse_field(h, buf, line, line_len, err);
        if (rc)
            return rc;
        h->pos = h->scanned = (uint32_t)(lf + 1 - buf);
    }
}
