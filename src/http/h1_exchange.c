#include <stdlib.h>

#include "base/check.h"
#include "http/compression.h"
#include "http/http_internal.h"
#include "http/http_proxy.h"

/* One request and its response over one connection. */
struct exchange {
    struct http_hop *hop;
    struct http_client *client;
    struct http_conn *conn;
    struct http_proxy proxy;
    bool has_proxy;
    bool wants_close; /* the request says Connection: close */
    bool is_refused;  /* the request itself was refused: the connection saw nothing of it */
    struct h1_head head;
    struct buf in;      /* a head that one read did not bring; otherwise the shared buffer serves */
    char *request_head; /* copy for keep_request_head */
    size_t request_head_bytes;
    bool got_bytes;
    struct conn_timings dial;
    int64_t ready_ns, wrote_ns, first_byte_ns;
    struct http_response *response;
    /* From here on nothing is cleared for a new exchange: only err.code says whether there is an
     * error. */
    struct error err;
    char request_head_room[1024];
};

/* What the response's head promises and how much of it the buffer holds already. */
struct payload {
    char *ptr; /* body bytes behind the head, chunked ones decoded */
    size_t len;
    bool is_complete;
    bool has_excess; /* bytes that belong to no response: the connection cannot be used again */
    bool is_dropped; /* nobody wants the body */
    struct h1_chunked chunked;
};

/* ---------------------------------------------------------------- connection */

static int open_conn(struct exchange *x, struct slice host, uint16_t port, bool is_tls) {
    const struct http_client_config *cfg = x->client->config;
    struct conn_target target = {
        .host = host,
        .port = port,
        .is_tls = is_tls,
        .alpn = CONN_ALPN_HTTP1,
        .dialer = http_client_dialer(x->client),
        .tls = cfg->tls,
        .counters = x->client->counters,
    };
    if (x->has_proxy && is_tls) {
        target.proxy_host = x->proxy.url.host;
        target.proxy_port = x->proxy.url.port;
        target.proxy_auth = slice_cstr(x->proxy.authorization);
    }
    struct conn *conn;
    int rc = conn_open(&target, x->hop->deadline_ns, &conn, &x->dial, &x->err);
    if (rc) {
        if (x->has_proxy && !is_tls && rc != KE_TIMEOUT && rc != KE_CANCELED) {
            struct error inner = x->err;
            error_set(&x->err, KE_TCP, "proxyconnect tcp: %s", inner.text);
        }
        return x->err.code = x->err.code ? x->err.code : rc;
    }
    x->conn = http_conn_new(conn, host, port, is_tls);
    return 0;
}

static void drop_conn(struct exchange *x) {
    if (x->conn)
        http_conn_close(x->conn);
    x->conn = NULL;
}

/* ---------------------------------------------------------------- sending */

static int build(struct exchange *x, struct buf *out) {
    bool target_is_proxy = x->has_proxy && !x->hop->url->is_https;
    struct slice proxy_auth = x->has_proxy ? slice_cstr(x->proxy.authorization) : slice_from("", 0);
    buf_reset(out);
    int rc = h1_request_build(out, x->hop, proxy_auth, target_is_proxy, &x->err);
    x->is_refused = rc != 0;
    if (unlikely(rc))
        return rc;
    if (x->hop->req->keep_request_head && !x->request_head) {
        bool fits = out->len <= sizeof x->request_head_room;
        x->request_head = fits ? x->request_head_room : xmalloc(out->len);
        memcpy(x->request_head, out->ptr, out->len);
        x->request_head_bytes = out->len;
    }
    return 0;
}

/* The thread's buffer, or own when a full socket made another fiber's write wait in that one. */
static struct buf *take_buffer(struct buf *own) {
    struct http_scratch *scratch = http_scratch();
    buf_init(own, BUF_NO_CAP);
    if (unlikely(scratch->out_is_taken))
        return own;
    scratch->out_is_taken = true;
    return &scratch->out;
}

static void release_buffer(struct buf *b, struct buf *own) {
    if (b == own)
        buf_release(own);
    else
        http_scratch()->out_is_taken = false;
}

