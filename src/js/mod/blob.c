#include "js/mod/blob.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "js/go_args.h"
#include "js/go_types.h"
#include "js/mod/streams.h"

#define BLOB_MAX ((size_t)1 << 30)
#define CHUNK_BYTES 1024 /* of a stream */

struct blob_bytes { /* shared by the slices of a Blob */
    uint32_t refs;
    char ptr[];
};

struct blob {
    struct blob_bytes *bytes;
    struct slice view;
    char *type;
};

static JSClassID blob_class;

static void blob_finalizer(JSRuntime *rt, JSValue v) {
    (void)rt;
    struct blob *b = JS_GetOpaque(v, blob_class);
    if (!b)
        return;
    if (--b->bytes->refs == 0)
        free(b->bytes);
    free(b->type);
    free(b);
}

static const JSClassDef blob_class_def = {"Blob", .finalizer = blob_finalizer};

static JSValue new_blob(JSContext *ctx, struct blob_bytes *bytes, struct slice view,
                        struct slice type) {
    JSValue v = JS_NewObjectClass(ctx, (int)blob_class);
    if (JS_IsException(v))
        return v;
    struct blob *b = xmalloc(sizeof *b);
    bytes->refs++;
    *b = (struct blob){bytes, view, slice_dup(type)};
    JS_SetOpaque(v, b);
    return v;
}

JSValue js_blob_new(JSContext *ctx, struct slice s, struct slice type) {
    struct blob_bytes *bytes = xmalloc(sizeof *bytes + s.len + 1);
    bytes->refs = 1;
    if (s.len)
        memcpy(bytes->ptr, s.ptr, s.len);
    JSValue v = new_blob(ctx, bytes, slice_from(bytes->ptr, s.len), type);
    if (--bytes->refs == 0)
        free(bytes);
    return v;
}

bool js_blob_get(JSValueConst v, struct slice *out) {
    struct blob *b = blob_class ? JS_GetOpaque(v, blob_class) : NULL;
    if (b)
        *out = b->view;
    return b != NULL;
}

/* ---------------------------------------------------------------- constructor */

static bool append_part(JSContext *ctx, struct buf *out, JSValueConst part) {
    struct slice s;
    struct js_text text = {.ctx = NULL};
    const uint8_t *bytes;
    size_t len;
    if (js_bytes(ctx, part, &bytes, &len)) {
        s = slice_from((const char *)bytes, len);
    } else if (JS_IsString(part)) {
        if (!js_text_get(ctx, part, &text))
            return false;
        s = text.s;
    } else if (!js_blob_get(part, &s)) {
        js_throw_go_error(ctx, "failed to process [blobParts]: unsupported type: %s",
                          go_type_name(ctx, part));
        return false;
    }
    int rc = buf_append_slice(out, s);
    if (text.ctx)
        js_text_release(&text);
    if (rc)
        js_throw_go_error(ctx, "failed to process [blobParts]: too large");
    return rc == 0;
}

static bool append_parts(JSContext *ctx, struct buf *out, JSValueConst parts) {
    if (JS_IsUndefined(parts) || JS_IsNull(parts))
        return true;
    if (JS_IsArray(ctx, parts) <= 0) {
        js_throw_go_error(ctx, "failed to process [blobParts]: %s is not an array",
                          go_type_name(ctx, parts));
        return false;
    }
    int64_t n = 0;
    JSValue len = JS_GetPropertyStr(ctx, parts, "length");
    JS_ToInt64(ctx, &n, len);
    bool ok = true;
    for (int64_t i = 0; i < n && ok; i++) {
        JSValue part = JS_GetPropertyUint32(ctx, parts, (uint32_t)i);
        ok = !JS_IsException(part) && append_part(ctx, out, part);
        JS_FreeValue(ctx, part);
    }
    return ok;
}

static JSValue blob_constructor(JSContext *ctx, JSValueConst new_target, int argc,
                                JSValueConst *argv) {
    (void)new_target;
    struct buf bytes;
    struct js_text type = {.ctx = NULL};
    JSValue v = JS_EXCEPTION;
    buf_init(&bytes, BLOB_MAX);
    if (!append_parts(ctx, &bytes, argc > 0 ? argv[0] : JS_UNDEFINED))
        goto out;
    if (argc > 1 && !JS_IsUndefined(argv[1])) {
        if (!JS_IsObject(argv[1])) {
            js_throw_go_error(ctx, "[options] must be an object");
            goto out;
        }
        JSValue t = JS_GetPropertyStr(ctx, argv[1], "type");
        bool ok = JS_IsUndefined(t) || js_text_get(ctx, t, &type);
        JS_FreeValue(ctx, t);
        if (!ok)
            goto out;
    }
    v = js_blob_new(ctx, buf_slice(&bytes), type.ctx ? type.s : SLICE(""));
out:
    if (type.ctx)
        js_text_release(&type);
    buf_release(&bytes);
    return v;
}

/* ---------------------------------------------------------------- members */

static JSValue resolved(JSContext *ctx, JSValue v) {
    JSValue resolving[2];
    if (JS_IsException(v))
        return v;
    JSValue promise = JS_NewPromiseCapability(ctx, resolving);
    if (!JS_IsException(promise)) {
        JS_FreeValue(ctx, JS_Call(ctx, resolving[0], JS_UNDEFINED, 1, (JSValueConst *)&v));
        JS_FreeValue(ctx, resolving[0]);
        JS_FreeValue(ctx, resolving[1]);
    }
    JS_FreeValue(ctx, v);
    return promise;
}

