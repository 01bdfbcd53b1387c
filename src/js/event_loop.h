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
/* Work that no iteration waits for and that goes on behind its end (a socket with keepAlive): its
 * completions run in the loop of whatever iteration comes. It ends with an interrupt, or when the
 * VU leaves its scenario: js_module.cancel then announces it with js_loop_pending_add before it
 * calls js_loop_background_done. */
void js_loop_background_add(struct vu *vu);
void js_loop_background_done(struct vu *vu);
/* Same worker, any fiber. Wakes the VU when it waits. */
void js_loop_complete(struct vu *vu, struct js_completion *c);

/* Runs until nothing is pending or an interrupt. Yields. 0; KE_JS with the exception pending in
 * ctx: thrown by a callback, the reason of `promise` (when one is given and it is rejected), or an
 * unhandled rejection (loop.is_rejection says so); KE_CANCELED. Whatever is left (timers, work) is
 * then dropped, with k6's warning ("setTimeout 2 was stopped because the VU iteration was
 * interrupted"). */
int js_loop_run(struct vu *vu, JSValueConst promise);
/* Drops what is left of the loop's work, as js_loop_run does when it fails. */
void js_loop_abandon(struct vu *vu);
/* There is something to run at the end of the iteration's own code. */
bool js_loop_has_work(const struct vu *vu);

/* Forgets all rejected promises but the first `keep`: their reasons were reported in another way.
 */
void js_loop_forget_rejections(struct vu *vu, size_t keep);

/* js/timers.c: runs the first timer when it is due. 0 or KE_JS with an exception pending. */
int js_timers_run_due(struct vu *vu, int64_t now_ns);
/* When the next timer is due, NEVER_NS without timers. */
int64_t js_timers_next_ns(const struct vu *vu);
/* Frees all timers, with a warning for each when `warn`. */
void js_timers_drop(struct vu *vu, bool warn);

/* setTimeout, setInterval, clearTimeout, clearInterval for the global object and k6/timers. */
extern const JSCFunctionListEntry js_timer_functions[];
extern const int js_timer_functions_len;
