/* shared-iterations: VUs take iterations from one counter until it or maxDuration is used up. */
#include "base/clock.h"
#include "base/duration.h"
#include "load/executor_text.h"
#include "load/run.h"

static bool next(struct vu_handle *vu) {
    struct scenario_run *s = vu->job.scenario;
    if (atomic_load_explicit(&vu->stop, memory_order_relaxed) ||
        clock_now_ns() >= s->regular_end_ns)
        return false;
    return atomic_fetch_add(&s->attempted, 1) < s->n_iterations;
}

static void run(struct scenario_run *s) {
    struct vu_job job = {.scenario = s, .next = next, .done = scenario_job_done};
    s->looping = next;
    scenario_begin(s);
    for (int64_t i = 0; i < s->n_vus; i++)
        if (!scenario_add_vu(s, &job))
            break;
    scenario_wait_for_jobs(s, false);
    int64_t attempted = atomic_load(&s->attempted);
    if (attempted < s->n_iterations && !s->is_canceled)
        scenario_record_dropped(s, s->n_iterations - attempted, -1);
}

static double progress(const struct scenario_run *s) {
    return (double)atomic_load(&s->iterations_done) / (double)s->n_iterations;
}

static size_t describe(const struct scenario_run *s, struct arena *a, const char **out) {
    char spent[DURATION_TEXT_MAX], whole[DURATION_TEXT_MAX];
    int width = executor_digits(s->n_iterations);
    duration_format_fixed(executor_spent_ns(s), s->regular_ns, spent);
    out[0] = arena_printf(a, "%lld VUs", (long long)s->n_vus);
    out[1] = arena_printf(a, "%s/%s", spent, duration_format(s->regular_ns, whole));
    out[2] = arena_printf(a, "%0*lld/%lld shared iters", width,
                          (long long)atomic_load(&s->iterations_done), (long long)s->n_iterations);
    return 3;
}

const struct executor executor_shared_iterations = {run, progress, describe};
