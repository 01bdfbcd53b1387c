#include "js/mod.h"

#include <string.h>

#include "base/check.h"
#include "base/compat.h"
#include "base/log.h"

static const struct js_module *const table[] = {
    &js_mod_k6,
    &js_mod_http,
    &js_mod_metrics,
    &js_mod_execution,
    &js_mod_data,
    &js_mod_timers,
    &js_mod_encoding,
    &js_mod_crypto,
    &js_mod_crypto_x509,
    &js_mod_webcrypto,
    &js_mod_secrets,
    &js_mod_fs,
    &js_mod_csv,
    &js_mod_streams,
    &js_mod_html,
    &js_mod_ws,
    &js_mod_websockets,
    &js_mod_experimental_websockets,
    &js_mod_grpc,
    &js_mod_experimental_grpc,
    &js_mod_sse,
    &js_mod_web,
    &js_mod_tracing,
    &js_mod_browser,
    &js_mod_experimental_browser,
    &js_mod_redis,
    &js_mod_experimental_redis,
};

/* Names under which v0.51 had modules that are elsewhere now; the k6 workshop imports this one. */
static const struct js_module experimental_timers = {.specifier = "k6/experimental/timers"};

const struct js_module *js_module_find(struct slice specifier) {
    for (size_t i = 0; i < countof(table); i++) {
        if (slice_eq(specifier, slice_cstr(table[i]->specifier)))
            return table[i] == &js_mod_websockets && compat_on(COMPAT_WEBSOCKET_FIRST_FORM)
                       ? NULL
                       : table[i];
    }
    if (slice_eq(specifier, SLICE("k6/experimental/timers")))
        return &experimental_timers;
    return NULL;
}

/* A module that exports names only has a default, too: an object of them, made when somebody
 * imports it. */
static int add_default(JSContext *ctx, JSModuleDef *m) {
    JSAtom name_default = JS_NewAtom(ctx, "default"), name;
    JSValue v = JS_GetModuleExport(ctx, m, name_default);
    int rc = 0;
    if (JS_HasModuleExport(ctx, m, "default") && JS_IsUndefined(v)) {
        JSValue o = JS_NewObject(ctx);
        for (int i = 0; (name = JS_GetModuleExportName(ctx, m, i)) != JS_ATOM_NULL; i++) {
            if (name != name_default)
                JS_SetProperty(ctx, o, name, JS_GetModuleExport(ctx, m, name));
            JS_FreeAtom(ctx, name);
        }
        rc = JS_SetHiddenModuleExport(ctx, m, "default", o);
    }
    JS_FreeValue(ctx, v);
    JS_FreeAtom(ctx, name_default);
    return rc;
}

int js_module_set_functions(JSContext *ctx, JSModuleDef *m, const JSCFunctionListEntry *list,
                            int len) {
    if (JS_HasModuleExport(ctx, m, "default")) {
        JSValue o = JS_NewObject(ctx);
        for (int i = 0; i < len; i++) {
            const JSCFunctionListEntry *e = &list[i];
            CHECK(e->def_type == JS_DEF_CFUNC);
            JS_SetPropertyStr(ctx, o, e->name,
                              JS_NewCFunction2(ctx, e->u.func.cfunc.generic, e->name,
                                               e->u.func.length, (JSCFunctionEnum)e->u.func.cproto,
                                               e->magic));
        }
        JS_SetHiddenModuleExport(ctx, m, "default", o);
    }
    return JS_SetModuleExportList(ctx, m, list, len);
}

static const struct js_module *module_of(JSContext *ctx, JSModuleDef *m) {
    JSAtom atom = JS_GetModuleName(ctx, m);
    const char *name = JS_AtomToCString(ctx, atom);
    const struct js_module *mod = js_module_find(slice_cstr(name));
    JS_FreeCString(ctx, name);
    JS_FreeAtom(ctx, atom);
    return mod;
}

static int init(JSContext *ctx, JSModuleDef *m) {
    const struct js_module *mod = module_of(ctx, m);
    if (mod == &experimental_timers) {
        static _Atomic bool is_warned;
        if (!is_warned)
            log_printf(
                LOG_WARN,
                "k6/experimental/timers is now part of the k6 core, please change your imports to use "
                "k6/timers instead. The k6/experimental/timers will be removed in k6 v0.52.0");
        is_warned = true;
        mod = &js_mod_timers;
    }
    return mod->init(ctx, m) < 0 ? -1 : add_default(ctx, m);
}

JSModuleDef *js_module_new(JSContext *ctx, const struct js_module *mod) {
    JSModuleDef *m = JS_NewCModule(ctx, mod->specifier, init);
    if (mod == &experimental_timers)
        mod = &js_mod_timers;
    if (m && mod->declare(ctx, m) < 0)
        return NULL;
    return m;
}

void js_modules_cancel(struct vu *vu) {
    for (size_t i = 0; i < countof(table); i++) {
        if (table[i]->cancel)
            table[i]->cancel(vu);
    }
}

void js_modules_free(struct vu *vu) {
    for (size_t i = 0; i < countof(table); i++) {
        if (table[i]->free)
            table[i]->free(vu);
    }
}
