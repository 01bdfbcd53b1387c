/* A virtual user: a QuickJS runtime on a fiber of its own, with an event loop, an HTTP client, a
 * cookie jar and its tags. Everything here runs on the VU's worker; functions marked "yields" must
 * be called on the VU's own fiber (the one that called vu_new), since JavaScript runs on the
 * caller's stack.
 *
 * The load layer owns VUs: it starts a fiber per VU, calls vu_new on it, then vu_iterate as often
 * as its executor wants. The VU records iterations, iteration_duration, data_sent/received and all
 * module metrics by itself. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "fiber/worker.h"
#include "http/http_client.h"
#include "js/script.h"
#include "metrics/aggregate.h"
#include "metrics/shard.h"

struct vu;

/* State of the whole run that k6/execution shows and changes; one per process, owned by load. */
struct instance_info {
    _Atomic int64_t vus_active, vus_initialized;
    _Atomic int64_t iterations_completed, iterations_interrupted;
    _Atomic int64_t iterations_threw; /* of the completed ones */
    _Atomic int64_t start_ns;         /* monotonic; 0 = not started */
    /* exec.test.abort(reason): any thread, returns at once; the caller's VU is then interrupted. */
    void (*abort_test)(void *arg, const char *reason);
    /* exec.test.fail(reason), failed asserts. */
    void (*fail_test)(void *arg, const char *reason);
    void *arg;
};

/* A scenario as a VU sees it; owned by load, one per scenario. */
struct scenario_info {
    const char *name, *executor, *exec;                /* exec: exported function to call */
    _Atomic int64_t start_wall_ns;                     /* scenario start */
    double (*progress)(const struct scenario_info *s); /* 0..1, any thread */
    const struct map *env;                             /* over __ENV; may be NULL */
    const struct map *tags;                            /* over run tags; may be NULL */
    const char *browser_type;                          /* options.browser.type or NULL */
};

/* What every VU of a run shares, read-only. */
struct vu_config {
    struct script *script;
    struct instance_info *instance;
    struct http_client_config http;
    const struct map *run_tags;
    const char *options_json; /* consolidated options, for exec.test.options; NULL during VU 0 */
    const char
        *derived_options_json; /* written back over the script's exported `options`; NULL = leave */
    uint32_t system_tags;      /* bits of metrics/tags.h */
    int64_t http_timeout_ns;   /* 60 s */
    int max_redirects;
    bool max_redirects_is_default; /* nobody chose it: k6 warns when it is reached */
    int batch, batch_per_host;
    double rps; /* 0 = off; process-wide limiter */
    bool throw_errors;
    bool discard_response_bodies;
    bool no_cookies_reset;
    bool no_vu_connection_reuse;
    struct metric *http_corrected; /* http_req_duration_corrected; NULL = not asked for */
    const char *http_debug;        /* NULL, "headers", "full" */
    size_t gc_threshold_bytes;     /* 0 = chosen by the VU; 1 collects all the time (tests) */
};

struct vu_params {
    const struct vu_config *config;
    struct shard *shard; /* of this worker; NULL: metrics are dropped (VU 0, handleSummary) */
    int64_t id;          /* in instance, 1..n; 0 for init and setup/teardown/handleSummary */
    int64_t id_global;   /* in test */
    struct sockaddr_storage local_ip;
};

/* Creates the runtime on the running fiber and runs the script's init code. Yields. NULL with *err:
 * KE_JS: an exception of the init code (k6 logs it with hint="script exception"; the text has the
 * stack); KE_INVALID: the script or a module cannot be loaded or parsed (k6 puts "could not
 * initialize 'X': could not load JS test 'URL': " before it); KE_FAILED: another error (an
 * unhandled rejection, options that are no JSON: no hint); KE_CANCELED: interrupted, or
 * exec.test.abort(). */
struct vu *vu_new(const struct vu_params *params, struct error *err);
/* The words of the last error that vu_new, vu_call or vu_call_summary gave on this thread, in full
 * (err->text is cut to its size). Valid until the next such error. */
const char *vu_last_error_text(void);
/* Frees everything. On the VU's fiber. */
void vu_free(struct vu *vu);

/* Begins work for a scenario: __ENV with the scenario's env, tags, per-scenario counters. Yields
 * never. */
void vu_activate(struct vu *vu, struct scenario_info *scenario);
/* The scenario has no more iterations for this VU: ends what outlived them (sockets with
 * keepAlive). Yields. */
void vu_deactivate(struct vu *vu);

enum vu_result {
    VU_COMPLETED,   /* returned or threw; counted */
    VU_INTERRUPTED, /* stopped from outside (graceful stop over, abort, signal); not counted in
                       iterations */
};

struct vu_iteration {
    int64_t in_instance; /* exec.scenario.iterationInInstance */
    int64_t in_test;
    int64_t late_ns; /* how long after its time an arrival rate begins it; -1: has no such time */
};

/* One iteration of the active scenario's function with its event loop, until nothing is pending.
 * Exceptions are logged. Yields. setup_data: JSON text given as argument, or empty for undefined.
 */
enum vu_result vu_iterate(struct vu *vu, const struct vu_iteration *it);
/* What vu_iterate passes as data: JSON text shared by all VUs (kept by the caller), parsed per VU
 * once. */
void vu_set_setup_data(struct vu *vu, struct slice json);

/* Calls setup, teardown or handleSummary with JSON arguments. group_tag is "::setup", "::teardown"
 * or NULL. out_json (may be NULL) gets JSON.stringify of the settled result ("" when undefined),
 * for handleSummary the raw result is given by vu_call_summary. Yields. 0, KE_JS (exception;
 * err.text = message with stack), KE_CANCELED, KE_TIMEOUT. */
int vu_call(struct vu *vu, const char *function, const char *group_tag, struct slice arg_json,
            int64_t deadline_ns, char **out_json, struct error *err);

/* handleSummary's returned map: destinations with content. Heap. */
struct vu_summary_item {
    char *destination;
    char *content;
    size_t len;
};
void vu_summary_free(struct vu_summary_item *items, size_t len);
int vu_call_summary(struct vu *vu, struct slice data_json, int64_t deadline_ns,
                    struct vu_summary_item **out_items, size_t *out_len, struct error *err);

/* Stops whatever the VU's JavaScript does now: waits return, loops are interrupted, the exception
 * cannot be caught. Same worker, from another fiber or the worker's own stack. Cleared when the
 * next iteration starts. */
void vu_interrupt(struct vu *vu);
