/* How many VUs a scenario, and the whole test, needs at every moment: the execution plan. It
 * decides how many VUs are initialised up front, the maximum in the run header and the longest
 * possible duration. Also the ramp of ramping-vus, as its executor follows the same steps. Pure
 * functions. */
#pragma once

#include "base/vec.h"
#include "load/scenario.h"

struct vu_step {
    int64_t offset_ns; /* from the executor's (or the test's) start; steps may share an offset */
    int64_t planned;   /* VUs from here on */
    int64_t max_unplanned; /* VUs that may come on top while it runs */
};
typedef VEC(struct vu_step) vu_steps;

/* VUs that ramping-vus wants running, graceful stops not counted. The ramp is computed for the
 * whole test; ours are the VUs of our stripe, so that all instances together give the whole ramp.
 * Ends with 0 at the stages' end. */
void ramp_steps(const struct scenario *s, const struct execution_tuple *t, vu_steps *out);
/* The same with every VU reserved for gracefulRampDown after it was wanted last; ends with 0 after
 * gracefulStop. */
void ramp_reserved_steps(const struct scenario *s, const struct execution_tuple *t, vu_steps *out);

/* Steps of one scenario from its own start, gracefulStop included. */
void scenario_requirements(const struct scenario *s, const struct execution_tuple *t,
                           vu_steps *out);

struct execution_plan {
    vu_steps steps;
    int64_t max_planned_vus;  /* initialised before the test starts */
    int64_t max_possible_vus; /* with unplanned ones */
    int64_t end_offset_ns;    /* longest possible duration */
};
/* Sums up all scenarios of o with their start times. */
void execution_plan_init(struct execution_plan *plan, const struct options *o,
                         const struct execution_tuple *t);
void execution_plan_release(struct execution_plan *plan);
