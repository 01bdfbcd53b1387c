#include "ws/ws_frame.h"

#include <stdio.h>

#include "base/check.h"
#include "base/utf8.h"

/* Beyond this, memory for a message is taken as its bytes come, not on the peer's word. */
#define RESERVE_MAX (64 * 1024)
/* What an idle decoder keeps of a large message's memory. */
#define KEEP_MAX (16 * 1024)

void ws_decoder_init(struct ws_decoder *d, bool is_server, size_t max_message_bytes) {
    *d = (struct ws_decoder){.is_server = is_server};
    buf_init(&d->message, max_message_bytes);
}

void ws_decoder_release(struct ws_decoder *d) {
    buf_release(&d->message);
}

/* ---------------------------------------------------------------- errors */

static int breach(struct ws_event *out, struct error *err, const char *words) {
    error_set(err, KE_INVALID, "websocket: %s", words);
    out->opcode = WS_CLOSE;
    out->close_code = WS_CLOSE_PROTOCOL_ERROR;
    /* The words live in the error, which the caller has beside it. */
    out->data = err ? slice_cstr(err->text + strlen("websocket: ")) : slice_from("", 0);
    return KE_INVALID;
}

static int too_large(struct ws_event *out, struct error *err) {
    out->opcode = WS_CLOSE;
    out->close_code = WS_CLOSE_TOO_BIG;
    out->data = slice_from("", 0);
    return error_set(err, KE_TOO_LARGE, "websocket: read limit exceeded");
}

/* ---------------------------------------------------------------- headers */

static size_t header_bytes(const struct ws_decoder *d) {
    if (d->header_len < 2)
        return 2;
    uint8_t len = d->header[1] & 0x7f;
    return 2 + (len == 126 ? 2u : len == 127 ? 8u : 0u) + (d->header[1] & 0x80 ? 4u : 0u);
}

static void complain(struct buf *words, const char *what) {
    if (words->len)
        buf_append_str(words, ", ");
    buf_append_str(words, what);
}

static bool is_control(unsigned opcode) {
    return opcode & 8;
}

static void check_opcode(const struct ws_decoder *d, struct buf *words) {
    char text[24];
    bool is_final = d->header[0] & 0x80;
    unsigned opcode = d->header[0] & 15;
    switch (opcode) {
    case WS_CLOSE:
    case WS_PING:
    case WS_PONG:
        if ((d->header[1] & 0x7f) > WS_CONTROL_MAX)
            complain(words, "len > 125 for control");
        if (!is_final)
            complain(words, "FIN not set on control");
        break;
    case WS_TEXT:
    case WS_BINARY:
        if (d->is_in_message)
            complain(words, "data before FIN");
        break;
    case WS_CONTINUATION:
        if (!d->is_in_message)
            complain(words, "continuation after FIN");
        break;
    default:
        snprintf(text, sizeof text, "bad opcode %u", opcode);
        complain(words, text);
    }
}

/* The first two bytes say all that can be wrong; every breach is named. */
static int check_start(const struct ws_decoder *d, struct ws_event *out, struct error *err) {
    struct buf words;
    buf_init(&words, 256);
    if ((d->header[0] & 0x40) && !d->may_deflate)
        complain(&words, "RSV1 set");
    if (d->header[0] & 0x20)
        complain(&words, "RSV2 set");
    if (d->header[0] & 0x10)
        complain(&words, "RSV3 set");
    check_opcode(d, &words);
    if (!!(d->header[1] & 0x80) != d->is_server)
        complain(&words, "bad MASK");
    int rc = words.len ? breach(out, err, buf_cstr(&words)) : 0;
    buf_release(&words);
    return rc;
}

