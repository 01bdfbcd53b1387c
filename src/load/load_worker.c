#include "load/load_worker.h"

#include "base/check.h"
#include "load/run.h"

#define FLUSH_PERIOD_NS (50 * NS_PER_MS)

static void on_flush(struct worker_timer *t) {
    struct load_worker *lw = container_of(t, struct load_worker, flush_timer);
    shard_flush_raw(lw->shard);
    worker_timer_start(lw->worker, t, clock_now_ns() + FLUSH_PERIOD_NS, on_flush);
}

static void on_start_flushing(struct worker_msg *msg) {
    on_flush(&container_of(msg, struct load_worker, flush_msg)->flush_timer);
}

void load_worker_stream(struct load_worker *lw) {
    lw->flush_msg.run = on_start_flushing;
    worker_post(lw->worker, &lw->flush_msg);
}

struct paused {
    struct list link;
    struct fiber *fiber;
};

void load_worker_wait_paused(struct load_worker *lw) {
    struct paused p = {.fiber = fiber_self()};
    list_push_back(&lw->paused, &p.link);
    fiber_park(NEVER_NS);
    list_remove(&p.link);
}

static void on_resume(struct worker_msg *msg) {
    struct load_worker *lw = container_of(msg, struct load_worker, resume_msg);
    struct list *item;
    atomic_store(&lw->is_resuming, false);
    while ((item = list_pop_front(&lw->paused)) != NULL)
        fiber_wake(container_of(item, struct paused, link)->fiber);
}

void load_worker_resume(struct load_worker *lw) {
    if (atomic_exchange(&lw->is_resuming, true))
        return; /* the message is on its way, and will be early enough */
    lw->resume_msg.run = on_resume;
    worker_post(lw->worker, &lw->resume_msg);
}
