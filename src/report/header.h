/* What `run` prints before a test starts: the banner and the description of the run. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct header_scenario {
    const char *name;
    const char *description; /* "2 looping VUs for 5s (gracefulStop: 30s)" */
};

struct run_header {
    const char *execution;      /* "local", "cloud" */
    const char *script;         /* as given on the command line */
    const char *dashboard_url;  /* NULL without the web dashboard */
    const char *const *outputs; /* descriptions of the other outputs */
    size_t n_outputs;
    const char *profiling_address; /* NULL when off */
    double segment_fraction;       /* length of the execution segment, 1 = all */
    uint64_t max_vus;
    int64_t max_duration_ns; /* graceful stops included */
    const struct header_scenario *scenarios;
    size_t n_scenarios;
};

/* color: standard output is a terminal and colours are not off. */
void header_write_banner(struct buf *out, bool color);
void header_write(struct buf *out, const struct run_header *h, bool color);
