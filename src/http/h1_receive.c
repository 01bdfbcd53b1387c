#include "http/http_exchange.h"

#include "base/check.h"
#include "fiber/fiber.h"

/* Of a body that is watched, a read at a time. */
#define WATCH_BYTES (16 * 1024)

/* What the response's head promises and how much of it the buffer holds already. */
struct payload {
    char *ptr; /* body bytes behind the head, chunked ones decoded */
    size_t len;
    bool is_complete;
    bool has_excess; /* bytes that belong to no response: the connection cannot be used again */
    bool is_dropped; /* nobody wants the body */
    struct h1_chunked chunked;
};

/* ---------------------------------------------------------------- receiving the head */

static int end_of_file(struct exchange *x) {
    if (!x->got_bytes)
        return error_set(&x->err, KE_EOF, "EOF");
    return error_set(&x->err, KE_EOF,
                     "net/http: HTTP/1.x transport connection broken: unexpected EOF");
}

static int broken(struct exchange *x, const struct error *why) {
    return error_set(&x->err, KE_HTTP_MALFORMED,
                     "net/http: HTTP/1.x transport connection broken: %s", why->text);
}

static int too_many_headers(struct exchange *x) {
    struct error why;
    error_set(&why, 0, "net/http: server response headers exceeded %d bytes; aborted",
              HTTP_MAX_HEADER_BYTES);
    return broken(x, &why);
}

/* Time that other fibers ran although our bytes were there is not the server's. */
static void note_queue(struct exchange *x, int64_t event_ns) {
    int64_t resumed_ns = fiber_resumed_ns(fiber_self());
    if (event_ns && resumed_ns > event_ns)
        x->queued_ns += resumed_ns - event_ns;
}

static int read_some(struct exchange *x, char *to, size_t bytes, bool wait_first, size_t *out_n) {
    int64_t event_ns = 0;
    long n =
        conn_read(x->conn->conn, to, bytes, wait_first, x->hop->deadline_ns, &event_ns, &x->err);
    if (unlikely(n <= 0)) {
        if (n == 0)
            return end_of_file(x);
        x->err.code = x->err.code ? x->err.code : (int)n;
        return (int)n;
    }
    note_queue(x, event_ns);
    if (!x->got_bytes) {
        x->got_bytes = true;
        x->first_byte_ns = event_ns ? event_ns : clock_now_ns();
    }
    *out_n = (size_t)n;
    return 0;
}

/* Reads until the head of the final response is complete. *out_buf then holds *out_len bytes, the
 * head first. */
static int read_head(struct exchange *x, char **out_buf, size_t *out_len, size_t *out_head) {
    char *buf = http_scratch()->recv;
    size_t len = 0, n, skipped = 0;
    bool is_head = slice_eq(x->hop->method, SLICE("HEAD"));
    int rc = read_some(x, buf, HTTP_RECV_BYTES, true, &len);
    if (unlikely(rc))
        return rc;
    h1_head_init(&x->head, is_head);
    for (;;) {
        struct error why;
        long head = h1_head_parse(&x->head, buf, &len, &why);
        if (likely(head > 0)) {
            int status = x->head.status;
            if (likely(status >= 200 || status == 101)) {
                *out_buf = buf;
                *out_len = len;
                *out_head = (size_t)head;
                return 0;
            }
            /* 100 Continue, 103 Early Hints: the real one follows. */
            len -= (size_t)head;
            memmove(buf, buf + head, len);
            skipped += (size_t)head;
            h1_head_init(&x->head, is_head);
            if (skipped > HTTP_MAX_HEADER_BYTES)
                return too_many_headers(x);
            if (len)
                continue;
        } else if (unlikely(head < 0)) {
            return broken(x, &why);
        }
        if (len > HTTP_MAX_HEADER_BYTES)
            return too_many_headers(x);
        /* Waiting again: the shared buffer goes to whoever runs next. */
        if (buf != x->in.ptr)
            buf_append(&x->in, buf, len);
        x->in.len = len;
        buf_reserve(&x->in, len < 4096 ? 4096 : len);
        buf = x->in.ptr;
        rc = read_some(x, buf + len, x->in.alloc - len - 1, false, &n);
        if (rc)
            return rc;
        len += n;
        x->in.len = len;
    }
}

/* ---------------------------------------------------------------- receiving the body */

