/* The REST API (v1) of a running test: status, pause, resume, scale, stop, metrics, groups, setup
 * and teardown, as k6 has it.
 *
 *     api = api_start(&config, &err);     before the script is loaded: it may take its time
 *     api_set_run(api, run);              once there is one
 *     api_stop(api);
 *
 * Requests arrive on the HTTP server's thread. What they ask for is looked up and done on a fiber
 * of the main worker, so nothing of a run is locked or shared; /ping and the like are answered at
 * once.
 *
 * Main thread, its worker running. */
#pragma once

#include "base/error.h"

struct api;
struct run;
struct worker;

struct api_config {
    const char *address; /* "localhost:6565" */
    const char *program, *version;
    bool is_profiling; /* --profiling-enabled */
    struct worker *main_worker;
};

/* NULL with *err in Go's words when the address cannot be listened on. */
struct api *api_start(const struct api_config *cfg, struct error *err);
/* From now on requests are for this run. Those made earlier are carried out: a resume, or a stop.
 * NULL = none any more. */
void api_set_run(struct api *api, struct run *run);
struct server_request;
/* Any thread: answers a request of another server as PATCH /v1/status with its body. That server
 * must outlive api_stop, and none may be made after it. */
void api_control(struct api *api, struct server_request *r);
/* Answers what is under way, closes all connections. NULL is fine. Yields. */
void api_stop(struct api *api);
