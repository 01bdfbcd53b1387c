#include "load/requirements.h"

#include <stdlib.h>

static void add_step(vu_steps *out, int64_t offset_ns, int64_t planned) {
    if (out->len == 0 || out->ptr[out->len - 1].planned != planned)
        vec_push(out, (struct vu_step){offset_ns, planned, 0});
}

/* When a line from `from` at the stage's start to `to` at its end passes `level`. */
static int64_t crossing_ns(int64_t stage_end_ns, int64_t stage_ns, int64_t from, int64_t to,
                           int64_t level) {
    return stage_end_ns - (int64_t)((__int128)stage_ns * (to - level) / (to - from));
}

/* VU number n (from 1) of ours is VU number whole(n) of the test: it runs while the test's ramp is
 * at whole(n) or more, and is let go where the ramp comes down to whole(n) - 1. */
static int64_t whole(const struct execution_tuple *t, int64_t n) {
    return execution_global_index(t, n - 1) + 1;
}

static void ramp_stage(const struct execution_tuple *t, int64_t end_ns, int64_t stage_ns,
                       int64_t from, int64_t to, int64_t *running, vu_steps *out) {
    if (stage_ns == 0) {
        *running = execution_scale(t, to);
        add_step(out, end_ns, *running);
        return;
    }
    for (; from < to && whole(t, *running + 1) <= to; ++*running)
        add_step(out, crossing_ns(end_ns, stage_ns, from, to, whole(t, *running + 1)),
                 *running + 1);
    for (; from > to && *running > 0 && whole(t, *running) > to; --*running)
        add_step(out, crossing_ns(end_ns, stage_ns, from, to, whole(t, *running) - 1),
                 *running - 1);
}

static void ramp(const struct scenario *s, const struct execution_tuple *t, vu_steps *out) {
    int64_t from = s->start_vus.value, running = execution_scale(t, from), end_ns = 0;
    out->len = 0;
    add_step(out, 0, running);
    for (size_t i = 0; i < s->stages.len; i++) {
        int64_t to = s->stages.items[i].target.value, stage_ns = s->stages.items[i].duration.ns;
        end_ns += stage_ns;
        if (to != from)
            ramp_stage(t, end_ns, stage_ns, from, to, &running, out);
        from = to;
    }
}

void ramp_steps(const struct scenario *s, const struct execution_tuple *t, vu_steps *out) {
    ramp(s, t, out);
    if (out->ptr[out->len - 1].planned != 0)
        vec_push(out, (struct vu_step){stages_duration_ns(&s->stages), 0, 0});
}

/* At any time the reservation is the maximum of what was wanted in the last `grace`: a step down
 * takes effect a grace later, unless a higher or equal level was wanted again by then. */
static void reserve(const vu_steps *wanted, int64_t grace_ns, int64_t end_ns, vu_steps *out) {
    int64_t level = 0;
    for (size_t i = 0; i < wanted->len; i++) {
        const struct vu_step *step = &wanted->ptr[i];
        if (i == 0 || step->planned > level) {
            vec_push(out, *step);
            level = step->planned;
            continue;
        }
        if (step->planned == level)
            continue;
        int64_t until_ns = step->offset_ns + grace_ns;
        size_t next = i + 1;
        while (next < wanted->len && wanted->ptr[next].offset_ns <= until_ns &&
               wanted->ptr[next].planned < level)
            next++;
        bool is_wanted_again = next < wanted->len && wanted->ptr[next].offset_ns <= until_ns;
        if (is_wanted_again) {
            i = next - 1;
            continue;
        }
        if (until_ns >= end_ns)
            return;
        vec_push(out, (struct vu_step){until_ns, step->planned, 0});
        level = step->planned;
    }
}

void ramp_reserved_steps(const struct scenario *s, const struct execution_tuple *t, vu_steps *out) {
    vu_steps wanted = {0};
    int64_t end_ns = stages_duration_ns(&s->stages) + s->graceful_stop.ns;
    ramp(s, t, &wanted);
    out->len = 0;
    if (s->graceful_ramp_down.ns > 0)
        reserve(&wanted, s->graceful_ramp_down.ns, end_ns, out);
    else
        for (size_t i = 0; i < wanted.len; i++)
            vec_push(out, wanted.ptr[i]);
    if (out->ptr[out->len - 1].planned != 0)
        vec_push(out, (struct vu_step){end_ns, 0, 0});
    vec_release(&wanted);
}

