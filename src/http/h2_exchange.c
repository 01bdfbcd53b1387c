#include "base/check.h"
#include "fiber/fiber.h"
#include "http/h2_request.h"
#include "http/h2_session.h"
#include "http/http_exchange.h"

/* A bigger body keeps its own memory instead of being copied into the response's block. */
#define COPY_MAX_BYTES (32 * 1024)

static int open_stream(struct exchange *x, struct h2_stream *stream) {
    const struct http_hop *hop = x->hop;
    struct h2_fields fields;
    struct buf own, *out = exchange_take_buffer(&own);
    int rc = exchange_build(x, out);
    if (likely(!rc)) {
        rc = h2_fields_init(&fields, buf_slice(out), hop->url->is_https, &x->err);
        x->is_refused = rc != 0;
        bool has_body = hop->sends_body && (hop->body.len || h1_request_is_chunked(hop));
        stream->body = hop->body;
        stream->pieces = hop->n_body_pieces ? hop->req->body_pieces : NULL;
        if (likely(!rc))
            rc = h2_stream_open(x->conn->h2, stream, fields.nv, fields.len, has_body);
        h2_fields_release(&fields);
    }
    exchange_release_buffer(out, &own);
    if (likely(!rc))
        h2_stream_send(stream);
    return rc;
}

/* The body of a redirect is of no interest; a long one is not waited for. */
static int read_body(struct exchange *x, struct h2_stream *stream) {
    int rc = 0;
    while (!rc && !stream->is_done) {
        if (unlikely(x->hop->follows) && stream->data_bytes >= EXCHANGE_SKIP_MAX_BYTES)
            return 0;
        rc = h2_stream_wait(stream, x->hop->deadline_ns);
    }
    return rc ? rc : stream->err.code;
}

static void make_response(struct exchange *x, struct h2_stream *stream) {
    bool keeps = !stream->drops_body && !exchange_is_bodiless(x->head.status);
    const char *head = stream->head.text.ptr;
    size_t head_bytes = stream->head.text.len, bytes = stream->data.len;
    if (keeps && bytes > COPY_MAX_BYTES) {
        x->response = exchange_make_response(x, head, head_bytes, NULL, 0);
        char *body = buf_detach(&stream->data, &bytes);
        http_response_own_body(x->response, body, bytes);
    } else {
        const char *body = bytes ? stream->data.ptr : "";
        x->response =
            exchange_make_response(x, head, head_bytes, keeps ? body : NULL, keeps ? bytes : 0);
    }
    x->response->body_bytes = stream->data_bytes;
}

static void take_times(struct exchange *x, const struct h2_stream *stream) {
    int64_t resumed_ns = fiber_resumed_ns(fiber_self());
    x->got_bytes = stream->first_byte_ns != 0;
    x->wrote_ns = stream->wrote_ns;
    x->first_byte_ns = stream->first_byte_ns;
    x->queued_ns = stream->queued_ns;
    /* Another fiber read the end, before it was our turn. */
    if (stream->end_ns && resumed_ns > stream->end_ns)
        x->queued_ns += resumed_ns - stream->end_ns;
}

static int receive(struct exchange *x, struct h2_stream *stream) {
    int rc = h2_stream_wait(stream, x->hop->deadline_ns);
    if (unlikely(!stream->has_head))
        return rc;
    x->head = stream->head.notes;
    struct h1_view location = x->head.location;
    rc = http_redirect_plan(x->hop, x->head.status,
                            slice_from(stream->head.text.ptr + location.at, location.len), &x->err);
    if (unlikely(rc))
        return rc;
    if (x->hop->follows)
        stream->drops_body = true;
    rc = read_body(x, stream);
    take_times(x, stream);
    make_response(x, stream);
    if (unlikely(rc)) {
        bool is_ours = !x->hop->follows || rc == KE_CANCELED;
        x->err = stream->err;
        rc = is_ours ? rc : 0;
        x->err.code = rc;
    }
    return exchange_finish(x, rc);
}

int h2_exchange(struct exchange *x) {
    struct h2_stream stream;
    memset(&stream, 0, offsetof(struct h2_stream, err));
    stream.is_head_request = slice_eq(x->hop->method, SLICE("HEAD"));
    stream.drops_body = x->hop->req->response_type == HTTP_RESPONSE_NONE;
    stream.max_body_bytes = x->client->max_body_bytes;
    stream.err.code = stream.err.sys_errno = 0;
    int rc = open_stream(x, &stream);
    if (unlikely(x->is_refused))
        return rc;
    if (likely(!rc))
        rc = receive(x, &stream);
    if (unlikely(rc) && !x->response) {
        if (!x->err.code)
            x->err = stream.err;
        take_times(x, &stream);
        x->may_repeat = stream.is_unprocessed;
    }
    h2_stream_close(&stream);
    return rc;
}
