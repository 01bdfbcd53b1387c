/* Parts of the URL of an anchor or area. */
#include "base/check.h"
#include "http/url.h"
#include "js/mod/html_members.h"

/* "host:port" with the port as written, and the two apart: as net.SplitHostPort does. */
struct authority {
    struct slice all, host, port;
    bool has_port;
};

static struct authority authority_of(const struct url *u) {
    struct authority a = {.all = u->host_header, .host = u->host_header, .port = {"", 0}};
    const char *colon = a.all.len ? memrchr(a.all.ptr, ':', a.all.len) : NULL;
    const char *bracket = a.all.len ? memrchr(a.all.ptr, ']', a.all.len) : NULL;
    if (!colon || (bracket && bracket > colon))
        return a;
    size_t at = (size_t)(colon - a.all.ptr);
    a.has_port = true;
    a.port = slice_from(colon + 1, a.all.len - at - 1);
    a.host = bracket ? slice_from(a.all.ptr + 1, at - 2) : slice_from(a.all.ptr, at);
    return a;
}

static bool is_default_port(struct slice scheme, struct slice port) {
    static const struct {
        struct slice scheme, port;
    } defaults[] = {
        {SLICE("http"), SLICE("80")}, {SLICE("https"), SLICE("443")}, {SLICE("ftp"), SLICE("21")}};
    for (size_t i = 0; i < countof(defaults); i++) {
        if (slice_eq(scheme, defaults[i].scheme))
            return slice_eq(port, defaults[i].port);
    }
    return false;
}

static struct slice part_of(const struct url *u, enum html_url_part part) {
    struct authority a = authority_of(u);
    switch (part) {
    case HTML_URL_HASH:
        return u->fragment;
    case HTML_URL_HOST:
        return a.has_port && is_default_port(u->scheme, a.port) ? a.host : a.all;
    case HTML_URL_HOSTNAME:
        return a.host;
    case HTML_URL_PASSWORD:
        return u->password;
    case HTML_URL_PATHNAME:
        return u->path;
    case HTML_URL_PORT:
        return a.port;
    case HTML_URL_PROTOCOL:
        return u->scheme.len ? u->scheme : SLICE(":");
    case HTML_URL_SEARCH:
        return u->query;
    case HTML_URL_USERNAME:
        break;
    }
    return u->user;
}

JSValue html_href_part(JSContext *ctx, const struct html_set *s, enum html_url_part part,
                       const char *prefix) {
    struct url u = {0};
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    if (!html_resolve_attr(ctx, s, "href", &u))
        u = (struct url){0};
    struct slice text = part_of(&u, part);
    if (text.len) {
        buf_append_str(&b, prefix);
        buf_append_slice(&b, text);
    }
    url_release(&u);
    return html_buf_value(ctx, &b);
}

JSValue html_href_origin(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    struct url u;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    if (html_resolve_attr(ctx, s, "href", &u)) {
        if (slice_eq(u.scheme, SLICE("file"))) {
            buf_append(&b, u.text, u.text_len);
        } else if (u.scheme.len) {
            buf_append_slice(&b, u.scheme);
            buf_append_str(&b, "://");
            buf_append_slice(&b, u.host_header);
        }
        url_release(&u);
    }
    return html_buf_value(ctx, &b);
}

JSValue html_rel_list(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    struct slice rest = html_member_attr(s, "rel");
    JSValue list = JS_NewArray(ctx);
    for (uint32_t i = 0; rest.len || (i && rest.ptr); i++)
        JS_SetPropertyUint32(ctx, list, i, html_text_value(ctx, slice_cut(&rest, ' ')));
    return list;
}
