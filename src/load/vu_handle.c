#include "load/vu_handle.h"

#include <stdlib.h>

#include "base/check.h"
#include "load/run.h"

static void start_next_init(struct load_worker *lw);

/* The rest of options.minIterationDuration; a kill cuts it short. */
static void wait_minimum(struct vu_handle *vu, int64_t started_ns) {
    int64_t minimum_ns = vu->run->config.options->min_iteration_duration.ns;
    if (minimum_ns <= 0)
        return;
    while (!vu->is_killed && clock_now_ns() < started_ns + minimum_ns)
        fiber_park(started_ns + minimum_ns);
}

static void run_iteration(struct vu_handle *vu) {
    struct scenario_run *s = vu->job.scenario;
    struct instance_info *instance = &vu->run->instance;
    struct vu_iteration it = scenario_next_iteration(s);
    it.late_ns = vu->late_ns;
    int64_t started_ns = clock_now_ns();
    if (vu->job.counts_busy) {
        atomic_fetch_add_explicit(&s->vus_busy, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&instance->vus_active, 1, memory_order_relaxed);
    }
    vu->is_iterating = true;
    enum vu_result result = vu_iterate(vu->vu, &it);
    vu->is_iterating = false;
    fiber_clear_cancel(fiber_self());
    if (result == VU_COMPLETED)
        wait_minimum(vu, started_ns);
    atomic_fetch_add_explicit(result == VU_COMPLETED ? &instance->iterations_completed
                                                     : &instance->iterations_interrupted,
                              1, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->iterations_done, 1, memory_order_relaxed);
    if (vu->job.counts_busy) {
        atomic_fetch_sub_explicit(&s->vus_busy, 1, memory_order_relaxed);
        atomic_fetch_sub_explicit(&instance->vus_active, 1, memory_order_relaxed);
    }
}

/* False when the job was killed. */
static bool wait_while_paused(struct vu_handle *vu) {
    while (!vu->is_killed && run_is_held(vu->run))
        load_worker_wait_paused(vu->lw);
    return !vu->is_killed;
}

static void run_job(struct vu_handle *vu) {
    const char *data = atomic_load(&vu->run->setup_data);
    if (!vu->has_setup_data && data != NULL && *data != '\0')
        vu_set_setup_data(vu->vu, slice_cstr(data));
    vu->has_setup_data = true;
    vu_activate(vu->vu, &vu->job.scenario->info);
    vu->late_ns = -1;
    while (wait_while_paused(vu) && vu->job.next(vu) && !vu->is_killed) {
        run_iteration(vu);
        /* Iterations too short to be preempted still let others have a turn. */
        if (worker_slice_is_over())
            fiber_yield();
    }
    vu_deactivate(vu->vu);
}

static struct vu *create_vu(struct vu_handle *vu) {
    struct error err = {0};
    struct vu_params params = {.config = vu->run->config.vu_config,
                               .shard = vu->lw->shard,
                               .id = vu->id,
                               .id_global = vu->id_global};
    if (atomic_load(&vu->run->skip_inits)) {
        failure_set(&vu->init_failure, EXIT_CODE_GENERIC, NULL, "context canceled");
        return NULL;
    }
    if (vu->run->config.local_ips != NULL)
        option_ip_pool_get(vu->run->config.local_ips, (uint64_t)vu->id - 1, &params.local_ip);
    struct vu *created = vu_new(&params, &err);
    if (created == NULL && err.code == KE_JS)
        failure_set_exception(&vu->init_failure, vu_last_error_text());
    else if (created == NULL)
        failure_set(&vu->init_failure, EXIT_CODE_GENERIC, NULL, "%s", vu_last_error_text());
    return created;
}

static void vu_fiber_main(void *arg) {
    struct vu_handle *vu = arg;
    struct worker *main_worker = vu->run->main.worker;
    vu->vu = create_vu(vu);
    bool is_created = vu->vu != NULL;
    vu->lw->is_initializing = false;
    start_next_init(vu->lw);
    worker_post(main_worker, &vu->init_report_msg);
    while (is_created && !vu->is_quitting) {
        if (!vu->has_job) {
            fiber_park(NEVER_NS);
            continue;
        }
        run_job(vu);
        vu->has_job = false;
        worker_post(main_worker, &vu->report_msg);
    }
    if (is_created) {
        vu_free(vu->vu);
        vu->vu = NULL;
        worker_post(main_worker, &vu->quit_report_msg);
    }
}

