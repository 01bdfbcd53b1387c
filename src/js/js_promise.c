#include "js/js_promise.h"

#include <stdlib.h>

#include "base/check.h"
#include "js/event_loop.h"

struct settlement {
    struct js_completion completion;
    JSValue fn, value;
};

static void settle(struct vu *vu, struct js_completion *c) {
    struct settlement *s = container_of(c, struct settlement, completion);
    JSContext *ctx = vu->ctx;
    JS_FreeValue(ctx, JS_Call(ctx, s->fn, JS_UNDEFINED, 1, (JSValueConst *)&s->value));
    JS_FreeValue(ctx, s->fn);
    JS_FreeValue(ctx, s->value);
    free(s);
    js_loop_pending_done(vu);
}

static JSValue settle_later(JSContext *ctx, JSValue v, int which) {
    struct vu *vu = vu_from_ctx(ctx);
    JSValue resolving[2], promise = JS_NewPromiseCapability(ctx, resolving);
    if (JS_IsException(promise)) {
        JS_FreeValue(ctx, v);
        return promise;
    }
    struct settlement *s = xmalloc(sizeof *s);
    *s = (struct settlement){.completion.run = settle, .fn = resolving[which], .value = v};
    JS_FreeValue(ctx, resolving[!which]);
    js_loop_pending_add(vu);
    js_loop_complete(vu, &s->completion);
    return promise;
}

JSValue js_promise_resolve(JSContext *ctx, JSValue v) {
    if (JS_IsException(v))
        return settle_later(ctx, JS_GetException(ctx), 1);
    return settle_later(ctx, v, 0);
}

JSValue js_promise_reject(JSContext *ctx, JSValue reason) {
    return settle_later(ctx, reason, 1);
}
