#include "load/control.h"

#include <string.h>

#include "base/check.h"
#include "base/compat.h"
#include "load/arrivals.h"
#include "load/externally_controlled.h"

static bool is_external(const struct scenario_run *s) {
    return s->config->type == EXECUTOR_EXTERNALLY_CONTROLLED;
}

/* ---- pausing */

static int check_pausable(const struct run *run, struct error *err) {
    if (run->end_ns != 0)
        return error_set(err, KE_FAILED, "the test is over");
    for (size_t i = 0; i < run->n_scenarios && compat_on(COMPAT_CONTROL_EXTERNAL_ONLY); i++) {
        const struct scenario_run *s = &run->scenarios[i];
        if (!is_external(s))
            return error_set(err, KE_FAILED,
                             "%s executor '%s' doesn't support pause and resume operations after "
                             "its start",
                             s->info.executor, s->info.name);
        if (!external_is_running(s))
            return error_set(err, KE_FAILED,
                             "cannot pause the externally controlled executor before it has "
                             "started");
    }
    return 0;
}

static void stop_clock(struct run *run) {
    atomic_store(&run->is_paused, true);
    atomic_store(&run->paused_since_ns, clock_now_ns());
    for (size_t i = 0; i < run->n_scenarios; i++) /* their deadlines are off */
        if (run->scenarios[i].fiber != NULL)
            fiber_wake(run->scenarios[i].fiber);
}

static void start_clock(struct run *run) {
    int64_t paused_ns = clock_now_ns() - atomic_load(&run->paused_since_ns);
    atomic_fetch_add(&run->instance.start_ns, paused_ns);
    atomic_fetch_add(&run->scenarios_start_ns, paused_ns);
    for (size_t i = 0; i < run->n_scenarios; i++) {
        struct scenario_run *s = &run->scenarios[i];
        if (atomic_load(&s->start_ns) == 0)
            continue;
        atomic_fetch_add(&s->start_ns, paused_ns);
        atomic_fetch_add(&s->regular_end_ns, paused_ns);
        atomic_fetch_add(&s->max_end_ns, paused_ns);
    }
    atomic_store(&run->paused_since_ns, 0);
    atomic_store(&run->is_paused, false);
    for (size_t i = 0; i < run->n_scenarios; i++)
        if (run->scenarios[i].fiber != NULL)
            fiber_wake(run->scenarios[i].fiber);
    for (int i = 0; i < run->n_workers; i++)
        load_worker_resume(&run->workers[i]);
}

int run_set_paused(struct run *run, bool is_paused, struct error *err) {
    bool was_paused = atomic_load(&run->is_paused);
    bool has_started = atomic_load(&run->instance.start_ns) != 0;
    if (was_paused && !has_started) {
        if (is_paused)
            return error_set(err, KE_FAILED, "execution is already paused");
        run_resume(run);
        return 0;
    }
    if (!was_paused && !is_paused && !compat_on(COMPAT_RESUME_TWICE_FAILS))
        return 0;
    if (!has_started &&
        !compat_on(COMPAT_CONTROL_EXTERNAL_ONLY)) { /* as --paused would have had it */
        atomic_store(&run->is_paused, true);
        return 0;
    }
    int rc = check_pausable(run, err);
    for (size_t i = 0; i < run->n_scenarios && rc == 0; i++)
        if (is_external(&run->scenarios[i]) && external_is_running(&run->scenarios[i]))
            rc = external_set_paused(&run->scenarios[i], is_paused, err);
    if (rc != 0)
        return rc;
    was_paused = atomic_load(&run->is_paused); /* that took its time */
    if (was_paused == is_paused)
        return error_set(err, KE_FAILED,
                         is_paused ? "test execution was already paused"
                                   : "test execution wasn't paused");
    is_paused ? stop_clock(run) : start_clock(run);
    return 0;
}

/* ---- scaling */

static bool is_arrival_rate(const struct scenario_run *s) {
    return s->config->type == EXECUTOR_CONSTANT_ARRIVAL_RATE ||
           s->config->type == EXECUTOR_RAMPING_ARRIVAL_RATE;
}

static bool can_scale(const struct scenario_run *s) {
    if (is_external(s))
        return true;
    if (compat_on(COMPAT_CONTROL_EXTERNAL_ONLY) || s->status != SCENARIO_RUNNING)
        return false;
    return s->looping != NULL || is_arrival_rate(s);
}

/* The first that is made for it, or else the only one that can be. */
static struct scenario_run *scalable(const struct run *run, size_t *out_n) {
    struct scenario_run *found = NULL;
    *out_n = 0;
    for (size_t i = 0; i < run->n_scenarios; i++) {
        struct scenario_run *s = &run->scenarios[i];
        if (!can_scale(s))
            continue;
        if (is_external(s)) {
            *out_n = 1;
            return s;
        }
        found = s;
        ++*out_n;
    }
    return found;
}

