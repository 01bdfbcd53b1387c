/* Idle connections of one client, newest last. Usually there is one connection to one host, so the
 * newest is looked at first. */
#pragma once

#include "net/conn.h"

struct http_conn {
    struct conn *conn;
    bool is_reused;
    bool is_tls;
    uint16_t port;
    uint32_t host_len;
    struct tls_ocsp *ocsp; /* what was stapled, NULL = nothing */
    char host[]; /* of the peer the pool keys by: the origin, or the proxy of plain requests */
};

struct http_pool {
    struct http_conn **idle;
    size_t len, alloc;
    size_t max, max_per_host; /* 0 = no limit */
};

void http_pool_init(struct http_pool *p, size_t max, size_t max_per_host);
/* Closes everything. */
void http_pool_release(struct http_pool *p);
void http_pool_close_idle(struct http_pool *p);
/* Takes the newest live connection to that peer out of the pool; NULL when there is none. Stale
 * ones are closed. */
struct http_conn *http_pool_get(struct http_pool *p, struct slice host, uint16_t port, bool is_tls);
/* Gives a connection back; closes it, or the oldest, when the pool is full. */
void http_pool_put(struct http_pool *p, struct http_conn *c);

struct http_conn *http_conn_new(struct conn *conn, struct slice host, uint16_t port, bool is_tls);
void http_conn_close(struct http_conn *c);
