/* Streams of k6/experimental/streams for other modules. */
#pragma once

#include "js/quickjs_api.h"

/* A ReadableStream whose chunks are what next() gives, up to and with the first empty string. */
JSValue js_stream_of_chunks(JSContext *ctx, JSValueConst next);
