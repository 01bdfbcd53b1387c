/* exec.vu.tags and exec.vu.metrics.metadata: objects whose properties are the VU's tags and
 * metadata. */
#pragma once

#include "base/slice.h"
#include "js/quickjs_api.h"

void execution_tags_register(JSContext *ctx);
JSValue execution_tags_new(JSContext *ctx);
JSValue execution_metadata_new(JSContext *ctx);
/* One name of exec.vu.metrics.metadata; value.ptr NULL takes it away. Does nothing while no output
 * wants raw samples, the only place where metadata shows. */
struct vu;
void vu_metadata_set(struct vu *vu, struct slice key, struct slice value);
