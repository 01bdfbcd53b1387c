#include "js/mod/websockets.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/compat.h"
#include "base/log.h"
#include "js/go_args.h"
#include "js/go_types.h"
#include "js/js_util.h"
#include "js/mod.h"
#include "js/mod/blob.h"
#include "js/mod/http_internal.h"

#define CLOSE_REASON_MAX 123

const char *const ws_event_names[WS_EVENT_TYPES] = {"open",  "message", "error",
                                                    "close", "ping",    "pong"};

static JSClassID websocket_class;

static struct websockets_module *module_of(struct vu *vu) {
    return vu->module_state[JS_SLOT_WEBSOCKETS];
}

/* ---------------------------------------------------------------- life */

static void websocket_free(JSRuntime *rt, struct websocket *ws) {
    for (int i = 0; i < WS_EVENT_TYPES; i++) {
        struct ws_listeners *l = &ws->listeners[i];
        JS_FreeValueRT(rt, l->on);
        for (size_t k = 0; k < l->len; k++)
            JS_FreeValueRT(rt, l->list[k]);
        free(l->list);
    }
    ws_call_release(&ws->call);
    free(ws->url_text);
    free(ws->protocol);
    free(ws->extensions);
    free(ws->close_reason);
    free(ws->pings.sent_ns);
    free(ws);
}

static void websocket_finalizer(JSRuntime *rt, JSValue v) {
    struct websocket *ws = JS_GetOpaque(v, websocket_class);
    if (ws)
        websocket_free(rt, ws);
}

static void websocket_mark(JSRuntime *rt, JSValueConst v, JS_MarkFunc *mark) {
    struct websocket *ws = JS_GetOpaque(v, websocket_class);
    for (int i = 0; ws && i < WS_EVENT_TYPES; i++) {
        const struct ws_listeners *l = &ws->listeners[i];
        JS_MarkValue(rt, l->on, mark);
        for (size_t k = 0; k < l->len; k++)
            JS_MarkValue(rt, l->list[k], mark);
    }
}

static const JSClassDef websocket_class_def = {"WebSocket", .finalizer = websocket_finalizer,
                                               .gc_mark = websocket_mark};

void websocket_finish(struct websocket *ws) {
    struct vu *vu = ws->vu;
    /* A session that was to outlive iterations and did so has not been cut short. */
    if (ws->was_open && (!ws->is_canceled || ws->call.keeps_alive))
        ws_call_time(&ws->call, M_WS_SESSION_DURATION, ws->call.start_ns);
    ws_free(ws->conn);
    ws->conn = NULL;
    ws->state = WS_CLOSED;
    list_remove(&ws->link);
    JSValue self = ws->self;
    ws->self = JS_UNDEFINED;
    if (ws->is_background)
        js_loop_background_done(vu);
    else
        js_loop_pending_done(vu);
    JS_FreeValue(vu->ctx, self);
}

/* ---------------------------------------------------------------- constructor */