static int send_request(struct exchange *x) {
    const struct http_hop *hop = x->hop;
    struct buf own, *out = take_buffer(&own);
    int rc = build(x, out);
    if (likely(!rc)) {
        struct iovec iov[2] = {{out->ptr, out->len}, {NULL, 0}};
        if (h1_request_is_chunked(hop))
            iov[1] = (struct iovec){(char *)(uintptr_t) "0\r\n\r\n", 5};
        else if (hop->sends_body)
            iov[1] = (struct iovec){(char *)(uintptr_t)hop->body.ptr, hop->body.len};
        rc = conn_write(x->conn->conn, iov, iov[1].iov_len ? 2 : 1, hop->deadline_ns, &x->err);
        x->wrote_ns = rc ? 0 : clock_now_ns();
    }
    release_buffer(out, &own);
    return rc;
}

/* Finds an idle connection or dials; a request that Go would refuse is refused before that. */
static int get_conn(struct exchange *x) {
    const struct url *url = x->hop->url;
    struct slice host = url->host;
    uint16_t port = url->port;
    if (unlikely(x->has_proxy) && !url->is_https) {
        host = x->proxy.url.host;
        port = x->proxy.url.port;
    }
    x->dial = (struct conn_timings){0};
    x->conn = http_pool_get(&x->client->pool, host, port, url->is_https);
    if (likely(x->conn != NULL))
        return 0;
    struct buf own, *out = take_buffer(&own);
    int rc = build(x, out);
    release_buffer(out, &own);
    return rc ? rc : open_conn(x, host, port, url->is_https);
}

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

/* A body of these is null, not empty. */
static bool is_bodiless(int status) {
    return status < 200 || status == 204 || status == 304;
}

static int body_too_large(struct exchange *x) {
    return error_set(&x->err, KE_TOO_LARGE, "response body is larger than %llu bytes",
                     (unsigned long long)x->client->max_body_bytes);
}

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

static const char *copy(char **at, const char *from, size_t len) {
    char *to = *at;
    memcpy(to, from, len);
    *at += len;
    return to;
}

/* The response block: URL text, what was sent, head, and the body when it is all there. */
static struct http_response *make_response(struct exchange *x, const char *head, size_t head_bytes,
                                           const char *body, size_t body_bytes) {
    const struct url *url = x->hop->url;
    char *at;
    struct http_response *r = http_response_alloc(
        url->text_len + x->request_head_bytes + head_bytes + body_bytes + 2, &at);
    r->url_text = slice_from(copy(&at, url->text, url->text_len), url->text_len);
    *at++ = 0;
    if (x->request_head)
        r->request_head =
            slice_from(copy(&at, x->request_head, x->request_head_bytes), x->request_head_bytes);
    r->method = x->hop->method;
    if (head_bytes) {
        r->head = slice_from(copy(&at, head, head_bytes), head_bytes);
        r->status = x->head.status;
        r->proto_major = x->head.proto_major;
        r->proto_minor = x->head.proto_minor;
        r->is_chunked = x->head.is_chunked;
        r->is_closing = x->head.says_close && x->head.proto_major == 1 && x->head.proto_minor >= 1;
        r->has_set_cookie = x->head.has_set_cookie;
        r->status_text = slice_from(r->head.ptr + x->head.status_text.at, x->head.status_text.len);
        if (r->status >= 400)
            r->error_code = 1000 + r->status;
    }
    if (body)
        r->body = slice_from(copy(&at, body, body_bytes), body_bytes);
    *at = 0;
    if (x->conn) {
        const struct conn *c = x->conn->conn;
        const char *ip = conn_peer_ip(c);
        size_t len = strlen(ip);
        memcpy(r->remote_ip, ip, (len < sizeof r->remote_ip ? len : sizeof r->remote_ip - 1) + 1);
        r->remote_port = sockaddr_port(conn_peer(c));
        r->tls = conn_tls_info(c);
    }
    return r;
}

/* One read of the rest of a body, into the body itself or, when nobody wants it, into the shared
 * buffer. Sets p->is_complete at the end. */
static int read_more(struct exchange *x, struct payload *p, struct buf *body, uint64_t *seen) {
    char *to = http_scratch()->recv;
    size_t room = HTTP_RECV_BYTES, n, used;
    uint64_t left = UINT64_MAX;
    if (x->head.framing == H1_LENGTH)
        left = (uint64_t)x->head.content_length - *seen;
    if (!p->is_dropped) {
        /* A declared length is trusted up to a megabyte, then growth is geometric. */
        size_t grow = body->len < (1U << 20) ? (1U << 20) : body->len;
        if (x->head.framing != H1_LENGTH && body->len < (1U << 20))
            grow = body->len < 16384 ? 16384 : body->len;
        if (grow > left)
            grow = (size_t)left;
        if (grow > body->cap - body->len)
            grow = body->cap - body->len;
        if (grow == 0 || buf_reserve(body, grow))
            return body_too_large(x);
        to = body->ptr + body->len;
        room = body->alloc - body->len - 1;
    }
    if (room > left)
        room = (size_t)left;
    int64_t event_ns;
    long got = conn_read(x->conn->conn, to, room, false, x->hop->deadline_ns, &event_ns, &x->err);
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
    if (x->head.framing == H1_LENGTH)
        p->is_complete = *seen == (uint64_t)x->head.content_length;
    return rc < 0 ? rc : 0;
}

