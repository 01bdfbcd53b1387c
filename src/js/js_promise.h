/* Promises of work that is quick here but asynchronous in k6: the result is there at once, and
 * settles in the next turn of the VU's event loop. */
#pragma once

#include "js/js_util.h"

/* A promise that will be resolved with v (taken); JS_EXCEPTION as v: rejected with the pending
 * exception. */
JSValue js_promise_resolve(JSContext *ctx, JSValue v);
JSValue js_promise_reject(JSContext *ctx, JSValue reason);
