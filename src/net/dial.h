/* Dialing: name -> addresses -> connected socket, under k6's rules (hosts overrides, blocked
 * hostnames, blacklisted IPs, local IPs, dns option). One dialer config is shared, read-only, by
 * all VUs of a run; each worker has its own resolver with its own cache. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/slice.h"

enum dns_select { DNS_SELECT_RANDOM, DNS_SELECT_FIRST, DNS_SELECT_ROUND_ROBIN };
enum dns_policy { DNS_PREFER_IPV4, DNS_PREFER_IPV6, DNS_ONLY_IPV4, DNS_ONLY_IPV6, DNS_ANY };

struct dns_config {
    int64_t ttl_ns; /* 0 = no cache, NEVER_NS = for ever; default 5 min */
    enum dns_select select;
    enum dns_policy policy;
};

struct ip_range { /* CIDR; v4 as v4-mapped */
    uint8_t addr[16];
    uint8_t prefix_bits;
};

struct host_override {     /* options.hosts: "host", "host:port" or "*.suffix" -> ip[:port] */
    struct slice pattern;  /* lower case, without port */
    uint16_t pattern_port; /* 0 = any */
    struct sockaddr_storage addr; /* port 0 = keep the original */
};

struct dialer_config {
    struct dns_config dns;
    struct host_override *hosts;
    size_t n_hosts;
    struct ip_range *blacklist;
    size_t n_blacklist;
    struct slice *blocked_hostnames; /* lower case; "*.x" or "*x" wildcards at the front only */
    size_t n_blocked_hostnames;
    struct sockaddr_storage local_ip; /* ss_family AF_UNSPEC = any; per VU */
};

union sockaddr_any {
    struct sockaddr sa;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
    struct sockaddr_storage ss;
};

struct worker_io;

struct dial_result {
    int fd;               /* connected, non-blocking, TCP_NODELAY; closed by worker_io_close(io) */
    struct worker_io *io; /* of the calling fiber's worker; the caller's */
    union sockaddr_any peer;
    int64_t lookup_ns;  /* time spent resolving */
    int64_t connect_ns; /* TCP connect, to the moment the poll saw it */
};

/* A connect of its own never takes longer than this (KE_DIAL_TIMEOUT), whatever the deadline. */
#define DIAL_TIMEOUT_NS (30 * NS_PER_S)

/* Resolves and connects. Yields. On failure err has Go's words ("lookup nope.invalid: no such
 * host", "dial tcp 127.0.0.1:1: connect: connection refused", "hostname (x) is in a blocked pattern
 * (*.x)") and the code; err->sys_errno is the failed call's. Past the deadline it is KE_TIMEOUT. */
int dial_tcp(const struct dialer_config *cfg, struct slice host, uint16_t port, int64_t deadline_ns,
             struct dial_result *out, struct error *err);

/* Resolves only (IP literals included), honouring cache and policy; the port of *out is 0. Order:
 * IP literal, localhost and invalid (RFC 6761), the worker's cache, /etc/hosts and DNS. Failures
 * are not cached. Yields. KE_DNS_NO_HOST, KE_DNS, KE_TIMEOUT, KE_CANCELED. */
int resolve_host(const struct dns_config *cfg, struct slice host, int64_t deadline_ns,
                 union sockaddr_any *out, struct error *err);

/* The pattern of the list that matches, or NULL: the exact name, else the longest "*suffix" ("*x"
 * also matches "x"). */
const struct host_override *host_override_find(const struct dialer_config *cfg, struct slice host,
                                               uint16_t port);
const struct slice *blocked_hostname_find(const struct dialer_config *cfg, struct slice host);

/* "192.0.2.1" or "2001:db8::1" of an address; out has INET6_ADDRSTRLEN bytes. */
void sockaddr_ip_text(const union sockaddr_any *a, char *out);
/* "192.0.2.1:80" or "[2001:db8::1]:80". */
#define SOCKADDR_TEXT_MAX (INET6_ADDRSTRLEN + 10)
void sockaddr_text(const union sockaddr_any *a, char *out, size_t bytes);
uint16_t sockaddr_port(const union sockaddr_any *a);
void sockaddr_set_port(union sockaddr_any *a, uint16_t port);
socklen_t sockaddr_len(const union sockaddr_any *a);
/* Parsers used by options: return 0 or KE_INVALID. A v4-mapped address is a v4 one. */
int sockaddr_parse_ip(struct slice text, union sockaddr_any *out);
int sockaddr_parse(struct slice ip_or_ip_port, union sockaddr_any *out);
int ip_range_parse(struct slice cidr, struct ip_range *out);
bool ip_range_contains(const struct ip_range *r, const union sockaddr_any *a);
/* "10.0.0.0/8" */
void ip_range_text(const struct ip_range *r, char *out, size_t bytes);
