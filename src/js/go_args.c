#include "js/go_args.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/utf8.h"
#include "js/go_types.h"

static bool is_zero(int argc, JSValueConst *argv, int i) {
    return i >= argc || JS_IsUndefined(argv[i]) || JS_IsNull(argv[i]);
}

bool go_string_arg(JSContext *ctx, int argc, JSValueConst *argv, int i, struct js_text *out) {
    *out = (struct js_text){.s = SLICE(""), .ctx = ctx};
    if (!is_zero(argc, argv, i))
        return js_text_get(ctx, argv[i], out);
    JSValue empty = JS_NewString(ctx, "");
    bool is_good = js_text_get(ctx, empty, out);
    JS_FreeValue(ctx, empty);
    return is_good;
}

bool go_int_arg(JSContext *ctx, int argc, JSValueConst *argv, int i, int64_t *out) {
    *out = 0;
    return is_zero(argc, argv, i) || JS_ToInt64(ctx, out, argv[i]) == 0;
}

/* ---- bytes ---- */

static bool is_byte_array(JSValueConst v) {
    int kind = JS_GetTypedArrayKind(v);
    return kind == JS_TYPED_ARRAY_UINT8C || kind == JS_TYPED_ARRAY_UINT8;
}

bool go_bytes_get(JSContext *ctx, JSValueConst v, const char *prefix, struct go_bytes *out) {
    const uint8_t *ptr;
    size_t len;
    *out = (struct go_bytes){0};
    if (JS_IsString(v)) {
        if (!js_text_get(ctx, v, &out->text))
            return false;
        out->s = out->text.s;
        return true;
    }
    if ((JS_IsArrayBufferObject(v) || is_byte_array(v)) && js_bytes(ctx, v, &ptr, &len)) {
        out->s = slice_from((const char *)ptr, len);
        return true;
    }
    js_throw_go_error(ctx, "%sinvalid type %s, expected string, []byte or ArrayBuffer", prefix,
                      go_type_name(ctx, v));
    return false;
}

void go_bytes_release(struct go_bytes *b) {
    if (b->text.ctx)
        js_text_release(&b->text);
    *b = (struct go_bytes){0};
}

/* ---- results ---- */

JSValue go_string_new(JSContext *ctx, struct slice s) {
    struct buf b;
    struct slice rest = s;
    buf_init(&b, BUF_NO_CAP);
    bool is_clean = true;
    while (rest.len > 0) {
        uint32_t rune;
        size_t n = utf8_decode(rest, &rune);
        if (rune == UTF8_INVALID) {
            if (is_clean)
                buf_append(&b, s.ptr, s.len - rest.len);
            is_clean = false;
            buf_append_str(&b, "\xef\xbf\xbd");
        } else if (!is_clean) {
            buf_append(&b, rest.ptr, n);
        }
        rest = slice_from(rest.ptr + n, rest.len - n);
    }
    JSValue v = is_clean ? JS_NewStringLen(ctx, s.len ? s.ptr : "", s.len)
                         : JS_NewStringLen(ctx, b.ptr, b.len);
    buf_release(&b);
    return v;
}

/* The opaque pointer is the message (heap) of an error without properties. */
static JSClassID error_class;

static void error_finalizer(JSRuntime *rt, JSValue v) {
    (void)rt;
    free(JS_GetOpaque(v, error_class));
}

static const JSClassDef error_def = {"Object", .finalizer = error_finalizer};

static JSValue named_to_string(JSContext *ctx, JSValueConst e) {
    JSValue parts[3] = {JS_GetPropertyStr(ctx, e, "name"), JS_NewString(ctx, ": "),
                        JS_GetPropertyStr(ctx, e, "message")};
    struct buf b;
    bool is_good = true;
    buf_init(&b, BUF_NO_CAP);
    for (size_t i = 0; i < countof(parts); i++) {
        struct js_text text;
        is_good = is_good && js_text_get(ctx, parts[i], &text);
        if (is_good) {
            buf_append_slice(&b, text.s);
            js_text_release(&text);
        }
        JS_FreeValue(ctx, parts[i]);
    }
    JSValue ret = is_good ? JS_NewStringLen(ctx, b.ptr, b.len) : JS_EXCEPTION;
    buf_release(&b);
    return ret;
}

static JSValue error_to_string(JSContext *ctx, JSValueConst this_val, int argc,
                               JSValueConst *argv) {
    (void)argc;
    (void)argv;
    const char *message = go_is_error_value(this_val) ? JS_GetOpaque(this_val, error_class) : NULL;
    return message ? JS_NewString(ctx, message) : named_to_string(ctx, this_val);
}

static JSValue new_error_object(JSContext *ctx) {
    JSRuntime *rt = JS_GetRuntime(ctx);
    JS_NewClassID(&error_class);
    if (!JS_IsRegisteredClass(rt, error_class)) {
        JSValue proto = JS_NewObject(ctx);
        JS_NewClass(rt, error_class, &error_def);
        JS_DefinePropertyValueStr(ctx, proto, "toString",
                                  JS_NewCFunction(ctx, error_to_string, "toString", 0),
                                  JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
        JS_SetClassProto(ctx, error_class, proto);
    }
    return JS_NewObjectClass(ctx, (int)error_class);
}

JSValue go_error_value(JSContext *ctx, const char *name, const char *message) {
    JSValue e = new_error_object(ctx);
    if (name) {
        JS_SetPropertyStr(ctx, e, "name", JS_NewString(ctx, name));
        JS_SetPropertyStr(ctx, e, "message", JS_NewString(ctx, message));
    } else {
        JS_SetOpaque(e, xstrdup(message));
    }
    return e;
}

bool go_is_error_value(JSValueConst v) {
    return error_class != 0 && JS_IsObject(v) && JS_GetClassID(v) == error_class;
}

static JSValue error_words(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                           int magic, JSValue *data) {
    (void)this_val;
    (void)argc;
    (void)argv;
    (void)magic;
    return JS_DupValue(ctx, data[0]);
}

JSValue go_error_object(JSContext *ctx, const char *words) {
    JSValue e = new_error_object(ctx);
    JSValue text = go_string_new(ctx, slice_cstr(words));
    JS_DefinePropertyValueStr(
        ctx, e, "error", JS_NewCFunctionData(ctx, error_words, 0, 0, 1, &text), JS_PROP_ENUMERABLE);
    JS_FreeValue(ctx, text);
    JS_SetOpaque(e, xstrdup(words));
    return e;
}
