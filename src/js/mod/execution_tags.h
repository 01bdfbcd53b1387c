/* exec.vu.tags and exec.vu.metrics.metadata: objects whose properties are the VU's tags and
 * metadata. */
#pragma once

#include "js/quickjs_api.h"

void execution_tags_register(JSContext *ctx);
JSValue execution_tags_new(JSContext *ctx);
JSValue execution_metadata_new(JSContext *ctx);