static bool check_url(JSContext *ctx, JSValueConst v, struct websocket *ws, struct js_text *text) {
    struct url url;
    struct error err;
    if (JS_IsUndefined(v) || JS_IsNull(v)) {
        js_throw_go_error(ctx, "WebSocket requires a url");
        return false;
    }
    if (!js_text_get(ctx, v, text))
        return false;
    if (url_parse(text->s, &url, &err)) {
        const char *prefix = "invalid URL: ";
        size_t skip = strncmp(err.text, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;
        js_throw_go_error(ctx,
                          "WebSocket requires valid url, but got \"%.*s\" which resulted in %s",
                          SLICE_FMT(text->s), err.text + skip);
        return false;
    }
    bool ok = false;
    if (!slice_eq(url.scheme, SLICE("ws")) && !slice_eq(url.scheme, SLICE("wss")))
        js_throw_go_error(ctx, "WebSocket requires url with scheme ws or wss, but got \"%.*s\"",
                          SLICE_FMT(url.scheme));
    else if (url.fragment.len)
        js_throw_go_error(ctx, "WebSocket requires no url fragment, but got \"%.*s\"",
                          SLICE_FMT(url.fragment));
    else
        ok = true;
    if (ok)
        ws->url_text = slice_dup(slice_from(url.text, url.text_len));
    url_release(&url);
    return ok;
}

/* A string, or an array of them. */
static bool read_protocols(JSContext *ctx, struct ws_call *call, JSValueConst v) {
    struct buf all;
    struct js_text text;
    bool is_array = JS_IsArray(ctx, v) > 0, ok = true;
    if (compat_on(COMPAT_WEBSOCKET_FIRST_FORM) || (!is_array && !JS_IsString(v)))
        return true;
    buf_init(&all, 64 * 1024);
    for (uint32_t i = 0; ok; i++) {
        JSValue item = is_array ? JS_GetPropertyUint32(ctx, v, i) : JS_DupValue(ctx, v);
        if (JS_IsUndefined(item) || (!is_array && i > 0)) {
            JS_FreeValue(ctx, item);
            break;
        }
        ok = !JS_IsException(item) && js_text_get(ctx, item, &text);
        JS_FreeValue(ctx, item);
        if (ok) {
            if (buf_append_str(&all, i ? ", " : "") || buf_append_slice(&all, text.s)) {
                js_throw_go_error(ctx, "too many subprotocols");
                ok = false;
            }
            js_text_release(&text);
        }
    }
    size_t len = all.len;
    if (ok && len) {
        call->protocols = buf_detach(&all, NULL);
        call->params.protocols = slice_from(call->protocols, len);
    }
    buf_release(&all);
    return ok;
}

static JSValue websocket_constructor(JSContext *ctx, JSValueConst new_target, int argc,
                                     JSValueConst *argv) {
    (void)new_target;
    struct vu *vu = vu_from_ctx(ctx);
    struct js_text text = {.ctx = NULL};
    if (!js_require_vu_context(vu, "using websockets in the init context is not supported"))
        return JS_EXCEPTION;
    JSValue v = JS_NewObjectClass(ctx, (int)websocket_class);
    if (JS_IsException(v))
        return v;
    struct websocket *ws = xcalloc(1, sizeof *ws);
    ws->vu = vu;
    ws->self = JS_UNDEFINED;
    for (int i = 0; i < WS_EVENT_TYPES; i++)
        ws->listeners[i].on = JS_UNDEFINED;
    JS_SetOpaque(v, ws);
    bool ok = check_url(ctx, argc > 0 ? argv[0] : JS_UNDEFINED, ws, &text);
    if (ok) {
        ws_call_init(&ws->call, vu, WS_MODULE_LOOP, slice_cstr(ws->url_text));
        ok = ws_call_read(&ws->call, argc > 2 ? argv[2] : JS_UNDEFINED) &&
             read_protocols(ctx, &ws->call, argc > 1 ? argv[1] : JS_UNDEFINED);
    }
    if (text.ctx)
        js_text_release(&text);
    if (!ok) {
        JS_FreeValue(ctx, v);
        return JS_EXCEPTION;
    }
    ws->self = JS_DupValue(ctx, v);
    list_push_back(&module_of(vu)->active, &ws->link);
    ws->is_background = ws->call.keeps_alive;
    if (ws->is_background)
        js_loop_background_add(vu);
    else
        js_loop_pending_add(vu);
    websocket_start(ws);
    return v;
}

/* ---------------------------------------------------------------- methods */

static struct websocket *open_socket(JSContext *ctx, JSValueConst this_val) {
    struct websocket *ws = JS_GetOpaque2(ctx, this_val, websocket_class);
    if (ws && ws->state != WS_OPEN) {
        js_throw_go_error(ctx, "InvalidStateError");
        return NULL;
    }
    return ws;
}

static JSValue queue(struct websocket *ws, enum ws_opcode opcode, struct slice data) {
    if (opcode != WS_PING)
        ws->buffered_bytes += data.len;
    return websocket_queue(ws, opcode, data) ? JS_UNDEFINED : JS_EXCEPTION;
}

static JSValue js_send(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct websocket *ws = open_socket(ctx, this_val);
    JSValueConst v = argc > 0 ? argv[0] : JS_UNDEFINED;
    const uint8_t *bytes;
    struct slice data;
    if (!ws)
        return JS_EXCEPTION;
    if (JS_IsString(v)) {
        struct js_text text;
        if (!js_text_get(ctx, v, &text))
            return JS_EXCEPTION;
        JSValue r = queue(ws, WS_TEXT, text.s);
        js_text_release(&text);
        return r;
    }
    if (js_bytes(ctx, v, &bytes, &data.len))
        data.ptr = (const char *)bytes;
    else if (compat_on(COMPAT_WEBSOCKET_FIRST_FORM) || !js_blob_get(v, &data))
        return js_throw_go_error(ctx, "unsupported send type %s", go_type_name(ctx, v));
    return queue(ws, WS_BINARY, data);
}

static JSValue js_ping(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)argc;
    (void)argv;
    char id[24];
    struct websocket *ws = open_socket(ctx, this_val);
    return ws ? queue(ws, WS_PING, ws_pings_next(&ws->pings, id)) : JS_EXCEPTION;
}