void scenario_requirements(const struct scenario *s, const struct execution_tuple *t,
                           vu_steps *out) {
    int64_t vus = scenario_vus(s, t);
    int64_t end_ns = scenario_regular_duration_ns(s) + s->graceful_stop.ns;
    out->len = 0;
    if (s->type == EXECUTOR_RAMPING_VUS) {
        ramp_reserved_steps(s, t, out);
        return;
    }
    if (s->type == EXECUTOR_EXTERNALLY_CONTROLLED) {
        /* All of them up front; without an end when the duration is 0. */
        vec_push(out, (struct vu_step){0, scenario_max_vus(s, t), 0});
        if (s->duration.ns != 0)
            vec_push(out, (struct vu_step){s->duration.ns, 0, 0});
        return;
    }
    vec_push(out, (struct vu_step){0, vus, scenario_max_vus(s, t) - vus});
    if (vus > 0 || s->type != EXECUTOR_SHARED_ITERATIONS)
        vec_push(out, (struct vu_step){end_ns, 0, 0});
}

struct tracked_step {
    struct vu_step step;
    size_t scenario, order;
};

static int by_time(const void *left, const void *right) {
    const struct tracked_step *a = left, *b = right;
    if (a->step.offset_ns != b->step.offset_ns)
        return a->step.offset_ns < b->step.offset_ns ? -1 : 1;
    if (a->scenario != b->scenario)
        return a->scenario < b->scenario ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Walks the steps in time; the sum over all scenarios is kept as it changes. */
static void sum_up(struct execution_plan *plan, const struct tracked_step *steps, size_t n,
                   size_t n_scenarios) {
    struct vu_step *current = xcalloc(n_scenarios + 1, sizeof *current), sum = {0};
    for (size_t i = 0; i < n; i++) {
        struct vu_step *own = &current[steps[i].scenario];
        sum.offset_ns = steps[i].step.offset_ns;
        sum.planned += steps[i].step.planned - own->planned;
        sum.max_unplanned += steps[i].step.max_unplanned - own->max_unplanned;
        *own = steps[i].step;
        if (sum.planned > plan->max_planned_vus)
            plan->max_planned_vus = sum.planned;
        if (sum.planned + sum.max_unplanned > plan->max_possible_vus)
            plan->max_possible_vus = sum.planned + sum.max_unplanned;
        const struct vu_step *last = plan->steps.len ? &plan->steps.ptr[plan->steps.len - 1] : NULL;
        if (last == NULL || last->planned != sum.planned ||
            last->max_unplanned != sum.max_unplanned)
            vec_push(&plan->steps, sum);
    }
    free(current);
}

void execution_plan_init(struct execution_plan *plan, const struct options *o,
                         const struct execution_tuple *t) {
    VEC(struct tracked_step) all = {0};
    vu_steps own = {0};
    const struct scenario **sorted = xcalloc(o->scenarios.len + 1, sizeof *sorted);
    for (size_t i = 0; i < o->scenarios.len; i++)
        sorted[i] = &o->scenarios.items[i];
    scenarios_sort(sorted, o->scenarios.len);
    for (size_t i = 0; i < o->scenarios.len; i++) {
        scenario_requirements(sorted[i], t, &own);
        for (size_t k = 0; k < own.len; k++) {
            struct tracked_step step = {own.ptr[k], i, k};
            step.step.offset_ns += sorted[i]->start_time.ns;
            vec_push(&all, step);
        }
    }
    if (all.len > 1)
        qsort(all.ptr, all.len, sizeof *all.ptr, by_time);
    *plan = (struct execution_plan){0};
    sum_up(plan, all.ptr, all.len, o->scenarios.len);
    if (plan->steps.len > 0)
        plan->end_offset_ns = plan->steps.ptr[plan->steps.len - 1].offset_ns;
    vec_release(&all);
    vec_release(&own);
    free(sorted);
}

void execution_plan_release(struct execution_plan *plan) {
    vec_release(&plan->steps);
}
