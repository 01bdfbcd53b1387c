/* A VU as the coordinating thread sees it: where it lives, whether it is free, and what it does
 * now. The VU itself (its fiber and JavaScript) belongs to its worker for life; the two sides talk
 * by messages.
 *
 * Work is given as a job: the VU's fiber asks job.next before each iteration and reports once, when
 * the job is over. So a looping VU costs no message per iteration. */
#pragma once

#include <stdatomic.h>

#include "fiber/worker.h"
#include "js/vu.h"
#include "load/failure.h"

struct run;
struct scenario_run;
struct load_worker;
struct vu_handle;

struct vu_job {
    struct scenario_run *scenario;
    /* VU's fiber, before each iteration: true = one more. May yield (arrival rates wait here). Not
     * called any more once the job was killed. */
    bool (*next)(struct vu_handle *vu);
    /* Main thread's own stack, once: the job is over and the VU idle. */
    void (*done)(struct vu_handle *vu);
    void *slot;         /* the executor's */
    uint64_t remaining; /* per-vu-iterations: still to start; VU's side while the job runs */
    bool counts_busy;   /* the VU counts as active only while it iterates (arrival rates) */
};

struct vu_handle {
    struct run *run;
    struct load_worker *lw;
    int64_t id, id_global;

    /* Main thread. */
    struct vu_job job;   /* of the current or last activation */
    bool is_initialized; /* reported so */
    bool is_busy;        /* has a job that was not reported */
    size_t job_index;    /* in the scenario's list */
    uint64_t job_seq;
    void (*init_done)(struct vu_handle *vu,
                      struct failure *f); /* f is empty on success; owned by the callee */
    void *init_arg;

    /* Either side. */
    _Atomic bool stop; /* end after the running iteration */

    /* The VU's worker. */
    struct vu *vu;
    struct fiber *fiber;
    int64_t due_ns;   /* arrival rates: when the iteration it was given should start */
    int64_t late_ns;  /* by how much it missed that; -1 with other executors */
    struct list link; /* init queue, or the executor's list of idle VUs */
    bool has_job, is_quitting, is_iterating, is_killed, has_setup_data;
    bool is_dispatched; /* arrival rates: an iteration was given to this idle VU */
    uint64_t current_seq;

    void (*quit_done)(struct vu_handle *vu); /* main thread */
    struct worker_msg init_msg, run_msg, report_msg, init_report_msg, quit_msg, quit_report_msg;
    struct failure init_failure;
};

/* Main thread. Asks the VU's worker to create it; init_done follows. */
struct vu_handle *vu_handle_new(struct run *run, struct load_worker *lw, int64_t id,
                                int64_t id_global,
                                void (*init_done)(struct vu_handle *vu, struct failure *f),
                                void *arg);
/* Main thread. Starts a job; vu must be free. */
void vu_handle_run(struct vu_handle *vu, const struct vu_job *job);
/* Main thread. Takes the VU down: its JavaScript, fiber and connections; the handle stays the
 * caller's. vu must be initialised and free. done follows. */
void vu_handle_quit(struct vu_handle *vu, void (*done)(struct vu_handle *vu));
/* Main thread. No further iteration; the running one goes on. */
void vu_handle_stop(struct vu_handle *vu);
/* Main thread. Ends the job now: a running iteration is interrupted. No effect when the job has
 * ended. */
void vu_handle_kill(struct vu_handle *vu);
