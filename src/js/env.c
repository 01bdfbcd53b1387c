#include <stdlib.h>

#include "base/check.h"
#include "js/globals.h"
#include "js/script_internal.h"

/* A VU that never looks at __ENV has no copy of it. The first change turns the view into an
 * ordinary object behind the same identity: `own` then holds everything. */
struct env {
    const struct map *scenario, *script;
    bool is_own;
    JSValue own;
};

static JSClassID env_class;

static const char *env_find(const struct env *e, const char *name) {
    const char *v = e->scenario ? map_get(e->scenario, slice_cstr(name)) : NULL;
    return v ? v : map_get(e->script, slice_cstr(name));
}

static void env_copy(JSContext *ctx, JSValue dst, const struct map *src) {
    struct map_entry *entry;
    for (size_t i = 0; src && (entry = map_next(src, &i));)
        JS_SetPropertyStr(ctx, dst, entry->key.ptr, JS_NewString(ctx, entry->value));
}

static void env_make_own(JSContext *ctx, struct env *e) {
    if (e->is_own)
        return;
    e->own = JS_NewObject(ctx);
    env_copy(ctx, e->own, e->script);
    env_copy(ctx, e->own, e->scenario);
    e->is_own = true;
}

static int env_get_own(JSContext *ctx, JSPropertyDescriptor *desc, JSValueConst obj, JSAtom prop) {
    struct env *e = JS_GetOpaque(obj, env_class);
    if (e->is_own)
        return JS_GetOwnProperty(ctx, desc, e->own, prop);
    JSValue key = JS_AtomToValue(ctx, prop);
    bool is_symbol = JS_IsSymbol(key);
    JS_FreeValue(ctx, key);
    if (is_symbol)
        return 0;
    const char *name = JS_AtomToCString(ctx, prop);
    if (!name)
        return -1;
    const char *v = env_find(e, name);
    JS_FreeCString(ctx, name);
    if (!v)
        return 0;
    if (desc) {
        desc->flags = JS_PROP_C_W_E;
        desc->value = JS_NewString(ctx, v);
        desc->getter = desc->setter = JS_UNDEFINED;
    }
    return 1;
}

static int env_names(JSContext *ctx, JSPropertyEnum **out, uint32_t *out_len, JSValueConst obj) {
    struct env *e = JS_GetOpaque(obj, env_class);
    env_make_own(ctx, e);
    return JS_GetOwnPropertyNames(ctx, out, out_len, e->own,
                                  JS_GPN_STRING_MASK | JS_GPN_SYMBOL_MASK);
}

static int env_delete(JSContext *ctx, JSValueConst obj, JSAtom prop) {
    struct env *e = JS_GetOpaque(obj, env_class);
    env_make_own(ctx, e);
    return JS_DeleteProperty(ctx, e->own, prop, 0);
}

static int env_define(JSContext *ctx, JSValueConst obj, JSAtom prop, JSValueConst val,
                      JSValueConst getter, JSValueConst setter, int flags) {
    struct env *e = JS_GetOpaque(obj, env_class);
    env_make_own(ctx, e);
    return JS_DefineProperty(ctx, e->own, prop, val, getter, setter, flags);
}

static void env_finalize(JSRuntime *rt, JSValue v) {
    struct env *e = JS_GetOpaque(v, env_class);
    if (!e)
        return;
    JS_FreeValueRT(rt, e->own);
    free(e);
}

static void env_mark(JSRuntime *rt, JSValueConst v, JS_MarkFunc *mark) {
    struct env *e = JS_GetOpaque(v, env_class);
    if (e)
        JS_MarkValue(rt, e->own, mark);
}

static JSClassExoticMethods env_exotic = {
    .get_own_property = env_get_own,
    .get_own_property_names = env_names,
    .delete_property = env_delete,
    .define_own_property = env_define,
};
static const JSClassDef env_def = {"Object", .finalizer = env_finalize, .gc_mark = env_mark,
                                   .exotic = &env_exotic};

void js_env_register(JSContext *ctx) {
    JS_NewClassID(&env_class);
    JS_NewClass(JS_GetRuntime(ctx), env_class, &env_def);
    JSValue plain = JS_NewObject(ctx);
    JS_SetClassProto(ctx, env_class, JS_GetPrototype(ctx, plain));
    JS_FreeValue(ctx, plain);
}

static JSValue frozen_env(JSContext *ctx, const struct map *script, const struct map *scenario) {
    const struct map *maps[] = {script, scenario};
    struct map_entry *entry;
    JSValue v = JS_NewObject(ctx);
    for (size_t m = 0; m < countof(maps); m++)
        for (size_t i = 0; maps[m] && (entry = map_next(maps[m], &i));)
            if (m > 0 || !scenario || !map_has(scenario, entry->key))
                JS_DefinePropertyValueStr(ctx, v, entry->key.ptr, JS_NewString(ctx, entry->value),
                                          JS_PROP_ENUMERABLE);
    JS_PreventExtensions(ctx, v);
    return v;
}

JSValue js_env_new(struct vu *vu, const struct map *scenario_env) {
    if (vu->script->is_env_frozen)
        return frozen_env(vu->ctx, &vu->script->env, scenario_env);
    struct env *e = xcalloc(1, sizeof *e);
    e->script = &vu->script->env;
    e->scenario = scenario_env;
    e->own = JS_UNDEFINED;
    JSValue v = JS_NewObjectClass(vu->ctx, (int)env_class);
    JS_SetOpaque(v, e);
    return v;
}
