#include "http/h2_request.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/go_text.h"
#include "http/header.h"

static void add(struct h2_fields *f, struct slice name, struct slice value) {
    if (unlikely(f->len == f->alloc)) {
        f->alloc *= 2;
        nghttp2_nv *wider = xmalloc(f->alloc * sizeof *wider);
        memcpy(wider, f->nv, f->len * sizeof *wider);
        if (f->nv != f->inline_nv)
            free(f->nv);
        f->nv = wider;
    }
    f->nv[f->len++] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name.ptr,
                                   .value = (uint8_t *)(uintptr_t)value.ptr,
                                   .namelen = name.len,
                                   .valuelen = value.len};
}

static int invalid(struct error *err, const char *name, struct slice value) {
    struct buf quoted;
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, value);
    error_set(err, KE_FAILED, "http2: invalid %s request header: [%s]", name, buf_cstr(&quoted));
    buf_release(&quoted);
    return KE_FAILED;
}

/* A field for each cookie, so that those which stay the same are sent as references. */
static void add_crumbs(struct h2_fields *f, struct slice name, struct slice cookies) {
    while (cookies.ptr) {
        struct slice crumb = slice_cut(&cookies, ';');
        while (cookies.ptr && cookies.len && cookies.ptr[0] == ' ')
            cookies = slice_from(cookies.ptr + 1, cookies.len - 1);
        if (crumb.len)
            add(f, name, crumb);
    }
}

/* Fields that mean the connection end here, told apart by length first. */
static int add_regular(struct h2_fields *f, struct slice name, struct slice value,
                       struct error *err) {
    switch (name.len) {
    case 4:
        if (slice_ieq(name, SLICE("host")))
            return 0;
        break;
    case 6:
        if (slice_ieq(name, SLICE("cookie"))) {
            add_crumbs(f, name, value);
            return 0;
        }
        break;
    case 7:
        if (slice_ieq(name, SLICE("upgrade")))
            return value.len ? invalid(err, "Upgrade", value) : 0;
        break;
    case 10:
        if (slice_ieq(name, SLICE("keep-alive")))
            return 0;
        if (slice_ieq(name, SLICE("connection"))) {
            bool is_good = value.len == 0 || slice_ieq(value, SLICE("close")) ||
                           slice_ieq(value, SLICE("keep-alive"));
            return is_good ? 0 : invalid(err, "Connection", value);
        }
        break;
    case 16:
        if (slice_ieq(name, SLICE("proxy-connection")))
            return 0;
        break;
    case 17:
        if (slice_ieq(name, SLICE("transfer-encoding")))
            return 0;
        break;
    default:
        break;
    }
    add(f, name, value);
    return 0;
}

int h2_fields_init(struct h2_fields *f, struct slice head, bool is_https, struct error *err) {
    f->nv = f->inline_nv;
    f->len = 0;
    f->alloc = H2_FIELDS_INLINE;
    struct slice line = head;
    struct slice method = slice_cut(&line, ' ');
    struct slice target = slice_cut(&line, ' ');
    size_t pos = (size_t)((const char *)memchr(head.ptr, '\n', head.len) + 1 - head.ptr);
    struct http_header field;
    int rc = 0;
    /* The first field is always Host. */
    if (!http_header_next(head, &pos, &field))
        return error_set(err, KE_FAILED, "http: no Host in request URL");
    add(f, SLICE(":authority"), field.value);
    add(f, SLICE(":method"), method);
    add(f, SLICE(":path"), target);
    add(f, SLICE(":scheme"), is_https ? SLICE("https") : SLICE("http"));
    while (rc == 0 && http_header_next(head, &pos, &field))
        rc = add_regular(f, field.name, field.value, err);
    return rc;
}

void h2_fields_release(struct h2_fields *f) {
    if (f->nv != f->inline_nv)
        free(f->nv);
}
