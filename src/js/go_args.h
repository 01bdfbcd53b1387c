/* Arguments of k6's functions as k6's JavaScript engine hands them to Go: what is undefined or null
 * is the zero value, everything else is converted. And the values that Go code gives back. */
#pragma once

#include "js/js_util.h"

/* string: "" for undefined, null and arguments that are missing. False with an exception pending.
 */
bool go_string_arg(JSContext *ctx, int argc, JSValueConst *argv, int i, struct js_text *out);
/* int: 0 for what is no number. False with an exception pending. */
bool go_int_arg(JSContext *ctx, int argc, JSValueConst *argv, int i, int64_t *out);

/* What k6 takes as data: a string, an ArrayBuffer, a Uint8Array or Uint8ClampedArray. The bytes are
 * a view that is good until go_bytes_release, or until JavaScript runs. */
struct go_bytes {
    struct slice s;
    struct js_text text;
};
/* False with an exception pending: "<prefix>invalid type int64, expected string, []byte or
 * ArrayBuffer", a GoError. */
bool go_bytes_get(JSContext *ctx, JSValueConst v, const char *prefix, struct go_bytes *out);
void go_bytes_release(struct go_bytes *b);

/* A string from bytes that should be UTF-8: each byte that is not becomes U+FFFD, as in Go. */
JSValue go_string_new(JSContext *ctx, struct slice s);

/* An error that k6 hands to scripts as it is, a Go struct with the properties name and message: it
 * is no instance of Error. name NULL: a Go error without properties; String(e) gives the message.
 */
JSValue go_error_value(JSContext *ctx, const char *name, const char *message);
bool go_is_error_value(JSValueConst v);
/* A Go error with its method: e.error() gives the words, and so does String(e). */
JSValue go_error_object(JSContext *ctx, const char *words);
