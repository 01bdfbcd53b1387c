/* A connection as a stack of filters: socket, optional CONNECT proxy, optional TLS. Reads and writes look blocking,
 * yield, and take deadlines. Bytes on the wire (TLS records included) are counted where the VU wants them. */
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

struct conn_target {
    struct slice host; /* without brackets */
    uint16_t port;
    bool is_tls;
    const struct dialer_config *dialer;
    const struct tls_config *tls;
    struct conn_counters *counters;
    /* HTTP proxy for this target: host.len == 0 means direct. auth is the value of Proxy-Authorization or empty. */
    struct slice proxy_host;
    uint16_t proxy_port;
    struct slice proxy_auth;
};

struct conn_timings {
    int64_t lookup_ns, connect_ns, tls_ns;
};

/* Dials and shakes hands. Yields. */
int conn_open(const struct conn_target *t, int64_t deadline_ns, struct conn **out, struct conn_timings *timings,
              struct error *err);
/* Closes at once (no lingering); safe inside any state. */
void conn_close(struct conn *c);

/* Writes everything. Yields when the socket is full. 0 or error code. */
int conn_write(struct conn *c, const struct iovec *iov, int n_iov, int64_t deadline_ns, struct error *err);
/* Reads what is there into buf, waiting for at least one byte. With `wait_first`, waits for readiness before the first
 * recv (after a request nothing can be there yet). Returns bytes > 0, 0 at orderly EOF, or a negative code. Yields.
 * *out_event_ns (may be NULL) is when the poll saw the data. */
long conn_read(struct conn *c, void *buf, size_t bytes, bool wait_first, int64_t deadline_ns, int64_t *out_event_ns,
               struct error *err);
/* An idle connection that got data, EOF or an error since its last use. */
bool conn_is_stale(const struct conn *c);

const union sockaddr_any *conn_peer(const struct conn *c);
/* NULL for plain connections. */
const struct tls_info *conn_tls_info(const struct conn *c);
/* Peer IP as text, made once per connection. */
const char *conn_peer_ip(const struct conn *c);
