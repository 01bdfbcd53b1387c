/* One request and its response over one connection: what http_exchange.c (connection, request,
 * retries), h1_receive.c, h2_exchange.c and http_finish.c (responses) share. */
#pragma once

#include "http/http_internal.h"
#include "http/http_proxy.h"

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
    bool may_repeat; /* the server says that it has not looked at the request (HTTP/2) */
    uint8_t n_repeats;
    struct conn_timings dial;
    int64_t ready_ns, wrote_ns, first_byte_ns;
    int64_t queued_ns; /* between the poll's events and this fiber's turns */
    struct http_response *response;
    /* From here on nothing is cleared for a new exchange: only err.code says whether there is an
     * error. */
    struct error err;
    char request_head_room[1024];
};

/* Lets the exchange's connection go, if it has one: one of HTTP/1.1 is closed. */
void exchange_drop_conn(struct exchange *x);
/* Builds the request, in the form of HTTP/1.1, and keeps a copy if that is wanted. 0, or a code
 * with is_refused set. */
int exchange_build(struct exchange *x, struct buf *out);
/* The thread's buffer for requests, or own when that one is taken by a write that waits. */
struct buf *exchange_take_buffer(struct buf *own);
void exchange_release_buffer(struct buf *b, struct buf *own);
/* Makes x's response: URL text, what was sent, head and body are copied into one block. head_bytes
 * 0: a failure before the head; body NULL: none yet. */
struct http_response *exchange_make_response(struct exchange *x, const char *head,
                                             size_t head_bytes, const char *body,
                                             size_t body_bytes);

/* ---------------------------------------------------------------- http_finish.c */

/* A body of these is null, not empty. */
bool exchange_is_bodiless(int status);
/* Fills x->err. */
int exchange_too_large(struct exchange *x);
/* Takes the response's times, now being its end. */
void exchange_set_timings(struct exchange *x);
/* The response is there, with rc what became of its body: takes the times, undoes content codings,
 * puts a failure in. */
int exchange_finish(struct exchange *x, int rc);
/* Go reads that much of a redirect's body to keep the connection; beyond it, it gives up. */
#define EXCHANGE_SKIP_MAX_BYTES 2048

/* ---------------------------------------------------------------- by protocol */

/* From the first byte of the response on. Fills x->response once the head is good; a failure is in
 * it, then. Drops the connection unless it can serve again. */
int h1_receive(struct exchange *x);
/* The whole exchange over x->conn->h2; a response and failures as with h1_receive. */
int h2_exchange(struct exchange *x);
