#include "js/mod/http_internal.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/duration.h"
#include "base/log.h"
#include "http/compression.h"
#include "js/go_print.h"
#include "js/js_util.h"

/* Keeps a C string of the context until the call is released. */
static void hold_text(struct http_call *call, const char *text) {
    if (call->n_texts == call->cap_texts) {
        size_t cap = call->cap_texts * 2;
        const char **grown = xmalloc(cap * sizeof *grown);
        memcpy(grown, call->texts, call->n_texts * sizeof *grown);
        if (call->texts != call->texts_inline)
            free(call->texts);
        call->texts = grown;
        call->cap_texts = cap;
    }
    call->texts[call->n_texts++] = text;
}

/* String form of v, alive until release. False with an exception pending. */
static bool text_of(struct http_call *call, JSValueConst v, struct slice *out) {
    struct js_text text;
    if (!js_text_get_go(call->vu->ctx, v, &text))
        return false;
    hold_text(call, text.s.ptr);
    *out = text.s;
    return true;
}

static int refuse_url(JSContext *ctx, JSValueConst v, struct error *err) {
    struct buf shown;
    buf_init(&shown, BUF_NO_CAP);
    int rc = go_print(&shown, ctx, v);
    if (!rc)
        rc = error_set(err, KE_URL, "invalid URL: '#%s'", buf_cstr(&shown));
    buf_release(&shown);
    return rc;
}

/* A string, or an http.url`` template {url, name}. */
static int read_url(struct http_call *call, JSValueConst v, struct error *err) {
    JSContext *ctx = call->vu->ctx;
    struct slice text;
    if (JS_IsObject(v)) {
        JSValue url = JS_GetProperty(ctx, v, call->mod->atom_url);
        JSValue name = JS_GetProperty(ctx, v, call->mod->atom_name);
        int rc = 0;
        struct slice name_text;
        if (!JS_IsString(url) || !JS_IsString(name)) {
            rc = refuse_url(ctx, v, err);
        } else if (!text_of(call, url, &text) || !text_of(call, name, &name_text)) {
            rc = KE_JS;
        } else {
            call->name = slice_dup(name_text);
        }
        JS_FreeValue(ctx, url);
        JS_FreeValue(ctx, name);
        if (rc)
            return rc;
    } else if (!JS_IsString(v) && !JS_IsSymbol(v)) {
        return refuse_url(ctx, v, err);
    } else if (!text_of(call, v, &text)) {
        return KE_JS;
    }
    call->url = http_url_entry_get(text, err);
    if (!call->url)
        return err->code ? err->code : KE_URL;
    call->req.url = &call->url->url;
    return 0;
}

struct property {
    uint32_t index, count; /* of those of its object */
    JSAtom key;
    JSValueConst value;
};

typedef int read_property_fn(struct http_call *call, const struct property *p, struct error *err);

/* Calls fn for each own enumerable property of an object, until one fails; anything else has none.
 */