/* One at a time: init code is mostly computing, and whoever is first can start first. */
static void start_next_init(struct load_worker *lw) {
    struct list *item = lw->is_initializing ? NULL : list_pop_front(&lw->init_queue);
    if (item == NULL)
        return;
    struct vu_handle *vu = container_of(item, struct vu_handle, link);
    lw->is_initializing = true;
    vu->fiber = fiber_start(lw->worker, FIBER_STACK_DEFAULT, vu_fiber_main, vu);
    fiber_detach(vu->fiber);
}

static void on_init(struct worker_msg *msg) {
    struct vu_handle *vu = container_of(msg, struct vu_handle, init_msg);
    list_push_back(&vu->lw->init_queue, &vu->link);
    start_next_init(vu->lw);
}

static void on_init_report(struct worker_msg *msg) {
    struct vu_handle *vu = container_of(msg, struct vu_handle, init_report_msg);
    vu->is_initialized = !failure_is_set(&vu->init_failure);
    vu->init_done(vu, &vu->init_failure);
}

static void on_run(struct worker_msg *msg) {
    struct vu_handle *vu = container_of(msg, struct vu_handle, run_msg);
    vu->has_job = true;
    vu->is_killed = false;
    vu->current_seq = vu->job_seq;
    fiber_wake(vu->fiber);
}

static void on_quit(struct worker_msg *msg) {
    struct vu_handle *vu = container_of(msg, struct vu_handle, quit_msg);
    vu->is_quitting = true;
    fiber_wake(vu->fiber);
}

static void on_quit_report(struct worker_msg *msg) {
    struct vu_handle *vu = container_of(msg, struct vu_handle, quit_report_msg);
    vu->quit_done(vu);
}

static void on_report(struct worker_msg *msg) {
    struct vu_handle *vu = container_of(msg, struct vu_handle, report_msg);
    vu->is_busy = false;
    vu->job.done(vu);
}

struct vu_handle *vu_handle_new(struct run *run, struct load_worker *lw, int64_t id,
                                int64_t id_global,
                                void (*init_done)(struct vu_handle *vu, struct failure *f),
                                void *arg) {
    struct vu_handle *vu = xcalloc(1, sizeof *vu);
    vu->run = run;
    vu->lw = lw;
    vu->id = id;
    vu->id_global = id_global;
    vu->init_done = init_done;
    vu->init_arg = arg;
    list_init(&vu->link);
    vu->init_msg.run = on_init;
    vu->run_msg.run = on_run;
    vu->report_msg.run = on_report;
    vu->init_report_msg.run = on_init_report;
    vu->quit_msg.run = on_quit;
    vu->quit_report_msg.run = on_quit_report;
    worker_post(lw->worker, &vu->init_msg);
    return vu;
}

void vu_handle_run(struct vu_handle *vu, const struct vu_job *job) {
    CHECK(!vu->is_busy);
    vu->job = *job;
    vu->is_busy = true;
    vu->job_seq++;
    atomic_store(&vu->stop, false);
    worker_post(vu->lw->worker, &vu->run_msg);
}

void vu_handle_quit(struct vu_handle *vu, void (*done)(struct vu_handle *vu)) {
    vu->quit_done = done;
    worker_post(vu->lw->worker, &vu->quit_msg);
}

void vu_handle_stop(struct vu_handle *vu) {
    atomic_store(&vu->stop, true);
}

struct kill_msg {
    struct worker_msg msg;
    struct vu_handle *vu;
    uint64_t seq;
};

/* The job may have ended, and another begun, while the message was on its way. */
static void on_kill(struct worker_msg *msg) {
    struct kill_msg *kill = container_of(msg, struct kill_msg, msg);
    struct vu_handle *vu = kill->vu;
    if (vu->has_job && vu->current_seq == kill->seq) {
        vu->is_killed = true;
        if (vu->is_iterating)
            vu_interrupt(vu->vu);
        else
            fiber_wake(vu->fiber);
    }
    free(kill);
}

void vu_handle_kill(struct vu_handle *vu) {
    if (!vu->is_busy)
        return;
    struct kill_msg *kill = xcalloc(1, sizeof *kill);
    kill->msg.run = on_kill;
    kill->vu = vu;
    kill->seq = vu->job_seq;
    worker_post(vu->lw->worker, &kill->msg);
}
