/* What a run shows on standard output: banner, header, progress, end-of-test summary. */
#pragma once

#include "load/run.h"
#include "load/test.h"
#include "output/output.h"
#include "report/progress.h"
#include "report/summary.h"

struct run_screen {
    struct progress *progress;
    struct run *run;
    int64_t next_draw_ns;
    bool is_tty, is_stderr_tty, no_color, is_quiet;
    const char *dashboard_url;     /* shown in the header; NULL = none */
    const char *profiling_address; /* shown in the header; NULL = off */
};

void run_screen_init(struct run_screen *s, bool no_color, bool is_quiet);
void run_screen_banner(const struct run_screen *s);
void run_screen_header(const struct run_screen *s, const struct test *t,
                       const struct outputs *outputs);
/* There is a run to show from now on. */
void run_screen_start(struct run_screen *s, struct run *run);
/* Draws the bars when it is time to; called every 100 ms. */
void run_screen_tick(struct run_screen *s);
/* Prints above the bars. */
void run_screen_print(struct run_screen *s, struct slice text);
/* The last state of the bars. */
void run_screen_finish(struct run_screen *s);
void run_screen_release(struct run_screen *s);
