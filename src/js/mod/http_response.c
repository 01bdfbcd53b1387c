#include "js/go_args.h"
#include "js/mod/http_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "html/dom.h"
#include "js/gjson.h"
#include "js/js_util.h"
#include "js/json_error.h"

/* A Response is one C struct behind an exotic class: its fields look like own properties (keys,
 * JSON, spread, delete and assignment work as on k6's) but each is built only when the script looks
 * at it. What must keep its identity (headers, body, parsed JSON …) is kept once built. */
struct response {
    struct http_response *r; /* NULL for a request that never went out */
    char *error_text;        /* without r */
    int error_code;
    enum http_response_type type;
    JSValue *built; /* [HTTP_FIELD_COUNT] kept values, NULL until one is looked at; JS_UNINITIALIZED
                       = not yet */
    JSValue json;
    struct html_doc *page; /* the body parsed as HTML, once a script asked for it */
    /* For response.request: what the script asked for. */
    struct http_url_entry *url;
    char *first_head;    /* what was sent, when the response answers a later hop */
    uint8_t own_headers; /* bits of added_headers[] that the script gave itself */
    struct slice method; /* static, or method_heap */
    char *method_heap;
    JSValue body_value;     /* a string body as the script gave it … */
    char *body_heap;        /* … or what was made of an object, when it is in one piece … */
    struct http_form *form; /* … or in several */
    struct slice body;      /* in one piece */
};

static JSClassID response_class;

static void response_finalizer(JSRuntime *rt, JSValue v) {
    struct response *s = JS_GetOpaque(v, response_class);
    if (!s)
        return;
    for (int i = 0; s->built && i < HTTP_FIELD_COUNT; i++)
        JS_FreeValueRT(rt, s->built[i]);
    free(s->built);
    free(s->error_text);
    JS_FreeValueRT(rt, s->json);
    html_doc_unref(s->page);
    if (s->r)
        http_response_unref(s->r);
    JS_FreeValueRT(rt, s->body_value);
    http_url_entry_unref(s->url);
    free(s->method_heap);
    free(s->body_heap);
    http_form_free(s->form);
    free(s->first_head);
    free(s);
}

static void response_mark(JSRuntime *rt, JSValueConst v, JS_MarkFunc *mark) {
    struct response *s = JS_GetOpaque(v, response_class);
    if (!s)
        return;
    for (int i = 0; s->built && i < HTTP_FIELD_COUNT; i++)
        JS_MarkValue(rt, s->built[i], mark);
    JS_MarkValue(rt, s->json, mark);
}

static JSValue text(JSContext *ctx, const char *s) {
    return JS_NewString(ctx, s);
}

static JSValue slice_text(JSContext *ctx, struct slice s) {
    return JS_NewStringLen(ctx, s.ptr ? s.ptr : "", s.len);
}

/* Appends value to the list that o has under name. Takes value. */
static void append_to_list(JSContext *ctx, JSValueConst o, struct slice name, JSValue value) {
    JSAtom atom = JS_NewAtomLen(ctx, name.ptr, name.len);
    JSValue list = JS_GetProperty(ctx, o, atom);
    uint32_t n = 0;
    if (JS_IsObject(list)) {
        JSValue len = JS_GetPropertyStr(ctx, list, "length");
        JS_ToUint32(ctx, &n, len);
    } else {
        list = JS_NewArray(ctx);
        JS_DefinePropertyValue(ctx, o, atom, JS_DupValue(ctx, list), JS_PROP_C_W_E);
    }
    JS_SetPropertyUint32(ctx, list, n, value);
    JS_FreeValue(ctx, list);
    JS_FreeAtom(ctx, atom);
}

void http_header_add(JSContext *ctx, JSValueConst headers, const struct http_header *h) {
    char name[256];
    size_t n = h->name.len < sizeof name ? h->name.len : sizeof name;
    memcpy(name, h->name.ptr, n);
    http_canonical_name(name, n);
    JSAtom atom = JS_NewAtomLen(ctx, name, n);
    JSValue old = JS_GetProperty(ctx, headers, atom);
    JSValue value = slice_text(ctx, h->value);
    if (JS_IsString(old)) {
        size_t len;
        const char *before = JS_ToCStringLen(ctx, &len, old);
        char *joined = xasprintf("%.*s, %.*s", (int)len, before, SLICE_FMT(h->value));
        JS_FreeCString(ctx, before);
        JS_FreeValue(ctx, value);
        value = text(ctx, joined);
        free(joined);
    }
    JS_FreeValue(ctx, old);
    JS_DefinePropertyValue(ctx, headers, atom, value, JS_PROP_C_W_E);
    JS_FreeAtom(ctx, atom);
}

