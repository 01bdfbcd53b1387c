#include "http/http_pool.h"

#include <stdlib.h>

#include "base/check.h"
#include "http/h2_session.h"

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
    h2_session_free(c->h2);
    conn_close(c->conn);
    free(c->ocsp);
    free(c);
}

void http_pool_init(struct http_pool *p, size_t max, size_t max_per_host) {
    *p = (struct http_pool){.max = max, .max_per_host = max_per_host};
    list_init(&p->dials);
}

/* Its last user closes it, or we do when there is none. */
static void unshare(struct http_pool *p, size_t i) {
    struct http_conn *c = p->shared[i];
    p->shared[i] = p->shared[--p->n_shared];
    c->is_shared = false;
    if (c->n_users == 0)
        http_conn_close(c);
}

void http_pool_close_idle(struct http_pool *p) {
    while (p->len)
        http_conn_close(p->idle[--p->len]);
    for (size_t i = p->n_shared; i > 0; i--) {
        if (p->shared[i - 1]->n_users == 0)
            unshare(p, i - 1);
    }
}

void http_pool_release(struct http_pool *p) {
    http_pool_close_idle(p);
    free(p->idle);
    p->idle = NULL;
    p->alloc = 0;
    while (p->n_shared)
        unshare(p, p->n_shared - 1);
    free(p->shared);
    p->shared = NULL;
    p->shared_alloc = 0;
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

/* ---------------------------------------------------------------- HTTP/2 */

struct http_conn *http_pool_join(struct http_pool *p, struct slice host, uint16_t port,
                                 bool is_tls) {
    for (size_t i = p->n_shared; i > 0; i--) {
        struct http_conn *c = p->shared[i - 1];
        if (!is_for(c, host, port, is_tls))
            continue;
        if (unlikely(!h2_session_is_usable(c->h2))) {
            unshare(p, i - 1);
        } else if (likely(h2_session_has_room(c->h2))) {
            c->is_reused = true;
            c->n_users++;
            return c;
        }
    }
    return NULL;
}

void http_pool_share(struct http_pool *p, struct http_conn *c) {
    if (p->n_shared == p->shared_alloc) {
        p->shared_alloc = p->shared_alloc ? p->shared_alloc * 2 : 1;
        p->shared = xrealloc(p->shared, p->shared_alloc * sizeof(struct http_conn *));
    }
    c->is_shared = true;
    p->shared[p->n_shared++] = c;
}

void http_pool_leave(struct http_pool *p, struct http_conn *c) {
    c->n_users--;
    if (likely(c->is_shared && !h2_session_is_ending(c->h2)))
        return;
    if (!c->is_shared) {
        if (c->n_users == 0)
            http_conn_close(c);
        return;
    }
    for (size_t i = 0; i < p->n_shared; i++) {
        if (p->shared[i] == c) {
            unshare(p, i);
            return;
        }
    }
}

/* Hosts known to speak HTTP/2. As many VUs of a thread use the same ones, most can know it from
 * another. */
#define KNOWN_HOSTS 64
static _Thread_local uint64_t known_hosts[KNOWN_HOSTS];

static uint64_t host_key(struct slice host, uint16_t port) {
    return (hash_bytes(host.ptr, host.len) ^ port) | 1;
}

void http_pool_dial_begin(struct http_pool *p, struct http_dial *d, struct slice host,
                          uint16_t port) {
    d->host = host;
    d->port = port;
    fiber_cond_init(&d->done);
    list_push_back(&p->dials, &d->link);
}

void http_pool_dial_end(struct http_dial *d, bool is_h2) {
    uint64_t key = host_key(d->host, d->port);
    uint64_t *known = &known_hosts[key >> 8 & (KNOWN_HOSTS - 1)];
    if (is_h2)
        *known = key;
    else if (*known == key)
        *known = 0;
    list_remove(&d->link);
    fiber_cond_broadcast(&d->done);
}

int http_pool_await_dial(struct http_pool *p, struct slice host, uint16_t port,
                         int64_t deadline_ns) {
    uint64_t key = host_key(host, port);
    if (list_empty(&p->dials) || known_hosts[key >> 8 & (KNOWN_HOSTS - 1)] != key)
        return 0;
    for (struct list *l = p->dials.next; l != &p->dials; l = l->next) {
        struct http_dial *d = container_of(l, struct http_dial, link);
        if (d->port != port || !slice_eq(d->host, host))
            continue;
        int rc = fiber_cond_wait(&d->done, deadline_ns);
        return rc ? rc : 1;
    }
    return 0;
}
