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

enum part { HASH, HOST, HOSTNAME, PASSWORD, PATHNAME, PORT, PROTOCOL, SEARCH, USERNAME };

static struct slice part_of(const struct url *u, enum part part) {
    struct authority a = authority_of(u);
    switch (part) {
    case HASH:
        return u->fragment;
    case HOST:
        return a.has_port && is_default_port(u->scheme, a.port) ? a.host : a.all;
    case HOSTNAME:
        return a.host;
    case PASSWORD:
        return u->password;
    case PATHNAME:
        return u->path;
    case PORT:
        return a.port;
    case PROTOCOL:
        return u->scheme.len ? u->scheme : SLICE(":");
    case SEARCH:
        return u->query;
    case USERNAME:
        break;
    }
    return u->user;
}

/* prefix stands before a part that is there. */
static JSValue get_part(JSContext *ctx, const struct html_set *s, enum part part,
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

JSValue html_href_hash(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return get_part(ctx, s, HASH, "#");
}

JSValue html_href_host(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return get_part(ctx, s, HOST, "");
}

JSValue html_href_hostname(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return get_part(ctx, s, HOSTNAME, "");
}

JSValue html_href_password(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return get_part(ctx, s, PASSWORD, "");
}

JSValue html_href_pathname(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return get_part(ctx, s, PATHNAME, "");
}

JSValue html_href_port(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return get_part(ctx, s, PORT, "");
}

JSValue html_href_protocol(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return get_part(ctx, s, PROTOCOL, "");
}

JSValue html_href_search(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return get_part(ctx, s, SEARCH, "?");
}

JSValue html_href_username(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return get_part(ctx, s, USERNAME, "");
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