static bool check_close(JSContext *ctx, int64_t code, struct slice reason) {
    if (compat_on(COMPAT_WEBSOCKET_FIRST_FORM))
        return true;
    if (code != 0 && code != WS_CLOSE_NORMAL && (code < 3000 || code > 4999))
        js_throw_go_error(ctx,
                          "InvalidAccessError: Failed to execute 'close' on 'WebSocket': The close "
                          "code must be either 1000, or between 3000 and 4999. %lld is neither",
                          (long long)code);
    else if (reason.len > CLOSE_REASON_MAX)
        js_throw_go_error(ctx, "SyntaxError: Failed to execute 'close' on 'WebSocket': The message "
                               "must not be greater than 123 bytes");
    else
        return true;
    return false;
}

static JSValue js_close(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct websocket *ws = JS_GetOpaque2(ctx, this_val, websocket_class);
    struct js_text reason;
    int64_t code;
    JSValue r = JS_EXCEPTION;
    if (!ws || !go_int_arg(ctx, argc, argv, 0, &code) ||
        !go_string_arg(ctx, argc, argv, 1, &reason))
        return JS_EXCEPTION;
    if (ws->state == WS_CLOSED || ws->state == WS_CLOSING) {
        r = JS_UNDEFINED;
    } else if (check_close(ctx, code, reason.s)) {
        uint8_t payload[WS_CONTROL_MAX];
        code = code > 0 && code <= UINT16_MAX ? code : WS_CLOSE_NORMAL;
        size_t n = ws_close_payload(payload, (int)code, reason.s);
        ws->state = WS_CLOSING;
        ws->close_code = (int)code;
        r = JS_UNDEFINED;
        if (!websocket_queue(ws, WS_CLOSE, slice_from((const char *)payload, n)))
            r = JS_EXCEPTION;
    }
    js_text_release(&reason);
    return r;
}

static JSValue js_add_listener(JSContext *ctx, JSValueConst this_val, int argc,
                               JSValueConst *argv) {
    struct websocket *ws = JS_GetOpaque2(ctx, this_val, websocket_class);
    JSValueConst fn = argc > 1 ? argv[1] : JS_UNDEFINED;
    struct js_text name;
    if (!ws || !go_string_arg(ctx, argc, argv, 0, &name))
        return JS_EXCEPTION;
    JSValue r = JS_UNDEFINED;
    int type = 0;
    while (type < WS_EVENT_TYPES && !slice_eq(name.s, slice_cstr(ws_event_names[type])))
        type++;
    if (!JS_IsFunction(ctx, fn)) {
        r = js_throw_go_error(ctx, "handler for event type \"%.*s\" isn't a callable function",
                              SLICE_FMT(name.s));
    } else if (type == WS_EVENT_TYPES) {
        log_printf(LOG_WARN, "can't add event handler: unknown event type: %.*s",
                   SLICE_FMT(name.s));
    } else {
        struct ws_listeners *l = &ws->listeners[type];
        l->list = xrealloc(l->list, (l->len + 1) * sizeof *l->list);
        l->list[l->len++] = JS_DupValue(ctx, fn);
    }
    js_text_release(&name);
    return r;
}

/* ---------------------------------------------------------------- properties */

enum property { URL, READY_STATE, BUFFERED_AMOUNT, EXTENSIONS, PROTOCOL, BINARY_TYPE };

static JSValue extensions_value(JSContext *ctx, const struct websocket *ws) {
    JSValue list = JS_NewArray(ctx);
    if (ws->extensions)
        JS_SetPropertyUint32(ctx, list, 0, JS_NewString(ctx, ws->extensions));
    return list;
}

