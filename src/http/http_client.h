/* The HTTP client of a VU: keep-alive pool, HTTP/1.1 (and h2 in a later part), redirects, cookies,
 * compression, k6's timings and errors. Knows fibers and sockets, not JavaScript. One instance per
 * VU, used by fibers of one worker.
 *
 * The hot path: caller fills http_request (slices, nothing copied), http_client_do writes one
 * buffer with one send, waits, parses incrementally, and returns a refcounted response that owns
 * one block of memory. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "http/url.h"
#include "net/conn.h"

struct http_client;
struct http_response;
struct cookie_jar; /* http/cookie.h */

struct http_header {
    struct slice name, value;
};

enum http_response_type { HTTP_RESPONSE_TEXT, HTTP_RESPONSE_BINARY, HTTP_RESPONSE_NONE };

/* Limits on what a peer may send. */
#define HTTP_MAX_HEADER_BYTES (1024 * 1024)
#define HTTP_MAX_HEADERS 1000

struct http_client_config { /* shared by all VUs, read-only */
    struct dialer_config dialer;
    const struct tls_config *tls;
    struct slice user_agent;         /* empty = header not sent */
    int max_idle, max_idle_per_host; /* from batch, batchPerHost */
    bool no_connection_reuse;
    struct slice http_proxy, https_proxy, no_proxy;
};

enum http_auth { HTTP_AUTH_NONE, HTTP_AUTH_BASIC, HTTP_AUTH_DIGEST, HTTP_AUTH_NTLM };

struct http_cookie_param {
    struct slice name, value;
    bool replace;
};

struct http_request {
    struct slice method;
    const struct url *url;
    const struct http_header
        *headers; /* script's headers, names as written; canonical case is ours to make */
    size_t n_headers;
    bool has_body;
    struct slice body;
    int64_t timeout_ns; /* whole request including redirects */
    int max_redirects;
    bool keep_request_head;
    enum http_response_type response_type;
    enum http_auth auth;
    struct cookie_jar *jar; /* may be NULL */
    /* params.cookies: sent with every hop beside the jar's; replace drops the jar's cookie of that
     * name. */
    const struct http_cookie_param *cookies;
    size_t n_cookies;
    /* Called once per hop (each redirect, each auth probe, the final one), before the next hop
     * starts; metrics live there. May be NULL. */
    void (*on_hop)(void *arg, const struct http_request *req, const struct url *url,
                   struct http_response *hop);
    void *on_hop_arg;
};

struct http_timings { /* ns */
    int64_t blocked, looking_up, connecting, tls_handshaking, sending, waiting, receiving;
    int64_t end_mono; /* when the hop ended: sample time */
};

struct http_response {
    uint32_t refs;
    int status; /* 0 on error */
    uint8_t proto_major, proto_minor;
    struct http_timings timings;
    struct slice head; /* raw header block (status line to the empty line) */
    struct slice
        body; /* decompressed; ptr NULL when dropped or none; a NUL byte stands behind it */
    uint64_t body_bytes; /* decoded bytes even when the body was dropped */
    struct slice method; /* of this hop (a redirect may have made it GET); static or in the
                            response's memory */
    struct url *url;     /* of this hop; owned */
    char remote_ip[46];
    uint16_t remote_port;
    const struct tls_info *tls; /* points into static or response memory; NULL for plain */
    struct error error;         /* code 0 when fine; k6's `error` text */
    int error_code;             /* k6's error_code, also 1400+ for HTTP errors */
    /* What was sent on this hop (request line and headers, empty line included), in the response's
     * memory: k6 shows it as response.request.headers and in http-debug. Copied only when
     * http_request.keep_request_head is on, otherwise empty. */
    struct slice request_head;
};

struct http_client *http_client_new(const struct http_client_config *cfg,
                                    struct conn_counters *counters);
void http_client_free(struct http_client *c);
/* Closes idle connections (noVUConnectionReuse, end of run). */
void http_client_close_idle(struct http_client *c);

/* Does a request with its redirects. Yields. Always gives a response (status 0 and error filled on
 * failure); returns its error code or 0. KE_CANCELED when the fiber is cancelled. Several fibers
 * may call it at once for one client. */
int http_client_do(struct http_client *c, const struct http_request *req,
                   struct http_response **out);

struct http_response *http_response_ref(struct http_response *r);
void http_response_unref(struct http_response *r);

/* Walks the header lines of r->head: returns false at the end. Name and value are trimmed views,
 * name as on the wire. */
bool http_response_next_header(const struct http_response *r, size_t *pos, struct http_header *out);
/* "Content-Type" from "content-type": Go's textproto canonical form; in place. */
void http_canonical_name(char *name, size_t len);
/* "OK" of 200; "" when unknown (Go's StatusText). */
const char *http_status_text(int status);
