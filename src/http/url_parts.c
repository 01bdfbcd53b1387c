#include "http/url_parts.h"

#include "base/check.h"
#include "base/go_text.h"
#include "http/header.h"
#include "http/url_escape.h"

struct slice url_keep(struct arena *a, struct buf *b) {
    struct slice s = slice_from(arena_strndup(a, b->ptr ? b->ptr : "", b->len), b->len);
    buf_release(b);
    return s;
}

static struct slice after(struct slice s, size_t n) {
    return slice_from(s.ptr + n, s.len - n);
}

static const char *find(struct slice s, char c) {
    return s.len ? memchr(s.ptr, c, s.len) : NULL;
}

const char *url_find_last(struct slice s, char c) {
    return s.len ? memrchr(s.ptr, c, s.len) : NULL;
}

static int unescape(struct arena *a, struct slice s, enum url_mode mode, struct slice *out,
                    struct error *err) {
    if (!find(s, '%') && (mode == URL_PATH || mode == URL_FRAGMENT || mode == URL_USER_PASSWORD)) {
        *out = s;
        return 0;
    }
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    int rc = url_unescape(&b, s, mode, err);
    *out = url_keep(a, &b);
    return rc;
}

/* The encoded form: the original spelling when it is a valid one, otherwise Go's own. */
struct slice url_parts_escaped(struct arena *a, struct slice decoded, struct slice raw,
                               enum url_mode mode) {
    if (raw.len && url_is_valid_encoding(raw, mode))
        return raw;
    if (mode == URL_PATH && slice_eq(decoded, SLICE("*")))
        return decoded;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    url_escape(&b, decoded, mode);
    return url_keep(a, &b);
}

int url_parts_set_path(struct arena *a, struct url_parts *u, struct slice text, struct error *err) {
    u->raw_path = text;
    return unescape(a, text, URL_PATH, &u->path, err);
}

/* "scheme:" off the front of *rest, when there is one. */
static int cut_scheme(struct slice *rest, struct slice *out, struct error *err) {
    *out = slice_from("", 0);
    for (size_t i = 0; i < rest->len; i++) {
        char c = rest->ptr[i], lower = (char)(c | 0x20);
        if (lower >= 'a' && lower <= 'z')
            continue;
        if ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.') {
            if (i == 0)
                return 0;
            continue;
        }
        if (c != ':')
            return 0;
        if (i == 0)
            return error_set(err, KE_URL, "missing protocol scheme");
        *out = slice_from(rest->ptr, i);
        *rest = after(*rest, i + 1);
        return 0;
    }
    return 0;
}

static bool is_valid_userinfo(struct slice s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i], lower = (char)(c | 0x20);
        bool is_alnum = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
        if (!is_alnum && (c == 0 || !strchr("-._:~!$&'()*+,;=%@", c)))
            return false;
    }
    return true;
}

static int check_port(struct slice colon_port, struct error *err) {
    bool is_valid = colon_port.len == 0 || colon_port.ptr[0] == ':';
    for (size_t i = 1; i < colon_port.len && is_valid; i++)
        is_valid = colon_port.ptr[i] >= '0' && colon_port.ptr[i] <= '9';
    if (is_valid)
        return 0;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    go_quote(&b, colon_port);
    error_set(err, KE_URL, "invalid port %s after host", buf_cstr(&b));
    buf_release(&b);
    return KE_URL;
}

static int parse_host(struct arena *a, struct slice text, struct slice *out, struct error *err) {
    if (text.len && text.ptr[0] == '[') {
        const char *close = url_find_last(text, ']');
        if (!close)
            return error_set(err, KE_URL, "missing ']' in host");
        size_t end = (size_t)(close - text.ptr);
        int rc = check_port(after(text, end + 1), err);
        if (rc)
            return rc;
        const char *zone = memmem(text.ptr, end, "%25", 3);
        if (!zone)
            return unescape(a, text, URL_HOST, out, err);
        size_t cut = (size_t)(zone - text.ptr);
        struct buf b;
        buf_init(&b, BUF_NO_CAP);
        rc = url_unescape(&b, slice_from(text.ptr, cut), URL_HOST, err);
        if (!rc)
            rc = url_unescape(&b, slice_from(zone, end - cut), URL_ZONE, err);
        if (!rc)
            rc = url_unescape(&b, after(text, end), URL_HOST, err);
        *out = url_keep(a, &b);
        return rc;
    }
    const char *colon = url_find_last(text, ':');
    if (colon) {
        int rc = check_port(after(text, (size_t)(colon - text.ptr)), err);
        if (rc)
            return rc;
    }
    return unescape(a, text, URL_HOST, out, err);
}

