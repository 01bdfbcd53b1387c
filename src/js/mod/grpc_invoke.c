/* client.invoke and client.asyncInvoke: a script's object becomes JSON text, that the message; and
 * back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "js/go_args.h"
#include "js/mod/grpc_internal.h"

#define INVOKE_TIMEOUT_NS (120 * NS_PER_S)
#define STACK_BYTES (128 * 1024)
/* An empty message of two bytes may have a hundred fields in its JSON: the limit of what is
 * received says little. */
#define MESSAGE_JSON_BYTES_MAX ((size_t)256 << 20)

/* ---------------------------------------------------------------- values and messages */

static JSValue replace_number(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    double d;
    (void)this_val;
    (void)argc;
    if (!JS_IsNumber(argv[1]) || JS_ToFloat64(ctx, &d, argv[1]) || isfinite(d))
        return JS_DupValue(ctx, argv[1]);
    return JS_NewString(ctx, isnan(d) ? "NaN" : d > 0 ? "Infinity" : "-Infinity");
}

/* JSON.stringify knows no NaN: where there is a null, one may have been meant. */
static JSValue stringify(JSContext *ctx, JSValueConst v, bool normalizes) {
    JSValue text = JS_JSONStringify(ctx, v, JS_UNDEFINED, JS_UNDEFINED);
    struct js_text s;
    if (!normalizes || !JS_IsString(text) || !js_text_get(ctx, text, &s))
        return text;
    bool has_null = memmem(s.s.ptr, s.s.len, "null", 4) != NULL;
    js_text_release(&s);
    if (has_null) {
        JSValue f = JS_NewCFunction(ctx, replace_number, "", 2);
        JS_FreeValue(ctx, text);
        text = JS_JSONStringify(ctx, v, f, JS_UNDEFINED);
        JS_FreeValue(ctx, f);
    }
    return text;
}

bool grpc_json_of(JSContext *ctx, JSValueConst v, bool normalizes, struct js_text *out) {
    JSValue text = stringify(ctx, v, normalizes);
    if (JS_IsException(text)) {
        JSValue e = JS_GetException(ctx);
        char *words = js_error_text(ctx, e);
        bool is_cycle = strstr(words, "circular structure") != NULL;
        free(words);
        if (is_cycle) {
            JS_FreeValue(ctx, e);
            js_throw_go_error(ctx, "unable to normalize number strings: cyclic reference to an "
                                   "object found");
        } else {
            JS_Throw(ctx, e);
        }
        return false;
    }
    if (JS_IsUndefined(text))
        text = JS_NewString(ctx, "null");
    bool ok = js_text_get(ctx, text, out);
    JS_FreeValue(ctx, text);
    return ok;
}

JSValue grpc_message_value(JSContext *ctx, const struct grpc_client *c,
                           const struct proto_type *type, struct slice wire) {
    struct proto_json_options options = grpc_json_options(c);
    struct buf json;
    struct error err;
    options.is_emit_unpopulated = true;
    buf_init(&json, MESSAGE_JSON_BYTES_MAX);
    JSValue v = JS_EXCEPTION;
    if (proto_decode_json(type, wire, &options, &json, &err))
        js_throw_go_error(ctx, "%s", err.text);
    else
        v = JS_ParseJSON(ctx, buf_cstr(&json), json.len, "<gRPC message>");
    buf_release(&json);
    return v;
}

JSValue grpc_status_value(JSContext *ctx, const struct grpc_client *c,
                          const struct grpc_status *status) {
    const struct proto_type *type =
        status->details.len ? proto_builtin_message(SLICE("google.rpc.Status")) : NULL;
    if (type) {
        JSValue v = grpc_message_value(ctx, c, type, buf_slice(&status->details));
        if (!JS_IsException(v))
            return v;
        JS_FreeValue(ctx, JS_GetException(ctx)); /* a detail of a type that nobody loaded */
    }
    JSValue o = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, o, "code", JS_NewUint32(ctx, status->code));
    JS_SetPropertyStr(ctx, o, "message", go_string_new(ctx, buf_slice(&status->message)));
    JS_SetPropertyStr(ctx, o, "details", JS_NewArray(ctx));
    return o;
}

/* {name: [values]} */
static JSValue metadata_value(JSContext *ctx, const struct grpc_metadata *md) {
    JSValue o = JS_NewObject(ctx);
    for (size_t i = 0; i < md->len; i++) {
        const struct grpc_pair *p = &md->pairs[i];
        JSAtom name = JS_NewAtomLen(ctx, p->name.ptr, p->name.len);
        JSValue list = JS_GetProperty(ctx, o, name);
        int64_t n = 0;
        if (!JS_IsArray(ctx, list)) {
            JS_FreeValue(ctx, list);
            list = JS_NewArray(ctx);
            JS_DefinePropertyValue(ctx, o, name, JS_DupValue(ctx, list), JS_PROP_C_W_E);
        } else {
            JSValue len = JS_GetPropertyStr(ctx, list, "length");
            JS_ToInt64(ctx, &n, len);
            JS_FreeValue(ctx, len);
        }
        JS_SetPropertyUint32(ctx, list, (uint32_t)n, go_string_new(ctx, p->value));
        JS_FreeValue(ctx, list);
        JS_FreeAtom(ctx, name);
    }
    return o;
}

