#include "js/mod/event_source.h"

#include <stdlib.h>

#include "base/check.h"
#include "js/event_loop.h"
#include "js/go_args.h"
#include "js/js_util.h"
#include "js/mod/handlers.h"
#include "js/mod/sse_stream.h"

#define STACK_BYTES (128 * 1024)
#define RETRY_DEFAULT_MS 3000
/* The reader waits for the script beyond these. */
#define TASKS_MAX 4096
#define TASK_BYTES_MAX ((size_t)64 << 20)

enum state { CONNECTING, OPEN, CLOSED };

struct event_source {
    struct sse_stream stream;
    struct list link; /* module's list, while the fiber runs */
    struct js_handlers handlers;
    JSValue self; /* undefined when no fiber runs */
    enum state state;
    bool is_canceled; /* the iteration is over: no more events */
    bool is_fatal;    /* the answer was none that can be read: no reconnection */
    char *url, *last_id;
    int64_t retry_ms;
    size_t n_tasks, task_bytes;
    struct fiber_cond changed;
};

enum task_kind { TASK_OPEN, TASK_EVENT, TASK_ERROR, TASK_DONE };

struct task {
    struct js_completion completion;
    struct event_source *source;
    enum task_kind kind;
    bool is_final; /* TASK_ERROR: there will be no reconnection */
    struct sse_event *event;
    char *last_id;
};

static JSClassID event_source_class;

static struct list *active_of(struct vu *vu) {
    return vu->module_state[JS_SLOT_EVENT_SOURCE];
}

/* ---------------------------------------------------------------- object */

static void event_source_finalizer(JSRuntime *rt, JSValue v) {
    struct event_source *es = JS_GetOpaque(v, event_source_class);
    if (!es)
        return;
    js_handlers_release(&es->handlers, rt);
    free(es->url);
    free(es->last_id);
    free(es);
}

static void event_source_mark(JSRuntime *rt, JSValueConst v, JS_MarkFunc *mark) {
    struct event_source *es = JS_GetOpaque(v, event_source_class);
    if (es)
        js_handlers_mark(&es->handlers, rt, mark);
}

static const JSClassDef event_source_class_def = {
    "EventSource", .finalizer = event_source_finalizer, .gc_mark = event_source_mark};

static void finish(struct event_source *es) {
    struct vu *vu = es->stream.vu;
    JSValue self = es->self;
    es->state = CLOSED;
    es->self = JS_UNDEFINED;
    list_remove(&es->link);
    sse_stream_release(&es->stream);
    js_loop_pending_done(vu);
    JS_FreeValue(vu->ctx, self);
}

/* ---------------------------------------------------------------- tasks, on the VU's fiber */

static bool emit(struct event_source *es, struct slice type, const struct task *t) {
    JSContext *ctx = es->stream.vu->ctx;
    if (!js_handlers_has(&es->handlers, type))
        return true;
    JSValue e = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, e, "type", go_string_new(ctx, type));
    JS_SetPropertyStr(ctx, e, "target", JS_DupValue(ctx, es->self));
    if (t->kind == TASK_EVENT) {
        JS_SetPropertyStr(ctx, e, "data", go_string_new(ctx, t->event->e.data));
        JS_SetPropertyStr(ctx, e, "lastEventId", go_string_new(ctx, slice_cstr(t->last_id)));
        JS_SetPropertyStr(ctx, e, "origin", JS_NewString(ctx, es->url));
    } else if (t->kind == TASK_ERROR && es->stream.err.code) {
        JS_SetPropertyStr(ctx, e, "message", go_string_new(ctx, slice_cstr(es->stream.err.text)));
    }
    return js_handlers_emit(&es->handlers, ctx, type, e);
}

