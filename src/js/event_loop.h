/* The event loop of a VU, on its fiber: promise jobs, timers, completions of asynchronous work. An
 * iteration ends when the exported function has settled and nothing is pending (k6's rule). */
#pragma once

#include "js/vu_internal.h"

/* Asynchronous work (an http.asyncRequest on a helper fiber, a socket) announces itself with
 * js_loop_pending_add, and when it has a result posts a completion, which runs on the VU's fiber
 * inside the loop. */
struct js_completion {
    struct list link;
    void (*run)(struct vu *vu, struct js_completion *c); /* owns c; may call JavaScript; exceptions
                                                            left pending fail the iteration */
};
void js_loop_init(struct vu *vu);
void js_loop_release(struct vu *vu);
void js_loop_pending_add(struct vu *vu);
void js_loop_pending_done(struct vu *vu);
/* Same worker, any fiber. Wakes the VU when it waits. */
void js_loop_complete(struct vu *vu, struct js_completion *c);

/* Runs until `promise` (or JS_UNDEFINED) is settled and nothing is pending, the deadline, or an
 * interrupt. Yields. 0; KE_JS with the exception pending in ctx (thrown by a callback, the rejected
 * promise, or an unhandled rejection); KE_TIMEOUT; KE_CANCELED. Whatever is left (timers, work) is
 * dropped, with k6's warning ("setTimeout 2 was stopped because the VU iteration was interrupted").
 */
int js_loop_run(struct vu *vu, JSValueConst promise, int64_t deadline_ns);

/* setTimeout, setInterval, clearTimeout, clearInterval for the global object and k6/timers. */
extern const JSCFunctionListEntry js_timer_functions[];
extern const int js_timer_functions_len;