/* ---------------------------------------------------------------- a call */

struct invocation {
    struct vu *vu;
    struct grpc_client *client;
    const struct proto_method *method;
    struct proto_pool *pool; /* a reference */
    struct grpc_params params;
    const struct tagset *tags;
    struct buf request;
    struct grpc_call call;
    bool has_call;
};

static void invocation_release(struct invocation *in) {
    if (in->has_call)
        grpc_call_release(&in->call);
    grpc_params_release(&in->params);
    buf_release(&in->request);
    proto_pool_unref(in->pool);
}

static bool read_request(struct invocation *in, JSValueConst v) {
    JSContext *ctx = in->vu->ctx;
    struct proto_json_options options = grpc_json_options(in->client);
    struct js_text json;
    struct error err;
    if (JS_IsUndefined(v) || JS_IsNull(v)) {
        js_throw_go_error(ctx, "request cannot be nil");
        return false;
    }
    if (!grpc_json_of(ctx, v, true, &json))
        return false;
    int rc = proto_encode_json(in->method->input, json.s, &options, &in->request, &err);
    js_text_release(&json);
    if (rc)
        js_throw_go_error(ctx, "unable to serialise request object to protocol buffer: %s",
                          err.text);
    return rc == 0;
}

static bool find_method(struct invocation *in, JSValueConst v) {
    JSContext *ctx = in->vu->ctx;
    struct js_text path;
    char *why;
    if (JS_IsUndefined(v) || JS_IsNull(v)) {
        js_throw_go_error(ctx, "method to invoke cannot be empty");
        return false;
    }
    if (!js_text_get(ctx, v, &path))
        return false;
    in->method = grpc_find_method(in->client, path.s, &in->pool, &why);
    if (!in->method)
        js_throw_go_error(ctx, "%s", why);
    free(why);
    js_text_release(&path);
    return in->method != NULL;
}

static bool read_params(struct invocation *in, JSValueConst v) {
    bool threw;
    char *why = grpc_params_read(&in->params, in->vu, v, &threw);
    if (why)
        js_throw_go_error(in->vu->ctx, "invalid GRPC's client.invoke() parameters: %s", why);
    bool ok = !why && !threw;
    free(why);
    return ok;
}

/* Everything that can be wrong before something is sent. False with an exception pending; release
 * in any case. */
static bool invocation_init(struct invocation *in, struct vu *vu, struct grpc_client *c, int argc,
                            JSValueConst *argv) {
    *in = (struct invocation){.vu = vu, .client = c};
    buf_init(&in->request, BUF_NO_CAP);
    if (!js_require_vu_context(vu, "invoking RPC methods in the init context is not supported"))
        return false;
    if (!c->channel) {
        js_throw_go_error(vu->ctx, "no gRPC connection, you must call connect first");
        return false;
    }
    if (!find_method(in, argc > 0 ? argv[0] : JS_UNDEFINED) ||
        !read_params(in, argc > 2 ? argv[2] : JS_UNDEFINED) ||
        !read_request(in, argc > 1 ? argv[1] : JS_UNDEFINED))
        return false;
    in->tags = grpc_call_tags(vu, in->params.tags, c, in->method);
    grpc_call_init(&in->call, c->channel, in->method->path);
    in->has_call = true;
    in->call.metadata = &in->params.metadata;
    in->call.deadline_ns =
        clock_now_ns() + (in->params.timeout_ns ? in->params.timeout_ns : INVOKE_TIMEOUT_NS);
    in->call.is_server_stream = in->method->is_server_stream;
    return true;
}

static JSValue response_value(struct invocation *in) {
    JSContext *ctx = in->vu->ctx;
    const struct grpc_call *call = &in->call;
    JSValue message = JS_NULL;
    if (!in->params.discards_message) {
        message =
            grpc_message_value(ctx, in->client, in->method->output, buf_slice(&call->message));
        if (JS_IsException(message)) {
            char *why = js_take_exception_text(ctx);
            why[strcspn(why, "\n")] = '\0';
            const char *words = strncmp(why, "GoError: ", 9) == 0 ? why + 9 : why;
            js_throw_go_error(ctx,
                              "unable to convert response object to JSON: failed to marshal the "
                              "message: %s",
                              words);
            free(why);
            return JS_EXCEPTION;
        }
    }
    JSValue o = JS_NewObject(ctx);
#define PUT(name, v) JS_DefinePropertyValueStr(ctx, o, name, v, JS_PROP_C_W_E)
    PUT("message", message);
    PUT("error",
        call->status.code == GRPC_OK ? JS_NULL : grpc_status_value(ctx, in->client, &call->status));
    PUT("headers", metadata_value(ctx, &call->headers));
    PUT("trailers", metadata_value(ctx, &call->trailers));
    PUT("status", JS_NewUint32(ctx, call->status.code));
#undef PUT
    return o;
}

