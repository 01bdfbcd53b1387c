/* --follow URL,…: the web dashboard of this instance shows those others as well. Every half second
 * a thread each asks another instance's REST API for its latest windows (api/windows.h); at a tick
 * they are added, with this instance's own, to an aggregate that only the dashboard reads. Sums and
 * histograms are added, so that percentiles are those of all.
 *
 *     follow_start(&f, urls, &err);
 *     follow_tick(&f, own, &state);       before the windows of own are reset
 *     … f.all …                            what the dashboard is to show
 *     follow_reset(&f);
 *     follow_stop(&f);
 *
 * Main thread. */
#pragma once

#include "base/map.h"
#include "base/vec.h"
#include "load/test.h"
#include "metrics/aggregate.h"
#include "report/recorder.h"

struct followed;

struct follow {
    struct aggregate *all;
    const char *self;
    VEC(struct followed *) others;
    struct map checks; /* source, group, name -> what was added so far */
};

/* patterns: with commas, letters as in save_path.h. self: the description (META) of this instance's
 * own windows, which are not counted twice; must live as long as *f. KE_INVALID. */
int follow_start(struct follow *f, const char *patterns, const struct test *t, const char *self,
                 struct error *err);
/* Adds what came since the last tick, and to *state the others' VUs and iterations. */
void follow_tick(struct follow *f, const struct aggregate *own, struct recorder_state *state);
void follow_reset(struct follow *f);
void follow_stop(struct follow *f);
