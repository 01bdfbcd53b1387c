/* Tasks of WebSockets, on the VU's fiber: state changes, samples, events. */
#include <stdlib.h>

#include "base/check.h"
#include "base/compat.h"
#include "base/log.h"
#include "js/go_args.h"
#include "js/js_util.h"
#include "js/mod/blob.h"
#include "js/mod/websockets.h"

struct ws_task {
    struct js_completion completion;
    struct websocket *ws;
    enum ws_task_kind kind;
    int code;
    int64_t wall_ns;
    size_t len, reason_len;
    char data[]; /* and the reason behind it */
};

/* ---------------------------------------------------------------- events */

static void define(JSContext *ctx, JSValueConst o, const char *name, JSValue v) {
    JS_DefinePropertyValueStr(ctx, o, name, v, JS_PROP_ENUMERABLE);
}

static JSValue new_event(struct websocket *ws, enum ws_event_type type, int64_t wall_ns) {
    JSContext *ctx = ws->vu->ctx;
    JSValue e = JS_NewObject(ctx);
    define(ctx, e, "type", JS_NewString(ctx, ws_event_names[type]));
    define(ctx, e, "target", JS_DupValue(ctx, ws->self));
    define(ctx, e, "timestamp", JS_NewFloat64(ctx, (double)wall_ns / (double)NS_PER_MS));
    return e;
}

/* Calls one listener; false with its exception pending. */
static bool call(JSContext *ctx, JSValueConst fn, JSValueConst event) {
    JSValue f = JS_DupValue(ctx, fn); /* it may remove itself */
    JSValue r = JS_Call(ctx, f, JS_UNDEFINED, 1, &event);
    JS_FreeValue(ctx, f);
    JS_FreeValue(ctx, r);
    return !JS_IsException(r);
}

/* Calls the listeners there are now, the onX property first. Frees event. */
static bool dispatch(struct websocket *ws, enum ws_event_type type, JSValue event) {
    JSContext *ctx = ws->vu->ctx;
    const struct ws_listeners *l = &ws->listeners[type];
    size_t n = l->len;
    bool ok = JS_IsUndefined(l->on) || call(ctx, l->on, event);
    for (size_t i = 0; i < n && ok; i++)
        ok = call(ctx, l->list[i], event);
    JS_FreeValue(ctx, event);
    return ok;
}

static bool has_listeners(const struct websocket *ws, enum ws_event_type type) {
    return ws->listeners[type].len > 0 || !JS_IsUndefined(ws->listeners[type].on);
}

static bool emit(struct websocket *ws, enum ws_event_type type, int64_t wall_ns) {
    return !has_listeners(ws, type) || dispatch(ws, type, new_event(ws, type, wall_ns));
}

static bool emit_error(struct websocket *ws, struct slice words, int64_t wall_ns) {
    if (!has_listeners(ws, WS_ON_ERROR))
        return true;
    JSValue e = new_event(ws, WS_ON_ERROR, wall_ns);
    define(ws->vu->ctx, e, "error", go_string_new(ws->vu->ctx, words));
    return dispatch(ws, WS_ON_ERROR, e);
}

static bool emit_close(struct websocket *ws, int64_t wall_ns) {
    JSContext *ctx = ws->vu->ctx;
    if (!has_listeners(ws, WS_ON_CLOSE))
        return true;
    JSValue e = new_event(ws, WS_ON_CLOSE, wall_ns);
    if (!compat_on(COMPAT_WEBSOCKET_FIRST_FORM)) {
        if (ws->close_code)
            define(ctx, e, "code", JS_NewInt32(ctx, ws->close_code));
        define(ctx, e, "reason", JS_NewString(ctx, ws->close_reason ? ws->close_reason : ""));
    }
    return dispatch(ws, WS_ON_CLOSE, e);
}

/* The connection has ended. An exception of a listener stays pending. */
static bool closed(struct websocket *ws, struct slice error, int64_t wall_ns) {
    if (ws->state == WS_CLOSED)
        return true;
    ws->state = WS_CLOSED;
    websocket_abort(ws);
    if (error.len && !emit_error(ws, error, wall_ns))
        return false;
    return emit_close(ws, wall_ns);
}

/* "Error: boom at onmessage (file:///x.js:3:5(0))": Go's words for an exception. */
static char *exception_words(JSContext *ctx, JSValueConst e) {
    char *text = js_error_text(ctx, e);
    char *end = strchr(text, '\n');
    if (end && end[1] == '\t') {
        *end = ' ';
        memmove(end + 1, end + 2, strlen(end + 2) + 1);
        end = strchr(end, '\n');
    }
    if (end)
        *end = '\0';
    return text;
}

/* A listener threw: the socket is closed with that error, and the iteration fails with it. */
static void fail(struct websocket *ws, int64_t wall_ns) {
    JSContext *ctx = ws->vu->ctx;
    if (ws->vu->is_interrupted)
        return;
    JSValue e = JS_GetException(ctx);
    char *words = exception_words(ctx, e);
    if (!closed(ws, slice_cstr(words), wall_ns))
        JS_FreeValue(ctx, JS_GetException(ctx));
    free(words);
    JS_Throw(ctx, e);
}

