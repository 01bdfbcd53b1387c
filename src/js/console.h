/* console: one record of the log per call, with the field source=console. */
#pragma once

#include "base/buf.h"
#include "js/quickjs_api.h"

void js_console_register(JSContext *ctx, JSValueConst global);
/* Appends one argument in k6's form. 0 or KE_JS with an exception pending. */
int js_console_format(struct buf *out, JSContext *ctx, JSValueConst v);
