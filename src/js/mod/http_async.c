#include "js/mod/http_internal.h"

#include <stdlib.h>

#include "base/check.h"
#include "js/event_loop.h"
#include "js/js_util.h"

/* Requests that run beside the VU's JavaScript: each on a small fiber of its own that runs no
 * JavaScript. */
#define REQUEST_STACK_BYTES (128 * 1024)

/* ---- batch ---- */

struct batch_item {
    struct http_call call;
    struct error err;
    int rc;
    bool is_ready; /* initialised well: to be sent */
    bool is_taken;
};

struct batch {
    struct vu *vu;
    struct batch_item *items;
    size_t len;
    struct fiber **fibers;
    size_t n_fibers, running;
    struct fiber_cond changed;
};

static size_t host_in_flight(const struct batch *b, const struct url *url) {
    size_t n = 0;
    for (size_t i = 0; i < b->len; i++) {
        const struct batch_item *it = &b->items[i];
        if (it->is_taken && it->rc == KE_FAILED && slice_ieq(it->call.req.url->host, url->host) &&
            it->call.req.url->port == url->port)
            n++;
    }
    return n;
}

/* The next request that may go out under batchPerHost; NULL when none is left (*out_wait false) or
 * all left wait. */
static struct batch_item *batch_next(struct batch *b, bool *out_wait) {
    size_t per_host = (size_t)b->vu->config->batch_per_host;
    *out_wait = false;
    for (size_t i = 0; i < b->len; i++) {
        struct batch_item *it = &b->items[i];
        if (!it->is_ready || it->is_taken)
            continue;
        if (!per_host || host_in_flight(b, it->call.req.url) < per_host)
            return it;
        *out_wait = true;
    }
    return NULL;
}

static void batch_fiber(void *arg) {
    struct batch *b = arg;
    bool must_wait;
    for (;;) {
        struct batch_item *it = batch_next(b, &must_wait);
        if (it) {
            it->is_taken = true;
            it->rc = KE_FAILED; /* in flight */
            int rc = http_call_run(&it->call);
            it->rc = rc == KE_FAILED ? KE_IO : rc;
            fiber_cond_broadcast(&b->changed);
        } else if (!must_wait || fiber_cond_wait(&b->changed, NEVER_NS)) {
            break;
        }
    }
    b->running--;
    fiber_cond_broadcast(&b->changed);
}

static void batch_run(struct batch *b) {
    size_t limit = (size_t)b->vu->config->batch;
    size_t n = limit && limit < b->len ? limit : b->len;
    b->fibers = xcalloc(n + 1, sizeof(struct fiber *));
    b->n_fibers = b->running = n;
    for (size_t i = 0; i < n; i++)
        b->fibers[i] = fiber_start(b->vu->worker, REQUEST_STACK_BYTES, batch_fiber, b);
    int rc = 0;
    while (b->running && !rc)
        rc = fiber_cond_wait(&b->changed, NEVER_NS);
    for (size_t i = 0; i < n; i++) {
        if (rc)
            fiber_cancel(b->fibers[i]);
        fiber_join(b->fibers[i]);
    }
    free(b->fibers);
}

static struct slice method_of(struct http_call *call, struct js_text *text) {
    static const struct slice known[] = {SLICE("GET"),    SLICE("POST"),  SLICE("PUT"),
                                         SLICE("HEAD"),   SLICE("PATCH"), SLICE("DELETE"),
                                         SLICE("OPTIONS")};
    for (size_t i = 0; i < countof(known); i++)
        if (slice_eq(text->s, known[i]))
            return known[i];
    call->method_heap = slice_dup(text->s);
    return slice_from(call->method_heap, text->s.len);
}