static bool run_kind(struct event_source *es, const struct task *t) {
    switch (t->kind) {
    case TASK_OPEN:
        es->state = OPEN;
        return emit(es, SLICE("open"), t);
    case TASK_EVENT:
        sse_stream_count(&es->stream);
        return emit(es, t->event->e.name.len ? t->event->e.name : SLICE("message"), t);
    case TASK_ERROR:
        es->state = t->is_final ? CLOSED : CONNECTING;
        return emit(es, SLICE("error"), t);
    default:
        return true;
    }
}

static void run_task(struct vu *vu, struct js_completion *c) {
    struct task *t = container_of(c, struct task, completion);
    struct event_source *es = t->source;
    es->n_tasks--;
    es->task_bytes -= t->event ? t->event->bytes : 0;
    bool is_wanted = !es->is_canceled && !vu->is_interrupted && es->state != CLOSED;
    if (is_wanted && !run_kind(es, t)) {
        es->state = CLOSED; /* the exception fails the iteration */
        sse_stream_close(&es->stream);
    }
    if (t->kind == TASK_DONE)
        finish(es);
    else
        fiber_cond_broadcast(&es->changed);
    free(t->event);
    free(t->last_id);
    free(t);
}

static void post(struct event_source *es, enum task_kind kind, struct sse_event *event,
                 bool is_final) {
    struct task *t = xcalloc(1, sizeof *t);
    t->completion.run = run_task;
    t->source = es;
    t->kind = kind;
    t->is_final = is_final;
    t->event = event;
    t->last_id = event ? xstrdup(es->last_id ? es->last_id : "") : NULL;
    es->n_tasks++;
    es->task_bytes += event ? event->bytes : 0;
    js_loop_complete(es->stream.vu, &t->completion);
}

/* ---------------------------------------------------------------- reading fiber */

static struct event_source *source_of(struct sse_stream *s) {
    return container_of(s, struct event_source, stream);
}

static bool is_event_stream(const struct http_response *r) {
    struct http_header h;
    for (size_t pos = 0; http_response_next_header(r, &pos, &h);) {
        struct slice rest = h.value;
        if (slice_ieq(h.name, SLICE("content-type")))
            return slice_ieq(slice_trim(slice_cut(&rest, ';')), SLICE("text/event-stream"));
    }
    return false;
}

static bool on_open(struct sse_stream *s, const struct http_response *r) {
    struct event_source *es = source_of(s);
    es->is_fatal = r->status != 200 || !is_event_stream(r);
    if (es->is_fatal) {
        error_set(&s->err, KE_FAILED, "%.*s is not a stream of events",
                  SLICE_FMT(r->status != 200 ? r->status_text : SLICE("Content-Type")));
        return false;
    }
    s->err.code = 0;
    post(es, TASK_OPEN, NULL, false);
    return true;
}

static bool on_event(struct sse_stream *s, struct sse_event *event) {
    struct event_source *es = source_of(s);
    const struct event_stream_event *e = &event->e;
    if (e->retry_ms >= 0)
        es->retry_ms = e->retry_ms;
    if (e->has_id) {
        free(es->last_id);
        es->last_id = slice_dup(e->id);
    }
    if (e->is_unknown_line || !e->has_data) {
        free(event);
        return true;
    }
    while (es->n_tasks >= TASKS_MAX || es->task_bytes >= TASK_BYTES_MAX) {
        if (fiber_cond_wait(&es->changed, NEVER_NS)) {
            free(event);
            return false;
        }
    }
    post(es, TASK_EVENT, event, false);
    return true;
}

/* The id of the latest event goes with the next request. */
static void set_last_event_id(struct event_source *es) {
    static const struct slice name = SLICE("Last-Event-ID");
    struct http_call *call = &es->stream.call;
    if (!es->last_id || !*es->last_id)
        return;
    if (!http_request_has_header(&call->req, name))
        http_call_add_header(call, name, SLICE(""));
    struct http_header *h = (struct http_header *)(uintptr_t)call->req.headers;
    for (size_t i = 0; i < call->req.n_headers; i++)
        if (slice_ieq(h[i].name, name))
            h[i].value = slice_cstr(es->last_id);
}

