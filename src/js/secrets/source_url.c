/* A source that asks a server: GET urlTemplate with {key} replaced, with retries and a limit of
 * requests per minute. */
#include "js/secrets/source.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "fiber/fiber.h"
#include "http/http_client.h"
#include "http/http_proxy.h"
#include "js/gjson.h"
#include "js/script_internal.h"
#include "js/secrets/url_config.h"
#include "net/tls.h"

#define SECRET_MAX_BYTES (24 * 1024)
#define BODY_MAX_BYTES (1024 * 1024)

struct url_source {
    struct url_config config;
    struct tls_config *tls;
    struct http_client_config http;
    /* Limit of requests: a bucket of tokens. */
    pthread_mutex_t lock;
    double tokens;
    int64_t filled_ns;
};

static void url_free(void *state) {
    struct url_source *u = state;
    if (!u)
        return;
    url_config_release(&u->config);
    if (u->tls)
        tls_config_free(u->tls);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

static int url_open(struct slice config, void **out_state, struct error *err) {
    static const struct tls_options tls = {.offer_h2 = false};
    struct url_source *u = xcalloc(1, sizeof *u);
    struct error why;
    pthread_mutex_init(&u->lock, NULL);
    *out_state = u;
    if (url_config_read(&u->config, config, &why))
        return error_set(err, KE_CONFIG, "missing or invalid config: %s", why.text);
    u->tls = tls_config_new(&tls, err);
    if (!u->tls)
        return KE_CONFIG;
    u->tokens = (double)u->config.burst;
    u->filled_ns = clock_now_ns();
    u->http = (struct http_client_config){
        .tls = u->tls, .user_agent = SLICE("Go-http-client/1.1"), .max_body_bytes = BODY_MAX_BYTES};
    http_proxies_from_env(&u->http);
    u->http.dialer.dns = (struct dns_config){.policy = DNS_PREFER_IPV4};
    return 0;
}

/* ---- one request ---- */

/* Takes a token and says when its time has come. */
static int64_t reserve(struct url_source *u) {
    double per_ns = (double)u->config.per_minute / (60.0 * (double)NS_PER_S);
    pthread_mutex_lock(&u->lock);
    int64_t now = clock_now_ns();
    u->tokens += (double)(now - u->filled_ns) * per_ns;
    if (u->tokens > (double)u->config.burst)
        u->tokens = (double)u->config.burst;
    u->filled_ns = now;
    u->tokens -= 1;
    int64_t at = u->tokens < 0 ? now + (int64_t)(-u->tokens / per_ns) : now;
    pthread_mutex_unlock(&u->lock);
    return at;
}

/* The template with each {key} replaced. Heap string. */
static char *url_of(const char *template, struct slice key) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    for (const char *p = template; *p;) {
        const char *hole = strstr(p, "{key}");
        size_t n = hole ? (size_t)(hole - p) : strlen(p);
        buf_append(&b, p, n);
        if (hole)
            buf_append_slice(&b, key);
        p += n + (hole ? 5 : 0);
    }
    return buf_detach(&b, NULL);
}

static const char *json_type(char c) {
    switch (c) {
    case '{':
    case '[':
        return "JSON";
    case 't':
        return "True";
    case 'f':
        return "False";
    case 'n':
        return "Null";
    default:
        return "Number";
    }
}

/* The value in a response. Heap string, or NULL with *err set. */
static char *extract(const char *path, struct slice body, struct error *err) {
    struct buf found, decoded;
    char *value = NULL, *q;
    if (body.len > SECRET_MAX_BYTES) {
        error_set(err, KE_TOO_LARGE,
                  "failed to extract secret: secret response exceeds maximum size of %d bytes",
                  SECRET_MAX_BYTES);
        return NULL;
    }
    if (!*path)
        return xstrndup(body.len ? body.ptr : "", body.len);
    buf_init(&found, BUF_NO_CAP);
    buf_init(&decoded, BUF_NO_CAP);
    q = quoted(path);
    if (!gjson_get(body, slice_cstr(path), &found))
        error_set(err, KE_NOT_FOUND, "failed to extract secret: path %s not found in response", q);
    else if (found.ptr[0] != '"')
        error_set(err, KE_INVALID,
                  "failed to extract secret: secret value at path %s is not a string (got %s)", q,
                  json_type(found.ptr[0]));
    else if (url_json_string(buf_cstr(&found), &decoded) == 0)
        value = buf_detach(&decoded, NULL);
    else
        error_set(err, KE_INVALID, "failed to extract secret: bad string at path %s", q);
    free(q);
    buf_release(&found);
    buf_release(&decoded);
    return value;
}

static int read_response(const struct url_source *u, const struct http_response *r, int rc,
                         char **out_value, struct error *err, bool *out_retry) {
    *out_retry = rc != KE_CANCELED;
    if (rc)
        return error_set(err, rc, "failed to get secret: %s",
                         r->error.log_text && *r->error.log_text ? r->error.log_text
                                                                 : error_text(rc));
    *out_retry = r->status >= 500 || r->status == 429;
    if (r->status != 200)
        return error_set(err, KE_FAILED, "status code %d: failed to get secret", r->status);
    *out_value = extract(u->config.response_path, r->body, err);
    return *out_value ? 0 : KE_FAILED;
}

static int try_once(const struct url_source *u, struct slice key, char **out_value,
                    struct error *err, bool *out_retry) {
    struct url url;
    struct http_response *r = NULL;
    char *text = url_of(u->config.url_template, key);
    struct error why;
    int rc = url_parse(slice_cstr(text), &url, &why);
    free(text);
    *out_retry = true;
    if (rc)
        return error_set(err, rc, "failed to create request: %s", why.text);
    struct http_request req = {.method = slice_cstr(u->config.method),
                               .url = &url,
                               .headers = u->config.headers.ptr,
                               .n_headers = u->config.headers.len,
                               .timeout_ns = u->config.timeout_ns,
                               .max_redirects = 10};
    struct http_client *client = http_client_new(&u->http, NULL);
    rc = http_client_do(client, &req, &r);
    rc = read_response(u, r, rc, out_value, err, out_retry);
    http_response_unref(r);
    http_client_free(client);
    url_release(&url);
    return rc;
}

/* Before attempt n (1 = the first retry): whole seconds of backoff^n and up to one more. */
static int64_t backoff_ns(const struct url_source *u, int64_t n) {
    double seconds = pow((double)u->config.backoff_ns / (double)NS_PER_S, (double)n);
    int64_t whole = seconds < 3600 ? (int64_t)seconds : 3600;
    return whole * NS_PER_S + (int64_t)random_below(1000) * NS_PER_MS;
}

static int url_fetch(void *state, struct slice key, char **out_value, struct error *err) {
    struct url_source *u = state;
    bool may_retry = true;
    int rc = fiber_sleep_until(reserve(u));
    for (int64_t i = 0; rc != KE_CANCELED && i <= u->config.max_retries && may_retry; i++) {
        if (i > 0 && fiber_sleep_until(clock_now_ns() + backoff_ns(u, i)) == KE_CANCELED)
            return error_set(err, KE_CANCELED, "context canceled");
        rc = try_once(u, key, out_value, err, &may_retry);
        if (rc == 0)
            return 0;
        log_printf(LOG_DEBUG, "Retrying secret fetch after error: %s", err->text);
    }
    return rc;
}

const struct secret_kind secret_kind_url = {
    .name = "url", .is_slow = true, .open = url_open, .fetch = url_fetch, .free_state = url_free};