JSValue http_headers_object(JSContext *ctx, const struct http_response *r) {
    JSValue o = JS_NewObject(ctx);
    struct http_header h;
    for (size_t pos = 0; r && http_response_next_header(r, &pos, &h);)
        http_header_add(ctx, o, &h);
    return o;
}

/* Go's zero time, in Unix milliseconds as k6 shows it for cookies without Expires. */
#define GO_ZERO_TIME_MS INT64_C(-6795364578871)

static JSValue build_cookie(JSContext *ctx, const struct cookie *c) {
    JSValue o = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, o, "name", slice_text(ctx, c->name));
    JS_SetPropertyStr(ctx, o, "value", slice_text(ctx, c->value));
    JS_SetPropertyStr(ctx, o, "domain", slice_text(ctx, c->domain));
    JS_SetPropertyStr(ctx, o, "path", slice_text(ctx, c->path));
    JS_SetPropertyStr(ctx, o, "http_only", JS_NewBool(ctx, c->http_only));
    JS_SetPropertyStr(ctx, o, "secure", JS_NewBool(ctx, c->secure));
    JS_SetPropertyStr(ctx, o, "max_age", JS_NewInt32(ctx, c->max_age));
    int64_t expires = c->has_expires ? c->expires_ms : GO_ZERO_TIME_MS;
    JS_SetPropertyStr(ctx, o, "expires", JS_NewInt64(ctx, expires));
    return o;
}

static JSValue build_cookies(JSContext *ctx, const struct response *s) {
    JSValue o = JS_NewObject(ctx);
    struct http_header h;
    struct cookie c;
    size_t pos = 0;
    while (s->r && http_response_next_header(s->r, &pos, &h)) {
        if (!slice_ieq(h.name, SLICE("set-cookie")) || !cookie_parse(h.value, &c))
            continue;
        append_to_list(ctx, o, c.name, build_cookie(ctx, &c));
    }
    return o;
}

static void free_shared_body(JSRuntime *rt, void *opaque, void *ptr) {
    (void)rt;
    (void)ptr;
    http_response_unref(opaque);
}

static JSValue build_body(JSContext *ctx, const struct response *s) {
    const struct http_response *r = s->r;
    if (!r) { /* k6 shows the nil []byte of a request that was never made */
        JSValue zero = JS_NewInt32(ctx, 0);
        return JS_NewTypedArray(ctx, 1, &zero, JS_TYPED_ARRAY_UINT8);
    }
    if (!r->body.ptr)
        return JS_NULL;
    if (s->type == HTTP_RESPONSE_BINARY)
        return JS_NewArrayBuffer(ctx, (uint8_t *)(uintptr_t)r->body.ptr, r->body.len,
                                 free_shared_body, http_response_ref(s->r), false);
    return slice_text(ctx, r->body);
}

static JSValue build_timings(JSContext *ctx, const struct response *s) {
    static const struct http_timings none;
    const struct http_timings *t = s->r ? &s->r->timings : &none;
    JSValue o = JS_NewObject(ctx);
    const struct {
        const char *name;
        int64_t ns;
    } items[] = {
        {"duration", t->sending + t->waiting + t->receiving},
        {"blocked", t->blocked},
        {"looking_up", 0},
        {"connecting", t->connecting},
        {"tls_handshaking", t->tls_handshaking},
        {"sending", t->sending},
        {"waiting", t->waiting},
        {"receiving", t->receiving},
    };
    for (size_t i = 0; i < countof(items); i++)
        JS_SetPropertyStr(ctx, o, items[i].name, JS_NewFloat64(ctx, (double)items[i].ns * 1e-6));
    return o;
}

