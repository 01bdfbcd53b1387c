#include "fiber/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/check.h"
#include "fiber/internal.h"

/* Timers that are due within this long after an expiry fire together: dense timers cost at most
 * 10,000 wake-ups a second, a lone one is exact. */
#define TIMER_SLACK_NS (200 * NS_PER_US)
#define SLICE_NS (1 * NS_PER_MS)

static _Thread_local struct worker *self;

struct worker *worker_self(void) {
    return self;
}

int worker_index(const struct worker *w) {
    return w->index;
}

int64_t worker_now_ns(struct worker *w) {
    if (!w->turn_ns)
        w->turn_ns = clock_now_ns();
    return w->turn_ns;
}

bool worker_slice_is_over(void) {
    struct worker *w = self;
    return w && w->current && clock_now_ns() - w->current->resumed_ns >= SLICE_NS;
}

void *worker_local(const struct worker *w, const void *key) {
    for (size_t i = 0; i < WORKER_LOCALS && w->locals[i].key; i++) {
        if (w->locals[i].key == key)
            return w->locals[i].value;
    }
    return NULL;
}

void worker_local_set(struct worker *w, const void *key, void *value, void (*free_value)(void *)) {
    size_t i = 0;
    while (i < WORKER_LOCALS && w->locals[i].key && w->locals[i].key != key)
        i++;
    CHECK(i < WORKER_LOCALS);
    w->locals[i] = (struct worker_local_value){key, value, free_value};
}

/* ---------------------------------------------------------------- mailbox */

static void mail_deliver(struct worker *w) {
    struct worker_msg *newest = atomic_exchange_explicit(&w->mail, NULL, memory_order_acquire);
    struct worker_msg *oldest = NULL;
    while (newest) {
        struct worker_msg *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct worker_msg *msg = oldest;
        oldest = msg->next; /* run may free it */
        msg->run(msg);
    }
}

/* The descriptor is edge-triggered and never read: each ring is an edge. */
static void wakeup_ring(struct worker *w) {
    uint64_t one = 1;
    while (write(w->wakeup_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void worker_post(struct worker *w, struct worker_msg *msg) {
    struct worker_msg *head = atomic_load_explicit(&w->mail, memory_order_relaxed);
    do {
        msg->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&w->mail, &head, msg, memory_order_release,
                                                    memory_order_relaxed));
    /* Whoever found it empty rings; the others' mail is taken along. */
    if (!head)
        wakeup_ring(w);
}

static void wakeup_happened(struct poll_watch *watch, uint32_t events) {
    (void)events;
    mail_deliver(container_of(watch, struct worker, wakeup_watch));
}

/* ---------------------------------------------------------------- timers */

static void timer_fd_arm(struct worker *w, int64_t deadline_ns) {
    w->timer_armed_ns = deadline_ns;
    struct itimerspec spec = {0};
    if (deadline_ns != NEVER_NS) {
        if (deadline_ns < 1) /* zero would disarm */
            deadline_ns = 1;
        spec.it_value.tv_sec = (time_t)(deadline_ns / NS_PER_S);
        spec.it_value.tv_nsec = (long)(deadline_ns % NS_PER_S);
    }
    CHECK(timerfd_settime(w->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0);
}

static void timer_happened(struct poll_watch *watch, uint32_t events) {
    (void)events;
    container_of(watch, struct worker, timer_watch)->is_timer_due = true;
}

/* Setting the timer anew also takes back its readiness, so the descriptor is never read. */
static void timers_fire(struct worker *w) {
    w->is_timer_due = false;
    int64_t now_ns = worker_now_ns(w);
    /* Timers that the callbacks start have their turn later, however early their deadline. */
    uint64_t end_order = w->timers.next_order;
    struct worker_timer *t;
    while ((t = timer_heap_pop_due(&w->timers, now_ns, end_order)))
        t->fire(t);
    int64_t next_ns = timer_heap_earliest_ns(&w->timers);
    if (next_ns < now_ns + TIMER_SLACK_NS)
        next_ns = now_ns + TIMER_SLACK_NS;
    timer_fd_arm(w, next_ns);
}

void worker_timer_start(struct worker *w, struct worker_timer *t, int64_t deadline_ns,
                        void (*fire)(struct worker_timer *)) {
    t->fire = fire;
    timer_heap_set(&w->timers, t, deadline_ns);
    if (deadline_ns < w->timer_armed_ns && !w->is_timer_due)
        timer_fd_arm(w, deadline_ns);
}

void worker_timer_stop(struct worker *w, struct worker_timer *t) {
    timer_heap_remove(&w->timers, t);
}

/* ---------------------------------------------------------------- libuv */

static void uv_happened(struct poll_watch *watch, uint32_t events) {
    (void)events;
    container_of(watch, struct worker, uv_watch)->is_uv_ready = true;
}

/* libuv registers what it watches for only inside its own poll: handles started since then wait in
 * a queue. The field is a list head of two pointers in every libuv 1.x. */
static bool uv_has_new_watchers(const uv_loop_t *loop) {
    const void *head = &loop->watcher_queue;
    return *(const void *const *)head != head;
}

/* Runs what libuv has to do now; returns after how many ms it wants to be asked again, -1 for "when
 * its descriptor is ready". */
static int uv_turn(struct worker *w) {
    int timeout_ms = uv_backend_timeout(&w->uv);
    if (timeout_ms > 0) { /* a timer of libuv, counted from when its time was last read */
        uv_update_time(&w->uv);
        timeout_ms = uv_backend_timeout(&w->uv);
    }
    if (w->is_uv_ready || timeout_ms == 0 || uv_has_new_watchers(&w->uv)) {
        w->is_uv_ready = false;
        uv_run(&w->uv, UV_RUN_NOWAIT);
        timeout_ms = uv_has_new_watchers(&w->uv) ? 0 : uv_backend_timeout(&w->uv);
    }
    return timeout_ms;
}

uv_loop_t *worker_uv(struct worker *w) {
    uv_update_time(&w->uv);
    return &w->uv;
}

/* ---------------------------------------------------------------- loop */

static void run_ready(struct worker *w) {
    /* Those that become ready meanwhile wait for the next turn. */
    struct list turn;
    list_init(&turn);
    if (list_empty(&w->ready))
        return;
    turn = w->ready;
    turn.next->prev = turn.prev->next = &turn;
    list_init(&w->ready);
    struct list *item;
    while ((item = list_pop_front(&turn)))
        fiber_run(w, container_of(item, struct fiber, link));
}

void worker_run(struct worker *w) {
    CHECK(!self);
    self = w;
    stack_overflow_watch(w);
    while (!atomic_load_explicit(&w->is_stopping, memory_order_relaxed)) {
        w->turn_ns = 0;
        int timeout_ms = uv_turn(w);
        w->turn_ns = 0; /* the poll may block */
        worker_poll(w, timeout_ms);
        if (w->is_timer_due)
            timers_fire(w);
        run_ready(w);
    }
    mail_deliver(w);
    atomic_store(&w->is_stopping, false);
    stack_overflow_unwatch(w);
    self = NULL;
}

static void *thread_main(void *arg) {
    struct worker *w = arg;
    char name[16];
    snprintf(name, sizeof name, "worker-%d", w->index);
    pthread_setname_np(pthread_self(), name);
    if (w->cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)w->cpu, &set);
        pthread_setaffinity_np(pthread_self(), sizeof set, &set); /* a wish, no more */
    }
    worker_run(w);
    return NULL;
}

void worker_start(struct worker *w, int cpu) {
    CHECK(!w->has_thread);
    w->cpu = cpu;
    /* Signals are the main thread's, but for those that a fault of this thread raises. */
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGPROF};
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < countof(faults); i++)
        sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    int rc = pthread_create(&w->thread, NULL, thread_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    CHECK(rc == 0);
    w->has_thread = true;
}

