#include <stdlib.h>

#include "base/check.h"
#include "base/list.h"
#include "js/event_loop.h"
#include "js/go_args.h"
#include "js/mod.h"
#include "js/secrets/secrets.h"

/* A source that waits does it on a small fiber of its own that runs no JavaScript. */
#define FETCH_STACK_BYTES (128 * 1024)

struct secret_request {
    struct js_completion completion;
    struct list link; /* the module's in_flight */
    struct vu *vu;
    char *source;
    char *key;
    size_t key_len;
    struct fiber *fiber; /* NULL: it is done */
    struct slice value;
    int rc;
    struct error err;
    JSValue resolve, reject;
};

static void run(struct secret_request *r) {
    r->rc = secrets_get(secrets_installed(), r->source, slice_from(r->key, r->key_len), &r->value,
                        &r->err);
}

static void fetch_fiber(void *arg) {
    struct secret_request *r = arg;
    run(r);
    r->fiber = NULL;
    js_loop_complete(r->vu, &r->completion);
}

static void settle(struct vu *vu, struct js_completion *c) {
    struct secret_request *r = container_of(c, struct secret_request, completion);
    JSContext *ctx = vu->ctx;
    JSValue v = r->rc ? go_error_value(ctx, NULL, r->err.text) : go_string_new(ctx, r->value);
    JS_FreeValue(ctx,
                 JS_Call(ctx, r->rc ? r->reject : r->resolve, JS_UNDEFINED, 1, (JSValueConst *)&v));
    JS_FreeValue(ctx, v);
    JS_FreeValue(ctx, r->resolve);
    JS_FreeValue(ctx, r->reject);
    list_remove(&r->link);
    free(r->source);
    free(r->key);
    free(r);
    js_loop_pending_done(vu);
}

/* data[0]: name of the source. */
static JSValue js_get(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                      int magic, JSValue *data) {
    (void)this_val;
    (void)magic;
    struct vu *vu = vu_from_ctx(ctx);
    struct list *in_flight = vu->module_state[JS_SLOT_SECRETS];
    struct js_text key, source;
    JSValue resolving[2];
    if (!go_string_arg(ctx, argc, argv, 0, &key))
        return JS_EXCEPTION;
    if (!js_text_get(ctx, data[0], &source)) {
        js_text_release(&key);
        return JS_EXCEPTION;
    }
    JSValue promise = JS_NewPromiseCapability(ctx, resolving);
    if (!JS_IsException(promise)) {
        struct secret_request *r = xcalloc(1, sizeof *r);
        r->vu = vu;
        r->completion.run = settle;
        r->resolve = resolving[0];
        r->reject = resolving[1];
        r->source = slice_dup(source.s);
        r->key = slice_dup(key.s);
        r->key_len = key.s.len;
        list_push_back(in_flight, &r->link);
        js_loop_pending_add(vu);
        if (secrets_is_quick(secrets_installed(), r->source, key.s)) {
            run(r);
            js_loop_complete(vu, &r->completion);
        } else {
            r->fiber = fiber_start(vu->worker, FETCH_STACK_BYTES, fetch_fiber, r);
            fiber_detach(r->fiber);
        }
    }
    js_text_release(&source);
    js_text_release(&key);
    return promise;
}

static JSValue new_source(JSContext *ctx, JSValueConst name) {
    JSValue o = JS_NewObject(ctx);
    JSValue get = JS_NewCFunctionData(ctx, js_get, 1, 0, 1, (JSValueConst *)&name);
    JS_SetPropertyStr(ctx, o, "get", get);
    return o;
}

static JSValue js_source(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct js_text name;
    if (!go_string_arg(ctx, argc, argv, 0, &name))
        return JS_EXCEPTION;
    JSValue text = JS_NewStringLen(ctx, name.s.ptr, name.s.len);
    js_text_release(&name);
    JSValue o = new_source(ctx, text);
    JS_FreeValue(ctx, text);
    return o;
}

static int declare(JSContext *ctx, JSModuleDef *m) {
    return JS_AddModuleExport(ctx, m, "default");
}

static int init(JSContext *ctx, JSModuleDef *m) {
    struct vu *vu = vu_from_ctx(ctx);
    if (!vu->module_state[JS_SLOT_SECRETS]) {
        struct list *in_flight = xmalloc(sizeof *in_flight);
        list_init(in_flight);
        vu->module_state[JS_SLOT_SECRETS] = in_flight;
    }
    JSValue name = JS_NewString(ctx, "default"), o = new_source(ctx, name);
    JS_FreeValue(ctx, name);
    JS_SetPropertyStr(ctx, o, "source", JS_NewCFunction(ctx, js_source, "source", 1));
    return JS_SetModuleExport(ctx, m, "default", o);
}

static void module_cancel(struct vu *vu) {
    struct list *in_flight = vu->module_state[JS_SLOT_SECRETS];
    for (struct list *l = in_flight ? in_flight->next : NULL; l && l != in_flight; l = l->next) {
        struct secret_request *r = container_of(l, struct secret_request, link);
        if (r->fiber)
            fiber_cancel(r->fiber);
    }
}

static void module_free(struct vu *vu) {
    free(vu->module_state[JS_SLOT_SECRETS]);
    vu->module_state[JS_SLOT_SECRETS] = NULL;
}

const struct js_module js_mod_secrets = {.specifier = "k6/secrets",
                                         .declare = declare,
                                         .init = init,
                                         .free = module_free,
                                         .cancel = module_cancel};
