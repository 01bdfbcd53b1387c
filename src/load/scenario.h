/* A scenario's configuration: which executor runs which function with how many VUs for how long.
 * One struct holds the fields of all executors; an executor's table row says which of them it has
 * (JSON names, order, defaults). */
#pragma once

#include "load/options.h"

enum executor_type {
    EXECUTOR_SHARED_ITERATIONS,
    EXECUTOR_PER_VU_ITERATIONS,
    EXECUTOR_CONSTANT_VUS,
    EXECUTOR_RAMPING_VUS,
    EXECUTOR_CONSTANT_ARRIVAL_RATE,
    EXECUTOR_RAMPING_ARRIVAL_RATE,
    EXECUTOR_EXTERNALLY_CONTROLLED, /* k6 has it up to v1 */
    EXECUTOR_COUNT
};

struct scenario {
    const char *name;
    enum executor_type type;
    struct opt_duration start_time, graceful_stop;
    struct opt_map env, tags;
    struct opt_text exec;
    struct opt_text options;  /* JSON text of `options` */
    const char *browser_type; /* options.browser.type or NULL */
    struct opt_int vus, iterations, rate, start_rate, start_vus, pre_allocated_vus, max_vus;
    struct opt_duration duration, max_duration, time_unit, graceful_ramp_down;
    struct opt_stages stages;
};

/* "constant-vus" …; the type's name as options spell it. */
const char *executor_type_name(enum executor_type t);
/* False when unknown. */
bool executor_type_parse(struct slice name, enum executor_type *out);

/* Defaults of the type; nothing set. */
void scenario_init(struct scenario *s, const char *name, enum executor_type type);
/* The exported function it runs. */
const char *scenario_exec(const struct scenario *s);

/* Fields that only some executors have, in the order in which k6 writes them. */
enum scenario_field_kind { FIELD_INT, FIELD_DURATION, FIELD_STAGES };
struct scenario_field {
    const char *key;
    enum scenario_field_kind kind;
    size_t offset; /* in struct scenario */
};
/* Terminated by key NULL. */
const struct scenario_field *scenario_fields(enum executor_type t);

/* Appends the problems, joined by ", ", to *out; true when there is none. Fills in maxVUs from
 * preAllocatedVUs. */
bool scenario_validate(struct scenario *s, struct buf *out);

/* What the run header says: "2 looping VUs for 3s (gracefulStop: 30s)". */
void scenario_describe(const struct scenario *s, const struct execution_tuple *t, struct buf *out);

/* Sum of the stages' durations. */
int64_t stages_duration_ns(const struct opt_stages *stages);
/* Largest of start and all targets. */
int64_t stages_max_target(int64_t start, const struct opt_stages *stages);
/* How long the executor starts iterations: duration, maxDuration, or the stages' sum. */
int64_t scenario_regular_duration_ns(const struct scenario *s);
/* Our share of VUs, iterations and maximum VUs. */
int64_t scenario_vus(const struct scenario *s, const struct execution_tuple *t);
int64_t scenario_iterations(const struct scenario *s, const struct execution_tuple *t);
int64_t scenario_max_vus(const struct scenario *s, const struct execution_tuple *t);
bool scenario_has_work(const struct scenario *s, const struct execution_tuple *t);

/* Sorts by (startTime, name): the order of the header, the progress bars and of VU requirements. */
void scenarios_sort(const struct scenario **items, size_t len);
