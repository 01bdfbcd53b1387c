/* The parts of run_results that end in files of their own: --report and --save. */
#pragma once

#include "cli/run_results.h"

/* Opens the file of --save. KE_IO. */
int run_report_start_saving(struct run_results *r, struct error *err);
void run_report_save_window(struct run_results *r, int64_t from_ns, int64_t to_ns);
/* JUnit, Markdown, the saved run. */
void run_report_write(struct run_results *r, const struct failure *f);
