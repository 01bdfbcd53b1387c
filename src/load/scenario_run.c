#include <stdlib.h>

#include "base/check.h"
#include "base/duration.h"
#include "base/log.h"
#include "load/run.h"

/* How long a VU that should be free may still be on its way back from another scenario. */
#define TAKE_PATIENCE_NS (400 * NS_PER_MS)
#define TAKE_ATTEMPTS 5

const struct executor *executor_for(enum executor_type t) {
    switch (t) {
    case EXECUTOR_SHARED_ITERATIONS:
        return &executor_shared_iterations;
    case EXECUTOR_PER_VU_ITERATIONS:
        return &executor_per_vu_iterations;
    case EXECUTOR_CONSTANT_VUS:
        return &executor_constant_vus;
    case EXECUTOR_RAMPING_VUS:
        return &executor_ramping_vus;
    case EXECUTOR_CONSTANT_ARRIVAL_RATE:
    case EXECUTOR_RAMPING_ARRIVAL_RATE:
        return &executor_arrival_rate;
    case EXECUTOR_EXTERNALLY_CONTROLLED:
        return &executor_externally_controlled;
    default:
        return NULL;
    }
}

static double info_progress(const struct scenario_info *info) {
    const struct scenario_run *s =
        (const struct scenario_run *)((const char *)info - offsetof(struct scenario_run, info));
    return atomic_load(&s->start_ns) != 0 ? s->executor->progress(s) : 0;
}

static const struct map *fill_map(struct map *m, const struct opt_map *from) {
    map_init(m);
    for (size_t i = 0; i < from->len; i++)
        map_set(m, slice_cstr(from->items[i].key), (void *)from->items[i].value);
    return from->len > 0 ? m : NULL;
}

/* Arrival rates and shared iterations are striped over VUs, so that iterations follow the VUs. */
static int64_t striped_over(const struct scenario *c) {
    switch (c->type) {
    case EXECUTOR_SHARED_ITERATIONS:
        return c->vus.value;
    case EXECUTOR_CONSTANT_ARRIVAL_RATE:
    case EXECUTOR_RAMPING_ARRIVAL_RATE:
        return c->max_vus.value;
    default:
        return 0;
    }
}

void scenario_run_init(struct scenario_run *s, struct run *run, const struct scenario *config) {
    const struct execution_tuple *t = run->config.tuple;
    *s = (struct scenario_run){.run = run, .config = config};
    s->executor = executor_for(config->type);
    s->n_vus = scenario_vus(config, t);
    s->n_iterations = scenario_iterations(config, t);
    s->max_vus = scenario_max_vus(config, t);
    s->regular_ns = scenario_regular_duration_ns(config);
    s->max_ns = s->regular_ns + config->graceful_stop.ns;
    s->iteration_tuple = *t;
    if (striped_over(config) > 0)
        execution_tuple_from_value(&run->arena, t, striped_over(config), &s->iteration_tuple);
    s->info.name = config->name;
    s->info.executor = executor_type_name(config->type);
    s->info.exec = scenario_exec(config);
    s->info.progress = info_progress;
    s->info.env = fill_map(&s->env, &config->env);
    s->info.tags = fill_map(&s->tags, &config->tags);
    s->info.browser_type = config->browser_type;
}

struct vu_iteration scenario_next_iteration(struct scenario_run *s) {
    int64_t n = atomic_fetch_add_explicit(&s->iterations_started, 1, memory_order_relaxed);
    return (struct vu_iteration){
        .in_instance = n, .in_test = execution_global_index(&s->iteration_tuple, n), .late_ns = -1};
}

void scenario_begin(struct scenario_run *s) {
    int64_t now = run_clock_ns(s->run);
    atomic_store(&s->regular_end_ns, now + s->regular_ns);
    atomic_store(&s->max_end_ns, now + s->max_ns);
    s->status = SCENARIO_RUNNING;
    atomic_store(&s->info.start_wall_ns, clock_wall_ns());
    atomic_store(&s->start_ns, now);
}

int scenario_wait(struct scenario_run *s, int64_t deadline_ns) {
    if (s->is_canceled)
        return KE_CANCELED;
    int rc = fiber_park(deadline_ns);
    return s->is_canceled ? KE_CANCELED : rc;
}

void scenario_cancel(struct scenario_run *s) {
    s->is_canceled = true;
    if (s->fiber != NULL)
        fiber_wake(s->fiber);
}

struct vu_handle *run_take_vu(struct scenario_run *s) {
    struct vu_pool *pool = &s->run->pool;
    struct vu_handle *vu = vu_pool_try_take(pool);
    for (int attempt = 1; vu == NULL && !s->is_canceled; attempt++) {
        if (fiber_cond_wait(&pool->available, clock_now_ns() + TAKE_PATIENCE_NS) == KE_TIMEOUT) {
            scenario_log(s, LOG_WARN, "Could not get a VU from the buffer for %dms", attempt * 400);
            if (attempt == TAKE_ATTEMPTS) {
                scenario_log(s, LOG_ERROR, "could not get a VU from the buffer in 2s");
                return NULL;
            }
        }
        vu = vu_pool_try_take(pool);
    }
    return vu;
}

void run_return_vu(struct run *run, struct vu_handle *vu) {
    vu_pool_put(&run->pool, vu);
}

bool scenario_add_vu(struct scenario_run *s, const struct vu_job *job) {
    struct vu_handle *vu = run_take_vu(s);
    if (vu == NULL)
        return false;
    scenario_give_job(s, vu, job);
    return true;
}

