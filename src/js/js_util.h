/* Helpers of the bindings: strings, errors, tags, durations. */
#pragma once

#include "js/vu_internal.h"

/* A view of a JS value's string form; hold keeps it alive until js_text_release. False with an
 * exception pending. */
struct js_text {
    struct slice s;
    JSContext *ctx;
};
bool js_text_get(JSContext *ctx, JSValueConst v, struct js_text *out);
/* The same as Go code sees it: a symbol is its description instead of a TypeError. */
bool js_text_get_go(JSContext *ctx, JSValueConst v, struct js_text *out);
void js_text_release(struct js_text *t);

/* k6 shows Go errors thrown into scripts with the class name GoError: throws an Error whose name is
 * "GoError". */
JSValue js_throw_go_error(JSContext *ctx, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The error object alone. */
JSValue js_new_go_error(JSContext *ctx, const char *message, size_t len);
/* Ends the iteration or test in a way scripts cannot catch (KE_CANCELED waits turn into this). */
JSValue js_throw_interrupted(JSContext *ctx);

/* "Error: boom\n\tat f (file:///x.js:3:5(0))\n" of a pending exception, taken and freed; k6's form
 * (see conformance). Heap string. */
char *js_take_exception_text(JSContext *ctx);
/* The same of a value. */
char *js_error_text(JSContext *ctx, JSValueConst error);

/* "Uncaught (in promise) …" of an unhandled rejection. Heap string. */
char *js_rejection_text(JSContext *ctx, JSValueConst reason);

/* Adds the properties of a plain object to a tag set with k6's type rules (string, number,
 * boolean). NULL with an exception pending: invalid value for metric tag 'K': only String, Boolean
 * and Number types are accepted as a metric tag values. undefined/null objects leave base. */
const struct tagset *js_tags_from_object(struct vu *vu, const struct tagset *base,
                                         JSValueConst object);

/* The same with the words kept for the caller: 0; KE_JS with an exception pending; KE_INVALID and
 * *out_bad, a heap string (NULL otherwise). */
int js_tags_add(struct vu *vu, const struct tagset **tags, JSValueConst object, char **out_bad);

/* A duration given as string ("1m30s") or number of milliseconds (one that no duration can hold is
 * in the past, as in Go). 0; KE_INVALID with Go's words; KE_JS with an exception pending. */
int js_duration(JSContext *ctx, JSValueConst v, int64_t *out_ns, struct error *err);

/* Bytes of an ArrayBuffer, typed array or DataView; false when v is none of these (no exception).
 */
bool js_bytes(JSContext *ctx, JSValueConst v, const uint8_t **out, size_t *out_len);

/* Releases what JS_GetOwnPropertyNames gave (this version of QuickJS has no function for it). */
void js_free_names(JSContext *ctx, JSPropertyEnum *names, uint32_t len);
/* Freezes an object and all that hangs on it; for data of JSON, which has no cycles. -1 with an
 * exception pending. */
int js_freeze_deep(JSContext *ctx, JSValueConst v);

/* Words of functions that only the init context has; takes the function's name. */
#define JS_INIT_ONLY_TEXT                                                                   \
    "the \"%s\" function is only available in the init stage (i.e. the global scope), see " \
    "https://grafana.com/docs/k6/latest/using-k6/test-lifecycle/ for more information"

/* True outside the init context; otherwise throws k6's text for the function ("Making http requests
 * in the init context is not supported"). */
bool js_require_vu_context(struct vu *vu, const char *message);
