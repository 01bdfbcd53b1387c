/* A scenario while the test runs. Each has a fiber on the main thread that carries out its
 * executor: takes VUs, gives them jobs, waits, stops them. What VUs need while they iterate is
 * atomic or does not change. */
#pragma once

#include <stdatomic.h>

#include "base/map.h"
#include "js/vu.h"
#include "load/scenario.h"
#include "load/vu_handle.h"

struct run;
struct scenario_run;

enum scenario_status {
    SCENARIO_WAITING, /* for its startTime */
    SCENARIO_RUNNING,
    SCENARIO_STOPPING,    /* graceful stop */
    SCENARIO_INTERRUPTED, /* ended before it was through */
    SCENARIO_DONE,
};

struct executor {
    /* On the scenario's fiber; returns when all its VUs are back in the pool. Yields. */
    void (*run)(struct scenario_run *s);
    /* How far it is, 0..1. Any thread, from the start on. */
    double (*progress)(const struct scenario_run *s);
    /* The texts right of its bar; main thread. Returns how many. */
    size_t (*describe)(const struct scenario_run *s, struct arena *a, const char **out);
};

/* NULL when this build has none. */
const struct executor *executor_for(enum executor_type t);

#define SCENARIO_TEXTS_MAX 4

struct scenario_run {
    struct scenario_info info; /* what VUs see */
    struct run *run;
    const struct scenario *config;
    const struct executor *executor;
    struct map env, tags;
    struct execution_tuple iteration_tuple; /* numbers the iterations over all instances */
    int64_t n_vus, n_iterations, max_vus;   /* our share */

    struct fiber *fiber;
    enum scenario_status status;
    bool is_canceled;           /* the run was aborted */
    int64_t regular_ns, max_ns; /* durations: iterations may start; everything ends */
    _Atomic int64_t start_ns;   /* monotonic; 0 before */
    _Atomic int64_t regular_end_ns, max_end_ns;

    struct vu_handle **vus; /* that have a job of ours */
    size_t n_jobs, cap_vus;

    _Atomic int64_t iterations_started, iterations_done;
    _Atomic int64_t attempted; /* shared-iterations: also the attempts after the last */
    _Atomic int64_t vus_busy;  /* iterating now (arrival rates) */
    int64_t vus_active;        /* with a job */
    void *state;               /* executor's own */
    /* Looping executors: the `next` of their jobs, by which further VUs can join (control.c). */
    bool (*looping)(struct vu_handle *vu);

    /* The bar as it was when the regular time ended; k6 shows it frozen. */
    bool is_frozen;
    double frozen_progress;
    char *frozen_texts[SCENARIO_TEXTS_MAX];
    size_t n_frozen;
};

/* Fills in *s. The run's arena keeps what it needs. */
void scenario_run_init(struct scenario_run *s, struct run *run, const struct scenario *config);
/* The scenario's life on a fiber: waits for startTime, runs the executor. */
void scenario_run_main(void *scenario_run);
/* Main thread. Ends it without graceful stop. */
void scenario_cancel(struct scenario_run *s);
/* Bar for the progress display, into *a. */
double scenario_bar(const struct scenario_run *s, struct arena *a, const char **out_texts,
                    size_t *out_n);

/* ---- for executors */

/* Sets the clocks going. */
void scenario_begin(struct scenario_run *s);
/* Waits on the scenario's fiber until something wakes it (a report), the deadline, or the end of
 * the run: 0, KE_TIMEOUT, KE_CANCELED. */
int scenario_wait(struct scenario_run *s, int64_t deadline_ns);
/* Takes a VU and gives it a job; false when the scenario was cancelled. Yields. */
bool scenario_add_vu(struct scenario_run *s, const struct vu_job *job);
void scenario_give_job(struct scenario_run *s, struct vu_handle *vu, const struct vu_job *job);
/* Common end of the executors: waits until all jobs are over; at the end of the regular time VUs
 * are told to stop (when stop_vus), at the end of the graceful time they are killed. Yields. */
void scenario_wait_for_jobs(struct scenario_run *s, bool stop_vus);
/* The done callback of most jobs: the VU goes back to the pool. */
void scenario_job_done(struct vu_handle *vu);
/* After the regular time, or when the scenario ends: freezes the bar. */
void scenario_freeze(struct scenario_run *s, enum scenario_status status);
/* Emits dropped_iterations. vu_id -1 = none. */
void scenario_record_dropped(struct scenario_run *s, int64_t count, int64_t vu_id);
/* Log fields executor and scenario, as k6's executors add them. */
void scenario_log(const struct scenario_run *s, int level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* VU's side: numbers of the iteration that starts now. */
struct vu_iteration scenario_next_iteration(struct scenario_run *s);

extern const struct executor executor_shared_iterations, executor_per_vu_iterations,
    executor_constant_vus, executor_ramping_vus, executor_arrival_rate,
    executor_externally_controlled;
