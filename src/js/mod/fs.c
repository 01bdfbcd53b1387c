#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "js/go_args.h"
#include "js/js_promise.h"
#include "js/mod.h"
#include "js/mod/fs_file.h"

enum seek_mode { SEEK_FROM_START, SEEK_FROM_CURRENT, SEEK_FROM_END };

static const char type_error[] = "TypeError";

static JSClassID file_class;

static void file_finalizer(JSRuntime *rt, JSValue v) {
    struct fs_file *f = JS_GetOpaque(v, file_class);
    (void)rt;
    if (f)
        free(f->path);
    free(f);
}

static const JSClassDef file_def = {"File", .finalizer = file_finalizer};

struct fs_file *fs_file_of(JSValueConst v) {
    return file_class != 0 && JS_IsObject(v) ? JS_GetOpaque(v, file_class) : NULL;
}

static JSValue reject(JSContext *ctx, const char *name, const char *message) {
    return js_promise_reject(ctx, go_error_value(ctx, name, message));
}

/* ---- methods of File ---- */

static JSValue js_stat(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)argc;
    (void)argv;
    const struct fs_file *f = JS_GetOpaque2(ctx, this_val, file_class);
    if (!f)
        return JS_EXCEPTION;
    const char *slash = strrchr(f->path, '/');
    JSValue info = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, info, "name", JS_NewString(ctx, slash ? slash + 1 : f->path));
    JS_SetPropertyStr(ctx, info, "size", JS_NewInt64(ctx, (int64_t)f->content->len));
    return js_promise_resolve(ctx, info);
}

/* Fills the whole buffer below the array, as k6 does. */
static JSValue js_read(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct fs_file *f = JS_GetOpaque2(ctx, this_val, file_class);
    JSValueConst into = argc > 0 ? argv[0] : JS_UNDEFINED;
    size_t offset, len, element;
    if (!f)
        return JS_EXCEPTION;
    if (JS_IsUndefined(into) || JS_IsNull(into))
        return reject(ctx, type_error,
                      "read() failed; reason: into argument cannot be null or undefined");
    if (JS_GetTypedArrayKind(into) != JS_TYPED_ARRAY_UINT8)
        return reject(ctx, type_error, "read() failed; reason: into argument must be a Uint8Array");
    JSValue buffer = JS_GetTypedArrayBuffer(ctx, into, &offset, &len, &element);
    uint8_t *bytes = JS_IsException(buffer) ? NULL : JS_GetArrayBuffer(ctx, &len, buffer);
    JS_FreeValue(ctx, buffer);
    if (!bytes)
        return js_promise_resolve(ctx, JS_EXCEPTION);
    size_t left = f->content->len - f->offset, n = len < left ? len : left;
    if (left == 0)
        return js_promise_resolve(ctx, JS_NULL);
    if (n == 0)
        return js_promise_resolve(ctx, JS_NewInt32(ctx, 0));
    long got = script_file_pread(f->content, f->offset, bytes, n);
    if (got < 0)
        return reject(ctx, NULL, "read() failed; reason: the file cannot be read");
    if (got == 0) /* it became shorter since it was opened */
        return js_promise_resolve(ctx, JS_NULL);
    f->offset += (size_t)got;
    return js_promise_resolve(ctx, JS_NewInt64(ctx, got));
}

/* NULL, or why v is no integer. */
static const char *read_int(JSContext *ctx, JSValueConst v, int64_t *out) {
    double d = 0;
    if (JS_IsUndefined(v) || JS_IsNull(v))
        return "cannot be null or undefined";
    if (!JS_IsNumber(v) || JS_ToFloat64(ctx, &d, v) || d != floor(d) || fabs(d) > 9e15)
        return "must be a number";
    *out = (int64_t)d;
    return NULL;
}

/* NULL, or why there is no such place. */
static const char *seek(struct fs_file *f, int64_t offset, int64_t whence) {
    int64_t size = (int64_t)f->content->len, to = (int64_t)f->offset + offset;
    if (whence == SEEK_FROM_START) {
        if (offset < 0)
            return "offset cannot be negative when using SeekModeStart";
        to = offset;
    } else if (whence == SEEK_FROM_END) {
        if (offset > 0)
            return "offset cannot be positive when using SeekModeEnd";
        to = size - 1 + offset; /* k6 counts from the last byte */
    }
    if (to < 0)
        return "seeking before start of file";
    if (to > size)
        return "seeking beyond end of file";
    f->offset = (size_t)to;
    return NULL;
}

static JSValue reject_argument(JSContext *ctx, const char *argument, const char *why) {
    char *text = xasprintf("seek() failed; reason: the %s argument %s", argument, why);
    JSValue promise = reject(ctx, type_error, text);
    free(text);
    return promise;
}

