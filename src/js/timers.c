#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/compat.h"
#include "base/log.h"
#include "fiber/worker.h"
#include "js/event_loop.h"
#include "js/js_util.h"

struct js_timer {
    int64_t deadline_ns, interval_ns;
    uint64_t seq;
    uint32_t id;
    bool is_interval;
    int argc;
    JSValue callback;
    JSValue args[];
};

static const char *timer_name(bool is_interval) {
    return is_interval ? "setInterval" : "setTimeout";
}

/* ---- heap ---- */

static bool is_before(const struct js_timer *a, const struct js_timer *b) {
    return a->deadline_ns != b->deadline_ns ? a->deadline_ns < b->deadline_ns : a->seq < b->seq;
}

static void sift_up(struct js_timer **heap, size_t i) {
    while (i > 0 && is_before(heap[i], heap[(i - 1) / 2])) {
        struct js_timer *t = heap[i];
        heap[i] = heap[(i - 1) / 2];
        heap[(i - 1) / 2] = t;
        i = (i - 1) / 2;
    }
}

static void sift_down(struct js_timer **heap, size_t n, size_t i) {
    for (;;) {
        size_t least = i, left = 2 * i + 1;
        if (left < n && is_before(heap[left], heap[least]))
            least = left;
        if (left + 1 < n && is_before(heap[left + 1], heap[least]))
            least = left + 1;
        if (least == i)
            return;
        struct js_timer *t = heap[i];
        heap[i] = heap[least];
        heap[least] = t;
        i = least;
    }
}

static void heap_add(struct vu *vu, struct js_timer *t) {
    if (vu->loop.n_timers == vu->loop.cap_timers) {
        vu->loop.cap_timers = vu->loop.cap_timers ? vu->loop.cap_timers * 2 : 4;
        vu->loop.timers = xrealloc(vu->loop.timers, vu->loop.cap_timers * sizeof *vu->loop.timers);
    }
    t->seq = vu->loop.next_timer_seq++;
    vu->loop.timers[vu->loop.n_timers++] = t;
    sift_up(vu->loop.timers, vu->loop.n_timers - 1);
}

static struct js_timer *heap_remove(struct vu *vu, size_t i) {
    struct js_timer **heap = vu->loop.timers;
    struct js_timer *t = heap[i];
    heap[i] = heap[--vu->loop.n_timers];
    if (i < vu->loop.n_timers) {
        sift_down(heap, vu->loop.n_timers, i);
        sift_up(heap, i);
    }
    return t;
}

static void timer_free(struct vu *vu, struct js_timer *t) {
    JS_FreeValue(vu->ctx, t->callback);
    for (int i = 0; i < t->argc; i++)
        JS_FreeValue(vu->ctx, t->args[i]);
    free(t);
}

/* ---- loop ---- */

int64_t js_timers_next_ns(const struct vu *vu) {
    return vu->loop.n_timers ? vu->loop.timers[0]->deadline_ns : NEVER_NS;
}

int js_timers_run_due(struct vu *vu, int64_t now_ns) {
    if (js_timers_next_ns(vu) > now_ns)
        return 0;
    struct js_timer *t = heap_remove(vu, 0);
    JSContext *ctx = vu->ctx;
    JSValue callback = JS_DupValue(ctx, t->callback);
    uint32_t id = t->id;
    if (t->is_interval) {
        /* It may clear itself: it is in the heap again before it runs. */
        t->deadline_ns = clock_now_ns() + t->interval_ns;
        heap_add(vu, t);
    }
    JSValue args_hold[8], *args = t->argc > 8 ? xmalloc((size_t)t->argc * sizeof *args) : args_hold;
    int argc = t->argc;
    for (int i = 0; i < argc; i++)
        args[i] = JS_DupValue(ctx, t->args[i]);
    if (!t->is_interval)
        timer_free(vu, t);
    JSValue global = JS_GetGlobalObject(ctx);
    JSValue ret = JS_Call(ctx, callback, global, argc, args);
    JS_FreeValue(ctx, global);
    JS_FreeValue(ctx, callback);
    for (int i = 0; i < argc; i++)
        JS_FreeValue(ctx, args[i]);
    if (args != args_hold)
        free(args);
    (void)id;
    if (JS_IsException(ret))
        return KE_JS;
    JS_FreeValue(ctx, ret);
    return 0;
}

