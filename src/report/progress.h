/* Progress of a run. On a terminal a block of bars is redrawn in place and stays below everything
 * that is logged or printed meanwhile; elsewhere a block of lines is appended each second:
 *
 *     struct progress *p = progress_new(&config);
 *     progress_update(p, &view);   every 100 ms on a terminal, every second elsewhere
 * (progress_period_ns) progress_print(p, text);     the summary, handleSummary()'s stdout: goes
 * above the bars progress_finish(p, &view);   draws the final state once progress_free(p);
 *
 * Main thread, but log records may come from any thread: on a terminal progress_new hooks into the
 * log, progress_finish takes the hook out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct buf;

enum progress_status {
    PROGRESS_RUNNING,
    PROGRESS_WAITING,     /* startTime has not come */
    PROGRESS_STOPPING,    /* graceful stop */
    PROGRESS_INTERRUPTED, /* ended before its end */
    PROGRESS_DONE,
};

#define PROGRESS_RIGHT_MAX 4

/* One bar. right: columns, e.g. "1 VUs", "00m01.0s/10m0s", "1/1 iters, 1 per VU". */
struct progress_bar {
    const char *left; /* scenario name; "Init", "Run" for the test's own bar */
    enum progress_status status;
    double fraction; /* 0..1 */
    const char *right[PROGRESS_RIGHT_MAX];
    size_t n_right;
};

/* The test's own line comes first: headline once the run has started (progress_headline), before
 * that its bar. */
struct progress_view {
    const char *headline; /* NULL: test is drawn */
    struct progress_bar test;
    const struct progress_bar *bars; /* one per scenario; the same number in every call */
    size_t n_bars;
};

struct progress_config {
    int fd;      /* standard output */
    bool is_tty; /* of fd */
    bool no_color;
    bool is_quiet; /* draw nothing; progress_print still prints */
};

struct progress;
struct progress *progress_new(const struct progress_config *cfg);
void progress_free(struct progress *p);
int64_t progress_period_ns(const struct progress *p);
void progress_update(struct progress *p, const struct progress_view *view);
void progress_finish(struct progress *p, const struct progress_view *view);
void progress_print(struct progress *p, struct slice text);

/* "running (00m01.0s), 00/10 VUs, 5 complete and 0 interrupted iterations". */
struct progress_stats {
    bool is_paused;
    bool has_started; /* elapsed time is shown */
    int64_t elapsed_ns;
    int64_t max_duration_ns; /* of the whole run, for the width */
    uint64_t vus_active, vus_initialized, vus_max_possible;
    uint64_t iterations_complete, iterations_interrupted;
};
void progress_headline(struct buf *out, const struct progress_stats *s);

/* How a block is drawn, for tests. bar_width is kept from one drawing to the next: it starts at
 * PROGRESS_BAR_MAX and shrinks or grows to fit term_width. Without is_tty bars are percentages. */
#define PROGRESS_BAR_MAX 40
struct progress_layout {
    bool is_tty, color;
    bool go_back; /* leave the cursor at the top of the block */
    int term_width;
    int bar_width;
};
void progress_render(struct buf *out, const struct progress_view *view,
                     struct progress_layout *layout);
