/* k6/ws: connect() blocks the VU; a reading fiber queues what comes, and the loop of connect() runs
 * the script's handlers and timers until the socket is closed. */
#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "js/go_args.h"
#include "js/go_types.h"
#include "js/js_util.h"
#include "js/mod.h"
#include "js/mod/handlers.h"
#include "js/mod/http_internal.h"
#include "js/mod/ws_call.h"

#define READER_STACK_BYTES (128 * 1024)
/* The reader waits for the script beyond these. */
#define QUEUE_MAX 256
#define QUEUE_BYTES_MAX ((size_t)16 << 20)

struct timer {
    int64_t due_ns, interval_ns; /* interval 0: once */
    JSValue fn;
};

enum item_kind { ITEM_TEXT, ITEM_BINARY, ITEM_PING, ITEM_PONG, ITEM_ERROR, ITEM_END };

struct item {
    struct list link;
    enum item_kind kind;
    int code; /* ITEM_END: the code that the close event shows */
    size_t len;
    char data[];
};

struct socket {
    struct ws_call call;
    struct vu *vu;
    JSContext *ctx;
    struct ws_conn *conn; /* NULL once connect() is over */
    struct js_handlers handlers;
    struct timer *timers;
    size_t n_timers;
    struct ws_pings pings;
    bool is_closed;
    bool is_closing; /* the reader has to end */
    struct list queue;
    size_t queued, queued_bytes;
    struct fiber *reader;
    struct fiber_cond changed;
};

static JSClassID socket_class;

/* ---------------------------------------------------------------- object */

static void socket_free(JSRuntime *rt, struct socket *s) {
    js_handlers_release(&s->handlers, rt);
    for (size_t i = 0; i < s->n_timers; i++)
        JS_FreeValueRT(rt, s->timers[i].fn);
    free(s->timers);
    free(s->pings.sent_ns);
    ws_call_release(&s->call);
    free(s);
}

static void socket_finalizer(JSRuntime *rt, JSValue v) {
    struct socket *s = JS_GetOpaque(v, socket_class);
    if (s)
        socket_free(rt, s);
}

static void socket_mark(JSRuntime *rt, JSValueConst v, JS_MarkFunc *mark) {
    struct socket *s = JS_GetOpaque(v, socket_class);
    if (s)
        js_handlers_mark(&s->handlers, rt, mark);
    for (size_t i = 0; s && i < s->n_timers; i++)
        JS_MarkValue(rt, s->timers[i].fn, mark);
}

static const JSClassDef socket_class_def = {"Socket", .finalizer = socket_finalizer,
                                            .gc_mark = socket_mark};

/* ---------------------------------------------------------------- events */

/* False with an exception pending. */
static bool emit(struct socket *s, const char *event, JSValue arg) {
    return js_handlers_emit(&s->handlers, s->ctx, slice_cstr(event), arg);
}

static bool emit_error(struct socket *s, const char *words) {
    return emit(s, "error", go_error_object(s->ctx, words));
}

/* Sends the close frame and tells the script, once. False with an exception pending. */
static bool close_socket(struct socket *s, int code) {
    struct error err;
    bool ok = true;
    if (s->is_closed)
        return true;
    s->is_closed = true;
    int rc = ws_write_close(s->conn, code, SLICE(""), clock_now_ns() + WS_CONTROL_WAIT_NS, &err);
    if (s->vu->is_interrupted)
        return true;
    if (rc)
        ok = emit_error(s, err.text);
    if (ok)
        ok = emit(s, "close", JS_NewInt32(s->ctx, code));
    return ok;
}

/* ---------------------------------------------------------------- reading */

static void push(struct socket *s, enum item_kind kind, struct slice data, int code) {
    struct item *it = xmalloc(sizeof *it + data.len + 1);
    it->kind = kind;
    it->code = code;
    it->len = data.len;
    if (data.len)
        memcpy(it->data, data.ptr, data.len);
    it->data[data.len] = '\0';
    list_push_back(&s->queue, &it->link);
    s->queued++;
    s->queued_bytes += data.len;
    fiber_cond_broadcast(&s->changed);
}

