/* k6/x/sse: open() blocks the VU while a reading fiber queues the events, and runs the script's
 * handlers until the stream ends, as the extension xk6-sse does. EventSource is in event_source.c.
 */
#include <stdlib.h>

#include "base/check.h"
#include "js/go_args.h"
#include "js/js_util.h"
#include "js/mod.h"
#include "js/mod/event_source.h"
#include "js/mod/handlers.h"
#include "js/mod/sse_stream.h"

/* The reader waits for the script beyond these. */
#define QUEUE_MAX 1024
#define QUEUE_BYTES_MAX ((size_t)16 << 20)

struct item {
    struct list link;
    struct sse_event *event;
};

struct client {
    struct sse_stream stream;
    struct js_handlers handlers;
    struct list queue; /* struct item */
    size_t queued, queued_bytes;
    bool is_open, has_ended;
    struct fiber_cond changed;
};

static JSClassID client_class;

/* ---------------------------------------------------------------- object */

static void client_finalizer(JSRuntime *rt, JSValue v) {
    struct client *c = JS_GetOpaque(v, client_class);
    if (!c)
        return;
    js_handlers_release(&c->handlers, rt);
    free(c);
}

static void client_mark(JSRuntime *rt, JSValueConst v, JS_MarkFunc *mark) {
    struct client *c = JS_GetOpaque(v, client_class);
    if (c)
        js_handlers_mark(&c->handlers, rt, mark);
}

static const JSClassDef client_class_def = {"Client", .finalizer = client_finalizer,
                                            .gc_mark = client_mark};

static JSValue js_on(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct client *c = JS_GetOpaque2(ctx, this_val, client_class);
    struct js_text event;
    if (!c || !go_string_arg(ctx, argc, argv, 0, &event))
        return JS_EXCEPTION;
    if (argc > 1 && JS_IsFunction(ctx, argv[1]))
        js_handlers_add(&c->handlers, ctx, event.s, argv[1]);
    js_text_release(&event);
    return JS_UNDEFINED;
}

static JSValue js_close(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)argc;
    (void)argv;
    struct client *c = JS_GetOpaque2(ctx, this_val, client_class);
    if (!c)
        return JS_EXCEPTION;
    sse_stream_close(&c->stream);
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry methods[] = {
    JS_CFUNC_DEF("on", 2, js_on),
    JS_CFUNC_DEF("close", 0, js_close),
};

/* ---------------------------------------------------------------- reading fiber */

static struct client *client_of(struct sse_stream *s) {
    return container_of(s, struct client, stream);
}

static bool on_open(struct sse_stream *s, const struct http_response *r) {
    (void)r;
    fiber_cond_broadcast(&client_of(s)->changed);
    return true;
}

static bool on_event(struct sse_stream *s, struct sse_event *event) {
    struct client *c = client_of(s);
    while (c->queued >= QUEUE_MAX || c->queued_bytes >= QUEUE_BYTES_MAX) {
        if (fiber_cond_wait(&c->changed, NEVER_NS)) {
            free(event);
            return false;
        }
    }
    struct item *it = xmalloc(sizeof *it);
    it->event = event;
    list_push_back(&c->queue, &it->link);
    c->queued++;
    c->queued_bytes += event->bytes;
    fiber_cond_broadcast(&c->changed);
    return true;
}

static void on_end(struct sse_stream *s) {
    struct client *c = client_of(s);
    c->has_ended = true;
    fiber_cond_broadcast(&c->changed);
}

/* ---------------------------------------------------------------- the loop of open() */

static bool emit(struct client *c, const char *event, JSValue arg) {
    return js_handlers_emit(&c->handlers, c->stream.vu->ctx, slice_cstr(event), arg);
}

static JSValue event_object(JSContext *ctx, const struct event_stream_event *e) {
    JSValue o = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, o, "id", go_string_new(ctx, e->id));
    JS_SetPropertyStr(ctx, o, "comment", go_string_new(ctx, e->comment));
    JS_SetPropertyStr(ctx, o, "name", go_string_new(ctx, e->name));
    JS_SetPropertyStr(ctx, o, "data", go_string_new(ctx, e->data));
    return o;
}

