/* k6/experimental/tracing of k6 v0.51: requests carry the headers of a trace context, so that what
 * they cause on the servers can be found by the trace_id that raw outputs show as metadata. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/random.h"
#include "js/js_util.h"
#include "js/loader.h"
#include "js/mod.h"
#include "js/mod/execution_tags.h"

/* A trace's id: varints of what k6 is called, of where it runs and of the time, then noise. */
#define TRACE_ID_BYTES 16
#define K6_PREFIX 0756
#define K6_CODE 12

enum propagator { W3C, JAEGER };

struct client {
    enum propagator propagator;
    double sampling;
    JSValue baggage;                /* {name: value}, or undefined */
    JSValue request, async_request; /* of k6/http, as they were */
};

static JSClassID client_class;

static void client_finalizer(JSRuntime *rt, JSValue v) {
    struct client *c = JS_GetOpaque(v, client_class);
    if (!c)
        return;
    JS_FreeValueRT(rt, c->baggage);
    JS_FreeValueRT(rt, c->request);
    JS_FreeValueRT(rt, c->async_request);
    free(c);
}

static void client_mark(JSRuntime *rt, JSValueConst v, JS_MarkFunc *mark) {
    struct client *c = JS_GetOpaque(v, client_class);
    if (!c)
        return;
    JS_MarkValue(rt, c->baggage, mark);
    JS_MarkValue(rt, c->request, mark);
    JS_MarkValue(rt, c->async_request, mark);
}

static const JSClassDef client_def = {"Client", .finalizer = client_finalizer,
                                      .gc_mark = client_mark};

/* ---- the context ---- */

/* Go's PutVarint: small numbers are short, whatever their sign. */
static size_t put_varint(uint8_t *out, int64_t value) {
    uint64_t n = (uint64_t)value << 1;
    size_t len = 0;
    if (value < 0)
        n = ~n;
    for (; n >= 0x80; n >>= 7)
        out[len++] = (uint8_t)(n | 0x80);
    out[len++] = (uint8_t)n;
    return len;
}

static void put_hex(char *out, const uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void make_trace_id(char out[2 * TRACE_ID_BYTES + 1]) {
    uint8_t id[TRACE_ID_BYTES + 10];
    size_t n = put_varint(id, K6_PREFIX);
    n += put_varint(id + n, K6_CODE);
    n += put_varint(id + n, clock_wall_ns());
    for (; n < TRACE_ID_BYTES; n++)
        id[n] = (uint8_t)random_u64();
    put_hex(out, id, TRACE_ID_BYTES);
}

static void set_text(JSContext *ctx, JSValueConst o, const char *name, const char *value) {
    JS_SetPropertyStr(ctx, o, name, JS_NewString(ctx, value));
}

static void set_context(JSContext *ctx, const struct client *c, JSValueConst headers,
                        const char *trace_id) {
    char text[128];
    unsigned long long span = random_u64();
    bool is_sampled = c->sampling >= 1 || random_double() < c->sampling;
    if (c->propagator == W3C) {
        snprintf(text, sizeof text, "00-%s-%016llx-0%d", trace_id, span, is_sampled);
        set_text(ctx, headers, "traceparent", text);
    } else {
        snprintf(text, sizeof text, "%s:%08llx:0:%d", trace_id, span & 0xffffffff, is_sampled);
        set_text(ctx, headers, "uber-trace-id", text);
    }
}

/* Percent-encoded, as W3C's baggage has it. */
static void put_baggage(struct buf *out, struct slice s) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char b = (unsigned char)s.ptr[i];
        if (b > 0x20 && b < 0x7f && !strchr("\",;\\%=", b))
            buf_append_char(out, (char)b);
        else
            buf_printf(out, "%%%02X", b);
    }
}

static void set_baggage_item(JSContext *ctx, const struct client *c, JSValueConst headers,
                             struct slice name, struct slice value, struct buf *list) {
    struct buf own;
    buf_init(&own, BUF_NO_CAP);
    if (c->propagator == W3C) {
        if (list->len)
            buf_append_char(list, ',');
        put_baggage(list, name);
        buf_append_char(list, '=');
        put_baggage(list, value);
    } else { /* Jaeger has a header for each */
        char *key = xasprintf("uberctx-%.*s", SLICE_FMT(name));
        put_baggage(&own, value);
        set_text(ctx, headers, key, buf_cstr(&own));
        free(key);
    }
    buf_release(&own);
}

