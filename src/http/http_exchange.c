#include "http/http_exchange.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/random.h"
#include "fiber/fiber.h"
#include "http/h2_session.h"

/* ---------------------------------------------------------------- the exchange's own */

void exchange_drop_conn(struct exchange *x) {
    if (x->conn && x->conn->h2)
        http_pool_leave(&x->client->pool, x->conn);
    else if (x->conn)
        http_conn_close(x->conn);
    x->conn = NULL;
}

static const char *copy(char **at, const char *from, size_t len) {
    char *to = *at;
    memcpy(to, from, len);
    *at += len;
    return to;
}

/* The response block: URL text, what was sent, head, and the body when it is all there. */
struct http_response *exchange_make_response(struct exchange *x, const char *head,
                                             size_t head_bytes, const char *body,
                                             size_t body_bytes) {
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
        if (r->tls)
            http_response_set_ocsp(r, x->conn->ocsp);
    }
    return r;
}

/* ---------------------------------------------------------------- connection */

/* The proxy itself is asked for the URL; otherwise there is a tunnel through it, or none. */
static bool asks_proxy(const struct exchange *x) {
    return x->has_proxy && !x->hop->url->is_https && !x->proxy.is_socks;
}

static bool speaks_h2c(const struct exchange *x) {
    return (x->client->config->h2c || x->hop->req->h2c) && !x->has_proxy;
}

static bool may_speak_h2(const struct exchange *x, bool is_tls) {
    return (is_tls || unlikely(speaks_h2c(x))) && !x->hop->req->on_body;
}

/* Of several fibers that dialed, the first one's connection serves all. */
static void use_h2(struct exchange *x, struct conn *conn, struct slice host, uint16_t port,
                   bool is_tls) {
    struct http_pool *pool = &x->client->pool;
    x->conn = x->wants_close ? NULL : http_pool_join(pool, host, port, is_tls);
    if (x->conn) {
        conn_close(conn);
        x->ready_ns = clock_now_ns();
        return;
    }
    x->conn = http_conn_new(conn, host, port, is_tls);
    x->conn->h2 = h2_session_new(conn);
    x->conn->n_users = 1;
    if (!x->wants_close)
        http_pool_share(pool, x->conn);
}

static int open_conn(struct exchange *x, struct slice host, uint16_t port, bool is_tls) {
    const struct http_client_config *cfg = x->client->config;
    struct conn_target target = {
        .host = host,
        .port = port,
        .is_tls = is_tls,
        .alpn = x->hop->req->on_body ? CONN_ALPN_HTTP1 : CONN_ALPN_CONFIG,
        .dialer = http_client_dialer(x->client),
        .tls = cfg->tls,
        .counters = x->client->counters,
    };
    if (x->has_proxy && (!asks_proxy(x) || x->proxy.is_tls))
        http_proxy_set_target(&x->proxy, &target);
    bool may_be_h2 = may_speak_h2(x, is_tls), is_h2 = false;
    struct http_dial dial;
    struct conn *conn;
    if (may_be_h2)
        http_pool_dial_begin(&x->client->pool, &dial, host, port);
    int rc = conn_open(&target, x->hop->deadline_ns, &conn, &x->dial, &x->err);
    if (!rc) {
        is_h2 = is_tls ? conn_tls_info(conn)->is_h2 : may_be_h2;
        if (is_h2)
            use_h2(x, conn, host, port, is_tls);
        else
            x->conn = http_conn_new(conn, host, port, is_tls);
    }
    if (may_be_h2)
        http_pool_dial_end(&dial, is_h2);
    if (rc) {
        if (asks_proxy(x) && !x->proxy.is_tls && rc != KE_TIMEOUT && rc != KE_CANCELED) {
            struct error inner = x->err;
            error_set(&x->err, KE_TCP, "proxyconnect tcp: %s", inner.text);
        }
        return x->err.code = x->err.code ? x->err.code : rc;
    }
    return 0;
}

