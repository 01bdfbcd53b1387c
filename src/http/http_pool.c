#include "http/http_pool.h"

#include <stdlib.h>

#include "base/check.h"

struct http_conn *http_conn_new(struct conn *conn, struct slice host, uint16_t port, bool is_tls) {
    struct http_conn *c = xmalloc(sizeof *c + host.len);
    *c = (struct http_conn){
        .conn = conn, .is_tls = is_tls, .port = port, .host_len = (uint32_t)host.len};
    memcpy(c->host, host.ptr, host.len);
    struct tls_ocsp ocsp;
    if (is_tls && conn_tls_ocsp(conn, &ocsp)) {
        c->ocsp = xmalloc(sizeof ocsp);
        *c->ocsp = ocsp;
    }
    return c;
}

void http_conn_close(struct http_conn *c) {
    conn_close(c->conn);
    free(c->ocsp);
    free(c);
}

void http_pool_init(struct http_pool *p, size_t max, size_t max_per_host) {
    *p = (struct http_pool){.max = max, .max_per_host = max_per_host};
}

void http_pool_close_idle(struct http_pool *p) {
    while (p->len)
        http_conn_close(p->idle[--p->len]);
}

void http_pool_release(struct http_pool *p) {
    http_pool_close_idle(p);
    free(p->idle);
    p->idle = NULL;
    p->alloc = 0;
}

static inline bool is_for(const struct http_conn *c, struct slice host, uint16_t port,
                          bool is_tls) {
    return c->port == port && c->is_tls == is_tls && c->host_len == host.len &&
           memcmp(c->host, host.ptr, host.len) == 0;
}

static void take_out(struct http_pool *p, size_t i) {
    p->len--;
    memmove(p->idle + i, p->idle + i + 1, (p->len - i) * sizeof *p->idle);
}

struct http_conn *http_pool_get(struct http_pool *p, struct slice host, uint16_t port,
                                bool is_tls) {
    for (size_t i = p->len; i > 0; i--) {
        struct http_conn *c = p->idle[i - 1];
        if (!is_for(c, host, port, is_tls))
            continue;
        take_out(p, i - 1);
        if (likely(!conn_is_stale(c->conn))) {
            c->is_reused = true;
            return c;
        }
        http_conn_close(c);
    }
    return NULL;
}

void http_pool_put(struct http_pool *p, struct http_conn *c) {
    size_t same = 0;
    for (size_t i = 0; i < p->len; i++)
        same += is_for(p->idle[i], slice_from(c->host, c->host_len), c->port, c->is_tls);
    if (p->max_per_host && same >= p->max_per_host) {
        http_conn_close(c);
        return;
    }
    if (p->max && p->len >= p->max) {
        struct http_conn *oldest = p->idle[0];
        take_out(p, 0);
        http_conn_close(oldest);
    }
    if (p->len == p->alloc) {
        p->alloc = p->alloc ? p->alloc * 2 : 2;
        p->idle = xrealloc(p->idle, p->alloc * sizeof(struct http_conn *));
    }
    p->idle[p->len++] = c;
}
