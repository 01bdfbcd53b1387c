/* Stream of k6/net/grpc. A reading fiber takes messages off the call, a writing one sends while
 * something is queued; both run no JavaScript but post tasks, which the VU's event loop runs in
 * order. The object is pinned until both are gone. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/go_text.h"
#include "base/log.h"
#include "js/go_args.h"
#include "js/mod/grpc_internal.h"
#include "js/mod/handlers.h"
#include "js/vu_tags.h"

#define STACK_BYTES (128 * 1024)
/* Beyond these, the reader waits for the script, and write() for the connection. */
#define TASKS_MAX 1024
#define TASK_BYTES_MAX ((size_t)16 << 20)
#define OUTGOING_BYTES_MAX ((size_t)64 << 20)

static const char canceled_words[] = "canceled by client (k6)";

struct stream {
    struct vu *vu;
    struct list link; /* grpc_module.streams, while a fiber runs */
    JSValue self;     /* undefined when none does */
    JSValue client_value;
    struct grpc_client *client;
    const struct proto_method *method;
    struct proto_pool *pool;
    struct grpc_params params;
    const struct tagset *tags;
    struct js_handlers handlers;
    struct grpc_call call;
    bool has_call;
    struct fiber *reader, *writer;
    struct list outgoing; /* struct item */
    size_t outgoing_bytes;
    bool is_writing_ended; /* end() was called */
    bool is_closed;        /* no more events, but the last `end` */
    bool is_canceled;      /* the iteration is over: no events at all */
    bool is_done;          /* the last task is posted */
    size_t n_tasks, task_bytes;
    struct fiber_cond changed; /* tasks were done, messages were sent */
};

enum item_kind { ITEM_MESSAGE, ITEM_END, ITEM_BAD /* what write() was given; the bytes say why */ };
struct item {
    struct list link;
    enum item_kind kind;
    size_t len;
    char bytes[];
};

enum task_kind { TASK_MESSAGE, TASK_OVER, TASK_BAD_WRITE, TASK_END, TASK_DONE };
struct task {
    struct js_completion completion;
    struct stream *s;
    enum task_kind kind;
    int64_t wall_ns;
    size_t len;
    char bytes[];
};

static JSClassID stream_class;

/* ---------------------------------------------------------------- life */

static void drop_outgoing(struct stream *s) {
    struct list *l;
    while ((l = list_pop_front(&s->outgoing)))
        free(container_of(l, struct item, link));
    s->outgoing_bytes = 0;
}

static void stream_free(JSRuntime *rt, struct stream *s) {
    js_handlers_release(&s->handlers, rt);
    JS_FreeValueRT(rt, s->client_value);
    drop_outgoing(s);
    if (s->has_call)
        grpc_call_release(&s->call);
    grpc_params_release(&s->params);
    proto_pool_unref(s->pool);
    free(s);
}

static void finalizer(JSRuntime *rt, JSValue v) {
    struct stream *s = JS_GetOpaque(v, stream_class);
    if (s)
        stream_free(rt, s);
}

static void mark(JSRuntime *rt, JSValueConst v, JS_MarkFunc *mark_fn) {
    struct stream *s = JS_GetOpaque(v, stream_class);
    if (!s)
        return;
    js_handlers_mark(&s->handlers, rt, mark_fn);
    JS_MarkValue(rt, s->client_value, mark_fn);
}

static const JSClassDef class_def = {"Stream", .finalizer = finalizer, .gc_mark = mark};

/* Both fibers are gone. */
static void stream_finish(struct stream *s) {
    struct vu *vu = s->vu;
    grpc_call_release(&s->call);
    s->has_call = false;
    list_remove(&s->link);
    JSValue self = s->self;
    s->self = JS_UNDEFINED;
    JS_FreeValue(vu->ctx, self);
    js_loop_pending_done(vu);
}

static void count(struct stream *s, struct metric *m) {
    if (!s->vu->is_interrupted)
        vu_sample(s->vu, m, s->tags, 1, clock_now_ns());
}

/* ---------------------------------------------------------------- events */

/* Calls the handlers that there are now with (arg, {ts}); takes arg. False with an exception
 * pending. */
