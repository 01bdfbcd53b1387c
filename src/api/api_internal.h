/* Shared by the files that answer requests. Not for other layers. */
#pragma once

#include "api/api.h"
#include "api/http_server.h"
#include "base/json_write.h"
#include "base/list.h"
#include "fiber/worker.h"
#include "load/run.h"

#define API_JSON "application/json; charset=utf-8"
#define API_TEXT "text/plain; charset=utf-8"

struct api_call;

/* For about so many seconds of a follower's silence. */
#define API_WINDOWS 32

struct api_window {
    uint64_t number;
    char *bytes;
    size_t len;
};

/* Main thread. */
struct api_windows {
    struct api_window ring[API_WINDOWS]; /* by number */
    uint64_t last;                       /* number, from 1 */
    int64_t wanted_until_ns;
};

struct api {
    struct api_config config;
    struct http_server *server;
    struct run *run;             /* main thread; NULL: not yet, or not any more */
    struct list calls;           /* main thread: those under way */
    bool is_resumed, is_stopped; /* asked for before there was a run */
    struct fiber *stopper;
    struct api_windows windows;
    _Atomic bool is_closing;
    _Atomic int n_pending; /* calls that the main thread has to answer */
};

/* A request on its way to the main thread and back. */
struct api_call {
    struct worker_msg msg;
    struct list link;
    struct api *api;
    struct server_request *request;
    void (*answer)(struct api_call *call);
    const char *id; /* behind the route's path: "/v1/metrics/ID" */
    struct vu *vu;  /* that runs setup() or teardown() for it */
};

/* Each call is answered once, by one of these. */
void api_answer(struct api_call *call, int status, const char *content_type, struct buf *body);
/* k6's form of an error. */
void api_answer_error(struct api_call *call, int status, const char *title, const char *detail);
void api_write_error(struct buf *out, int status, const char *title, const char *detail);

/* On fibers of the main thread; they may yield. */
void api_get_status(struct api_call *call);
void api_patch_status(struct api_call *call);
void api_get_metrics(struct api_call *call);
void api_get_metric(struct api_call *call);
void api_get_groups(struct api_call *call);
void api_get_group(struct api_call *call);
void api_get_setup(struct api_call *call);
void api_put_setup(struct api_call *call);
void api_post_setup(struct api_call *call);
void api_post_teardown(struct api_call *call);
void api_get_windows(struct api_call *call);
void api_windows_release(struct api_windows *w);

/* Stops the run: exit code 103. */
void api_stop_run(struct run *run);

/* Any thread: Prometheus' text form of what the process uses. */
void api_write_process_metrics(struct buf *out, const char *version);
/* Any thread: expvar's form. */
void api_write_process_vars(struct buf *out);

/* Appends JSON text (valid) as Go's encoding/json compacts raw messages: no white space, <, > and &
 * escaped. */
void api_write_compact(struct buf *out, struct slice json);
