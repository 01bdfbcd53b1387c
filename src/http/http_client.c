#include <stdlib.h>

#include "base/check.h"
#include "base/go_text.h"
#include "base/log.h"
#include "http/compression.h"
#include "http/cookie.h"
#include "http/http_auth.h"
#include "http/http_internal.h"

struct http_client *http_client_new(const struct http_client_config *cfg,
                                    struct conn_counters *counters) {
    struct http_client *c = xcalloc(1, sizeof *c);
    c->config = cfg;
    c->counters = counters;
    c->max_body_bytes = cfg->max_body_bytes ? cfg->max_body_bytes : HTTP_MAX_BODY_DEFAULT;
    c->has_proxy = cfg->http_proxy.len || cfg->https_proxy.len;
    /* Go's reading of 0: any number in all, two a host. */
    http_pool_init(&c->pool, cfg->max_idle > 0 ? (size_t)cfg->max_idle : 0,
                   cfg->max_idle_per_host > 0 ? (size_t)cfg->max_idle_per_host : 2);
    return c;
}

void http_client_free(struct http_client *c) {
    if (!c)
        return;
    http_pool_release(&c->pool);
    free(c->own_dialer);
    free(c);
}

void http_client_set_local_ip(struct http_client *c, const struct sockaddr_storage *ip) {
    if (!c->own_dialer)
        c->own_dialer = xmalloc(sizeof *c->own_dialer);
    *c->own_dialer = c->config->dialer;
    c->own_dialer->local_ip = *ip;
}

const struct dialer_config *http_client_dialer(const struct http_client *c) {
    return c->own_dialer ? c->own_dialer : &c->config->dialer;
}

void http_client_close_idle(struct http_client *c) {
    http_pool_close_idle(&c->pool);
}

/* ---------------------------------------------------------------- before the first hop */

static void warn_content_length(const struct http_hop *hop, struct slice text) {
    uint64_t n;
    if (!text.len || (slice_to_u64(text, &n) && n == hop->body.len))
        return;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    buf_append_str(&b, "The specified Content-Length header ");
    go_quote(&b, text);
    buf_printf(&b,
               " in the %.*s request for %s doesn't match the actual request body length of %zu, "
               "so it will be ignored!",
               SLICE_FMT(hop->method), hop->url->text, hop->body.len);
    log_write(LOG_WARN, buf_slice(&b), NULL, 0);
    buf_release(&b);
}

static void warn_content_encoding(const struct http_hop *hop) {
    char *msg = xasprintf("There's a mismatch between the desired `compression` the manually set "
                          "`Content-Encoding` header in the %.*s request for '%s', the custom "
                          "header has precedence and won't be overwritten. This may result in "
                          "invalid data being sent to the server.",
                          SLICE_FMT(hop->method), hop->url->text);
    log_write(LOG_WARN, slice_cstr(msg), NULL, 0);
    free(msg);
}

struct slice http_body_join(const struct http_request *req, struct buf *room) {
    buf_init(room, BUF_NO_CAP);
    if (!req->n_body_pieces)
        return req->body;
    buf_reserve(room, req->body.len);
    for (size_t i = 0; i < req->n_body_pieces; i++)
        buf_append_slice(room, req->body_pieces[i]);
    return buf_slice(room);
}

static int compress_body(struct http_hop *hop, struct buf *body, struct buf *encoding,
                         struct error *err) {
    struct buf room;
    int rc =
        http_compress(hop->req->compression, http_body_join(hop->req, &room), body, encoding, err);
    buf_release(&room);
    if (rc)
        return rc;
    hop->body = buf_slice(body);
    hop->n_body_pieces = 0;
    struct slice own = http_request_header(hop->req, SLICE("Content-Encoding"));
    if (!own.len)
        hop->content_encoding = buf_slice(encoding);
    else if (!slice_eq(own, buf_slice(encoding)))
        warn_content_encoding(hop);
    return 0;
}

/* What the script's headers say about the request itself. */
static void read_own_headers(struct http_hop *hop) {
    const struct http_request *req = hop->req;
    for (size_t i = 0; i < req->n_headers; i++) {
        struct slice name = req->headers[i].name;
        if (name.len == 4 && slice_ieq(name, SLICE("host")))
            hop->host = req->headers[i].value;
        else if (name.len == 14 && slice_ieq(name, SLICE("content-length")))
            warn_content_length(hop, req->headers[i].value);
    }
}

/* Digest and NTLM keep the URL's credentials for their own headers; digest takes them out of the
 * URL, too. */
static void take_credentials(struct http_hop *hop) {
    if (likely(hop->req->auth != HTTP_AUTH_DIGEST && hop->req->auth != HTTP_AUTH_NTLM))
        return;
    free(hop->user);
    free(hop->password);
    hop->user = slice_dup(hop->url->user);
    hop->password = slice_dup(hop->url->password);
    hop->hides_user = true;
    hop->n_answers = 0;
    if (!hop->url->has_user || hop->req->auth != HTTP_AUTH_DIGEST)
        return;
    struct url bare;
    url_copy_without_user(hop->url, &bare);
    if (hop->has_own_url)
        url_release(&hop->own_url);
    hop->own_url = bare;
    hop->has_own_url = true;
    hop->url = &hop->own_url;
}

