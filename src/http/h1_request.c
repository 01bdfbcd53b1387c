#include <stdlib.h>

#include "base/check.h"
#include "base/compat.h"
#include "base/go_text.h"
#include "http/cookie.h"
#include "http/http_auth.h"
#include "http/http_internal.h"

/* Headers of one request on their way to the wire: canonical names, sorted, no doubles, as Go's
 * Header.write has them. */
struct field {
    struct slice name; /* canonical */
    struct slice value;
};

#define FIELDS_INLINE 24
#define NAMES_INLINE 768

struct field_set {
    struct field inline_fields[FIELDS_INLINE];
    struct field *fields;
    size_t len, alloc;
    char inline_names[NAMES_INLINE];
    char *names, *names_end; /* canonical copies */
    char *heap_names;
};

static void fields_init(struct field_set *set, const struct http_request *req) {
    size_t bytes = 0, count = req->n_headers + 8;
    for (size_t i = 0; i < req->n_headers; i++)
        bytes += req->headers[i].name.len;
    set->len = 0;
    set->alloc = count;
    set->fields =
        count <= FIELDS_INLINE ? set->inline_fields : xmalloc(count * sizeof(struct field));
    set->heap_names = bytes <= NAMES_INLINE ? NULL : xmalloc(bytes);
    set->names = set->heap_names ? set->heap_names : set->inline_names;
    set->names_end = set->names + (set->heap_names ? bytes : NAMES_INLINE);
}

static void fields_release(struct field_set *set) {
    if (set->fields != set->inline_fields)
        free(set->fields);
    free(set->heap_names);
}

static int compare(struct slice a, struct slice b) {
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

/* Keeps the order; a name that is there already gets the new value. */
static void fields_set(struct field_set *set, struct slice name, struct slice value) {
    size_t at = set->len;
    int c = 1;
    while (at > 0 && (c = compare(name, set->fields[at - 1].name)) < 0)
        at--;
    if (at > 0 && c == 0) {
        set->fields[at - 1].value = value;
        return;
    }
    CHECK(set->len < set->alloc);
    memmove(set->fields + at + 1, set->fields + at, (set->len - at) * sizeof(struct field));
    set->fields[at] = (struct field){name, value};
    set->len++;
}

static struct slice fields_get(const struct field_set *set, struct slice name) {
    for (size_t i = 0; i < set->len; i++) {
        if (slice_eq(set->fields[i].name, name))
            return set->fields[i].value;
    }
    return slice_from(NULL, 0);
}

static void fields_drop(struct field_set *set, struct slice name) {
    for (size_t i = 0; i < set->len; i++) {
        if (!slice_eq(set->fields[i].name, name))
            continue;
        set->len--;
        memmove(set->fields + i, set->fields + i + 1, (set->len - i) * sizeof(struct field));
        return;
    }
}

struct slice http_request_header(const struct http_request *req, struct slice name) {
    struct slice value = {0};
    for (size_t i = 0; i < req->n_headers; i++) {
        if (slice_ieq(req->headers[i].name, name))
            value = req->headers[i].value;
    }
    return value;
}

/* ---------------------------------------------------------------- which headers go out */

static bool is_any(struct slice name, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (slice_eq(name, slice_cstr(names[i])))
            return true;
    }
    return false;
}

static bool stays_behind(const struct http_hop *hop, struct slice name) {
    static const char *const sensitive[] = {
        "Authorization", "Www-Authenticate",    "Cookie",
        "Cookie2",       "Proxy-Authorization", "Proxy-Authenticate"};
    static const char *const of_body[] = {"Content-Encoding", "Content-Language",
                                          "Content-Location", "Content-Type"};
    if (hop->strips_sensitive && is_any(name, sensitive, countof(sensitive)))
        return true;
    return hop->strips_body_headers && !compat_on(COMPAT_REDIRECT_KEEPS_BODY_HEADERS) &&
           is_any(name, of_body, countof(of_body));
}

static int quoted_error(struct error *err, const char *words, struct slice name) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    go_quote(&b, name);
    error_set(err, KE_FAILED, "%s %s", words, buf_cstr(&b));
    buf_release(&b);
    return KE_FAILED;
}