static JSValue js_get(JSContext *ctx, JSValueConst this_val, int magic) {
    const struct websocket *ws = JS_GetOpaque(this_val, websocket_class);
    bool is_first_form = compat_on(COMPAT_WEBSOCKET_FIRST_FORM);
    if (!ws)
        return JS_UNDEFINED;
    switch (magic) {
    case URL:
        return JS_NewString(ctx, ws->url_text);
    case READY_STATE:
        return JS_NewInt32(ctx, ws->state);
    case BUFFERED_AMOUNT:
        return JS_NewInt64(ctx, is_first_form ? 0 : (int64_t)ws->buffered_bytes);
    case EXTENSIONS:
        return is_first_form ? JS_UNDEFINED : extensions_value(ctx, ws);
    case PROTOCOL:
        return is_first_form ? JS_UNDEFINED : JS_NewString(ctx, ws->protocol ? ws->protocol : "");
    default:
        if (is_first_form && !ws->is_binary_type_set)
            return JS_NewString(ctx, "");
        return JS_NewString(ctx, ws->is_arraybuffer ? "arraybuffer" : "blob");
    }
}

static JSValue js_set_binary_type(JSContext *ctx, JSValueConst this_val, JSValueConst v,
                                  int magic) {
    (void)magic;
    struct websocket *ws = JS_GetOpaque2(ctx, this_val, websocket_class);
    bool is_first_form = compat_on(COMPAT_WEBSOCKET_FIRST_FORM);
    struct js_text text;
    if (!ws || !js_text_get(ctx, v, &text))
        return JS_EXCEPTION;
    bool is_arraybuffer = slice_eq(text.s, SLICE("arraybuffer"));
    bool is_blob = slice_eq(text.s, SLICE("blob"));
    JSValue r = JS_UNDEFINED;
    if (is_first_form && is_blob)
        r = js_throw_go_error(ctx, "blob is currently not supported, only arraybuffer is.");
    else if (is_first_form && !is_arraybuffer)
        r = js_throw_go_error(ctx, "unknown binaryType %.*s, the supported one is arraybuffer.",
                              SLICE_FMT(text.s));
    else if (!is_arraybuffer && !is_blob)
        r = js_throw_go_error(ctx,
                              "unknown binaryType %.*s, the supported ones are \"blob\" and "
                              "\"arraybuffer\"",
                              SLICE_FMT(text.s));
    else {
        ws->is_arraybuffer = is_arraybuffer;
        ws->is_binary_type_set = true;
    }
    js_text_release(&text);
    return r;
}

static JSValue js_get_on(JSContext *ctx, JSValueConst this_val, int type) {
    const struct websocket *ws = JS_GetOpaque(this_val, websocket_class);
    if (!ws || JS_IsUndefined(ws->listeners[type].on))
        return JS_NULL;
    return JS_DupValue(ctx, ws->listeners[type].on);
}

static JSValue js_set_on(JSContext *ctx, JSValueConst this_val, JSValueConst v, int type) {
    struct websocket *ws = JS_GetOpaque2(ctx, this_val, websocket_class);
    if (!ws)
        return JS_EXCEPTION;
    bool is_unset = JS_IsUndefined(v) || JS_IsNull(v);
    if (!is_unset && !JS_IsFunction(ctx, v))
        return js_throw_go_error(ctx, "a value for 'on%s' should be callable",
                                 ws_event_names[type]);
    JS_FreeValue(ctx, ws->listeners[type].on);
    ws->listeners[type].on = is_unset ? JS_UNDEFINED : JS_DupValue(ctx, v);
    return JS_UNDEFINED;
}

/* ---------------------------------------------------------------- module */

#define READY_STATES                                                    \
    JS_PROP_INT32_DEF("CONNECTING", WS_CONNECTING, JS_PROP_ENUMERABLE), \
        JS_PROP_INT32_DEF("OPEN", WS_OPEN, JS_PROP_ENUMERABLE),         \
        JS_PROP_INT32_DEF("CLOSING", WS_CLOSING, JS_PROP_ENUMERABLE),   \
        JS_PROP_INT32_DEF("CLOSED", WS_CLOSED, JS_PROP_ENUMERABLE)

