/* The curves of a run, for the web dashboard and the HTML report: a sequence of events, each with a
 * name and a JSON value, in the form that k6's dashboard gives them.
 *
 *     r = recorder_new(&config);            param and start are given at once
 *     recorder_add(r, aggregate);           before each reset of the aggregate's windows
 *     recorder_tick(r, aggregate, &state);  after it: gives what is due
 *     recorder_stop(r, aggregate, &state);
 *
 * k6's events: "param", "metric" (new names), "start", "snapshot" (one period), "cumulative" (since
 * the start), "threshold" (those that fail), "stop". Snapshots are arrays in order of metric names,
 * an array of aggregates each; empty = no samples. Ours: "status", "checks", "thresholds".
 *
 * Main thread only. */
#pragma once

#include "metrics/aggregate.h"
#include "metrics/threshold.h"

struct recorder;

/* Metrics and tag values beyond it have no curves: a page could not show them, and what is kept for
 * late viewers stays within some tens of megabytes. */
#define RECORDER_NAMES_MAX 1000u

struct recorder_config {
    const char *script, *program; /* "kiln 0.1" */
    const char *test_id;          /* NULL = none */
    const char *const *scenarios;
    size_t n_scenarios;
    int64_t end_offset_ns; /* longest possible duration; 0 = not known */
    int64_t period_ns;
    const struct slice *tags; /* whose values are told apart */
    size_t n_tags;
    const struct threshold_set *thresholds; /* may be NULL */
    bool can_control;                       /* the page may pause, resume, scale and stop */
    /* is_latest: only the newest one of the name is of interest. */
    void (*give)(void *arg, const char *event, struct slice json, bool is_latest);
    void *arg;
};

struct recorder_state {
    int64_t now_ns, elapsed_ns; /* elapsed: pauses left out */
    const char *state; /* "starting", "setup", "running", "paused", "teardown", "ended" … */
    int64_t vus, vus_max;
    int64_t iterations, interrupted;
    double progress; /* 0..1 */
    bool is_paused;
    bool can_pause, can_scale; /* as things are */
};

/* What config points to must live as long as it. */
struct recorder *recorder_new(const struct recorder_config *config, int64_t now_ns);
void recorder_free(struct recorder *r);
/* Takes the aggregate's windows in. */
void recorder_add(struct recorder *r, const struct aggregate *a);
void recorder_tick(struct recorder *r, const struct aggregate *a,
                   const struct recorder_state *state);
/* The last, shorter period, the final values, and "stop". verdict: why the run failed, NULL = it
 * did not. */
void recorder_stop(struct recorder *r, const struct aggregate *a,
                   const struct recorder_state *state, const char *verdict);

/* The period by k6's rule when one is asked for (wanted_ns > 0; at most 2880 points), else 1 s for
 * tests of up to 20 minutes and at most 1200 points for longer ones. A wanted period of which a
 * known, short test has fewer than three gives way to 1 s. */
int64_t recorder_period_ns(int64_t wanted_ns, int64_t end_offset_ns, int64_t known_duration_ns);
