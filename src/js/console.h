/* console: one record of the log per call, with the field source=console. */
#pragma once

#include "base/buf.h"
#include "base/log.h"
#include "js/quickjs_api.h"

void js_console_register(JSContext *ctx, JSValueConst global);
/* Appends one argument in k6's form. 0 or KE_JS with an exception pending. */
int js_console_format(struct buf *out, JSContext *ctx, JSValueConst v);

/* --console-output: messages go to write instead of the log, on the thread of the VU. Before VUs
 * run. */
typedef void js_console_writer(void *arg, enum log_level level, struct slice msg);
void js_console_redirect(js_console_writer *write, void *arg);
