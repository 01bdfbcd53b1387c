/* The REST API beside a run. */
#pragma once

#include "api/api.h"
#include "cli/flags.h"

struct run_api {
    struct api *api;
    struct error problem;          /* why there is none although nobody turned it off */
    const char *profiling_address; /* NULL: no --profiling-enabled */
};

/* Starts it, unless it is off: 0, or the exit code when an address was asked for that cannot be
 * had (which is logged). */
int run_api_start(struct run_api *a, const struct flags *flags, struct worker *main_worker);
/* The test is loaded. */
void run_api_set_run(struct run_api *a, struct run *run);
/* Yields. */
void run_api_stop(struct run_api *a);
