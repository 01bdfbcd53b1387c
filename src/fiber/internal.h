/* What the .c files of this directory share; nobody else includes it. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "fiber/fiber.h"
#include "fiber/poll.h"
#include "fiber/stack.h"
#include "fiber/timer_heap.h"
#include "fiber/worker.h"

enum fiber_state {
    FIBER_READY,   /* in the run queue */
    FIBER_RUNNING, /* the worker's current one */
    FIBER_PARKED,  /* in fiber_park: fiber_wake resumes it */
    FIBER_WAITING, /* in a wait of its own kind (I/O, sleep, cond, join): fiber_wake is kept for
                      later */
    FIBER_ENDED,
};

/* Lives at the top of its own stack. */
struct fiber {
    void *sp;
    struct worker *worker;
    struct list link; /* in the run queue */
    struct list all;  /* in the worker's list of fibers */
    struct stack *stack;
    fiber_fn *fn;
    void *arg;
    enum fiber_state state;
    int wait_result;
    bool is_wake_pending;
    bool is_canceled;
    bool is_detached;
    uint32_t cancel_masks;
    struct fiber *joiner;
    int64_t
        deadline_ns; /* of the running wait; timer.deadline_ns may lie before it, see fibers.md */
    struct worker_timer timer;
    int64_t resumed_ns, event_ns;
#ifdef KILN_ASAN
    void *asan_fake_stack;
#endif
};

#define WORKER_LOCALS 8

struct worker {
    struct list ready;
    struct fiber *current;
    struct list fibers;
    int64_t turn_ns; /* 0 until somebody asks in this turn */

    int epoll_fd;
    struct list dead_ios; /* freed when no event of this turn can name them */

    struct timer_heap timers;
    int timer_fd;
    struct poll_watch timer_watch;
    int64_t timer_armed_ns; /* when timer_fd fires; NEVER_NS when disarmed */
    bool is_timer_due;

    _Atomic(struct worker_msg *) mail;
    int wakeup_fd;
    struct poll_watch wakeup_watch;
    atomic_bool is_stopping;

    uv_loop_t uv;
    uv_async_t uv_keepalive;
    struct poll_watch uv_watch;
    bool is_uv_ready;

    struct stack_pool stacks;
    void *signal_stack;
    void *sp; /* the worker's own stack while a fiber runs */
#ifdef KILN_ASAN
    const void *asan_stack_low;
    size_t asan_stack_bytes;
    void *asan_fake_stack;
#endif

    struct worker_local_value {
        const void *key;
        void *value;
        void (*free_value)(void *);
    } locals[WORKER_LOCALS];

    int index;
    int cpu;
    bool has_thread;
    pthread_t thread;
};

/* Waits for events (not at all while fibers are ready, or longer than timeout_ms unless that is -1)
 * and dispatches them. */
void worker_poll(struct worker *w, int timeout_ms);
void worker_free_dead_ios(struct worker *w);

/* Runs f until it next waits. On the worker's own stack. */
void fiber_run(struct worker *w, struct fiber *f);
/* Suspends the running fiber in `state` until fiber_resume, the deadline or (unless it is masked) a
 * cancel. Returns at once when one of the latter is already there. Yields. 0, KE_TIMEOUT,
 * KE_CANCELED. */
int fiber_suspend(enum fiber_state state, int64_t deadline_ns);
bool fiber_is_suspended(const struct fiber *f);
/* Ends the wait of a suspended fiber with this result. */
void fiber_resume(struct fiber *f, int result);
/* Frees the stacks of fibers that never ended. */
void fiber_abandon_all(struct worker *w);
/* Makes an overflow of a fiber's stack on this thread say so before the process ends. */
void stack_overflow_watch(struct worker *w);
void stack_overflow_unwatch(struct worker *w);
