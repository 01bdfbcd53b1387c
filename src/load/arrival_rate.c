/* constant- and ramping-arrival-rate. Each worker runs a lane: a fiber that starts every n-th
 * iteration of the schedule at its time on an idle VU of its own worker. When none is idle there,
 * it hands the iteration to a worker that has one; an iteration is dropped only when no VU of the
 * instance is idle. Idle VUs are counted per worker by an atomic that is claimed before a VU is
 * touched, so no message is needed as long as a lane's own VUs suffice. */
#include "load/arrivals.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "load/executor_text.h"
#include "load/run.h"

#define LANE_STACK_BYTES (64 * 1024)
/* An iteration that could not be started this long after the regular time is not started at all. */
#define END_SLACK_NS (10 * NS_PER_MS)

struct arrival_state;

struct lane {
    struct arrival_state *state;
    struct load_worker *lw;
    _Atomic int64_t n_idle; /* may be claimed by any lane */
    /* The worker's own. */
    struct list idle; /* struct vu_handle by link, longest idle first */
    struct arrivals schedule;
    struct fiber *fiber;
    struct series *dropped, *lateness; /* the latter NULL unless asked for */
    bool is_ended;
    struct worker_msg start_msg, end_msg, done_msg;
};

struct arrival_state {
    struct scenario_run *s;
    struct lane *lanes;
    int n_lanes;
    _Atomic int64_t n_not_ready; /* VUs that have not reported for work yet */
    _Atomic int64_t unplanned_left;
    _Atomic int n_initializing; /* unplanned VUs under way */
    _Atomic bool has_warned;
    struct worker_msg ready_msg;
    /* Main thread. */
    int n_running_lanes;
    bool is_ready;
    int64_t vus_at_end;
    _Atomic bool is_over; /* read by progress() */
};

/* ---- VUs */

static void on_ready(struct worker_msg *msg) {
    struct arrival_state *state = container_of(msg, struct arrival_state, ready_msg);
    state->is_ready = true;
    fiber_wake(state->s->fiber);
}

/* How long after its time the iteration starts. */
static void note_lateness(struct lane *lane, struct vu_handle *vu) {
    int64_t now_ns = clock_now_ns();
    vu->late_ns = now_ns > vu->due_ns ? now_ns - vu->due_ns : 0;
    if (lane->lateness != NULL)
        series_add(lane->lateness, (double)(now_ns - vu->due_ns) * 1e-6, now_ns);
}

/* A VU waits here for its next iteration. */
static bool next(struct vu_handle *vu) {
    struct lane *lane = vu->job.slot;
    struct arrival_state *state = lane->state;
    if (lane->is_ended)
        return false;
    vu->is_dispatched = false;
    list_push_back(&lane->idle, &vu->link);
    atomic_fetch_add(&lane->n_idle, 1);
    if (vu->job.remaining > 0) { /* its first call */
        vu->job.remaining = 0;
        if (atomic_fetch_sub(&state->n_not_ready, 1) == 1)
            worker_post(state->s->run->main.worker, &state->ready_msg);
    }
    while (!vu->is_dispatched && !vu->is_killed && !lane->is_ended)
        fiber_park(NEVER_NS);
    list_remove(&vu->link);
    if (vu->is_dispatched)
        note_lateness(lane, vu);
    return vu->is_dispatched;
}

static struct vu_job job_for(struct arrival_state *state, const struct vu_handle *vu) {
    struct lane *lane = &state->lanes[worker_index(vu->lw->worker)];
    return (struct vu_job){.scenario = state->s,
                           .next = next,
                           .done = scenario_job_done,
                           .slot = lane,
                           .remaining = 1,
                           .counts_busy = true};
}

/* ---- lanes */

/* The lane's worker; an idle VU was claimed. At the very end VUs may have gone all the same. */
static void dispatch(struct lane *lane, int64_t due_ns) {
    struct list *item = list_pop_front(&lane->idle);
    if (item == NULL)
        return;
    struct vu_handle *vu = container_of(item, struct vu_handle, link);
    vu->is_dispatched = true;
    vu->due_ns = due_ns;
    fiber_wake(vu->fiber);
}

struct handover_msg {
    struct worker_msg msg;
    struct lane *lane;
    int64_t due_ns;
};

static void on_handover(struct worker_msg *msg) {
    struct handover_msg *handover = container_of(msg, struct handover_msg, msg);
    dispatch(handover->lane, handover->due_ns);
    free(handover);
}

static bool claim(struct lane *lane) {
    int64_t n = atomic_load(&lane->n_idle);
    while (n > 0)
        if (atomic_compare_exchange_weak(&lane->n_idle, &n, n - 1))
            return true;
    return false;
}

static bool start_iteration(struct lane *own, int64_t due_ns) {
    struct arrival_state *state = own->state;
    if (claim(own)) {
        dispatch(own, due_ns);
        return true;
    }
    int first = (int)(own - state->lanes);
    for (int i = 1; i < state->n_lanes; i++) {
        struct lane *other = &state->lanes[(first + i) % state->n_lanes];
        if (!claim(other))
            continue;
        struct handover_msg *handover = xcalloc(1, sizeof *handover);
        handover->msg.run = on_handover;
        handover->lane = other;
        handover->due_ns = due_ns;
        worker_post(other->lw->worker, &handover->msg);
        return true;
    }
    return false;
}

