#include "http/http_proxy.h"

#include <stdlib.h>

#include "base/check.h"
#include "http/http_auth.h"

static bool is_loopback(const union sockaddr_any *ip) {
    if (ip->sa.sa_family == AF_INET)
        return (ntohl(ip->in4.sin_addr.s_addr) >> 24) == 127;
    return IN6_IS_ADDR_LOOPBACK(&ip->in6.sin6_addr);
}

static bool has_suffix(struct slice s, struct slice suffix) {
    return s.len >= suffix.len &&
           slice_ieq(slice_from(s.ptr + s.len - suffix.len, suffix.len), suffix);
}

/* "example.com" matches itself and what is below it, ".example.com" and "*.example.com" only the
 * latter. */
static bool domain_matches(struct slice pattern, struct slice host) {
    if (slice_starts(pattern, SLICE("*.")))
        pattern = slice_from(pattern.ptr + 1, pattern.len - 1);
    if (pattern.len && pattern.ptr[0] == '.')
        return has_suffix(host, pattern);
    return slice_ieq(host, pattern) || (host.len > pattern.len && has_suffix(host, pattern) &&
                                        host.ptr[host.len - pattern.len - 1] == '.');
}

static void split_port(struct slice *pattern, uint64_t *port) {
    const char *colon = memrchr(pattern->ptr, ':', pattern->len);
    *port = 0;
    if (!colon || (memchr(pattern->ptr, ':', pattern->len) != colon && pattern->ptr[0] != '['))
        return;
    size_t at = (size_t)(colon - pattern->ptr);
    if (slice_to_u64(slice_from(colon + 1, pattern->len - at - 1), port))
        pattern->len = at;
    if (pattern->len > 1 && pattern->ptr[0] == '[' && pattern->ptr[pattern->len - 1] == ']')
        *pattern = slice_from(pattern->ptr + 1, pattern->len - 2);
}

static bool rule_matches(struct slice rule, struct slice host, uint16_t port,
                         const union sockaddr_any *ip) {
    struct ip_range range;
    union sockaddr_any rule_ip;
    uint64_t rule_port;
    if (slice_eq(rule, SLICE("*")))
        return true;
    if (memchr(rule.ptr, '/', rule.len))
        return ip && ip_range_parse(rule, &range) == 0 && ip_range_contains(&range, ip);
    split_port(&rule, &rule_port);
    if (rule_port && rule_port != port)
        return false;
    if (sockaddr_parse_ip(rule, &rule_ip) == 0)
        return ip && slice_ieq(rule, host);
    return rule.len && domain_matches(rule, host);
}

static bool uses_proxy(struct slice no_proxy, const struct url *url) {
    union sockaddr_any parsed;
    const union sockaddr_any *ip = sockaddr_parse_ip(url->host, &parsed) == 0 ? &parsed : NULL;
    if (slice_eq(url->host, SLICE("localhost")) || (ip && is_loopback(ip)))
        return false;
    while (no_proxy.ptr) {
        struct slice rule = slice_trim(slice_cut(&no_proxy, ','));
        if (rule.len && rule_matches(rule, url->host, url->port, ip))
            return false;
    }
    return true;
}

/* "proxy:3128" is short for "http://proxy:3128". */
static int parse_proxy(struct slice text, struct url *out, struct error *err) {
    if (url_parse(text, out, NULL) == 0) {
        if (out->scheme.len && out->host.len)
            return 0;
        url_release(out);
    }
    char *longer = xasprintf("http://%.*s", SLICE_FMT(text));
    int rc = url_parse(slice_cstr(longer), out, NULL);
    free(longer);
    if (rc)
        return error_set(err, KE_FAILED, "invalid proxy address '%.*s'", SLICE_FMT(text));
    return 0;
}

int http_proxy_for(const struct http_client_config *cfg, const struct url *url,
                   struct http_proxy *out, struct error *err) {
    struct slice text = url->is_https ? cfg->https_proxy : cfg->http_proxy;
    if (!text.len || !uses_proxy(cfg->no_proxy, url))
        return 0;
    int rc = parse_proxy(text, &out->url, err);
    if (rc)
        return rc;
    out->is_socks =
        slice_eq(out->url.scheme, SLICE("socks5")) || slice_eq(out->url.scheme, SLICE("socks5h"));
    out->is_tls = out->url.is_https;
    if (!out->is_socks && !out->url.is_http) {
        error_set(err, KE_FAILED,
                  "proxies of the kind '%.*s' are not supported: use http, https or socks5",
                  SLICE_FMT(out->url.scheme));
        url_release(&out->url);
        return KE_FAILED;
    }
    out->authorization = out->url.has_user ? http_basic_authorization(&out->url) : xstrdup("");
    return 1;
}

void http_proxy_set_target(const struct http_proxy *p, struct conn_target *out) {
    out->proxy_host = p->url.host;
    out->proxy_port = p->url.port ? p->url.port : p->is_socks ? 1080 : 80;
    out->proxy_auth = slice_cstr(p->authorization);
    out->proxy_is_tls = p->is_tls;
    out->proxy_is_socks = p->is_socks;
    out->proxy_user = p->url.user;
    out->proxy_password = p->url.password;
}

void http_proxy_release(struct http_proxy *p) {
    url_release(&p->url);
    free(p->authorization);
}

static struct slice variable(const char *upper, const char *lower) {
    const char *value = getenv(upper);
    if (!value || !*value)
        value = getenv(lower);
    return value ? slice_cstr(value) : SLICE("");
}

void http_proxies_from_env(struct http_client_config *cfg) {
    cfg->http_proxy = variable("HTTP_PROXY", "http_proxy");
    cfg->https_proxy = variable("HTTPS_PROXY", "https_proxy");
    cfg->no_proxy = variable("NO_PROXY", "no_proxy");
}
