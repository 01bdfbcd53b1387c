#include "js/mod/http_internal.h"

#include <stdlib.h>

#include "base/check.h"
#include "js/event_loop.h"
#include "js/js_util.h"

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

/* ---- asyncRequest ---- */

struct async_request {
    struct js_completion completion;
    struct list link; /* http_module.in_flight */
    struct http_call call;
    struct error err;
    int rc;
    struct fiber *fiber;
    JSValue promise;
};

static void async_settle(struct vu *vu, struct js_completion *c) {
    struct async_request *a = container_of(c, struct async_request, completion);
    JSContext *ctx = vu->ctx;
    list_remove(&a->link);
    JSValue r = http_call_finish(&a->call, a->rc, &a->err);
    bool failed = JS_IsException(r);
    if (failed)
        r = JS_GetException(ctx);
    JS_SettlePromise(ctx, a->promise, r, failed);
    JS_FreeValue(ctx, r);
    JS_FreeValue(ctx, a->promise);
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
    JSValue promise = JS_NewPendingPromise(ctx);
    if (JS_IsException(promise))
        return promise;
    struct async_request *a = xcalloc(1, sizeof *a);
    a->completion.run = async_settle;
    a->promise = JS_DupValue(ctx, promise);
    list_push_back(&mod->in_flight, &a->link);
    js_loop_pending_add(vu);
#define ARG(i) (argc > (i) ? argv[i] : JS_UNDEFINED)
    a->rc = http_call_init_method(&a->call, mod, ARG(0), ARG(1), ARG(2), ARG(3), &a->err);
#undef ARG
    if (a->rc) {
        async_settle(vu, &a->completion);
        return promise;
    }
    a->fiber = fiber_start(vu->worker, HTTP_REQUEST_STACK_BYTES, async_fiber, a);
    fiber_detach(a->fiber);
    return promise;
}
