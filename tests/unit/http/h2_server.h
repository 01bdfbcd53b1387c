/* An HTTP/2 server without TLS on a thread of its own, made with nghttp2. The path says what it
 * does:
 *
 *   /hello            200 "hello"                   /bytes/N     200 and N bytes
 *   /echo             200 and the body's length     /redirect    302 to /hello, with a body
 *   /early            103, then /hello              /trailers    "hello" and a trailer
 *   /short, /long     Content-Length of 10 or 2, and five bytes
 *   /status/N         N without a body              /cookie      sets a=1 and b=2
 *   /wait             /hello, after h2_server_release
 *   /never            nothing at all
 *   /rst/CODE         resets at once                /rst-body/CODE  in the middle of the body
 *   /refuse-once      refuses the first time, then /hello
 *   /goaway           /hello and a graceful GOAWAY  /goaway-unseen/CODE  GOAWAY that leaves the
 *                                                   request out, once; then /hello
 *   /goaway-die/CODE  GOAWAY and the end            /die         the end of the connection
 *   /junk             bytes that are no frame */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define H2_REQUESTS_MAX 256

struct h2_server {
    uint16_t port;
    _Atomic int n_requests; /* may be read any time */
    /* Read them after h2_server_stop only. */
    int n_connections;
    char *requests[H2_REQUESTS_MAX]; /* "name: value\n"…, as they came */
    size_t body_bytes[H2_REQUESTS_MAX];
    int connection_of[H2_REQUESTS_MAX]; /* from 0 */
    struct h2_server_inside *inside;
};

/* max_streams: SETTINGS_MAX_CONCURRENT_STREAMS, 0 = not said. */
struct h2_server *h2_server_start(uint32_t max_streams);
/* Answers /wait, from now on at once. */
void h2_server_release(struct h2_server *s);
void h2_server_stop(struct h2_server *s);
void h2_server_free(struct h2_server *s);
