/* Values of scripts as fmt's %v shows what k6's JavaScript engine exports them as: numbers beyond
 * the integers as 1.2345675e+06, dates as 1970-01-01 00:00:00 +0000 UTC, objects as map[a:1 b:[2
 * 3]], null as <nil>. */
#pragma once

#include "base/buf.h"
#include "js/quickjs_api.h"

/* Appends it. 0, or KE_JS with an exception pending (objects deeper than any sane one are one). */
int go_print(struct buf *out, JSContext *ctx, JSValueConst v);
/* The same as %#v shows it: strings quoted, lists with their types. */
int go_print_syntax(struct buf *out, JSContext *ctx, JSValueConst v);
