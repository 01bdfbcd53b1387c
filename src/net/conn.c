#include "net/conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "fiber/worker.h"
#include "net/conn_internal.h"
#include "net/net_error.h"

#define IOV_A_CALL 16

/* ---------------------------------------------------------------- socket */

/* Copies what is left of iov after `skip` bytes; returns the number of entries. */
static int iov_rest(const struct iovec *iov, int n_iov, size_t skip, struct iovec *out) {
    int n = 0;
    for (int i = 0; i < n_iov && n < IOV_A_CALL; i++) {
        if (skip >= iov[i].iov_len) {
            skip -= iov[i].iov_len;
            continue;
        }
        out[n].iov_base = (char *)iov[i].iov_base + skip;
        out[n++].iov_len = iov[i].iov_len - skip;
        skip = 0;
    }
    return n;
}

static size_t iov_bytes(const struct iovec *iov, int n_iov) {
    size_t bytes = 0;
    for (int i = 0; i < n_iov; i++)
        bytes += iov[i].iov_len;
    return bytes;
}

int conn_breathe(int64_t deadline_ns) {
    if (!worker_slice_is_over())
        return 0;
    int rc = fiber_sleep_until(0);
    return rc == 0 && deadline_ns <= worker_now_ns(worker_self()) ? KE_TIMEOUT : rc;
}

int conn_socket_write(struct conn *c, const struct iovec *iov, int n_iov, int64_t deadline_ns,
                      struct error *err) {
    size_t done = 0, total = iov_bytes(iov, n_iov);
    while (done < total) {
        struct iovec rest[IOV_A_CALL];
        struct msghdr msg = {.msg_iov = rest,
                             .msg_iovlen = (size_t)iov_rest(iov, n_iov, done, rest)};
        ssize_t n = msg.msg_iovlen == 1
                        ? send(c->fd, rest[0].iov_base, rest[0].iov_len, MSG_NOSIGNAL)
                        : sendmsg(c->fd, &msg, MSG_NOSIGNAL);
        if (n >= 0) {
            done += (size_t)n;
            conn_count_sent(c, (size_t)n);
            int rc = done < total ? conn_breathe(deadline_ns) : 0;
            if (rc)
                return net_error_wait(err, rc);
        } else if (errno == EAGAIN) {
            int rc = worker_io_wait(c->io, IO_WRITE, deadline_ns);
            if (rc)
                return net_error_wait(err, rc);
        } else if (errno != EINTR) {
            return net_error_io(err, "write", errno, c->fd, &c->peer);
        }
    }
    return 0;
}

long conn_socket_read(struct conn *c, void *buf, size_t bytes, bool wait_first, int64_t deadline_ns,
                      int64_t *out_event_ns, struct error *err) {
    bool has_waited = false;
    int cut = wait_first ? 0 : conn_breathe(deadline_ns);
    if (cut)
        return net_error_wait(err, cut);
    for (;;) {
        if (wait_first) {
            int rc = worker_io_wait(c->io, IO_READ, deadline_ns);
            if (rc)
                return net_error_wait(err, rc);
            has_waited = true;
        }
        ssize_t n = conn_recv(c, buf, bytes);
        if (n >= 0) {
            conn_count_received(c, (size_t)n);
            if (out_event_ns)
                *out_event_ns =
                    has_waited ? conn_arrival_ns(c, fiber_event_ns(fiber_self())) : clock_now_ns();
            return (long)n;
        }
        if (errno != EAGAIN && errno != EINTR)
            return net_error_io(err, "read", errno, c->fd, &c->peer);
        wait_first = errno == EAGAIN;
    }
}

/* ---------------------------------------------------------------- life */

/* k6 does not look at what is wrong with it. */
static int proxy_failure(int rc, struct error *err) {
    if (rc == KE_TIMEOUT || rc == KE_CANCELED)
        return rc;
    if (err) {
        struct error inner = *err;
        error_set(err, KE_TCP, "proxyconnect tcp: %.470s", inner.text);
    }
    return KE_TCP;
}

/* As Go does it: by the rules of the target's TLS, and any failure is one of the proxy. */
static int proxy_tls(struct conn *c, const struct conn_target *t, int64_t deadline_ns,
                     struct error *err) {
    struct conn_target proxy = *t;
    proxy.host = t->proxy_host;
    proxy.tls_name = SLICE("");
    proxy.alpn = CONN_ALPN_HTTP1;
    int rc = conn_tls_handshake(c, &proxy, deadline_ns, err);
    return rc ? proxy_failure(rc, err) : 0;
}

static int layers_add(struct conn *c, const struct conn_target *t, int64_t deadline_ns,
                      struct conn_timings *timings, struct error *err) {
    if (t->proxy_host.len && t->proxy_is_tls) {
        int rc = proxy_tls(c, t, deadline_ns, err);
        if (rc)
            return rc;
    }
    if (t->proxy_host.len && (t->is_tls || t->proxy_tunnel || t->proxy_is_socks)) {
        int rc = t->proxy_is_socks ? conn_socks_connect(c, t, deadline_ns, err)
                                   : conn_proxy_connect(c, t, deadline_ns, err);
        if (rc)
            return rc;
        if (c->ssl && t->is_tls)
            conn_tls_nest(c);
    }
    if (!t->is_tls)
        return 0;
    int64_t start_ns = clock_now_ns();
    int rc = conn_tls_handshake(c, t, deadline_ns, err);
    if (timings)
        timings->tls_ns = clock_now_ns() - start_ns;
    return rc;
}

