/* The seconds of merged runs, side by side: the HTML report and the merged run's own file show
 * curves, not only totals. Each file is read by a fiber that waits where its next window is later
 * than what is being put together, so that only one second of all is in memory. */
#pragma once

#include "cli/run_results.h"
#include "report/merge_files.h"

/* Writes what the flags of r ask for: reports and the saved run. The run's totals are in its
 * aggregate, which keeps windows if they are wanted. Yields. 0 or the failure's exit code. */
int merge_curves_write(struct run_results *r, struct run *run, const struct merge_files *files,
                       struct failure *f);
