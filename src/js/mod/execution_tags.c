#include "js/mod/execution_tags.h"

#include <stdlib.h>

#include "base/check.h"
#include "js/js_util.h"
#include "js/vu_tags.h"
#include "metrics/tags.h"

static JSClassID tags_class, metadata_class;

static bool is_accepted(JSValueConst v) {
    return JS_IsString(v) || JS_IsBool(v) || JS_IsNumber(v);
}

static int give(JSContext *ctx, JSPropertyDescriptor *desc, struct slice value) {
    if (!value.ptr)
        return 0;
    if (desc) {
        desc->flags = JS_PROP_C_W_E;
        desc->value = JS_NewStringLen(ctx, value.ptr, value.len);
        desc->getter = desc->setter = JS_UNDEFINED;
    }
    return 1;
}

static int add_name(JSContext *ctx, JSPropertyEnum *names, uint32_t i, struct slice key) {
    names[i].atom = JS_NewAtomLen(ctx, key.ptr, key.len);
    names[i].is_enumerable = 1;
    return names[i].atom == JS_ATOM_NULL ? -1 : 0;
}

/* ---- tags ---- */

static const struct tagset *tags_of(JSContext *ctx) {
    struct vu *vu = vu_from_ctx(ctx);
    return vu->shard ? vu->tags : NULL;
}

static int tags_get(JSContext *ctx, JSPropertyDescriptor *desc, JSValueConst obj, JSAtom prop) {
    (void)obj;
    const struct tagset *tags = tags_of(ctx);
    const char *name = tags ? JS_AtomToCString(ctx, prop) : NULL;
    if (!name)
        return 0;
    int found = give(ctx, desc, tagset_get(tags, slice_cstr(name)));
    JS_FreeCString(ctx, name);
    return found;
}

static int tags_names(JSContext *ctx, JSPropertyEnum **out, uint32_t *out_len, JSValueConst obj) {
    (void)obj;
    const struct tagset *tags = tags_of(ctx);
    *out_len = tags ? tags->len : 0;
    *out = js_malloc(ctx, sizeof **out * (*out_len + 1));
    if (!*out)
        return -1;
    for (uint32_t i = 0; i < *out_len; i++)
        add_name(ctx, *out, i, tags->tags[i].key);
    return 0;
}

static int tags_delete(JSContext *ctx, JSValueConst obj, JSAtom prop) {
    (void)obj;
    const char *name = JS_AtomToCString(ctx, prop);
    if (!name)
        return -1;
    vu_tag_delete(vu_from_ctx(ctx), slice_cstr(name));
    JS_FreeCString(ctx, name);
    return 1;
}

/* Sets one from a script's value; noun is "tag", nouns what k6 calls the values. */
static int define(JSContext *ctx, JSAtom prop, JSValueConst val, const char *noun,
                  const char *nouns, void (*set)(struct vu *, struct slice, struct slice)) {
    struct js_text text;
    const char *name = JS_AtomToCString(ctx, prop);
    int rc = -1;
    if (!name)
        return -1;
    if (!is_accepted(val)) {
        JS_ThrowTypeError(
            ctx,
            "invalid value for metric %s '%s': only String, Boolean and Number types are accepted as a "
            "metric %s",
            noun, name, nouns);
    } else if (js_text_get(ctx, val, &text)) {
        set(vu_from_ctx(ctx), slice_cstr(name), text.s);
        js_text_release(&text);
        rc = 1;
    }
    JS_FreeCString(ctx, name);
    return rc;
}

static int tags_define(JSContext *ctx, JSValueConst obj, JSAtom prop, JSValueConst val,
                       JSValueConst getter, JSValueConst setter, int flags) {
    (void)obj;
    (void)getter;
    (void)setter;
    (void)flags;
    return define(ctx, prop, val, "tag", "tag values", vu_tag_set);
}

/* ---- metadata ---- */