/* ---------------------------------------------------------------- sending */

int exchange_build(struct exchange *x, struct buf *out) {
    bool target_is_proxy = asks_proxy(x);
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
struct buf *exchange_take_buffer(struct buf *own) {
    struct http_scratch *scratch = http_scratch();
    buf_init(own, BUF_NO_CAP);
    if (unlikely(scratch->out_is_taken))
        return own;
    scratch->out_is_taken = true;
    return &scratch->out;
}

void exchange_release_buffer(struct buf *b, struct buf *own) {
    if (b == own)
        buf_release(own);
    else
        http_scratch()->out_is_taken = false;
}

static int write_pieces(struct exchange *x, struct iovec head) {
    const struct http_hop *hop = x->hop;
    size_t n = hop->n_body_pieces;
    struct iovec *iov = xmalloc((n + 1) * sizeof *iov);
    iov[0] = head;
    for (size_t i = 0; i < n; i++) {
        struct slice piece = hop->req->body_pieces[i];
        iov[i + 1] = (struct iovec){(char *)(uintptr_t)piece.ptr, piece.len};
    }
    int rc = conn_write(x->conn->conn, iov, (int)n + 1, hop->deadline_ns, &x->err);
    free(iov);
    return rc;
}

static int send_request(struct exchange *x) {
    const struct http_hop *hop = x->hop;
    struct buf own, *out = exchange_take_buffer(&own);
    int rc = exchange_build(x, out);
    if (likely(!rc)) {
        struct iovec iov[2] = {{out->ptr, out->len}, {NULL, 0}};
        if (h1_request_is_chunked(hop))
            iov[1] = (struct iovec){(char *)(uintptr_t) "0\r\n\r\n", 5};
        else if (hop->sends_body)
            iov[1] = (struct iovec){(char *)(uintptr_t)hop->body.ptr, hop->body.len};
        if (unlikely(hop->sends_body && hop->n_body_pieces))
            rc = write_pieces(x, iov[0]);
        else
            rc = conn_write(x->conn->conn, iov, iov[1].iov_len ? 2 : 1, hop->deadline_ns, &x->err);
        x->wrote_ns = rc ? 0 : clock_now_ns();
    }
    exchange_release_buffer(out, &own);
    return rc;
}

/* An HTTP/2 connection that is there or about to be. */
static int join_h2(struct exchange *x, struct slice host, uint16_t port, bool is_tls) {
    struct http_pool *pool = &x->client->pool;
    x->conn = http_pool_join(pool, host, port, is_tls);
    if (x->conn)
        return 0;
    int rc = http_pool_await_dial(pool, host, port, x->hop->deadline_ns);
    if (rc < 0)
        return error_set(&x->err, rc, "%s", error_text(rc));
    if (rc == 0)
        return 0;
    x->conn = http_pool_join(pool, host, port, is_tls);
    if (x->conn)
        x->ready_ns = clock_now_ns();
    return 0;
}

/* Finds an idle connection or dials; a request that Go would refuse is refused before that. */
static int get_conn(struct exchange *x) {
    const struct url *url = x->hop->url;
    struct slice host = url->host;
    uint16_t port = url->port;
    if (unlikely(asks_proxy(x))) {
        host = x->proxy.url.host;
        port = x->proxy.url.port;
    }
    x->dial = (struct conn_timings){0};
    if (may_speak_h2(x, url->is_https)) {
        int rc = join_h2(x, host, port, url->is_https);
        if (x->conn || rc)
            return rc;
    }
    x->conn = http_pool_get(&x->client->pool, host, port, url->is_https);
    if (likely(x->conn != NULL))
        return 0;
    struct buf own, *out = exchange_take_buffer(&own);
    int rc = exchange_build(x, out);
    exchange_release_buffer(out, &own);
    if (unlikely(!rc && !url->is_port_valid && !x->has_proxy)) {
        const char *digits = memrchr(url->host_header.ptr, ':', url->host_header.len);
        int len = (int)(url->host_header.ptr + url->host_header.len - digits) - 1;
        rc = error_set(&x->err, KE_DIAL, "dial tcp: address %.*s: invalid port", len, digits + 1);
    }
    return rc ? rc : open_conn(x, host, port, url->is_https);
}

/* ---------------------------------------------------------------- one attempt */

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

/* Go repeats what a server has not looked at: at once, then ever later. */
#define REPEATS_MAX 6

static int pause_before_repeat(struct exchange *x) {
    if (x->n_repeats++ == 0)
        return 0;
    int64_t pause_ns = NS_PER_S << (x->n_repeats - 2);
    pause_ns += (int64_t)(random_u64() % (uint64_t)(pause_ns / 10));
    int64_t end_ns = clock_now_ns() + pause_ns;
    bool is_late = end_ns >= x->hop->deadline_ns;
    int rc = fiber_sleep_until(is_late ? x->hop->deadline_ns : end_ns);
    if (!rc && is_late)
        rc = KE_TIMEOUT;
    return rc ? error_set(&x->err, rc, "%s", error_text(rc)) : 0;
}

/* 0 with may_repeat: the request shall be done again. */
static int attempt_h2(struct exchange *x) {
    x->may_repeat = false;
    int rc = h2_exchange(x);
    if (unlikely(x->wants_close))
        h2_session_drain(x->conn->h2);
    if (likely(!rc) || !x->may_repeat || x->n_repeats >= REPEATS_MAX) {
        x->may_repeat = false;
        return rc;
    }
    exchange_drop_conn(x);
    return pause_before_repeat(x);
}

static int attempt(struct exchange *x) {
    for (;;) {
        x->err.code = x->err.sys_errno = 0;
        x->got_bytes = false;
        x->wrote_ns = x->first_byte_ns = x->ready_ns = x->queued_ns = 0;
        int rc = get_conn(x);
        if (unlikely(rc))
            return rc;
        /* Finding an idle connection takes no time worth reading a clock for. */
        if (!x->ready_ns)
            x->ready_ns = x->conn->is_reused ? x->hop->start_ns : clock_now_ns();
        if (x->conn->h2) {
            rc = attempt_h2(x);
            if (rc || !x->may_repeat)
                return rc;
            continue;
        }
        rc = send_request(x);
        if (unlikely(x->is_refused))
            return rc;
        bool is_written = rc == 0;
        if (likely(!rc))
            rc = h1_receive(x);
        else if (may_have_answered(rc) && !x->conn->is_reused) {
            struct error wrote = x->err;
            rc = h1_receive(x);
            if (rc && !x->got_bytes)
                x->err = wrote;
        }
        if (likely(!rc) || x->response || !may_retry(x, rc, is_written))
            return rc;
        exchange_drop_conn(x);
    }
}

static int find_proxy(struct exchange *x) {
    int rc = http_proxy_for(x->client->config, x->hop->url, &x->proxy, &x->err);
    x->has_proxy = rc > 0;
    return rc < 0 ? rc : 0;
}

struct http_response *http_exchange(struct http_hop *hop) {
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
        x.response = exchange_make_response(&x, NULL, 0, NULL, 0);
        exchange_set_timings(&x);
        http_response_fail(x.response, hop, &x.err, true);
        if (!x.is_refused)
            exchange_drop_conn(&x);
    }
    if (x.conn && x.conn->h2)
        http_pool_leave(&x.client->pool, x.conn);
    else if (likely(x.conn != NULL))
        http_pool_put(&x.client->pool, x.conn);
    if (unlikely(x.has_proxy))
        http_proxy_release(&x.proxy);
    if (x.request_head != x.request_head_room)
        free(x.request_head);
    buf_release(&x.in);
    return x.response;
}