/* ---------------------------------------------------------------- tasks */

static JSValue message_data(struct websocket *ws, const struct ws_task *t) {
    JSContext *ctx = ws->vu->ctx;
    struct slice data = slice_from(t->data, t->len);
    if (t->kind == WS_TASK_TEXT)
        return go_string_new(ctx, data);
    if (compat_on(COMPAT_WEBSOCKET_FIRST_FORM) && !ws->is_binary_type_set) {
        ws->is_binary_type_set = ws->is_arraybuffer = true;
        log_printf(LOG_WARN,
                   "You have not set a Websocket binaryType to \"arraybuffer\", but you got a "
                   "binary response. This has been done automatically now, but in the future this "
                   "will not work.");
    }
    return ws->is_arraybuffer ? JS_NewArrayBufferCopy(ctx, (const uint8_t *)data.ptr, data.len)
                              : js_blob_new(ctx, data, SLICE(""));
}

static void on_message(struct websocket *ws, const struct ws_task *t) {
    JSContext *ctx = ws->vu->ctx;
    if (ws->state != WS_OPEN)
        return;
    ws_call_count(&ws->call, M_WS_MSGS_RECEIVED);
    if (!has_listeners(ws, WS_ON_MESSAGE))
        return;
    JSValue e = new_event(ws, WS_ON_MESSAGE, t->wall_ns);
    define(ctx, e, "data", message_data(ws, t));
    define(ctx, e, "origin", JS_NewString(ctx, ws->url_text));
    if (!dispatch(ws, WS_ON_MESSAGE, e))
        fail(ws, t->wall_ns);
}

static void on_connected(struct websocket *ws, const struct ws_task *t) {
    ws->was_open = true;
    if (ws->state != WS_CONNECTING)
        return;
    ws->state = WS_OPEN;
    if (!emit(ws, WS_ON_OPEN, t->wall_ns))
        fail(ws, t->wall_ns);
}

static void on_pong(struct websocket *ws, const struct ws_task *t) {
    struct slice id = slice_from(t->data, t->len);
    int64_t sent_ns = ws_pings_find(&ws->pings, id);
    if (sent_ns)
        ws_call_time(&ws->call, M_WS_PING, sent_ns);
    else
        log_printf(LOG_WARN, "received pong for unknown ping ID %.*s", SLICE_FMT(id));
    emit(ws, WS_ON_PONG, t->wall_ns);
}

static void on_closed(struct websocket *ws, const struct ws_task *t) {
    if (t->code && ws->state != WS_CLOSED) {
        ws->close_code = t->code;
        free(ws->close_reason);
        ws->close_reason = slice_dup(slice_from(t->data + t->len, t->reason_len));
    }
    closed(ws, slice_from(t->data, t->len), t->wall_ns);
}

static void run_kind(struct websocket *ws, const struct ws_task *t) {
    switch (t->kind) {
    case WS_TASK_CONNECTED:
        on_connected(ws, t);
        break;
    case WS_TASK_TEXT:
    case WS_TASK_BINARY:
        on_message(ws, t);
        break;
    case WS_TASK_PING:
        emit(ws, WS_ON_PING, t->wall_ns);
        break;
    case WS_TASK_PONG:
        on_pong(ws, t);
        break;
    case WS_TASK_ERROR:
        emit_error(ws, slice_from(t->data, t->len), t->wall_ns);
        break;
    case WS_TASK_CLOSED:
        on_closed(ws, t);
        break;
    case WS_TASK_DONE:
        break;
    }
}

static void run_task(struct vu *vu, struct js_completion *c) {
    struct ws_task *t = container_of(c, struct ws_task, completion);
    struct websocket *ws = t->ws;
    ws->n_tasks--;
    ws->task_bytes -= t->len;
    if (!ws->is_canceled && !vu->is_interrupted)
        run_kind(ws, t);
    if (t->kind == WS_TASK_DONE)
        websocket_finish(ws);
    else
        fiber_cond_broadcast(&ws->changed);
    free(t);
}

void websocket_post(struct websocket *ws, enum ws_task_kind kind, struct slice data, int code,
                    struct slice reason) {
    struct ws_task *t = xmalloc(sizeof *t + data.len + reason.len);
    *t = (struct ws_task){.completion = {.run = run_task},
                          .ws = ws,
                          .kind = kind,
                          .code = code,
                          .wall_ns = clock_wall_ns(),
                          .len = data.len,
                          .reason_len = reason.len};
    if (data.len)
        memcpy(t->data, data.ptr, data.len);
    if (reason.len)
        memcpy(t->data + data.len, reason.ptr, reason.len);
    ws->n_tasks++;
    ws->task_bytes += data.len;
    js_loop_complete(ws->vu, &t->completion);
}
