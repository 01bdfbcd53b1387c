/* Which proxy a URL goes through, by the rules of Go's http.ProxyFromEnvironment: HTTP_PROXY,
 * HTTPS_PROXY, NO_PROXY; loopback addresses and localhost never. */
#pragma once

#include "http/http_client.h"

struct http_proxy {
    struct url url;
    char *
        authorization; /* Proxy-Authorization of the proxy URL's credentials; "" when it has none */
    bool is_tls;       /* https://: spoken to over TLS */
    bool is_socks;     /* SOCKS5: every connection through it is a tunnel */
};

/* 1 and *out filled (release with http_proxy_release), 0 for a direct connection, KE_FAILED with
 * words for a proxy that we cannot use. */
int http_proxy_for(const struct http_client_config *cfg, const struct url *url,
                   struct http_proxy *out, struct error *err);
/* For conn_open. p must outlive the call. */
void http_proxy_set_target(const struct http_proxy *p, struct conn_target *out);
void http_proxy_release(struct http_proxy *p);

/* Sets the three proxy fields from the environment; Go looks at both spellings, capitals first. */
void http_proxies_from_env(struct http_client_config *cfg);
