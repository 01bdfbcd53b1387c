/* The HTTP client of a VU: keep-alive pool, HTTP/1.1 and HTTP/2, redirects, cookies,
 * authentication, compression, k6's timings and errors. Knows fibers and sockets, not JavaScript.
 * One instance per VU, used by fibers of one worker.
 *
 * The hot path: the caller fills an http_request (slices, nothing copied), http_client_do writes
 * one buffer with one send, waits, parses, and returns a refcounted response that owns one block of
 * memory. docs/internals/http.md follows a request through. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "http/header.h"
#include "http/url.h"
#include "net/conn.h"

struct http_client;
struct http_response;
struct cookie_jar; /* http/cookie.h */

enum http_response_type { HTTP_RESPONSE_TEXT, HTTP_RESPONSE_BINARY, HTTP_RESPONSE_NONE };

/* Limits on what a peer may send. */
#define HTTP_MAX_HEADER_BYTES (10 * 1024 * 1024)
#define HTTP_MAX_BODY_DEFAULT (UINT64_C(2) << 30)

struct http_client_config { /* shared by all VUs, read-only */
    struct dialer_config dialer;
    const struct tls_config *tls;
    struct slice user_agent;         /* empty = header not sent */
    int max_idle, max_idle_per_host; /* from batch, batchPerHost */
    bool no_connection_reuse;
    bool h2c; /* http URLs, too, are spoken to in HTTP/2, by prior knowledge */
    struct slice http_proxy, https_proxy, no_proxy; /* as in the environment variables */
    uint64_t max_body_bytes; /* of a body, on the wire and decoded; 0 = HTTP_MAX_BODY_DEFAULT */
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
    bool has_body; /* with an empty body, too: Go sends those chunked */
    struct slice body;
    /* A body in pieces, so that none needs copying: body.ptr is NULL, body.len their sum. */
    const struct slice *body_pieces;
    size_t n_body_pieces; /* 0 = body is all */
    struct slice
        compression;    /* params.compression, "gzip, br"; checked by http_compression_check */
    int64_t timeout_ns; /* whole request including redirects */
    int max_redirects;
    bool warn_redirect_limit; /* nobody chose max_redirects: k6 warns when it is reached */
    bool keep_request_head;
    bool h2c; /* an http URL, too, is spoken to in HTTP/2, by prior knowledge */
    enum http_response_type response_type;
    enum http_auth auth;
    struct cookie_jar *jar; /* may be NULL */
    /* params.cookies: sent with every hop beside the jar's; replace drops the jar's cookie of that
     * name. */
    const struct http_cookie_param *cookies;
    size_t n_cookies;
    /* Called once per hop (each redirect, each auth probe, the final one), before the next hop
     * starts; metrics live there. Not called for a request that was canceled. May be NULL. */
    void (*on_hop)(void *arg, const struct http_request *req, const struct url *url,
                   struct http_response *hop);
    void *on_hop_arg;
    /* Watches the body of the final response as it comes (server-sent events); goes with
     * HTTP_RESPONSE_NONE. Called with an empty piece once the head is there, then with each piece,
     * its framing undone but no content coding. r has the head, not yet the times. The piece is
     * good until it returns; it may yield. False ends the exchange well: what is left is not read.
     * When the fiber is cancelled it is asked once more, with an empty piece. Such a request goes
     * out in HTTP/1.1. May be NULL. */
    bool (*on_body)(void *arg, const struct http_response *r, struct slice piece);
    void *on_body_arg;
};

struct http_timings { /* ns, as k6's tracer takes them: blocked includes lookup, connecting and
                         tls_handshaking */
    int64_t blocked, looking_up, connecting, tls_handshaking, sending, waiting, receiving;
    int64_t end_mono; /* when the hop ended: sample time */
};

/* A failure in k6's words; both texts live as long as the response. */
struct http_failure {
    int code; /* enum kiln_error, 0 when fine */
    const char
        *text; /* response.error and the error tag: "dial: connection refused"; "" when fine */
    const char *log_text; /* the log's and the exception's: `Get "http://…": dial tcp …: connect:
                             connection refused` */
};

struct http_response {
    uint32_t refs;
    int status; /* 0 on error */
    uint8_t proto_major, proto_minor;
    bool is_chunked;
    bool is_closing; /* Connection: close; Go takes that header out */
    bool has_set_cookie;
    bool must_throw; /* k6 throws this error whatever `throw` says (101 responses), and counts no
                        samples */
    uint16_t remote_port;
    char remote_ip[46];
    struct http_timings timings;
    struct slice head;        /* raw header block (status line to the empty line); empty on error */
    struct slice status_text; /* "200 OK" as on the wire */
    struct slice
        body; /* decompressed, NUL-terminated; ptr NULL when there is none by nature (204, 304), it
                 was dropped or the request failed before; part of a body when reading it failed */
    uint64_t body_bytes;   /* decoded bytes even when the body was dropped */
    struct slice method;   /* of this hop (a redirect may have made it GET); valid in on_hop only */
    struct slice url_text; /* URL of this hop, user info included, in the response's memory */
    const struct tls_info *tls;  /* NULL for plain */
    const struct tls_ocsp *ocsp; /* NULL for plain; without a staple, status "unknown" as in k6 */
    struct http_failure error;
    int error_code; /* k6's error_code, also 1400+ for HTTP errors */
    /* What was sent on this hop (request line and headers, empty line included), in the response's
     * memory: k6 shows it as response.request.headers and in http-debug. Only when
     * http_request.keep_request_head is on, otherwise empty. */
    struct slice request_head;
};

/* cfg outlives the client; counters may be NULL. */
struct http_client *http_client_new(const struct http_client_config *cfg,
                                    struct conn_counters *counters);
void http_client_free(struct http_client *c);
/* Dials from that address from now on (options.localIPs). */
void http_client_set_local_ip(struct http_client *c, const struct sockaddr_storage *ip);
/* How this client dials; for other protocols of the VU. */
const struct dialer_config *http_client_dialer(const struct http_client *c);
/* Closes idle connections (noVUConnectionReuse, end of run). */
void http_client_close_idle(struct http_client *c);

/* Does a request with its redirects. Yields. Always gives a response (status 0 and error filled on
 * failure); returns its error code or 0. KE_CANCELED when the fiber is cancelled. Several fibers
 * may call it at once for one client. */
int http_client_do(struct http_client *c, const struct http_request *req,
                   struct http_response **out);

struct http_response *http_response_ref(struct http_response *r);
void http_response_unref(struct http_response *r);

/* Walks the fields of r (*pos starts at 0): returns false at the end. Name and value are trimmed
 * views, name as on the wire. Fields that Go takes out of a response's headers are left out:
 * Transfer-Encoding, Trailer, a Connection that says close, and the Content-Length of a chunked
 * body. */
bool http_response_next_header(const struct http_response *r, size_t *pos, struct http_header *out);
