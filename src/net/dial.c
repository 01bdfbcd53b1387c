/* Dialing: the rules of a run, then one non-blocking connect. */
#include "net/dial.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "fiber/worker.h"
#include "net/net_error.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

#define KEEPALIVE_S 30 /* k6's */

/* ---------------------------------------------------------------- rules */

/* How well a lower-case pattern fits: 0 not at all, more for more. */
static size_t pattern_fit(struct slice pattern, struct slice host) {
    bool is_wild = pattern.len > 0 && pattern.ptr[0] == '*';
    if (is_wild)
        pattern = slice_from(pattern.ptr + 1, pattern.len - 1);
    if (pattern.len > host.len || (!is_wild && pattern.len != host.len))
        return 0;
    struct slice tail = slice_from(host.ptr + host.len - pattern.len, pattern.len);
    return slice_ieq(pattern, tail) ? pattern.len * 2 + (is_wild ? 1 : 2) : 0;
}

const struct slice *blocked_hostname_find(const struct dialer_config *cfg, struct slice host) {
    const struct slice *best = NULL;
    size_t best_fit = 0;
    for (size_t i = 0; i < cfg->n_blocked_hostnames; i++) {
        size_t fit = pattern_fit(cfg->blocked_hostnames[i], host);
        if (fit > best_fit) {
            best_fit = fit;
            best = &cfg->blocked_hostnames[i];
        }
    }
    return best;
}

/* A pattern with the port goes before every pattern without. */
const struct host_override *host_override_find(const struct dialer_config *cfg, struct slice host,
                                               uint16_t port) {
    const struct host_override *best = NULL;
    size_t best_fit = 0;
    for (size_t i = 0; i < cfg->n_hosts; i++) {
        const struct host_override *o = &cfg->hosts[i];
        if (o->pattern_port && o->pattern_port != port)
            continue;
        size_t fit = pattern_fit(o->pattern, host);
        if (fit && o->pattern_port)
            fit += 1024; /* more than any host name has */
        if (fit > best_fit) {
            best_fit = fit;
            best = o;
        }
    }
    return best;
}

static int address_find(const struct dialer_config *cfg, struct slice host, uint16_t port,
                        int64_t deadline_ns, union sockaddr_any *out, struct error *err) {
    bool is_literal = sockaddr_parse_ip(host, out) == 0;
    if (cfg->n_blocked_hostnames && !is_literal) {
        const struct slice *pattern = blocked_hostname_find(cfg, host);
        if (pattern)
            return error_set(err, KE_HOST_BLOCKED, "hostname (%.*s) is in a blocked pattern (%.*s)",
                             SLICE_FMT(host), SLICE_FMT(*pattern));
    }
    const struct host_override *o = cfg->n_hosts ? host_override_find(cfg, host, port) : NULL;
    if (o) {
        memcpy(&out->ss, &o->addr, sizeof out->ss);
        port = sockaddr_port(out) ? sockaddr_port(out) : port;
    } else if (!is_literal) {
        int rc = resolve_host(&cfg->dns, host, deadline_ns, out, err);
        if (rc)
            return rc;
    }
    sockaddr_set_port(out, port);
    for (size_t i = 0; i < cfg->n_blacklist; i++) {
        if (!ip_range_contains(&cfg->blacklist[i], out))
            continue;
        char ip[INET6_ADDRSTRLEN], range[INET6_ADDRSTRLEN + 5];
        sockaddr_ip_text(out, ip);
        ip_range_text(&cfg->blacklist[i], range, sizeof range);
        return error_set(err, KE_IP_BLOCKED, "IP (%s) is in a blacklisted range (%s)", ip, range);
    }
    return 0;
}

/* ---------------------------------------------------------------- connect */

static void socket_tune(int fd) {
    int one = 1, seconds = KEEPALIVE_S;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
}

static int connect_wait(struct worker_io *io, int fd, const union sockaddr_any *local,
                        const union sockaddr_any *peer, int64_t deadline_ns, struct error *err) {
    int64_t own_ns = worker_now_ns(worker_self()) + DIAL_TIMEOUT_NS;
    int rc = worker_io_wait(io, IO_WRITE, own_ns < deadline_ns ? own_ns : deadline_ns);
    if (rc == KE_TIMEOUT && own_ns < deadline_ns) {
        char to[SOCKADDR_TEXT_MAX];
        sockaddr_text(peer, to, sizeof to);
        return error_set(err, KE_DIAL_TIMEOUT, "dial tcp %s: i/o timeout", to);
    }
    if (rc)
        return net_error_wait(err, rc);
    int failed = 0;
    socklen_t len = sizeof failed;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len);
    return failed ? net_error_dial(err, "connect", failed, local, peer) : 0;
}

static int connect_to(const union sockaddr_any *peer, const struct sockaddr_storage *local_ip,
                      int64_t deadline_ns, struct dial_result *out, struct error *err) {
    const union sockaddr_any *local = NULL;
    if (local_ip->ss_family != AF_UNSPEC)
        local = (const union sockaddr_any *)local_ip;
    int fd = socket(peer->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0)
        return net_error_dial(err, "socket", errno, local, peer);
    socket_tune(fd);
    int rc = 0, one = 1;
    if (local) {
        /* The port is chosen at connect: as many connections as there are ports, for each target.
         */
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(fd, &local->sa, sockaddr_len(local)) != 0) {
            rc = net_error_dial(err, "bind", errno, local, peer);
            close(fd);
            return rc;
        }
    }
    bool is_pending = false;
    if (connect(fd, &peer->sa, sockaddr_len(peer)) != 0) {
        is_pending = errno == EINPROGRESS || errno == EINTR;
        if (!is_pending)
            rc = net_error_dial(err, "connect", errno, local, peer);
    }
    struct worker_io *io = worker_io_new(worker_self(), fd);
    if (is_pending)
        rc = connect_wait(io, fd, local, peer, deadline_ns, err);
    if (rc) {
        worker_io_close(io);
        return rc;
    }
    out->fd = fd;
    out->io = io;
    out->peer = *peer;
    return 0;
}

int dial_tcp(const struct dialer_config *cfg, struct slice host, uint16_t port, int64_t deadline_ns,
             struct dial_result *out, struct error *err) {
    int64_t start_ns = clock_now_ns();
    union sockaddr_any peer;
    int rc = address_find(cfg, host, port, deadline_ns, &peer, err);
    int64_t found_ns = clock_now_ns();
    if (rc)
        return rc;
    rc = connect_to(&peer, &cfg->local_ip, deadline_ns, out, err);
    if (rc)
        return rc;
    out->lookup_ns = found_ns - start_ns;
    int64_t event_ns = fiber_event_ns(fiber_self());
    out->connect_ns = event_ns > found_ns ? event_ns - found_ns : clock_now_ns() - found_ns;
    return 0;
}