static bool handle(struct client *c, const struct event_stream_event *e) {
    JSContext *ctx = c->stream.vu->ctx;
    if (e->is_unknown_line) {
        char *words = xasprintf("unknown event: %.*s\n", SLICE_FMT(e->data));
        bool ok = emit(c, "error", go_error_object(ctx, words));
        free(words);
        return ok;
    }
    sse_stream_count(&c->stream);
    return emit(c, "event", event_object(ctx, e));
}

static struct sse_event *next_event(struct client *c) {
    struct list *l = list_pop_front(&c->queue);
    if (!l)
        return NULL;
    struct item *it = container_of(l, struct item, link);
    struct sse_event *event = it->event;
    c->queued--;
    c->queued_bytes -= event->bytes;
    fiber_cond_broadcast(&c->changed);
    free(it);
    return event;
}

/* The setup function, which registers the handlers, and the open event. */
static bool begin(struct client *c, JSValueConst object, JSValueConst setup) {
    JSContext *ctx = c->stream.vu->ctx;
    c->is_open = true;
    JSValue r = JS_Call(ctx, setup, JS_UNDEFINED, 1, &object);
    bool ok = !JS_IsException(r);
    JS_FreeValue(ctx, r);
    return ok && emit(c, "open", JS_UNDEFINED);
}

/* Runs what is there, or waits. False with an exception pending. */
static bool step(struct client *c, JSValueConst object, JSValueConst setup) {
    struct vu *vu = c->stream.vu;
    if (vu->is_interrupted) {
        js_throw_interrupted(vu->ctx);
        return false;
    }
    if (c->stream.is_open && !c->is_open)
        return begin(c, object, setup);
    struct sse_event *event = c->stream.is_closing ? NULL : next_event(c);
    if (!event) {
        fiber_cond_wait(&c->changed, NEVER_NS);
        return true;
    }
    bool ok = handle(c, &event->e);
    free(event);
    if (ok && worker_slice_is_over())
        fiber_yield();
    return ok;
}

static bool is_over(const struct client *c) {
    bool is_all_seen = list_empty(&c->queue) && (c->is_open || !c->stream.is_open);
    return c->has_ended && (is_all_seen || c->stream.is_closing);
}

/* The reading fiber is gone afterwards. */
static void end(struct client *c) {
    struct sse_event *event;
    sse_stream_close(&c->stream);
    fiber_mask_cancel(c->stream.vu->fiber);
    while (!c->has_ended) {
        fiber_cond_broadcast(&c->changed);
        fiber_cond_wait(&c->changed, NEVER_NS);
    }
    fiber_unmask_cancel(c->stream.vu->fiber);
    while ((event = next_event(c)))
        free(event);
}

static JSValue result_object(struct client *c, const char *error) {
    JSContext *ctx = c->stream.vu->ctx;
    const struct http_response *r = error ? NULL : sse_stream_response(&c->stream);
    struct slice url = r ? r->url_text : SLICE("");
    JSValue o = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, o, "url", go_string_new(ctx, url));
    JS_SetPropertyStr(ctx, o, "status", JS_NewInt32(ctx, r ? r->status : 0));
    JS_SetPropertyStr(ctx, o, "headers", r ? http_headers_object(ctx, r) : JS_NULL);
    JS_SetPropertyStr(ctx, o, "error", go_string_new(ctx, slice_cstr(error ? error : "")));
    return o;
}

static JSValue failed(struct client *c) {
    JSContext *ctx = c->stream.vu->ctx;
    if (c->stream.call.throws)
        return js_throw_go_error(ctx, "%s", c->stream.err.text);
    return result_object(c, c->stream.err.text);
}

