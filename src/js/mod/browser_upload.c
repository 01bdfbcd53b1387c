/* HTTP requests of the browser module itself: pictures that go to a server. Nothing of them is
 * measured. */
#include <stdlib.h>

#include "base/check.h"
#include "http/multipart.h"
#include "js/js_util.h"
#include "js/mod/browser_internal.h"
#include "js/mod/http_internal.h"

#define TIMEOUT_NS (10 * NS_PER_S)
#define MAX_PAIRS 64

/* An array of names and values. */
struct pairs {
    struct js_text text[2 * MAX_PAIRS];
    uint32_t len;
};

static bool pairs_get(JSContext *ctx, JSValueConst list, struct pairs *out) {
    uint32_t len = 0;
    JSValue length = JS_GetPropertyStr(ctx, list, "length");
    JS_ToUint32(ctx, &len, length);
    out->len = 0;
    while (out->len < len && out->len < countof(out->text)) {
        JSValue v = JS_GetPropertyUint32(ctx, list, out->len);
        bool ok = js_text_get(ctx, v, &out->text[out->len]);
        JS_FreeValue(ctx, v);
        if (!ok)
            return false;
        out->len++;
    }
    return true;
}

static void pairs_release(struct pairs *p) {
    while (p->len)
        js_text_release(&p->text[--p->len]);
}

/* { status, statusText, body } of the answer, or an exception. Yields. */
static JSValue answer_to(JSContext *ctx, struct http_request *req, struct slice url_text) {
    struct vu *vu = vu_from_ctx(ctx);
    struct http_response *r;
    struct error err;
    struct url url;
    if (url_parse(url_text, &url, &err))
        return js_throw_go_error(ctx, "%s", err.text);
    struct http_client *client = http_client_new(&vu->config->http, NULL);
    req->url = &url;
    req->timeout_ns = TIMEOUT_NS;
    req->max_redirects = 10;
    int rc = http_client_do(client, req, &r);
    JSValue v;
    if (rc == KE_CANCELED) {
        v = js_throw_interrupted(ctx);
    } else if (rc || r->status == 0) {
        v = js_throw_go_error(ctx, "%s", r->error.log_text ? r->error.log_text : error_text(rc));
    } else {
        struct slice words = r->status_text;
        slice_cut(&words, ' ');
        v = JS_NewObject(ctx);
        JS_SetPropertyStr(ctx, v, "status", JS_NewInt32(ctx, r->status));
        JS_SetPropertyStr(ctx, v, "statusText",
                          JS_NewStringLen(ctx, words.len ? words.ptr : "", words.len));
        JS_SetPropertyStr(ctx, v, "body",
                          JS_NewStringLen(ctx, r->body.len ? r->body.ptr : "", r->body.len));
    }
    http_response_unref(r);
    http_client_free(client);
    url_release(&url);
    return v;
}

JSValue browser_request(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val, (void)argc;
    struct pairs *names = xcalloc(1, sizeof *names);
    struct http_header headers[MAX_PAIRS];
    struct js_text text[3];
    JSValue v = JS_EXCEPTION;
    int n = 0;
    while (n < 3 && js_text_get(ctx, argv[n == 2 ? 3 : n], &text[n]))
        n++;
    if (n == 3 && pairs_get(ctx, argv[2], names)) {
        for (uint32_t i = 0; i + 1 < names->len; i += 2)
            headers[i / 2] = (struct http_header){names->text[i].s, names->text[i + 1].s};
        struct http_request req = {.method = text[0].s,
                                   .headers = headers,
                                   .n_headers = names->len / 2,
                                   .has_body = true,
                                   .body = text[2].s};
        v = answer_to(ctx, &req, text[1].s);
    }
    pairs_release(names);
    free(names);
    while (n > 0)
        js_text_release(&text[--n]);
    return v;
}

static JSValue post_form(JSContext *ctx, struct slice method, struct slice url,
                         const struct pairs *fields, const char *filename, struct slice file) {
    struct multipart m;
    multipart_init(&m);
    for (uint32_t i = 0; i + 1 < fields->len; i += 2)
        multipart_add(&m, fields->text[i].s, NULL, NULL, fields->text[i + 1].s);
    multipart_add(&m, SLICE("file"), filename, "application/octet-stream", file);
    multipart_end(&m);
    char *type = multipart_content_type(&m);
    struct http_header header = {SLICE("Content-Type"), slice_cstr(type)};
    struct http_request req = {.method = method,
                               .headers = &header,
                               .n_headers = 1,
                               .has_body = true,
                               .body = {NULL, m.total_bytes},
                               .body_pieces = m.pieces.ptr,
                               .n_body_pieces = m.pieces.len};
    JSValue v = answer_to(ctx, &req, url);
    free(type);
    multipart_release(&m);
    return v;
}

JSValue browser_upload(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val, (void)argc;
    struct pairs *fields = xcalloc(1, sizeof *fields);
    struct js_text text[3];
    const uint8_t *bytes;
    size_t len;
    JSValue v = JS_EXCEPTION;
    int n = 0;
    while (n < 3 && js_text_get(ctx, argv[n == 2 ? 3 : n], &text[n]))
        n++;
    if (n == 3 && pairs_get(ctx, argv[2], fields) && js_bytes(ctx, argv[4], &bytes, &len))
        v = post_form(ctx, text[0].s, text[1].s, fields, text[2].s.ptr,
                      slice_from((const char *)bytes, len));
    pairs_release(fields);
    free(fields);
    while (n > 0)
        js_text_release(&text[--n]);
    return v;
}
