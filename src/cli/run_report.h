/* The parts of run_results that end in files of their own: --report and --save. */
#pragma once

#include "cli/run_results.h"

/* Wall clock; now when it has not started. */
int64_t run_report_start_wall_ns(const struct run *run);
/* Opens the file of --save. KE_IO. */
int run_report_start_saving(struct run_results *r, struct error *err);
void run_report_save_window(struct run_results *r, int64_t from_ns, int64_t to_ns);
/* The result as JSON, also in the middle of a run. */
void run_report_write_outcome(const struct run_results *r, const struct failure *f,
                              struct buf *out);
/* The file gets its name. Logs what goes wrong. */
void run_report_finish_saving(struct run_results *r, const struct failure *f);
/* JUnit, Markdown, the saved run. */
void run_report_write(struct run_results *r, const struct failure *f);
