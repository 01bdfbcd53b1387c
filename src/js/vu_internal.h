/* The inside of a VU, for src/js and its modules only. */
#pragma once

#include "base/map.h"
#include "js/quickjs_api.h"
#include "js/vu.h"

struct js_timer;
struct js_alloc;
struct js_modules;
struct series;

struct vu {
    const struct vu_config *config;
    struct script *script;
    struct fiber *fiber;
    struct worker *worker;
    struct shard *shard; /* NULL = samples are dropped */
    struct js_alloc *alloc;
    JSRuntime *rt;
    JSContext *ctx;
    int64_t id, id_global;
    int64_t iteration; /* __ITER: iterations started by this VU - 1; -1 in init */
    int64_t iteration_in_scenario;
    struct vu_iteration current;
    struct scenario_info *scenario; /* NULL in init, setup, teardown */
    bool is_init;                   /* init context */
    bool is_interrupted;
    bool is_leaving; /* work that outlives iterations has to end, too */

    JSValue env; /* __ENV object */
    JSValue setup_data;
    JSValue function; /* the scenario's exported function, cached by vu_activate */

    /* Tags: base set of the scenario (run tags, scenario tags, scenario, vu tags set by script) and
     * the same with group. */
    const struct tagset *base_tags; /* without group */
    const struct tagset *tags; /* base_tags + group when that system tag is on; current group */
    char *group_path;          /* "" or "::a::b" */
    bool group_disabled;

    struct conn_counters traffic;
    struct http_client *http; /* made on first use */
    struct cookie_jar *jar;   /* made on first use; reset per iteration */
    void *http_cache;         /* js/mod/http.c: interned requests and series */
    struct list file_views;   /* js/file_view.c */

    /* Event loop (js/event_loop.h). */
    struct {
        struct js_timer **timers; /* binary heap by deadline, then by order of creation */
        size_t n_timers, cap_timers;
        uint32_t next_timer_id;
        uint64_t next_timer_seq;
        size_t pending;    /* registered callbacks that will come (async requests, sockets) */
        size_t background; /* work that goes on between iterations */
        struct list ready; /* completions to run on the VU's fiber: struct js_completion */
        bool is_waiting;
        bool is_rejection; /* the pending exception is an unhandled rejection */
        JSValue *rejected; /* promises rejected without a handler, oldest first */
        size_t n_rejected, cap_rejected;
    } loop;

    struct js_modules *modules;     /* js/loader.c: CommonJS instances and the state of linking */
    struct worker_timer call_timer; /* deadline of vu_call */
    bool is_timed_out;
    bool is_aborting;               /* exec.test.abort() was called */
    char *stack_limit;              /* lowest address that recursion may reach (js/stack_guard.h) */
    JSAtom atom_iter;               /* "__ITER" */
    struct map scenario_iterations; /* name -> int64_t *: iterations this VU did of a scenario */
    int64_t *scenario_iteration;    /* entry of the active scenario */
    /* Series of the iteration's own samples, found again while the tags stay the same. */
    struct {
        const struct tagset *tags;
        struct shard *shard;
        struct series *iterations, *iteration_duration, *data_sent, *data_received;
    } series;
    bool has_vu_tag, has_iter_tag;    /* system tags vu, iter: metadata of samples */
    struct map metadata;              /* exec.vu.metrics.metadata: name -> char * */
    const struct tagset *meta_custom; /* the same, interned for samples; NULL = none */
    JSValue main_namespace;           /* exports of the main module */
    void *module_state[32];           /* one slot a module that needs one: enum js_module_slot */
};

enum js_module_slot {
    JS_SLOT_HTTP,
    JS_SLOT_METRICS,
    JS_SLOT_EXECUTION,
    JS_SLOT_DATA,
    JS_SLOT_K6,
    JS_SLOT_SECRETS,
    JS_SLOT_STREAMS,
    JS_SLOT_WEBSOCKETS,
    JS_SLOT_EVENT_SOURCE,
    JS_SLOT_HTML,
    JS_SLOT_WEB,
    JS_SLOT_TRACING,
    JS_SLOT_BROWSER,
    JS_SLOT_REDIS,
    JS_SLOT_GRPC,
    JS_SLOT_FREE
};

static inline struct vu *vu_from_ctx(JSContext *ctx) {
    return JS_GetContextOpaque(ctx);
}

/* js/vu.c: keeps text (heap, taken) for vu_last_error_text and fills *err. Returns code. */
int vu_fail(struct error *err, int code, char *text);
/* The same from the pending exception: KE_JS, or KE_FAILED for an unhandled rejection. */
int vu_take_failure(struct vu *vu, struct error *err);
void vu_clear_interrupt(struct vu *vu);
