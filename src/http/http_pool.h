/* Connections of one client. Those of HTTP/1.1 are here while they are idle, newest last: usually
 * there is one connection to one host, so the newest is looked at first. Those of HTTP/2 are here
 * all the time, for any number of exchanges. */
#pragma once

#include "base/list.h"
#include "fiber/fiber.h"
#include "net/conn.h"

struct h2_session;

struct http_conn {
    struct conn *conn;
    bool is_reused;
    bool is_tls;
    bool is_shared; /* in the pool's list of HTTP/2 connections */
    uint16_t port;
    uint32_t host_len;
    uint32_t n_users;      /* exchanges on an HTTP/2 connection */
    struct h2_session *h2; /* NULL for HTTP/1.1 */
    struct tls_ocsp *ocsp; /* what was stapled, NULL = nothing */
    char host[]; /* of the peer the pool keys by: the origin, or the proxy of plain requests */
};

struct http_pool {
    struct http_conn **idle;
    size_t len, alloc;
    size_t max, max_per_host; /* 0 = no limit */
    struct http_conn **shared;
    size_t n_shared, shared_alloc;
    struct list dials;
};

/* A connection in the making, which may turn out to be HTTP/2. */
struct http_dial {
    struct list link;
    struct slice host;
    uint16_t port;
    struct fiber_cond done;
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

/* Takes part in an HTTP/2 connection to that peer that has room for a further request; NULL when
 * there is none. Ended ones are let go. */
struct http_conn *http_pool_join(struct http_pool *p, struct slice host, uint16_t port,
                                 bool is_tls);
/* Puts a new HTTP/2 connection, which has one user, into the pool. */
void http_pool_share(struct http_pool *p, struct http_conn *c);
/* Ends what http_pool_join began, or the life of a connection that was never shared. */
void http_pool_leave(struct http_pool *p, struct http_conn *c);

/* Around conn_open, so that others can wait for it. is_h2: what became of it. */
void http_pool_dial_begin(struct http_pool *p, struct http_dial *d, struct slice host,
                          uint16_t port);
void http_pool_dial_end(struct http_dial *d, bool is_h2);
/* When somebody dials a host of which this thread has learned that it speaks HTTP/2, waits for
 * that. Yields. 1 after such a wait, 0 when there is nothing to wait for, KE_TIMEOUT, KE_CANCELED.
 */
int http_pool_await_dial(struct http_pool *p, struct slice host, uint16_t port,
                         int64_t deadline_ns);

struct http_conn *http_conn_new(struct conn *conn, struct slice host, uint16_t port, bool is_tls);
void http_conn_close(struct http_conn *c);
