/* What is made of a run's curves and totals beside outputs and summary: the web dashboard with its
 * export and recording, reports (--report), the saved run (--save). All off: nothing is done, and
 * nothing is recorded for it.
 *
 *     run_results_init(&r, t, flags, &failure);        what is asked for
 *     run_results_add_dashboard(&r, query, &err);      once per way of asking for it
 *     run_results_prepare_shard(&r, shard);
 *     run_results_start(&r, run, api, &err);
 *     run_results_collected(&r);                       after each merge of the shards
 *     run_results_stop(&r, &failure);                  thresholds have their final values
 *     run_results_close(&r);                           before the REST API is stopped
 *     run_results_release(&r);                         after it
 *
 * Main thread. */
#pragma once

#include "api/api.h"
#include "api/dashboard.h"
#include "cli/dashboard_options.h"
#include "cli/follow.h"
#include "cli/load_test.h"
#include "load/run.h"
#include "output/file_writer.h"
#include "report/recorder.h"

struct result_writer;

struct run_results {
    struct loaded_test *t;
    struct run *run;
    bool has_dashboard; /* asked for */
    struct dashboard_options options;
    const char *html_path, *junit_path, *markdown_path, *save_path; /* NULL = not wanted */
    char *report_text, *save_text;                                  /* hold the paths */
    struct event_log *events;
    struct recorder *recorder;
    struct dashboard *dashboard;
    struct follow follow;
    char *follow_text; /* --follow; NULL = nobody */
    char *self;        /* what says so in windows that are given to followers */
    struct api *api;   /* others may follow; NULL = there is none */
    struct result_writer *writer;
    struct file_writer record; /* events, a line each */
    bool is_recording;
    const char **scenarios;
    char *token;
    /* Of a run that is over (kiln merge): when it began, 0 = now; what names its script, NULL = to
     * be computed. */
    int64_t start_ns;
    const char *digest;
    int64_t last_ns; /* of the last look at the windows */
    int64_t checkpoint_ns;
};

extern const struct flag_def result_flag_defs[];

/* Reads --report, --save and --follow. 0 or the failure's exit code. */
int run_results_init(struct run_results *r, struct loaded_test *t, const struct flags *flags,
                     struct failure *f);
/* query: "port=5666&…" or "". KE_CONFIG. */
int run_results_add_dashboard(struct run_results *r, struct slice query, struct error *err);
void run_results_prepare_shard(struct run_results *r, struct shard *s);
/* api may be NULL. KE_* when the dashboard cannot listen on an address that was asked for, or a
 * file cannot be written. */
int run_results_start(struct run_results *r, struct run *run, struct api *api, struct error *err);
/* NULL when there is none. */
const char *run_results_dashboard_url(const struct run_results *r);
void run_results_collected(struct run_results *r);
/* Curves are wanted by what was asked for. */
bool run_results_want_windows(const struct run_results *r);
/* The same for a run that is over: what the aggregate's windows hold happened until now_ns. After
 * the last one, run_results_stop uses that time as well. */
void run_results_replay(struct run_results *r, int64_t now_ns, int64_t elapsed_ns, bool is_last);
/* Writes everything that was asked for; logs what cannot be. f: why the run failed, if it did. */
void run_results_stop(struct run_results *r, const struct failure *f);
void run_results_close(struct run_results *r);
void run_results_release(struct run_results *r);
