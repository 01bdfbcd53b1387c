/* The externally-controlled executor as its user sees it (load/control.h). Not for other layers.
 * Main thread; the functions that change something yield until the executor has done it. */
#pragma once

#include "load/executor.h"

/* Between its startTime and its end. */
bool external_is_running(const struct scenario_run *s);
int external_set_paused(struct scenario_run *s, bool is_paused, struct error *err);
/* NULL = as it is. Before the executor's start the numbers are noted. */
int external_scale(struct scenario_run *s, const int64_t *vus, const int64_t *max_vus,
                   struct error *err);