/* Go reads that much of a redirect's body to keep the connection; beyond it a new one is cheaper.
 */
#define SKIP_MAX_BYTES 2048

static bool is_too_much_to_skip(const struct exchange *x, uint64_t seen) {
    return seen >= SKIP_MAX_BYTES ||
           (x->head.framing == H1_LENGTH && x->head.content_length > SKIP_MAX_BYTES);
}

/* The rest of a body that did not come with the head. What was read stays in the response on error,
 * as in k6. */
static int stream_body(struct exchange *x, struct payload *p, int rc) {
    struct http_response *r = x->response;
    struct buf body;
    uint64_t seen = p->len;
    size_t cap =
        x->client->max_body_bytes < SIZE_MAX / 2 ? (size_t)x->client->max_body_bytes : SIZE_MAX / 2;
    buf_init(&body, cap);
    if (!p->is_dropped && buf_append(&body, p->ptr, p->len) && !rc)
        rc = body_too_large(x);
    if (!rc && x->head.framing == H1_LENGTH && !p->is_dropped &&
        (uint64_t)x->head.content_length > cap)
        rc = body_too_large(x);
    while (!rc && !p->is_complete && !(x->hop->follows && is_too_much_to_skip(x, seen)))
        rc = read_more(x, p, &body, &seen);
    r->body_bytes = seen;
    if (!p->is_dropped) {
        size_t len;
        char *ptr = buf_detach(&body, &len);
        http_response_own_body(r, ptr, len);
    }
    return rc;
}

/* ---------------------------------------------------------------- content codings */

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

/* ---------------------------------------------------------------- one attempt */

static void set_timings(struct exchange *x) {
    struct http_timings *t = &x->response->timings;
    int64_t now = clock_now_ns();
    t->end_mono = now;
    t->looking_up = 0; /* as in k6 */
    t->connecting = x->dial.connect_ns;
    t->tls_handshaking = x->dial.tls_ns;
    t->blocked = x->ready_ns ? x->ready_ns - x->hop->start_ns : 0;
    if (x->wrote_ns) {
        t->sending = x->wrote_ns - x->ready_ns;
        if (x->first_byte_ns > x->wrote_ns)
            t->waiting = x->first_byte_ns - x->wrote_ns;
        else if (!x->first_byte_ns)
            t->waiting = now - x->wrote_ns;
    }
    if (x->first_byte_ns)
        t->receiving = now > x->first_byte_ns ? now - x->first_byte_ns : 0;
}

static int unsupported_status(struct exchange *x) {
    struct http_response *r = x->response;
    error_set(&x->err, KE_HTTP_MALFORMED, "unsupported response status: %.*s",
              SLICE_FMT(r->status_text));
    set_timings(x);
    http_response_fail(r, x->hop, &x->err, false);
    drop_conn(x);
    r->must_throw = true;
    return x->err.code;
}

/* Makes the response of a head and what came with it, and reads the rest. */
static int receive_body(struct exchange *x, char *buf, size_t len, size_t head_bytes) {
    struct payload p = {0};
    p.is_dropped = x->hop->follows || x->hop->req->response_type == HTTP_RESPONSE_NONE;
    int rc = look_at_payload(x, &p, buf + head_bytes, len - head_bytes);
    if (likely(p.is_complete && p.len <= x->client->max_body_bytes)) {
        bool keeps = !p.is_dropped && !is_bodiless(x->head.status);
        x->response = make_response(x, buf, head_bytes, keeps ? p.ptr : NULL, keeps ? p.len : 0);
        x->response->body_bytes = p.len;
    } else {
        x->response = make_response(x, buf, head_bytes, NULL, 0);
        rc = stream_body(x, &p, rc);
        /* What is left of a redirect's body, or went wrong with it, is nobody's concern. */
        if (x->hop->follows && rc != KE_CANCELED) {
            if (rc || !p.is_complete)
                p.has_excess = true;
            rc = 0;
        }
    }
    if (rc || p.has_excess || x->head.is_close || x->wants_close)
        drop_conn(x);
    return rc;
}

