#include "load/scenario.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/duration.h"

#define INT(name, member) \
    { name, FIELD_INT, offsetof(struct scenario, member) }
#define DURATION(name, member) \
    { name, FIELD_DURATION, offsetof(struct scenario, member) }
#define STAGES \
    { "stages", FIELD_STAGES, offsetof(struct scenario, stages) }
#define END \
    { NULL, FIELD_INT, 0 }

static const struct scenario_field iteration_fields[] = {
    INT("vus", vus), INT("iterations", iterations), DURATION("maxDuration", max_duration), END};
static const struct scenario_field constant_vus_fields[] = {INT("vus", vus),
                                                            DURATION("duration", duration), END};
static const struct scenario_field ramping_vus_fields[] = {
    INT("startVUs", start_vus), STAGES, DURATION("gracefulRampDown", graceful_ramp_down), END};
static const struct scenario_field constant_rate_fields[] = {
    INT("rate", rate),
    DURATION("timeUnit", time_unit),
    DURATION("duration", duration),
    INT("preAllocatedVUs", pre_allocated_vus),
    INT("maxVUs", max_vus),
    END};
static const struct scenario_field ramping_rate_fields[] = {
    INT("startRate", start_rate),
    DURATION("timeUnit", time_unit),
    STAGES,
    INT("preAllocatedVUs", pre_allocated_vus),
    INT("maxVUs", max_vus),
    END};
static const struct scenario_field external_fields[] = {
    INT("vus", vus), DURATION("duration", duration), INT("maxVUs", max_vus), END};

static const struct {
    const char *name;
    const struct scenario_field *fields;
} executors[EXECUTOR_COUNT] = {
    [EXECUTOR_SHARED_ITERATIONS] = {"shared-iterations", iteration_fields},
    [EXECUTOR_PER_VU_ITERATIONS] = {"per-vu-iterations", iteration_fields},
    [EXECUTOR_CONSTANT_VUS] = {"constant-vus", constant_vus_fields},
    [EXECUTOR_RAMPING_VUS] = {"ramping-vus", ramping_vus_fields},
    [EXECUTOR_CONSTANT_ARRIVAL_RATE] = {"constant-arrival-rate", constant_rate_fields},
    [EXECUTOR_RAMPING_ARRIVAL_RATE] = {"ramping-arrival-rate", ramping_rate_fields},
    [EXECUTOR_EXTERNALLY_CONTROLLED] = {"externally-controlled", external_fields},
};

const char *executor_type_name(enum executor_type t) {
    return executors[t].name;
}

bool executor_type_parse(struct slice name, enum executor_type *out) {
    for (int i = 0; i < EXECUTOR_COUNT; i++) {
        if (slice_eq(name, slice_cstr(executors[i].name))) {
            *out = (enum executor_type)i;
            return true;
        }
    }
    return false;
}

const struct scenario_field *scenario_fields(enum executor_type t) {
    return executors[t].fields;
}

void scenario_init(struct scenario *s, const char *name, enum executor_type type) {
    bool loops = type != EXECUTOR_EXTERNALLY_CONTROLLED;
    *s = (struct scenario){.name = name, .type = type};
    s->exec.value = s->options.value = "";
    s->graceful_stop.ns = loops ? 30 * NS_PER_S : 0;
    s->vus.value = loops;
    s->start_vus.value = 1;
    s->iterations.value = 1;
    s->max_duration.ns = 600 * NS_PER_S;
    s->graceful_ramp_down.ns = 30 * NS_PER_S;
    s->time_unit.ns = NS_PER_S;
}

const char *scenario_exec(const struct scenario *s) {
    return *s->exec.value ? s->exec.value : "default";
}

int64_t stages_duration_ns(const struct opt_stages *stages) {
    int64_t sum = 0;
    for (size_t i = 0; i < stages->len; i++)
        if (__builtin_add_overflow(sum, stages->items[i].duration.ns, &sum))
            return INT64_MAX / 4;
    return sum;
}

int64_t stages_max_target(int64_t start, const struct opt_stages *stages) {
    for (size_t i = 0; i < stages->len; i++)
        if (stages->items[i].target.value > start)
            start = stages->items[i].target.value;
    return start;
}

int64_t scenario_regular_duration_ns(const struct scenario *s) {
    switch (s->type) {
    case EXECUTOR_SHARED_ITERATIONS:
    case EXECUTOR_PER_VU_ITERATIONS:
        return s->max_duration.ns;
    case EXECUTOR_RAMPING_VUS:
    case EXECUTOR_RAMPING_ARRIVAL_RATE:
        return stages_duration_ns(&s->stages);
    default:
        return s->duration.ns;
    }
}

int64_t scenario_vus(const struct scenario *s, const struct execution_tuple *t) {
    switch (s->type) {
    case EXECUTOR_RAMPING_VUS:
        return execution_scale(t, stages_max_target(s->start_vus.value, &s->stages));
    case EXECUTOR_CONSTANT_ARRIVAL_RATE:
    case EXECUTOR_RAMPING_ARRIVAL_RATE:
        return execution_scale(t, s->pre_allocated_vus.value);
    default:
        return execution_scale(t, s->vus.value);
    }
}

int64_t scenario_iterations(const struct scenario *s, const struct execution_tuple *t) {
    if (s->type != EXECUTOR_SHARED_ITERATIONS)
        return s->iterations.value;
    struct arena a;
    struct execution_tuple by_vus;
    int64_t result = 0;
    arena_init(&a);
    if (execution_tuple_from_value(&a, t, s->vus.value, &by_vus) == 0)
        result = execution_scale(&by_vus, s->iterations.value);
    arena_release(&a);
    return result;
}

