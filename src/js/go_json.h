/* Values of scripts as k6 writes them to JSON: it exports them to Go values first, so that the keys
 * of objects are sorted, dates have Go's form, maps are arrays of pairs, and NaN, functions and
 * cycles are errors. */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "js/quickjs_api.h"

/* Appends the JSON of v. 0; KE_JS with an exception pending; KE_INVALID with Go's words in *err
 * ("json: unsupported value: NaN"). */
int js_go_json(struct buf *out, JSContext *ctx, JSValueConst v, struct error *err);
