/* The inside of the client: what its files share. A request is a chain of hops (http_client.c); a
 * hop is built into bytes (h1_request.c), exchanged over a connection of the pool (http_exchange.c,
 * http_pool.c) and ends as a response (http_response.c); http_redirect.c decides what follows. */
#pragma once

#include "http/h1_parser.h"
#include "http/http_client.h"
#include "http/http_pool.h"

struct http_client {
    const struct http_client_config *config;
    struct conn_counters *counters;
    struct dialer_config *own_dialer; /* with a local address; NULL = config's */
    struct http_pool pool;
    uint64_t max_body_bytes;
    bool has_proxy;
};

/* One request of the chain. */
struct http_hop {
    struct http_client *client;
    const struct http_request *req;
    int64_t deadline_ns;
    int64_t start_ns;
    struct slice method;
    const struct url *url;
    struct url own_url; /* storage of url behind a redirect */
    bool has_own_url;
    bool is_redirected;
    bool sends_body;
    struct slice body;             /* compressed */
    size_t n_body_pieces;          /* of the request; 0 = body is all */
    struct slice content_encoding; /* header to add, empty = none */
    bool strips_sensitive;         /* a hop went to another site: credentials stay behind */
    bool strips_body_headers;      /* a hop dropped the body */
    struct slice host;             /* Host header when it is not url's own */
    char *referer;                 /* heap, NULL = none computed */
    char *authorization;           /* heap, NULL = from url */
    char *user, *password;         /* heap: credentials for challenges, NULL = none */
    int n_answers;                 /* to challenges of this hop */
    bool hides_user;               /* credentials of the URL do not become a Basic header */
    int n_done;                    /* redirects before this one */
    /* What the head of the response says about the next hop; set by http_redirect_plan. */
    bool follows;
    struct url next_url;
    bool next_keeps_host;
};

/* Does one hop: connection, request, response. Always gives a response. */
struct http_response *http_exchange(struct http_hop *hop);

/* ---------------------------------------------------------------- http_response.c */

/* A response with refs 1, everything zeroed but what is given: room for extra_bytes behind it at
 * *out_room. */
struct http_response *http_response_alloc(size_t extra_bytes, char **out_room);
/* A request's body in one piece, in room when it came in several; room is to be released. */
struct slice http_body_join(const struct http_request *req, struct buf *room);
/* Gives body (malloc'd, NUL-terminated) to the response. */
void http_response_own_body(struct http_response *r, char *body, size_t bytes);
/* Puts a failure in, and takes out what k6 does not show of a failed request. is_transport: Go
 * wraps the words in `Get "url": …`. */
void http_response_fail(struct http_response *r, const struct http_hop *hop,
                        const struct error *err, bool is_transport);
/* Puts k6's words for a decompression error around the short text of a failure. */
void http_response_wrap_short_text(struct http_response *r);
/* Copies a staple, NULL = there was none. */
void http_response_set_ocsp(struct http_response *r, const struct tls_ocsp *ocsp);

/* Buffers that all requests of a thread share; each is used between two waits only. */
struct http_scratch {
    char *recv;     /* HTTP_RECV_BYTES */
    struct buf out; /* the request being built; see out_is_taken */
    bool out_is_taken;
};
#define HTTP_RECV_BYTES (64 * 1024)
struct http_scratch *http_scratch(void);

/* ---------------------------------------------------------------- http_redirect.c */

/* Looks at a response's head: sets hop->follows and hop->next_url. 0, or KE_HTTP_REDIRECT with Go's
 * words. */
int http_redirect_plan(struct http_hop *hop, int status, struct slice location, struct error *err);
/* Makes hop the one that http_redirect_plan found. */
void http_redirect_go(struct http_hop *hop, int status);

/* ---------------------------------------------------------------- h1_request.c */

/* Appends request line and headers to out. target_is_proxy: absolute form. 0, or a code with Go's
 * words. */
int h1_request_build(struct buf *out, const struct http_hop *hop, struct slice proxy_auth,
                     bool target_is_proxy, struct error *err);
/* The hop has a body of unknown length, which is how Go sees an empty one: chunked on the wire. */
bool h1_request_is_chunked(const struct http_hop *hop);
/* The script's own header of that name (any case); ptr NULL when it gave none. */
struct slice http_request_header(const struct http_request *req, struct slice name);
