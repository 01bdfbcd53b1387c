#include "load/run.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"

static void set_status(struct run *run, enum run_status status) {
    atomic_store(&run->status, (int)status);
}

/* ---- what scripts ask for, from any thread */

struct script_msg {
    struct worker_msg msg;
    struct run *run;
    char *reason;
};

static void abort_by_script(struct run *run, const char *reason) {
    struct failure f = {0};
    failure_set(&f, EXIT_CODE_SCRIPT_ABORTED, NULL, "%s", reason);
    run_abort(run, &f);
}

static void on_abort(struct worker_msg *msg) {
    struct script_msg *m = container_of(msg, struct script_msg, msg);
    abort_by_script(m->run, m->reason);
    free(m->reason);
    free(m);
}

static void abort_test(void *arg, const char *reason) {
    struct run *run = arg;
    if (worker_self() == run->main.worker) {
        abort_by_script(run, reason);
        return;
    }
    struct script_msg *m = xcalloc(1, sizeof *m);
    m->msg.run = on_abort;
    m->run = run;
    m->reason = xstrdup(reason);
    worker_post(run->main.worker, &m->msg);
}

static void on_fail(struct worker_msg *msg) {
    struct script_msg *m = container_of(msg, struct script_msg, msg);
    m->run->is_marked_failed = true;
    free(m);
}

static void fail_test(void *arg, const char *reason) {
    struct run *run = arg;
    (void)reason;
    struct script_msg *m = xcalloc(1, sizeof *m);
    m->msg.run = on_fail;
    m->run = run;
    worker_post(run->main.worker, &m->msg);
}

/* ---- life */

static void init_load_worker(struct run *run, struct load_worker *lw, struct worker *worker) {
    *lw = (struct load_worker){.run = run, .worker = worker};
    lw->tags = tag_table_new();
    lw->shard = shard_new(lw->tags);
    list_init(&lw->init_queue);
    list_init(&lw->paused);
    if (run->config.keep_series)
        shard_keep_series(lw->shard);
    lw->streams =
        run->config.prepare_shard != NULL && run->config.prepare_shard(run->config.arg, lw->shard);
}

static const struct tagset *make_run_tags(struct run *run) {
    const struct opt_map *tags = &run->config.options->tags;
    const struct tagset *set = tagset_empty(run->main.tags);
    for (size_t i = 0; i < tags->len; i++)
        set = tagset_with(run->main.tags, set, slice_cstr(tags->items[i].key),
                          slice_cstr(tags->items[i].value));
    return set;
}

static void init_scenarios(struct run *run) {
    const struct opt_scenarios *all = &run->config.options->scenarios;
    const struct scenario **sorted = xcalloc(all->len + 1, sizeof *sorted);
    size_t n = 0;
    for (size_t i = 0; i < all->len; i++)
        if (scenario_has_work(&all->items[i], run->config.tuple))
            sorted[n++] = &all->items[i];
    scenarios_sort(sorted, n);
    run->scenarios = xcalloc(n + 1, sizeof *run->scenarios);
    for (size_t i = 0; i < n; i++)
        scenario_run_init(&run->scenarios[i], run, sorted[i]);
    run->n_scenarios = n;
    free(sorted);
}

struct run *run_new(const struct run_config *cfg) {
    struct run *run = xcalloc(1, sizeof *run);
    run->config = *cfg;
    arena_init(&run->arena);
    run->instance.abort_test = abort_test;
    run->instance.fail_test = fail_test;
    run->instance.arg = run;
    cfg->vu_config->instance = &run->instance;
    atomic_store(&run->is_paused, cfg->options->paused.value);
    fiber_cond_init(&run->collected);
    vu_pool_init(&run->pool);
    run->aggregate = aggregate_new();
    init_load_worker(run, &run->main, cfg->main_worker);
    run->main.is_main = true;
    run->run_tags = make_run_tags(run);
    run->n_workers = cfg->n_workers;
    run->workers = xcalloc((size_t)cfg->n_workers, sizeof *run->workers);
    for (int i = 0; i < cfg->n_workers; i++)
        init_load_worker(run, &run->workers[i], worker_new(i));
    init_scenarios(run);
    return run;
}