static int each_property(struct http_call *call, JSValueConst object, read_property_fn *fn,
                         struct error *err) {
    JSContext *ctx = call->vu->ctx;
    JSPropertyEnum *props;
    uint32_t n;
    if (!JS_IsObject(object))
        return 0;
    if (JS_GetOwnPropertyNames(ctx, &props, &n, object, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return KE_JS;
    int rc = 0;
    for (uint32_t i = 0; i < n && !rc; i++) {
        JSValue value = JS_GetProperty(ctx, object, props[i].atom);
        const struct property p = {i, n, props[i].atom, value};
        rc = JS_IsException(value) ? KE_JS : fn(call, &p, err);
        JS_FreeValue(ctx, value);
    }
    js_free_names(ctx, props, n);
    return rc;
}

static bool key_text(struct http_call *call, const struct property *p, struct slice *out) {
    JSValue key = JS_AtomToString(call->vu->ctx, p->key);
    bool ok = text_of(call, key, out);
    JS_FreeValue(call->vu->ctx, key);
    return ok;
}

static int read_header(struct http_call *call, const struct property *p, struct error *err) {
    (void)err;
    if (p->index == 0 && p->count > HTTP_CALL_INLINE && !call->headers_heap)
        call->headers_heap = xmalloc(p->count * sizeof *call->headers_heap);
    struct http_header *h = call->headers_heap ? call->headers_heap : call->headers_inline;
    if (!key_text(call, p, &h[p->index].name) || !text_of(call, p->value, &h[p->index].value))
        return KE_JS;
    call->req.headers = h;
    call->req.n_headers = p->index + 1;
    return 0;
}

/* One property of {value, replace}, in any case. */
static int read_cookie_part(struct http_call *call, const struct property *p, struct error *err) {
    struct http_cookie_param *c = &call->cookies[call->req.n_cookies];
    struct slice name;
    (void)err;
    if (!key_text(call, p, &name))
        return KE_JS;
    if (slice_ieq(name, SLICE("replace")))
        c->replace = JS_ToBool(call->vu->ctx, p->value) > 0;
    else if (slice_ieq(name, SLICE("value")) && !text_of(call, p->value, &c->value))
        return KE_JS;
    return 0;
}

/* A value, or an object of it and of how to treat the jar's. Null is none. */
static int read_cookie(struct http_call *call, const struct property *p, struct error *err) {
    JSContext *ctx = call->vu->ctx;
    if (!call->cookies)
        call->cookies = xcalloc(p->count, sizeof *call->cookies);
    call->req.cookies = call->cookies;
    if (JS_IsNull(p->value) || JS_IsUndefined(p->value))
        return 0;
    struct http_cookie_param *c = &call->cookies[call->req.n_cookies];
    int rc = key_text(call, p, &c->name) ? 0 : KE_JS;
    if (!rc && JS_IsObject(p->value) && JS_IsArray(ctx, p->value) <= 0)
        rc = each_property(call, p->value, read_cookie_part, err);
    else if (!rc && !text_of(call, p->value, &c->value))
        rc = KE_JS;
    call->req.n_cookies += rc == 0;
    return rc;
}

/* The message of the pending exception, taken. Heap string. */
static char *take_message(JSContext *ctx) {
    JSValue e = JS_GetException(ctx);
    JSValue message = JS_GetPropertyStr(ctx, e, "message");
    const char *s = JS_ToCString(ctx, message);
    char *text = xstrdup(s ? s : "");
    JS_FreeCString(ctx, s);
    JS_FreeValue(ctx, message);
    JS_FreeValue(ctx, e);
    return text;
}

static int read_tags(struct http_call *call, JSValueConst v, struct error *err) {
    JSContext *ctx = call->vu->ctx;
    if (!JS_IsObject(v) || !call->vu->shard)
        return 0;
    const struct tagset *t = js_tags_from_object(call->vu, call->tags, v);
    if (!t) {
        char *text = take_message(ctx);
        error_set(err, KE_INVALID, "invalid HTTP request metric tags: %s", text);
        free(text);
        return KE_INVALID;
    }
    /* A name tag of the script's own stands for the URL in both tags. */
    struct slice name = tagset_get(t, SLICE("name"));
    if (name.ptr && t != call->tags && !tagset_get(call->tags, SLICE("name")).ptr && !call->name)
        call->name = slice_dup(name);
    call->tags = t;
    return 0;
}

static int read_timeout(struct http_call *call, JSValueConst v, struct error *err) {
    struct error why = {0};
    int rc = js_duration(call->vu->ctx, v, &call->req.timeout_ns, &why);
    return rc == KE_INVALID ? error_set(err, rc, "invalid timeout value: %s", why.text) : rc;
}

static int read_response_type(struct http_call *call, JSValueConst v, struct error *err) {
    struct slice s;
    if (!text_of(call, v, &s))
        return KE_JS;
    if (slice_eq(s, SLICE("text")))
        call->req.response_type = HTTP_RESPONSE_TEXT;
    else if (slice_eq(s, SLICE("binary")))
        call->req.response_type = HTTP_RESPONSE_BINARY;
    else if (slice_eq(s, SLICE("none")))
        call->req.response_type = HTTP_RESPONSE_NONE;
    else
        return error_set(err, KE_INVALID, "%.*s is not a valid ResponseType", SLICE_FMT(s));
    return 0;
}

static int read_response_callback(struct http_call *call, JSValueConst v, struct error *err) {
    if (JS_IsNull(v) || JS_IsUndefined(v)) {
        call->has_verdict = false;
        return 0;
    }
    struct http_expected *e = http_expected_from(v);
    if (!e)
        return error_set(err, KE_INVALID, "unsupported responseCallback");
    e->refs++;
    http_expected_unref(call->expected);
    call->expected = e;
    call->has_verdict = true;
    return 0;
}

static int read_auth(struct http_call *call, JSValueConst v) {
    struct slice s;
    if (!text_of(call, v, &s))
        return KE_JS;
    if (slice_eq(s, SLICE("digest")))
        call->req.auth = HTTP_AUTH_DIGEST;
    else if (slice_eq(s, SLICE("ntlm")))
        call->req.auth = HTTP_AUTH_NTLM;
    return 0;
}

static int read_param(struct http_call *call, const struct property *p, struct error *err) {
    struct http_module *m = call->mod;
    JSContext *ctx = call->vu->ctx;
    JSAtom key = p->key;
    JSValueConst v = p->value;
    if (key == m->atom_headers)
        return each_property(call, v, read_header, err);
    if (key == m->atom_tags)
        return read_tags(call, v, err);
    if (key == m->atom_timeout)
        return read_timeout(call, v, err);
    if (key == m->atom_redirects) {
        int32_t n = 0;
        if (JS_ToInt32(ctx, &n, v))
            return KE_JS;
        call->req.max_redirects = n;
        call->req.warn_redirect_limit = false;
        return 0;
    }
    if (key == m->atom_response_type)
        return read_response_type(call, v, err);
    if (key == m->atom_response_callback)
        return read_response_callback(call, v, err);
    if (key == m->atom_auth)
        return read_auth(call, v);
    if (key == m->atom_jar) {
        struct cookie_jar *jar = http_cookie_jar_from(v);
        if (jar)
            call->req.jar = jar;
        return 0;
    }
    if (key == m->atom_cookies)
        return each_property(call, v, read_cookie, err);
    if (key == m->atom_compression) {
        if (!text_of(call, v, &call->req.compression))
            return KE_JS;
        return call->req.compression.len ? http_compression_check(call->req.compression, err) : 0;
    }
    if (key == m->atom_h2c) { /* k6 has no such param */
        call->req.h2c = JS_ToBool(ctx, v) > 0;
        return 0;
    }
    if (key == m->atom_throw_)
        call->throws = JS_ToBool(ctx, v) > 0;
    return 0;
}

bool http_request_has_header(const struct http_request *req, struct slice name) {
    for (size_t i = 0; i < req->n_headers; i++)
        if (slice_ieq(req->headers[i].name, name))
            return true;
    return false;
}

/* Goes into the free place behind the script's headers. */
void http_call_add_header(struct http_call *call, struct slice name, struct slice value) {
    size_t n = call->req.n_headers;
    struct http_header *h = (struct http_header *)(uintptr_t)call->req.headers;
    if (!h) {
        h = call->headers_inline;
    } else if (n >= HTTP_CALL_INLINE) {
        struct http_header *grown = xmalloc((n + 1) * sizeof *grown);
        memcpy(grown, h, n * sizeof *grown);
        free(call->headers_heap);
        h = call->headers_heap = grown;
    }
    h[n] = (struct http_header){name, value};
    call->req.headers = h;
    call->req.n_headers = n + 1;
}

int http_call_init(struct http_call *call, struct http_module *mod, struct slice method,
                   JSValueConst url, JSValueConst body, JSValueConst params, struct error *err) {
    struct vu *vu = mod->vu;
    const struct vu_config *cfg = vu->config;
    memset(call, 0, offsetof(struct http_call, headers_inline));
    call->headers_heap = NULL;
    call->texts = call->texts_inline;
    call->n_texts = 0;
    call->cap_texts = countof(call->texts_inline);
    call->body = JS_IsString(body) ? JS_DupValue(vu->ctx, body) : JS_UNDEFINED;
    call->form = NULL;
    call->first_head = NULL;
    call->body_shared = slice_from(NULL, 0);
    call->method_heap = NULL;
    call->body_text = NULL;
    call->body_heap = call->content_type_heap = NULL;
    call->cookies = NULL;
    call->response = NULL;
    call->vu = vu;
    call->mod = mod;
    call->tags = vu->tags;
    call->metadata = vu->meta_custom;
    call->expected = mod->expected;
    if (call->expected)
        call->expected->refs++;
    call->has_verdict = !mod->callback_is_null;
    call->throws = cfg->throw_errors;
    call->req.method = method;
    call->req.timeout_ns = cfg->http_timeout_ns;
    call->req.max_redirects = cfg->max_redirects;
    call->req.warn_redirect_limit = cfg->max_redirects_is_default;
    call->req.response_type =
        cfg->discard_response_bodies ? HTTP_RESPONSE_NONE : HTTP_RESPONSE_TEXT;
    call->req.jar = http_vu_jar(vu);
    call->req.keep_request_head = true;
    if (err)
        err->code = 0;

    int rc = read_url(call, url, err);
    if (rc)
        return rc;
    const char *content_type = NULL;
    if (!JS_IsUndefined(body) && !JS_IsNull(body)) {
        rc = http_body_read(call, body, &content_type, err);
        if (rc)
            return rc;
    }
    rc = each_property(call, params, read_param, err);
    if (rc)
        return rc;
    if (content_type && !http_request_has_header(&call->req, SLICE("Content-Type")))
        http_call_add_header(call, SLICE("Content-Type"), slice_cstr(content_type));
    if (call->url->url.has_user && call->req.auth == HTTP_AUTH_NONE)
        call->req.auth = HTTP_AUTH_BASIC;
    return 0;
}

void http_call_release(struct http_call *call) {
    JSContext *ctx = call->vu->ctx;
    for (size_t i = 0; i < call->n_texts; i++)
        JS_FreeCString(ctx, call->texts[i]);
    if (call->texts != call->texts_inline)
        free(call->texts);
    free(call->headers_heap);
    free(call->cookies);
    free(call->body_heap);
    http_form_free(call->form);
    free(call->first_head);
    JS_FreeValue(ctx, call->body);
    free(call->name);
    if (call->body_text)
        JS_FreeCString(ctx, call->body_text);
    free(call->content_type_heap);
    free(call->method_heap);
    http_expected_unref(call->expected);
    http_url_entry_unref(call->url);
    if (call->response)
        http_response_unref(call->response);
}