static int parse_authority(struct arena *a, struct url_parts *u, struct slice text,
                           struct error *err) {
    const char *at = url_find_last(text, '@');
    if (!at)
        return parse_host(a, text, &u->host, err);
    struct slice info = slice_from(text.ptr, (size_t)(at - text.ptr));
    int rc = parse_host(a, after(text, info.len + 1), &u->host, err);
    if (rc)
        return rc;
    if (!is_valid_userinfo(info))
        return error_set(err, KE_URL, "net/url: invalid userinfo");
    u->has_user = true;
    struct slice password = info;
    struct slice user = slice_cut(&password, ':');
    rc = unescape(a, user, URL_USER_PASSWORD, &u->user, err);
    if (rc || !password.ptr)
        return rc;
    u->has_password = true;
    return unescape(a, password, URL_USER_PASSWORD, &u->password, err);
}

static int parse_without_fragment(struct arena *a, struct url_parts *u, struct slice text,
                                  struct error *err) {
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return error_set(err, KE_URL, "net/url: invalid control character in URL");
    }
    if (slice_eq(text, SLICE("*"))) {
        u->path = text;
        return 0;
    }
    struct slice rest = text;
    int rc = cut_scheme(&rest, &u->scheme, err);
    if (rc)
        return rc;
    if (u->scheme.len) {
        char *lower = arena_strndup(a, u->scheme.ptr, u->scheme.len);
        for (size_t i = 0; i < u->scheme.len; i++) {
            if (lower[i] >= 'A' && lower[i] <= 'Z')
                lower[i] = (char)(lower[i] | 0x20);
        }
        u->scheme.ptr = lower;
    }
    const char *mark = find(rest, '?');
    if (mark) {
        size_t at = (size_t)(mark - rest.ptr);
        u->force_query = at + 1 == rest.len;
        u->query = after(rest, at + 1);
        rest.len = at;
    }
    bool is_rooted = rest.len && rest.ptr[0] == '/';
    if (!is_rooted) {
        if (u->scheme.len) {
            u->opaque = rest;
            return 0;
        }
        struct slice tail = rest;
        if (find(slice_cut(&tail, '/'), ':'))
            return error_set(err, KE_URL, "first path segment in URL cannot contain colon");
    }
    if ((u->scheme.len || !slice_starts(rest, SLICE("///"))) && slice_starts(rest, SLICE("//"))) {
        struct slice authority = after(rest, 2);
        const char *slash = find(authority, '/');
        rest = slice_from("", 0);
        if (slash) {
            size_t at = (size_t)(slash - authority.ptr);
            rest = after(authority, at);
            authority.len = at;
        }
        rc = parse_authority(a, u, authority, err);
        if (rc)
            return rc;
    } else if (u->scheme.len && is_rooted) {
        u->omit_host = true;
    }
    return url_parts_set_path(a, u, rest, err);
}

/* `parse "text": ` put before the words in err. */
static int error_parse(struct error *err, struct slice text) {
    struct error inner = {0};
    if (!err)
        return KE_URL;
    inner = *err;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    go_quote(&b, text);
    error_set(err, KE_URL, "parse %s: %s", buf_cstr(&b), inner.text);
    buf_release(&b);
    return KE_URL;
}

int url_parts_parse(struct arena *a, struct url_parts *u, struct slice text, struct error *err) {
    *u = (struct url_parts){0};
    struct slice fragment = text;
    struct slice main_text = slice_cut(&fragment, '#');
    if (parse_without_fragment(a, u, main_text, err))
        return error_parse(err, main_text);
    if (fragment.ptr && fragment.len) {
        u->raw_fragment = fragment;
        if (unescape(a, fragment, URL_FRAGMENT, &u->fragment, err))
            return error_parse(err, text);
    }
    return 0;
}

/* ---------------------------------------------------------------- to struct url */

struct span {
    size_t at, len;
};

static struct span put(struct buf *b, struct slice s) {
    struct span span = {b->len, s.len};
    buf_append_slice(b, s);
    return span;
}

/* Host without brackets and port, and the port's digits. */
static void split_host_port(struct slice host_port, struct slice *host, struct slice *port) {
    *host = host_port;
    *port = slice_from("", 0);
    if (host_port.len && host_port.ptr[0] == '[') {
        const char *close = url_find_last(host_port, ']');
        size_t end = close ? (size_t)(close - host_port.ptr) : host_port.len;
        *host = slice_from(host_port.ptr + 1, end - 1);
        if (end + 2 <= host_port.len)
            *port = after(host_port, end + 2);
        return;
    }
    const char *colon = url_find_last(host_port, ':');
    if (!colon)
        return;
    host->len = (size_t)(colon - host_port.ptr);
    *port = after(host_port, host->len + 1);
}