static const JSCFunctionListEntry members[] = {
    JS_CFUNC_DEF("addEventListener", 2, js_add_listener),
    JS_CFUNC_DEF("send", 1, js_send),
    JS_CFUNC_DEF("ping", 0, js_ping),
    JS_CFUNC_DEF("close", 2, js_close),
    JS_CGETSET_MAGIC_DEF("url", js_get, NULL, URL),
    JS_CGETSET_MAGIC_DEF("readyState", js_get, NULL, READY_STATE),
    JS_CGETSET_MAGIC_DEF("bufferedAmount", js_get, NULL, BUFFERED_AMOUNT),
    JS_CGETSET_MAGIC_DEF("extensions", js_get, NULL, EXTENSIONS),
    JS_CGETSET_MAGIC_DEF("protocol", js_get, NULL, PROTOCOL),
    JS_CGETSET_MAGIC_DEF("binaryType", js_get, js_set_binary_type, BINARY_TYPE),
    JS_CGETSET_MAGIC_DEF("onopen", js_get_on, js_set_on, WS_ON_OPEN),
    JS_CGETSET_MAGIC_DEF("onmessage", js_get_on, js_set_on, WS_ON_MESSAGE),
    JS_CGETSET_MAGIC_DEF("onerror", js_get_on, js_set_on, WS_ON_ERROR),
    JS_CGETSET_MAGIC_DEF("onclose", js_get_on, js_set_on, WS_ON_CLOSE),
    JS_CGETSET_MAGIC_DEF("onping", js_get_on, js_set_on, WS_ON_PING),
    JS_CGETSET_MAGIC_DEF("onpong", js_get_on, js_set_on, WS_ON_PONG),
};
static const JSCFunctionListEntry ready_states[] = {READY_STATES};

static JSValue new_class(JSContext *ctx) {
    JSRuntime *rt = JS_GetRuntime(ctx);
    JS_NewClassID(&websocket_class);
    if (!JS_IsRegisteredClass(rt, websocket_class) &&
        JS_NewClass(rt, websocket_class, &websocket_class_def))
        return JS_EXCEPTION;
    JSValue proto = JS_NewObject(ctx);
    JSValue ctor =
        JS_NewCFunction2(ctx, websocket_constructor, "WebSocket", 3, JS_CFUNC_constructor, 0);
    JS_SetPropertyFunctionList(ctx, proto, members, countof(members));
    if (!compat_on(COMPAT_WEBSOCKET_FIRST_FORM)) {
        JS_SetPropertyFunctionList(ctx, proto, ready_states, countof(ready_states));
        JS_SetPropertyFunctionList(ctx, ctor, ready_states, countof(ready_states));
    }
    JS_SetConstructor(ctx, ctor, proto);
    JS_SetClassProto(ctx, websocket_class, proto);
    return ctor;
}

static int declare(JSContext *ctx, JSModuleDef *m) {
    int rc = JS_AddModuleExport(ctx, m, "WebSocket");
    if (!compat_on(COMPAT_WEBSOCKET_FIRST_FORM))
        rc |= JS_AddModuleExport(ctx, m, "Blob");
    return rc;
}

static int init(JSContext *ctx, JSModuleDef *m) {
    struct vu *vu = vu_from_ctx(ctx);
    if (!module_of(vu)) {
        struct websockets_module *mod = xcalloc(1, sizeof *mod);
        list_init(&mod->active);
        vu->module_state[JS_SLOT_WEBSOCKETS] = mod;
    }
    if (!compat_on(COMPAT_WEBSOCKET_FIRST_FORM))
        JS_SetModuleExport(ctx, m, "Blob", js_blob_class(ctx));
    return JS_SetModuleExport(ctx, m, "WebSocket", new_class(ctx));
}

static int init_experimental(JSContext *ctx, JSModuleDef *m) {
    static _Atomic bool is_warned;
    if (!compat_on(COMPAT_WEBSOCKET_FIRST_FORM) && !is_warned) {
        is_warned = true;
        log_printf(LOG_WARN, "k6/experimental/websockets is deprecated and will be removed in a "
                             "future release. Please use k6/websockets instead.");
    }
    return init(ctx, m);
}

static void module_free(struct vu *vu) {
    free(module_of(vu));
    vu->module_state[JS_SLOT_WEBSOCKETS] = NULL;
}

static void module_cancel(struct vu *vu) {
    struct websockets_module *mod = module_of(vu);
    for (struct list *l = mod ? mod->active.next : NULL; l && l != &mod->active; l = l->next) {
        struct websocket *ws = container_of(l, struct websocket, link);
        if (ws->is_background && !vu->is_interrupted && !vu->is_leaving)
            continue; /* an iteration has failed: the socket is for the next one, too */
        if (ws->is_background) {
            ws->is_background = false;
            js_loop_pending_add(vu);
            js_loop_background_done(vu);
        }
        websocket_cancel(ws);
    }
}

const struct js_module js_mod_websockets = {"k6/websockets", declare, init, module_free,
                                            module_cancel};
const struct js_module js_mod_experimental_websockets = {
    .specifier = "k6/experimental/websockets", .declare = declare, .init = init_experimental};