static JSValue finish(struct invocation *in, int rc) {
    if (rc)
        return js_throw_interrupted(in->vu->ctx);
    grpc_record(in->vu, in->tags, &in->call);
    return response_value(in);
}

JSValue grpc_js_invoke(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct grpc_client *c = grpc_client_of(this_val);
    struct invocation in;
    JSValue r = JS_EXCEPTION;
    if (!c)
        return JS_ThrowTypeError(ctx, "not a gRPC client");
    if (invocation_init(&in, c->vu, c, argc, argv))
        r = finish(&in, grpc_call_unary(&in.call, buf_slice(&in.request)));
    invocation_release(&in);
    return r;
}

/* ---------------------------------------------------------------- asyncInvoke */

struct async {
    struct js_completion completion;
    struct list link; /* grpc_module.asyncs */
    struct invocation in;
    struct fiber *fiber;
    JSValue client; /* keeps it */
    JSValue resolve, reject;
    int rc;
};

static void settle(struct vu *vu, struct js_completion *completion) {
    struct async *a = container_of(completion, struct async, completion);
    JSContext *ctx = vu->ctx;
    list_remove(&a->link);
    JSValue r = finish(&a->in, a->rc);
    bool failed = JS_IsException(r);
    if (failed)
        r = JS_GetException(ctx);
    JS_FreeValue(
        ctx, JS_Call(ctx, failed ? a->reject : a->resolve, JS_UNDEFINED, 1, (JSValueConst *)&r));
    JS_FreeValue(ctx, r);
    JS_FreeValue(ctx, a->resolve);
    JS_FreeValue(ctx, a->reject);
    invocation_release(&a->in);
    JS_FreeValue(ctx, a->client);
    free(a);
    js_loop_pending_done(vu);
}

static void async_fiber(void *arg) {
    struct async *a = arg;
    a->rc = grpc_call_unary(&a->in.call, buf_slice(&a->in.request));
    a->fiber = NULL;
    js_loop_complete(a->in.vu, &a->completion);
}

void grpc_asyncs_cancel(struct grpc_module *mod) {
    for (struct list *l = mod->asyncs.next; l != &mod->asyncs; l = l->next) {
        struct async *a = container_of(l, struct async, link);
        if (a->fiber)
            fiber_cancel(a->fiber);
    }
}

/* As k6, a promise rejected with a Go error that has no properties of an Error. */
static JSValue reject_pending(JSContext *ctx, JSValueConst reject) {
    JSValue e = JS_GetException(ctx);
    JSValue message = JS_IsError(ctx, e) ? JS_GetPropertyStr(ctx, e, "message") : JS_UNDEFINED;
    struct js_text text;
    if (JS_IsString(message) && js_text_get(ctx, message, &text)) {
        char *words = slice_dup(text.s);
        js_text_release(&text);
        JS_FreeValue(ctx, e);
        e = go_error_object(ctx, words);
        free(words);
    }
    JS_FreeValue(ctx, message);
    JSValue r = JS_Call(ctx, reject, JS_UNDEFINED, 1, (JSValueConst *)&e);
    JS_FreeValue(ctx, e);
    return r;
}

JSValue grpc_js_async_invoke(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct grpc_client *c = grpc_client_of(this_val);
    JSValue resolving[2];
    if (!c)
        return JS_ThrowTypeError(ctx, "not a gRPC client");
    JSValue promise = JS_NewPromiseCapability(ctx, resolving);
    if (JS_IsException(promise))
        return promise;
    struct async *a = xcalloc(1, sizeof *a);
    if (!invocation_init(&a->in, c->vu, c, argc, argv)) {
        JS_FreeValue(ctx, reject_pending(ctx, resolving[1]));
        JS_FreeValue(ctx, resolving[0]);
        JS_FreeValue(ctx, resolving[1]);
        invocation_release(&a->in);
        free(a);
        return promise;
    }
    a->completion.run = settle;
    a->client = JS_DupValue(ctx, this_val);
    a->resolve = resolving[0];
    a->reject = resolving[1];
    list_push_back(&grpc_module_of(c->vu)->asyncs, &a->link);
    js_loop_pending_add(c->vu);
    a->fiber = fiber_start(c->vu->worker, STACK_BYTES, async_fiber, a);
    fiber_detach(a->fiber);
    return promise;
}
