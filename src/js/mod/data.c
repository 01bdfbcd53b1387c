#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/vec.h"
#include "js/js_util.h"
#include "js/mod.h"
#include "js/mod/shared_array.h"
#include "js/script_internal.h"

static JSClassID array_class;

static void shared_array_free(void *arg) {
    struct shared_array *a = arg;
    if (a->source)
        a->source->free(a->of_source);
    free(a->json);
    free(a->offsets);
    free(a);
}

/* ---- elements ---- */

static JSValue parse_element(JSContext *ctx, const struct shared_array *a, size_t i) {
    if (!a->source) {
        const char *json = a->json + a->offsets[i];
        return JS_ParseJSON(ctx, json, a->offsets[i + 1] - a->offsets[i] - 1, "SharedArray");
    }
    struct buf json;
    struct error err;
    buf_init(&json, BUF_NO_CAP);
    JSValue v = a->source->put(a->of_source, i, &json, &err)
                    ? js_throw_go_error(ctx, "failed to read record; reason: %s", err.text)
                    : JS_ParseJSON(ctx, buf_cstr(&json), json.len, "SharedArray");
    buf_release(&json);
    return v;
}

static JSValue element(JSContext *ctx, const struct shared_array *a, size_t i) {
    JSValue v = parse_element(ctx, a, i);
    if (!JS_IsException(v) && js_freeze_deep(ctx, v)) {
        JS_FreeValue(ctx, v);
        return JS_EXCEPTION;
    }
    return v;
}

/* ---- the array object ---- */

enum key { KEY_OTHER, KEY_INDEX, KEY_LENGTH };

static enum key parse_key(JSContext *ctx, JSAtom prop, size_t *out_index) {
    enum key kind = KEY_OTHER;
    uint64_t n;
    const char *name = JS_AtomToCString(ctx, prop);
    if (!name) { /* a symbol has no such form */
        JS_FreeValue(ctx, JS_GetException(ctx));
        return KEY_OTHER;
    }
    if (strcmp(name, "length") == 0) {
        kind = KEY_LENGTH;
    } else if (slice_to_u64(slice_cstr(name), &n) && (name[0] != '0' || name[1] == '\0')) {
        kind = KEY_INDEX;
        *out_index = (size_t)n;
    }
    JS_FreeCString(ctx, name);
    return kind;
}

static int array_get_own(JSContext *ctx, JSPropertyDescriptor *desc, JSValueConst obj,
                         JSAtom prop) {
    const struct shared_array *a = JS_GetOpaque(obj, array_class);
    size_t i = 0;
    enum key kind = parse_key(ctx, prop, &i);
    if (kind == KEY_OTHER || (kind == KEY_INDEX && i >= a->len))
        return 0;
    if (desc) {
        desc->flags = kind == KEY_INDEX ? JS_PROP_C_W_E : JS_PROP_WRITABLE;
        desc->getter = desc->setter = JS_UNDEFINED;
        desc->value = kind == KEY_INDEX ? element(ctx, a, i) : JS_NewInt64(ctx, (int64_t)a->len);
        if (JS_IsException(desc->value))
            return -1;
    }
    return 1;
}

static int array_names(JSContext *ctx, JSPropertyEnum **out, uint32_t *out_len, JSValueConst obj) {
    const struct shared_array *a = JS_GetOpaque(obj, array_class);
    *out_len = (uint32_t)a->len + 1;
    *out = js_malloc(ctx, sizeof **out * *out_len);
    if (!*out)
        return -1;
    for (uint32_t i = 0; i < a->len; i++) {
        (*out)[i].atom = JS_NewAtomUInt32(ctx, i);
        (*out)[i].is_enumerable = 1;
    }
    (*out)[a->len].atom = JS_NewAtom(ctx, "length");
    (*out)[a->len].is_enumerable = 0;
    return 0;
}

static int array_delete(JSContext *ctx, JSValueConst obj, JSAtom prop) {
    size_t i = 0;
    (void)obj;
    if (parse_key(ctx, prop, &i) == KEY_OTHER)
        return 1;
    JS_ThrowTypeError(ctx, "SharedArray is immutable");
    return -1;
}

static int array_define(JSContext *ctx, JSValueConst obj, JSAtom prop, JSValueConst val,
                        JSValueConst getter, JSValueConst setter, int flags) {
    (void)obj;
    (void)prop;
    (void)val;
    (void)getter;
    (void)setter;
    (void)flags;
    JS_ThrowTypeError(ctx, "SharedArray is immutable");
    return -1;
}

static JSClassExoticMethods array_exotic = {
    .get_own_property = array_get_own,
    .get_own_property_names = array_names,
    .delete_property = array_delete,
    .define_own_property = array_define,
};
static const JSClassDef array_def = {"Array", .exotic = &array_exotic};

/* ---- construction ---- */

struct builder {
    struct buf json;
    VEC(size_t) offsets;
};