/* A series with the run's tags and the scenario's name, as k6 tags what executors record. */
static struct series *lane_series(struct lane *lane, struct metric *m) {
    struct run *run = lane->state->s->run;
    struct opt_map tags = run->config.options->tags;
    const struct tagset *set = tagset_empty(lane->lw->tags);
    for (size_t i = 0; i < tags.len; i++)
        set = tagset_with(lane->lw->tags, set, slice_cstr(tags.items[i].key),
                          slice_cstr(tags.items[i].value));
    if (run->config.vu_config->system_tags & TAG_SCENARIO)
        set = tagset_with(lane->lw->tags, set, SLICE("scenario"),
                          slice_cstr(lane->state->s->info.name));
    return shard_series(lane->lw->shard, m, set);
}

static void record_dropped(struct lane *lane) {
    if (lane->dropped == NULL)
        lane->dropped = lane_series(lane, metric_by_id(M_DROPPED_ITERATIONS));
    series_add(lane->dropped, 1, clock_now_ns());
}

static void on_unplanned_vu(struct vu_handle *vu, struct failure *f) {
    struct arrival_state *state = vu->init_arg;
    if (failure_is_set(f)) {
        log_fields(LOG_ERROR, SLICE("Error while allocating unplanned VU"),
                   LOG_STR("error", f->text), LOG_STR("executor", state->s->info.executor),
                   LOG_STR("scenario", state->s->info.name));
        failure_release(f);
    } else if (state->is_over) {
        run_return_vu(state->s->run, vu);
    } else {
        struct vu_job job = job_for(state, vu);
        job.remaining = 0;
        scenario_give_job(state->s, vu, &job);
    }
    atomic_fetch_sub(&state->n_initializing, 1);
}

struct unplanned_msg {
    struct worker_msg msg;
    struct arrival_state *state;
};

/* Main thread. */
static void on_unplanned(struct worker_msg *msg) {
    struct unplanned_msg *m = container_of(msg, struct unplanned_msg, msg);
    struct arrival_state *state = m->state;
    free(m);
    if (!state->is_over)
        run_init_unplanned_vu(state->s->run, on_unplanned_vu, state);
}

/* No VU was idle: one more is initialised as long as maxVUs allows. k6 makes one at a time; here
 * each worker can. */
static void want_more_vus(struct lane *lane) {
    struct arrival_state *state = lane->state;
    if (atomic_load(&state->unplanned_left) == 0) {
        if (!atomic_exchange(&state->has_warned, true))
            scenario_log(state->s, LOG_WARN,
                         "Insufficient VUs, reached %lld active VUs and cannot initialize more",
                         (long long)state->s->max_vus);
        return;
    }
    struct unplanned_msg *m = NULL;
    if (atomic_fetch_add(&state->n_initializing, 1) < state->n_lanes) {
        if (atomic_fetch_sub(&state->unplanned_left, 1) > 0) {
            m = xcalloc(1, sizeof *m);
            m->msg.run = on_unplanned;
            m->state = state;
            worker_post(state->s->run->main.worker, &m->msg);
        } else {
            atomic_fetch_add(&state->unplanned_left, 1);
        }
    }
    if (!m)
        atomic_fetch_sub(&state->n_initializing, 1);
}

/* *out_at_ns is the time by the clock; a pause moves it. */
static bool wait_for_start(struct lane *lane, int64_t offset_ns, int64_t *out_at_ns) {
    const struct scenario_run *s = lane->state->s;
    while (!lane->is_ended) {
        *out_at_ns = atomic_load(&s->start_ns) + offset_ns;
        if (run_is_held(s->run))
            load_worker_wait_paused(lane->lw);
        else if (clock_now_ns() >= *out_at_ns)
            break;
        else
            fiber_park(*out_at_ns);
    }
    return !lane->is_ended;
}

static void lane_main(void *arg) {
    struct lane *lane = arg;
    struct scenario_run *s = lane->state->s;
    int64_t offset_ns, at_ns;
    while (arrivals_next(&lane->schedule, &offset_ns)) {
        if (!wait_for_start(lane, offset_ns, &at_ns) ||
            clock_now_ns() > s->regular_end_ns + END_SLACK_NS)
            break;
        if (start_iteration(lane, at_ns))
            continue;
        record_dropped(lane);
        want_more_vus(lane);
    }
    lane->fiber = NULL;
    worker_post(s->run->main.worker, &lane->done_msg);
}

static void on_start(struct worker_msg *msg) {
    struct lane *lane = container_of(msg, struct lane, start_msg);
    struct metric *lateness = lane->state->s->run->config.start_lateness;
    if (lateness != NULL)
        lane->lateness = lane_series(lane, lateness);
    lane->fiber = fiber_start(lane->lw->worker, LANE_STACK_BYTES, lane_main, lane);
    fiber_detach(lane->fiber);
}

