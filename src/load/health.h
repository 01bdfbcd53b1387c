/* Does this machine hold the load? A look before the run (descriptors, local ports), and
 * measurements while it runs: how much of its time each worker thread computes, and how late its
 * loop is to look at its mail, once a second when the shards are collected. Whoever measures with
 * an overloaded generator measures the generator. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct execution_plan;

/* Appends a line for each limit of this machine that the load may run into. n_addresses: source
 * addresses that connections are spread over, at least 1. Main thread. */
void health_preflight(const struct execution_plan *plan, int64_t n_addresses, struct buf *out);

/* Of one worker; its own thread writes while it lives. */
struct worker_health {
    int64_t last_ns, last_busy_ns; /* of the last look; 0 = none */
    int64_t max_lag_ns;
    int64_t n_seconds, n_late, n_busy; /* looks; those with a late loop, those with no time left */
    int64_t busy_ns, wall_ns;
};

/* On the worker's thread: mail that was posted at that time is being handled. */
void worker_health_look(struct worker_health *h, int64_t posted_ns);

/* Of all workers after the run. */
struct health {
    double full_share, late_share; /* of the seconds, of the worst worker: 0..1 */
    double busy_share;             /* of its time, of the busiest worker */
    int64_t max_lag_ns;
    int64_t n_seconds;
};

void health_add(struct health *sum, const struct worker_health *h);
/* True when the generator itself was at its limit. */
bool health_is_bad(const struct health *h);