void js_timers_drop(struct vu *vu, bool warn) {
    while (vu->loop.n_timers > 0) {
        struct js_timer *t = heap_remove(vu, 0);
        if (warn)
            log_printf(LOG_WARN, "%s %u was stopped because the VU iteration was interrupted",
                       timer_name(t->is_interval), t->id);
        timer_free(vu, t);
    }
}

/* ---- functions of scripts ---- */

static JSValue throw_bad_callback(JSContext *ctx, JSValueConst v, bool is_interval) {
    if (JS_IsUndefined(v) || JS_IsNull(v))
        return js_throw_go_error(ctx, "%s's callback isn't a callable function",
                                 timer_name(is_interval));
    struct js_text text;
    if (!js_text_get(ctx, v, &text))
        return JS_EXCEPTION;
    JS_ThrowTypeError(ctx,
                      "could not convert function call parameter 0: could not convert %.100s to %s",
                      text.s.ptr, compat_text(COMPAT_GO_CALLABLE));
    js_text_release(&text);
    return JS_EXCEPTION;
}

/* Milliseconds of a script; what is no number or negative is 0. */
static int delay_ns(JSContext *ctx, JSValueConst v, int64_t *out) {
    double ms = 0;
    if (JS_ToFloat64(ctx, &ms, v) < 0)
        return KE_JS;
    if (!(ms > 0))
        ms = 0;
    if (ms > 1e12)
        ms = 1e12;
    *out = (int64_t)(ms * (double)NS_PER_MS);
    return 0;
}

static JSValue js_set_timer(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                            int is_interval) {
    (void)this_val;
    struct vu *vu = vu_from_ctx(ctx);
    JSValueConst callback = argc > 0 ? argv[0] : JS_UNDEFINED;
    int64_t delay;
    if (!JS_IsFunction(ctx, callback))
        return throw_bad_callback(ctx, callback, is_interval);
    if (delay_ns(ctx, argc > 1 ? argv[1] : JS_UNDEFINED, &delay))
        return JS_EXCEPTION;
    int extra = argc > 2 ? argc - 2 : 0;
    struct js_timer *t = xmalloc(sizeof *t + (size_t)extra * sizeof(JSValue));
    t->id = ++vu->loop.next_timer_id;
    t->is_interval = is_interval;
    t->interval_ns = delay;
    t->deadline_ns = clock_now_ns() + delay;
    t->callback = JS_DupValue(ctx, callback);
    t->argc = extra;
    for (int i = 0; i < extra; i++)
        t->args[i] = JS_DupValue(ctx, argv[i + 2]);
    heap_add(vu, t);
    return JS_NewUint32(ctx, t->id);
}

static JSValue js_clear_timer(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct vu *vu = vu_from_ctx(ctx);
    double id = 0;
    if (argc > 0 && JS_ToFloat64(ctx, &id, argv[0]) < 0)
        return JS_EXCEPTION;
    for (size_t i = 0; i < vu->loop.n_timers; i++) {
        if ((double)vu->loop.timers[i]->id == id) {
            timer_free(vu, heap_remove(vu, i));
            break;
        }
    }
    return JS_UNDEFINED;
}

const JSCFunctionListEntry js_timer_functions[] = {
    JS_CFUNC_MAGIC_DEF("setTimeout", 2, js_set_timer, 0),
    JS_CFUNC_MAGIC_DEF("setInterval", 2, js_set_timer, 1),
    JS_CFUNC_DEF("clearTimeout", 1, js_clear_timer),
    JS_CFUNC_DEF("clearInterval", 1, js_clear_timer),
};
const int js_timer_functions_len = countof(js_timer_functions);
