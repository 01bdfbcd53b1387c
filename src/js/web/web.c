#include "js/web/web.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/check.h"
#include "embed/web_apis.h"
#include "embed/web_url.h"
#include "js/js_util.h"
#include "js/library.h"
#include "js/mod.h"
#include "js/mod/blob.h"
#include "js/mod/http_internal.h"
#include "js/text_coding.h"

static struct js_library url_library = JS_LIBRARY("k6/x/web/url", web_url);
static struct js_library web_library = JS_LIBRARY("k6/x/web", web_apis);

/* In two libraries, since most scripts want URL alone. */
static const char *const url_names[] = {"URL", "URLSearchParams"};
static const char *const web_names[] = {
    "AbortController", "AbortSignal",    "CustomEvent",     "DOMException", "Event", "EventTarget",
    "FormData",        "Headers",        "Request",         "Response",     "atob",  "btoa",
    "performance",     "queueMicrotask", "structuredClone", "fetch"};
#define FETCH (countof(web_names) - 1)

/* Per VU: what the libraries gave, undefined until then. */
struct web_state {
    JSValue url, web;
};

static struct web_state *state_of(struct vu *vu) {
    struct web_state *s = vu->module_state[JS_SLOT_WEB];
    if (!s) {
        s = vu->module_state[JS_SLOT_WEB] = xmalloc(sizeof *s);
        s->url = s->web = JS_UNDEFINED;
    }
    return s;
}

/* ---------------------------------------------------------------- the host of web.js */

static _Atomic int64_t origin_ns, origin_wall_ns;

static void set_origin(void) {
    int64_t none = 0;
    if (atomic_compare_exchange_strong(&origin_ns, &none, clock_now_ns()))
        atomic_store(&origin_wall_ns, clock_wall_ns());
}

static JSValue js_now(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    (void)argc;
    (void)argv;
    return JS_NewFloat64(ctx,
                         (double)(clock_now_ns() - atomic_load(&origin_ns)) / (double)NS_PER_MS);
}

static JSValue host_object(struct vu *vu) {
    JSContext *ctx = vu->ctx;
    if (http_module_need(vu))
        return JS_EXCEPTION;
    set_origin();
    JSValue host = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, host, "asyncRequest",
                      JS_NewCFunction(ctx, http_js_async_request, "asyncRequest", 4));
    JS_SetPropertyStr(ctx, host, "Blob", js_blob_class(ctx));
    js_text_coding_register(ctx, host);
    JS_SetPropertyStr(ctx, host, "now", JS_NewCFunction(ctx, js_now, "now", 0));
    JS_SetPropertyStr(ctx, host, "startedAt",
                      JS_NewFloat64(ctx, (double)atomic_load(&origin_wall_ns) / (double)NS_PER_MS));
    return host;
}

/* ---------------------------------------------------------------- libraries */

static JSValueConst url_object(struct vu *vu) {
    JSContext *ctx = vu->ctx;
    struct web_state *s = state_of(vu);
    if (!JS_IsUndefined(s->url))
        return s->url;
    JSValue make = js_library_load(ctx, &url_library), made = JS_EXCEPTION;
    if (!JS_IsException(make)) {
        JSValue coding = JS_NewObject(ctx);
        js_text_coding_register(ctx, coding);
        made = JS_Call(ctx, make, JS_UNDEFINED, 1, (JSValueConst[]){coding});
        JS_FreeValue(ctx, coding);
    }
    JS_FreeValue(ctx, make);
    if (!JS_IsException(made))
        s->url = made;
    return made;
}

static JSValueConst web_object(struct vu *vu) {
    JSContext *ctx = vu->ctx;
    struct web_state *s = state_of(vu);
    if (!JS_IsUndefined(s->web))
        return s->web;
    JSValueConst url = url_object(vu);
    JSValue host = JS_IsException(url) ? JS_EXCEPTION : host_object(vu);
    JSValue make = JS_IsException(host) ? JS_EXCEPTION : js_library_load(ctx, &web_library);
    JSValue made = JS_EXCEPTION;
    if (!JS_IsException(make))
        made = JS_Call(ctx, make, JS_UNDEFINED, 2, (JSValueConst[]){host, url});
    JS_FreeValue(ctx, make);
    JS_FreeValue(ctx, host);
    if (!JS_IsException(made))
        s->web = made;
    return made;
}

static JSValue value_of(JSContext *ctx, JSAtom name) {
    struct vu *vu = vu_from_ctx(ctx);
    const char *text = JS_AtomToCString(ctx, name);
    bool is_url = false;
    for (size_t i = 0; text && i < countof(url_names); i++)
        is_url |= strcmp(text, url_names[i]) == 0;
    JS_FreeCString(ctx, text);
    JSValueConst from = is_url ? url_object(vu) : web_object(vu);
    return JS_IsException(from) ? JS_EXCEPTION : JS_GetProperty(ctx, from, name);
}

void js_web_register(JSContext *ctx, JSValueConst global, bool has_fetch) {
    for (size_t i = 0; i < countof(url_names); i++)
        JS_DefineLazyProperty(ctx, global, url_names[i], value_of);
    for (size_t i = 0; i < countof(web_names); i++)
        if (i != FETCH || has_fetch)
            JS_DefineLazyProperty(ctx, global, web_names[i], value_of);
}

/* ---------------------------------------------------------------- k6/x/web */

static int declare(JSContext *ctx, JSModuleDef *m) {
    int rc = 0;
    for (size_t i = 0; i < countof(url_names); i++)
        rc |= JS_AddModuleExport(ctx, m, url_names[i]);
    for (size_t i = 0; i < countof(web_names); i++)
        rc |= JS_AddModuleExport(ctx, m, web_names[i]);
    return rc;
}

static int export_all(JSContext *ctx, JSModuleDef *m, JSValueConst from, const char *const *names,
                      size_t n) {
    int rc = JS_IsException(from) ? -1 : 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = JS_SetModuleExport(ctx, m, names[i], JS_GetPropertyStr(ctx, from, names[i]));
    return rc;
}

static int init(JSContext *ctx, JSModuleDef *m) {
    struct vu *vu = vu_from_ctx(ctx);
    return export_all(ctx, m, web_object(vu), web_names, countof(web_names)) ||
                   export_all(ctx, m, url_object(vu), url_names, countof(url_names))
               ? -1
               : 0;
}

static void module_free(struct vu *vu) {
    struct web_state *s = vu->module_state[JS_SLOT_WEB];
    if (!s)
        return;
    JS_FreeValue(vu->ctx, s->url);
    JS_FreeValue(vu->ctx, s->web);
    free(s);
    vu->module_state[JS_SLOT_WEB] = NULL;
}

const struct js_module js_mod_web = {
    .specifier = "k6/x/web", .declare = declare, .init = init, .free = module_free};