static bool set_baggage(JSContext *ctx, const struct client *c, JSValueConst headers) {
    JSPropertyEnum *names;
    uint32_t n;
    struct buf list;
    bool ok = true;
    if (JS_IsUndefined(c->baggage))
        return true;
    if (JS_GetOwnPropertyNames(ctx, &names, &n, c->baggage, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return false;
    buf_init(&list, BUF_NO_CAP);
    for (uint32_t i = 0; i < n && ok; i++) {
        JSValue v = JS_GetProperty(ctx, c->baggage, names[i].atom);
        JSValue k = JS_AtomToString(ctx, names[i].atom);
        struct js_text name, value;
        ok = js_text_get(ctx, k, &name);
        if (ok) {
            ok = js_text_get(ctx, v, &value);
            if (ok) {
                set_baggage_item(ctx, c, headers, name.s, value.s, &list);
                js_text_release(&value);
            }
            js_text_release(&name);
        }
        JS_FreeValue(ctx, k);
        JS_FreeValue(ctx, v);
    }
    if (list.len)
        set_text(ctx, headers, "baggage", buf_cstr(&list));
    buf_release(&list);
    js_free_names(ctx, names, n);
    return ok;
}

/* ---- requests ---- */

/* A new object with the properties of another one; anything else has none. */
static JSValue copy_object(JSContext *ctx, JSValueConst from) {
    JSPropertyEnum *names;
    uint32_t n;
    JSValue o = JS_NewObject(ctx);
    if (!JS_IsObject(from))
        return o;
    if (JS_GetOwnPropertyNames(ctx, &names, &n, from, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY)) {
        JS_FreeValue(ctx, o);
        return JS_EXCEPTION;
    }
    for (uint32_t i = 0; i < n; i++) {
        JSValue v = JS_GetProperty(ctx, from, names[i].atom);
        if (JS_IsException(v) || JS_SetProperty(ctx, o, names[i].atom, v) < 0) {
            JS_FreeValue(ctx, o);
            o = JS_EXCEPTION;
            break;
        }
    }
    js_free_names(ctx, names, n);
    return o;
}

/* The script's params with the context among their headers. */
static JSValue traced_params(JSContext *ctx, const struct client *c, JSValueConst params,
                             const char *trace_id) {
    JSValue out = copy_object(ctx, params);
    if (JS_IsException(out))
        return out;
    JSValue given = JS_GetPropertyStr(ctx, out, "headers");
    JSValue headers = copy_object(ctx, given);
    JS_FreeValue(ctx, given);
    if (JS_IsException(headers)) {
        JS_FreeValue(ctx, out);
        return headers;
    }
    set_context(ctx, c, headers, trace_id);
    bool ok = set_baggage(ctx, c, headers);
    JS_SetPropertyStr(ctx, out, "headers", headers);
    if (ok)
        return out;
    JS_FreeValue(ctx, out);
    return JS_EXCEPTION;
}

/* How the arguments of each function stand: (url, params), (url, body, params) or all four. */
static const struct {
    const char *name, *method; /* NULL: the first argument says it */
    bool has_body, is_async;
} calls[] = {
    {"get", "GET", false, false},        {"head", "HEAD", false, false},
    {"post", "POST", true, false},       {"put", "PUT", true, false},
    {"patch", "PATCH", true, false},     {"del", "DELETE", true, false},
    {"options", "OPTIONS", true, false}, {"request", NULL, true, false},
    {"asyncRequest", NULL, true, true},
};

static JSValue call_traced(JSContext *ctx, const struct client *c, int argc, JSValueConst *argv,
                           int which) {
    struct vu *vu = vu_from_ctx(ctx);
    char trace_id[2 * TRACE_ID_BYTES + 1];
    int at = 0, fixed = calls[which].method ? 1 : 2;
    int given = argc > fixed ? argc - fixed + !calls[which].has_body : 0; /* body and params */
    if (given > 2)
        return js_throw_go_error(ctx,
                                 "failed to instrument request arguments; reason: invalid number "
                                 "of arguments; expected 1 or 2, got %d",
                                 given);
#define NEXT (at < argc ? argv[at++] : JS_UNDEFINED)
    JSValue method =
        calls[which].method ? JS_NewString(ctx, calls[which].method) : JS_DupValue(ctx, NEXT);
    JSValueConst url = NEXT, body = calls[which].has_body ? NEXT : JS_NULL;
    make_trace_id(trace_id);
    JSValue params = traced_params(ctx, c, NEXT, trace_id);
#undef NEXT
    JSValue result = JS_EXCEPTION;
    if (!JS_IsException(params)) {
        JSValueConst args[] = {method, url, body, params};
        vu_metadata_set(vu, SLICE("trace_id"), slice_cstr(trace_id));
        result = JS_Call(ctx, calls[which].is_async ? c->async_request : c->request, JS_UNDEFINED,
                         countof(args), args);
        vu_metadata_set(vu, SLICE("trace_id"), slice_from(NULL, 0));
    }
    JS_FreeValue(ctx, params);
    JS_FreeValue(ctx, method);
    return result;
}

static JSValue js_client_call(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                              int which) {
    const struct client *c = JS_GetOpaque2(ctx, this_val, client_class);
    return c ? call_traced(ctx, c, argc, argv, which) : JS_EXCEPTION;
}

/* The same as a function of k6/http: the client comes with it. */
static JSValue js_http_call(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                            int which, JSValue *data) {
    (void)this_val;
    return call_traced(ctx, JS_GetOpaque(data[0], client_class), argc, argv, which);
}

/* ---- clients ---- */

#define INVALID \
    "failed initializing tracing client, invalid configuration; reason: invalid options: "
#define NO_OPTIONS \
    "unable to parse options object; reason: unable to parse options object; reason: "

static bool read_propagator(JSContext *ctx, JSValueConst options, enum propagator *out) {
    JSValue v = JS_GetPropertyStr(ctx, options, "propagator");
    struct js_text text = {.s = {"", 0}};
    bool ok = JS_IsUndefined(v) || js_text_get(ctx, v, &text);
    JS_FreeValue(ctx, v);
    if (!ok)
        return false;
    *out = slice_eq(text.s, SLICE("jaeger")) ? JAEGER : W3C;
    ok = *out == JAEGER || slice_eq(text.s, SLICE("w3c"));
    if (!ok)
        js_throw_go_error(ctx, INVALID "unknown propagator: %.*s", SLICE_FMT(text.s));
    if (text.ctx)
        js_text_release(&text);
    return ok;
}

static bool read_sampling(JSContext *ctx, JSValueConst options, double *out) {
    JSValue v = JS_GetPropertyStr(ctx, options, "sampling");
    bool ok = true;
    *out = 1;
    if (!JS_IsUndefined(v) && !JS_IsNull(v))
        ok = JS_ToFloat64(ctx, out, v) == 0;
    JS_FreeValue(ctx, v);
    if (ok && !(*out >= 0 && *out <= 1)) {
        js_throw_go_error(ctx, INVALID "sampling rate must be between 0.0 and 1.0");
        return false;
    }
    return ok;
}

static bool read_baggage(JSContext *ctx, JSValueConst options, JSValue *out) {
    JSValue v = JS_GetPropertyStr(ctx, options, "baggage");
    *out = JS_IsObject(v) ? copy_object(ctx, v) : JS_UNDEFINED;
    bool ok = !JS_IsException(*out);
    if (ok && !JS_IsObject(v) && !JS_IsUndefined(v) && !JS_IsNull(v)) {
        struct js_text shown;
        ok = false;
        if (js_text_get_go(ctx, v, &shown)) {
            js_throw_go_error(ctx, NO_OPTIONS "could not convert %.*s to map[string]string",
                              SLICE_FMT(shown.s));
            js_text_release(&shown);
        }
    }
    JS_FreeValue(ctx, v);
    return ok;
}

static JSValue require_http(JSContext *ctx) {
    JSValue name = JS_NewString(ctx, "k6/http");
    JSValue http = js_require(ctx, JS_UNDEFINED, 1, (JSValueConst *)&name);
    JS_FreeValue(ctx, name);
    return http;
}

/* What k6/http itself exports: instrumentHTTP changes objects made of it only. undefined when
 * nobody asked for the name. */
static JSValue http_export(JSContext *ctx, const char *export_name) {
    JSAtom http = JS_NewAtom(ctx, "k6/http"), name = JS_NewAtom(ctx, export_name);
    JSModuleDef *m = JS_FindModule(ctx, http);
    JSValue v = m && JS_HasModuleExport(ctx, m, export_name) ? JS_GetModuleExport(ctx, m, name)
                                                             : JS_UNDEFINED;
    JS_FreeAtom(ctx, http);
    JS_FreeAtom(ctx, name);
    return v;
}

static JSValue new_client(JSContext *ctx, JSValueConst options) {
    struct client c = {.baggage = JS_UNDEFINED};
    if (JS_IsUndefined(options) || JS_IsNull(options))
        return JS_ThrowTypeError(ctx, "Cannot convert undefined or null to object");
    if (!JS_IsObject(options)) {
        struct js_text shown;
        if (!js_text_get_go(ctx, options, &shown))
            return JS_EXCEPTION;
        js_throw_go_error(ctx, NO_OPTIONS "could not convert %.*s to tracing.options",
                          SLICE_FMT(shown.s));
        js_text_release(&shown);
        return JS_EXCEPTION;
    }
    if (!read_propagator(ctx, options, &c.propagator) ||
        !read_sampling(ctx, options, &c.sampling) || !read_baggage(ctx, options, &c.baggage))
        return JS_EXCEPTION;
    JSValue http = require_http(ctx);
    JSValue o = JS_IsException(http) ? http : JS_NewObjectClass(ctx, (int)client_class);
    if (JS_IsException(o)) {
        JS_FreeValue(ctx, c.baggage);
        return o;
    }
    c.request = http_export(ctx, "request");
    c.async_request = http_export(ctx, "asyncRequest");
    JS_FreeValue(ctx, http);
    struct client *kept = xmalloc(sizeof *kept);
    *kept = c;
    JS_SetOpaque(o, kept);
    return o;
}

static JSValue js_client(JSContext *ctx, JSValueConst new_target, int argc, JSValueConst *argv) {
    (void)new_target;
    if (argc == 0)
        return js_throw_go_error(ctx, "Client constructor expects a single configuration object "
                                      "as argument; none given");
    return new_client(ctx, argv[0]);
}

/* ---- instrumentHTTP ---- */

static void instrument(JSContext *ctx, JSValueConst http, JSValueConst client) {
    for (size_t i = 0; i < countof(calls); i++)
        JS_SetPropertyStr(ctx, http, calls[i].name,
                          JS_NewCFunctionData(ctx, js_http_call, 2, (int)i, 1,
                                              (JSValueConst *)(uintptr_t)&client));
}

static JSValue js_instrument(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct vu *vu = vu_from_ctx(ctx);
    (void)this_val;
    if (!vu->is_init)
        return js_throw_go_error(ctx, "tracing module's instrumentHTTP can only be called in the "
                                      "init context");
    if (vu->module_state[JS_SLOT_TRACING])
        return js_throw_go_error(ctx, "tracing module's instrumentHTTP can only be called once. "
                                      "if you were attempting to reconfigure the instrumentation, "
                                      "please consider using the tracing.Client instead");
    JSValue client = new_client(ctx, argc > 0 ? argv[0] : JS_UNDEFINED);
    if (JS_IsException(client))
        return client;
    vu->module_state[JS_SLOT_TRACING] = vu; /* it was called */
    JSValue required = require_http(ctx), imported = http_export(ctx, "default");
    if (JS_IsObject(required))
        instrument(ctx, required, client);
    if (JS_IsObject(imported))
        instrument(ctx, imported, client);
    JS_FreeValue(ctx, required);
    JS_FreeValue(ctx, imported);
    JS_FreeValue(ctx, client);
    return JS_UNDEFINED;
}

/* ---- the module ---- */

static int declare(JSContext *ctx, JSModuleDef *m) {
    return JS_AddModuleExport(ctx, m, "Client") | JS_AddModuleExport(ctx, m, "instrumentHTTP");
}

static int init(JSContext *ctx, JSModuleDef *m) {
    JS_NewClassID(&client_class);
    JS_NewClass(JS_GetRuntime(ctx), client_class, &client_def);
    JSValue proto = JS_NewObject(ctx);
    for (size_t i = 0; i < countof(calls); i++)
        JS_SetPropertyStr(ctx, proto, calls[i].name,
                          JS_NewCFunctionMagic(ctx, js_client_call, calls[i].name, 2,
                                               JS_CFUNC_generic_magic, (int)i));
    JS_SetClassProto(ctx, client_class, proto);
    JS_SetModuleExport(
        ctx, m, "Client",
        JS_NewCFunction2(ctx, js_client, "Client", 1, JS_CFUNC_constructor_or_func, 0));
    return JS_SetModuleExport(ctx, m, "instrumentHTTP",
                              JS_NewCFunction(ctx, js_instrument, "instrumentHTTP", 1));
}

const struct js_module js_mod_tracing = {
    .specifier = "k6/experimental/tracing", .declare = declare, .init = init};
