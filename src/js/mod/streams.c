/* k6/experimental/streams: JavaScript (js/streams/streams.js), compiled once per process. */
#include <stdlib.h>

#include "base/check.h"
#include "embed/k6_streams.h"
#include "js/js_util.h"
#include "js/library.h"
#include "js/mod.h"
#include "js/mod/streams.h"

static const char *const exports[] = {"ReadableStream", "CountQueuingStrategy",
                                      "ReadableStreamDefaultReader", "WritableStream",
                                      "WritableStreamDefaultWriter"};

static struct js_library library = JS_LIBRARY("k6/experimental/streams", k6_streams);

static JSValue js_go_error(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct js_text text;
    if (argc < 1 || !js_text_get(ctx, argv[0], &text))
        return JS_EXCEPTION;
    JSValue e = js_new_go_error(ctx, text.s.ptr, text.s.len);
    js_text_release(&text);
    return e;
}

static int declare(JSContext *ctx, JSModuleDef *m) {
    int rc = 0;
    for (size_t i = 0; i < countof(exports); i++)
        rc |= JS_AddModuleExport(ctx, m, exports[i]);
    return rc;
}

/* The exports of this VU, made once; the slot holds them. NULL with an exception pending. */
static const JSValue *exports_of(struct vu *vu) {
    JSContext *ctx = vu->ctx;
    JSValue *all = vu->module_state[JS_SLOT_STREAMS];
    if (all)
        return all;
    JSValue make = js_library_load(ctx, &library);
    if (JS_IsException(make))
        return NULL;
    JSValue error = JS_NewCFunction(ctx, js_go_error, "goError", 1);
    JSValue made = JS_Call(ctx, make, JS_UNDEFINED, 1, (JSValueConst *)&error);
    JS_FreeValue(ctx, error);
    JS_FreeValue(ctx, make);
    if (JS_IsException(made))
        return NULL;
    all = vu->module_state[JS_SLOT_STREAMS] = xmalloc(sizeof *all);
    *all = made;
    return all;
}

JSValue js_stream_of_chunks(JSContext *ctx, JSValueConst next) {
    const JSValue *all = exports_of(vu_from_ctx(ctx));
    if (!all)
        return JS_EXCEPTION;
    JSValue make = JS_GetPropertyStr(ctx, *all, "ofChunks");
    JSValue stream = JS_Call(ctx, make, JS_UNDEFINED, 1, &next);
    JS_FreeValue(ctx, make);
    return stream;
}

static int init(JSContext *ctx, JSModuleDef *m) {
    const JSValue *all = exports_of(vu_from_ctx(ctx));
    int rc = all ? 0 : -1;
    for (size_t i = 0; i < countof(exports) && rc == 0; i++)
        rc = JS_SetModuleExport(ctx, m, exports[i], JS_GetPropertyStr(ctx, *all, exports[i]));
    return rc;
}

static void module_free(struct vu *vu) {
    JSValue *all = vu->module_state[JS_SLOT_STREAMS];
    if (!all)
        return;
    JS_FreeValue(vu->ctx, *all);
    free(all);
    vu->module_state[JS_SLOT_STREAMS] = NULL;
}

const struct js_module js_mod_streams = {
    .specifier = "k6/experimental/streams", .declare = declare, .init = init, .free = module_free};