/* Everybody who waits goes home. */
static void on_end(struct worker_msg *msg) {
    struct lane *lane = container_of(msg, struct lane, end_msg);
    lane->is_ended = true;
    if (lane->fiber != NULL)
        fiber_wake(lane->fiber);
    for (struct list *i = lane->idle.next; i != &lane->idle; i = i->next)
        fiber_wake(container_of(i, struct vu_handle, link)->fiber);
}

/* ---- main thread */

static void on_lane_done(struct worker_msg *msg) {
    struct arrival_state *state = container_of(msg, struct lane, done_msg)->state;
    state->n_running_lanes--;
    fiber_wake(state->s->fiber);
}

static struct arrival_state *new_state(struct scenario_run *s) {
    struct run *run = s->run;
    struct arrival_state *state = arena_alloc(&run->arena, sizeof *state);
    *state = (struct arrival_state){.s = s, .n_lanes = run->n_workers};
    state->lanes = arena_alloc(&run->arena, (size_t)run->n_workers * sizeof *state->lanes);
    state->ready_msg.run = on_ready;
    atomic_store(&state->n_not_ready, s->n_vus);
    atomic_store(&state->unplanned_left, s->max_vus - s->n_vus);
    for (int i = 0; i < state->n_lanes; i++) {
        struct lane *lane = &state->lanes[i];
        *lane = (struct lane){.state = state, .lw = &run->workers[i]};
        list_init(&lane->idle);
        arrivals_init(&lane->schedule, s->config, &s->iteration_tuple, i, state->n_lanes);
        lane->start_msg.run = on_start;
        lane->end_msg.run = on_end;
        lane->done_msg.run = on_lane_done;
    }
    s->state = state;
    return state;
}

static bool take_vus(struct arrival_state *state) {
    struct scenario_run *s = state->s;
    for (int64_t i = 0; i < s->n_vus; i++) {
        struct vu_handle *vu = run_take_vu(s);
        if (vu == NULL)
            return false;
        struct vu_job job = job_for(state, vu);
        scenario_give_job(s, vu, &job);
    }
    while (s->n_vus > 0 && !state->is_ready)
        if (scenario_wait(s, NEVER_NS) == KE_CANCELED)
            return false;
    return true;
}

static void run(struct scenario_run *s) {
    struct arrival_state *state = new_state(s);
    bool is_started = take_vus(state);
    scenario_begin(s);
    for (int i = 0; i < state->n_lanes && is_started; i++) {
        state->n_running_lanes++;
        worker_post(state->lanes[i].lw->worker, &state->lanes[i].start_msg);
    }
    while (state->n_running_lanes > 0 && scenario_wait(s, NEVER_NS) != KE_CANCELED)
        ;
    while (is_started && s->config->type == EXECUTOR_CONSTANT_ARRIVAL_RATE &&
           run_clock_ns(s->run) < s->regular_end_ns &&
           scenario_wait(s, run_deadline_ns(s->run, s->regular_end_ns)) != KE_CANCELED)
        ;
    state->vus_at_end = s->vus_active;
    for (int i = 0; i < state->n_lanes; i++)
        worker_post(state->lanes[i].lw->worker, &state->lanes[i].end_msg);
    atomic_store(&state->is_over, true);
    scenario_wait_for_jobs(s, false);
    while (state->n_running_lanes > 0)
        fiber_park(NEVER_NS);
}

bool arrival_rate_set_max_vus(struct scenario_run *s, int64_t n) {
    struct arrival_state *state = s->state;
    if (state == NULL || atomic_load(&state->is_over) || n < s->max_vus)
        return false;
    atomic_fetch_add(&state->unplanned_left, n - s->max_vus);
    atomic_store(&state->has_warned, false);
    s->max_vus = n;
    return true;
}

static double progress(const struct scenario_run *s) {
    const struct arrival_state *state = s->state;
    return state->is_over ? 1 : executor_time_progress(s);
}

static size_t describe(const struct scenario_run *s, struct arena *a, const char **out) {
    const struct scenario *c = s->config;
    bool is_ramping = c->type == EXECUTOR_RAMPING_ARRIVAL_RATE;
    double max = is_ramping ? (double)stages_max_target(c->start_rate.value, &c->stages)
                            : (double)c->rate.value;
    max = execution_scale_rate(s->run->config.tuple, max) * (double)NS_PER_S /
          (double)c->time_unit.ns;
    double rate = arrivals_rate_at(c, s->run->config.tuple, executor_spent_ns(s));
    int width = executor_digits(s->max_vus);
    /* VUs that have left stay in the count, as in k6. */
    const struct arrival_state *state = s->state;
    int64_t vus = state && state->is_over ? state->vus_at_end : s->vus_active;
    out[0] = arena_printf(a, "%0*lld/%0*lld VUs", width, (long long)atomic_load(&s->vus_busy),
                          width, (long long)vus);
    out[1] = executor_time_text(s, a);
    out[2] = arena_printf(a, "%0*.2f iters/s", executor_digits((int64_t)max) + 3, rate);
    return 3;
}

const struct executor executor_arrival_rate = {run, progress, describe};
