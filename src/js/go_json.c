#include "js/go_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/json_write.h"
#include "js/js_util.h"
#include "js/stack_guard.h"

struct export {
    JSContext *ctx;
    struct json_writer w;
    struct error *err;
};
struct parent {
    const struct parent *outer;
    void *object;
};

static int put(struct export *e, JSValueConst v, const struct parent *outer);

static int unsupported(struct export *e, const char *what) {
    return error_set(e->err, KE_INVALID, "json: unsupported %s", what);
}

static int unsupported_function(struct export *e) {
    return error_set(e->err, KE_INVALID, "json: unsupported type: %s",
                     compat_text(COMPAT_GO_FUNCTION));
}

static int put_number(struct export *e, JSValueConst v) {
    double d;
    if (JS_ToFloat64(e->ctx, &d, v))
        return KE_JS;
    if (isnan(d))
        return unsupported(e, "value: NaN");
    if (isinf(d))
        return unsupported(e, d > 0 ? "value: +Inf" : "value: -Inf");
    if (d == 0)
        json_int(&e->w, 0);
    else
        json_double(&e->w, d);
    return 0;
}

static int put_text(struct export *e, JSValueConst v, bool is_raw) {
    struct js_text text;
    if (!js_text_get(e->ctx, v, &text))
        return KE_JS;
    if (is_raw)
        json_raw(&e->w, text.s);
    else
        json_string(&e->w, text.s);
    js_text_release(&text);
    return 0;
}

static int put_array(struct export *e, JSValueConst v, const struct parent *self) {
    JSValue len_value = JS_GetPropertyStr(e->ctx, v, "length");
    uint32_t len;
    int rc = JS_ToUint32(e->ctx, &len, len_value) ? KE_JS : 0;
    JS_FreeValue(e->ctx, len_value);
    json_array_begin(&e->w);
    for (uint32_t i = 0; i < len && rc == 0; i++) {
        JSValue item = JS_GetPropertyUint32(e->ctx, v, i);
        rc = JS_IsException(item) ? KE_JS : put(e, item, self);
        JS_FreeValue(e->ctx, item);
    }
    json_array_end(&e->w);
    return rc;
}

/* Array.from(v): a Map gives its pairs, a Set its values. */
static int put_iterable(struct export *e, JSValueConst v, const struct parent *self) {
    JSContext *ctx = e->ctx;
    JSValue global = JS_GetGlobalObject(ctx), array_class = JS_GetPropertyStr(ctx, global, "Array");
    JSAtom from = JS_NewAtom(ctx, "from");
    JSValue array = JS_Invoke(ctx, array_class, from, 1, &v);
    JS_FreeAtom(ctx, from);
    JS_FreeValue(ctx, array_class);
    JS_FreeValue(ctx, global);
    int rc = JS_IsException(array) ? KE_JS : put_array(e, array, self);
    JS_FreeValue(ctx, array);
    return rc;
}

/* Bytes are base64, as Go writes []byte. */
static int put_bytes(struct export *e, JSValueConst v) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *bytes = NULL;
    size_t len = 0;
    struct buf b;
    js_bytes(e->ctx, v, &bytes, &len);
    buf_init(&b, BUF_NO_CAP);
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t n = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                     (left > 2 ? bytes[i + 2] : 0);
        buf_append_char(&b, digits[n >> 18]);
        buf_append_char(&b, digits[n >> 12 & 63]);
        buf_append_char(&b, left > 1 ? digits[n >> 6 & 63] : '=');
        buf_append_char(&b, left > 2 ? digits[n & 63] : '=');
    }
    json_string(&e->w, slice_from(b.ptr ? b.ptr : "", b.len));
    buf_release(&b);
    return 0;
}

static int put_date(struct export *e, JSValueConst v) {
    double ms;
    char text[40];
    if (JS_ToFloat64(e->ctx, &ms, v))
        return KE_JS;
    if (isnan(ms))
        ms = 0;
    clock_format_rfc3339_nano((int64_t)ms * NS_PER_MS, text);
    json_cstr(&e->w, text);
    return 0;
}