void worker_stop(struct worker *w) {
    atomic_store(&w->is_stopping, true);
    wakeup_ring(w);
}

/* ---------------------------------------------------------------- life */

static void uv_keepalive_rang(uv_async_t *async) {
    (void)async;
}

struct worker *worker_new(int index) {
    struct worker *w = xcalloc(1, sizeof *w);
    w->index = index;
    w->cpu = -1;
    list_init(&w->ready);
    list_init(&w->fibers);
    list_init(&w->dead_ios);
    timer_heap_init(&w->timers);
    stack_pool_init(&w->stacks);
    w->timer_armed_ns = NEVER_NS;
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    w->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    w->wakeup_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(w->epoll_fd >= 0 && w->timer_fd >= 0 && w->wakeup_fd >= 0);
    w->timer_watch.happened = timer_happened;
    poll_set(w->epoll_fd, w->timer_fd, &w->timer_watch, 0, EPOLLIN | EPOLLET);
    w->wakeup_watch.happened = wakeup_happened;
    poll_set(w->epoll_fd, w->wakeup_fd, &w->wakeup_watch, 0, EPOLLIN | EPOLLET);
    CHECK(uv_loop_init(&w->uv) == 0);
    /* A loop without active handles would refuse to run. */
    CHECK(uv_async_init(&w->uv, &w->uv_keepalive, uv_keepalive_rang) == 0);
    w->uv_watch.happened = uv_happened;
    poll_set(w->epoll_fd, uv_backend_fd(&w->uv), &w->uv_watch, 0, EPOLLIN);
    return w;
}

static void handle_close(uv_handle_t *handle, void *arg) {
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void worker_free(struct worker *w) {
    if (w->has_thread)
        pthread_join(w->thread, NULL);
    for (size_t i = 0; i < WORKER_LOCALS && w->locals[i].key; i++) {
        if (w->locals[i].free_value)
            w->locals[i].free_value(w->locals[i].value);
    }
    fiber_abandon_all(w);
    uv_walk(&w->uv, handle_close, NULL);
    uv_run(&w->uv, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&w->uv) == 0);
    worker_free_dead_ios(w);
    close(w->wakeup_fd);
    close(w->timer_fd);
    close(w->epoll_fd);
    timer_heap_release(&w->timers);
    stack_pool_release(&w->stacks);
    free(w);
}
