/* What happens at regular times while a run lives: progress and logs every 100 ms, the gauges vus
 * and vus_max every second, shards collected every second, thresholds every 2 s. */
#include "base/check.h"
#include "base/log.h"
#include "load/run.h"

#define TICK_NS (100 * NS_PER_MS)
#define TICKS_PER_SECOND 10
#define THRESHOLD_EVERY_COLLECT 2

static void emit_vus(struct run *run) {
    int64_t now = clock_now_ns();
    if (run->vus_series == NULL) {
        run->vus_series = shard_series(run->main.shard, metric_by_id(M_VUS), run->run_tags);
        run->vus_max_series = shard_series(run->main.shard, metric_by_id(M_VUS_MAX), run->run_tags);
    }
    series_add(run->vus_series, (double)atomic_load(&run->instance.vus_active), now);
    series_add(run->vus_max_series, (double)atomic_load(&run->instance.vus_initialized), now);
}

/* ---- collecting */

static void on_collected(struct worker_msg *msg) {
    struct load_worker *lw = container_of(msg, struct load_worker, collected_msg);
    struct run *run = lw->run;
    aggregate_merge(run->aggregate, lw->delta);
    lw->delta = NULL;
    if (--run->n_collecting == 0)
        fiber_cond_broadcast(&run->collected);
}

static void on_collect(struct worker_msg *msg) {
    struct load_worker *lw = container_of(msg, struct load_worker, collect_msg);
    worker_health_look(&lw->health, lw->collect_posted_ns);
    if (lw->streams)
        shard_flush_raw(lw->shard);
    lw->delta = shard_take(lw->shard);
    worker_post(lw->run->main.worker, &lw->collected_msg);
}

static void ask(struct run *run, struct load_worker *lw) {
    run->n_collecting++;
    lw->collect_msg.run = on_collect;
    lw->collected_msg.run = on_collected;
    lw->collect_posted_ns = clock_now_ns();
    worker_post(lw->worker, &lw->collect_msg);
}

void run_collect(struct run *run) {
    while (run->n_collecting > 0)
        fiber_cond_wait(&run->collected, NEVER_NS);
    ask(run, &run->main);
    for (int i = 0; i < run->n_workers; i++)
        ask(run, &run->workers[i]);
    while (run->n_collecting > 0)
        fiber_cond_wait(&run->collected, NEVER_NS);
    if (run->config.on_collected != NULL)
        run->config.on_collected(run->config.arg);
}

static void check_thresholds(struct run *run) {
    bool must_abort = false;
    struct buf names;
    struct failure f = {0};
    if (run->config.thresholds == NULL || atomic_load(&run->instance.start_ns) == 0)
        return;
    thresholds_eval(run->config.thresholds, run->aggregate, run_elapsed_ns(run), false,
                    &must_abort);
    if (!must_abort)
        return;
    buf_init(&names, BUF_NO_CAP);
    thresholds_failed_names(run->config.thresholds, &names);
    failure_set(&f, EXIT_CODE_THRESHOLDS, NULL,
                "thresholds on metrics '%s' were crossed; at least one has abortOnFail enabled, "
                "stopping test prematurely",
                buf_cstr(&names));
    buf_release(&names);
    run_abort(run, &f);
}

/* ---- fibers */

static void collector_main(void *arg) {
    struct run *run = arg;
    int64_t next_ns = clock_now_ns();
    for (unsigned round = 1; run->is_ticking; round++) {
        next_ns += NS_PER_S;
        while (run->is_ticking && clock_now_ns() < next_ns)
            fiber_park(next_ns);
        if (!run->is_ticking)
            break;
        run_collect(run);
        if (round % THRESHOLD_EVERY_COLLECT == 0)
            check_thresholds(run);
    }
}

static void ticker_main(void *arg) {
    struct run *run = arg;
    int64_t next_ns = clock_now_ns();
    for (unsigned tick = 1; run->is_ticking; tick++) {
        next_ns += TICK_NS;
        while (run->is_ticking && clock_now_ns() < next_ns)
            fiber_park(next_ns);
        if (!run->is_ticking)
            break;
        if (tick % TICKS_PER_SECOND == 0)
            emit_vus(run);
        log_flush();
        if (run->config.on_tick != NULL)
            run->config.on_tick(run->config.arg);
    }
}

void run_start_ticks(struct run *run) {
    run->is_ticking = true;
    run->ticker = fiber_start(run->main.worker, FIBER_STACK_DEFAULT, ticker_main, run);
    run->collector = fiber_start(run->main.worker, FIBER_STACK_DEFAULT, collector_main, run);
}

void run_stop_ticks(struct run *run) {
    if (!run->is_ticking)
        return;
    run->is_ticking = false;
    fiber_wake(run->ticker);
    fiber_wake(run->collector);
    fiber_join(run->ticker);
    fiber_join(run->collector);
}