/* Looks at what came with the head. A bad chunk is an error of the body: what was decoded counts.
 */
static int look_at_payload(struct exchange *x, struct payload *p, char *ptr, size_t len) {
    size_t used;
    int rc = 0;
    p->ptr = ptr;
    p->len = len;
    switch (x->head.framing) {
    case H1_NO_BODY:
        p->len = 0;
        p->is_complete = true;
        p->has_excess = len > 0;
        break;
    case H1_LENGTH:
        if (len >= (uint64_t)x->head.content_length) {
            p->len = (size_t)x->head.content_length;
            p->is_complete = true;
            p->has_excess = len > p->len;
        }
        break;
    case H1_CHUNKED:
        h1_chunked_init(&p->chunked);
        rc = h1_chunked_decode(&p->chunked, ptr, len, &p->len, &used, &x->err);
        p->is_complete = rc == 1;
        p->has_excess = used < len;
        break;
    case H1_UNTIL_CLOSE:
        break;
    }
    return rc < 0 ? rc : 0;
}

static bool watches_body(const struct exchange *x) {
    return x->hop->req->on_body && !x->hop->follows;
}

/* False when nobody wants more: the body counts as complete, but the connection is of no use. */
static bool give_piece(const struct exchange *x, struct payload *p, struct slice piece) {
    const struct http_request *req = x->hop->req;
    if (req->on_body(req->on_body_arg, x->response, piece))
        return true;
    p->has_excess = p->has_excess || !p->is_complete;
    p->is_complete = true;
    return false;
}

/* One read of the rest of a body, into the body itself or, when nobody wants it, into the shared
 * buffer. Sets p->is_complete at the end. */
static int read_more(struct exchange *x, struct payload *p, struct buf *body, uint64_t *seen) {
    char *to = http_scratch()->recv;
    size_t room = HTTP_RECV_BYTES, n, used;
    uint64_t left = UINT64_MAX;
    if (x->head.framing == H1_LENGTH)
        left = (uint64_t)x->head.content_length - *seen;
    if (unlikely(watches_body(x))) {
        to = body->ptr;
        room = body->alloc - 1;
    } else if (!p->is_dropped) {
        /* A declared length is trusted up to a megabyte, then growth is geometric. */
        size_t grow = body->len < (1U << 20) ? (1U << 20) : body->len;
        if (x->head.framing != H1_LENGTH && body->len < (1U << 20))
            grow = body->len < 16384 ? 16384 : body->len;
        if (grow > left)
            grow = (size_t)left;
        if (grow > body->cap - body->len)
            grow = body->cap - body->len;
        if (grow == 0 || buf_reserve(body, grow))
            return exchange_too_large(x);
        to = body->ptr + body->len;
        room = body->alloc - body->len - 1;
    }
    if (room > left)
        room = (size_t)left;
    int64_t event_ns;
    long got = conn_read(x->conn->conn, to, room, false, x->hop->deadline_ns, &event_ns, &x->err);
    if (got == KE_CANCELED && watches_body(x) && !give_piece(x, p, SLICE("")))
        return 0;
    if (got < 0) {
        x->err.code = x->err.code ? x->err.code : (int)got;
        return (int)got;
    }
    if (got == 0) {
        p->is_complete = x->head.framing == H1_UNTIL_CLOSE;
        if (p->is_complete)
            return 0;
        return error_set(&x->err, KE_EOF, "%s",
                         x->head.framing == H1_CHUNKED ? h1_chunked_eof_text(&p->chunked)
                                                       : "unexpected EOF");
    }
    note_queue(x, event_ns);
    n = (size_t)got;
    int rc = 0;
    if (x->head.framing == H1_CHUNKED) {
        rc = h1_chunked_decode(&p->chunked, to, (size_t)got, &n, &used, &x->err);
        p->is_complete = rc == 1;
        p->has_excess = used < (size_t)got;
    }
    *seen += n;
    if (!p->is_dropped)
        body->len += n;
    else if (unlikely(watches_body(x)) && !give_piece(x, p, slice_from(to, n)))
        return 0;
    if (x->head.framing == H1_LENGTH)
        p->is_complete = *seen == (uint64_t)x->head.content_length;
    return rc < 0 ? rc : 0;
}