int http_call_init_method(struct http_call *call, struct http_module *mod, JSValueConst method,
                          JSValueConst url, JSValueConst body, JSValueConst params,
                          struct error *err) {
    JSContext *ctx = mod->vu->ctx;
    struct js_text text = {.s = SLICE("GET")};
    if (!JS_IsUndefined(method) && !JS_IsNull(method) && !js_text_get(ctx, method, &text)) {
        http_call_init(call, mod, SLICE("GET"), JS_UNDEFINED, JS_UNDEFINED, JS_UNDEFINED, err);
        return KE_JS;
    }
    int rc = http_call_init(call, mod, text.s, url, body, params, err);
    if (text.ctx) {
        call->req.method = method_of(call, &text);
        js_text_release(&text);
    }
    return rc;
}

/* One entry of the argument: a URL, [method, url, body, params], or an object with these keys. */
static int batch_item_init(struct batch_item *it, struct http_module *mod, JSValueConst key,
                           JSValueConst v) {
    JSContext *ctx = mod->vu->ctx;
    JSValue parts[4] = {JS_UNDEFINED, JS_UNDEFINED, JS_UNDEFINED, JS_UNDEFINED};
    bool is_template = false;
    if (JS_IsArray(ctx, v) > 0) {
        for (uint32_t i = 0; i < 4; i++)
            parts[i] = JS_GetPropertyUint32(ctx, v, i);
    } else if (JS_IsObject(v)) {
        const JSAtom atoms[4] = {mod->atom_method, mod->atom_url, mod->atom_body, mod->atom_params};
        for (int i = 0; i < 4; i++)
            parts[i] = JS_GetProperty(ctx, v, atoms[i]);
        JSValue name = JS_GetProperty(ctx, v, mod->atom_name);
        is_template = JS_IsString(name) && JS_IsUndefined(parts[0]);
        JS_FreeValue(ctx, name);
        if (JS_IsUndefined(parts[1])) {
            struct js_text text;
            if (js_text_get(ctx, key, &text)) {
                js_throw_go_error(ctx, "batch request %.*s doesn't have a url key",
                                  SLICE_FMT(text.s));
                js_text_release(&text);
            }
            for (int i = 0; i < 4; i++)
                JS_FreeValue(ctx, parts[i]);
            http_call_init(&it->call, mod, SLICE("GET"), JS_UNDEFINED, JS_UNDEFINED, JS_UNDEFINED,
                           &it->err);
            return KE_JS;
        }
    }
    JSValueConst url = is_template || JS_IsUndefined(parts[1]) ? v : parts[1];
    int rc = http_call_init_method(&it->call, mod, parts[0], url, parts[2], parts[3], &it->err);
    for (int i = 0; i < 4; i++)
        JS_FreeValue(ctx, parts[i]);
    return rc;
}

static JSValue batch_results(struct http_module *mod, struct batch *b, JSPropertyEnum *keys,
                             bool is_array) {
    JSContext *ctx = mod->vu->ctx;
    JSValue out = is_array ? JS_NewArray(ctx) : JS_NewObject(ctx);
    bool failed = false;
    for (size_t i = 0; i < b->len; i++) {
        struct batch_item *it = &b->items[i];
        if (failed)
            continue;
        JSValue r = http_call_finish(&it->call, it->rc, &it->err);
        if (JS_IsException(r))
            failed = true;
        else if (is_array)
            JS_SetPropertyUint32(ctx, out, (uint32_t)i, r);
        else
            JS_DefinePropertyValue(ctx, out, keys[i].atom, r, JS_PROP_C_W_E);
    }
    if (!failed)
        return out;
    JS_FreeValue(ctx, out);
    return JS_EXCEPTION;
}

