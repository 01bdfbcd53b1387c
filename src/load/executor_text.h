/* The texts right of a scenario's progress bar, in k6's widths. */
#pragma once

#include "load/executor.h"

/* Digits of the largest value, for %0*lld. */
int executor_digits(int64_t max);
/* Time since the scenario's start. */
int64_t executor_spent_ns(const struct scenario_run *s);
/* spent/regular, at most 1. */
double executor_time_progress(const struct scenario_run *s);
/* "01.0s/10s" while the regular time lasts, "10s" afterwards. */
const char *executor_time_text(const struct scenario_run *s, struct arena *a);
