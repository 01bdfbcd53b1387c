/* Between conn.c, conn_tls.c and conn_proxy.c. */
#pragma once

#include <openssl/ssl.h>

#include "net/conn.h"

struct worker_io;

struct conn {
    int fd;
    struct worker_io *io;
    struct conn_counters *counters;
    union sockaddr_any peer;
    char peer_ip[INET6_ADDRSTRLEN];

    SSL *ssl;   /* NULL: plain */
    SSL *outer; /* TLS with a proxy, in which that of ssl runs; NULL: none */
    const struct tls_info *info;
    int sys_errno;           /* of the last failed call under SSL */
    bool has_eof;            /* of the socket, under SSL */
    int64_t arrival_wall_ns; /* when the kernel got what conn_recv took last; 0: not known */
    bool is_broken;          /* a fatal TLS error: no farewell */
    bool is_drained;         /* the last conn_try_read took all there was */
    uint8_t n_head;          /* bytes in head */
    uint8_t head[5];         /* first bytes that came: a TLS record's header, or not */
};

static inline void conn_count_received(struct conn *c, size_t bytes) {
    if (c->counters)
        c->counters->received_bytes += bytes;
}

static inline void conn_count_sent(struct conn *c, size_t bytes) {
    if (c->counters)
        c->counters->sent_bytes += bytes;
}

/* conn.c: data that flows without a wait lets others run once a slice, and meets its deadline and a
 * cancel there. 0, KE_TIMEOUT, KE_CANCELED. */
int conn_breathe(int64_t deadline_ns);

/* conn_recv.c: recv() that learns when the kernel got the bytes, if conn_recv_init was called. */
void conn_recv_init(struct conn *c);
ssize_t conn_recv(struct conn *c, void *buf, size_t bytes);

/* conn.c: on the bare socket, whatever filters lie above. */
int conn_socket_write(struct conn *c, const struct iovec *iov, int n_iov, int64_t deadline_ns,
                      struct error *err);
long conn_socket_read(struct conn *c, void *buf, size_t bytes, bool wait_first, int64_t deadline_ns,
                      int64_t *out_event_ns, struct error *err);

/* conn_tls.c */
int conn_tls_handshake(struct conn *c, const struct conn_target *t, int64_t deadline_ns,
                       struct error *err);
/* The TLS that there is becomes the outer one: the next handshake runs within it. */
void conn_tls_nest(struct conn *c);
int conn_tls_write(struct conn *c, const struct iovec *iov, int n_iov, int64_t deadline_ns,
                   struct error *err);
long conn_tls_read(struct conn *c, void *buf, size_t bytes, bool wait_first, int64_t deadline_ns,
                   int64_t *out_event_ns, struct error *err);
long conn_tls_try_write(struct conn *c, const char *from, size_t bytes, struct error *err);
long conn_tls_try_read(struct conn *c, void *buf, size_t bytes, struct error *err);
/* Looks whether data, EOF or an error waits; takes care of records that are no data. */
bool conn_tls_has_news(struct conn *c);
/* Says goodbye if that does not take waiting, and frees. */
void conn_tls_close(struct conn *c);

/* conn_proxy.c: asks the proxy at the other end for a tunnel to the target. */
int conn_socks_connect(struct conn *c, const struct conn_target *t, int64_t deadline_ns,
                       struct error *err);
int conn_proxy_connect(struct conn *c, const struct conn_target *t, int64_t deadline_ns,
                       struct error *err);
