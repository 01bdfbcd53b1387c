/* constant-vus: a fixed number of VUs loop for a duration. */
#include "base/clock.h"
#include "load/executor_text.h"
#include "load/run.h"

static bool next(struct vu_handle *vu) {
    return !atomic_load_explicit(&vu->stop, memory_order_relaxed) &&
           clock_now_ns() < vu->job.scenario->regular_end_ns;
}

static void run(struct scenario_run *s) {
    struct vu_job job = {.scenario = s, .next = next, .done = scenario_job_done};
    s->looping = next;
    scenario_begin(s);
    for (int64_t i = 0; i < s->n_vus; i++)
        if (!scenario_add_vu(s, &job))
            break;
    scenario_wait_for_jobs(s, false);
}

static size_t describe(const struct scenario_run *s, struct arena *a, const char **out) {
    out[0] = arena_printf(a, "%lld VUs", (long long)s->n_vus);
    out[1] = executor_time_text(s, a);
    return 2;
}

const struct executor executor_constant_vus = {run, executor_time_progress, describe};
