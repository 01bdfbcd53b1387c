#include "fiber/fiber.h"

#include "base/check.h"
#include "base/error.h"
#include "fiber/context.h"
#include "fiber/internal.h"

#ifdef KILN_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

/* ---------------------------------------------------------------- switching */

static void switch_to_worker(struct fiber *f) {
    struct worker *w = f->worker;
#ifdef KILN_ASAN
    __sanitizer_start_switch_fiber(f->state == FIBER_ENDED ? NULL : &f->asan_fake_stack,
                                   w->asan_stack_low, w->asan_stack_bytes);
#endif
    fiber_context_switch(&f->sp, w->sp);
#ifdef KILN_ASAN
    __sanitizer_finish_switch_fiber(f->asan_fake_stack, &w->asan_stack_low, &w->asan_stack_bytes);
#endif
}

static void fiber_main(void *arg) {
    struct fiber *f = arg;
#ifdef KILN_ASAN
    __sanitizer_finish_switch_fiber(NULL, &f->worker->asan_stack_low, &f->worker->asan_stack_bytes);
#endif
    f->fn(f->arg);
    f->state = FIBER_ENDED;
    switch_to_worker(f);
    CHECK(!"an ended fiber was resumed");
}

static void fiber_free(struct fiber *f) {
    timer_heap_remove(&f->worker->timers, &f->timer);
    list_remove(&f->all);
    stack_put(f->stack);
}

void fiber_run(struct worker *w, struct fiber *f) {
    f->state = FIBER_RUNNING;
    f->resumed_ns = clock_now_ns();
    w->current = f;
#ifdef KILN_ASAN
    __sanitizer_start_switch_fiber(&w->asan_fake_stack, f->stack->low,
                                   (size_t)(f->stack->top - f->stack->low));
#endif
    fiber_context_switch(&w->sp, f->sp);
#ifdef KILN_ASAN
    __sanitizer_finish_switch_fiber(w->asan_fake_stack, NULL, NULL);
#endif
    w->current = NULL;
    if (f->state != FIBER_ENDED)
        return;
    if (f->is_detached)
        fiber_free(f);
    else if (f->joiner)
        fiber_resume(f->joiner, 0);
}

/* ---------------------------------------------------------------- life */

static void deadline_passed(struct worker_timer *t);

struct fiber *fiber_start(struct worker *w, size_t stack_bytes, fiber_fn *fn, void *arg) {
    struct stack *stack = stack_get(&w->stacks, stack_bytes + sizeof(struct fiber));
    CHECK(stack != NULL);
    struct fiber *f = (struct fiber *)(stack->top - (sizeof *f + 63) / 64 * 64);
    *f = (struct fiber){
        .worker = w,
        .stack = stack,
        .fn = fn,
        .arg = arg,
        .state = FIBER_READY,
        .deadline_ns = NEVER_NS,
        .timer.fire = deadline_passed,
        .event_ns = worker_now_ns(w),
    };
    f->sp = fiber_context_make(f, fiber_main, f);
    list_push_back(&w->ready, &f->link);
    list_push_back(&w->fibers, &f->all);
    return f;
}

void fiber_detach(struct fiber *f) {
    CHECK(!f->joiner && !f->is_detached);
    f->is_detached = true;
    if (f->state == FIBER_ENDED)
        fiber_free(f);
}

void fiber_join(struct fiber *f) {
    CHECK(!f->joiner && !f->is_detached);
    while (f->state != FIBER_ENDED) {
        f->joiner = fiber_self();
        CHECK(f->joiner && f->joiner != f);
        fiber_mask_cancel(f->joiner);
        fiber_suspend(FIBER_WAITING, NEVER_NS);
        fiber_unmask_cancel(f->joiner);
    }
    fiber_free(f);
}

void fiber_abandon_all(struct worker *w) {
    struct list *item;
    while ((item = list_pop_front(&w->fibers)))
        stack_put(container_of(item, struct fiber, all)->stack);
}

struct fiber *fiber_self(void) {
    struct worker *w = worker_self();
    return w ? w->current : NULL;
}

struct worker *fiber_worker(const struct fiber *f) {
    return f->worker;
}

void fiber_stack_bounds(const struct fiber *f, void **out_low, size_t *out_bytes) {
    *out_low = f->stack->low;
    *out_bytes = (size_t)((const char *)f - f->stack->low);
}

int64_t fiber_resumed_ns(const struct fiber *f) {
    return f->resumed_ns;
}

int64_t fiber_event_ns(const struct fiber *f) {
    return f->event_ns;
}

/* ---------------------------------------------------------------- waiting */

/* Waits of f end at once with KE_CANCELED. */
static bool is_cut(const struct fiber *f) {
    return f->is_canceled && !f->cancel_masks;
}