/* ---------------------------------------------------------------- between the hops */

static void store_cookies(struct http_hop *hop, const struct http_response *r) {
    struct http_header f;
    struct cookie c;
    if (!hop->req->jar)
        return;
    for (size_t pos = 0; http_response_next_header(r, &pos, &f);) {
        if (f.name.len == 10 && slice_ieq(f.name, SLICE("set-cookie")) && cookie_parse(f.value, &c))
            cookie_jar_set(hop->req->jar, hop->url, &c);
    }
}

/* The challenge of that scheme ("NTLM", "NTLM token"); ptr NULL when the server did not make one.
 */
static struct slice find_challenge(const struct http_response *r, struct slice scheme) {
    struct http_header f;
    for (size_t pos = 0; http_response_next_header(r, &pos, &f);) {
        if (slice_ieq(f.name, SLICE("www-authenticate")) && slice_starts(f.value, scheme) &&
            (f.value.len == scheme.len || f.value.ptr[scheme.len] == ' '))
            return f.value;
    }
    return slice_from(NULL, 0);
}

static char *answer_ntlm(const struct http_hop *hop, const struct http_response *r) {
    struct slice scheme = SLICE("NTLM"), challenge = find_challenge(r, scheme);
    if (!challenge.ptr) {
        scheme = SLICE("Negotiate");
        challenge = find_challenge(r, scheme);
    }
    if (!challenge.ptr || !hop->url->has_user || hop->n_answers > 1)
        return NULL;
    if (hop->n_answers == 0)
        return http_ntlm_negotiate(scheme);
    slice_cut(&challenge, ' ');
    return challenge.ptr ? http_ntlm_authenticate(scheme, challenge, slice_cstr(hop->user),
                                                  slice_cstr(hop->password))
                         : NULL;
}

/* k6 answers any 401, whatever it asks for. A second 401 is the result. */
static char *answer_digest(const struct http_hop *hop, const struct http_response *r) {
    if (hop->n_answers > 0)
        return NULL;
    struct slice challenge = http_header_find(r->head, SLICE("www-authenticate"));
    struct buf room;
    struct slice body = hop->body;
    buf_init(&room, BUF_NO_CAP);
    if (hop->n_body_pieces)
        body = http_body_join(hop->req, &room);
    char *answer = http_digest_authorization(
        challenge.ptr ? challenge : slice_from("", 0), hop->method, hop->url->request_uri,
        slice_cstr(hop->user), slice_cstr(hop->password), body);
    buf_release(&room);
    return answer;
}

/* True when the hop is to be done again with an answer to the challenge in r. */
static bool answer_challenge(struct http_hop *hop, const struct http_response *r) {
    if (likely(r->status != 401 || !hop->user))
        return false;
    char *answer = hop->req->auth == HTTP_AUTH_NTLM ? answer_ntlm(hop, r) : answer_digest(hop, r);
    if (!answer)
        return false;
    free(hop->authorization);
    hop->authorization = answer;
    hop->n_answers++;
    return true;
}

static void report_hop(const struct http_hop *hop, struct http_response *r) {
    const struct http_request *req = hop->req;
    if (req->on_hop && r->error.code != KE_CANCELED && !r->must_throw)
        req->on_hop(req->on_hop_arg, req, hop->url, r);
}

static struct http_response *run_hops(struct http_hop *hop) {
    take_credentials(hop);
    for (;;) {
        struct http_response *r = http_exchange(hop);
        if (unlikely(r->has_set_cookie))
            store_cookies(hop, r);
        report_hop(hop, r);
        if (unlikely(hop->follows)) {
            http_redirect_go(hop, r->status);
            hop->n_done++;
            take_credentials(hop);
        } else if (likely(!answer_challenge(hop, r))) {
            return r;
        }
        http_response_unref(r);
        hop->start_ns = clock_now_ns();
    }
}

int http_client_do(struct http_client *c, const struct http_request *req,
                   struct http_response **out) {
    struct buf body, encoding;
    struct http_hop hop = {
        .client = c,
        .req = req,
        .start_ns = clock_now_ns(),
        .method = req->method,
        .url = req->url,
        .sends_body = req->has_body,
        .body = req->body,
        .n_body_pieces = req->n_body_pieces,
    };
    if (__builtin_add_overflow(hop.start_ns, req->timeout_ns, &hop.deadline_ns))
        hop.deadline_ns = NEVER_NS;
    buf_init(&body, BUF_NO_CAP);
    buf_init(&encoding, BUF_NO_CAP);
    struct error err; /* 512 bytes that a good request need not clear */
    int rc = 0;
    if (!req->has_body)
        hop.body = slice_from("", 0);
    if (unlikely(req->has_body && req->compression.len))
        rc = compress_body(&hop, &body, &encoding, &err);
    if (req->n_headers)
        read_own_headers(&hop);
    if (likely(!rc)) {
        *out = run_hops(&hop);
    } else {
        char *room;
        *out = http_response_alloc(1, &room);
        http_response_fail(*out, &hop, &err, false);
    }
    free(hop.referer);
    free(hop.authorization);
    free(hop.user);
    free(hop.password);
    if (hop.has_own_url)
        url_release(&hop.own_url);
    buf_release(&body);
    buf_release(&encoding);
    return (*out)->error.code;
}
