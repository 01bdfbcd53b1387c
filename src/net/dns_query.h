/* One DNS question through c-ares, on the worker's loop: /etc/hosts first, then the servers of
 * resolv.conf, as Go's resolver does it. Callbacks run on the worker's own stack. */
#pragma once

#include <uv.h>

#include "net/dial.h"

struct worker;
struct dns_client;

struct dns_client *dns_client_new(struct worker *w);
/* Questions under way end with a failure first. */
void dns_client_free(struct dns_client *c);
/* "192.0.2.53:53" of the first server, "" when there is none. */
const char *dns_client_server(const struct dns_client *c);

/* Asks other servers than resolv.conf's: "192.0.2.53:53,[2001:db8::53]:53". */
int dns_client_set_servers(struct dns_client *c, const char *servers);

/* How a question ended: 0, KE_DNS_NO_HOST, KE_DNS with a few words in `why`. addrs are valid during
 * the call only. */
typedef void dns_done_fn(void *arg, int rc, const char *why, const union sockaddr_any *addrs,
                         size_t n_addrs);
/* family AF_INET, AF_INET6 or AF_UNSPEC for both. done may run before the call returns. */
void dns_query(struct dns_client *c, const char *name, int family, dns_done_fn *done, void *arg);

/* The client of the calling worker's resolver (resolver.c). */
struct dns_client *resolver_dns_client(void);
