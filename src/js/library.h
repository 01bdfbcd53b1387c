/* Parts of k6's API that are written in JavaScript (streams, what browsers have). Embedded in the
 * program, compiled once per process when a VU first needs them, and then evaluated per VU: no cost
 * for VUs that do not. */
#pragma once

#include <pthread.h>

#include "js/quickjs_api.h"

struct js_library {
    const char *name; /* in stack traces */
    const unsigned char *source;
    const size_t *source_bytes;
    pthread_mutex_t lock;
    uint8_t *bytecode;
    size_t bytecode_bytes;
};
#define JS_LIBRARY(name_, symbol)                                             \
    {                                                                         \
        .name = (name_), .source = (symbol), .source_bytes = &symbol##_bytes, \
        .lock = PTHREAD_MUTEX_INITIALIZER                                     \
    }

/* What the library's source evaluates to, for this context. JS_EXCEPTION when memory is out. Any
 * thread. */
JSValue js_library_load(JSContext *ctx, struct js_library *library);
