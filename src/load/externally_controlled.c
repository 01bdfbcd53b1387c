/* externally-controlled: as many VUs loop as the user says, until the duration is over (0 = without
 * end). Changes are requests that the scenario's fiber carries out one after the other. */
#include "load/externally_controlled.h"

#include <stdlib.h>

#include "base/duration.h"
#include "base/log.h"
#include "load/executor_text.h"
#include "load/run.h"

#define MAX_VUS 100000000
/* New VUs are initialised a few at a time: enough for all workers, few to wait for on an abort. */
#define INITS_PER_WORKER 2

struct slot {
    struct vu_handle *vu;
    bool is_running;
};

/* As configured: of the whole test, not scaled to our segment. */
struct wanted {
    int64_t vus, max_vus;
};

struct request {
    struct list link;
    struct fiber *fiber;
    bool is_pause, is_paused; /* pause or resume; else scale */
    struct wanted wanted;
    bool is_done;
    int rc;
    struct error *err;
};

struct external {
    struct scenario_run *s;
    bool has_started, has_ended, is_paused;
    struct wanted wanted;
    VEC(struct slot *) slots; /* those beyond n_vus were given up, and are used again first */
    int64_t n_vus;            /* that may be active */
    int64_t n_running, n_initializing;
    struct failure init_failure;
    struct list requests;
};

/* A test may be scaled before its executor starts. */
static struct external *state_of(struct scenario_run *s) {
    struct external *state = s->state;
    if (state != NULL)
        return state;
    state = arena_alloc(&s->run->arena, sizeof *state);
    *state = (struct external){.s = s};
    state->wanted = (struct wanted){s->config->vus.value, s->config->max_vus.value};
    list_init(&state->requests);
    s->state = state;
    return state;
}

static int64_t share(const struct external *state, int64_t n) {
    return execution_scale(state->s->run->config.tuple, n);
}

/* ---- one VU */

static bool next(struct vu_handle *vu) {
    return !atomic_load_explicit(&vu->stop, memory_order_relaxed);
}

static void done(struct vu_handle *vu) {
    struct scenario_run *s = vu->job.scenario;
    struct external *state = s->state;
    struct slot *slot = vu->job.slot;
    slot->is_running = false;
    state->n_running--;
    s->vus_active--;
    atomic_fetch_sub(&s->run->instance.vus_active, 1);
    fiber_wake(s->fiber);
}

static void start_slot(struct external *state, struct slot *slot) {
    struct scenario_run *s = state->s;
    struct vu_job job = {.scenario = s, .next = next, .done = done, .slot = slot};
    slot->is_running = true;
    state->n_running++;
    s->vus_active++;
    atomic_fetch_add(&s->run->instance.vus_active, 1);
    vu_handle_run(slot->vu, &job);
}

static void add_slot(struct external *state, struct vu_handle *vu) {
    struct slot *slot = xcalloc(1, sizeof *slot);
    slot->vu = vu;
    vec_push(&state->slots, slot);
}

/* ---- waiting */

/* When the duration is over, by the clock that leaves pauses out. */
static int64_t deadline_ns(const struct external *state) {
    const struct run *run = state->s->run;
    const struct scenario *config = state->s->config;
    if (config->duration.ns == 0 || atomic_load(&run->paused_since_ns) != 0)
        return NEVER_NS;
    return atomic_load(&run->instance.start_ns) + config->start_time.ns + config->duration.ns;
}

static bool is_over(const struct external *state) {
    return state->s->is_canceled || clock_now_ns() >= deadline_ns(state);
}

/* Until the slots from first on are idle; they were told to stop. */
static void wait_until_idle(struct external *state, int64_t first) {
    for (size_t i = (size_t)first; i < state->slots.len; i++)
        while (state->slots.ptr[i]->is_running)
            fiber_park(NEVER_NS);
}

/* ---- more and fewer VUs */

static void on_new_vu(struct vu_handle *vu, struct failure *f) {
    struct external *state = vu->init_arg;
    state->n_initializing--;
    if (failure_is_set(f))
        failure_take_first(&state->init_failure, f);
    else
        add_slot(state, vu);
    fiber_wake(state->s->fiber);
}

static int by_vu_id(const void *left, const void *right) {
    const struct slot *a = *(struct slot *const *)left, *b = *(struct slot *const *)right;
    return a->vu->id < b->vu->id ? -1 : a->vu->id > b->vu->id;
}

