#include <stdlib.h>

#include "base/check.h"
#include "base/go_text.h"
#include "base/log.h"
#include "http/http_internal.h"

static bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void warn_limit(const struct http_hop *hop) {
    char *msg = xasprintf("Stopped after %d redirects and returned the redirection; pass "
                          "{ redirects: n } in request params or set global maxRedirects to "
                          "silence this",
                          hop->n_done + 1);
    struct slice url = slice_from(hop->req->url->text, hop->req->url->text_len);
    log_fields(LOG_WARN, slice_cstr(msg), LOG_SLICE("url", url));
    free(msg);
}

static int bad_location(struct error *err, struct slice location, const struct error *why) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    go_quote(&b, location);
    error_set(err, KE_HTTP_REDIRECT, "failed to parse Location header %s: %s", buf_cstr(&b),
              why->text);
    buf_release(&b);
    return KE_HTTP_REDIRECT;
}

/* A Location without a scheme is relative: a Host header of the script's own goes along. */
static bool is_relative(struct slice location) {
    struct url u;
    if (url_parse(location, &u, NULL))
        return false;
    bool is_absolute = u.scheme.len > 0;
    url_release(&u);
    return !is_absolute;
}

int http_redirect_plan(struct http_hop *hop, int status, struct slice location, struct error *err) {
    hop->follows = false;
    if (likely(!is_redirect(status)) || location.len == 0)
        return 0;
    struct error why = {.code = 0};
    if (url_resolve(hop->url, location, &hop->next_url, &why))
        return bad_location(err, location, &why);
    if (hop->n_done + 1 > hop->req->max_redirects) {
        url_release(&hop->next_url);
        if (hop->req->warn_redirect_limit)
            warn_limit(hop);
        return 0;
    }
    hop->next_keeps_host = hop->host.len && is_relative(location);
    hop->follows = true;
    return 0;
}

/* foo.com's credentials may go to sub.foo.com. */
static bool is_same_site(struct slice from, struct slice to) {
    if (slice_ieq(from, to))
        return true;
    for (size_t i = 0; i < to.len; i++) {
        if (to.ptr[i] == ':' || to.ptr[i] == '%')
            return false;
    }
    return to.len > from.len && to.ptr[to.len - from.len - 1] == '.' &&
           slice_ieq(slice_from(to.ptr + to.len - from.len, from.len), from);
}

/* The last URL without its credentials, unless the script gave a Referer; nothing from https to
 * http. */
static char *referer(const struct http_hop *hop, const struct url *next) {
    if (hop->url->is_https && next->is_http && !next->is_https)
        return NULL;
    if (http_request_header(hop->req, SLICE("referer")).len)
        return NULL;
    const struct url *u = hop->url;
    if (!u->has_user)
        return xstrndup(u->text, u->text_len);
    int before = (int)(u->userinfo.ptr - u->text);
    return xasprintf("%.*s%s", before, u->text, u->userinfo.ptr + u->userinfo.len + 1);
}

void http_redirect_go(struct http_hop *hop, int status) {
    char *ref = referer(hop, &hop->next_url);
    free(hop->referer);
    hop->referer = ref;
    free(hop->authorization);
    hop->authorization = NULL;
    if (status < 307) {
        if (!slice_eq(hop->method, SLICE("GET")) && !slice_eq(hop->method, SLICE("HEAD")))
            hop->method = SLICE("GET");
        hop->sends_body = false;
        hop->strips_body_headers = true;
    }
    if (!is_same_site(hop->req->url->host, hop->next_url.host))
        hop->strips_sensitive = true;
    if (!hop->next_keeps_host)
        hop->host = slice_from("", 0);
    if (hop->has_own_url)
        url_release(&hop->own_url);
    hop->own_url = hop->next_url;
    hop->has_own_url = true;
    hop->url = &hop->own_url;
    hop->is_redirected = true;
    hop->follows = false;
}