enum member { SIZE, TYPE };
enum content { TEXT, ARRAY_BUFFER, BYTES };

static JSValue blob_member(JSContext *ctx, JSValueConst this_val, int magic) {
    struct blob *b = JS_GetOpaque(this_val, blob_class);
    if (!b)
        return JS_UNDEFINED;
    return magic == SIZE ? JS_NewInt64(ctx, (int64_t)b->view.len) : JS_NewString(ctx, b->type);
}

static JSValue blob_content(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                            int magic) {
    (void)argc;
    (void)argv;
    struct blob *b = JS_GetOpaque2(ctx, this_val, blob_class);
    if (!b)
        return JS_EXCEPTION;
    if (magic == TEXT)
        return resolved(ctx, go_string_new(ctx, b->view));
    JSValue v = JS_NewArrayBufferCopy(ctx, (const uint8_t *)b->view.ptr, b->view.len);
    if (magic == BYTES && !JS_IsException(v)) {
        JSValueConst args[3] = {v, JS_UNDEFINED, JS_UNDEFINED};
        JSValue array = JS_NewTypedArray(ctx, 3, args, JS_TYPED_ARRAY_UINT8);
        JS_FreeValue(ctx, v);
        v = array;
    }
    return resolved(ctx, v);
}

/* A bound of slice(): negative ones count from the end. */
static bool bound(JSContext *ctx, JSValueConst v, size_t len, size_t *out) {
    double n;
    if (JS_ToFloat64(ctx, &n, v))
        return false;
    if (n < 0)
        n += (double)len;
    *out = n >= (double)len ? len : n > 0 ? (size_t)n : 0;
    return true;
}

static JSValue blob_slice(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct blob *b = JS_GetOpaque2(ctx, this_val, blob_class);
    struct js_text type = {.ctx = NULL};
    if (!b)
        return JS_EXCEPTION;
    size_t from = 0, to = b->view.len;
    if ((argc > 0 && !bound(ctx, argv[0], b->view.len, &from)) ||
        (argc > 1 && !JS_IsUndefined(argv[1]) && !bound(ctx, argv[1], b->view.len, &to)) ||
        (argc > 2 && !js_text_get(ctx, argv[2], &type)))
        return JS_EXCEPTION;
    to = to < from ? from : to;
    JSValue v = new_blob(ctx, b->bytes, slice_from(b->view.ptr + from, to - from),
                         type.ctx ? type.s : SLICE(""));
    if (type.ctx)
        js_text_release(&type);
    return v;
}

/* data: the Blob, and how much of it was given. */
static JSValue blob_next_chunk(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                               int magic, JSValue *data) {
    (void)this_val;
    (void)argc;
    (void)argv;
    (void)magic;
    const struct blob *b = JS_GetOpaque(data[0], blob_class);
    int64_t at = 0;
    JS_ToInt64(ctx, &at, data[1]);
    size_t left = b->view.len - (size_t)at, n = left < CHUNK_BYTES ? left : CHUNK_BYTES;
    data[1] = JS_NewInt64(ctx, at + (int64_t)n);
    return go_string_new(ctx, slice_from(b->view.ptr + at, n));
}

static JSValue blob_stream(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)argc;
    (void)argv;
    if (!JS_GetOpaque2(ctx, this_val, blob_class))
        return JS_EXCEPTION;
    JSValueConst data[2] = {this_val, JS_NewInt64(ctx, 0)};
    JSValue next = JS_NewCFunctionData(ctx, blob_next_chunk, 0, 0, 2, data);
    JSValue stream = js_stream_of_chunks(ctx, next);
    JS_FreeValue(ctx, next);
    return stream;
}

static JSValue blob_to_string(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    (void)argc;
    (void)argv;
    return JS_NewString(ctx, "[object Blob]");
}

static const JSCFunctionListEntry blob_members[] = {
    JS_CGETSET_MAGIC_DEF("size", blob_member, NULL, SIZE),
    JS_CGETSET_MAGIC_DEF("type", blob_member, NULL, TYPE),
    JS_CFUNC_MAGIC_DEF("text", 0, blob_content, TEXT),
    JS_CFUNC_MAGIC_DEF("arrayBuffer", 0, blob_content, ARRAY_BUFFER),
    JS_CFUNC_MAGIC_DEF("bytes", 0, blob_content, BYTES),
    JS_CFUNC_DEF("slice", 3, blob_slice),
    JS_CFUNC_DEF("stream", 0, blob_stream),
    JS_CFUNC_DEF("toString", 0, blob_to_string),
};

JSValue js_blob_class(JSContext *ctx) {
    JSRuntime *rt = JS_GetRuntime(ctx);
    JS_NewClassID(&blob_class);
    if (JS_IsRegisteredClass(rt, blob_class)) {
        JSValue known = JS_GetClassProto(ctx, blob_class);
        JSValue its_ctor =
            JS_IsObject(known) ? JS_GetPropertyStr(ctx, known, "constructor") : JS_UNDEFINED;
        JS_FreeValue(ctx, known);
        if (!JS_IsUndefined(its_ctor))
            return its_ctor;
    } else if (JS_NewClass(rt, blob_class, &blob_class_def)) {
        return JS_EXCEPTION;
    }
    JSValue proto = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, proto, blob_members, countof(blob_members));
    JSValue ctor = JS_NewCFunction2(ctx, blob_constructor, "Blob", 2, JS_CFUNC_constructor, 0);
    JS_SetConstructor(ctx, ctor, proto);
    JS_SetClassProto(ctx, blob_class, proto);
    return ctor;
}
