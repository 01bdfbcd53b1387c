/* One request and its response over one connection: what h1_exchange.c (connection, request,
 * retries) and h1_receive.c (response) share. */
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
    struct conn_timings dial;
    int64_t ready_ns, wrote_ns, first_byte_ns;
    int64_t queued_ns; /* between the poll's events and this fiber's turns */
    struct http_response *response;
    /* From here on nothing is cleared for a new exchange: only err.code says whether there is an
     * error. */
    struct error err;
    char request_head_room[1024];
};

/* Closes the exchange's connection, if it has one. */
void h1_drop_conn(struct exchange *x);
/* Makes x's response: URL text, what was sent, head and body are copied into one block. head_bytes
 * 0: a failure before the head; body NULL: none yet. */
struct http_response *h1_make_response(struct exchange *x, const char *head, size_t head_bytes,
                                       const char *body, size_t body_bytes);
/* Takes the response's times, now being its end. */
void h1_set_timings(struct exchange *x);
/* From the first byte of the response on. Fills x->response once the head is good; a failure is in
 * it, then. Drops the connection unless it can serve again. */
int h1_receive(struct exchange *x);