/* The shared buffer is not ours any more once on_body has waited: the body's serves, which nobody
 * keeps. */
static void begin_watching(const struct exchange *x, struct payload *p, struct buf *body) {
    buf_append(body, p->ptr, p->len);
    buf_reserve(body, WATCH_BYTES);
    if (give_piece(x, p, SLICE("")) && p->len)
        give_piece(x, p, slice_from(body->ptr, p->len));
}

static bool is_too_much_to_skip(const struct exchange *x, uint64_t seen) {
    return seen >= EXCHANGE_SKIP_MAX_BYTES ||
           (x->head.framing == H1_LENGTH && x->head.content_length > EXCHANGE_SKIP_MAX_BYTES);
}

/* The rest of a body that did not come with the head. What was read stays in the response on error,
 * as in k6. */
static int stream_body(struct exchange *x, struct payload *p, int rc) {
    struct http_response *r = x->response;
    struct buf body;
    uint64_t seen = p->len;
    size_t cap =
        x->client->max_body_bytes < SIZE_MAX / 2 ? (size_t)x->client->max_body_bytes : SIZE_MAX / 2;
    buf_init(&body, watches_body(x) ? BUF_NO_CAP : cap);
    if (unlikely(watches_body(x)))
        begin_watching(x, p, &body);
    if (!p->is_dropped && buf_append(&body, p->ptr, p->len) && !rc)
        rc = exchange_too_large(x);
    if (!rc && x->head.framing == H1_LENGTH && !p->is_dropped &&
        (uint64_t)x->head.content_length > cap)
        rc = exchange_too_large(x);
    while (!rc && !p->is_complete && !(x->hop->follows && is_too_much_to_skip(x, seen)))
        rc = read_more(x, p, &body, &seen);
    r->body_bytes = seen;
    if (!p->is_dropped) {
        size_t len;
        char *ptr = buf_detach(&body, &len);
        http_response_own_body(r, ptr, len);
    }
    buf_release(&body);
    return rc;
}

static int unsupported_status(struct exchange *x) {
    struct http_response *r = x->response;
    error_set(&x->err, KE_HTTP_MALFORMED, "unsupported response status: %.*s",
              SLICE_FMT(r->status_text));
    exchange_set_timings(x);
    http_response_fail(r, x->hop, &x->err, false);
    exchange_drop_conn(x);
    r->must_throw = true;
    return x->err.code;
}

/* Makes the response of a head and what came with it, and reads the rest. */
static int receive_body(struct exchange *x, char *buf, size_t len, size_t head_bytes) {
    struct payload p = {0};
    p.is_dropped = x->hop->follows || x->hop->req->response_type == HTTP_RESPONSE_NONE;
    int rc = look_at_payload(x, &p, buf + head_bytes, len - head_bytes);
    if (likely(p.is_complete && p.len <= x->client->max_body_bytes && !watches_body(x))) {
        bool keeps = !p.is_dropped && !exchange_is_bodiless(x->head.status);
        x->response =
            exchange_make_response(x, buf, head_bytes, keeps ? p.ptr : NULL, keeps ? p.len : 0);
        x->response->body_bytes = p.len;
    } else {
        x->response = exchange_make_response(x, buf, head_bytes, NULL, 0);
        rc = stream_body(x, &p, rc);
        /* What is left of a redirect's body, or went wrong with it, is nobody's concern. */
        if (x->hop->follows && rc != KE_CANCELED) {
            if (rc || !p.is_complete)
                p.has_excess = true;
            rc = 0;
        }
    }
    if (rc || p.has_excess || x->head.is_close || x->wants_close)
        exchange_drop_conn(x);
    return rc;
}

/* From the first response byte on. Fills x->response once the head is good; a failure is in it,
 * then. */
int h1_receive(struct exchange *x) {
    char *buf;
    size_t len, head_bytes;
    int rc = read_head(x, &buf, &len, &head_bytes);
    if (unlikely(rc))
        return rc;
    struct h1_view location = x->head.location;
    rc = http_redirect_plan(x->hop, x->head.status, slice_from(buf + location.at, location.len),
                            &x->err);
    if (unlikely(rc))
        return rc;
    rc = receive_body(x, buf, len, head_bytes);
    if (unlikely(x->head.status == 101))
        return unsupported_status(x);
    return exchange_finish(x, rc);
}