static void metadata_intern(struct vu *vu) {
    struct map_entry *e;
    if (!vu->shard)
        return;
    const struct tagset *set = NULL;
    for (size_t i = 0; (e = map_next(&vu->metadata, &i));) {
        struct tag_table *t = shard_tags(vu->shard);
        set = tagset_with(t, set ? set : tagset_empty(t), e->key, slice_cstr(e->value));
    }
    vu->meta_custom = set;
}

static void metadata_set(struct vu *vu, struct slice key, struct slice value) {
    free(map_set(&vu->metadata, key, slice_dup(value)));
    metadata_intern(vu);
}

void vu_metadata_set(struct vu *vu, struct slice key, struct slice value) {
    if (!vu->shard || !((const struct shard_head *)vu->shard)->raw)
        return;
    if (value.ptr) {
        metadata_set(vu, key, value);
    } else {
        free(map_delete(&vu->metadata, key));
        metadata_intern(vu);
    }
}

static int metadata_get(JSContext *ctx, JSPropertyDescriptor *desc, JSValueConst obj, JSAtom prop) {
    (void)obj;
    const char *name = JS_AtomToCString(ctx, prop);
    if (!name)
        return -1;
    const char *v = map_get(&vu_from_ctx(ctx)->metadata, slice_cstr(name));
    JS_FreeCString(ctx, name);
    return v ? give(ctx, desc, slice_cstr(v)) : 0;
}

static int metadata_names(JSContext *ctx, JSPropertyEnum **out, uint32_t *out_len,
                          JSValueConst obj) {
    (void)obj;
    const struct map *m = &vu_from_ctx(ctx)->metadata;
    struct map_entry *e;
    *out_len = 0;
    *out = js_malloc(ctx, sizeof **out * (m->len + 1));
    if (!*out)
        return -1;
    for (size_t i = 0; (e = map_next(m, &i));)
        add_name(ctx, *out, (*out_len)++, e->key);
    return 0;
}

static int metadata_delete(JSContext *ctx, JSValueConst obj, JSAtom prop) {
    (void)obj;
    struct vu *vu = vu_from_ctx(ctx);
    const char *name = JS_AtomToCString(ctx, prop);
    if (!name)
        return -1;
    free(map_delete(&vu->metadata, slice_cstr(name)));
    metadata_intern(vu);
    JS_FreeCString(ctx, name);
    return 1;
}

static int metadata_define(JSContext *ctx, JSValueConst obj, JSAtom prop, JSValueConst val,
                           JSValueConst getter, JSValueConst setter, int flags) {
    (void)obj;
    (void)getter;
    (void)setter;
    (void)flags;
    return define(ctx, prop, val, "metadata", "metadata value", metadata_set);
}

static JSClassExoticMethods tags_exotic = {
    .get_own_property = tags_get,
    .get_own_property_names = tags_names,
    .delete_property = tags_delete,
    .define_own_property = tags_define,
};
static JSClassExoticMethods metadata_exotic = {
    .get_own_property = metadata_get,
    .get_own_property_names = metadata_names,
    .delete_property = metadata_delete,
    .define_own_property = metadata_define,
};
static const JSClassDef tags_def = {"Object", .exotic = &tags_exotic};
static const JSClassDef metadata_def = {"Object", .exotic = &metadata_exotic};

void execution_tags_register(JSContext *ctx) {
    JSRuntime *rt = JS_GetRuntime(ctx);
    JS_NewClassID(&tags_class);
    JS_NewClassID(&metadata_class);
    JS_NewClass(rt, tags_class, &tags_def);
    JS_NewClass(rt, metadata_class, &metadata_def);
    JSValue plain = JS_NewObject(ctx);
    JS_SetClassProto(ctx, tags_class, JS_GetPrototype(ctx, plain));
    JS_SetClassProto(ctx, metadata_class, JS_GetPrototype(ctx, plain));
    JS_FreeValue(ctx, plain);
}

JSValue execution_tags_new(JSContext *ctx) {
    return JS_NewObjectClass(ctx, (int)tags_class);
}

JSValue execution_metadata_new(JSContext *ctx) {
    return JS_NewObjectClass(ctx, (int)metadata_class);
}