JSValue http_js_batch(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct http_module *mod = http_module_of(ctx);
    struct vu *vu = mod->vu;
    if (!js_require_vu_context(vu, "Using batch in the init context is not supported"))
        return JS_EXCEPTION;
    if (argc == 0)
        return js_throw_go_error(ctx, "no argument was provided to http.batch()");
    if (!JS_IsObject(argv[0]))
        return js_throw_go_error(ctx,
                                 "http.batch() accepts only an array or an object of requests");
    bool is_array = JS_IsArray(ctx, argv[0]) > 0;
    JSPropertyEnum *keys;
    uint32_t n;
    if (JS_GetOwnPropertyNames(ctx, &keys, &n, argv[0], JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return JS_EXCEPTION;
    struct batch b = {.vu = vu, .items = xcalloc(n + 1, sizeof(struct batch_item))};
    fiber_cond_init(&b.changed);
    bool failed = false;
    for (; b.len < n && !failed; b.len++) {
        struct batch_item *it = &b.items[b.len];
        JSValue key = JS_AtomToString(ctx, keys[b.len].atom);
        JSValue v = JS_GetProperty(ctx, argv[0], keys[b.len].atom);
        it->rc = batch_item_init(it, mod, key, v);
        it->is_ready = it->rc == 0;
        failed = it->rc == KE_JS;
        JS_FreeValue(ctx, key);
        JS_FreeValue(ctx, v);
    }
    JSValue result = JS_EXCEPTION;
    if (!failed) {
        batch_run(&b);
        result = batch_results(mod, &b, keys, is_array);
    }
    for (size_t i = 0; i < b.len; i++)
        http_call_release(&b.items[i].call);
    free(b.items);
    js_free_names(ctx, keys, n);
    return result;
}

/* ---- asyncRequest ---- */

struct async_request {
    struct js_completion completion;
    struct list link; /* http_module.in_flight */
    struct http_call call;
    struct error err;
    int rc;
    struct fiber *fiber;
    JSValue resolve, reject;
};

static void async_settle(struct vu *vu, struct js_completion *c) {
    struct async_request *a = container_of(c, struct async_request, completion);
    JSContext *ctx = vu->ctx;
    list_remove(&a->link);
    JSValue r = http_call_finish(&a->call, a->rc, &a->err);
    bool failed = JS_IsException(r);
    if (failed)
        r = JS_GetException(ctx);
    JS_FreeValue(
        ctx, JS_Call(ctx, failed ? a->reject : a->resolve, JS_UNDEFINED, 1, (JSValueConst *)&r));
    JS_FreeValue(ctx, r);
    JS_FreeValue(ctx, a->resolve);
    JS_FreeValue(ctx, a->reject);
    http_call_release(&a->call);
    free(a);
    js_loop_pending_done(vu);
}

static void async_fiber(void *arg) {
    struct async_request *a = arg;
    a->rc = http_call_run(&a->call);
    a->fiber = NULL;
    js_loop_complete(a->call.vu, &a->completion);
}

void http_async_cancel_all(struct http_module *mod) {
    for (struct list *l = mod->in_flight.next; l != &mod->in_flight; l = l->next) {
        struct async_request *a = container_of(l, struct async_request, link);
        if (a->fiber)
            fiber_cancel(a->fiber);
    }
}

JSValue http_js_async_request(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct http_module *mod = http_module_of(ctx);
    struct vu *vu = mod->vu;
    if (!js_require_vu_context(vu, "Making http requests in the init context is not supported"))
        return JS_EXCEPTION;
    JSValue resolving[2];
    JSValue promise = JS_NewPromiseCapability(ctx, resolving);
    if (JS_IsException(promise))
        return promise;
    struct async_request *a = xcalloc(1, sizeof *a);
    a->completion.run = async_settle;
    a->resolve = resolving[0];
    a->reject = resolving[1];
    list_push_back(&mod->in_flight, &a->link);
    js_loop_pending_add(vu);
#define ARG(i) (argc > (i) ? argv[i] : JS_UNDEFINED)
    a->rc = http_call_init_method(&a->call, mod, ARG(0), ARG(1), ARG(2), ARG(3), &a->err);
#undef ARG
    if (a->rc) {
        async_settle(vu, &a->completion);
        return promise;
    }
    a->fiber = fiber_start(vu->worker, REQUEST_STACK_BYTES, async_fiber, a);
    fiber_detach(a->fiber);
    return promise;
}