static int add_script_headers(struct field_set *set, const struct http_hop *hop,
                              struct error *err) {
    const struct http_request *req = hop->req;
    for (size_t i = 0; i < req->n_headers; i++) {
        struct slice name = req->headers[i].name;
        char *copy = set->names;
        CHECK(copy + name.len <= set->names_end);
        memcpy(copy, name.ptr, name.len);
        http_canonical_name(copy, name.len);
        set->names += name.len;
        name.ptr = copy;
        if (slice_ieq(name, SLICE("host")))
            continue; /* hop->host */
        if (slice_eq(name, SLICE("Content-Length")))
            continue; /* ours to say */
        if (!stays_behind(hop, name))
            fields_set(set, name, req->headers[i].value);
    }
    if (hop->content_encoding.len && !hop->strips_body_headers)
        fields_set(set, SLICE("Content-Encoding"), hop->content_encoding);
    /* In Go's order: a wrong name or value of any header comes before all other complaints. */
    for (size_t i = 0; i < set->len; i++) {
        struct field *f = &set->fields[i];
        if (f->name.len == 0 || !http_all_of(f->name, HTTP_TOKEN))
            return quoted_error(err, "net/http: invalid header field name", f->name);
        if (!http_all_of(f->value, HTTP_VALUE))
            return quoted_error(err, "net/http: invalid header field value for", f->name);
    }
    return 0;
}

struct cookie_sink {
    struct buf *out;
    const struct http_request *req;
};

static void add_jar_cookie(void *arg, struct slice name, struct slice value) {
    struct cookie_sink *sink = arg;
    for (size_t i = 0; i < sink->req->n_cookies; i++) {
        if (sink->req->cookies[i].replace && slice_eq(sink->req->cookies[i].name, name))
            return;
    }
    cookie_append(sink->out, 0, name, value);
}

/* The Cookie header: the script's own on the first hop, params.cookies, the jar's. */
static void add_cookies(struct field_set *set, const struct http_hop *hop, struct buf *scratch) {
    const struct http_request *req = hop->req;
    if (likely(req->n_cookies == 0 && (!req->jar || cookie_jar_is_empty(req->jar)))) {
        if (hop->is_redirected && req->jar)
            fields_drop(set, SLICE("Cookie"));
        return;
    }
    if (!hop->is_redirected || !req->jar)
        buf_append_slice(scratch, fields_get(set, SLICE("Cookie")));
    for (size_t i = 0; i < req->n_cookies; i++)
        cookie_append(scratch, 0, req->cookies[i].name, req->cookies[i].value);
    struct cookie_sink sink = {scratch, req};
    if (req->jar)
        cookie_jar_each(req->jar, hop->url, add_jar_cookie, &sink);
    if (scratch->len)
        fields_set(set, SLICE("Cookie"), buf_slice(scratch));
    else if (hop->is_redirected)
        fields_drop(set, SLICE("Cookie"));
}

/* ---------------------------------------------------------------- writing */

static inline void put(struct buf *out, struct slice s) {
    memcpy(out->ptr + out->len, s.ptr, s.len);
    out->len += s.len;
}

#define PUT(out, literal) put(out, SLICE(literal))

static void write_field(struct buf *out, struct slice name, struct slice value) {
    value = slice_trim(value);
    buf_reserve(out, name.len + value.len + 4);
    put(out, name);
    PUT(out, ": ");
    put(out, value);
    PUT(out, "\r\n");
}

static void write_content_length(struct buf *out, size_t n) {
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    write_field(out, SLICE("Content-Length"), slice_from(digits + at, sizeof digits - at));
}

bool h1_request_is_chunked(const struct http_hop *hop) {
    static const char *const usually_without[] = {"",        "GET",      "HEAD",  "DELETE",
                                                  "OPTIONS", "PROPFIND", "SEARCH"};
    return hop->sends_body && hop->body.len == 0 &&
           !is_any(hop->method, usually_without, countof(usually_without));
}

static void write_framing(struct buf *out, const struct http_hop *hop) {
    static const char *const usually_with[] = {"POST", "PUT", "PATCH"};
    if (hop->sends_body && hop->body.len)
        write_content_length(out, hop->body.len);
    else if (h1_request_is_chunked(hop))
        buf_append_str(out, "Transfer-Encoding: chunked\r\n");
    else if (!hop->sends_body && is_any(hop->method, usually_with, countof(usually_with)))
        buf_append_str(out, "Content-Length: 0\r\n");
}