static JSValue js_seek(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct fs_file *f = JS_GetOpaque2(ctx, this_val, file_class);
    int64_t offset, whence;
    const char *why;
    if (!f)
        return JS_EXCEPTION;
    why = read_int(ctx, argc > 0 ? argv[0] : JS_UNDEFINED, &offset);
    if (why)
        return reject_argument(ctx, "offset", why);
    why = read_int(ctx, argc > 1 ? argv[1] : JS_UNDEFINED, &whence);
    if (!why && (whence < SEEK_FROM_START || whence > SEEK_FROM_END))
        why = "must be a SeekMode";
    if (why)
        return reject_argument(ctx, "whence", why);
    why = seek(f, offset, whence);
    return why ? reject(ctx, type_error, why)
               : js_promise_resolve(ctx, JS_NewInt64(ctx, (int64_t)f->offset));
}

static const JSCFunctionListEntry file_functions[] = {
    JS_CFUNC_DEF("read", 1, js_read),
    JS_CFUNC_DEF("seek", 2, js_seek),
    JS_CFUNC_DEF("stat", 0, js_stat),
};

/* ---- open ---- */

static JSValue new_file(JSContext *ctx, const struct script_file *content, const char *path) {
    struct fs_file *f = xcalloc(1, sizeof *f);
    f->content = content;
    f->path = xstrdup(path);
    JSValue o = JS_NewObjectClass(ctx, (int)file_class);
    JS_SetOpaque(o, f);
    JS_DefinePropertyValueStr(ctx, o, "path", JS_NewString(ctx, path), JS_PROP_C_W_E);
    return o;
}

static bool is_directory(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static JSValue open_path(JSContext *ctx, const char *path) {
    struct script_file *content;
    struct error err;
    char *q = quoted(path), *url = script_path_to_url(path), *text = NULL;
    const char *name = NULL;
    JSValue promise;
    int rc = script_open(vu_from_ctx(ctx)->script, url, &content, &err);
    if (rc == 0) {
        promise = js_promise_resolve(ctx, new_file(ctx, content, path));
    } else {
        /* What VU 0 did not read is not there for the others; directories are told apart still. */
        if (strstr(err.text, "is a directory") || (rc == KE_INVALID && is_directory(path))) {
            name = "InvalidResourceError";
            text = xasprintf("cannot open %s: opening a directory is not supported", q);
        } else if (rc == KE_NOT_FOUND || rc == KE_INVALID) {
            name = "NotFoundError";
            text = xasprintf("no such file or directory %s", q);
        } else {
            text = xstrdup(err.text);
        }
        promise = reject(ctx, name, text);
    }
    free(text);
    free(url);
    free(q);
    return promise;
}

static JSValue js_open(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct vu *vu = vu_from_ctx(ctx);
    JSValueConst v = argc > 0 ? argv[0] : JS_UNDEFINED;
    struct js_text text;
    if (!vu->is_init)
        return reject(ctx, "ForbiddenError",
                      "open() failed; reason: opening a file is allowed only in the Init context");
    if (JS_IsUndefined(v) || JS_IsNull(v))
        return reject(ctx, type_error, "open() failed; reason: path cannot be null or undefined");
    if (!js_text_get(ctx, v, &text))
        return JS_EXCEPTION;
    if (text.s.len == 0) {
        js_text_release(&text);
        return reject(ctx, type_error, "open() failed; reason: path cannot be empty");
    }
    const char *name = text.s.ptr + (slice_starts(text.s, SLICE("file://")) ? 7 : 0);
    char *dir = script_url_to_path(vu->script->pwd);
    char *path = path_join_clean(name[0] == '/' || !dir ? "/" : dir, name);
    JSValue promise = open_path(ctx, path);
    free(path);
    free(dir);
    js_text_release(&text);
    return promise;
}

/* ---- the module ---- */

static int declare(JSContext *ctx, JSModuleDef *m) {
    return JS_AddModuleExport(ctx, m, "open") | JS_AddModuleExport(ctx, m, "SeekMode");
}

static int init(JSContext *ctx, JSModuleDef *m) {
    JS_NewClassID(&file_class);
    JS_NewClass(JS_GetRuntime(ctx), file_class, &file_def);
    JSValue proto = JS_NewObject(ctx), modes = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, proto, file_functions, countof(file_functions));
    JS_SetClassProto(ctx, file_class, proto);
    JS_SetPropertyStr(ctx, modes, "Start", JS_NewInt32(ctx, SEEK_FROM_START));
    JS_SetPropertyStr(ctx, modes, "Current", JS_NewInt32(ctx, SEEK_FROM_CURRENT));
    JS_SetPropertyStr(ctx, modes, "End", JS_NewInt32(ctx, SEEK_FROM_END));
    JS_SetModuleExport(ctx, m, "SeekMode", modes);
    return JS_SetModuleExport(ctx, m, "open", JS_NewCFunction(ctx, js_open, "open", 1));
}

const struct js_module js_mod_fs = {
    .specifier = "k6/experimental/fs", .declare = declare, .init = init};