static int begin_payload(struct ws_decoder *d, struct ws_event *out, struct error *err) {
    unsigned at = 2, len = d->header[1] & 0x7f;
    uint64_t bytes = len;
    if (len >= 126) {
        unsigned n = len == 126 ? 2 : 8;
        for (bytes = 0; n > 0; n--)
            bytes = bytes << 8 | d->header[at++];
    }
    if (d->header[1] & 0x80)
        memcpy(d->mask, d->header + at, 4);
    d->opcode = d->header[0] & 15;
    d->is_final = d->header[0] & 0x80;
    d->is_in_payload = true;
    d->left = bytes;
    d->mask_at = 0;
    d->control_len = 0;
    if (is_control(d->opcode))
        return 0;
    if (d->opcode != WS_CONTINUATION) {
        d->message_opcode = d->opcode;
        d->is_compressed = d->header[0] & 0x40;
        d->is_in_message = true;
    }
    if (bytes > d->message.cap - d->message.len)
        return too_large(out, err);
    buf_reserve(&d->message, bytes < RESERVE_MAX ? (size_t)bytes : RESERVE_MAX);
    return 0;
}

static int take_header(struct ws_decoder *d, struct slice *in, struct ws_event *out,
                       struct error *err) {
    size_t need;
    while (d->header_len < (need = header_bytes(d))) {
        size_t n = need - d->header_len;
        if (in->len == 0)
            return 0;
        n = n < in->len ? n : in->len;
        memcpy(d->header + d->header_len, in->ptr, n);
        d->header_len += (uint8_t)n;
        *in = slice_from(in->ptr + n, in->len - n);
        if (d->header_len == 2) {
            int rc = check_start(d, out, err);
            if (rc)
                return rc;
        }
    }
    return begin_payload(d, out, err);
}

/* ---------------------------------------------------------------- payloads */

void ws_mask(uint8_t *bytes, size_t len, const uint8_t mask[4], size_t at) {
    uint8_t turned[8];
    uint64_t word, key;
    for (size_t i = 0; i < sizeof turned; i++)
        turned[i] = mask[(at + i) & 3];
    memcpy(&key, turned, sizeof key);
    size_t i = 0;
    for (; i + sizeof word <= len; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        word ^= key;
        memcpy(bytes + i, &word, sizeof word);
    }
    for (; i < len; i++)
        bytes[i] ^= turned[i & 7];
}

static void take_payload(struct ws_decoder *d, struct slice *in) {
    size_t n = d->left < in->len ? (size_t)d->left : in->len;
    uint8_t *to;
    if (n == 0)
        return;
    if (is_control(d->opcode)) {
        to = d->control + d->control_len;
        memcpy(to, in->ptr, n);
        d->control_len += n;
    } else {
        CHECK(buf_append(&d->message, in->ptr, n) == 0); /* begin_payload looked at the cap */
        to = (uint8_t *)d->message.ptr + d->message.len - n;
    }
    if (d->is_server)
        ws_mask(to, n, d->mask, d->mask_at);
    d->mask_at += n;
    d->left -= n;
    *in = slice_from(in->ptr + n, in->len - n);
}

static int end_close(struct ws_decoder *d, struct ws_event *out, struct error *err) {
    char words[32];
    out->close_code = WS_CLOSE_NO_STATUS;
    if (d->control_len < 2)
        return 1;
    int code = d->control[0] << 8 | d->control[1];
    if (!ws_close_code_is_valid(code)) {
        snprintf(words, sizeof words, "bad close code %d", code);
        return breach(out, err, words);
    }
    struct slice reason = slice_from((const char *)d->control + 2, d->control_len - 2);
    if (!utf8_is_valid(reason))
        return breach(out, err, "invalid utf8 payload in close frame");
    out->close_code = code;
    out->data = reason;
    return 1;
}

/* The frame is complete: 1 when that is worth an event. */
static int end_frame(struct ws_decoder *d, struct ws_event *out, struct error *err) {
    d->header_len = 0;
    d->is_in_payload = false;
    if (is_control(d->opcode)) {
        *out = (struct ws_event){
            .opcode = (enum ws_opcode)d->opcode, .data = slice_from("", 0), .close_code = 0};
        if (d->opcode == WS_CLOSE)
            return end_close(d, out, err);
        out->data = slice_from((const char *)d->control, d->control_len);
        return 1;
    }
    if (!d->is_final)
        return 0;
    d->is_in_message = false;
    d->is_given = true;
    *out = (struct ws_event){.opcode = (enum ws_opcode)d->message_opcode,
                             .is_compressed = d->is_compressed,
                             .data = d->message.len ? buf_slice(&d->message) : slice_from("", 0)};
    return 1;
}