static struct span put_text(struct arena *a, struct buf *b, const struct url_parts *u,
                            struct slice path, struct span *userinfo) {
    struct span text = {b->len, 0};
    if (u->scheme.len) {
        buf_append_slice(b, u->scheme);
        buf_append_char(b, ':');
    }
    if (u->opaque.len) {
        buf_append_slice(b, u->opaque);
    } else {
        bool has_authority = u->host.len || u->has_user;
        if ((u->scheme.len || has_authority) && (!u->omit_host || has_authority) &&
            (has_authority || u->path.len))
            buf_append_str(b, "//");
        userinfo->at = b->len;
        if (u->has_user) {
            url_escape(b, u->user, URL_USER_PASSWORD);
            if (u->has_password) {
                buf_append_char(b, ':');
                url_escape(b, u->password, URL_USER_PASSWORD);
            }
            userinfo->len = b->len - userinfo->at;
            buf_append_char(b, '@');
        }
        url_escape(b, u->host, URL_HOST);
        if (path.len && path.ptr[0] != '/' && u->host.len)
            buf_append_char(b, '/');
        if (b->len == text.at) {
            struct slice tail = path;
            if (find(slice_cut(&tail, '/'), ':'))
                buf_append_str(b, "./");
        }
        buf_append_slice(b, path);
    }
    if (u->force_query || u->query.len) {
        buf_append_char(b, '?');
        buf_append_slice(b, u->query);
    }
    if (u->fragment.len) {
        buf_append_char(b, '#');
        buf_append_slice(b, url_parts_escaped(a, u->fragment, u->raw_fragment, URL_FRAGMENT));
    }
    text.len = b->len - text.at;
    buf_append_char(b, 0);
    return text;
}

static struct span put_request_uri(struct buf *b, const struct url_parts *u, struct slice path) {
    struct span uri = {b->len, 0};
    if (u->opaque.len) {
        if (slice_starts(u->opaque, SLICE("//"))) {
            buf_append_slice(b, u->scheme);
            buf_append_char(b, ':');
        }
        buf_append_slice(b, u->opaque);
    } else if (path.len) {
        buf_append_slice(b, path);
    } else {
        buf_append_char(b, '/');
    }
    if (u->force_query || u->query.len) {
        buf_append_char(b, '?');
        buf_append_slice(b, u->query);
    }
    uri.len = b->len - uri.at;
    return uri;
}

static uint16_t port_of(const struct url *u, struct slice digits, bool *out_valid) {
    uint64_t n;
    *out_valid = !digits.len || (slice_to_u64(digits, &n) && n <= UINT16_MAX);
    if (digits.len)
        return *out_valid ? (uint16_t)n : 0;
    return u->is_https ? 443 : u->is_http ? 80 : 0;
}

/* "[fe80::1%eth0]:80" goes into a Host header as "[fe80::1]:80". */
static struct slice without_zone(struct arena *a, struct slice host_port) {
    const char *zone =
        host_port.len && host_port.ptr[0] == '[' ? url_find_last(host_port, '%') : NULL;
    const char *close = zone ? url_find_last(host_port, ']') : NULL;
    if (!close || close < zone)
        return host_port;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    buf_append(&b, host_port.ptr, (size_t)(zone - host_port.ptr));
    buf_append_slice(&b, after(host_port, (size_t)(close - host_port.ptr)));
    return url_keep(a, &b);
}

void url_parts_finish(struct arena *a, const struct url_parts *u, struct url *out) {
    struct slice host, port;
    struct buf b, ascii;
    buf_init(&b, BUF_NO_CAP);
    buf_init(&ascii, BUF_NO_CAP);
    url_host_to_ascii(&ascii, u->host);
    struct slice host_port = url_keep(a, &ascii);
    split_host_port(host_port, &host, &port);
    struct slice header = without_zone(a, host_port);

    struct span userinfo = {0, 0};
    struct slice path = url_parts_escaped(a, u->path, u->raw_path, URL_PATH);
    struct span text = put_text(a, &b, u, path, &userinfo);
    struct span uri = put_request_uri(&b, u, path);
    struct span spans[] = {put(&b, u->scheme),
                           put(&b, u->user),
                           put(&b, u->password),
                           put(&b, header),
                           put(&b, u->path),
                           put(&b, u->query),
                           put(&b, u->fragment),
                           put(&b, host),
                           uri,
                           userinfo};
    size_t bytes = b.len;
    char *block = buf_detach(&b, NULL);
    struct slice s[countof(spans)];
    for (size_t i = 0; i < countof(spans); i++)
        s[i] = slice_from(block + spans[i].at, spans[i].len);

    *out = (struct url){
        .text = block,
        .text_len = text.len,
        .block_bytes = bytes,
        .is_http = slice_eq(u->scheme, SLICE("http")) || slice_eq(u->scheme, SLICE("https")),
        .is_https = slice_eq(u->scheme, SLICE("https")),
        .has_user = u->has_user,
        .has_password = u->has_password,
        .is_host_valid = http_is_host(s[3]),
        .scheme = s[0],
        .user = s[1],
        .password = s[2],
        .host_header = s[3],
        .path = s[4],
        .query = s[5],
        .fragment = s[6],
        .host = s[7],
        .request_uri = s[8],
        .userinfo = s[9],
    };
    out->port = port_of(out, port, &out->is_port_valid);
}