bool run_can_scale(const struct run *run) {
    size_t n;
    return scalable(run, &n) != NULL;
}

struct scaling {
    struct scenario_run *s;
    struct fiber *fiber;
    int64_t n_initializing;
    struct failure failure;
};

static bool still_loops(const struct scenario_run *s) {
    return s->status == SCENARIO_RUNNING && !s->is_canceled && s->n_jobs > 0 &&
           run_clock_ns(s->run) < atomic_load(&s->regular_end_ns);
}

static void add_loop(struct scenario_run *s, struct vu_handle *vu) {
    struct vu_job job = {.scenario = s, .next = s->looping, .done = scenario_job_done};
    if (still_loops(s))
        scenario_give_job(s, vu, &job);
    else
        run_return_vu(s->run, vu);
}

static void on_new_vu(struct vu_handle *vu, struct failure *f) {
    struct scaling *scaling = vu->init_arg;
    scaling->n_initializing--;
    if (failure_is_set(f))
        failure_take_first(&scaling->failure, f);
    else
        add_loop(scaling->s, vu);
    fiber_wake(scaling->fiber);
}

/* VUs that are free may be planned for other scenarios; those of the only one are ours. */
static int add_loops(struct scenario_run *s, int64_t missing, struct error *err) {
    struct run *run = s->run;
    struct scaling scaling = {.s = s, .fiber = fiber_self()};
    int64_t limit = (int64_t)run->n_workers * 2;
    int rc = 0;
    while (missing > 0 || scaling.n_initializing > 0) {
        bool goes_on = still_loops(s) && !failure_is_set(&scaling.failure);
        while (goes_on && missing > 0 && scaling.n_initializing < limit) {
            struct vu_handle *vu = run->n_scenarios == 1 ? vu_pool_try_take(&run->pool) : NULL;
            missing--;
            if (vu != NULL) {
                add_loop(s, vu);
                continue;
            }
            scaling.n_initializing++;
            run_init_unplanned_vu(run, on_new_vu, &scaling);
        }
        if (scaling.n_initializing > 0)
            fiber_park(NEVER_NS);
        else if (!goes_on)
            break;
    }
    if (failure_is_set(&scaling.failure))
        rc = error_set(err, KE_FAILED, "%s", scaling.failure.text);
    failure_release(&scaling.failure);
    return rc;
}

#define MAX_VUS 100000000

/* More or fewer VUs loop; one that leaves finishes its iteration. */
static int scale_loops(struct scenario_run *s, const int64_t *vus, struct error *err) {
    if (vus == NULL)
        return error_set(err, KE_INVALID, "the %s executor '%s' is scaled by vus alone",
                         s->info.executor, s->info.name);
    if (*vus < 1 || *vus > MAX_VUS)
        return error_set(err, KE_INVALID, "the number of VUs must be 1 to %d", MAX_VUS);
    int64_t wanted = execution_scale(s->run->config.tuple, *vus), n = 0;
    if (!still_loops(s))
        return error_set(err, KE_CANCELED, "the scenario '%s' does not run", s->info.name);
    s->n_vus = wanted;
    for (size_t i = 0; i < s->n_jobs; i++) {
        bool stays = n < wanted;
        atomic_store(&s->vus[i]->stop, !stays);
        n += stays;
    }
    return n < wanted ? add_loops(s, wanted - n, err) : 0;
}

static int scale_arrivals(struct scenario_run *s, const int64_t *vus, const int64_t *max_vus,
                          struct error *err) {
    if (vus != NULL || max_vus == NULL || *max_vus > MAX_VUS)
        return error_set(err, KE_INVALID, "the %s executor '%s' is scaled by vus-max alone",
                         s->info.executor, s->info.name);
    if (arrival_rate_set_max_vus(s, execution_scale(s->run->config.tuple, *max_vus)))
        return 0;
    return error_set(err, KE_INVALID,
                     "the number of maxVUs of '%s' can only grow, and only while it runs; it is "
                     "%lld",
                     s->info.name, (long long)s->max_vus);
}

int run_scale(struct run *run, const int64_t *vus, const int64_t *max_vus, struct error *err) {
    size_t n;
    struct scenario_run *s = scalable(run, &n);
    CHECK(s != NULL);
    if (n > 1)
        return error_set(err, KE_INVALID, "%zu scenarios run that could be scaled, '%s' and others",
                         n, s->info.name);
    if (is_external(s))
        return external_scale(s, vus, max_vus, err);
    return s->looping != NULL ? scale_loops(s, vus, err) : scale_arrivals(s, vus, max_vus, err);
}
