#include "js/event_loop.h"

#include <stdlib.h>

#include "base/check.h"
#include "js/js_util.h"
#include "js/mod.h"

static void on_rejection(JSContext *ctx, JSValueConst promise, JSValueConst reason,
                         JS_BOOL is_handled, void *opaque) {
    struct vu *vu = opaque;
    (void)reason;
    if (!is_handled) {
        if (vu->loop.n_rejected == vu->loop.cap_rejected) {
            vu->loop.cap_rejected = vu->loop.cap_rejected ? vu->loop.cap_rejected * 2 : 4;
            vu->loop.rejected =
                xrealloc(vu->loop.rejected, vu->loop.cap_rejected * sizeof(JSValue));
        }
        vu->loop.rejected[vu->loop.n_rejected++] = JS_DupValue(ctx, promise);
        return;
    }
    for (size_t i = 0; i < vu->loop.n_rejected; i++) {
        if (JS_VALUE_GET_PTR(vu->loop.rejected[i]) != JS_VALUE_GET_PTR(promise))
            continue;
        JS_FreeValue(ctx, vu->loop.rejected[i]);
        vu->loop.n_rejected--;
        for (size_t k = i; k < vu->loop.n_rejected; k++)
            vu->loop.rejected[k] = vu->loop.rejected[k + 1];
        return;
    }
}

void js_loop_init(struct vu *vu) {
    list_init(&vu->loop.ready);
    JS_SetHostPromiseRejectionTracker(vu->rt, on_rejection, vu);
}

void js_loop_forget_rejections(struct vu *vu, size_t keep) {
    while (vu->loop.n_rejected > keep)
        JS_FreeValue(vu->ctx, vu->loop.rejected[--vu->loop.n_rejected]);
}

void js_loop_release(struct vu *vu) {
    vu->is_leaving = true;
    js_loop_abandon(vu);
    free(vu->loop.timers);
    free(vu->loop.rejected);
    vu->loop.timers = NULL;
    vu->loop.rejected = NULL;
}

void js_loop_pending_add(struct vu *vu) {
    vu->loop.pending++;
}

void js_loop_pending_done(struct vu *vu) {
    CHECK(vu->loop.pending > 0);
    vu->loop.pending--;
    if (vu->loop.is_waiting)
        fiber_wake(vu->fiber);
}

void js_loop_background_add(struct vu *vu) {
    vu->loop.background++;
}

void js_loop_background_done(struct vu *vu) {
    CHECK(vu->loop.background > 0);
    vu->loop.background--;
}

bool js_loop_has_work(const struct vu *vu) {
    return JS_IsJobPending(vu->rt) || vu->loop.n_timers || vu->loop.pending ||
           vu->loop.n_rejected || !list_empty(&vu->loop.ready);
}

void js_loop_complete(struct vu *vu, struct js_completion *c) {
    list_push_back(&vu->loop.ready, &c->link);
    if (vu->loop.is_waiting)
        fiber_wake(vu->fiber);
}

/* Promise reactions and async functions that can go on. */
static int run_jobs(struct vu *vu) {
    JSContext *ctx;
    while (JS_IsJobPending(vu->rt)) {
        if (JS_ExecutePendingJob(vu->rt, &ctx) < 0)
            return vu->is_interrupted ? KE_CANCELED : KE_JS;
        if (vu->is_interrupted)
            return KE_CANCELED;
    }
    return 0;
}

/* What k6 looks at after each task: the given promise, then rejections that nobody handles. */
static int check_rejections(struct vu *vu, JSValueConst promise) {
    JSContext *ctx = vu->ctx;
    if (JS_IsPromiseObject(promise) && JS_PromiseState(ctx, promise) == JS_PROMISE_REJECTED) {
        JS_Throw(ctx, JS_PromiseResult(ctx, promise));
        return KE_JS;
    }
    if (vu->loop.n_rejected == 0)
        return 0;
    vu->loop.is_rejection = true;
    JS_Throw(ctx, JS_PromiseResult(ctx, vu->loop.rejected[0]));
    return KE_JS;
}

static int after_task(struct vu *vu, JSValueConst promise) {
    if (JS_IsJobPending(vu->rt)) {
        int rc = run_jobs(vu);
        if (rc)
            return rc;
    }
    return check_rejections(vu, promise);
}

static int run_ready(struct vu *vu, JSValueConst promise) {
    int rc = 0;
    while (rc == 0 && !list_empty(&vu->loop.ready)) {
        struct list *l = list_pop_front(&vu->loop.ready);
        struct js_completion *c = container_of(l, struct js_completion, link);
        c->run(vu, c);
        rc = JS_HasException(vu->ctx) ? KE_JS : after_task(vu, promise);
    }
    return rc;
}

/* Waits for a completion or the next timer. */
static int wait_for_work(struct vu *vu) {
    vu->loop.is_waiting = true;
    int rc = fiber_park(js_timers_next_ns(vu));
    vu->loop.is_waiting = false;
    return rc == KE_CANCELED ? KE_CANCELED : 0;
}

static int run(struct vu *vu, JSValueConst promise) {
    int rc = after_task(vu, promise);
    while (rc == 0) {
        if (vu->is_interrupted)
            return KE_CANCELED;
        if (!list_empty(&vu->loop.ready)) {
            rc = run_ready(vu, promise);
        } else if (vu->loop.n_timers > 0 && js_timers_next_ns(vu) <= clock_now_ns()) {
            rc = js_timers_run_due(vu, NEVER_NS - 1);
            if (rc == 0)
                rc = after_task(vu, promise);
            if (rc == 0 && worker_slice_is_over())
                fiber_yield();
        } else if (vu->loop.n_timers > 0 || vu->loop.pending > 0) {
            rc = wait_for_work(vu);
        } else {
            break;
        }
    }
    return rc;
}

int js_loop_run(struct vu *vu, JSValueConst promise) {
    vu->loop.is_rejection = false;
    int rc = run(vu, promise);
    if (rc == KE_JS && vu->is_interrupted) {
        JS_FreeValue(vu->ctx, JS_GetException(vu->ctx));
        rc = KE_CANCELED;
    }
    if (rc)
        js_loop_abandon(vu);
    return rc;
}

void js_loop_abandon(struct vu *vu) {
    /* The exception that ended the loop stays pending through the clean-up. */
    JSValue exception = JS_HasException(vu->ctx) ? JS_GetException(vu->ctx) : JS_UNINITIALIZED;
    js_timers_drop(vu, true);
    if (vu->loop.pending > 0 || vu->loop.background > 0 || !list_empty(&vu->loop.ready)) {
        js_modules_cancel(vu);
        fiber_mask_cancel(vu->fiber);
        while (vu->loop.pending > 0 || !list_empty(&vu->loop.ready)) {
            while (!list_empty(&vu->loop.ready)) {
                struct list *l = list_pop_front(&vu->loop.ready);
                struct js_completion *c = container_of(l, struct js_completion, link);
                c->run(vu, c);
                if (JS_HasException(vu->ctx))
                    JS_FreeValue(vu->ctx, JS_GetException(vu->ctx));
            }
            if (vu->loop.pending > 0) {
                vu->loop.is_waiting = true;
                fiber_park(NEVER_NS);
                vu->loop.is_waiting = false;
            }
        }
        fiber_unmask_cancel(vu->fiber);
    }
    JS_DropPendingJobs(vu->rt);
    js_timers_drop(vu, false);
    js_loop_forget_rejections(vu, 0);
    if (!JS_IsUninitialized(exception))
        JS_Throw(vu->ctx, exception);
}
