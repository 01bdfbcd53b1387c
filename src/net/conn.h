/* A connection as a stack of filters: socket, optional CONNECT proxy, optional TLS. Reads and
 * writes look blocking, yield, and take deadlines. Bytes on the wire (TLS records included) are
 * counted where the VU wants them. */
#pragma once

#include <stdbool.h>
#include <sys/uio.h>

#include "base/error.h"
#include "net/dial.h"
#include "net/tls.h"

struct conn;

struct conn_counters { /* per VU, read and reset by the iteration's end */
    uint64_t sent_bytes, received_bytes;
};

/* What ALPN offers. */
enum conn_alpn { CONN_ALPN_CONFIG, CONN_ALPN_HTTP1, CONN_ALPN_H2, CONN_ALPN_NONE };

struct conn_target {
    struct slice host; /* without brackets */
    uint16_t port;
    bool is_tls;
    struct slice tls_name; /* what the certificate must be for; empty = host */
    enum conn_alpn
        alpn; /* CONN_ALPN_CONFIG: as the tls_config says; WebSockets want HTTP1, gRPC H2 */
    const struct dialer_config *dialer;
    const struct tls_config *tls;
    struct conn_counters *counters; /* may be NULL; must outlive the connection */
    /* HTTP proxy for this target: proxy_host.len == 0 means direct. auth is the value of
     * Proxy-Authorization or empty. A tunnel (CONNECT) is made for TLS, and with proxy_tunnel for
     * plain targets too (WebSockets); otherwise the caller sends absolute URLs to the proxy. */
    struct slice proxy_host;
    uint16_t proxy_port;
    struct slice proxy_auth;
    bool proxy_tunnel;
    bool proxy_is_tls;   /* TLS up to the proxy, below what it leads to */
    bool proxy_is_socks; /* SOCKS5 instead, always a tunnel, with these credentials */
    struct slice proxy_user, proxy_password;
};

struct conn_timings {
    int64_t lookup_ns, connect_ns, tls_ns;
};

/* Dials and shakes hands. Yields. timings may be NULL. On failure err has Go's words and the code;
 * err->sys_errno is set where a system call failed: dial_tcp's errors KE_TLS_RECORD_HEADER,
 * KE_X509_UNKNOWN_CA, KE_X509_HOSTNAME; other TLS failures are KE_FAILED ("tls: ..."), alerts of
 *   the peer KE_NET ("remote error: tls: handshake failure")
 *   KE_EOF ("EOF"), KE_TCP_RESET, KE_TCP_ERRNO; KE_FAILED when a proxy says no ("Forbidden") */
int conn_open(const struct conn_target *t, int64_t deadline_ns, struct conn **out,
              struct conn_timings *timings, struct error *err);
/* Closes at once (no lingering) and frees; NULL is fine. No other fiber may be in a call on it:
 * conn_abort first. */
void conn_close(struct conn *c);
/* Shuts both directions, so that calls of other fibers on it end soon (EOF or an error). */
void conn_abort(struct conn *c);

/* One fiber may read while another writes. */

/* Writes everything. Yields when the socket is full. 0 or error code. */
int conn_write(struct conn *c, const struct iovec *iov, int n_iov, int64_t deadline_ns,
               struct error *err);
/* Reads what is there into buf, waiting for at least one byte. With `wait_first`, waits for
 * readiness before the first recv (after a request nothing can be there yet). Returns bytes > 0, 0
 * at orderly EOF, or a negative code (KE_TIMEOUT, KE_CANCELED, KE_TCP_RESET, KE_TCP_ERRNO, KE_NET,
 * KE_FAILED). Yields. *out_event_ns (may be NULL) is when the data came: by the kernel's
 * time stamp after a wait, so that it does not depend on how busy this thread was. */
long conn_read(struct conn *c, void *buf, size_t bytes, bool wait_first, int64_t deadline_ns,
               int64_t *out_event_ns, struct error *err);
/* Says in Go's words that the other side took too long: "read tcp 127.0.0.1:1234->127.0.0.1:6379:
 * i/o timeout"; op is "read" or "write". Returns KE_TIMEOUT. */
int conn_timed_out(const struct conn *c, const char *op, struct error *err);
/* For protocols that read and write by turns. Neither waits; each returns bytes > 0, 0 when it
 * would have to wait, KE_EOF (reading only) or another negative code. After conn_try_write wrote
 * less than it was given, the next call must begin with the bytes that are left. */
long conn_try_write(struct conn *c, const void *from, size_t bytes, struct error *err);
long conn_try_read(struct conn *c, void *buf, size_t bytes, struct error *err);
/* Waits until one of events (IO_READ, IO_WRITE of fiber/worker.h) is possible. Yields. 0, or
 * KE_TIMEOUT, KE_CANCELED with words. *out_event_ns as for conn_read. */
int conn_wait(struct conn *c, int events, int64_t deadline_ns, int64_t *out_event_ns,
              struct error *err);
/* When the kernel got the bytes that were read last, where it says so and that was before event_ns;
 * otherwise event_ns. For conn_try_read behind conn_wait; conn_read does it by itself. */
int64_t conn_arrival_ns(const struct conn *c, int64_t event_ns);

/* A fiber in conn_wait for IO_READ returns now. */
void conn_rouse(struct conn *c);

/* An idle connection that got data, EOF or an error since its last use. Costs a system call only
 * when something happened. */
bool conn_is_stale(struct conn *c);

const union sockaddr_any *conn_peer(const struct conn *c);
/* NULL for plain connections. The result lives as long as the program. */
const struct tls_info *conn_tls_info(const struct conn *c);
/* Reads the stapled OCSP response; false when there is none. */
bool conn_tls_ocsp(const struct conn *c, struct tls_ocsp *out);
/* Peer IP as text, made once per connection. */
const char *conn_peer_ip(const struct conn *c);