static bool emit(struct stream *s, const char *event, JSValue arg, int64_t wall_ns) {
    JSContext *ctx = s->vu->ctx;
    bool ok = !JS_IsException(arg);
    size_t n = s->handlers.len;
    JSValue ts = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, ts, "ts", JS_NewInt64(ctx, wall_ns / NS_PER_S));
    for (size_t i = 0; i < n && i < s->handlers.len && ok; i++) {
        if (strcmp(s->handlers.list[i].event, event) != 0)
            continue;
        JSValueConst args[] = {arg, ts};
        JSValue fn = JS_DupValue(ctx, s->handlers.list[i].fn);
        JSValue r = JS_Call(ctx, fn, JS_UNDEFINED, 2, args);
        ok = !JS_IsException(r);
        JS_FreeValue(ctx, r);
        JS_FreeValue(ctx, fn);
    }
    JS_FreeValue(ctx, ts);
    JS_FreeValue(ctx, arg);
    return ok;
}

static void post(struct stream *s, enum task_kind kind, struct slice bytes);

/* No more events but those of the end. */
static void close_stream(struct stream *s) {
    if (s->is_closed)
        return;
    s->is_closed = true;
    if (s->reader)
        grpc_call_cancel(&s->call, canceled_words);
    fiber_cond_broadcast(&s->changed);
    post(s, TASK_END, SLICE(""));
}

static bool emit_error(struct stream *s, const struct grpc_status *status, const char *log_words,
                       int64_t wall_ns) {
    if (!js_handlers_has(&s->handlers, SLICE("error"))) {
        log_printf(LOG_WARN, "no handlers for error registered, but an error happened: %s",
                   log_words);
        return true;
    }
    return emit(s, "error", grpc_status_value(s->vu->ctx, s->client, status), wall_ns);
}

/* A failure that is no status of the server's. */
static bool fail_with(struct stream *s, const char *words, int64_t wall_ns) {
    struct grpc_status status;
    grpc_status_init(&status);
    grpc_status_set(&status, GRPC_UNKNOWN, "%s", words);
    close_stream(s);
    bool ok = emit_error(s, &status, words, wall_ns);
    grpc_status_release(&status);
    return ok;
}

/* What is pending: the stream ends with it, and so does the iteration. */
static void fail_of_script(struct stream *s, int64_t wall_ns) {
    JSContext *ctx = s->vu->ctx;
    if (s->vu->is_interrupted)
        return;
    JSValue e = JS_GetException(ctx);
    char *words = js_error_text(ctx, e);
    words[strcspn(words, "\n")] = '\0';
    if (!fail_with(s, words, wall_ns))
        JS_FreeValue(ctx, JS_GetException(ctx));
    free(words);
    JS_Throw(ctx, e);
}

static void on_message(struct stream *s, const struct task *t) {
    JSContext *ctx = s->vu->ctx;
    if (s->is_closed || !js_handlers_has(&s->handlers, SLICE("data")))
        return;
    JSValue v = s->params.discards_message ? JS_NewObject(ctx)
                                           : grpc_message_value(ctx, s->client, s->method->output,
                                                                slice_from(t->bytes, t->len));
    if (JS_IsException(v)) {
        char *words = js_take_exception_text(ctx);
        words[strcspn(words, "\n")] = '\0';
        fail_with(s, words, t->wall_ns);
        free(words);
    } else if (!emit(s, "data", v, t->wall_ns)) {
        fail_of_script(s, t->wall_ns);
    }
}

static void on_over(struct stream *s, int64_t wall_ns) {
    const struct grpc_status *status = &s->call.status;
    struct buf words;
    if (s->is_closed)
        return;
    if (status->code == GRPC_CANCELED) {
        fail_with(s, canceled_words, wall_ns);
        return;
    }
    close_stream(s);
    if (status->code == GRPC_OK)
        return;
    buf_init(&words, BUF_NO_CAP);
    grpc_status_text(status, &words);
    emit_error(s, status, buf_cstr(&words), wall_ns);
    buf_release(&words);
}

