#include "base/check.h"
#include "http/compression.h"
#include "http/http_exchange.h"

bool exchange_is_bodiless(int status) {
    return status < 200 || status == 204 || status == 304;
}

int exchange_too_large(struct exchange *x) {
    return error_set(&x->err, KE_TOO_LARGE, "response body is larger than %llu bytes",
                     (unsigned long long)x->client->max_body_bytes);
}

static int decode_body(struct exchange *x) {
    struct http_response *r = x->response;
    struct slice coding =
        slice_from(r->head.ptr + x->head.content_encoding.at, x->head.content_encoding.len);
    struct http_decode_error e;
    struct buf out;
    if (!http_is_compressed(coding))
        return 0;
    buf_init(&out, x->client->max_body_bytes < SIZE_MAX / 2 ? (size_t)x->client->max_body_bytes
                                                            : SIZE_MAX / 2);
    int rc = http_decompress(coding, r->body, &out, &e);
    if (rc && e.drops_body) {
        buf_release(&out);
        r->body = slice_from(NULL, 0);
        r->body_bytes = 0;
    } else {
        size_t len;
        char *ptr = buf_detach(&out, &len);
        http_response_own_body(r, ptr, len);
        r->body_bytes = len;
    }
    if (rc && !x->err.code) {
        http_response_fail(r, x->hop, &e.error, false);
        if (e.is_wrapped_twice)
            http_response_wrap_short_text(r);
    }
    return rc;
}

void exchange_set_timings(struct exchange *x) {
    struct http_timings *t = &x->response->timings;
    int64_t now = clock_now_ns();
    t->end_mono = now;
    t->looking_up = 0; /* as in k6 */
    t->connecting = x->dial.connect_ns;
    t->tls_handshaking = x->dial.tls_ns;
    t->blocked = x->ready_ns ? x->ready_ns - x->hop->start_ns : 0;
    if (x->wrote_ns) {
        int64_t wrote_ns = x->wrote_ns, until_ns = x->first_byte_ns ? x->first_byte_ns : now;
        /* The answer came before this thread had the processor back to note that the request was
         * out: nobody knows when that was, and the two share the time. */
        if (x->first_byte_ns && x->first_byte_ns <= wrote_ns)
            wrote_ns = x->ready_ns + (x->first_byte_ns - x->ready_ns) / 2;
        t->sending = wrote_ns > x->ready_ns ? wrote_ns - x->ready_ns : 0;
        t->waiting = until_ns > wrote_ns ? until_ns - wrote_ns : 0;
    }
    if (x->first_byte_ns)
        t->receiving =
            now > x->first_byte_ns + x->queued_ns ? now - x->first_byte_ns - x->queued_ns : 0;
}

int exchange_finish(struct exchange *x, int rc) {
    exchange_set_timings(x);
    bool is_kept = !x->hop->follows && x->hop->req->response_type != HTTP_RESPONSE_NONE;
    int decoded = 0;
    if (unlikely(x->head.has_content_encoding) && is_kept &&
        !exchange_is_bodiless(x->head.status) && rc != KE_CANCELED)
        decoded = decode_body(x);
    if (unlikely(rc))
        http_response_fail(x->response, x->hop, &x->err, false);
    return rc ? rc : decoded;
}
