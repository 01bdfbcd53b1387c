#include "js/remote.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/http_client.h"
#include "http/http_proxy.h"
#include "js/remote_cache.h"
#include "net/tls.h"

#define FETCH_TIMEOUT_NS (60 * NS_PER_S)
#define MODULE_MAX_BYTES ((uint64_t)256 << 20)

static bool is_offline;

void remote_set_offline(bool value) {
    is_offline = value;
}

int remote_failed(const char *specifier, const char *url, const struct error *why,
                  struct error *err) {
    return error_set(err, why->code,
                     "The moduleSpecifier \"%s\" couldn't be retrieved from the resolved url "
                     "\"%s\". Error : \"%s\"",
                     specifier, url, why->text);
}

struct fetch {
    const char *url;
    struct http_client *client;
    struct remote_copy old, new; /* what the disk has; what came */
    bool has_old;
    bool is_unreachable; /* no server answered */
};

static char *header_copy(const struct http_response *r, struct slice name) {
    struct slice value = http_header_find(r->head, name);
    return value.ptr ? slice_dup(slice_trim(value)) : xstrdup("");
}

static int read_response(struct fetch *f, const char *url, const struct http_response *r, int rc,
                         struct error *err) {
    f->is_unreachable = rc != 0;
    if (rc)
        return error_set(err, rc, "%s",
                         r->error.log_text && *r->error.log_text ? r->error.log_text
                                                                 : error_text(rc));
    if (r->status == 304 && f->has_old)
        return 0;
    if (r->status == 404)
        return error_set(err, KE_NOT_FOUND, "not found: %s", url);
    if (r->status != 200)
        return error_set(err, KE_FAILED, "wrong status code (%d) for: %s", r->status, url);
    f->new.content = xstrndup(r->body.len ? r->body.ptr : "", r->body.len);
    f->new.len = r->body.len;
    f->new.etag = header_copy(r, SLICE("ETag"));
    f->new.last_modified = header_copy(r, SLICE("Last-Modified"));
    return 0;
}

static int get(struct fetch *f, const char *url, struct error *err) {
    struct http_header headers[2];
    struct http_request req = {.method = SLICE("GET"),
                               .headers = headers,
                               .timeout_ns = FETCH_TIMEOUT_NS,
                               .max_redirects = 10};
    struct http_response *r = NULL;
    struct url parsed;
    int rc = url_parse(slice_cstr(url), &parsed, err);
    if (rc)
        return rc;
    if (f->has_old && *f->old.etag)
        headers[req.n_headers++] =
            (struct http_header){SLICE("If-None-Match"), slice_cstr(f->old.etag)};
    if (f->has_old && *f->old.last_modified)
        headers[req.n_headers++] =
            (struct http_header){SLICE("If-Modified-Since"), slice_cstr(f->old.last_modified)};
    req.url = &parsed;
    log_fields(LOG_DEBUG, SLICE("Fetching source..."), LOG_STR("url", url));
    rc = http_client_do(f->client, &req, &r);
    rc = read_response(f, url, r, rc, err);
    http_response_unref(r);
    url_release(&parsed);
    return rc;
}

/* The query that tells a server who asks; some servers do not like it. */
static char *with_k6(const char *url) {
    size_t path_len = strcspn(url, "#");
    bool has_query = memchr(url, '?', path_len) != NULL;
    return xasprintf("%.*s%s_k6=1%s", (int)path_len, url, has_query ? "&" : "?", url + path_len);
}

static int get_either(struct fetch *f, struct error *err) {
    static const struct tls_options tls_options = {.offer_h2 = true};
    struct tls_config *tls = tls_config_new(&tls_options, err);
    if (!tls)
        return KE_CONFIG;
    struct http_client_config cfg = {
        .tls = tls, .user_agent = SLICE("Go-http-client/1.1"), .max_body_bytes = MODULE_MAX_BYTES};
    cfg.dialer.dns = (struct dns_config){.policy = DNS_PREFER_IPV4};
    http_proxies_from_env(&cfg);
    f->client = http_client_new(&cfg, NULL);
    char *marked = with_k6(f->url);
    int rc = get(f, marked, err);
    if (rc && rc != KE_CANCELED)
        rc = get(f, f->url, err);
    free(marked);
    http_client_free(f->client);
    tls_config_free(tls);
    return rc;
}

static int ask_server(struct fetch *f, const char *cache, struct error *err) {
    int rc = get_either(f, err);
    if (rc == 0 && f->new.content)
        remote_cache_put(cache, f->url, &f->new);
    if (rc && rc != KE_CANCELED && f->has_old && f->is_unreachable) {
        log_printf(LOG_WARN, "%s cannot be fetched, the copy of the last time is used: %s", f->url,
                   err->text);
        rc = 0;
    }
    return rc;
}

int remote_fetch(const char *url, char **out_content, size_t *out_len, struct error *err) {
    struct fetch f = {.url = url};
    char *cache = remote_cache_dir();
    int rc = 0;
    f.has_old = remote_cache_get(cache, url, &f.old);
    if (!is_offline)
        rc = ask_server(&f, cache, err);
    else if (!f.has_old)
        rc = error_set(
            err, KE_NOT_FOUND,
            "there is no copy of it on this machine, and --offline forbids the network: run "
            "once without --offline, or run an archive");
    if (rc == 0) {
        struct remote_copy *best = f.new.content ? &f.new : &f.old;
        *out_content = best->content;
        *out_len = best->len;
        best->content = NULL;
    }
    remote_copy_release(&f.old);
    remote_copy_release(&f.new);
    free(cache);
    return rc;
}