static void run_task(struct vu *vu, struct js_completion *c) {
    struct task *t = container_of(c, struct task, completion);
    struct stream *s = t->s;
    JSValue self = JS_DupValue(vu->ctx, s->self);
    s->n_tasks--;
    s->task_bytes -= t->len;
    if (!s->is_canceled && !vu->is_interrupted) {
        if (t->kind == TASK_MESSAGE)
            on_message(s, t);
        else if (t->kind == TASK_OVER)
            on_over(s, t->wall_ns);
        else if (t->kind == TASK_BAD_WRITE && !s->is_closed)
            fail_with(s, t->bytes, t->wall_ns);
        else if (t->kind == TASK_END)
            emit(s, "end", JS_NewObject(vu->ctx), t->wall_ns);
    }
    fiber_cond_broadcast(&s->changed);
    /* The end may have been posted behind it: it is done when nothing is left. */
    if (t->kind == TASK_DONE)
        s->is_done = true;
    if (s->is_done && s->n_tasks == 0)
        stream_finish(s);
    free(t);
    JS_FreeValue(vu->ctx, self);
}

static void post(struct stream *s, enum task_kind kind, struct slice bytes) {
    struct task *t = xmalloc(sizeof *t + bytes.len + 1);
    *t = (struct task){.completion = {.run = run_task},
                       .s = s,
                       .kind = kind,
                       .wall_ns = clock_wall_ns(),
                       .len = bytes.len};
    if (bytes.len)
        memcpy(t->bytes, bytes.ptr, bytes.len);
    t->bytes[bytes.len] = '\0';
    s->n_tasks++;
    s->task_bytes += bytes.len;
    js_loop_complete(s->vu, &t->completion);
}

/* ---------------------------------------------------------------- fibers */

static void maybe_done(struct stream *s) {
    if (!s->reader && !s->writer)
        post(s, TASK_DONE, SLICE(""));
}

static int make_room(struct stream *s) {
    while ((s->n_tasks > TASKS_MAX || s->task_bytes > TASK_BYTES_MAX) && !s->is_closed) {
        int rc = fiber_cond_wait(&s->changed, NEVER_NS);
        if (rc)
            return rc;
    }
    return 0;
}

static void reader_fiber(void *arg) {
    struct stream *s = arg;
    struct slice message;
    int rc = 1;
    while (rc > 0) {
        rc = grpc_call_receive(&s->call, &message);
        if (rc <= 0)
            break;
        count(s, grpc_module_of(s->vu)->received_metric);
        post(s, TASK_MESSAGE, s->params.discards_message ? SLICE("") : message);
        if (make_room(s))
            rc = KE_CANCELED;
    }
    if (s->call.is_over) {
        grpc_record(s->vu, s->tags, &s->call);
        post(s, TASK_OVER, SLICE(""));
    }
    s->reader = NULL;
    if (s->writer)
        fiber_cond_broadcast(&s->changed);
    maybe_done(s);
}

static void send_item(struct stream *s, const struct item *i) {
    if (i->kind == ITEM_END) {
        grpc_call_end_sending(&s->call);
    } else if (i->kind == ITEM_BAD) {
        post(s, TASK_BAD_WRITE, slice_from(i->bytes, i->len));
    } else if (grpc_call_send(&s->call, slice_from(i->bytes, i->len)) == 0 && !s->call.is_over) {
        count(s, grpc_module_of(s->vu)->sent_metric);
    }
}

static void writer_fiber(void *arg) {
    struct stream *s = arg;
    struct list *l;
    while (!s->is_closed && !s->is_canceled && !s->call.is_over &&
           (l = list_pop_front(&s->outgoing))) {
        struct item *i = container_of(l, struct item, link);
        send_item(s, i);
        s->outgoing_bytes -= i->len;
        free(i);
        fiber_cond_broadcast(&s->changed);
    }
    if (s->is_closed || s->is_canceled || s->call.is_over)
        drop_outgoing(s);
    s->writer = NULL;
    fiber_cond_broadcast(&s->changed);
    maybe_done(s);
}

/* Waits while far too much is queued. False with an exception pending: interrupted. */
static bool queue(struct stream *s, enum item_kind kind, struct slice bytes) {
    while (s->outgoing_bytes > OUTGOING_BYTES_MAX && s->writer) {
        if (fiber_cond_wait(&s->changed, NEVER_NS)) {
            js_throw_interrupted(s->vu->ctx);
            return false;
        }
    }
    if (s->is_closed || s->is_done || !s->reader)
        return true;
    struct item *i = xmalloc(sizeof *i + bytes.len);
    i->kind = kind;
    i->len = bytes.len;
    if (bytes.len)
        memcpy(i->bytes, bytes.ptr, bytes.len);
    list_push_back(&s->outgoing, &i->link);
    s->outgoing_bytes += bytes.len;
    if (!s->writer) {
        s->writer = fiber_start(s->vu->worker, STACK_BYTES, writer_fiber, s);
        fiber_detach(s->writer);
    }
    return true;
}