static int cmp_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int put_properties(struct export *e, JSValueConst v, const struct parent *self) {
    JSContext *ctx = e->ctx;
    JSPropertyEnum *atoms;
    uint32_t len;
    if (JS_GetOwnPropertyNames(ctx, &atoms, &len, v, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return KE_JS;
    const char **names = xcalloc(len + 1, sizeof *names);
    for (uint32_t i = 0; i < len; i++)
        names[i] = JS_AtomToCString(ctx, atoms[i].atom);
    qsort(names, len, sizeof *names, cmp_names);
    int rc = 0;
    json_object_begin(&e->w);
    for (uint32_t i = 0; i < len && rc == 0; i++) {
        JSValue p = JS_GetPropertyStr(ctx, v, names[i]);
        json_key(&e->w, names[i]);
        rc = JS_IsException(p) ? KE_JS : put(e, p, self);
        JS_FreeValue(ctx, p);
    }
    json_object_end(&e->w);
    for (uint32_t i = 0; i < len; i++)
        JS_FreeCString(ctx, names[i]);
    free(names);
    js_free_names(ctx, atoms, len);
    return rc;
}

static bool is_class(JSContext *ctx, JSValueConst v, const char *class_name) {
    JSValue tag = JS_GetPropertyStr(ctx, v, "constructor");
    JSValue name = JS_IsObject(tag) ? JS_GetPropertyStr(ctx, tag, "name") : JS_UNDEFINED;
    const char *s = JS_IsString(name) ? JS_ToCString(ctx, name) : NULL;
    bool is = s && strcmp(s, class_name) == 0;
    JS_FreeCString(ctx, s);
    JS_FreeValue(ctx, name);
    JS_FreeValue(ctx, tag);
    if (JS_HasException(ctx))
        JS_FreeValue(ctx, JS_GetException(ctx));
    return is;
}

static int put_object(struct export *e, JSValueConst v, const struct parent *outer) {
    JSContext *ctx = e->ctx;
    struct parent self = {outer, JS_VALUE_GET_PTR(v)};
    for (const struct parent *p = outer; p; p = p->outer) {
        if (p->object == self.object)
            return unsupported(e, "value: encountered a cycle via map[string]interface {}");
    }
    if (js_stack_is_low(vu_from_ctx(ctx)))
        return unsupported(e, "value: nested too deeply");
    if (JS_IsFunction(ctx, v))
        return unsupported_function(e);
    if (JS_IsDateObject(v))
        return put_date(e, v);
    if (JS_IsArrayBufferObject(v) || JS_IsPromiseObject(v)) {
        json_raw(&e->w, SLICE("{}"));
        return 0;
    }
    int is_array = JS_IsArray(ctx, v), kind = JS_GetTypedArrayKind(v);
    if (kind == JS_TYPED_ARRAY_UINT8 || kind == JS_TYPED_ARRAY_UINT8C)
        return put_bytes(e, v);
    if (is_array || kind >= 0)
        return is_array < 0 ? KE_JS : put_array(e, v, &self);
    if (is_class(ctx, v, "Map") || is_class(ctx, v, "Set"))
        return put_iterable(e, v, &self);
    return put_properties(e, v, &self);
}

static int put(struct export *e, JSValueConst v, const struct parent *outer) {
    if (JS_IsUndefined(v) || JS_IsNull(v)) {
        json_null(&e->w);
        return 0;
    }
    if (JS_IsBool(v)) {
        json_bool(&e->w, JS_ToBool(e->ctx, v));
        return 0;
    }
    if (JS_IsNumber(v))
        return put_number(e, v);
    if (JS_IsObject(v))
        return put_object(e, v, outer);
    if (JS_IsSymbol(v)) {
        json_string(&e->w, SLICE(""));
        return 0;
    }
    return put_text(e, v, JS_IsBigInt(e->ctx, v));
}

int js_go_json(struct buf *out, JSContext *ctx, JSValueConst v, struct error *err) {
    struct export e = {.ctx = ctx, .err = err};
    json_write_init(&e.w, out, NULL, true);
    return put(&e, v, NULL);
}