static void reader_fiber(void *arg) {
    struct event_source *es = arg;
    struct sse_stream *s = &es->stream;
    while (!s->is_closing) {
        set_last_event_id(es);
        sse_stream_run(s);
        if (s->is_closing)
            break;
        post(es, TASK_ERROR, NULL, es->is_fatal);
        if (es->is_fatal || fiber_sleep_until(clock_now_ns() + es->retry_ms * NS_PER_MS))
            break;
    }
    s->reader = NULL;
    post(es, TASK_DONE, NULL, false);
}

/* ---------------------------------------------------------------- script's side */

static JSValue constructor(JSContext *ctx, JSValueConst new_target, int argc, JSValueConst *argv) {
    (void)new_target;
    struct vu *vu = vu_from_ctx(ctx);
    struct js_text url;
    if (!js_require_vu_context(vu, "using EventSource in the init context is not supported"))
        return JS_EXCEPTION;
    if (!go_string_arg(ctx, argc, argv, 0, &url))
        return JS_EXCEPTION;
    JSValue v = JS_NewObjectClass(ctx, (int)event_source_class);
    struct event_source *es = xcalloc(1, sizeof *es);
    JS_SetOpaque(v, es);
    es->self = JS_UNDEFINED;
    es->url = slice_dup(url.s);
    es->retry_ms = RETRY_DEFAULT_MS;
    fiber_cond_init(&es->changed);
    es->stream.on_open = on_open;
    es->stream.on_event = on_event;
    js_text_release(&url);
    int rc = sse_stream_init(&es->stream, vu, JS_UNDEFINED, argc > 0 ? argv[0] : JS_UNDEFINED,
                             JS_UNDEFINED, argc > 1 ? argv[1] : JS_UNDEFINED);
    if (rc) {
        if (rc != KE_JS)
            js_throw_go_error(ctx, "%s", es->stream.err.text);
        sse_stream_release(&es->stream);
        JS_FreeValue(ctx, v);
        return JS_EXCEPTION;
    }
    es->self = JS_DupValue(ctx, v);
    list_push_back(active_of(vu), &es->link);
    js_loop_pending_add(vu);
    es->stream.reader = fiber_start(vu->worker, STACK_BYTES, reader_fiber, es);
    fiber_detach(es->stream.reader);
    return v;
}

static JSValue js_close(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)argc;
    (void)argv;
    struct event_source *es = JS_GetOpaque2(ctx, this_val, event_source_class);
    if (!es)
        return JS_EXCEPTION;
    es->state = CLOSED;
    sse_stream_close(&es->stream);
    fiber_cond_broadcast(&es->changed);
    return JS_UNDEFINED;
}

static JSValue js_listener(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                           int is_added) {
    struct event_source *es = JS_GetOpaque2(ctx, this_val, event_source_class);
    struct js_text event;
    if (!es || !go_string_arg(ctx, argc, argv, 0, &event))
        return JS_EXCEPTION;
    JSValue r = JS_UNDEFINED;
    if (argc < 2 || !JS_IsFunction(ctx, argv[1]))
        r = js_throw_go_error(ctx, "handler for event type \"%.*s\" isn't a callable function",
                              SLICE_FMT(event.s));
    else if (is_added)
        js_handlers_add(&es->handlers, ctx, event.s, argv[1]);
    else
        js_handlers_remove(&es->handlers, ctx, event.s, argv[1]);
    js_text_release(&event);
    return r;
}

static const char *const property_events[] = {"open", "message", "error"};

static JSValue js_get_on(JSContext *ctx, JSValueConst this_val, int which) {
    const struct event_source *es = JS_GetOpaque2(ctx, this_val, event_source_class);
    return es ? js_handlers_get(&es->handlers, ctx, slice_cstr(property_events[which]))
              : JS_EXCEPTION;
}