bool fiber_is_suspended(const struct fiber *f) {
    return f->state == FIBER_PARKED || f->state == FIBER_WAITING;
}

static void make_ready(struct fiber *f) {
    f->state = FIBER_READY;
    f->event_ns = worker_now_ns(f->worker);
    list_push_back(&f->worker->ready, &f->link);
}

void fiber_resume(struct fiber *f, int result) {
    CHECK(fiber_is_suspended(f));
    f->wait_result = result;
    make_ready(f);
}

/* The heap entry of a fiber may be earlier than its deadline: it stays where an earlier wait put
 * it, so that a wait with a later deadline is free. Here it catches up. */
static void deadline_passed(struct worker_timer *t) {
    struct fiber *f = container_of(t, struct fiber, timer);
    if (!fiber_is_suspended(f) || f->deadline_ns == NEVER_NS)
        return;
    if (f->deadline_ns > worker_now_ns(f->worker))
        worker_timer_start(f->worker, t, f->deadline_ns, deadline_passed);
    else
        fiber_resume(f, KE_TIMEOUT);
}

int fiber_suspend(enum fiber_state state, int64_t deadline_ns) {
    struct fiber *f = fiber_self();
    CHECK(f != NULL);
    if (is_cut(f))
        return KE_CANCELED;
    f->deadline_ns = deadline_ns;
    if (deadline_ns != NEVER_NS) {
        if (deadline_ns <= worker_now_ns(f->worker))
            return KE_TIMEOUT;
        if (!f->timer.heap_pos || deadline_ns < f->timer.deadline_ns)
            worker_timer_start(f->worker, &f->timer, deadline_ns, deadline_passed);
    }
    f->state = state;
    switch_to_worker(f);
    return f->wait_result;
}

int fiber_park(int64_t deadline_ns) {
    struct fiber *f = fiber_self();
    CHECK(f != NULL);
    if (f->is_wake_pending && !is_cut(f)) {
        f->is_wake_pending = false;
        return 0;
    }
    return fiber_suspend(FIBER_PARKED, deadline_ns);
}

void fiber_wake(struct fiber *f) {
    if (f->state == FIBER_PARKED)
        fiber_resume(f, 0);
    else
        f->is_wake_pending = true;
}

int fiber_sleep_until(int64_t deadline_ns) {
    struct fiber *f = fiber_self();
    CHECK(f != NULL);
    if (deadline_ns <= worker_now_ns(f->worker)) {
        fiber_yield();
        return is_cut(f) ? KE_CANCELED : 0;
    }
    int rc = fiber_suspend(FIBER_WAITING, deadline_ns);
    return rc == KE_TIMEOUT ? 0 : rc;
}

void fiber_yield(void) {
    struct fiber *f = fiber_self();
    CHECK(f != NULL);
    make_ready(f);
    switch_to_worker(f);
}

/* ---------------------------------------------------------------- cancel */

void fiber_cancel(struct fiber *f) {
    f->is_canceled = true;
    if (fiber_is_suspended(f) && !f->cancel_masks)
        fiber_resume(f, KE_CANCELED);
}

void fiber_clear_cancel(struct fiber *f) {
    f->is_canceled = false;
}

bool fiber_is_canceled(const struct fiber *f) {
    return f->is_canceled;
}

void fiber_mask_cancel(struct fiber *f) {
    f->cancel_masks++;
}

void fiber_unmask_cancel(struct fiber *f) {
    CHECK(f->cancel_masks > 0);
    f->cancel_masks--;
}

/* ---------------------------------------------------------------- condition */

struct cond_waiter {
    struct list link;
    struct fiber *fiber;
};

void fiber_cond_init(struct fiber_cond *c) {
    list_init(&c->waiters);
}

int fiber_cond_wait(struct fiber_cond *c, int64_t deadline_ns) {
    struct cond_waiter waiter = {.fiber = fiber_self()};
    list_push_back(&c->waiters, &waiter.link);
    int rc = fiber_suspend(FIBER_WAITING, deadline_ns);
    list_remove(&waiter.link);
    return rc;
}

/* A waiter whose deadline passed in this turn is runnable already and does not use up the signal.
 */
void fiber_cond_signal(struct fiber_cond *c) {
    struct list *item;
    while ((item = list_pop_front(&c->waiters))) {
        struct fiber *f = container_of(item, struct cond_waiter, link)->fiber;
        if (fiber_is_suspended(f)) {
            fiber_resume(f, 0);
            return;
        }
    }
}

void fiber_cond_broadcast(struct fiber_cond *c) {
    struct list *item;
    while ((item = list_pop_front(&c->waiters))) {
        struct fiber *f = container_of(item, struct cond_waiter, link)->fiber;
        if (fiber_is_suspended(f))
            fiber_resume(f, 0);
    }
}
