/* Between the files of k6/browser. The API itself is JavaScript (js/browser/), compiled once per
 * process; C gives it connections, timers, samples and the way into the event loop. */
#pragma once

#include "cdp/cdp_conn.h"
#include "cdp/cdp_process.h"
#include "js/event_loop.h"

/* A browser that a VU talks to: one of its own, or one that runs somewhere. */
struct browser_link {
    struct list link; /* in browser_module.links */
    struct browser_module *module;
    int64_t id; /* what JavaScript knows it by */
    struct cdp_process *process;
    struct cdp_conn *conn;
    char *end_words; /* why the connection has ended */
    bool has_told_end;
};

struct browser_module {
    struct vu *vu;
    struct list links;
    int64_t last_id;
    struct list queue; /* struct browser_message, for the VU's fiber */
    size_t queue_bytes;
    bool has_end_to_tell;
    struct js_completion turn; /* runs the queue in the event loop */
    bool is_turn_posted;
    bool is_polling; /* the VU's fiber is in poll */
    struct worker_timer timer;
    bool is_due;
    size_t pending; /* promises that hold the event loop */
    bool needs_reset;
    int log_level; /* enum log_level of the browser's own records */
    JSValue api;   /* what js/browser made: undefined before it is used */
};

/* NULL before the first import. */
struct browser_module *browser_module_of(struct vu *vu);
static inline struct browser_module *browser_module_in(JSContext *ctx) {
    return browser_module_of(vu_from_ctx(ctx));
}
/* Evaluates js/browser in the VU when that has not been done. False with an exception pending. */
bool browser_api_load(struct browser_module *m);
/* browser_io.c: after xcalloc. */
void browser_module_init(struct browser_module *m);
int browser_launch(struct browser_module *m, const char *executable, const char *const *args,
                   struct browser_link **out, struct error *err);
int browser_connect(struct browser_module *m, const char *url, int64_t deadline_ns,
                    struct browser_link **out, struct error *err);
/* NULL when there is none of that id any more. */
struct browser_link *browser_link_by_id(struct browser_module *m, int64_t id);
/* Ends the connection and the process, drops what is queued of it. Yields. */
void browser_link_close(struct browser_link *l);
/* Everything of all browsers goes: processes, connections, queue, promises. Yields. */
void browser_close(struct browser_module *m);
/* Hands all that is queued, due timers and ends to JavaScript. False with an exception. */
bool browser_dispatch(struct browser_module *m);
/* Lets the VU's fiber wait for something to dispatch. Yields. 0, KE_TIMEOUT, KE_CANCELED. */
int browser_wait(struct browser_module *m, int64_t deadline_ns);
void browser_wake_at(struct browser_module *m, int64_t deadline_ns);
/* A function that js/browser gets: BROWSER_NATIVE(js_x) { BROWSER_UNUSED_ARGS; … } */
#define BROWSER_NATIVE(name) \
    static JSValue name(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
#define BROWSER_UNUSED_ARGS (void)this_val, (void)argc, (void)argv
/* browser_native.c: the functions that js/browser gets. */
JSValue browser_native_new(JSContext *ctx);
/* browser_host.c: adds those that are not about browsers. */
void browser_host_define(JSContext *ctx, JSValueConst native);
/* So that thresholds know them before a page was ever visited. */
void browser_metrics_register(void);
/* browser_upload.c: request(method, url, [name, value, …] headers, body) and
 * upload(method, url, [name, value, …] fields, file name, ArrayBuffer), a form; both give
 * { status, statusText, body }, time out after 10 s and yield. */
JSValue browser_request(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
JSValue browser_upload(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
/* browser_exports.c: `browser`, `chromium`, `devices` or `networkProfiles` of a face ("async",
 * "sync"), which loads the API when it is first looked into. */
void browser_exports_register(JSContext *ctx);
JSValue browser_export_new(JSContext *ctx, const char *face, const char *name);