int64_t scenario_max_vus(const struct scenario *s, const struct execution_tuple *t) {
    switch (s->type) {
    case EXECUTOR_CONSTANT_ARRIVAL_RATE:
    case EXECUTOR_RAMPING_ARRIVAL_RATE:
        return execution_scale(t, s->max_vus.value);
    case EXECUTOR_EXTERNALLY_CONTROLLED:
        return execution_scale(t, s->max_vus.value);
    default:
        return scenario_vus(s, t);
    }
}

bool scenario_has_work(const struct scenario *s, const struct execution_tuple *t) {
    switch (s->type) {
    case EXECUTOR_SHARED_ITERATIONS:
    case EXECUTOR_PER_VU_ITERATIONS:
        return scenario_vus(s, t) > 0 && scenario_iterations(s, t) > 0;
    case EXECUTOR_EXTERNALLY_CONTROLLED:
        return true; /* VUs may come later */
    default:
        return scenario_max_vus(s, t) > 0;
    }
}

static void describe_facts(const struct scenario *s, struct buf *out, const char *fact) {
    char text[DURATION_TEXT_MAX];
    const char *separator = " (";
    if (fact != NULL) {
        buf_printf(out, "%s%s", separator, fact);
        separator = ", ";
    }
    if (s->exec.is_set) {
        buf_printf(out, "%sexec: %s", separator, s->exec.value);
        separator = ", ";
    }
    if (s->start_time.ns > 0) {
        buf_printf(out, "%sstartTime: %s", separator, duration_format(s->start_time.ns, text));
        separator = ", ";
    }
    if (s->graceful_stop.ns > 0) {
        buf_printf(out, "%sgracefulStop: %s", separator,
                   duration_format(s->graceful_stop.ns, text));
        separator = ", ";
    }
    if (separator[0] == ',')
        buf_append_char(out, ')');
}

static void describe_arrival_rate(const struct scenario *s, const struct execution_tuple *t,
                                  struct buf *out) {
    char text[DURATION_TEXT_MAX], fact[64];
    int64_t pre = execution_scale(t, s->pre_allocated_vus.value), max = scenario_max_vus(s, t);
    double per_second = (double)NS_PER_S / (double)s->time_unit.ns;
    duration_format(scenario_regular_duration_ns(s), text);
    snprintf(fact, sizeof fact, max > pre ? "maxVUs: %lld-%lld" : "maxVUs: %lld", (long long)pre,
             (long long)max);
    if (s->type == EXECUTOR_CONSTANT_ARRIVAL_RATE) {
        double share = s->max_vus.value ? (double)max / (double)s->max_vus.value : 0;
        buf_printf(out, "%.2f iterations/s for %s", (double)s->rate.value * share * per_second,
                   text);
    } else {
        double rate = (double)stages_max_target(s->start_rate.value, &s->stages);
        buf_printf(out, "Up to %.2f iterations/s for %s over %zu stages",
                   execution_scale_rate(t, rate) * per_second, text, s->stages.len);
    }
    describe_facts(s, out, fact);
}

void scenario_describe(const struct scenario *s, const struct execution_tuple *t, struct buf *out) {
    char text[DURATION_TEXT_MAX], fact[64];
    long long vus = scenario_vus(s, t);
    duration_format(scenario_regular_duration_ns(s), text);
    switch (s->type) {
    case EXECUTOR_SHARED_ITERATIONS:
    case EXECUTOR_PER_VU_ITERATIONS:
        buf_printf(out,
                   s->type == EXECUTOR_SHARED_ITERATIONS ? "%lld iterations shared among %lld VUs"
                                                         : "%lld iterations for each of %lld VUs",
                   (long long)scenario_iterations(s, t), vus);
        snprintf(fact, sizeof fact, "maxDuration: %s", text);
        describe_facts(s, out, fact);
        break;
    case EXECUTOR_CONSTANT_VUS:
        buf_printf(out, "%lld looping VUs for %s", vus, text);
        describe_facts(s, out, NULL);
        break;
    case EXECUTOR_RAMPING_VUS:
        buf_printf(out, "Up to %lld looping VUs for %s over %zu stages", vus, text, s->stages.len);
        duration_format(s->graceful_ramp_down.ns, text);
        snprintf(fact, sizeof fact, "gracefulRampDown: %s", text);
        describe_facts(s, out, fact);
        break;
    case EXECUTOR_EXTERNALLY_CONTROLLED:
        buf_printf(out, "Externally controlled execution with %lld VUs, %lld max VUs",
                   (long long)s->vus.value, (long long)s->max_vus.value);
        if (s->duration.ns != 0)
            buf_printf(out, ", %s duration", text);
        else
            buf_append_str(out, ", infinite duration");
        break;
    default:
        describe_arrival_rate(s, t, out);
    }
}

static int by_start_and_name(const void *left, const void *right) {
    const struct scenario *a = *(const struct scenario *const *)left;
    const struct scenario *b = *(const struct scenario *const *)right;
    if (a->start_time.ns != b->start_time.ns)
        return a->start_time.ns < b->start_time.ns ? -1 : 1;
    return strcmp(a->name, b->name);
}

void scenarios_sort(const struct scenario **items, size_t len) {
    if (len > 1)
        qsort(items, len, sizeof *items, by_start_and_name);
}
