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