void run_start(struct run *run) {
    for (int i = 0; i < run->n_workers; i++) {
        worker_start(run->workers[i].worker, -1);
        if (run->workers[i].streams)
            load_worker_stream(&run->workers[i]);
    }
    if (run->main.streams)
        load_worker_stream(&run->main);
    run->is_started = true;
    run_start_ticks(run);
}

void run_finish(struct run *run) {
    run_stop_ticks(run);
    run_collect(run);
}

static void on_vu_quit(struct vu_handle *vu) {
    if (--vu->run->vus_quitting == 0)
        fiber_wake(vu->run->waiter);
}

/* A VU that did not come to be, or still has a job after a second signal, is left to worker_free.
 */
static void quit_vus(struct run *run) {
    run->waiter = fiber_self();
    run->vus_quitting = 1;
    for (size_t i = 0; i < run->pool.all.len; i++) {
        struct vu_handle *vu = run->pool.all.ptr[i];
        if (vu->is_busy || !vu->is_initialized)
            continue;
        run->vus_quitting++;
        vu_handle_quit(vu, on_vu_quit);
    }
    run->vus_quitting--;
    while (run->vus_quitting > 0)
        fiber_park(NEVER_NS);
    run->waiter = NULL;
}

void run_free(struct run *run) {
    quit_vus(run);
    for (int i = 0; i < run->n_workers; i++) {
        worker_stop(run->workers[i].worker);
        worker_free(run->workers[i].worker);
    }
    if (run->main.streams)
        worker_timer_stop(run->main.worker, &run->main.flush_timer);
    for (int i = 0; i <= run->n_workers; i++) {
        struct load_worker *lw = i < run->n_workers ? &run->workers[i] : &run->main;
        shard_free(lw->shard);
        tag_table_free(lw->tags);
    }
    for (size_t i = 0; i < run->n_scenarios; i++) {
        map_release(&run->scenarios[i].env);
        map_release(&run->scenarios[i].tags);
        free(run->scenarios[i].vus);
    }
    for (size_t i = 0; i < run->pool.all.len; i++)
        free(run->pool.all.ptr[i]);
    vu_pool_release(&run->pool);
    aggregate_free(run->aggregate);
    failure_release(&run->failure);
    failure_release(&run->init_failure);
    free(atomic_load(&run->setup_data));
    for (size_t i = 0; i < run->old_setup_data.len; i++)
        free(run->old_setup_data.ptr[i]);
    vec_release(&run->old_setup_data);
    free(run->scenarios);
    free(run->workers);
    arena_release(&run->arena);
    free(run);
}

int64_t run_clock_ns(const struct run *run) {
    int64_t paused_ns = atomic_load(&run->paused_since_ns);
    return paused_ns != 0 ? paused_ns : clock_now_ns();
}

int64_t run_deadline_ns(const struct run *run, int64_t at_ns) {
    return run_is_held(run) ? NEVER_NS : at_ns;
}

int64_t run_elapsed_ns(const struct run *run) {
    int64_t start_ns = atomic_load(&run->instance.start_ns);
    if (start_ns == 0)
        return 0;
    return (run->end_ns != 0 ? run->end_ns : run_clock_ns(run)) - start_ns;
}

void run_abort(struct run *run, struct failure *f) {
    if (run->is_aborted) {
        failure_release(f);
        return;
    }
    run->is_aborted = true;
    failure_take_first(&run->failure, f);
    atomic_store(&run->skip_inits, true);
    for (size_t i = 0; i < run->n_scenarios; i++)
        scenario_cancel(&run->scenarios[i]);
    if (run->special_vu != NULL)
        vu_interrupt(run->special_vu);
    if (run->waiter != NULL)
        fiber_wake(run->waiter);
}

void run_resume(struct run *run) {
    atomic_store(&run->is_paused, false);
    if (run->waiter != NULL)
        fiber_wake(run->waiter);
}

/* ---- VUs */

static struct vu_handle *init_vu(struct run *run,
                                 void (*done)(struct vu_handle *vu, struct failure *f), void *arg) {
    int64_t id = ++run->next_vu_id;
    struct load_worker *lw = &run->workers[(id - 1) % run->n_workers];
    int64_t global = execution_global_index(run->config.tuple, id - 1) + 1;
    struct vu_handle *vu = vu_handle_new(run, lw, id, global, done, arg);
    vec_push(&run->pool.all, vu);
    return vu;
}

