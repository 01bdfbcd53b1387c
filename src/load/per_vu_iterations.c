/* per-vu-iterations: each VU runs a number of iterations, until maxDuration. */
#include "base/clock.h"
#include "load/executor_text.h"
#include "load/run.h"

static bool next(struct vu_handle *vu) {
    if (vu->job.remaining == 0 || clock_now_ns() >= vu->job.scenario->regular_end_ns)
        return false;
    vu->job.remaining--;
    return true;
}

static void done(struct vu_handle *vu) {
    struct scenario_run *s = vu->job.scenario;
    if (vu->job.remaining > 0 && !s->is_canceled)
        scenario_record_dropped(s, (int64_t)vu->job.remaining, vu->id);
    scenario_job_done(vu);
}

static void run(struct scenario_run *s) {
    struct vu_job job = {
        .scenario = s, .next = next, .done = done, .remaining = (uint64_t)s->n_iterations};
    scenario_begin(s);
    for (int64_t i = 0; i < s->n_vus; i++)
        if (!scenario_add_vu(s, &job))
            break;
    scenario_wait_for_jobs(s, false);
}

static double progress(const struct scenario_run *s) {
    if (executor_spent_ns(s) > s->regular_ns)
        return 1;
    return (double)atomic_load(&s->iterations_done) / (double)(s->n_vus * s->n_iterations);
}

static size_t describe(const struct scenario_run *s, struct arena *a, const char **out) {
    int64_t total = s->n_vus * s->n_iterations;
    out[0] = arena_printf(a, "%lld VUs", (long long)s->n_vus);
    out[1] = executor_time_text(s, a);
    out[2] = arena_printf(a, "%0*lld/%lld iters, %lld per VU", executor_digits(total),
                          (long long)atomic_load(&s->iterations_done), (long long)total,
                          (long long)s->n_iterations);
    return 3;
}

const struct executor executor_per_vu_iterations = {run, progress, describe};
