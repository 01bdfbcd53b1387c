/* k6/browser and k6/experimental/browser: one implementation in JavaScript (js/browser/), with two
 * faces. */
#include "js/browser.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/log.h"
#include "embed/k6_browser.h"
#include "js/js_util.h"
#include "js/mod.h"
#include "js/mod/browser_internal.h"

static const char *const exports[] = {"browser", "chromium", "devices", "networkProfiles"};

static struct {
    pthread_mutex_t lock;
    uint8_t *bytes;
    size_t len;
} bytecode = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct browser_module *browser_module_of(struct vu *vu) {
    return vu->module_state[JS_SLOT_BROWSER];
}

/* The files of js/browser are parts of one function's body, in the order of their names. */
static JSValue compile(JSContext *ctx) {
    struct buf source;
    buf_init(&source, BUF_NO_CAP);
    buf_append_str(&source, "(function (native) { 'use strict';");
    for (size_t i = 0; i < k6_browser_count; i++)
        buf_append(&source, k6_browser[i].data, k6_browser[i].bytes);
    buf_append_str(&source, "})");
    const char *text = buf_cstr(&source);
    JSValue v = JS_Eval(ctx, text, source.len, "k6/browser",
                        JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
    buf_release(&source);
    if (JS_IsException(v))
        return v;
    uint8_t *bytes = JS_WriteObject(ctx, &bytecode.len, v, JS_WRITE_OBJ_BYTECODE);
    CHECK(bytes != NULL);
    bytecode.bytes = xmalloc(bytecode.len);
    memcpy(bytecode.bytes, bytes, bytecode.len);
    js_free(ctx, bytes);
    return v;
}

static JSValue load(JSContext *ctx) {
    pthread_mutex_lock(&bytecode.lock);
    JSValue v = bytecode.bytes ? JS_UNDEFINED : compile(ctx);
    pthread_mutex_unlock(&bytecode.lock);
    if (JS_IsUndefined(v))
        v = JS_ReadObject(ctx, bytecode.bytes, bytecode.len, JS_READ_OBJ_BYTECODE);
    return JS_IsException(v) ? v : JS_EvalFunction(ctx, v);
}

/* The module's state with its JavaScript, made once a VU; NULL with an exception pending. */
static struct browser_module *module_new(struct vu *vu) {
    JSContext *ctx = vu->ctx;
    struct browser_module *m = browser_module_of(vu);
    if (m)
        return m;
    JSValue make = load(ctx);
    if (JS_IsException(make))
        return NULL;
    m = vu->module_state[JS_SLOT_BROWSER] = xcalloc(1, sizeof *m);
    m->vu = vu;
    browser_module_init(m);
    browser_metrics_register();
    JSValue native = browser_native_new(ctx);
    m->api = JS_Call(ctx, make, JS_UNDEFINED, 1, (JSValueConst *)&native);
    JS_FreeValue(ctx, native);
    JS_FreeValue(ctx, make);
    if (!JS_IsException(m->api))
        return m;
    m->api = JS_UNDEFINED;
    return NULL;
}

static JSValue call(struct browser_module *m, const char *name) {
    JSContext *ctx = m->vu->ctx;
    JSValue fn = JS_GetPropertyStr(ctx, m->api, name);
    JSValue r = JS_Call(ctx, fn, JS_UNDEFINED, 0, NULL);
    JS_FreeValue(ctx, fn);
    return r;
}

/* ---------------------------------------------------------------- iterations */

static char *take_words(JSContext *ctx) {
    JSValue e = JS_GetException(ctx), message = JS_GetPropertyStr(ctx, e, "message");
    const char *text = JS_ToCString(ctx, message);
    char *words = xstrdup(text ? text : "");
    JS_FreeCString(ctx, text);
    JS_FreeValue(ctx, message);
    JS_FreeValue(ctx, e);
    return words;
}

void js_browser_before_iteration(struct vu *vu) {
    struct browser_module *m = browser_module_of(vu);
    if (!m || !vu->scenario || !vu->scenario->browser_type)
        return;
    free(m->start_words);
    m->start_words = NULL;
    if (m->needs_reset)
        JS_FreeValue(vu->ctx, call(m, "reset"));
    m->needs_reset = false;
    JSValue r = call(m, "start");
    if (JS_IsException(r)) {
        m->start_words = take_words(vu->ctx);
        browser_close(m);
        JS_FreeValue(vu->ctx, call(m, "reset"));
    }
    JS_FreeValue(vu->ctx, r);
}

void js_browser_after_iteration(struct vu *vu, bool is_interrupted) {
    struct browser_module *m = browser_module_of(vu);
    if (!m || list_empty(&m->links))
        return;
    JSValue exception = JS_HasException(vu->ctx) ? JS_GetException(vu->ctx) : JS_UNINITIALIZED;
    bool is_usable = !is_interrupted;
    if (is_usable) {
        JSValue r = call(m, "endIteration");
        is_usable = !JS_IsException(r);
        JS_FreeValue(vu->ctx, r);
        if (!is_usable)
            free(take_words(vu->ctx));
    }
    if (!is_usable) {
        browser_close(m);
        m->needs_reset = true;
    }
    /* What was still waited for has failed just now: nobody is there any more to be told. */
    JS_DropPendingJobs(vu->rt);
    js_loop_forget_rejections(vu, 0);
    if (!JS_IsUninitialized(exception))
        JS_Throw(vu->ctx, exception);
}

/* ---------------------------------------------------------------- the modules */

static int declare(JSContext *ctx, JSModuleDef *m) {
    int rc = JS_AddModuleExport(ctx, m, "default");
    for (size_t i = 0; i < countof(exports); i++)
        rc |= JS_AddModuleExport(ctx, m, exports[i]);
    return rc;
}

static int set_exports(JSContext *ctx, JSModuleDef *def, const char *face) {
    struct browser_module *m = module_new(vu_from_ctx(ctx));
    if (!m)
        return -1;
    JSValue all = JS_GetPropertyStr(ctx, m->api, face);
    int rc = 0;
    for (size_t i = 0; i < countof(exports) && rc == 0; i++)
        rc = JS_SetModuleExport(ctx, def, exports[i], JS_GetPropertyStr(ctx, all, exports[i]));
    return rc ? rc : JS_SetModuleExport(ctx, def, "default", all);
}

static int init(JSContext *ctx, JSModuleDef *m) {
    return set_exports(ctx, m, "async");
}

static int init_experimental(JSContext *ctx, JSModuleDef *m) {
    return set_exports(ctx, m, "sync");
}

static void module_free(struct vu *vu) {
    struct browser_module *m = browser_module_of(vu);
    if (!m)
        return;
    browser_close(m);
    JS_FreeValue(vu->ctx, m->api);
    free(m->start_words);
    free(m);
    vu->module_state[JS_SLOT_BROWSER] = NULL;
}

/* The iteration is over while promises are open: they will not settle. */
static void module_cancel(struct vu *vu) {
    struct browser_module *m = browser_module_of(vu);
    if (!m)
        return;
    for (; m->pending; m->pending--)
        js_loop_pending_done(vu);
}

const struct js_module js_mod_browser = {"k6/browser", declare, init, module_free, module_cancel};
const struct js_module js_mod_experimental_browser = {
    .specifier = "k6/experimental/browser", .declare = declare, .init = init_experimental};