static void on_planned_vu(struct vu_handle *vu, struct failure *f) {
    struct run *run = vu->run;
    run->vus_initialized++;
    if (failure_is_set(f)) {
        failure_add_hint(f, "error while initializing VU #%lld", (long long)vu->id_global);
        failure_take_first(&run->init_failure, f);
        atomic_store(&run->skip_inits, true);
    } else {
        atomic_fetch_add(&run->instance.vus_initialized, 1);
        vu_pool_put(&run->pool, vu);
    }
    fiber_wake(run->waiter);
}

static void on_unplanned_vu(struct vu_handle *vu, struct failure *f) {
    void (*done)(struct vu_handle *, struct failure *) =
        (void (*)(struct vu_handle *, struct failure *))vu->job.slot;
    if (!failure_is_set(f))
        atomic_fetch_add(&vu->run->instance.vus_initialized, 1);
    done(vu, f);
}

void run_init_unplanned_vu(struct run *run, void (*done)(struct vu_handle *vu, struct failure *f),
                           void *arg) {
    struct vu_handle *vu = init_vu(run, on_unplanned_vu, arg);
    vu->job.slot = (void *)done;
}

int run_init_vus(struct run *run, struct failure *f) {
    set_status(run, RUN_INIT_VUS);
    run->waiter = fiber_self();
    run->vus_to_init = run->config.plan->max_planned_vus;
    for (int64_t i = 0; i < run->vus_to_init; i++)
        init_vu(run, on_planned_vu, NULL);
    while (run->vus_initialized < run->vus_to_init && !run->is_aborted)
        fiber_park(NEVER_NS);
    if (run->is_aborted)
        failure_take_first(f, &run->failure);
    failure_take_first(f, &run->init_failure);
    set_status(run, RUN_INIT_DONE);
    return f->exit_code;
}

/* ---- the test */

static bool wait_while_paused(struct run *run) {
    if (atomic_load(&run->is_paused))
        set_status(run, RUN_PAUSED);
    while (atomic_load(&run->is_paused) && !run->is_aborted)
        fiber_park(NEVER_NS);
    return !run->is_aborted;
}

static void run_scenarios(struct run *run) {
    set_status(run, RUN_RUNNING);
    run->scenarios_start_ns = clock_now_ns();
    run->n_running = run->n_scenarios;
    for (size_t i = 0; i < run->n_scenarios; i++) {
        struct scenario_run *s = &run->scenarios[i];
        s->fiber = fiber_start(run->main.worker, FIBER_STACK_DEFAULT, scenario_run_main, s);
    }
    while (run->n_running > 0)
        fiber_park(NEVER_NS);
    for (size_t i = 0; i < run->n_scenarios; i++) {
        fiber_join(run->scenarios[i].fiber);
        run->scenarios[i].fiber = NULL;
    }
}

static void run_phases(struct run *run, struct failure *f) {
    if (run_setup(run, f) != 0 || run->is_aborted)
        return;
    run_scenarios(run);
    set_status(run, RUN_TEARDOWN);
    run_teardown(run, f);
}

int run_test(struct run *run, struct failure *f) {
    run->waiter = fiber_self();
    if (wait_while_paused(run)) {
        set_status(run, RUN_STARTED);
        atomic_store(&run->instance.start_ns, clock_now_ns());
        run_phases(run, f);
        run->end_ns = clock_now_ns();
    }
    run->waiter = NULL;
    if (run->is_aborted) { /* whatever else went wrong came later */
        failure_release(f);
        failure_take_first(f, &run->failure);
    }
    set_status(run, run->is_aborted         ? RUN_INTERRUPTED
                    : run->is_marked_failed ? RUN_MARKED_AS_FAILED
                                            : RUN_ENDED);
    return f->exit_code;
}

size_t run_final_thresholds(struct run *run, struct buf *out_names) {
    bool ignored;
    if (run->config.thresholds == NULL)
        return 0;
    size_t n = thresholds_eval(run->config.thresholds, run->aggregate, run_elapsed_ns(run), true,
                               &ignored);
    if (n > 0)
        thresholds_failed_names(run->config.thresholds, out_names);
    return n;
}
