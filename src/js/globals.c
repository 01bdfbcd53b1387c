#include "js/globals.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/compat.h"
#include "base/log.h"
#include "base/utf8.h"
#include "js/console.h"
#include "js/event_loop.h"
#include "js/file_view.h"
#include "js/js_util.h"
#include "js/loader.h"
#include "js/text_coding.h"
#include "js/web/web.h"
#include "js/webcrypto/global.h"

/* ---- open ---- */

/* Text of a file; each byte that is no UTF-8 becomes U+FFFD. */
static JSValue new_text(JSContext *ctx, struct slice s) {
    if (utf8_is_valid(s))
        return JS_NewStringLen(ctx, s.ptr, s.len);
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    while (s.len > 0) {
        uint32_t rune;
        size_t n = utf8_decode(s, &rune);
        if (rune == UTF8_INVALID)
            buf_append_str(&b, "\xef\xbf\xbd");
        else
            buf_append(&b, s.ptr, n);
        s = slice_from(s.ptr + n, s.len - n);
    }
    JSValue v = JS_NewStringLen(ctx, b.ptr, b.len);
    buf_release(&b);
    return v;
}

/* A buffer of the script's own. */
static JSValue new_bytes(JSContext *ctx, const struct script_file *f) {
    JSValue view = js_file_view_new(ctx, f);
    return JS_IsUndefined(view) ? JS_NewArrayBufferCopy(ctx, (const uint8_t *)f->ptr, f->len)
                                : view;
}

static void warn_of_open_dir(struct vu *vu, const char *dir, const char *caller) {
    if (!vu->script->is_frozen)
        log_printf(
            LOG_WARN,
            "open() was used and is currently relative to '%s', but in the future it will be aligned with how "
            "`require` and imports work and will be relative to '%s'. This means that in the future open will "
            "open relative path relative to the module/file it is written in. You can future proof this by "
            "using `import.meta.resolve()` to get relative paths to the file it is written in the current k6 "
            "version.",
            dir, caller);
}

/* URL of the file that open(name) means. Heap string. */
static char *open_url(struct vu *vu, const char *name) {
    if (strncmp(name, "file://", 7) == 0)
        name += 7;
    else if (name[0] != '/') {
        bool is_surprising;
        char *caller, *dir = js_loader_open_dir(vu, &is_surprising, &caller);
        if (is_surprising)
            warn_of_open_dir(vu, dir, caller);
        char *dir_path = script_url_to_path(dir);
        char *path = path_join_clean(dir_path ? dir_path : "/", name);
        char *url = script_path_to_url(path);
        free(path);
        free(dir_path);
        free(caller);
        free(dir);
        return url;
    }
    char *path = path_join_clean("/", name);
    char *url = script_path_to_url(path);
    free(path);
    return url;
}

static JSValue throw_open_error(struct vu *vu, const char *url, const struct error *err) {
    char *path = script_url_to_path(url);
    char *q = quoted(path);
    if (strstr(err->text, "is a directory"))
        js_throw_go_error(vu->ctx, "open() can't be used with directories, path: %s", q);
    else if (vu->script->is_frozen)
        js_throw_go_error(
            vu->ctx,
            "open() can't be used with files that weren't previously opened during initialization "
            "(__VU==0), path: %s",
            q);
    else
        js_throw_go_error(vu->ctx, "%s", err->text);
    free(q);
    free(path);
    return JS_EXCEPTION;
}

static JSValue js_open(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct vu *vu = vu_from_ctx(ctx);
    struct js_text name, mode = {0};
    if (!vu->is_init)
        return js_throw_go_error(ctx, JS_INIT_ONLY_TEXT, "open");
    if (argc < 1 || JS_IsUndefined(argv[0]))
        return js_throw_go_error(ctx, "open() can't be used with an empty filename");
    if (!js_text_get(ctx, argv[0], &name))
        return JS_EXCEPTION;
    JSValue ret = JS_EXCEPTION;
    if (name.s.len == 0) {
        js_throw_go_error(ctx, "open() can't be used with an empty filename");
    } else if (argc < 2 || js_text_get(ctx, argv[1], &mode)) {
        struct script_file *f;
        struct error err;
        char *url = open_url(vu, name.s.ptr);
        if (script_read(vu->script, url, &f, &err))
            ret = throw_open_error(vu, url, &err);
        else if (slice_eq(mode.s, SLICE("b")))
            ret = new_bytes(ctx, f);
        else
            ret = new_text(ctx, slice_from(f->ptr, f->len));
        free(url);
    }
    if (mode.ctx)
        js_text_release(&mode);
    js_text_release(&name);
    return ret;
}

/* ---- the rest ---- */

/* An ES module that uses module or exports mixes two systems. */
static JSValue js_mixed(JSContext *ctx, JSValueConst this_val, int magic) {
    (void)this_val;
    return js_throw_go_error(
        ctx,
        "you are trying to access identifier \"%s\", this likely is due to mixing ECMAScript "
        "Modules (ESM) and CommonJS syntax. This isn't supported in the JavaScript standard, "
        "please use only one or the other",
        magic ? "exports" : "module");
}

static JSValue js_mixed_set(JSContext *ctx, JSValueConst this_val, JSValueConst v, int magic) {
    (void)v;
    return js_mixed(ctx, this_val, magic);
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("open", 1, js_open),
    JS_CFUNC_DEF("require", 1, js_require),
    JS_CGETSET_MAGIC_DEF("module", js_mixed, js_mixed_set, 0),
    JS_CGETSET_MAGIC_DEF("exports", js_mixed, js_mixed_set, 1),
};

void js_globals_register(struct vu *vu) {
    JSContext *ctx = vu->ctx;
    JSValue global = JS_GetGlobalObject(ctx);
    js_console_register(ctx, global);
    JS_SetPropertyFunctionList(ctx, global, js_timer_functions, js_timer_functions_len);
    JS_SetPropertyFunctionList(ctx, global, functions, countof(functions));
    if (compat_on(COMPAT_TEXT_CODING))
        js_text_coding_register(ctx, global);
    if (!compat_is_v051())
        js_web_register(ctx, global, vu->script->is_web);
    if (compat_on(COMPAT_GLOBAL_CRYPTO))
        js_webcrypto_register(ctx, global);
    JS_DefinePropertyValueStr(ctx, global, "__VU", JS_NewInt64(ctx, vu->id), JS_PROP_C_W_E);
    if (vu->script->is_extended)
        JS_DefinePropertyValueStr(ctx, global, "global", JS_DupValue(ctx, global), JS_PROP_C_W_E);
    js_env_register(ctx);
    JS_DefinePropertyValueStr(ctx, global, "__ENV", js_env_new(vu, NULL), JS_PROP_C_W_E);
    JS_FreeValue(ctx, global);
}
