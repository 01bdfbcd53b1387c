/* Blob: immutable bytes with a type, as k6/websockets exports it. */
#pragma once

#include "js/quickjs_api.h"

#include "base/slice.h"

/* The constructor, the same each time; registers the class. */
JSValue js_blob_class(JSContext *ctx);
/* A Blob with a copy of the bytes; the class must be registered. */
JSValue js_blob_new(JSContext *ctx, struct slice bytes, struct slice type);
/* The bytes of a Blob, alive as long as it is; false when v is none. */
bool js_blob_get(JSValueConst v, struct slice *out);