static int add_element(struct builder *b, JSContext *ctx, JSValueConst array, uint32_t i) {
    JSValue v = JS_GetPropertyUint32(ctx, array, i);
    JSValue json =
        JS_IsException(v) ? JS_EXCEPTION : JS_JSONStringify(ctx, v, JS_UNDEFINED, JS_UNDEFINED);
    struct js_text text;
    JS_FreeValue(ctx, v);
    if (JS_IsException(json) || !js_text_get(ctx, json, &text)) {
        JS_FreeValue(ctx, json);
        return -1;
    }
    vec_push(&b->offsets, b->json.len);
    buf_append(&b->json, text.s.ptr, text.s.len);
    buf_append_char(&b->json, '\0');
    js_text_release(&text);
    JS_FreeValue(ctx, json);
    return 0;
}

static struct shared_array *build(JSContext *ctx, JSValueConst fn) {
    struct builder b = {0};
    struct shared_array *a = NULL;
    JSValue array = JS_Call(ctx, fn, JS_UNDEFINED, 0, NULL);
    uint32_t len = 0;
    buf_init(&b.json, BUF_NO_CAP);
    if (JS_IsException(array))
        goto out;
    if (JS_IsUndefined(array) || JS_IsNull(array)) {
        JS_ThrowTypeError(ctx, "Cannot convert undefined or null to object");
        goto out;
    }
    if (JS_IsArray(ctx, array) <= 0) {
        js_throw_go_error(ctx, "only arrays can be made into SharedArray");
        goto out;
    }
    JSValue length = JS_GetPropertyStr(ctx, array, "length");
    JS_ToUint32(ctx, &len, length);
    JS_FreeValue(ctx, length);
    for (uint32_t i = 0; i < len; i++) {
        if (add_element(&b, ctx, array, i))
            goto out;
    }
    vec_push(&b.offsets, b.json.len);
    a = xcalloc(1, sizeof *a);
    a->json = buf_detach(&b.json, NULL);
    a->offsets = b.offsets.ptr;
    a->len = len;
    b.offsets.ptr = NULL;
out:
    JS_FreeValue(ctx, array);
    buf_release(&b.json);
    vec_release(&b.offsets);
    return a;
}

struct shared_array *shared_array_find(struct script *s, struct slice name) {
    pthread_mutex_lock(&s->shared_lock);
    struct shared_array *a = map_get(&s->shared_arrays, name);
    pthread_mutex_unlock(&s->shared_lock);
    return a;
}

struct shared_array *shared_array_publish(struct script *s, struct slice name,
                                          struct shared_array *a) {
    pthread_mutex_lock(&s->shared_lock);
    struct shared_array *known = map_get(&s->shared_arrays, name);
    if (!known)
        map_set(&s->shared_arrays, name, a);
    s->free_shared_array = shared_array_free;
    pthread_mutex_unlock(&s->shared_lock);
    if (known)
        shared_array_free(a);
    return known ? known : a;
}

static JSValue js_shared_array(JSContext *ctx, JSValueConst new_target, int argc,
                               JSValueConst *argv) {
    (void)new_target;
    struct vu *vu = vu_from_ctx(ctx);
    struct js_text name;
    JSValueConst fn = argc > 1 ? argv[1] : JS_UNDEFINED;
    if (!vu->is_init)
        return js_throw_go_error(ctx, "new SharedArray must be called in the init context");
    if (!js_text_get(ctx, argc > 0 ? argv[0] : JS_UNDEFINED, &name))
        return JS_EXCEPTION;
    JSValue ret = JS_EXCEPTION;
    if (name.s.len == 0) {
        js_throw_go_error(ctx, "empty name provided to SharedArray's constructor");
    } else if (JS_IsAsyncFunction(fn)) {
        js_throw_go_error(
            ctx, "SharedArray constructor does not support async functions as second argument");
    } else if (!JS_IsFunction(ctx, fn)) {
        js_throw_go_error(
            ctx, "a function is expected as the second argument of SharedArray's constructor");
    } else {
        struct shared_array *a = shared_array_find(vu->script, name.s);
        if (!a && (a = build(ctx, fn)))
            a = shared_array_publish(vu->script, name.s, a);
        if (a)
            ret = shared_array_object(ctx, a);
    }
    js_text_release(&name);
    return ret;
}

JSValue shared_array_object(JSContext *ctx, struct shared_array *a) {
    JSRuntime *rt = JS_GetRuntime(ctx);
    JS_NewClassID(&array_class);
    if (!JS_IsRegisteredClass(rt, array_class)) {
        JS_NewClass(rt, array_class, &array_def);
        JS_SetDynamicArrayClass(rt, array_class);
        JSValue plain = JS_NewArray(ctx);
        JS_SetClassProto(ctx, array_class, JS_GetPrototype(ctx, plain));
        JS_FreeValue(ctx, plain);
    }
    JSValue o = JS_NewObjectClass(ctx, (int)array_class);
    JS_SetOpaque(o, a);
    return o;
}

static int declare(JSContext *ctx, JSModuleDef *m) {
    return JS_AddModuleExport(ctx, m, "SharedArray");
}

static int init(JSContext *ctx, JSModuleDef *m) {
    JSValue f =
        JS_NewCFunction2(ctx, js_shared_array, "SharedArray", 2, JS_CFUNC_constructor_or_func, 0);
    return JS_SetModuleExport(ctx, m, "SharedArray", f);
}

const struct js_module js_mod_data = {.specifier = "k6/data", .declare = declare, .init = init};
