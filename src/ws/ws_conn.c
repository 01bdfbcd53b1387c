#include <stdlib.h>

#include "base/check.h"
#include "base/random.h"
#include "http/http_proxy.h"
#include "ws/ws_deflate.h"
#include "ws/ws_internal.h"

#define READ_BYTES (16 * 1024)
/* Frames up to this are built on the stack. */
#define SMALL_FRAME 512

/* Shared by all connections of a thread: used between two waits only. */
static _Thread_local char scratch[READ_BYTES];

/* ---------------------------------------------------------------- life */

static int dial(const struct ws_params *p, const struct url *url, int64_t deadline_ns,
                struct conn **out, struct error *err) {
    struct http_proxy proxy;
    struct conn_target target = {
        .host = url->host,
        .port = url->port,
        .is_tls = url->is_https,
        .alpn = CONN_ALPN_HTTP1,
        .dialer = p->dialer,
        .tls = p->http->tls,
        .counters = p->counters,
        .proxy_tunnel = true,
    };
    int has_proxy = http_proxy_for(p->http, url, &proxy, err);
    if (has_proxy < 0)
        return has_proxy;
    if (has_proxy)
        http_proxy_set_target(&proxy, &target);
    int rc = conn_open(&target, deadline_ns, out, NULL, err);
    if (has_proxy)
        http_proxy_release(&proxy);
    return rc;
}

static struct ws_conn *conn_new(struct conn *conn, const struct ws_params *p, bool has_deflate,
                                const struct ws_response *r, struct buf *rest) {
    size_t max = p->max_message_bytes ? p->max_message_bytes : WS_MESSAGE_MAX_DEFAULT;
    struct slice protocol = ws_response_header(r, SLICE("Sec-WebSocket-Protocol"));
    struct ws_conn *c = xcalloc(1, sizeof *c);
    c->conn = conn;
    c->has_deflate = has_deflate;
    ws_decoder_init(&c->decoder, false, max);
    c->decoder.may_deflate = has_deflate;
    buf_init(&c->in, BUF_NO_CAP);
    buf_append_slice(&c->in, buf_slice(rest));
    buf_init(&c->inflated, max);
    fiber_cond_init(&c->write_done);
    c->protocol = protocol.ptr ? slice_dup(protocol) : NULL;
    return c;
}

int ws_open(const struct ws_params *p, int64_t deadline_ns, struct ws_conn **out,
            struct ws_response *out_response, struct error *err) {
    struct url url;
    struct conn *conn = NULL;
    struct buf rest;
    bool has_deflate = false;
    *out_response = (struct ws_response){0};
    int rc = ws_url(p->url, &url, err);
    if (rc)
        return rc;
    buf_init(&rest, HTTP_MAX_HEADER_BYTES);
    rc = dial(p, &url, deadline_ns, &conn, err);
    if (rc == 0)
        rc = ws_handshake(conn, p, &url, deadline_ns, out_response, &rest, &has_deflate, err);
    if (rc == 0)
        *out = conn_new(conn, p, has_deflate, out_response, &rest);
    else
        conn_close(conn);
    if (rc == KE_TIMEOUT)
        error_set(err, rc, "i/o timeout");
    buf_release(&rest);
    url_release(&url);
    return rc;
}

void ws_free(struct ws_conn *c) {
    if (!c)
        return;
    conn_close(c->conn);
    ws_decoder_release(&c->decoder);
    buf_release(&c->in);
    buf_release(&c->inflated);
    free(c->write_words);
    free(c->protocol);
    free(c);
}

void ws_abort(struct ws_conn *c) {
    c->is_aborted = true;
    conn_abort(c->conn);
}

const char *ws_peer_ip(const struct ws_conn *c) {
    return conn_peer_ip(c->conn);
}

struct slice ws_protocol(const struct ws_conn *c) {
    return slice_cstr(c->protocol ? c->protocol : "");
}

/* ---------------------------------------------------------------- reading */

static int closed_here(struct error *err) {
    return error_set(err, KE_NET, "use of closed network connection");
}

/* Feeds what lies in c->in, or fresh bytes; what is behind an event stays in c->in. 1 with an
 * event. */
static int read_some(struct ws_conn *c, struct ws_event *out, int64_t deadline_ns,
                     struct error *err) {
    size_t used;
    if (c->in.len > 0) {
        int rc = ws_decoder_feed(&c->decoder, buf_slice(&c->in), &used, out, err);
        buf_consume(&c->in, used);
        return rc;
    }
    long n = conn_read(c->conn, scratch, sizeof scratch, true, deadline_ns, NULL, err);
    if (c->is_aborted)
        return closed_here(err);
    if (n == 0) {
        *out = (struct ws_event){WS_CLOSE, false, SLICE("unexpected EOF"), WS_CLOSE_ABNORMAL};
        return ws_close_error(err, WS_CLOSE_ABNORMAL, out->data);
    }
    if (n < 0)
        return (int)n;
    int rc = ws_decoder_feed(&c->decoder, slice_from(scratch, (size_t)n), &used, out, err);
    if (rc > 0)
        buf_append(&c->in, scratch + used, (size_t)n - used);
    return rc;
}

