/* When the iterations of the arrival-rate executors start. Starts are exact: the k-th of
 * constant-arrival-rate is at k·unit/rate, the n-th of ramping-arrival-rate where the integral of
 * the rate reaches n. Several instances (or workers) share one schedule by its indices. Pure
 * functions. */
#pragma once

#include "load/scenario.h"

struct scenario_run;

struct arrivals {
    const struct scenario *scenario;
    const struct execution_tuple *tuple;
    int64_t k;    /* next of our own indices to be given out */
    int64_t step; /* of our own indices, every step-th is given out, beginning with the first k */
    /* ramping: the stage that the last index fell into */
    size_t stage;
    double from_rate; /* iterations per ns at the stage's start */
    double done;      /* iterations up to the stage's start */
    int64_t stage_start_ns;
};

/* Gives out the own indices first, first + step, first + 2·step …; 0 and 1 for all. */
void arrivals_init(struct arrivals *a, const struct scenario *s, const struct execution_tuple *t,
                   int64_t first, int64_t step);
/* The next start, from the scenario's start; false when no more start within its duration. */
bool arrivals_next(struct arrivals *a, int64_t *out_offset_ns);
/* Current rate per second of the whole instance, for the progress bar. */
double arrivals_rate_at(const struct scenario *s, const struct execution_tuple *t,
                        int64_t offset_ns);

/* arrival_rate.c: more VUs than maxVUs may be initialised from now on. Main thread. False when the
 * scenario does not run, or n is less than it has. */
bool arrival_rate_set_max_vus(struct scenario_run *s, int64_t n);