void scenario_give_job(struct scenario_run *s, struct vu_handle *vu, const struct vu_job *job) {
    if (s->n_jobs == s->cap_vus) {
        s->cap_vus = s->cap_vus ? s->cap_vus * 2 : 16;
        s->vus = xrealloc(s->vus, s->cap_vus * sizeof *s->vus);
    }
    vu->job_index = s->n_jobs;
    s->vus[s->n_jobs++] = vu;
    s->vus_active++;
    if (!job->counts_busy)
        atomic_fetch_add(&s->run->instance.vus_active, 1);
    vu_handle_run(vu, job);
}

void scenario_job_done(struct vu_handle *vu) {
    struct scenario_run *s = vu->job.scenario;
    struct vu_handle *last = s->vus[--s->n_jobs];
    s->vus[vu->job_index] = last;
    last->job_index = vu->job_index;
    s->vus_active--;
    if (!vu->job.counts_busy)
        atomic_fetch_sub(&s->run->instance.vus_active, 1);
    run_return_vu(s->run, vu);
    fiber_wake(s->fiber);
}

/* Until no job is left: 0, KE_TIMEOUT, KE_CANCELED. A pause moves the deadline. */
static int wait_until(struct scenario_run *s, const _Atomic int64_t *deadline_ns) {
    while (s->n_jobs > 0) {
        if (s->is_canceled)
            return KE_CANCELED;
        int64_t at_ns = atomic_load(deadline_ns);
        if (run_clock_ns(s->run) >= at_ns)
            return KE_TIMEOUT;
        scenario_wait(s, run_deadline_ns(s->run, at_ns));
    }
    return 0;
}

void scenario_wait_for_jobs(struct scenario_run *s, bool stop_vus) {
    int rc = wait_until(s, &s->regular_end_ns);
    if (rc == KE_TIMEOUT) {
        for (size_t i = 0; i < s->n_jobs && stop_vus; i++)
            vu_handle_stop(s->vus[i]);
        if (s->max_end_ns > s->regular_end_ns)
            scenario_freeze(s, SCENARIO_STOPPING);
        rc = wait_until(s, &s->max_end_ns);
    }
    for (size_t i = 0; i < s->n_jobs && rc != 0; i++)
        vu_handle_kill(s->vus[i]);
    while (s->n_jobs > 0)
        fiber_park(NEVER_NS);
}

void scenario_freeze(struct scenario_run *s, enum scenario_status status) {
    struct arena a;
    const char *texts[SCENARIO_TEXTS_MAX];
    size_t n = 0;
    arena_init(&a);
    double progress = 0;
    if (atomic_load(&s->start_ns) != 0) {
        progress = s->executor->progress(s);
        n = s->executor->describe(s, &a, texts);
    }
    for (size_t i = 0; i < n; i++)
        s->frozen_texts[i] = arena_strndup(&s->run->arena, texts[i], strlen(texts[i]));
    s->n_frozen = n;
    s->frozen_progress = progress;
    s->is_frozen = true;
    s->status = status;
    arena_release(&a);
}

double scenario_bar(const struct scenario_run *s, struct arena *a, const char **out_texts,
                    size_t *out_n) {
    char text[DURATION_TEXT_MAX];
    *out_n = 0;
    if (s->is_frozen) {
        for (size_t i = 0; i < s->n_frozen; i++)
            out_texts[(*out_n)++] = s->frozen_texts[i];
        return s->frozen_progress;
    }
    if (atomic_load(&s->start_ns) != 0) {
        *out_n = s->executor->describe(s, a, out_texts);
        return s->executor->progress(s);
    }
    if (s->status == SCENARIO_WAITING && s->config->start_time.ns > 0) {
        int64_t left =
            s->config->start_time.ns - (run_clock_ns(s->run) - s->run->scenarios_start_ns);
        duration_format_fixed(left > 0 ? left : 0, s->config->start_time.ns, text);
        out_texts[(*out_n)++] = "waiting";
        out_texts[(*out_n)++] = arena_strndup(a, text, strlen(text));
    }
    return 0;
}

static bool wait_for_start(struct scenario_run *s) {
    struct run *run = s->run;
    while (!s->is_canceled) {
        int64_t start_ns = run->scenarios_start_ns + s->config->start_time.ns;
        if (!run_is_held(run) && (s->config->start_time.ns <= 0 || clock_now_ns() >= start_ns))
            return true;
        scenario_wait(s, run_deadline_ns(run, start_ns));
    }
    return false;
}

void scenario_run_main(void *scenario_run) {
    struct scenario_run *s = scenario_run;
    struct run *run = s->run;
    if (wait_for_start(s)) {
        s->executor->run(s);
        bool is_through = !s->is_canceled && s->executor->progress(s) >= 1;
        scenario_freeze(s, is_through ? SCENARIO_DONE : SCENARIO_INTERRUPTED);
    }
    run->n_running--;
    fiber_wake(run->waiter);
}

void scenario_record_dropped(struct scenario_run *s, int64_t count, int64_t vu_id) {
    struct run *run = s->run;
    uint32_t system_tags = run->config.vu_config->system_tags;
    const struct tagset *tags = run->run_tags;
    if (system_tags & TAG_SCENARIO)
        tags = tagset_with(run->main.tags, tags, SLICE("scenario"), slice_cstr(s->config->name));
    struct series *series = shard_series(run->main.shard, metric_by_id(M_DROPPED_ITERATIONS), tags);
    series_add_meta(series, (double)count, clock_now_ns(), system_tags & TAG_VU ? vu_id : -1, -1);
}

void scenario_log(const struct scenario_run *s, int level, const char *fmt, ...) {
    struct buf text;
    va_list ap;
    buf_init(&text, BUF_NO_CAP);
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    log_fields((enum log_level)level, buf_slice(&text), LOG_STR("executor", s->info.executor),
               LOG_STR("scenario", s->info.name));
    buf_release(&text);
}
