#include <ctype.h>
#include <stdlib.h>

#include "base/check.h"
#include "http/http_proxy.h"
#include "load/test.h"
#include "net/dial.h"
#include "net/tls.h"

static int make_dns(const struct options *o, struct dns_config *out, struct error *err) {
    static const struct {
        const char *name;
        enum dns_policy policy;
    } policies[] = {{"preferIPv4", DNS_PREFER_IPV4},
                    {"preferIPv6", DNS_PREFER_IPV6},
                    {"onlyIPv4", DNS_ONLY_IPV4},
                    {"onlyIPv6", DNS_ONLY_IPV6},
                    {"any", DNS_ANY}};
    const char *select = o->dns.select.value;
    for (size_t i = 0; i < countof(policies); i++)
        if (strcmp(o->dns.policy.value, policies[i].name) == 0)
            out->policy = policies[i].policy;
    out->select = strcmp(select, "first") == 0        ? DNS_SELECT_FIRST
                  : strcmp(select, "roundRobin") == 0 ? DNS_SELECT_ROUND_ROBIN
                                                      : DNS_SELECT_RANDOM;
    return option_dns_ttl(o->dns.ttl.value, &out->ttl_ns, err);
}

static void make_hosts(struct test *t, struct dialer_config *out) {
    const struct opt_map *hosts = &t->derived.hosts;
    out->hosts = arena_alloc(&t->arena, (hosts->len + 1) * sizeof *out->hosts);
    for (size_t i = 0; i < hosts->len; i++) {
        struct host_override *h = &out->hosts[out->n_hosts++];
        struct slice port = slice_cstr(hosts->items[i].key), name = slice_cut(&port, ':');
        uint64_t number = 0;
        union sockaddr_any address;
        if (port.ptr != NULL)
            slice_to_u64(port, &number);
        CHECK(sockaddr_parse(slice_cstr(hosts->items[i].value), &address) == 0);
        *h = (struct host_override){.pattern = name, .pattern_port = (uint16_t)number};
        h->addr = address.ss;
    }
}

static void make_blocks(struct test *t, struct dialer_config *out) {
    const struct opt_list *cidrs = &t->derived.blacklist_ips, *names = &t->derived.block_hostnames;
    out->blacklist = arena_alloc(&t->arena, (cidrs->len + 1) * sizeof *out->blacklist);
    for (size_t i = 0; i < cidrs->len; i++)
        CHECK(ip_range_parse(slice_cstr(cidrs->items[i]), &out->blacklist[out->n_blacklist++]) ==
              0);
    out->blocked_hostnames =
        arena_alloc(&t->arena, (names->len + 1) * sizeof *out->blocked_hostnames);
    for (size_t i = 0; i < names->len; i++) {
        char *lower = arena_strndup(&t->arena, names->items[i], strlen(names->items[i]));
        for (char *c = lower; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        out->blocked_hostnames[out->n_blocked_hostnames++] = slice_cstr(lower);
    }
}

static const struct tls_client_cert *make_certs(struct test *t, size_t *out_len) {
    const struct opt_tls_auth *auth = &t->derived.tls_auth;
    struct tls_client_cert *certs = arena_alloc(&t->arena, (auth->len + 1) * sizeof *certs);
    for (size_t i = 0; i < auth->len; i++) {
        const struct tls_auth *a = &auth->items[i];
        struct slice *domains =
            arena_alloc(&t->arena, (a->domains.len + 1) * sizeof *certs[i].domains);
        for (size_t k = 0; k < a->domains.len; k++)
            domains[k] = slice_cstr(a->domains.items[k]);
        certs[i] =
            (struct tls_client_cert){.cert_pem = a->cert,
                                     .key_pem = a->key,
                                     .password = a->password.is_set ? a->password.value : NULL,
                                     .domains = domains,
                                     .n_domains = a->domains.len};
    }
    *out_len = auth->len;
    return certs;
}

/* GODEBUG=http2client=0, as k6 reads it. */
static bool is_http1_forced(void) {
    const char *text = getenv("GODEBUG");
    struct slice rest = slice_cstr(text ? text : "");
    while (rest.ptr) {
        if (slice_eq(slice_cut(&rest, ','), SLICE("http2client=0")))
            return true;
    }
    return false;
}

/* Our own: plain HTTP/2 without negotiation, for servers behind something that ends TLS. */
static bool is_h2c_wanted(void) {
    const char *text = getenv("KILN_H2C");
    return text && strcmp(text, "1") == 0;
}

static int make_tls(struct test *t, struct error *err) {
    const struct options *o = &t->derived;
    struct tls_options tls = {.insecure_skip_verify = o->insecure_skip_tls_verify.value,
                              .min_version = o->tls_version.min,
                              .max_version = o->tls_version.max,
                              .offer_h2 = !is_http1_forced()};
    if (o->tls_cipher_suites.is_set && o->tls_cipher_suites.len > 0) {
        tls.cipher_suites = o->tls_cipher_suites.items;
        tls.n_cipher_suites = o->tls_cipher_suites.len;
    }
    tls.certs = make_certs(t, &tls.n_certs);
    t->tls = tls_config_new(&tls, err);
    return t->tls != NULL ? 0 : KE_CONFIG;
}

int test_make_http_config(struct test *t, struct http_client_config *out, struct failure *f) {
    const struct options *o = &t->derived;
    struct error err = {0};
    *out = (struct http_client_config){0};
    if (make_dns(o, &out->dialer.dns, &err) != 0)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "%s", err.text);
    make_hosts(t, &out->dialer);
    make_blocks(t, &out->dialer);
    if (make_tls(t, &err) != 0)
        return failure_set(f, EXIT_CODE_INVALID_CONFIG, NULL,
                           "could not initialize '%s': could not load JS test '%s': %s", t->path,
                           script_url(t->script), err.text);
    out->tls = t->tls;
    out->user_agent = slice_cstr(o->user_agent.value);
    out->max_idle = (int)o->batch.value;
    out->max_idle_per_host = (int)o->batch_per_host.value;
    out->h2c = is_h2c_wanted();
    out->no_connection_reuse = o->no_connection_reuse.value;
    http_proxies_from_env(out);
    return 0;
}