/* The connection has ended: unexpected ends are errors, and every end has a code. */
static void push_end(struct socket *s, int rc, const struct ws_event *e) {
    struct error err;
    bool has_code = (rc == 0 || rc == KE_EOF) && e->opcode == WS_CLOSE && e->close_code;
    int code = has_code ? e->close_code : WS_CLOSE_GOING_AWAY;
    if (code != WS_CLOSE_NORMAL && code != WS_CLOSE_GOING_AWAY) {
        ws_close_error(&err, code, e->data);
        push(s, ITEM_ERROR, slice_cstr(err.text), 0);
    }
    push(s, ITEM_END, SLICE(""), code);
}

static void read_all(struct socket *s) {
    struct ws_event e;
    struct error err;
    while (!s->is_closing) {
        if (s->queued >= QUEUE_MAX || s->queued_bytes >= QUEUE_BYTES_MAX) {
            if (fiber_cond_wait(&s->changed, NEVER_NS))
                return;
            continue;
        }
        int rc = ws_read(s->conn, &e, NEVER_NS, &err);
        if (rc || e.opcode == WS_CLOSE) {
            push_end(s, rc, &e);
            return;
        }
        if (e.opcode == WS_PING &&
            ws_write(s->conn, WS_PONG, e.data, clock_now_ns() + WS_CONTROL_WAIT_NS, &err))
            push(s, ITEM_ERROR, slice_cstr(err.text), 0);
        push(s,
             e.opcode == WS_TEXT     ? ITEM_TEXT
             : e.opcode == WS_BINARY ? ITEM_BINARY
             : e.opcode == WS_PING   ? ITEM_PING
                                     : ITEM_PONG,
             e.data, 0);
    }
}

static void reader_fiber(void *arg) {
    read_all(arg);
}

static bool handle(struct socket *s, const struct item *it) {
    JSContext *ctx = s->ctx;
    struct slice data = slice_from(it->data, it->len);
    int64_t sent_ns;
    switch (it->kind) {
    case ITEM_TEXT:
        ws_call_count(&s->call, M_WS_MSGS_RECEIVED);
        return emit(s, "message", go_string_new(ctx, data));
    case ITEM_BINARY:
        ws_call_count(&s->call, M_WS_MSGS_RECEIVED);
        return emit(s, "binaryMessage",
                    JS_NewArrayBufferCopy(ctx, (const uint8_t *)data.ptr, data.len));
    case ITEM_PING:
        return emit(s, "ping", JS_UNDEFINED);
    case ITEM_PONG:
        if ((sent_ns = ws_pings_find(&s->pings, data)))
            ws_call_time(&s->call, M_WS_PING, sent_ns);
        return emit(s, "pong", JS_UNDEFINED);
    case ITEM_ERROR:
        return emit_error(s, it->data);
    default:
        return close_socket(s, it->code);
    }
}

/* ---------------------------------------------------------------- the loop of connect() */

static struct timer *next_timer(struct socket *s) {
    struct timer *next = NULL;
    for (size_t i = 0; i < s->n_timers; i++)
        if (!next || s->timers[i].due_ns < next->due_ns)
            next = &s->timers[i];
    return next;
}

static bool run_timer(struct socket *s, struct timer *t) {
    JSContext *ctx = s->ctx;
    JSValue fn = JS_DupValue(ctx, t->fn);
    if (t->interval_ns) {
        int64_t now = clock_now_ns();
        t->due_ns += t->interval_ns; /* as Go's tickers: late ones are dropped */
        if (t->due_ns < now)
            t->due_ns = now + t->interval_ns - (now - t->due_ns) % t->interval_ns;
    } else {
        JS_FreeValue(ctx, t->fn);
        *t = s->timers[--s->n_timers];
    }
    JSValue r = JS_Call(ctx, fn, JS_UNDEFINED, 0, NULL);
    bool ok = !JS_IsException(r);
    JS_FreeValue(ctx, r);
    JS_FreeValue(ctx, fn);
    return ok;
}