int conn_open(const struct conn_target *t, int64_t deadline_ns, struct conn **out,
              struct conn_timings *timings, struct error *err) {
    bool has_proxy = t->proxy_host.len > 0;
    struct dial_result dialed;
    if (timings)
        *timings = (struct conn_timings){0};
    int rc = dial_tcp(t->dialer, has_proxy ? t->proxy_host : t->host,
                      has_proxy ? t->proxy_port : t->port, deadline_ns, &dialed, err);
    if (rc)
        return has_proxy ? proxy_failure(rc, err) : rc;
    struct conn *c = xcalloc(1, sizeof *c);
    c->fd = dialed.fd;
    c->io = dialed.io;
    c->peer = dialed.peer;
    c->counters = t->counters;
    sockaddr_ip_text(&c->peer, c->peer_ip);
    conn_recv_init(c);
    if (timings) {
        timings->lookup_ns = dialed.lookup_ns;
        timings->connect_ns = dialed.connect_ns;
    }
    rc = layers_add(c, t, deadline_ns, timings, err);
    if (rc) {
        conn_close(c);
        return rc;
    }
    *out = c;
    return 0;
}

void conn_close(struct conn *c) {
    if (!c)
        return;
    conn_tls_close(c);
    worker_io_close(c->io);
    free(c);
}

void conn_abort(struct conn *c) {
    c->is_broken = true;
    shutdown(c->fd, SHUT_RDWR);
}

/* ---------------------------------------------------------------- use */

int conn_write(struct conn *c, const struct iovec *iov, int n_iov, int64_t deadline_ns,
               struct error *err) {
    return c->ssl ? conn_tls_write(c, iov, n_iov, deadline_ns, err)
                  : conn_socket_write(c, iov, n_iov, deadline_ns, err);
}

long conn_read(struct conn *c, void *buf, size_t bytes, bool wait_first, int64_t deadline_ns,
               int64_t *out_event_ns, struct error *err) {
    return c->ssl ? conn_tls_read(c, buf, bytes, wait_first, deadline_ns, out_event_ns, err)
                  : conn_socket_read(c, buf, bytes, wait_first, deadline_ns, out_event_ns, err);
}

int conn_timed_out(const struct conn *c, const char *op, struct error *err) {
    return net_error_timeout(err, op, c->fd, &c->peer);
}

static long socket_try_write(struct conn *c, const char *from, size_t bytes, struct error *err) {
    size_t done = 0;
    while (done < bytes) {
        ssize_t n = send(c->fd, from + done, bytes - done, MSG_NOSIGNAL);
        if (n >= 0) {
            done += (size_t)n;
            conn_count_sent(c, (size_t)n);
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            return net_error_io(err, "write", errno, c->fd, &c->peer);
        }
    }
    return (long)done;
}

static long socket_try_read(struct conn *c, void *buf, size_t bytes, struct error *err) {
    for (;;) {
        ssize_t n = conn_recv(c, buf, bytes);
        if (n > 0) {
            conn_count_received(c, (size_t)n);
            return (long)n;
        }
        if (n == 0)
            return error_set(err, KE_EOF, "EOF");
        if (errno == EAGAIN)
            return 0;
        if (errno != EINTR)
            return net_error_io(err, "read", errno, c->fd, &c->peer);
    }
}

long conn_try_write(struct conn *c, const void *from, size_t bytes, struct error *err) {
    return c->ssl ? conn_tls_try_write(c, from, bytes, err) : socket_try_write(c, from, bytes, err);
}

long conn_try_read(struct conn *c, void *buf, size_t bytes, struct error *err) {
    long n = c->ssl ? conn_tls_try_read(c, buf, bytes, err) : socket_try_read(c, buf, bytes, err);
    c->is_drained = n == 0;
    return n;
}

int conn_wait(struct conn *c, int events, int64_t deadline_ns, int64_t *out_event_ns,
              struct error *err) {
    /* What OpenSSL has read ahead makes no event. */
    bool has_more = events & IO_READ && c->ssl && !c->is_drained && SSL_has_pending(c->ssl);
    int rc = has_more ? conn_breathe(deadline_ns) : worker_io_wait(c->io, events, deadline_ns);
    if (rc)
        return net_error_wait(err, rc);
    if (out_event_ns)
        *out_event_ns = has_more ? clock_now_ns() : fiber_event_ns(fiber_self());
    return 0;
}

void conn_rouse(struct conn *c) {
    worker_io_rouse(c->io);
}

bool conn_is_stale(struct conn *c) {
    if (c->ssl)
        return (worker_io_is_dirty(c->io) || SSL_has_pending(c->ssl)) && conn_tls_has_news(c);
    if (!worker_io_is_dirty(c->io))
        return false;
    char byte;
    return !(recv(c->fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN);
}

const union sockaddr_any *conn_peer(const struct conn *c) {
    return &c->peer;
}

const struct tls_info *conn_tls_info(const struct conn *c) {
    return c->info;
}

const char *conn_peer_ip(const struct conn *c) {
    return c->peer_ip;
}
