#include <ctype.h>

#include "base/clock.h"
#include "base/duration.h"
#include "load/scenario.h"

#define MIN_DURATION_NS NS_PER_S
#define MAX_CONCURRENT_VUS 100000000

/* Problems, joined by ", ". */
struct problems {
    struct buf *out;
    bool has_any;
};

static void add(struct problems *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct problems *p, const char *fmt, ...) {
    va_list ap;
    if (p->has_any)
        buf_append_str(p->out, ", ");
    va_start(ap, fmt);
    buf_vprintf(p->out, fmt, ap);
    va_end(ap);
    p->has_any = true;
}

static bool is_valid_name(const char *name) {
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-')
            return false;
    return *name != '\0';
}

static void check_base(const struct scenario *s, struct problems *p) {
    if (*s->name == '\0')
        add(p, "scenario name can't be empty");
    if (!is_valid_name(s->name))
        add(p, "the scenario name should contain only numbers, latin letters, underscores, and "
               "dashes");
    if (s->exec.is_set && *s->exec.value == '\0')
        add(p, "exec value cannot be empty");
    if (s->start_time.ns < 0)
        add(p, "the startTime can't be negative");
    if (s->graceful_stop.ns < 0)
        add(p, "the gracefulStop timeout can't be negative");
}

static void check_minimum(struct problems *p, const char *what, int64_t ns) {
    char minimum[DURATION_TEXT_MAX], text[DURATION_TEXT_MAX];
    if (ns < MIN_DURATION_NS)
        add(p, "the %s must be at least %s, but is %s", what,
            duration_format(MIN_DURATION_NS, minimum), duration_format(ns, text));
}

static void check_duration(const struct scenario *s, struct problems *p) {
    if (!s->duration.is_set)
        add(p, "the duration is unspecified");
    else
        check_minimum(p, "duration", s->duration.ns);
}

static void check_vus(const struct scenario *s, struct problems *p) {
    if (s->vus.value <= 0)
        add(p, "the number of VUs must be more than 0");
}

static void check_stages(const struct scenario *s, struct problems *p) {
    if (s->stages.len == 0)
        add(p, "at least one stage has to be specified");
    for (size_t i = 0; i < s->stages.len; i++) {
        const struct stage *stage = &s->stages.items[i];
        size_t n = i + 1;
        if (!stage->duration.is_set)
            add(p, "stage %zu doesn't have a duration", n);
        else if (stage->duration.ns < 0)
            add(p, "the duration for stage %zu can't be negative", n);
        if (!stage->target.is_set)
            add(p, "stage %zu doesn't have a target", n);
        else if (stage->target.value < 0)
            add(p, "the target for stage %zu can't be negative", n);
    }
}

static void check_ramping_vus(const struct scenario *s, struct problems *p) {
    if (s->start_vus.value < 0)
        add(p, "the number of start VUs can't be negative");
    if (stages_max_target(s->start_vus.value, &s->stages) <= 0)
        add(p, "either startVUs or one of the stages' target values must be greater than 0");
    check_stages(s, p);
    if (s->start_vus.value > MAX_CONCURRENT_VUS)
        add(p, "the startVUs exceed max limit of %d", MAX_CONCURRENT_VUS);
    for (size_t i = 0; i < s->stages.len; i++)
        if (s->stages.items[i].target.value > MAX_CONCURRENT_VUS)
            add(p, "target for stage %zu exceeds max limit of %d", i + 1, MAX_CONCURRENT_VUS);
}

static void check_rate_vus(struct scenario *s, struct problems *p) {
    if (!s->pre_allocated_vus.is_set)
        add(p, "the number of preAllocatedVUs isn't specified");
    else if (s->pre_allocated_vus.value < 0)
        add(p, "the number of preAllocatedVUs can't be negative");
    if (!s->max_vus.is_set)
        s->max_vus.value = s->pre_allocated_vus.value;
    else if (s->max_vus.value < s->pre_allocated_vus.value)
        add(p, "maxVUs can't be less than preAllocatedVUs");
}

static void check_constant_rate(struct scenario *s, struct problems *p) {
    if (!s->rate.is_set)
        add(p, "the iteration rate isn't specified");
    else if (s->rate.value <= 0)
        add(p, "the iteration rate must be more than 0");
    if (s->time_unit.ns <= 0)
        add(p, "the timeUnit must be more than 0");
    check_duration(s, p);
    check_rate_vus(s, p);
}

static void check_ramping_rate(struct scenario *s, struct problems *p) {
    if (s->start_rate.value < 0)
        add(p, "the startRate value can't be negative");
    if (s->time_unit.ns <= 0)
        add(p, "the timeUnit must be more than 0");
    check_stages(s, p);
    check_rate_vus(s, p);
}

static void check_external(struct scenario *s, struct problems *p) {
    if (s->vus.value < 0)
        add(p, "the number of VUs can't be negative");
    if (!s->max_vus.is_set)
        s->max_vus.value = s->vus.value;
    if (s->max_vus.value < s->vus.value)
        add(p,
            "the number of active VUs (%lld) must be less than or equal to the number of maxVUs "
            "(%lld)",
            (long long)s->vus.value, (long long)s->max_vus.value);
    if (!s->duration.is_set)
        add(p, "the duration must be specified, for infinite duration use 0");
    else if (s->duration.ns < 0)
        add(p, "the duration can't be negative, for infinite duration use 0");
    if (s->graceful_stop.is_set)
        add(p, "gracefulStop is not supported by the externally controlled executor");
}

bool scenario_validate(struct scenario *s, struct buf *out) {
    struct problems p = {out, false};
    check_base(s, &p);
    switch (s->type) {
    case EXECUTOR_SHARED_ITERATIONS:
        check_vus(s, &p);
        if (s->iterations.value < s->vus.value)
            add(&p, "the number of iterations (%lld) can't be less than the number of VUs (%lld)",
                (long long)s->iterations.value, (long long)s->vus.value);
        check_minimum(&p, "maxDuration", s->max_duration.ns);
        break;
    case EXECUTOR_PER_VU_ITERATIONS:
        check_vus(s, &p);
        if (s->iterations.value <= 0)
            add(&p, "the number of iterations must be more than 0");
        check_minimum(&p, "maxDuration", s->max_duration.ns);
        break;
    case EXECUTOR_CONSTANT_VUS:
        check_vus(s, &p);
        check_duration(s, &p);
        break;
    case EXECUTOR_RAMPING_VUS:
        check_ramping_vus(s, &p);
        break;
    case EXECUTOR_CONSTANT_ARRIVAL_RATE:
        check_constant_rate(s, &p);
        break;
    case EXECUTOR_RAMPING_ARRIVAL_RATE:
        check_ramping_rate(s, &p);
        break;
    case EXECUTOR_EXTERNALLY_CONTROLLED:
        check_external(s, &p);
        break;
    case EXECUTOR_COUNT:
        break;
    }
    return !p.has_any;
}