static int add_vus(struct external *state, int64_t n, struct error *err) {
    struct run *run = state->s->run;
    int64_t limit = (int64_t)run->n_workers * INITS_PER_WORKER;
    size_t n_before = state->slots.len;
    int64_t missing = n - (int64_t)n_before;
    int64_t returning = n < (int64_t)state->slots.len ? n : (int64_t)state->slots.len;
    atomic_fetch_add(&run->instance.vus_initialized, returning - state->n_vus);
    state->n_vus = returning;
    while (missing > 0 || state->n_initializing > 0) {
        bool goes_on = !is_over(state) && !failure_is_set(&state->init_failure);
        for (; goes_on && missing > 0 && state->n_initializing < limit; missing--) {
            state->n_initializing++;
            run_init_unplanned_vu(run, on_new_vu, state);
        }
        if (!goes_on && state->n_initializing == 0)
            break;
        fiber_park(goes_on ? deadline_ns(state) : NEVER_NS);
    }
    if (state->slots.len > n_before) /* they came as the workers were done */
        qsort(state->slots.ptr + n_before, state->slots.len - n_before, sizeof *state->slots.ptr,
              by_vu_id);
    state->n_vus = n < (int64_t)state->slots.len ? n : (int64_t)state->slots.len;
    if (failure_is_set(&state->init_failure))
        return error_set(err, KE_FAILED, "%s", state->init_failure.text);
    return missing > 0 ? error_set(err, KE_CANCELED, "context canceled") : 0;
}

static void remove_vus(struct external *state, int64_t n) {
    atomic_fetch_sub(&state->s->run->instance.vus_initialized, state->n_vus - n);
    state->n_vus = n;
}

static int apply(struct external *state, int64_t old_vus, int64_t vus, int64_t max_vus,
                 struct error *err) {
    int rc = max_vus > state->n_vus ? add_vus(state, max_vus, err) : 0;
    if (rc != 0)
        return rc;
    for (int64_t i = old_vus; i < vus && !state->is_paused; i++)
        start_slot(state, state->slots.ptr[i]);
    for (int64_t i = vus; i < old_vus; i++)
        if (state->slots.ptr[i]->is_running)
            vu_handle_kill(state->slots.ptr[i]->vu);
    wait_until_idle(state, vus);
    if (max_vus < state->n_vus)
        remove_vus(state, max_vus);
    return 0;
}

static int set_wanted(struct external *state, struct wanted wanted, struct error *err) {
    int rc = apply(state, share(state, state->wanted.vus), share(state, wanted.vus),
                   share(state, wanted.max_vus), err);
    if (rc == 0)
        state->wanted = wanted;
    return rc;
}

static void set_paused(struct external *state, bool is_paused) {
    int64_t vus = share(state, state->wanted.vus);
    if (is_paused == state->is_paused)
        return;
    state->is_paused = is_paused;
    for (int64_t i = 0; i < vus; i++) {
        struct slot *slot = state->slots.ptr[i];
        if (!is_paused)
            start_slot(state, slot);
        else if (slot->is_running)
            vu_handle_stop(slot->vu);
    }
    while (is_paused && state->n_running > 0 && !is_over(state))
        fiber_park(deadline_ns(state));
}

/* ---- the scenario's fiber */

static void finish_request(struct request *r, int rc) {
    r->rc = rc;
    r->is_done = true;
    fiber_wake(r->fiber);
}

/* A VU that cannot be initialised ends the test. */
static void abort_test(struct external *state) {
    struct failure f = {0};
    failure_take_first(&f, &state->init_failure);
    scenario_log(state->s, LOG_ERROR, "Executor error: %s", f.text);
    run_abort(state->s->run, &f);
}

static void carry_out(struct external *state, struct request *r) {
    int rc = 0;
    if (r->is_pause)
        set_paused(state, r->is_paused);
    else
        rc = set_wanted(state, r->wanted, r->err);
    finish_request(r, rc);
    if (failure_is_set(&state->init_failure))
        abort_test(state);
}

static bool take_start_vus(struct external *state) {
    int64_t n = share(state, state->s->config->max_vus.value);
    while (state->n_vus < n) {
        struct vu_handle *vu = run_take_vu(state->s);
        if (vu == NULL)
            return false;
        add_slot(state, vu);
        state->n_vus++;
    }
    return true;
}

static void serve(struct external *state) {
    struct scenario_run *s = state->s;
    struct wanted wanted = state->wanted;
    state->wanted = (struct wanted){0, s->config->max_vus.value};
    if (set_wanted(state, wanted, NULL) != 0 && failure_is_set(&state->init_failure))
        abort_test(state);
    while (!is_over(state)) {
        struct list *item = list_pop_front(&state->requests);
        if (item != NULL)
            carry_out(state, container_of(item, struct request, link));
        else
            scenario_wait(s, deadline_ns(state));
    }
}