static JSValue js_set_on(JSContext *ctx, JSValueConst this_val, JSValueConst v, int which) {
    struct event_source *es = JS_GetOpaque2(ctx, this_val, event_source_class);
    if (!es)
        return JS_EXCEPTION;
    if (!JS_IsFunction(ctx, v) && !JS_IsUndefined(v) && !JS_IsNull(v))
        return js_throw_go_error(ctx, "a value for 'on%s' should be callable",
                                 property_events[which]);
    js_handlers_set(&es->handlers, ctx, slice_cstr(property_events[which]), v);
    return JS_UNDEFINED;
}

enum property { URL, READY_STATE };

static JSValue js_get(JSContext *ctx, JSValueConst this_val, int which) {
    const struct event_source *es = JS_GetOpaque2(ctx, this_val, event_source_class);
    if (!es)
        return JS_EXCEPTION;
    return which == URL ? JS_NewString(ctx, es->url) : JS_NewInt32(ctx, (int)es->state);
}

static const JSCFunctionListEntry states[] = {
    JS_PROP_INT32_DEF("CONNECTING", CONNECTING, JS_PROP_ENUMERABLE),
    JS_PROP_INT32_DEF("OPEN", OPEN, JS_PROP_ENUMERABLE),
    JS_PROP_INT32_DEF("CLOSED", CLOSED, JS_PROP_ENUMERABLE),
};

static const JSCFunctionListEntry members[] = {
    JS_CFUNC_DEF("close", 0, js_close),
    JS_CFUNC_MAGIC_DEF("addEventListener", 2, js_listener, 1),
    JS_CFUNC_MAGIC_DEF("removeEventListener", 2, js_listener, 0),
    JS_CGETSET_MAGIC_DEF("url", js_get, NULL, URL),
    JS_CGETSET_MAGIC_DEF("readyState", js_get, NULL, READY_STATE),
    JS_CGETSET_MAGIC_DEF("onopen", js_get_on, js_set_on, 0),
    JS_CGETSET_MAGIC_DEF("onmessage", js_get_on, js_set_on, 1),
    JS_CGETSET_MAGIC_DEF("onerror", js_get_on, js_set_on, 2),
};

JSValue js_event_source_class(JSContext *ctx) {
    JSRuntime *rt = JS_GetRuntime(ctx);
    struct vu *vu = vu_from_ctx(ctx);
    JS_NewClassID(&event_source_class);
    if (!JS_IsRegisteredClass(rt, event_source_class))
        JS_NewClass(rt, event_source_class, &event_source_class_def);
    if (!active_of(vu)) {
        struct list *active = xmalloc(sizeof *active);
        list_init(active);
        vu->module_state[JS_SLOT_EVENT_SOURCE] = active;
    }
    JSValue proto = JS_NewObject(ctx);
    JSValue ctor = JS_NewCFunction2(ctx, constructor, "EventSource", 2, JS_CFUNC_constructor, 0);
    JS_SetPropertyFunctionList(ctx, proto, members, countof(members));
    JS_SetPropertyFunctionList(ctx, proto, states, countof(states));
    JS_SetPropertyFunctionList(ctx, ctor, states, countof(states));
    JS_SetConstructor(ctx, ctor, proto);
    JS_SetClassProto(ctx, event_source_class, proto);
    return ctor;
}

void js_event_source_cancel(struct vu *vu) {
    struct list *active = active_of(vu);
    for (struct list *l = active ? active->next : NULL; l && l != active; l = l->next) {
        struct event_source *es = container_of(l, struct event_source, link);
        es->is_canceled = true;
        sse_stream_close(&es->stream);
        fiber_cond_broadcast(&es->changed);
    }
}

void js_event_source_free(struct vu *vu) {
    free(active_of(vu));
    vu->module_state[JS_SLOT_EVENT_SOURCE] = NULL;
}