static void write_request_line(struct buf *out, const struct http_hop *hop, struct slice host,
                               bool target_is_proxy) {
    const struct url *url = hop->url;
    struct slice method = hop->method.len ? hop->method : SLICE("GET");
    buf_reserve(out, method.len + url->request_uri.len + url->host_header.len + host.len + 64);
    put(out, method);
    PUT(out, " ");
    if (target_is_proxy) {
        PUT(out, "http://");
        put(out, url->host_header);
    }
    put(out, url->request_uri);
    PUT(out, " HTTP/1.1\r\nHost: ");
    put(out, host);
    PUT(out, "\r\n");
}

/* What http.Transport refuses before it dials, in its order. */
static int check_target(const struct http_hop *hop, struct error *err) {
    if (unlikely(!hop->url->is_http))
        return quoted_error(err, "unsupported protocol scheme", hop->url->scheme);
    if (unlikely(!http_all_of(hop->method, HTTP_TOKEN)))
        return quoted_error(err, "net/http: invalid method", hop->method);
    if (unlikely(hop->url->host_header.len == 0))
        return error_set(err, KE_FAILED, "http: no Host in request URL");
    bool is_own = hop->host.len > 0;
    if (unlikely(is_own ? !http_is_host(hop->host) : !hop->url->is_host_valid))
        return error_set(err, KE_FAILED, "http: invalid Host header");
    return 0;
}

static void write_head(struct buf *out, const struct http_hop *hop, const struct field_set *set,
                       struct slice host, bool target_is_proxy) {
    struct slice agent = fields_get(set, SLICE("User-Agent"));
    if (!agent.ptr)
        agent = hop->client->config->user_agent;
    write_request_line(out, hop, host, target_is_proxy);
    if (agent.len)
        write_field(out, SLICE("User-Agent"), agent);
    write_framing(out, hop);
    for (size_t i = 0; i < set->len; i++) {
        struct slice name = set->fields[i].name;
        if (slice_eq(name, SLICE("User-Agent")) || slice_eq(name, SLICE("Transfer-Encoding")) ||
            slice_eq(name, SLICE("Trailer")))
            continue;
        write_field(out, name, set->fields[i].value);
    }
    if (unlikely(hop->client->config->no_connection_reuse) &&
        !http_value_has_token(fields_get(set, SLICE("Connection")), SLICE("close")))
        buf_append_str(out, "Connection: close\r\n");
    buf_append(out, "\r\n", 2);
}

int h1_request_build(struct buf *out, const struct http_hop *hop, struct slice proxy_auth,
                     bool target_is_proxy, struct error *err) {
    struct field_set set;
    struct buf cookies;
    char *basic = NULL;
    struct slice host = hop->host.len ? hop->host : hop->url->host_header;
    buf_init(&cookies, BUF_NO_CAP);
    fields_init(&set, hop->req);
    /* Go checks header fields of http URLs only: another scheme is refused first. */
    int rc = hop->url->is_http ? add_script_headers(&set, hop, err) : 0;
    if (!rc)
        rc = check_target(hop, err);
    if (rc)
        goto out;
    add_cookies(&set, hop, &cookies);
    if (unlikely(hop->referer != NULL))
        fields_set(&set, SLICE("Referer"), slice_cstr(hop->referer));
    if (unlikely(hop->authorization != NULL)) {
        fields_set(&set, SLICE("Authorization"), slice_cstr(hop->authorization));
    } else if (unlikely(hop->url->has_user) && !hop->hides_user &&
               !fields_get(&set, SLICE("Authorization")).len) {
        basic = http_basic_authorization(hop->url);
        fields_set(&set, SLICE("Authorization"), slice_cstr(basic));
    }
    if (unlikely(proxy_auth.len > 0) && target_is_proxy &&
        !fields_get(&set, SLICE("Proxy-Authorization")).ptr)
        fields_set(&set, SLICE("Proxy-Authorization"), proxy_auth);
    write_head(out, hop, &set, host, target_is_proxy);
out:
    free(basic);
    buf_release(&cookies);
    fields_release(&set);
    return rc;
}
