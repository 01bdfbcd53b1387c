/* A worker thread with what VUs on it share: tag table, metric shard, and the queue of VUs waiting
 * for their init code. The main thread has one too (index -1), for setup(), teardown() and the
 * engine's own metrics. */
#pragma once

#include "fiber/worker.h"
#include "load/health.h"
#include "metrics/aggregate.h"

struct run;

struct load_worker {
    struct run *run;
    struct worker *worker;
    struct tag_table *tags;
    struct shard *shard;
    bool is_main;
    bool streams; /* raw samples go to an output */

    /* The worker's own thread. */
    struct list init_queue; /* struct vu_handle by link */
    bool is_initializing;
    struct worker_timer flush_timer;
    struct list paused; /* fibers that wait for the end of a pause */
    _Atomic bool is_resuming;

    /* Collecting: one round trip at a time. */
    struct worker_msg collect_msg, collected_msg, flush_msg, resume_msg;
    struct shard_delta *delta;
    int64_t collect_posted_ns;
    struct worker_health health;
};

/* Flushes raw samples to the outputs every 50 ms from now on. On the worker's thread or before it
 * runs. */
void load_worker_stream(struct load_worker *lw);
/* On a fiber of the worker, while the run is paused: waits until it is resumed, or until somebody
 * wakes the fiber. Yields. */
void load_worker_wait_paused(struct load_worker *lw);
/* Main thread: lets them go on. */
void load_worker_resume(struct load_worker *lw);
