/* What can be changed from outside while a test lives: it is paused and resumed, and gets more or
 * fewer VUs. Main thread, on a fiber. Each function returns 0 or a code with words for the user. */
#pragma once

#include "load/run.h"

/* Pauses or resumes. Before the start (--paused) resuming starts the test. Afterwards no iteration
 * begins while it is paused, running ones finish, and the test's clock stands still: schedules,
 * durations and rates go on as if nothing had been. Yields until externally-controlled scenarios
 * have no iteration left. Resuming a test that is not paused does nothing (k6 calls it an error,
 * and so does --compat v0.51, which can pause externally-controlled scenarios only). */
int run_set_paused(struct run *run, bool is_paused, struct error *err);
/* Some scenario can be scaled: an externally-controlled one or one that runs and can. */
bool run_can_scale(const struct run *run);
/* Sets the numbers of active and of initialised VUs of the first externally-controlled scenario;
 * NULL = as it is. Missing VUs are initialised first, VUs in excess are interrupted. Without such a
 * scenario: constant-vus and shared-iterations take vus, and those in excess finish their
 * iteration; arrival rates take max_vus, which can only grow. Yields until that is done.
 * KE_INVALID: the numbers are refused. */
int run_scale(struct run *run, const int64_t *vus, const int64_t *max_vus, struct error *err);