/* Runs one thing that is due, or waits for one. False with an exception pending. */
static bool step(struct socket *s) {
    struct timer *t = next_timer(s);
    if (s->vu->is_interrupted) {
        close_socket(s, WS_CLOSE_GOING_AWAY);
        js_throw_interrupted(s->ctx);
        return false;
    }
    if (t && t->due_ns <= clock_now_ns())
        return run_timer(s, t);
    struct list *l = list_pop_front(&s->queue);
    if (l) {
        struct item *it = container_of(l, struct item, link);
        s->queued--;
        s->queued_bytes -= it->len;
        fiber_cond_broadcast(&s->changed);
        bool ok = handle(s, it);
        free(it);
        if (ok && worker_slice_is_over())
            fiber_yield();
        return ok;
    }
    fiber_cond_wait(&s->changed, t ? t->due_ns : NEVER_NS);
    return true;
}

static void end_session(struct socket *s) {
    struct list *l;
    s->is_closing = true;
    if (s->reader) {
        ws_abort(s->conn);
        fiber_cancel(s->reader);
        fiber_join(s->reader);
        s->reader = NULL;
    }
    while ((l = list_pop_front(&s->queue)))
        free(container_of(l, struct item, link));
    ws_free(s->conn);
    s->conn = NULL;
}

/* Setup function, open event, and everything until the socket is closed. */
static bool run_session(struct socket *s, JSValueConst object, JSValueConst setup) {
    JSValue r = JS_Call(s->ctx, setup, JS_UNDEFINED, 1, &object);
    bool ok = !JS_IsException(r);
    JS_FreeValue(s->ctx, r);
    if (ok)
        ok = emit(s, "open", JS_UNDEFINED);
    if (ok && !s->is_closed) {
        s->reader = fiber_start(s->vu->worker, READER_STACK_BYTES, reader_fiber, s);
        while (ok && !s->is_closed)
            ok = step(s);
    }
    if (!ok && !s->is_closed) {
        JSValue exception = JS_GetException(s->ctx);
        if (!close_socket(s, WS_CLOSE_GOING_AWAY))
            JS_FreeValue(s->ctx, JS_GetException(s->ctx));
        JS_Throw(s->ctx, exception);
    }
    end_session(s);
    return ok;
}

/* ---------------------------------------------------------------- connect() */

static JSValue headers_object(JSContext *ctx, const struct ws_response *r) {
    JSValue o = JS_NewObject(ctx);
    struct http_header h;
    for (size_t pos = 0; r->head && ws_response_next(r, &pos, &h);)
        http_header_add(ctx, o, &h);
    return o;
}

static JSValue new_response(JSContext *ctx, struct slice url, const struct ws_response *r,
                            const char *error) {
    JSValue o = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, o, "url", JS_NewStringLen(ctx, url.ptr, url.len));
    JS_SetPropertyStr(ctx, o, "status", JS_NewInt32(ctx, r->status));
    JS_SetPropertyStr(ctx, o, "headers", headers_object(ctx, r));
    JS_SetPropertyStr(ctx, o, "body", go_string_new(ctx, slice_from(r->body, r->body_bytes)));
    JS_SetPropertyStr(ctx, o, "error", go_string_new(ctx, slice_cstr(error)));
    return o;
}

static JSValue connect_and_run(struct socket *s, JSValueConst object, JSValueConst setup) {
    struct ws_response response;
    struct error err = {.code = 0};
    JSContext *ctx = s->ctx;
    JSValue result;
    int rc = ws_call_open(&s->call, &s->conn, &response, &err);
    if (rc == KE_CANCELED)
        result = js_throw_interrupted(ctx);
    else if (rc && s->vu->config->throw_errors)
        result = js_throw_go_error(ctx, "%s", err.text);
    else if (rc)
        result = new_response(ctx, SLICE(""), &response, response.status ? "" : err.text);
    else if (run_session(s, object, setup))
        result = new_response(ctx, s->call.params.url, &response, "");
    else
        result = JS_EXCEPTION;
    ws_call_time(&s->call, M_WS_SESSION_DURATION, s->call.start_ns);
    ws_response_release(&response);
    return result;
}

