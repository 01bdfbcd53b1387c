/* Names to addresses, one resolver a worker: literals, special names, cache, one question a name at
 * a time. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/map.h"
#include "base/random.h"
#include "fiber/fiber.h"
#include "fiber/worker.h"
#include "net/dial.h"
#include "net/dns_query.h"

#define NAME_MAX_BYTES 253
/* A script can make up names: the cache starts over when it holds this many. */
#define CACHE_MAX_NAMES 10000

struct name {
    struct resolver *resolver;
    union sockaddr_any *addrs;
    size_t n_addrs;
    int64_t looked_up_ns;
    uint64_t round_robin;
    struct fiber_cond answered;
    size_t waiters;
    bool is_asking;
    bool has_answer;
    int rc; /* of the last question */
    char why[64];
};

struct resolver {
    struct dns_client *dns;
    struct map names;
};

static const char resolver_key;

static void name_free(struct name *n) {
    free(n->addrs);
    free(n);
}

static void resolver_free(void *arg) {
    struct resolver *r = arg;
    dns_client_free(r->dns);
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(&r->names, &i));)
        name_free(e->value);
    map_release(&r->names);
    free(r);
}

static struct resolver *resolver_of(struct worker *w) {
    struct resolver *r = worker_local(w, &resolver_key);
    if (!r) {
        r = xcalloc(1, sizeof *r);
        r->dns = dns_client_new(w);
        map_init(&r->names);
        worker_local_set(w, &resolver_key, r, resolver_free);
    }
    return r;
}

struct dns_client *resolver_dns_client(void) {
    return resolver_of(worker_self())->dns;
}

/* ---------------------------------------------------------------- choice */

static bool is_family(const union sockaddr_any *a, int family) {
    return family == AF_UNSPEC || a->sa.sa_family == family;
}

static size_t count_family(const struct name *n, int family) {
    size_t count = 0;
    for (size_t i = 0; i < n->n_addrs; i++)
        count += is_family(&n->addrs[i], family);
    return count;
}

static int family_of_policy(const struct name *n, enum dns_policy policy) {
    switch (policy) {
    case DNS_PREFER_IPV4:
        return count_family(n, AF_INET) ? AF_INET : AF_INET6;
    case DNS_PREFER_IPV6:
        return count_family(n, AF_INET6) ? AF_INET6 : AF_INET;
    case DNS_ONLY_IPV4:
        return AF_INET;
    case DNS_ONLY_IPV6:
        return AF_INET6;
    case DNS_ANY:
        break;
    }
    return AF_UNSPEC;
}

static bool address_choose(struct name *n, const struct dns_config *cfg, union sockaddr_any *out) {
    int family = family_of_policy(n, cfg->policy);
    size_t count = count_family(n, family), pick = 0;
    if (!count)
        return false;
    if (cfg->select == DNS_SELECT_RANDOM)
        pick = count > 1 ? random_below(count) : 0;
    else if (cfg->select == DNS_SELECT_ROUND_ROBIN)
        pick = n->round_robin++ % count;
    for (size_t i = 0; i < n->n_addrs; i++) {
        if (is_family(&n->addrs[i], family) && pick-- == 0) {
            *out = n->addrs[i];
            return true;
        }
    }
    return false;
}

/* ---------------------------------------------------------------- question */

static void name_answered(void *arg, int rc, const char *why, const union sockaddr_any *addrs,
                          size_t n_addrs) {
    struct name *n = arg;
    n->is_asking = false;
    n->rc = rc;
    snprintf(n->why, sizeof n->why, "%s", why);
    if (rc == 0) {
        free(n->addrs);
        n->addrs = xcalloc(n_addrs, sizeof *addrs);
        memcpy(n->addrs, addrs, n_addrs * sizeof *addrs);
        n->n_addrs = n_addrs;
        n->has_answer = true;
        n->looked_up_ns = clock_now_ns();
    }
    fiber_cond_broadcast(&n->answered);
}

