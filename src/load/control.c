#include "load/control.h"

#include "base/compat.h"
#include "load/externally_controlled.h"

static bool is_external(const struct scenario_run *s) {
    return s->config->type == EXECUTOR_EXTERNALLY_CONTROLLED;
}

static int check_pausable(const struct run *run, struct error *err) {
    for (size_t i = 0; i < run->n_scenarios; i++) {
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

/* The clock that durations and rates are measured by leaves pauses out. */
static void stop_clock(struct run *run) {
    atomic_store(&run->is_paused, true);
    atomic_store(&run->paused_since_ns, clock_now_ns());
}

static void start_clock(struct run *run) {
    int64_t paused_ns = clock_now_ns() - atomic_load(&run->paused_since_ns);
    atomic_fetch_add(&run->instance.start_ns, paused_ns);
    atomic_store(&run->paused_since_ns, 0);
    atomic_store(&run->is_paused, false);
    for (size_t i = 0; i < run->n_scenarios; i++)
        if (run->scenarios[i].fiber != NULL)
            fiber_wake(run->scenarios[i].fiber);
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
    int rc = check_pausable(run, err);
    for (size_t i = 0; i < run->n_scenarios && rc == 0; i++)
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

static struct scenario_run *first_external(const struct run *run) {
    for (size_t i = 0; i < run->n_scenarios; i++)
        if (is_external(&run->scenarios[i]))
            return &run->scenarios[i];
    return NULL;
}

bool run_has_external_control(const struct run *run) {
    return first_external(run) != NULL;
}

int run_scale(struct run *run, const int64_t *vus, const int64_t *max_vus, struct error *err) {
    return external_scale(first_external(run), vus, max_vus, err);
}