static JSValue js_connect(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct vu *vu = vu_from_ctx(ctx);
    struct js_text url;
    if (!js_require_vu_context(vu, "using websockets in the init context is not supported"))
        return JS_EXCEPTION;
    if (argc < 2 || argc > 3)
        return js_throw_go_error(ctx, "invalid number of arguments to ws.connect");
    if (!JS_IsFunction(ctx, argv[argc - 1]))
        return js_throw_go_error(ctx, "last argument to ws.connect must be a function");
    if (!go_string_arg(ctx, argc, argv, 0, &url))
        return JS_EXCEPTION;
    JSValue object = JS_NewObjectClass(ctx, (int)socket_class);
    JSValue result = JS_EXCEPTION;
    if (!JS_IsException(object)) {
        struct socket *s = xcalloc(1, sizeof *s);
        s->vu = vu;
        s->ctx = ctx;
        list_init(&s->queue);
        fiber_cond_init(&s->changed);
        JS_SetOpaque(object, s);
        ws_call_init(&s->call, vu, WS_MODULE_BLOCKING, url.s);
        if (ws_call_read(&s->call, argc == 3 ? argv[1] : JS_UNDEFINED))
            result = connect_and_run(s, object, argv[argc - 1]);
        JS_FreeValue(ctx, object);
    }
    js_text_release(&url);
    return result;
}

/* ---------------------------------------------------------------- methods of the socket */

static JSValue js_on(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct socket *s = JS_GetOpaque2(ctx, this_val, socket_class);
    struct js_text event;
    if (!s || !go_string_arg(ctx, argc, argv, 0, &event))
        return JS_EXCEPTION;
    if (argc > 1 && JS_IsFunction(ctx, argv[1]))
        js_handlers_add(&s->handlers, ctx, event.s, argv[1]);
    js_text_release(&event);
    return JS_UNDEFINED;
}

/* A write that fails is an error event; false with an exception pending. */
static bool send_frame(struct socket *s, enum ws_opcode opcode, struct slice data,
                       bool *out_is_sent) {
    struct error err;
    int64_t deadline = opcode == WS_PING ? clock_now_ns() + WS_CONTROL_WAIT_NS : NEVER_NS;
    int rc = s->conn ? ws_write(s->conn, opcode, data, deadline, &err)
                     : error_set(&err, KE_EOF, "websocket: close sent");
    *out_is_sent = rc == 0;
    if (rc == KE_CANCELED || s->vu->is_interrupted) {
        js_throw_interrupted(s->ctx);
        return false;
    }
    return rc == 0 || emit_error(s, err.text);
}

static JSValue send_message(struct socket *s, enum ws_opcode opcode, struct slice data) {
    bool is_sent;
    if (!send_frame(s, opcode, data, &is_sent))
        return JS_EXCEPTION;
    ws_call_count(&s->call, M_WS_MSGS_SENT); /* as k6, whether it went out or not */
    return JS_UNDEFINED;
}

static JSValue js_send(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct socket *s = JS_GetOpaque2(ctx, this_val, socket_class);
    struct js_text text;
    if (!s || !go_string_arg(ctx, argc, argv, 0, &text))
        return JS_EXCEPTION;
    JSValue r = send_message(s, WS_TEXT, text.s);
    js_text_release(&text);
    return r;
}

static JSValue throw_not_a_buffer(JSContext *ctx, JSValueConst v) {
    struct js_text name;
    JSValue shown = JS_DupValue(ctx, v);
    if (!JS_IsUndefined(v) && !JS_IsNull(v)) {
        JSValue ctor = JS_GetPropertyStr(ctx, v, "constructor");
        JS_FreeValue(ctx, shown);
        shown = JS_IsException(ctor) ? ctor : JS_GetPropertyStr(ctx, ctor, "name");
        JS_FreeValue(ctx, ctor);
    }
    bool ok = !JS_IsException(shown) && js_text_get(ctx, shown, &name);
    JS_FreeValue(ctx, shown);
    if (!ok)
        return JS_EXCEPTION;
    js_throw_go_error(ctx, "expected ArrayBuffer as argument, received: %.*s", SLICE_FMT(name.s));
    js_text_release(&name);
    return JS_EXCEPTION;
}

static JSValue js_send_binary(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct socket *s = JS_GetOpaque2(ctx, this_val, socket_class);
    size_t len;
    if (!s)
        return JS_EXCEPTION;
    if (argc == 0)
        return js_throw_go_error(ctx, "missing argument, expected ArrayBuffer");
    uint8_t *bytes = JS_IsObject(argv[0]) ? JS_GetArrayBuffer(ctx, &len, argv[0]) : NULL;
    if (!bytes) {
        const uint8_t *view;
        if (JS_HasException(ctx))
            JS_FreeValue(ctx, JS_GetException(ctx));
        /* An empty ArrayBuffer has no bytes to point to; a view is refused. */
        if (!js_bytes(ctx, argv[0], &view, &len) || len != 0)
            return throw_not_a_buffer(ctx, argv[0]);
    }
    return send_message(s, WS_BINARY, slice_from((const char *)bytes, bytes ? len : 0));
}