static bool is_fresh(const struct name *n, int64_t ttl_ns) {
    if (!n->has_answer || ttl_ns <= 0)
        return false;
    return ttl_ns == NEVER_NS || clock_now_ns() - n->looked_up_ns < ttl_ns;
}

static void cache_clear(struct resolver *r) {
    struct map kept;
    map_init(&kept);
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(&r->names, &i));) {
        struct name *n = e->value;
        if (n->waiters || n->is_asking)
            map_set(&kept, e->key, n);
        else
            name_free(n);
    }
    map_release(&r->names);
    r->names = kept;
}

static struct name *name_of(struct resolver *r, struct slice host) {
    struct name *n = map_get(&r->names, host);
    if (n)
        return n;
    if (r->names.len >= CACHE_MAX_NAMES)
        cache_clear(r);
    n = xcalloc(1, sizeof *n);
    n->resolver = r;
    fiber_cond_init(&n->answered);
    map_set(&r->names, host, n);
    return n;
}

/* Asks, or joins those who wait for the same answer. */
static int name_ask(struct name *n, const char *host, int64_t deadline_ns) {
    n->waiters++;
    int rc = 0;
    if (!n->is_asking) {
        n->is_asking = true;
        dns_query(n->resolver->dns, host, AF_UNSPEC, name_answered, n);
    }
    while (n->is_asking && rc == 0)
        rc = fiber_cond_wait(&n->answered, deadline_ns);
    n->waiters--;
    return rc ? rc : n->rc;
}

/* ---------------------------------------------------------------- names that are never asked for
 */

static bool has_last_label(struct slice host, struct slice label) {
    if (!slice_ends(host, label))
        return false;
    return host.len == label.len || host.ptr[host.len - label.len - 1] == '.';
}

static bool localhost_resolve(const struct dns_config *cfg, union sockaddr_any *out) {
    bool is_v6 = cfg->policy == DNS_PREFER_IPV6 || cfg->policy == DNS_ONLY_IPV6;
    return sockaddr_parse_ip(is_v6 ? SLICE("::1") : SLICE("127.0.0.1"), out) == 0;
}

static int no_such_host(struct slice host, struct error *err) {
    return error_set(err, KE_DNS_NO_HOST, "lookup %.*s: no such host", SLICE_FMT(host));
}

int resolve_host(const struct dns_config *cfg, struct slice host, int64_t deadline_ns,
                 union sockaddr_any *out, struct error *err) {
    if (sockaddr_parse_ip(host, out) == 0)
        return 0;
    char text[NAME_MAX_BYTES + 2];
    if (host.len == 0 || host.len > NAME_MAX_BYTES + 1 || memchr(host.ptr, '\0', host.len))
        return no_such_host(host, err);
    for (size_t i = 0; i < host.len; i++)
        text[i] = host.ptr[i] >= 'A' && host.ptr[i] <= 'Z' ? (char)(host.ptr[i] + 32) : host.ptr[i];
    text[host.len] = '\0';
    struct slice lower = slice_from(text, host.len);
    struct slice bare = text[host.len - 1] == '.' ? slice_from(text, host.len - 1) : lower;
    if (has_last_label(bare, SLICE("localhost")) && localhost_resolve(cfg, out))
        return 0;
    if (has_last_label(bare, SLICE("invalid")))
        return no_such_host(host, err);

    struct resolver *r = resolver_of(worker_self());
    struct name *n = name_of(r, lower);
    if (!is_fresh(n, cfg->ttl_ns)) {
        int rc = name_ask(n, text, deadline_ns);
        if (rc == KE_TIMEOUT || rc == KE_CANCELED)
            return error_set(err, rc, "%s", error_text(rc));
        const char *server = dns_client_server(r->dns);
        if (rc)
            return error_set(err, rc, "lookup %.*s%s%s: %s", SLICE_FMT(host), *server ? " on " : "",
                             server, n->why);
    }
    return address_choose(n, cfg, out) ? 0 : no_such_host(host, err);
}