/* From the first response byte on. Fills x->response once the head is good; a failure is in it,
 * then. */
static int receive(struct exchange *x) {
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
    set_timings(x);
    bool is_kept = !x->hop->follows && x->hop->req->response_type != HTTP_RESPONSE_NONE;
    int decoded = 0;
    if (unlikely(x->head.has_content_encoding) && is_kept && !is_bodiless(x->head.status) &&
        rc != KE_CANCELED)
        decoded = decode_body(x);
    if (unlikely(rc))
        http_response_fail(x->response, x->hop, &x->err, false);
    return rc ? rc : decoded;
}

/* Go tries again when an idle connection turns out to be dead, if doing so cannot do the request
 * twice. */
static bool may_retry(const struct exchange *x, int rc, bool is_written) {
    static const char *const methods[] = {"", "GET", "HEAD", "OPTIONS", "TRACE"};
    if (!x->conn || !x->conn->is_reused || x->got_bytes || rc == KE_TIMEOUT || rc == KE_CANCELED)
        return false;
    if (!is_written)
        return true;
    for (size_t i = 0; i < countof(methods); i++) {
        if (slice_eq(x->hop->method, slice_cstr(methods[i])))
            return true;
    }
    return http_request_header(x->hop->req, SLICE("Idempotency-Key")).ptr ||
           http_request_header(x->hop->req, SLICE("X-Idempotency-Key")).ptr;
}

/* A peer that closed before it had read all may have said why: look for its answer. */
static bool may_have_answered(int rc) {
    return rc == KE_TCP_BROKEN_PIPE || rc == KE_TCP_RESET;
}

static int attempt(struct exchange *x) {
    for (;;) {
        x->err.code = x->err.sys_errno = 0;
        x->got_bytes = false;
        x->wrote_ns = x->first_byte_ns = x->ready_ns = 0;
        int rc = get_conn(x);
        if (unlikely(rc))
            return rc;
        /* Finding an idle connection takes no time worth reading a clock for. */
        x->ready_ns = x->conn->is_reused ? x->hop->start_ns : clock_now_ns();
        rc = send_request(x);
        if (unlikely(x->is_refused))
            return rc;
        bool is_written = rc == 0;
        if (likely(!rc))
            rc = receive(x);
        else if (may_have_answered(rc) && !x->conn->is_reused) {
            struct error wrote = x->err;
            rc = receive(x);
            if (rc && !x->got_bytes)
                x->err = wrote;
        }
        if (likely(!rc) || x->response || !may_retry(x, rc, is_written))
            return rc;
        drop_conn(x);
    }
}

static int find_proxy(struct exchange *x) {
    int rc = http_proxy_for(x->client->config, x->hop->url, &x->proxy, &x->err);
    x->has_proxy = rc > 0;
    return rc < 0 ? rc : 0;
}

struct http_response *h1_exchange(struct http_hop *hop) {
    struct exchange x;
    memset(&x, 0, offsetof(struct exchange, err));
    x.err.code = x.err.sys_errno = 0;
    x.hop = hop;
    x.client = hop->client;
    buf_init(&x.in, BUF_NO_CAP);
    x.wants_close =
        x.client->config->no_connection_reuse ||
        (hop->req->n_headers &&
         http_value_has_token(http_request_header(hop->req, SLICE("connection")), SLICE("close")));
    int rc = 0;
    if (unlikely(hop->deadline_ns <= hop->start_ns))
        rc = error_set(&x.err, KE_TIMEOUT, "%s", error_text(KE_TIMEOUT));
    else if (unlikely(x.client->has_proxy))
        rc = find_proxy(&x);
    if (likely(!rc))
        rc = attempt(&x);
    if (unlikely(rc) && !x.response) {
        x.err.code = x.err.code ? x.err.code : rc;
        x.response = make_response(&x, NULL, 0, NULL, 0);
        set_timings(&x);
        http_response_fail(x.response, hop, &x.err, true);
        if (!x.is_refused)
            drop_conn(&x);
    }
    if (likely(x.conn != NULL))
        http_pool_put(&x.client->pool, x.conn);
    if (unlikely(x.has_proxy))
        http_proxy_release(&x.proxy);
    if (x.request_head != x.request_head_room)
        free(x.request_head);
    buf_release(&x.in);
    return x.response;
}
