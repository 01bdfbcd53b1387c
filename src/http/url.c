#include "http/url.h"

#include <stdlib.h>

#include "base/check.h"
#include "http/url_parts.h"

int url_parse(struct slice text, struct url *out, struct error *err) {
    struct arena a;
    struct url_parts u;
    struct error inner = {0};
    arena_init(&a);
    int rc = url_parts_parse(&a, &u, text, &inner);
    if (rc)
        error_set(err, KE_URL, "invalid URL: %s", inner.text);
    else
        url_parts_finish(&a, &u, out);
    arena_release(&a);
    return rc;
}

/* ---------------------------------------------------------------- resolving */

/* RFC 3986 5.2.3 and 5.2.4 on encoded paths: merges, then takes "." and ".." out. */
static struct slice resolve_path(struct arena *a, struct slice base, struct slice ref) {
    struct buf full, dst;
    buf_init(&full, BUF_NO_CAP);
    buf_init(&dst, BUF_NO_CAP);
    if (ref.len == 0) {
        buf_append_slice(&full, base);
    } else if (ref.ptr[0] != '/') {
        const char *slash = url_find_last(base, '/');
        if (slash)
            buf_append(&full, base.ptr, (size_t)(slash - base.ptr) + 1);
        buf_append_slice(&full, ref);
    } else {
        buf_append_slice(&full, ref);
    }
    if (full.len == 0) {
        buf_release(&full);
        return slice_from("", 0);
    }
    bool is_first = true;
    struct slice elem = {0};
    buf_append_char(&dst, '/');
    for (struct slice rest = buf_slice(&full); rest.ptr;) {
        elem = slice_cut(&rest, '/');
        if (slice_eq(elem, SLICE("."))) {
            is_first = false;
        } else if (slice_eq(elem, SLICE(".."))) {
            const char *slash = memrchr(dst.ptr + 1, '/', dst.len - 1);
            is_first = slash == NULL;
            dst.len = slash ? (size_t)(slash - dst.ptr) : 1;
        } else {
            if (!is_first)
                buf_append_char(&dst, '/');
            buf_append_slice(&dst, elem);
            is_first = false;
        }
    }
    if (slice_eq(elem, SLICE(".")) || slice_eq(elem, SLICE("..")))
        buf_append_char(&dst, '/');
    if (dst.len > 1 && dst.ptr[1] == '/')
        buf_consume(&dst, 1);
    buf_release(&full);
    return url_keep(a, &dst);
}

static struct url_parts resolve(struct arena *a, const struct url_parts *base,
                                const struct url_parts *ref) {
    struct url_parts u = *ref;
    struct slice ref_path = url_parts_escaped(a, ref->path, ref->raw_path, URL_PATH);
    if (!ref->scheme.len)
        u.scheme = base->scheme;
    if (ref->scheme.len || ref->host.len || ref->has_user) {
        url_parts_set_path(a, &u, resolve_path(a, ref_path, slice_from("", 0)), NULL);
        return u;
    }
    if (ref->opaque.len)
        return u;
    if (!ref->path.len && !ref->force_query && !ref->query.len) {
        u.query = base->query;
        if (!ref->fragment.len) {
            u.fragment = base->fragment;
            u.raw_fragment = base->raw_fragment;
        }
    }
    if (!ref->path.len && base->opaque.len) {
        u.opaque = base->opaque;
        return u;
    }
    u.host = base->host;
    u.has_user = base->has_user;
    u.has_password = base->has_password;
    u.user = base->user;
    u.password = base->password;
    struct slice base_path = url_parts_escaped(a, base->path, base->raw_path, URL_PATH);
    url_parts_set_path(a, &u, resolve_path(a, base_path, ref_path), NULL);
    return u;
}

int url_resolve(const struct url *base, struct slice reference, struct url *out,
                struct error *err) {
    struct arena a;
    struct url_parts from, ref;
    struct error inner = {0};
    arena_init(&a);
    int rc = url_parts_parse(&a, &from, slice_from(base->text, base->text_len), &inner);
    if (!rc)
        rc = url_parts_parse(&a, &ref, reference, &inner);
    if (rc) {
        error_set(err, KE_URL, "%s", inner.text);
    } else {
        struct url_parts u = resolve(&a, &from, &ref);
        url_parts_finish(&a, &u, out);
    }
    arena_release(&a);
    return rc;
}

/* ---------------------------------------------------------------- copies and printed forms */

void url_copy(const struct url *src, struct url *out) {
    *out = *src;
    out->text = xmalloc(src->block_bytes);
    memcpy(out->text, src->text, src->block_bytes);
    struct slice *slices[] = {&out->scheme, &out->user,        &out->password,    &out->userinfo,
                              &out->host,   &out->host_header, &out->request_uri, &out->path,
                              &out->query,  &out->fragment};
    for (size_t i = 0; i < countof(slices); i++)
        slices[i]->ptr = out->text + (slices[i]->ptr - src->text);
}

void url_copy_without_user(const struct url *src, struct url *out) {
    struct arena a;
    struct url_parts u;
    arena_init(&a);
    if (url_parts_parse(&a, &u, slice_from(src->text, src->text_len), NULL)) {
        url_copy(src, out);
        out->has_user = out->has_password = false;
    } else {
        u.has_user = u.has_password = false;
        url_parts_finish(&a, &u, out);
    }
    arena_release(&a);
}

void url_release(struct url *u) {
    free(u->text);
    *u = (struct url){0};
}

static char *replace(const struct url *u, struct slice part, const char *by) {
    int before = (int)(part.ptr - u->text);
    return xasprintf("%.*s%s%s", before, u->text, by, u->text + before + part.len);
}

char *url_masked(const struct url *u) {
    if (!u->has_user)
        return xstrndup(u->text, u->text_len);
    return replace(u, u->userinfo, u->has_password ? "****:****" : "****");
}

char *url_hide_password(const struct url *u) {
    if (!u->has_password)
        return xstrndup(u->text, u->text_len);
    struct slice rest = u->userinfo;
    slice_cut(&rest, ':');
    return replace(u, rest, "***");
}