static JSValue build_ocsp(JSContext *ctx, const struct http_response *r) {
    static const struct tls_ocsp none = {.status = "", .revocation_reason = ""};
    const struct tls_ocsp *from = r && r->ocsp ? r->ocsp : &none;
    JSValue o = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, o, "produced_at", JS_NewInt64(ctx, from->produced_at));
    JS_SetPropertyStr(ctx, o, "this_update", JS_NewInt64(ctx, from->this_update));
    JS_SetPropertyStr(ctx, o, "next_update", JS_NewInt64(ctx, from->next_update));
    JS_SetPropertyStr(ctx, o, "revoked_at", JS_NewInt64(ctx, from->revoked_at));
    JS_SetPropertyStr(ctx, o, "revocation_reason", text(ctx, from->revocation_reason));
    JS_SetPropertyStr(ctx, o, "status", text(ctx, from->status));
    return o;
}

/* Go adds these when it sends a request, k6 shows the request before that. */
static const struct slice added_headers[] = {SLICE("Host"), SLICE("Authorization"),
                                             SLICE("Proxy-Authorization")};

static uint8_t own_headers(const struct http_request *req) {
    uint8_t bits = 0;
    for (size_t i = 0; i < req->n_headers; i++) {
        for (size_t k = 0; k < countof(added_headers); k++) {
            if (slice_ieq(req->headers[i].name, added_headers[k]))
                bits |= (uint8_t)(1 << k);
        }
    }
    return bits;
}

static bool is_added(const struct response *s, struct slice name) {
    for (size_t k = 0; k < countof(added_headers); k++) {
        if (slice_ieq(name, added_headers[k]))
            return !(s->own_headers & 1 << k);
    }
    return slice_ieq(name, SLICE("content-length")) || slice_ieq(name, SLICE("transfer-encoding"));
}

/* What the first hop sent: a redirect or a challenge may have made further ones. */
static struct slice sent_head(const struct response *s) {
    if (s->first_head)
        return slice_cstr(s->first_head);
    return s->r ? s->r->request_head : slice_from(NULL, 0);
}

/* Header lines of what was sent, without the request line: name -> [values]. */
static JSValue build_request_headers(JSContext *ctx, const struct response *s) {
    JSValue o = JS_NewObject(ctx);
    struct slice rest = sent_head(s);
    slice_cut(&rest, '\n');
    while (rest.ptr) {
        struct slice line = slice_trim(slice_cut(&rest, '\n'));
        struct slice value = line;
        struct slice name = slice_cut(&value, ':');
        if (!value.ptr || is_added(s, name))
            continue;
        append_to_list(ctx, o, name, slice_text(ctx, slice_trim(value)));
    }
    return o;
}