static int inflate_event(struct ws_conn *c, struct ws_event *out, struct error *err) {
    int rc = ws_inflate(&c->inflated, out->data, err);
    out->data = c->inflated.len ? buf_slice(&c->inflated) : slice_from("", 0);
    if (rc == KE_TOO_LARGE)
        ws_write_close(c, WS_CLOSE_TOO_BIG, slice_from("", 0), clock_now_ns() + WS_CONTROL_WAIT_NS,
                       NULL);
    return rc;
}

int ws_read(struct ws_conn *c, struct ws_event *out, int64_t deadline_ns, struct error *err) {
    int rc;
    *out = (struct ws_event){.data = slice_from("", 0)};
    while ((rc = read_some(c, out, deadline_ns, err)) == 0)
        ;
    if (rc == KE_INVALID || rc == KE_TOO_LARGE) {
        ws_write_close(c, out->close_code, out->data, clock_now_ns() + WS_CONTROL_WAIT_NS, NULL);
        return rc;
    }
    if (rc < 0)
        return rc;
    return out->is_compressed ? inflate_event(c, out, err) : 0;
}

/* ---------------------------------------------------------------- writing */

static int write_begin(struct ws_conn *c, int64_t deadline_ns, struct error *err) {
    while (c->is_writing) {
        int rc = fiber_cond_wait(&c->write_done, deadline_ns);
        if (rc)
            return error_set(err, rc, "%s", error_text(rc));
    }
    if (c->is_close_sent)
        return error_set(err, KE_EOF, "websocket: close sent");
    if (c->write_code)
        return error_set(err, c->write_code, "%s", c->write_words);
    if (c->is_aborted)
        return closed_here(err);
    c->is_writing = true;
    return 0;
}

static void write_end(struct ws_conn *c, int rc, const struct error *err) {
    c->is_writing = false;
    if (rc) {
        c->write_code = rc;
        free(c->write_words);
        c->write_words = xstrdup(err->text);
    }
    fiber_cond_signal(&c->write_done);
}

static int write_frame(struct ws_conn *c, enum ws_opcode opcode, bool is_compressed,
                       struct slice data, int64_t deadline_ns, struct error *err) {
    uint8_t small[SMALL_FRAME], mask[4];
    uint64_t random = random_u64();
    memcpy(mask, &random, sizeof mask);
    bool fits = data.len + WS_HEADER_MAX <= sizeof small;
    uint8_t *frame = fits ? small : xmalloc(data.len + WS_HEADER_MAX);
    size_t n = ws_header_write(frame, opcode, true, is_compressed, data.len, mask);
    if (data.len)
        memcpy(frame + n, data.ptr, data.len);
    ws_mask(frame + n, data.len, mask, 0);
    int rc = conn_write(c->conn, &(struct iovec){frame, n + data.len}, 1, deadline_ns, err);
    if (!fits)
        free(frame);
    return rc;
}

int ws_write(struct ws_conn *c, enum ws_opcode opcode, struct slice data, int64_t deadline_ns,
             struct error *err) {
    struct error own;
    struct buf deflated;
    bool deflates = c->has_deflate && (opcode == WS_TEXT || opcode == WS_BINARY);
    err = err ? err : &own;
    buf_init(&deflated, BUF_NO_CAP);
    if (deflates) {
        if (ws_deflate(&deflated, data)) {
            buf_release(&deflated);
            return error_set(err, KE_TOO_LARGE, "message is too large");
        }
        data = buf_slice(&deflated);
    }
    int rc = write_begin(c, deadline_ns, err);
    if (rc == 0) {
        rc = write_frame(c, opcode, deflates, data, deadline_ns, err);
        write_end(c, rc, err);
    }
    if (rc == 0 && opcode == WS_CLOSE)
        c->is_close_sent = true;
    buf_release(&deflated);
    return rc;
}

int ws_write_close(struct ws_conn *c, int code, struct slice reason, int64_t deadline_ns,
                   struct error *err) {
    uint8_t payload[WS_CONTROL_MAX];
    size_t n = ws_close_payload(payload, code, reason);
    return ws_write(c, WS_CLOSE, slice_from((const char *)payload, n), deadline_ns, err);
}