void grpc_streams_cancel(struct grpc_module *mod) {
    for (struct list *l = mod->streams.next; l != &mod->streams; l = l->next) {
        struct stream *s = container_of(l, struct stream, link);
        s->is_canceled = true;
        if (s->reader)
            fiber_cancel(s->reader);
        if (s->writer)
            fiber_cancel(s->writer);
    }
}

/* ---------------------------------------------------------------- methods */

static JSValue js_on(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct stream *s = JS_GetOpaque2(ctx, this_val, stream_class);
    JSValueConst fn = argc > 1 ? argv[1] : JS_UNDEFINED;
    struct js_text event;
    if (!s || !go_string_arg(ctx, argc, argv, 0, &event))
        return JS_EXCEPTION;
    JSValue r = JS_UNDEFINED;
    static const struct slice known[] = {SLICE("data"), SLICE("error"), SLICE("end"),
                                         SLICE("status")};
    bool is_known = false;
    for (size_t i = 0; i < countof(known); i++)
        is_known = is_known || slice_eq(event.s, known[i]);
    if (!JS_IsFunction(ctx, fn)) {
        struct buf quoted;
        buf_init(&quoted, BUF_NO_CAP);
        go_quote(&quoted, event.s);
        r = js_throw_go_error(ctx, "handler for %s event isn't a callable function",
                              buf_cstr(&quoted));
        buf_release(&quoted);
    } else if (is_known) {
        js_handlers_add(&s->handlers, ctx, event.s, fn);
    } else {
        log_printf(LOG_WARN,
                   "can't register %.*s event handler: unknown GRPC stream's event type: %.*s",
                   SLICE_FMT(event.s), SLICE_FMT(event.s));
    }
    js_text_release(&event);
    return r;
}

static JSValue js_write(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct stream *s = JS_GetOpaque2(ctx, this_val, stream_class);
    JSValueConst v = argc > 0 ? argv[0] : JS_UNDEFINED;
    struct js_text json;
    struct buf wire;
    struct error err;
    if (!s)
        return JS_EXCEPTION;
    if (s->is_writing_ended || s->is_closed)
        return JS_UNDEFINED;
    if (JS_IsUndefined(v) || JS_IsNull(v)) {
        log_printf(LOG_WARN, "can't send empty message");
        return JS_UNDEFINED;
    }
    if (!grpc_json_of(ctx, v, false, &json))
        return JS_EXCEPTION;
    struct proto_json_options options = grpc_json_options(s->client);
    buf_init(&wire, BUF_NO_CAP);
    int rc = proto_encode_json(s->method->input, json.s, &options, &wire, &err);
    js_text_release(&json);
    if (rc) {
        buf_reset(&wire);
        buf_printf(&wire, "can't serialise request object to protocol buffer: %s", err.text);
    }
    bool ok = queue(s, rc ? ITEM_BAD : ITEM_MESSAGE, buf_slice(&wire));
    buf_release(&wire);
    return ok ? JS_UNDEFINED : JS_EXCEPTION;
}

static JSValue js_end(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct stream *s = JS_GetOpaque2(ctx, this_val, stream_class);
    (void)argc;
    (void)argv;
    if (!s)
        return JS_EXCEPTION;
    if (s->is_writing_ended)
        return JS_UNDEFINED;
    s->is_writing_ended = true;
    return queue(s, ITEM_END, SLICE("")) ? JS_UNDEFINED : JS_EXCEPTION;
}

static const JSCFunctionListEntry members[] = {
    JS_CFUNC_DEF("on", 2, js_on),
    JS_CFUNC_DEF("write", 1, js_write),
    JS_CFUNC_DEF("end", 0, js_end),
};

/* ---------------------------------------------------------------- constructor */