/* What the Cookie header said: name -> [{name, value, replace}]. */
static JSValue build_request_cookies(JSContext *ctx, const struct response *s) {
    JSValue o = JS_NewObject(ctx);
    struct slice head = sent_head(s);
    struct slice rest = head.len ? http_header_find(head, SLICE("Cookie")) : head;
    while (rest.ptr) {
        struct slice value = slice_trim(slice_cut(&rest, ';'));
        struct slice name = slice_cut(&value, '=');
        if (!name.len)
            continue;
        if (value.len > 1 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
            value = slice_from(value.ptr + 1, value.len - 2);
        JSValue cookie = JS_NewObject(ctx);
        JS_SetPropertyStr(ctx, cookie, "name", slice_text(ctx, name));
        JS_SetPropertyStr(ctx, cookie, "value", slice_text(ctx, value));
        JS_SetPropertyStr(ctx, cookie, "replace", JS_FALSE);
        append_to_list(ctx, o, name, cookie);
    }
    return o;
}

static JSValue request_url(JSContext *ctx, const struct response *s) {
    return s->url ? JS_NewStringLen(ctx, s->url->tag_text, s->url->tag_len) : text(ctx, "");
}

static JSValue build_request_body(JSContext *ctx, const struct response *s) {
    if (JS_IsString(s->body_value))
        return JS_DupValue(ctx, s->body_value);
    if (!s->form)
        return slice_text(ctx, s->body);
    struct buf whole;
    buf_init(&whole, BUF_NO_CAP);
    buf_reserve(&whole, s->form->multipart.total_bytes);
    for (size_t i = 0; i < s->form->multipart.pieces.len; i++)
        buf_append_slice(&whole, s->form->multipart.pieces.ptr[i]);
    JSValue v = slice_text(ctx, buf_slice(&whole));
    buf_release(&whole);
    return v;
}

static JSValue build_request(JSContext *ctx, const struct response *s) {
    JSValue o = JS_NewObject(ctx);
    JSValue body = build_request_body(ctx, s);
    JS_SetPropertyStr(ctx, o, "method", slice_text(ctx, s->method));
    JS_SetPropertyStr(ctx, o, "url", request_url(ctx, s));
    JS_SetPropertyStr(ctx, o, "headers", build_request_headers(ctx, s));
    JS_SetPropertyStr(ctx, o, "body", body);
    JS_SetPropertyStr(ctx, o, "cookies", build_request_cookies(ctx, s));
    return o;
}

static JSValue build_status_text(JSContext *ctx, const struct http_response *r) {
    if (!r || !r->status)
        return text(ctx, "");
    return slice_text(ctx, r->status_text);
}

static JSValue build(JSContext *ctx, const struct response *s, enum http_response_field f) {
    const struct http_response *r = s->r;
    switch (f) {
    case HTTP_FIELD_REMOTE_IP:
        return text(ctx, r ? r->remote_ip : "");
    case HTTP_FIELD_REMOTE_PORT:
        return JS_NewInt32(ctx, r ? r->remote_port : 0);
    case HTTP_FIELD_URL:
        if (!r)
            return text(ctx, "");
        return r->url_text.len ? slice_text(ctx, r->url_text) : request_url(ctx, s);
    case HTTP_FIELD_STATUS:
        return JS_NewInt32(ctx, r ? r->status : 0);
    case HTTP_FIELD_STATUS_TEXT:
        return build_status_text(ctx, r);
    case HTTP_FIELD_PROTO:
        if (!r || !r->proto_major)
            return text(ctx, "");
        return text(ctx, r->proto_major == 2 ? "HTTP/2.0"
                         : r->proto_minor    ? "HTTP/1.1"
                                             : "HTTP/1.0");
    case HTTP_FIELD_HEADERS:
        return http_headers_object(ctx, s->r);
    case HTTP_FIELD_COOKIES:
        return build_cookies(ctx, s);
    case HTTP_FIELD_BODY:
        return build_body(ctx, s);
    case HTTP_FIELD_TIMINGS:
        return build_timings(ctx, s);
    case HTTP_FIELD_TLS_VERSION:
        return text(ctx, r && r->tls ? r->tls->version : "");
    case HTTP_FIELD_TLS_CIPHER_SUITE:
        return text(ctx, r && r->tls ? r->tls->cipher_suite : "");
    case HTTP_FIELD_OCSP:
        return build_ocsp(ctx, r);
    case HTTP_FIELD_ERROR:
        return text(ctx, s->error_text ? s->error_text : r && r->error.text ? r->error.text : "");
    case HTTP_FIELD_ERROR_CODE:
        return JS_NewInt32(ctx, s->error_code);
    case HTTP_FIELD_REQUEST:
        return r ? build_request(ctx, s) : JS_NULL; /* there was none */
    case HTTP_FIELD_JSON:
    case HTTP_FIELD_HTML:
    case HTTP_FIELD_SUBMIT_FORM:
    case HTTP_FIELD_CLICK_LINK:
    case HTTP_FIELD_COUNT:
        break;
    }
    return JS_DupValue(ctx, http_module_of(ctx)->response_methods[f - HTTP_FIELD_JSON]);
}

/* Numbers and methods are cheap to give and not kept. */
static bool is_kept(int f) {
    return f != HTTP_FIELD_STATUS && f != HTTP_FIELD_ERROR_CODE && f != HTTP_FIELD_REMOTE_PORT &&
           f < HTTP_FIELD_JSON;
}

static JSValue *kept_values(struct response *s) {
    if (!s->built) {
        s->built = xmalloc(HTTP_FIELD_COUNT * sizeof *s->built);
        for (int i = 0; i < HTTP_FIELD_COUNT; i++)
            s->built[i] = JS_UNINITIALIZED;
    }
    return s->built;
}

/* The field's value, built on first sight. */
static JSValue field_value(JSContext *ctx, struct response *s, enum http_response_field f) {
    if (!is_kept(f))
        return build(ctx, s, f);
    JSValue *kept = &kept_values(s)[f];
    if (JS_IsUninitialized(*kept))
        *kept = build(ctx, s, f);
    return JS_DupValue(ctx, *kept);
}

static int find_field(JSContext *ctx, JSAtom prop) {
    const JSAtom *atoms = http_module_of(ctx)->field_atoms;
    for (int i = 0; i < HTTP_FIELD_COUNT; i++)
        if (atoms[i] == prop)
            return i;
    return -1;
}

/* Deleted fields: `built` holds JS_EXCEPTION as a tombstone, so that the field is no longer ours.
 */
static bool is_gone(const struct response *s, int f) {
    return s->built && JS_VALUE_GET_TAG(s->built[f]) == JS_TAG_EXCEPTION;
}

static int response_get_own(JSContext *ctx, JSPropertyDescriptor *desc, JSValueConst obj,
                            JSAtom prop) {
    struct response *s = JS_GetOpaque(obj, response_class);
    int f = find_field(ctx, prop);
    if (f < 0 || is_gone(s, f))
        return 0;
    if (desc) {
        desc->flags = JS_PROP_C_W_E;
        desc->getter = desc->setter = JS_UNDEFINED;
        desc->value = field_value(ctx, s, (enum http_response_field)f);
        if (JS_IsException(desc->value))
            return -1;
    }
    return 1;
}

static int response_own_names(JSContext *ctx, JSPropertyEnum **out, uint32_t *len,
                              JSValueConst obj) {
    struct response *s = JS_GetOpaque(obj, response_class);
    const JSAtom *atoms = http_module_of(ctx)->field_atoms;
    JSPropertyEnum *names = js_malloc(ctx, HTTP_FIELD_COUNT * sizeof *names);
    if (!names)
        return -1;
    uint32_t n = 0;
    for (int i = 0; i < HTTP_FIELD_COUNT; i++)
        if (!is_gone(s, i))
            names[n++] = (JSPropertyEnum){.is_enumerable = 1, .atom = JS_DupAtom(ctx, atoms[i])};
    *out = names;
    *len = n;
    return 0;
}

static int response_delete(JSContext *ctx, JSValueConst obj, JSAtom prop) {
    struct response *s = JS_GetOpaque(obj, response_class);
    int f = find_field(ctx, prop);
    if (f >= 0 && !is_gone(s, f)) {
        JSValue *kept = &kept_values(s)[f];
        JS_FreeValue(ctx, *kept);
        *kept = JS_EXCEPTION;
    }
    return 1;
}

/* Assignment: a field of ours keeps its place and takes the value; anything else becomes a plain
 * property. */
static int response_define(JSContext *ctx, JSValueConst obj, JSAtom prop, JSValueConst value,
                           JSValueConst getter, JSValueConst setter, int flags) {
    struct response *s = JS_GetOpaque(obj, response_class);
    int f = find_field(ctx, prop);
    if (f >= 0 && (flags & JS_PROP_HAS_VALUE) && is_kept(f)) {
        JSValue *kept = &kept_values(s)[f];
        JS_FreeValue(ctx, *kept);
        *kept = JS_DupValue(ctx, value);
        return 1;
    }
    if (f >= 0)
        response_delete(ctx, obj, prop);
    return JS_DefineProperty(ctx, obj, prop, value, getter, setter, flags | JS_PROP_NO_EXOTIC);
}

static JSClassExoticMethods response_exotic = {
    .get_own_property = response_get_own,
    .get_own_property_names = response_own_names,
    .delete_property = response_delete,
    .define_own_property = response_define,
};

static const JSClassDef response_class_def = {
    "Response",
    .finalizer = response_finalizer,
    .gc_mark = response_mark,
    .exotic = &response_exotic,
};

static struct response *response_this(JSContext *ctx, JSValueConst this_val) {
    return JS_GetOpaque2(ctx, this_val, response_class);
}

/* The body for json() and html(): empty when nothing was sent, as in k6; ptr NULL without one. */
static struct slice parsed_body(const struct response *s) {
    return s->r ? s->r->body : SLICE("");
}

static JSValue json_selected(JSContext *ctx, struct slice body, JSValueConst selector) {
    struct js_text path;
    if (!go_string_arg(ctx, 1, &selector, 0, &path))
        return JS_EXCEPTION;
    struct buf found;
    buf_init(&found, BUF_NO_CAP);
    JSValue v = JS_UNDEFINED;
    if (gjson_get(body, path.s, &found))
        v = JS_ParseJSON(ctx, buf_cstr(&found), found.len, "<json>");
    buf_release(&found);
    js_text_release(&path);
    return v;
}

static JSValue response_json(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct response *s = response_this(ctx, this_val);
    if (!s)
        return JS_EXCEPTION;
    struct slice body = parsed_body(s);
    if (!body.ptr)
        return js_throw_go_error(ctx,
                                 "the body is null so we can't transform it to JSON - this likely "
                                 "was because of a request error getting the response");
    if (argc > 0)
        return json_selected(ctx, body, argv[0]);
    if (JS_IsUninitialized(s->json)) {
        /* The parser wants a terminator behind the text; bodies have one. */
        JSValue v = JS_ParseJSON(ctx, body.ptr, body.len, "<json>");
        if (JS_IsException(v)) {
            char words[192];
            JS_FreeValue(ctx, JS_GetException(ctx));
            json_error_describe(body, words, sizeof words);
            return js_throw_go_error(ctx, "%s", words);
        }
        s->json = v;
    }
    return JS_DupValue(ctx, s->json);
}

static const JSCFunctionListEntry response_methods[] = {
    JS_CFUNC_DEF("json", 1, response_json),
    JS_CFUNC_DEF("html", 1, http_js_html),
    JS_CFUNC_DEF("submitForm", 1, http_js_submit_form),
    JS_CFUNC_DEF("clickLink", 1, http_js_click_link),
};

int http_response_register(struct http_module *mod) {
    JSContext *ctx = mod->vu->ctx;
    JSRuntime *rt = mod->vu->rt;
    static const char *const names[] = {
#define X(field, text) text,
        HTTP_RESPONSE_FIELDS(X)
#undef X
    };
    JS_NewClassID(&response_class);
    if (!JS_IsRegisteredClass(rt, response_class) &&
        JS_NewClass(rt, response_class, &response_class_def))
        return -1;
    for (size_t i = 0; i < countof(names); i++)
        mod->field_atoms[i] = JS_NewAtom(ctx, names[i]);
    for (size_t i = 0; i < countof(response_methods); i++) {
        const JSCFunctionListEntry *e = &response_methods[i];
        mod->response_methods[i] =
            JS_NewCFunction(ctx, e->u.func.cfunc.generic, e->name, e->u.func.length);
    }
    mod->response_proto = JS_NewObject(ctx);
    return 0;
}

bool http_response_page(JSContext *ctx, JSValueConst v, struct html_doc **out_page,
                        JSValue *out_url) {
    struct response *s = response_this(ctx, v);
    struct error err;
    if (!s)
        return false;
    struct slice body = parsed_body(s);
    if (!body.ptr) {
        js_throw_go_error(ctx, "the body is null so we can't transform it to HTML - this likely "
                               "was because of a request error getting the response");
        return false;
    }
    if (!s->page && html_parse(body, &s->page, &err)) {
        js_throw_go_error(ctx, "%s", err.text);
        return false;
    }
    *out_page = s->page;
    *out_url = field_value(ctx, s, HTTP_FIELD_URL);
    return true;
}

static JSValue wrap(struct http_module *mod, struct response *s, struct http_call *call) {
    JSContext *ctx = mod->vu->ctx;
    s->json = JS_UNINITIALIZED;
    s->type = call->req.response_type;
    s->method = call->req.method;
    s->method_heap = call->method_heap;
    call->method_heap = NULL;
    s->url = call->url;
    if (s->url)
        s->url->refs++;
    s->body_value = call->body;
    s->body_heap = call->body_heap;
    s->form = call->form;
    s->body = call->body_heap ? slice_from(call->body_heap, call->req.body.len) : call->body_shared;
    call->body = JS_UNDEFINED;
    call->body_heap = NULL;
    call->form = NULL;
    s->first_head = call->first_head;
    call->first_head = NULL;
    s->own_headers = own_headers(&call->req);
    JSValue v = JS_NewObjectProtoClass(ctx, mod->response_proto, response_class);
    if (!JS_IsException(v))
        JS_SetOpaque(v, s);
    return v;
}

JSValue http_response_new(struct http_module *mod, struct http_response *r,
                          struct http_call *call) {
    struct response *s = xcalloc(1, sizeof *s);
    s->r = r;
    s->error_code = r->error_code;
    return wrap(mod, s, call);
}

JSValue http_response_failed(struct http_module *mod, const struct error *err,
                             struct http_call *call) {
    struct response *s = xcalloc(1, sizeof *s);
    s->error_text = xstrdup(err->text);
    s->error_code = err->code == KE_URL ? 1020 : 0;
    return wrap(mod, s, call);
}
