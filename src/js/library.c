#include "js/library.h"

#include <string.h>

#include "base/check.h"

static JSValue compile(JSContext *ctx, struct js_library *l) {
    JSValue v = JS_Eval(ctx, (const char *)l->source, *l->source_bytes, l->name,
                        JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
    CHECK(!JS_IsException(v));
    uint8_t *bytes = JS_WriteObject(ctx, &l->bytecode_bytes, v, JS_WRITE_OBJ_BYTECODE);
    CHECK(bytes != NULL);
    l->bytecode = xmalloc(l->bytecode_bytes);
    memcpy(l->bytecode, bytes, l->bytecode_bytes);
    js_free(ctx, bytes);
    return v;
}

JSValue js_library_load(JSContext *ctx, struct js_library *l) {
    pthread_mutex_lock(&l->lock);
    JSValue v = l->bytecode ? JS_UNDEFINED : compile(ctx, l);
    pthread_mutex_unlock(&l->lock);
    if (JS_IsUndefined(v))
        v = JS_ReadObject(ctx, l->bytecode, l->bytecode_bytes, JS_READ_OBJ_BYTECODE);
    return JS_IsException(v) ? v : JS_EvalFunction(ctx, v);
}