static void end(struct external *state) {
    struct run *run = state->s->run;
    int64_t n_start = share(state, state->s->config->max_vus.value);
    struct list *item;
    state->has_ended = true;
    while ((item = list_pop_front(&state->requests)) != NULL) {
        struct request *r = container_of(item, struct request, link);
        finish_request(r, error_set(r->err, KE_CANCELED, "context canceled"));
    }
    for (size_t i = 0; i < state->slots.len; i++)
        if (state->slots.ptr[i]->is_running)
            vu_handle_kill(state->slots.ptr[i]->vu);
    wait_until_idle(state, 0);
    if (state->n_vus > n_start)
        remove_vus(state, n_start);
    for (size_t i = 0; i < state->slots.len; i++) {
        if ((int64_t)i < n_start)
            run_return_vu(run, state->slots.ptr[i]->vu);
        free(state->slots.ptr[i]);
    }
    vec_release(&state->slots);
}

static void run(struct scenario_run *s) {
    struct external *state = state_of(s);
    bool is_ready = take_start_vus(state);
    scenario_begin(s);
    state->has_started = true;
    if (is_ready)
        serve(state);
    end(state);
}

/* ---- what the user asks for, on fibers of the main thread */

static int submit(struct external *state, struct request *r) {
    r->fiber = fiber_self();
    list_push_back(&state->requests, &r->link);
    fiber_wake(state->s->fiber);
    while (!r->is_done)
        fiber_park(NEVER_NS);
    return r->rc;
}

bool external_is_running(const struct scenario_run *s) {
    const struct external *state = s->state;
    return state != NULL && state->has_started && !state->has_ended;
}

int external_set_paused(struct scenario_run *s, bool is_paused, struct error *err) {
    struct external *state = state_of(s);
    struct request r = {.is_pause = true, .is_paused = is_paused, .err = err};
    if (!external_is_running(s))
        return error_set(err, KE_CANCELED, "context canceled");
    return submit(state, &r);
}

static int check_wanted(const struct external *state, struct wanted w, struct error *err) {
    static const char prefix[] = "invalid configuration supplied: ";
    int64_t start_max = state->s->config->max_vus.value;
    const char *negative = w.vus < 0 ? "the number of VUs can't be negative" : "";
    if (w.max_vus < w.vus)
        return error_set(err, KE_INVALID,
                         "%s%s%sthe number of active VUs (%lld) must be less than or equal to the "
                         "number of maxVUs (%lld)",
                         prefix, negative, *negative ? ", " : "", (long long)w.vus,
                         (long long)w.max_vus);
    if (*negative)
        return error_set(err, KE_INVALID, "%s%s", prefix, negative);
    if (w.max_vus > MAX_VUS)
        return error_set(err, KE_INVALID, "%sthe number of maxVUs exceeds max limit of %d", prefix,
                         MAX_VUS);
    if (w.max_vus < start_max)
        return error_set(err, KE_INVALID,
                         "the new number of max VUs cannot be lower than the starting number of "
                         "max VUs (%lld)",
                         (long long)start_max);
    return 0;
}

int external_scale(struct scenario_run *s, const int64_t *vus, const int64_t *max_vus,
                   struct error *err) {
    struct external *state = state_of(s);
    struct request r = {.wanted = state->wanted, .err = err};
    if (vus != NULL)
        r.wanted.vus = *vus;
    if (max_vus != NULL)
        r.wanted.max_vus = *max_vus;
    int rc = check_wanted(state, r.wanted, err);
    if (rc != 0)
        return rc;
    if (state->has_ended)
        return error_set(err, KE_CANCELED, "context canceled");
    if (state->has_started)
        return submit(state, &r);
    state->wanted = r.wanted;
    return 0;
}

/* ---- progress */

static int64_t elapsed_ns(const struct scenario_run *s) {
    int64_t start_ns = atomic_load(&s->run->instance.start_ns);
    int64_t paused_ns = atomic_load(&s->run->paused_since_ns);
    return (paused_ns != 0 ? paused_ns : clock_now_ns()) - start_ns - s->config->start_time.ns;
}

static double progress(const struct scenario_run *s) {
    int64_t spent_ns = elapsed_ns(s);
    return spent_ns >= s->regular_ns ? 1 : (double)spent_ns / (double)s->regular_ns;
}

static size_t describe(const struct scenario_run *s, struct arena *a, const char **out) {
    char spent[DURATION_TEXT_MAX], whole[DURATION_TEXT_MAX];
    const struct external *state = s->state;
    int64_t spent_ns = elapsed_ns(s);
    int width = executor_digits(state->n_vus);
    out[0] = arena_printf(a, "%0*lld/%0*lld VUs", width, (long long)s->vus_active, width,
                          (long long)state->n_vus);
    duration_format(s->regular_ns, whole);
    if (spent_ns > s->regular_ns)
        out[1] = arena_printf(a, "%s", whole);
    else
        out[1] =
            arena_printf(a, "%s/%s", duration_format_fixed(spent_ns, s->regular_ns, spent), whole);
    out[2] = "";
    return 3;
}

const struct executor executor_externally_controlled = {run, progress, describe};
