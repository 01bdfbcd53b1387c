/* A test run: its workers, VUs, scenarios and their lifecycle.
 *
 *     run = run_new(&config);
 *     run_start(run);                      worker threads, ticks
 *     run_init_vus(run, &failure);         all planned VUs, on all workers at once
 *     run_test(run, &failure);             setup(), scenarios by startTime, teardown()
 *     run_finish(run);                     last samples collected, workers idle
 *     run_free(run);
 *
 * Everything here is for the main thread: its worker runs the loop, and functions marked "yields"
 * are called on one of its fibers. Whatever fails first (an exception in setup(), an abort, a
 * signal) is the run's failure. */
#pragma once

#include <stdatomic.h>

#include "load/executor.h"
#include "load/load_worker.h"
#include "load/option_parse.h"
#include "load/requirements.h"
#include "load/vu_pool.h"
#include "metrics/threshold.h"

/* As the REST API numbers them. */
enum run_status {
    RUN_CREATED,
    RUN_INIT_VUS,
    RUN_INIT_EXECUTORS,
    RUN_INIT_DONE,
    RUN_PAUSED,
    RUN_STARTED,
    RUN_SETUP,
    RUN_RUNNING,
    RUN_TEARDOWN,
    RUN_ENDED,
    RUN_INTERRUPTED,
    RUN_MARKED_AS_FAILED,
};

struct run_config {
    const struct options *options; /* derived and validated */
    const struct execution_tuple *tuple;
    const struct execution_plan *plan;
    struct vu_config *vu_config;      /* complete but for instance, which run_new fills in */
    struct threshold_set *thresholds; /* bound; NULL = --no-thresholds */
    const struct ip_pool *local_ips;  /* NULL = any */
    const char *program;              /* how messages call us */
    struct worker *main_worker;
    int n_workers;
    struct metric
        *start_lateness; /* iteration_start_lateness of arrival rates; NULL = not asked for */
    bool keep_series;    /* shard_keep_series */
    /* Gets setup()'s data from elsewhere; teardown() is not run then either. NULL = setup() is run.
     * Yields. 0 or the failure's exit code. */
    int (*fetch_setup)(void *arg, struct run *run, char **out_json, struct failure *f);
    void *fetch_arg;
    /* Called for each shard before it records; NULL = none. True: its raw samples are to be
     * flushed. */
    bool (*prepare_shard)(void *arg, struct shard *s);
    /* Main thread's own stack or a fiber; must not wait. */
    void (*on_tick)(void *arg);      /* every 100 ms while the run lives */
    void (*on_collected)(void *arg); /* after each merge of the shards */
    void *arg;
};

struct run {
    struct run_config config;
    struct arena arena;
    struct instance_info instance;
    _Atomic int status; /* enum run_status */

    struct load_worker main;
    struct load_worker *workers;
    int n_workers;
    bool is_started;

    struct vu_pool pool;
    int64_t next_vu_id;
    int64_t vus_to_init, vus_initialized, vus_quitting;
    struct failure init_failure;
    struct fiber *waiter; /* of run_init_vus or run_test */
    _Atomic bool skip_inits;

    struct scenario_run *scenarios; /* with work, by (startTime, name) */
    size_t n_scenarios, n_running;
    _Atomic int64_t scenarios_start_ns; /* what startTime counts from */

    struct failure failure;
    bool is_aborted, is_marked_failed;
    _Atomic bool is_paused;
    /* While the running test is paused (control.h), else 0. Its clock stands still then: when it
     * goes on, every time that is a start or an end moves by as much (control.c). */
    _Atomic int64_t paused_since_ns;
    struct vu *special_vu;      /* running setup(); interrupted by an abort */
    _Atomic(char *) setup_data; /* JSON, "" when undefined; NULL when setup() did not run */
    VEC(char *) old_setup_data; /* VUs may still read it */
    size_t old_setup_data_bytes;

    struct aggregate *aggregate;
    struct series *vus_series, *vus_max_series;
    const struct tagset *run_tags; /* of main.tags */
    struct fiber *ticker, *collector;
    struct fiber_cond collected;
    int n_collecting;
    uint64_t collect_round;
    bool is_ticking;
    int64_t end_ns; /* monotonic; 0 = not ended */
};

struct run *run_new(const struct run_config *cfg);
void run_start(struct run *run);
/* Yields. 0 or the failure's exit code. */
int run_init_vus(struct run *run, struct failure *f);
int run_test(struct run *run, struct failure *f);
/* Stops ticks and collects what is left. Yields. */
void run_finish(struct run *run);
/* Yields: takes the VUs down one by one and stops the workers. A process that is about to end need
 * not. */
void run_free(struct run *run);

/* Ends the run early: iterations are interrupted without graceful stop, teardown() still runs. The
 * first reason counts. Main thread. Takes *f over. */
void run_abort(struct run *run, struct failure *f);
/* Lets a run that was started with --paused go on. */
void run_resume(struct run *run);
/* The running test is paused: no iteration may begin. Any thread. */
static inline bool run_is_held(const struct run *run) {
    return atomic_load_explicit(&run->paused_since_ns, memory_order_acquire) != 0;
}
/* The time by the test's clock, which stands still while it is paused. Any thread. */
int64_t run_clock_ns(const struct run *run);
/* When to look at the clock again for that time of it: NEVER_NS while it stands still. */
int64_t run_deadline_ns(const struct run *run, int64_t at_ns);
/* Fetches all shards into the aggregate. Yields. */
void run_collect(struct run *run);
/* Since the start, until the end, without pauses; 0 before. */
int64_t run_elapsed_ns(const struct run *run);
/* Evaluates the thresholds once more, on everything, and gives names of the failed ones; 0 when
 * none. */
size_t run_final_thresholds(struct run *run, struct buf *out_names);

/* ---- for executors (load/ only) */

/* A VU of the pool; waits for one that is about to become free. NULL when the scenario was
 * cancelled or none came. Yields. */
struct vu_handle *run_take_vu(struct scenario_run *s);
void run_return_vu(struct run *run, struct vu_handle *vu);
/* Starts to initialise one more VU. */
void run_init_unplanned_vu(struct run *run, void (*done)(struct vu_handle *vu, struct failure *f),
                           void *arg);

/* ---- run_phases.c */

/* What VUs get as data from now on, unless they have some already. Takes json (heap; NULL = none)
 * over. KE_TOO_LARGE when it was changed so often that the old ones take too much memory. */
int run_set_setup_data(struct run *run, char *json);
/* For the REST API: setup() or teardown() now, whatever the options say. *vu is the VU while it
 * runs, so that it can be interrupted. Yields. 0 or the failure's exit code. */
int run_call_setup(struct run *run, struct vu **vu, struct failure *f);
int run_call_teardown(struct run *run, struct vu **vu, struct failure *f);

/* Runs setup() or teardown() in a VU of its own. Yields. */
int run_setup(struct run *run, struct failure *f);
int run_teardown(struct run *run, struct failure *f);
/* Calls handleSummary(data) in a VU of its own: *out_items NULL when the script has none or it
 * threw (which is logged). Yields. KE_TIMEOUT fills *f. */
int run_handle_summary(struct run *run, struct slice data_json, struct vu_summary_item **out_items,
                       size_t *out_len, struct failure *f);

/* ---- run_ticks.c */
void run_start_ticks(struct run *run);
void run_stop_ticks(struct run *run); /* yields */
