/* What can be changed from outside while a test lives: it is paused and resumed, and the
 * externally-controlled executor gets more or fewer VUs. Main thread, on a fiber. Each function
 * returns 0 or a code with k6's words. */
#pragma once

#include "load/run.h"

/* Pauses or resumes. Before the start (--paused) resuming starts the test; afterwards only
 * externally-controlled scenarios can be paused: their iterations finish, no other begins, and the
 * test's clock stands still. Yields until that is done. Resuming a test that is not paused does
 * nothing (k6 calls it an error, and so does --compat v0.51). */
int run_set_paused(struct run *run, bool is_paused, struct error *err);
bool run_has_external_control(const struct run *run);
/* Sets the numbers of active and of initialised VUs of the first externally-controlled scenario;
 * NULL = as it is. Missing VUs are initialised first, VUs in excess are interrupted. Yields until
 * that is done. KE_INVALID: the numbers are refused. */
int run_scale(struct run *run, const int64_t *vus, const int64_t *max_vus, struct error *err);
