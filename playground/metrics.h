/* What the playground counts of itself, and its text for Prometheus at /metrics. Names, labels and
 * buckets are QuickPizza's; its twins *_native, which have no buckets in this text form, are there
 * too. Counting takes no lock. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "catalog.h"

struct metrics;
struct request;

/* The catalog must outlive it. */
struct metrics *metrics_new(const struct catalog *catalog);
/* NULL is allowed. */
void metrics_free(struct metrics *m);

/* Counts an answered request: its method, its route's pattern, its status and its duration. Routes
 * with ROUTE_NO_METRICS are not counted. */
void metrics_request(struct metrics *m, const struct request *r);

/* Counts a recommendation. */
struct recommendation;
void metrics_pizza(struct metrics *m, const struct recommendation *found);

/* The WebSocket's: a connection opened, and closed after a time; a message dealt with in a time. */
void metrics_ws_opened(struct metrics *m);
void metrics_ws_closed(struct metrics *m, int64_t duration_ns);
void metrics_ws_message(struct metrics *m, int64_t duration_ns);

/* Appends it all, with the process's own CPU time, memory and files. */
void metrics_write(struct metrics *m, struct buf *out);

/* The metrics of this process: process_*. */
void metrics_write_process(struct buf *out);
