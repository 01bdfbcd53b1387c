/* ramping-vus: the number of looping VUs follows stages. Two schedules are walked together: how
 * many VUs are wanted, and how many may still be finishing an iteration (gracefulRampDown). Slot n
 * holds the n-th VU; it is started when n are wanted, stopped when fewer are, and killed when its
 * grace is over. */
#include <stdlib.h>

#include "base/duration.h"
#include "load/executor_text.h"
#include "load/run.h"

struct slot {
    struct vu_handle *vu; /* has a job */
    bool is_wanted;
};

struct ramp_state {
    struct scenario_run *s;
    vu_steps wanted, reserved;
    struct slot *slots;
    int64_t n_slots, n_wanted, n_reserved;
    size_t next_wanted, next_reserved;
    bool needs_restart; /* a wanted slot's VU came back */
};

static bool next(struct vu_handle *vu) {
    return !atomic_load_explicit(&vu->stop, memory_order_relaxed);
}

static void done(struct vu_handle *vu) {
    struct slot *slot = vu->job.slot;
    struct ramp_state *state = vu->job.scenario->state;
    slot->vu = NULL;
    state->needs_restart |= slot->is_wanted;
    scenario_job_done(vu);
}

static void start_slot(struct ramp_state *state, struct slot *slot) {
    struct vu_job job = {.scenario = state->s, .next = next, .done = done, .slot = slot};
    slot->is_wanted = true;
    if (slot->vu != NULL) {
        /* On its way out: it goes on, or comes back through done() if it could not be stopped. */
        atomic_store(&slot->vu->stop, false);
        return;
    }
    struct vu_handle *vu = run_take_vu(state->s);
    if (vu == NULL)
        return;
    slot->vu = vu;
    scenario_give_job(state->s, vu, &job);
}

static void stop_slot(struct slot *slot) {
    slot->is_wanted = false;
    if (slot->vu != NULL)
        vu_handle_stop(slot->vu);
}

static void restart_slots(struct ramp_state *state) {
    state->needs_restart = false;
    for (int64_t i = 0; i < state->n_wanted && !state->s->is_canceled; i++)
        if (state->slots[i].vu == NULL)
            start_slot(state, &state->slots[i]);
}

static void set_wanted(struct ramp_state *state, int64_t n) {
    for (; state->n_wanted < n; state->n_wanted++)
        start_slot(state, &state->slots[state->n_wanted]);
    for (; state->n_wanted > n; state->n_wanted--)
        stop_slot(&state->slots[state->n_wanted - 1]);
}

static void set_reserved(struct ramp_state *state, int64_t n) {
    for (; state->n_reserved > n; state->n_reserved--) {
        struct slot *slot = &state->slots[state->n_reserved - 1];
        if (slot->vu != NULL)
            vu_handle_kill(slot->vu);
    }
    state->n_reserved = n;
}

static int64_t next_offset(const vu_steps *steps, size_t i) {
    return i < steps->len ? steps->ptr[i].offset_ns : NEVER_NS;
}

/* Waits for the next step of either schedule, wanted ones first, and takes it. False when there is
 * no more, or at the end of the run. */
static bool take_step(struct ramp_state *state) {
    struct scenario_run *s = state->s;
    int64_t wanted_ns = next_offset(&state->wanted, state->next_wanted);
    int64_t reserved_ns = next_offset(&state->reserved, state->next_reserved);
    bool is_reserved = reserved_ns < wanted_ns;
    int64_t offset_ns = is_reserved ? reserved_ns : wanted_ns;
    if (offset_ns == NEVER_NS)
        return false;
    bool is_over = state->next_wanted == state->wanted.len;
    while (run_clock_ns(s->run) < atomic_load(&s->start_ns) + offset_ns) {
        int64_t at_ns = run_deadline_ns(s->run, atomic_load(&s->start_ns) + offset_ns);
        if (scenario_wait(s, at_ns) == KE_CANCELED)
            return false;
        if (state->needs_restart)
            restart_slots(state);
        if (is_over && s->n_jobs == 0)
            return false;
    }
    if (is_reserved)
        set_reserved(state, state->reserved.ptr[state->next_reserved++].planned);
    else
        set_wanted(state, state->wanted.ptr[state->next_wanted++].planned);
    if (!is_over && state->next_wanted == state->wanted.len && s->max_ns > s->regular_ns)
        scenario_freeze(s, SCENARIO_STOPPING);
    return !s->is_canceled;
}

static void run(struct scenario_run *s) {
    struct ramp_state *state = arena_alloc(&s->run->arena, sizeof *state);
    *state = (struct ramp_state){.s = s};
    ramp_steps(s->config, s->run->config.tuple, &state->wanted);
    ramp_reserved_steps(s->config, s->run->config.tuple, &state->reserved);
    for (size_t i = 0; i < state->reserved.len; i++)
        if (state->reserved.ptr[i].planned > state->n_slots)
            state->n_slots = state->reserved.ptr[i].planned;
    s->max_vus = state->n_slots;
    s->max_ns = state->reserved.ptr[state->reserved.len - 1].offset_ns;
    if (s->max_ns < s->regular_ns)
        s->max_ns = s->regular_ns;
    state->slots = xcalloc((size_t)state->n_slots + 1, sizeof *state->slots);
    s->state = state;
    scenario_begin(s);
    while (take_step(state))
        ;
    for (int64_t i = 0; i < state->n_slots; i++)
        state->slots[i].is_wanted = false;
    atomic_store(&s->regular_end_ns,
                 atomic_load(&s->max_end_ns)); /* the stops were given already */
    scenario_wait_for_jobs(s, false);
    free(state->slots);
    vec_release(&state->wanted);
    vec_release(&state->reserved);
}

static size_t describe(const struct scenario_run *s, struct arena *a, const char **out) {
    char spent[DURATION_TEXT_MAX], whole[DURATION_TEXT_MAX];
    int64_t spent_ns = executor_spent_ns(s);
    int width = executor_digits(s->max_vus);
    out[0] = arena_printf(a, "%0*lld/%0*lld VUs", width, (long long)s->vus_active, width,
                          (long long)s->max_vus);
    if (spent_ns > s->regular_ns) {
        out[1] = arena_printf(a, "%s", duration_format(s->regular_ns, whole));
        return 2;
    }
    duration_format_fixed(spent_ns, s->regular_ns, spent);
    duration_format_fixed(s->regular_ns, s->regular_ns, whole);
    out[1] = arena_printf(a, "%s/%s", spent, whole);
    return 2;
}

const struct executor executor_ramping_vus = {run, executor_time_progress, describe};
