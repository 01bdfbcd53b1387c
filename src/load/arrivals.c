#include "load/arrivals.h"

#include <math.h>

#include "base/clock.h"

void arrivals_init(struct arrivals *a, const struct scenario *s, const struct execution_tuple *t,
                   int64_t first, int64_t step) {
    *a = (struct arrivals){.scenario = s, .tuple = t, .k = first, .step = step};
    a->from_rate = (double)s->start_rate.value / (double)s->time_unit.ns;
}

/* An iteration that falls on the very end still starts, as in k6. */
static bool next_constant(struct arrivals *a, int64_t *out_offset_ns) {
    const struct scenario *s = a->scenario;
    __int128 index = execution_global_index(a->tuple, a->k);
    __int128 offset = index * s->time_unit.ns / s->rate.value;
    if (offset > s->duration.ns)
        return false;
    a->k += a->step;
    *out_offset_ns = (int64_t)offset;
    return true;
}

/* Time after the stage's start at which `count` iterations have started since then; the rate goes
 * from `from` to `to` within dur: solves from·x + (to - from)/(2·dur)·x² = count. */
static double ramp_time(double from, double to, double dur, double count) {
    if (from == to)
        return count / to;
    double slope = (to - from) / dur, root = from * from + 2 * slope * count;
    root = root > 0 ? sqrt(root) : 0;
    /* the form without cancellation */
    return from + root > 0 ? 2 * count / (from + root) : 0;
}

static bool next_ramping(struct arrivals *a, int64_t *out_offset_ns) {
    const struct scenario *s = a->scenario;
    /* the first starts when a whole one has accumulated */
    double wanted = (double)execution_global_index(a->tuple, a->k) + 1;
    for (; a->stage < s->stages.len; a->stage++) {
        const struct stage *stage = &s->stages.items[a->stage];
        double dur = (double)stage->duration.ns;
        double to = (double)stage->target.value / (double)s->time_unit.ns;
        double in_stage = dur * (a->from_rate + to) / 2;
        if (wanted <= a->done + in_stage && in_stage > 0) {
            double x = ramp_time(a->from_rate, to, dur, wanted - a->done);
            a->k += a->step;
            *out_offset_ns = a->stage_start_ns + (int64_t)x;
            return true;
        }
        a->done += in_stage;
        a->from_rate = to;
        a->stage_start_ns += stage->duration.ns;
    }
    return false;
}

bool arrivals_next(struct arrivals *a, int64_t *out_offset_ns) {
    return a->scenario->type == EXECUTOR_CONSTANT_ARRIVAL_RATE ? next_constant(a, out_offset_ns)
                                                               : next_ramping(a, out_offset_ns);
}

double arrivals_rate_at(const struct scenario *s, const struct execution_tuple *t,
                        int64_t offset_ns) {
    double per_second = (double)NS_PER_S / (double)s->time_unit.ns;
    if (s->type == EXECUTOR_CONSTANT_ARRIVAL_RATE)
        return execution_scale_rate(t, (double)s->rate.value) * per_second;
    double from = (double)s->start_rate.value;
    for (size_t i = 0; i < s->stages.len; i++) {
        const struct stage *stage = &s->stages.items[i];
        double to = (double)stage->target.value;
        if (offset_ns < stage->duration.ns) {
            double share = (double)offset_ns / (double)stage->duration.ns;
            from += (to - from) * share;
            break;
        }
        offset_ns -= stage->duration.ns;
        from = to;
    }
    return execution_scale_rate(t, from) * per_second;
}
