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
    JSRuntime *rt = JS_GetRuntime(ctx);
    int strip = JS_GetStripInfo(rt);
    JS_SetStripInfo(rt, JS_STRIP_SOURCE);
    JSValue v = JS_Eval(ctx, text, source.len, "k6/browser",
                        JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
    JS_SetStripInfo(rt, strip);
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

bool browser_api_load(struct browser_module *m) {
    JSContext *ctx = m->vu->ctx;
    if (!JS_IsUndefined(m->api))
        return true;
    JSValue make = load(ctx);
    if (JS_IsException(make))
        return false;
    JSValue native = browser_native_new(ctx);
    JSValue api = JS_Call(ctx, make, JS_UNDEFINED, 1, (JSValueConst *)&native);
    JS_FreeValue(ctx, native);
    JS_FreeValue(ctx, make);
    if (JS_IsException(api))
        return false;
    m->api = api;
    return true;
}

static void module_new(struct vu *vu) {
    if (browser_module_of(vu))
        return;
    struct browser_module *m = vu->module_state[JS_SLOT_BROWSER] = xcalloc(1, sizeof *m);
    m->vu = vu;
    browser_module_init(m);
    browser_metrics_register();
    browser_exports_register(vu->ctx);
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

static void abort_test(struct vu *vu, const char *why) {
    const struct instance_info *i = vu->config->instance;
    char *reason = xasprintf("error building browser on IterStart: %s", why);
    vu->is_aborting = true;
    if (i && i->abort_test)
        i->abort_test(i->arg, reason);
    free(reason);
    vu_interrupt(vu);
}

void js_browser_before_iteration(struct vu *vu) {
    struct browser_module *m = browser_module_of(vu);
    if (!m || !vu->scenario || !vu->scenario->browser_type)
        return;
    if (m->needs_reset && !JS_IsUndefined(m->api))
        JS_FreeValue(vu->ctx, call(m, "reset"));
    m->needs_reset = false;
    JSValue r = browser_api_load(m) ? call(m, "start") : JS_EXCEPTION;
    if (JS_IsException(r)) {
        char *words = take_words(vu->ctx);
        browser_close(m);
        m->needs_reset = true;
        if (!vu->is_interrupted)
            abort_test(vu, words);
        free(words);
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
    module_new(vu_from_ctx(ctx));
    JSValue all = JS_NewObject(ctx);
    int rc = 0;
    for (size_t i = 0; i < countof(exports) && rc == 0; i++) {
        JSValue v = browser_export_new(ctx, face, exports[i]);
        JS_SetPropertyStr(ctx, all, exports[i], JS_DupValue(ctx, v));
        rc = JS_SetModuleExport(ctx, def, exports[i], v);
    }
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
