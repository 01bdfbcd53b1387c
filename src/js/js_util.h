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
void js_text_release(struct js_text *t);

/* k6 shows Go errors thrown into scripts with the class name GoError: throws an Error whose name is
 * "GoError". */
JSValue js_throw_go_error(JSContext *ctx, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Ends the iteration or test in a way scripts cannot catch (KE_CANCELED waits turn into this). */
JSValue js_throw_interrupted(JSContext *ctx);

/* "Error: boom\n\tat f (file:///x.js:3:5(0))\n" of a pending exception, taken and freed; k6's form
 * (see conformance). Heap string. */
char *js_take_exception_text(JSContext *ctx);
/* The same of a value. */
char *js_error_text(JSContext *ctx, JSValueConst error);

/* Adds the properties of a plain object to a tag set with k6's type rules (string, number,
 * boolean). NULL with an exception pending: invalid value for metric tag 'K': only String, Boolean
 * and Number types are accepted as a metric tag values. undefined/null objects leave base. */
const struct tagset *js_tags_from_object(struct vu *vu, const struct tagset *base,
                                         JSValueConst object);

/* A duration given as string ("1m30s") or number of milliseconds. 0 or KE_INVALID (no exception
 * set). */
int js_duration(JSContext *ctx, JSValueConst v, int64_t *out_ns);

/* Bytes of an ArrayBuffer, typed array or DataView; false when v is none of these (no exception).
 */
bool js_bytes(JSContext *ctx, JSValueConst v, const uint8_t **out, size_t *out_len);

/* Releases what JS_GetOwnPropertyNames gave (this version of QuickJS has no function for it). */
void js_free_names(JSContext *ctx, JSPropertyEnum *names, uint32_t len);

/* True outside the init context; otherwise throws k6's text for the function ("Making http requests
 * in the init context is not supported"). */
bool js_require_vu_context(struct vu *vu, const char *message);