int ws_decoder_feed(struct ws_decoder *d, struct slice bytes, size_t *out_used,
                    struct ws_event *out, struct error *err) {
    struct slice in = bytes;
    int rc = 0;
    if (d->is_given) {
        d->is_given = false;
        if (d->message.alloc > KEEP_MAX) {
            size_t cap = d->message.cap;
            buf_release(&d->message);
            buf_init(&d->message, cap);
        }
        buf_reset(&d->message);
    }
    while (rc == 0) {
        if (!d->is_in_payload) {
            rc = take_header(d, &in, out, err);
            if (rc || !d->is_in_payload)
                break;
        }
        take_payload(d, &in);
        if (d->left > 0)
            break;
        rc = end_frame(d, out, err);
    }
    *out_used = bytes.len - in.len;
    return rc;
}

/* ---------------------------------------------------------------- writing */

size_t ws_header_write(uint8_t out[WS_HEADER_MAX], enum ws_opcode opcode, bool is_final,
                       bool is_compressed, uint64_t payload_bytes, const uint8_t mask[4]) {
    size_t n = 0;
    unsigned size_bytes = payload_bytes < 126 ? 0 : payload_bytes < 65536 ? 2 : 8;
    out[n++] = (uint8_t)((is_final ? 0x80 : 0) | (is_compressed ? 0x40 : 0) | (unsigned)opcode);
    out[n++] = (uint8_t)((mask ? 0x80u : 0u) | (size_bytes == 0   ? (unsigned)payload_bytes
                                                : size_bytes == 2 ? 126u
                                                                  : 127u));
    for (unsigned i = size_bytes; i > 0; i--)
        out[n++] = (uint8_t)(payload_bytes >> (8 * (i - 1)));
    if (mask) {
        memcpy(out + n, mask, 4);
        n += 4;
    }
    return n;
}

/* ---------------------------------------------------------------- closing */

size_t ws_close_payload(uint8_t *out, int code, struct slice reason) {
    if (code == WS_CLOSE_NO_STATUS)
        return 0;
    size_t n = reason.len < WS_CONTROL_MAX - 2 ? reason.len : WS_CONTROL_MAX - 2;
    out[0] = (uint8_t)((unsigned)code >> 8);
    out[1] = (uint8_t)code;
    if (n)
        memcpy(out + 2, reason.ptr, n);
    return 2 + n;
}

bool ws_close_code_is_valid(int code) {
    if (code >= 3000 && code <= 4999)
        return true;
    return code >= 1000 && code <= 1013 && code != 1004 && code != WS_CLOSE_NO_STATUS &&
           code != WS_CLOSE_ABNORMAL;
}

static const char *close_code_name(int code) {
    static const struct {
        int code;
        const char *name;
    } names[] = {
        {1000, " (normal)"},
        {1001, " (going away)"},
        {1002, " (protocol error)"},
        {1003, " (unsupported data)"},
        {1005, " (no status)"},
        {1006, " (abnormal closure)"},
        {1007, " (invalid payload data)"},
        {1008, " (policy violation)"},
        {1009, " (message too big)"},
        {1010, " (mandatory extension missing)"},
        {1011, " (internal server error)"},
        {1015, " (TLS handshake error)"},
    };
    for (size_t i = 0; i < countof(names); i++)
        if (names[i].code == code)
            return names[i].name;
    return "";
}

int ws_close_error(struct error *err, int code, struct slice reason) {
    return error_set(err, KE_EOF, "websocket: close %d%s%s%.*s", code, close_code_name(code),
                     reason.len ? ": " : "", SLICE_FMT(reason));
}
