/* The exports of k6/browser. The JavaScript behind them costs a VU some 800 KiB, and in most tests
 * with browsers most VUs use none: an export is an empty object until somebody looks into it. */
#include <stdlib.h>

#include "base/check.h"
#include "js/mod/browser_internal.h"

struct export {
    const char *face, *name;
    JSValue real; /* undefined = not looked into yet */
};

static JSClassID export_class;

/* The object itself; JS_EXCEPTION when the API cannot be made. Not a new reference. */
static JSValue real_of(JSContext *ctx, JSValueConst obj) {
    struct export *e = JS_GetOpaque(obj, export_class);
    if (!JS_IsUndefined(e->real))
        return e->real;
    struct browser_module *m = browser_module_of(vu_from_ctx(ctx));
    if (!m || !browser_api_load(m))
        return JS_EXCEPTION;
    JSValue all = JS_GetPropertyStr(ctx, m->api, e->face);
    JSValue real = JS_GetPropertyStr(ctx, all, e->name);
    JS_FreeValue(ctx, all);
    if (!JS_IsException(real))
        e->real = real;
    return real;
}

static int get_own(JSContext *ctx, JSPropertyDescriptor *desc, JSValueConst obj, JSAtom prop) {
    JSValue real = real_of(ctx, obj);
    return JS_IsException(real) ? -1 : JS_GetOwnProperty(ctx, desc, real, prop);
}

static int get_names(JSContext *ctx, JSPropertyEnum **out, uint32_t *out_len, JSValueConst obj) {
    JSValue real = real_of(ctx, obj);
    return JS_IsException(real) ? -1
                                : JS_GetOwnPropertyNames(ctx, out, out_len, real,
                                                         JS_GPN_STRING_MASK | JS_GPN_SYMBOL_MASK);
}

static int delete_own(JSContext *ctx, JSValueConst obj, JSAtom prop) {
    JSValue real = real_of(ctx, obj);
    return JS_IsException(real) ? -1 : JS_DeleteProperty(ctx, real, prop, 0);
}

static int define_own(JSContext *ctx, JSValueConst obj, JSAtom prop, JSValueConst val,
                      JSValueConst getter, JSValueConst setter, int flags) {
    JSValue real = real_of(ctx, obj);
    return JS_IsException(real) ? -1
                                : JS_DefineProperty(ctx, real, prop, val, getter, setter, flags);
}

static void finalize(JSRuntime *rt, JSValue v) {
    struct export *e = JS_GetOpaque(v, export_class);
    if (!e)
        return;
    JS_FreeValueRT(rt, e->real);
    free(e);
}

static void mark(JSRuntime *rt, JSValueConst v, JS_MarkFunc *func) {
    struct export *e = JS_GetOpaque(v, export_class);
    if (e)
        JS_MarkValue(rt, e->real, func);
}

static JSClassExoticMethods exotic = {
    .get_own_property = get_own,
    .get_own_property_names = get_names,
    .delete_property = delete_own,
    .define_own_property = define_own,
};
static const JSClassDef class_def = {"Object", .finalizer = finalize, .gc_mark = mark,
                                     .exotic = &exotic};

void browser_exports_register(JSContext *ctx) {
    JS_NewClassID(&export_class);
    JS_NewClass(JS_GetRuntime(ctx), export_class, &class_def);
    JSValue plain = JS_NewObject(ctx);
    JS_SetClassProto(ctx, export_class, JS_GetPrototype(ctx, plain));
    JS_FreeValue(ctx, plain);
}

JSValue browser_export_new(JSContext *ctx, const char *face, const char *name) {
    struct export *e = xcalloc(1, sizeof *e);
    *e = (struct export){face, name, JS_UNDEFINED};
    JSValue v = JS_NewObjectClass(ctx, (int)export_class);
    JS_SetOpaque(v, e);
    return v;
}
