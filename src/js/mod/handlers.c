#include "js/mod/handlers.h"

#include <stdlib.h>

static bool is_for(const struct js_handler *one, struct slice event) {
    return slice_eq(slice_cstr(one->event), event);
}

static void append(struct js_handlers *h, JSContext *ctx, struct slice event, JSValueConst fn,
                   bool is_property) {
    h->list = xrealloc(h->list, (h->len + 1) * sizeof *h->list);
    h->list[h->len++] =
        (struct js_handler){slice_dup(event), JS_DupValue(ctx, fn), .is_property = is_property};
}

void js_handlers_add(struct js_handlers *h, JSContext *ctx, struct slice event, JSValueConst fn) {
    append(h, ctx, event, fn, false);
}

static void take_out(struct js_handlers *h, JSContext *ctx, size_t i) {
    free(h->list[i].event);
    JS_FreeValue(ctx, h->list[i].fn);
    h->len--;
    memmove(h->list + i, h->list + i + 1, (h->len - i) * sizeof *h->list);
}

static struct js_handler *property(const struct js_handlers *h, struct slice event) {
    for (size_t i = 0; i < h->len; i++)
        if (h->list[i].is_property && is_for(&h->list[i], event))
            return &h->list[i];
    return NULL;
}

void js_handlers_set(struct js_handlers *h, JSContext *ctx, struct slice event, JSValueConst fn) {
    struct js_handler *one = property(h, event);
    bool is_unset = JS_IsUndefined(fn) || JS_IsNull(fn);
    if (one && is_unset) {
        take_out(h, ctx, (size_t)(one - h->list));
    } else if (one) {
        JS_FreeValue(ctx, one->fn);
        one->fn = JS_DupValue(ctx, fn);
    } else if (!is_unset) {
        append(h, ctx, event, fn, true);
    }
}

JSValue js_handlers_get(const struct js_handlers *h, JSContext *ctx, struct slice event) {
    const struct js_handler *one = property(h, event);
    return one ? JS_DupValue(ctx, one->fn) : JS_NULL;
}

void js_handlers_remove(struct js_handlers *h, JSContext *ctx, struct slice event,
                        JSValueConst fn) {
    for (size_t i = 0; i < h->len; i++) {
        const struct js_handler *one = &h->list[i];
        if (!one->is_property && is_for(one, event) && JS_StrictEq(ctx, one->fn, fn)) {
            take_out(h, ctx, i);
            return;
        }
    }
}

bool js_handlers_has(const struct js_handlers *h, struct slice event) {
    for (size_t i = 0; i < h->len; i++)
        if (is_for(&h->list[i], event))
            return true;
    return false;
}

bool js_handlers_emit(const struct js_handlers *h, JSContext *ctx, struct slice event,
                      JSValue arg) {
    bool ok = !JS_IsException(arg);
    size_t n = 0;
    JSValue *now = h->len ? xcalloc(h->len, sizeof *now) : NULL;
    for (size_t i = 0; i < h->len; i++)
        if (is_for(&h->list[i], event))
            now[n++] = JS_DupValue(ctx, h->list[i].fn);
    for (size_t i = 0; i < n; i++) {
        if (ok) {
            JSValue r = JS_Call(ctx, now[i], JS_UNDEFINED, JS_IsUndefined(arg) ? 0 : 1,
                                (JSValueConst *)&arg);
            ok = !JS_IsException(r);
            JS_FreeValue(ctx, r);
        }
        JS_FreeValue(ctx, now[i]);
    }
    free(now);
    JS_FreeValue(ctx, arg);
    return ok;
}

void js_handlers_release(struct js_handlers *h, JSRuntime *rt) {
    for (size_t i = 0; i < h->len; i++) {
        free(h->list[i].event);
        JS_FreeValueRT(rt, h->list[i].fn);
    }
    free(h->list);
    *h = (struct js_handlers){0};
}

void js_handlers_mark(const struct js_handlers *h, JSRuntime *rt, JS_MarkFunc *mark) {
    for (size_t i = 0; i < h->len; i++)
        JS_MarkValue(rt, h->list[i].fn, mark);
}