static JSValue js_ping(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)argc;
    (void)argv;
    char id[24];
    bool is_sent;
    struct socket *s = JS_GetOpaque2(ctx, this_val, socket_class);
    if (!s)
        return JS_EXCEPTION;
    struct slice payload = ws_pings_next(&s->pings, id);
    return send_frame(s, WS_PING, payload, &is_sent) ? JS_UNDEFINED : JS_EXCEPTION;
}

static JSValue js_close(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct socket *s = JS_GetOpaque2(ctx, this_val, socket_class);
    int64_t code = WS_CLOSE_GOING_AWAY;
    if (!s || (argc > 0 && !go_int_arg(ctx, argc, argv, 0, &code)))
        return JS_EXCEPTION;
    return !s->conn || close_socket(s, (int)code) ? JS_UNDEFINED : JS_EXCEPTION;
}

static JSValue js_set_timer(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                            int is_interval) {
    struct socket *s = JS_GetOpaque2(ctx, this_val, socket_class);
    const char *name = is_interval ? "setInterval" : "setTimeout";
    double ms = 0;
    if (!s || (argc > 1 && JS_ToFloat64(ctx, &ms, argv[1])))
        return JS_EXCEPTION;
    if (argc < 1 || !JS_IsFunction(ctx, argv[0]))
        return js_throw_go_error(ctx, "%s requires a function as first argument", name);
    if (!(ms * 1e6 >= 1))
        return js_throw_go_error(ctx, "%s requires a >0 timeout parameter, received %.2f", name,
                                 isnan(ms) ? 0 : ms);
    int64_t delay_ns = ms < 9e12 ? (int64_t)(ms * 1e6) : (int64_t)9e18;
    int64_t now_ns = clock_now_ns();
    s->timers = xrealloc(s->timers, (s->n_timers + 1) * sizeof *s->timers);
    s->timers[s->n_timers++] =
        (struct timer){delay_ns < NEVER_NS - now_ns ? now_ns + delay_ns : NEVER_NS - 1,
                       is_interval ? delay_ns : 0, JS_DupValue(ctx, argv[0])};
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry methods[] = {
    JS_CFUNC_DEF("on", 2, js_on),
    JS_CFUNC_DEF("send", 1, js_send),
    JS_CFUNC_DEF("sendBinary", 1, js_send_binary),
    JS_CFUNC_DEF("ping", 0, js_ping),
    JS_CFUNC_DEF("close", 1, js_close),
    JS_CFUNC_MAGIC_DEF("setTimeout", 2, js_set_timer, 0),
    JS_CFUNC_MAGIC_DEF("setInterval", 2, js_set_timer, 1),
};

/* ---------------------------------------------------------------- module */

static int declare(JSContext *ctx, JSModuleDef *m) {
    return JS_AddModuleExport(ctx, m, "default") | JS_AddModuleExport(ctx, m, "connect");
}

static int init(JSContext *ctx, JSModuleDef *m) {
    JSRuntime *rt = JS_GetRuntime(ctx);
    JS_NewClassID(&socket_class);
    if (!JS_IsRegisteredClass(rt, socket_class) && JS_NewClass(rt, socket_class, &socket_class_def))
        return -1;
    JSValue proto = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, proto, methods, countof(methods));
    JS_SetClassProto(ctx, socket_class, proto);
    JSValue ws = JS_NewObject(ctx);
    JSValue connect = JS_NewCFunction(ctx, js_connect, "connect", 3);
    JS_SetPropertyStr(ctx, ws, "connect", JS_DupValue(ctx, connect));
    JS_SetModuleExport(ctx, m, "connect", connect);
    return JS_SetModuleExport(ctx, m, "default", ws);
}

const struct js_module js_mod_ws = {.specifier = "k6/ws", .declare = declare, .init = init};
