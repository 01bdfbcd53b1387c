#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/go_parse.h"
#include "js/go_types.h"
#include "js/js_util.h"
#include "metrics/tags.h"

bool js_text_get(JSContext *ctx, JSValueConst v, struct js_text *out) {
    size_t len;
    const char *p = JS_ToCStringLen(ctx, &len, v);
    if (!p)
        return false;
    out->s = slice_from(p, len);
    out->ctx = ctx;
    return true;
}

bool js_text_get_go(JSContext *ctx, JSValueConst v, struct js_text *out) {
    if (!JS_IsSymbol(v))
        return js_text_get(ctx, v, out);
    JSValue description = JS_GetPropertyStr(ctx, v, "description");
    if (JS_IsUndefined(description))
        description = JS_NewString(ctx, "");
    bool ok = js_text_get(ctx, description, out);
    JS_FreeValue(ctx, description);
    return ok;
}

void js_text_release(struct js_text *t) {
    JS_FreeCString(t->ctx, t->s.ptr);
    t->s = slice_from(NULL, 0);
}

JSValue js_throw_interrupted(JSContext *ctx) {
    return JS_ThrowUncatchable(ctx);
}

/* Which values k6 takes for a tag: strings, booleans and numbers. */
static bool is_tag_value(JSValueConst v) {
    return JS_IsString(v) || JS_IsBool(v) || JS_IsNumber(v) || JS_IsSymbol(v);
}

int js_tags_add(struct vu *vu, const struct tagset **tags, JSValueConst object, char **out_bad) {
    JSContext *ctx = vu->ctx;
    JSPropertyEnum *names;
    uint32_t len;
    int rc = 0;
    *out_bad = NULL;
    if (JS_IsUndefined(object) || JS_IsNull(object) || !JS_IsObject(object))
        return 0;
    if (JS_GetOwnPropertyNames(ctx, &names, &len, object, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return KE_JS;
    for (uint32_t i = 0; i < len && rc == 0; i++) {
        JSValue v = JS_GetProperty(ctx, object, names[i].atom);
        const char *key = JS_AtomToCString(ctx, names[i].atom);
        struct js_text text;
        if (JS_IsException(v) || !key) {
            rc = KE_JS;
        } else if (!is_tag_value(v)) {
            *out_bad = xasprintf(
                "invalid value for metric tag '%s': only String, Boolean and Number types are "
                "accepted as a metric tag values",
                key);
            rc = KE_INVALID;
        } else if (!js_text_get_go(ctx, v, &text)) {
            rc = KE_JS;
        } else {
            if (vu->shard)
                *tags = tagset_with(shard_tags(vu->shard), *tags, slice_cstr(key), text.s);
            js_text_release(&text);
        }
        JS_FreeCString(ctx, key);
        JS_FreeValue(ctx, v);
    }
    js_free_names(ctx, names, len);
    return rc;
}

const struct tagset *js_tags_from_object(struct vu *vu, const struct tagset *base,
                                         JSValueConst object) {
    char *bad;
    int rc = js_tags_add(vu, &base, object, &bad);
    if (rc == KE_INVALID)
        js_throw_go_error(vu->ctx, "%s", bad);
    free(bad);
    return rc == 0 ? base : NULL;
}

int js_duration(JSContext *ctx, JSValueConst v, int64_t *out_ns, struct error *err) {
    if (JS_IsNumber(v)) {
        double ms;
        JS_ToFloat64(ctx, &ms, v);
        bool is_held = !isnan(ms) && fabs(ms) <= 9e12;
        *out_ns = is_held ? (int64_t)(ms * (double)NS_PER_MS) : -1;
        return 0;
    }
    if (!JS_IsString(v))
        return error_set(err, KE_INVALID, "unable to use type %s as a duration value",
                         go_type_name(ctx, v));
    struct js_text text;
    if (!js_text_get(ctx, v, &text))
        return KE_JS;
    int rc = go_parse_duration_extended(text.s, out_ns, err);
    js_text_release(&text);
    return rc;
}

bool js_bytes(JSContext *ctx, JSValueConst v, const uint8_t **out, size_t *out_len) {
    (void)ctx;
    return JS_GetBytes(v, out, out_len);
}

bool js_require_vu_context(struct vu *vu, const char *message) {
    if (!vu->is_init)
        return true;
    js_throw_go_error(vu->ctx, "%s", message);
    return false;
}

int js_freeze_deep(JSContext *ctx, JSValueConst v) {
    JSPropertyEnum *names;
    uint32_t len;
    int rc = 0;
    if (!JS_IsObject(v))
        return 0;
    if (JS_FreezeObject(ctx, v) ||
        JS_GetOwnPropertyNames(ctx, &names, &len, v, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return -1;
    for (uint32_t i = 0; i < len && rc == 0; i++) {
        JSValue p = JS_GetProperty(ctx, v, names[i].atom);
        rc = JS_IsException(p) ? -1 : js_freeze_deep(ctx, p);
        JS_FreeValue(ctx, p);
    }
    js_free_names(ctx, names, len);
    return rc;
}