static bool read_client(JSContext *ctx, struct stream *s, JSValueConst v) {
    const char *why = NULL;
    s->client = grpc_client_of(v);
    if (JS_IsUndefined(v) || JS_IsNull(v))
        why = "empty gRPC client";
    else if (!s->client)
        why = "not a gRPC client";
    else if (!s->client->channel)
        why = "no gRPC connection, you must call connect first";
    if (why)
        js_throw_go_error(ctx, "invalid GRPC Stream's client: %s", why);
    else
        s->client_value = JS_DupValue(ctx, v);
    return !why;
}

static bool read_method(JSContext *ctx, struct stream *s, JSValueConst v) {
    struct js_text path;
    char *why;
    if (!js_text_get(ctx, v, &path))
        return false;
    s->method = grpc_find_method(s->client, path.s, &s->pool, &why);
    if (!s->method)
        js_throw_go_error(ctx, "invalid GRPC Stream's method: %s", why);
    free(why);
    js_text_release(&path);
    return s->method != NULL;
}

static bool read_params(JSContext *ctx, struct stream *s, JSValueConst v) {
    bool threw;
    char *why = grpc_params_read(&s->params, s->vu, v, &threw);
    if (why)
        js_throw_go_error(ctx, "invalid GRPC Stream's parameters: %s", why);
    bool ok = !why && !threw;
    free(why);
    return ok;
}

/* False with an exception pending. Yields. */
static bool begin(JSContext *ctx, struct stream *s) {
    s->tags = grpc_call_tags(s->vu, s->params.tags, s->client, s->method);
    grpc_call_init(&s->call, s->client->channel, s->method->path);
    s->has_call = true;
    s->call.metadata = &s->params.metadata;
    s->call.is_client_stream = s->method->is_client_stream;
    s->call.is_server_stream = s->method->is_server_stream;
    if (s->params.timeout_ns)
        s->call.deadline_ns = clock_now_ns() + s->params.timeout_ns;
    if (grpc_call_start(&s->call)) {
        js_throw_interrupted(ctx);
        return false;
    }
    if (!s->call.is_over)
        return true;
    struct buf words;
    buf_init(&words, BUF_NO_CAP);
    grpc_status_text(&s->call.status, &words);
    grpc_record(s->vu, s->tags, &s->call);
    js_throw_go_error(ctx, "failed to create a new stream: %s", buf_cstr(&words));
    buf_release(&words);
    return false;
}

static JSValue constructor(JSContext *ctx, JSValueConst new_target, int argc, JSValueConst *argv) {
    struct vu *vu = vu_from_ctx(ctx);
    struct grpc_module *mod = grpc_module_of(vu);
    (void)new_target;
    JSValue v = JS_NewObjectClass(ctx, (int)stream_class);
    if (JS_IsException(v))
        return v;
    struct stream *s = xcalloc(1, sizeof *s);
    s->vu = vu;
    s->self = s->client_value = JS_UNDEFINED;
    list_init(&s->outgoing);
    fiber_cond_init(&s->changed);
    JS_SetOpaque(v, s);
    if (!read_client(ctx, s, argc > 0 ? argv[0] : JS_UNDEFINED) ||
        !read_method(ctx, s, argc > 1 ? argv[1] : JS_UNDEFINED) ||
        !read_params(ctx, s, argc > 2 ? argv[2] : JS_UNDEFINED) || !begin(ctx, s)) {
        JS_FreeValue(ctx, v);
        return JS_EXCEPTION;
    }
    count(s, mod->streams_metric);
    s->self = JS_DupValue(ctx, v);
    list_push_back(&mod->streams, &s->link);
    js_loop_pending_add(vu);
    s->reader = fiber_start(vu->worker, STACK_BYTES, reader_fiber, s);
    fiber_detach(s->reader);
    return v;
}

JSValue grpc_stream_class_new(JSContext *ctx) {
    JS_NewClassID(&stream_class);
    if (!JS_IsRegisteredClass(JS_GetRuntime(ctx), stream_class))
        JS_NewClass(JS_GetRuntime(ctx), stream_class, &class_def);
    JSValue proto = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, proto, members, countof(members));
    JSValue f = JS_NewCFunction2(ctx, constructor, "Stream", 3, JS_CFUNC_constructor, 0);
    JS_SetConstructor(ctx, f, proto);
    JS_SetClassProto(ctx, stream_class, proto);
    return f;
}
