/* Fibers: stackful coroutines that make waiting look like blocking. A fiber belongs to one worker
 * (thread) for life and runs until it waits; everything marked "yields" may run other fibers of the
 * worker before it returns. Switching is our own assembly (context_*.S); stacks are mmap'ed with a
 * guard page, committed lazily, and recycled.
 *
 * Waiting takes a deadline (CLOCK_MONOTONIC ns, NEVER_NS for none) and ends with 0, KE_TIMEOUT or
 * KE_CANCELED. A cancelled fiber gets KE_CANCELED from every wait until fiber_clear_cancel, so that
 * a stop cuts through any depth of calls. Wakes may be spurious: check the condition in a loop.
 *
 * See docs/internals/fibers.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"

struct worker;
struct fiber;
typedef void fiber_fn(void *arg);

#define FIBER_STACK_DEFAULT (256 * 1024)

/* Creates a fiber on w (the calling thread's worker, or before w runs). It starts when the worker
 * next turns. fn's return ends it; a finished fiber is freed by fiber_join, or by itself when
 * detached. stack_bytes is rounded up to pages. */
struct fiber *fiber_start(struct worker *w, size_t stack_bytes, fiber_fn *fn, void *arg);
void fiber_detach(struct fiber *f);
/* Waits until f has ended, then frees it. Yields. Not cancelable: join is how owners clean up. */
void fiber_join(struct fiber *f);

/* The running fiber, NULL on a worker's own stack. */
struct fiber *fiber_self(void);
struct worker *fiber_worker(const struct fiber *f);
/* Lowest usable address of the running fiber's stack, for stack-overflow limits. */
void fiber_stack_bounds(const struct fiber *f, void **out_low, size_t *out_bytes);

/* Parks the running fiber until fiber_wake, the deadline or a cancel. Yields. */
int fiber_park(int64_t deadline_ns);
/* Makes a parked fiber of the same worker runnable; no effect on one that is not parked except that
 * its next park returns at once (a wake is never lost). From another thread use worker_post. */
void fiber_wake(struct fiber *f);
/* Yields until the deadline; 0 when it is reached, KE_CANCELED. */
int fiber_sleep_until(int64_t deadline_ns);
/* Lets the other runnable fibers and I/O of the worker go first. Yields. */
void fiber_yield(void);

/* Sticky cancel. Same worker only. */
void fiber_cancel(struct fiber *f);
void fiber_clear_cancel(struct fiber *f);
bool fiber_is_canceled(const struct fiber *f);
/* While masked, waits of f ignore a cancel (clean-up sections). Nests. */
void fiber_mask_cancel(struct fiber *f);
void fiber_unmask_cancel(struct fiber *f);

/* When the running fiber was last resumed, and when the event that made it runnable was seen by the
 * poll (so that latency does not count time spent in the run queue). Monotonic ns. */
int64_t fiber_resumed_ns(const struct fiber *f);
int64_t fiber_event_ns(const struct fiber *f);

/* A condition: fibers of one worker wait, others signal. */
struct fiber_cond {
    struct list waiters;
};
void fiber_cond_init(struct fiber_cond *c);
int fiber_cond_wait(struct fiber_cond *c, int64_t deadline_ns); /* yields */
void fiber_cond_signal(struct fiber_cond *c);
void fiber_cond_broadcast(struct fiber_cond *c);