static JSValue run(struct client *c, JSValueConst object, JSValueConst setup) {
    bool ok = true;
    sse_stream_start(&c->stream);
    while (ok && !is_over(c))
        ok = step(c, object, setup);
    bool is_cut = c->stream.is_closing;
    end(c);
    if (!ok)
        return JS_EXCEPTION;
    if (!c->is_open)
        return failed(c);
    if (c->stream.rc && !is_cut &&
        !emit(c, "error", go_error_object(c->stream.vu->ctx, c->stream.err.text)))
        return JS_EXCEPTION;
    return result_object(c, NULL);
}

static int read_request(struct client *c, struct vu *vu, JSValueConst url, JSValueConst params) {
    JSContext *ctx = vu->ctx;
    JSValue method = JS_UNDEFINED, body = JS_UNDEFINED;
    if (JS_IsObject(params)) {
        method = JS_GetPropertyStr(ctx, params, "method");
        body = JS_GetPropertyStr(ctx, params, "body");
    }
    bool ok = !JS_IsException(method) && !JS_IsException(body);
    int rc = ok ? sse_stream_init(&c->stream, vu, method, url, body, params) : KE_JS;
    JS_FreeValue(ctx, method);
    JS_FreeValue(ctx, body);
    return rc;
}

static JSValue js_open(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct vu *vu = vu_from_ctx(ctx);
    if (!js_require_vu_context(vu, "using sse in the init context is not supported"))
        return JS_EXCEPTION;
    if (argc < 2 || argc > 3)
        return js_throw_go_error(ctx, "invalid number of arguments to sse.open");
    if (!JS_IsFunction(ctx, argv[argc - 1]))
        return js_throw_go_error(ctx, "last argument to sse.open must be a function");
    JSValue object = JS_NewObjectClass(ctx, (int)client_class);
    if (JS_IsException(object))
        return object;
    struct client *c = xcalloc(1, sizeof *c);
    JS_SetOpaque(object, c);
    list_init(&c->queue);
    fiber_cond_init(&c->changed);
    c->stream.on_open = on_open;
    c->stream.on_event = on_event;
    c->stream.on_end = on_end;
    int rc = read_request(c, vu, argv[0], argc == 3 ? argv[1] : JS_UNDEFINED);
    JSValue result = rc == 0       ? run(c, object, argv[argc - 1])
                     : rc == KE_JS ? JS_EXCEPTION
                                   : failed(c);
    sse_stream_release(&c->stream);
    JS_FreeValue(ctx, object);
    return result;
}

/* ---------------------------------------------------------------- module */

static int declare(JSContext *ctx, JSModuleDef *m) {
    return JS_AddModuleExport(ctx, m, "default") | JS_AddModuleExport(ctx, m, "open") |
           JS_AddModuleExport(ctx, m, "EventSource");
}

static int init(JSContext *ctx, JSModuleDef *m) {
    JSRuntime *rt = JS_GetRuntime(ctx);
    struct error err;
    JS_NewClassID(&client_class);
    if (!JS_IsRegisteredClass(rt, client_class) && JS_NewClass(rt, client_class, &client_class_def))
        return -1;
    if (!metric_register(SLICE("sse_event"), METRIC_COUNTER, METRIC_DEFAULT, &err)) {
        js_throw_go_error(ctx, "%s", err.text);
        return -1;
    }
    JSValue proto = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, proto, methods, countof(methods));
    JS_SetClassProto(ctx, client_class, proto);
    JSValue sse = JS_NewObject(ctx);
    JSValue open = JS_NewCFunction(ctx, js_open, "open", 3);
    JSValue event_source = js_event_source_class(ctx);
    JS_SetPropertyStr(ctx, sse, "open", JS_DupValue(ctx, open));
    JS_SetPropertyStr(ctx, sse, "EventSource", JS_DupValue(ctx, event_source));
    JS_SetModuleExport(ctx, m, "open", open);
    JS_SetModuleExport(ctx, m, "EventSource", event_source);
    return JS_SetModuleExport(ctx, m, "default", sse);
}

const struct js_module js_mod_sse = {"k6/x/sse", declare, init, js_event_source_free,
                                     js_event_source_cancel};
