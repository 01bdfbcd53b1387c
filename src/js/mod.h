/* Built-in modules. Each k6 module is one file js/mod/<name>.c with one init function in the table
 * of mod.c; nothing is created for a module that a script does not import. */
#pragma once

#include "js/vu_internal.h"

struct js_module {
    const char *specifier;                          /* "k6/http" */
    int (*declare)(JSContext *ctx, JSModuleDef *m); /* JS_AddModuleExport calls */
    int (*init)(JSContext *ctx, JSModuleDef *m);    /* JS_SetModuleExport calls */
    void (*free)(struct vu *vu); /* before the VU's context goes; called whether imported or not;
                                    NULL = nothing */
    void (*cancel)(
        struct vu *vu); /* the iteration is over before its work is: asynchronous work under way
                           must end soon (its completions still come); NULL = nothing */
};

/* NULL when unknown. Aliases (k6/experimental/…) are rows of the table, too. */
const struct js_module *js_module_find(struct slice specifier);
/* Declares and creates the module for the VU's context; NULL with an exception pending. */
JSModuleDef *js_module_new(JSContext *ctx, const struct js_module *mod);
/* For init: exports the functions of a list, and a default object when somebody imports it; as in
 * k6, its functions are not the same objects. */
int js_module_set_functions(JSContext *ctx, JSModuleDef *m, const JSCFunctionListEntry *list,
                            int len);
void js_modules_cancel(struct vu *vu);
void js_modules_free(struct vu *vu);
extern const struct js_module js_mod_k6, js_mod_http, js_mod_metrics, js_mod_execution, js_mod_data,
    js_mod_timers, js_mod_encoding, js_mod_crypto, js_mod_crypto_x509, js_mod_webcrypto,
    js_mod_secrets, js_mod_fs, js_mod_csv, js_mod_streams, js_mod_html, js_mod_websockets,
    js_mod_experimental_websockets, js_mod_ws, js_mod_sse, js_mod_web, js_mod_tracing,
    js_mod_browser, js_mod_experimental_browser, js_mod_redis, js_mod_experimental_redis,
    js_mod_grpc, js_mod_experimental_grpc;
