/* The end of a run: handleSummary(), the printed summary, --summary-export. */
#pragma once

#include "cli/load_test.h"
#include "cli/run_screen.h"

/* Yields. What goes wrong is logged; it never changes the exit code. */
void run_summary(struct run_screen *screen, struct loaded_test *t, struct run *run);
