#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/compat.h"
#include "js/babel.h"
#include "js/js_util.h"
#include "js/loader.h"

static const char commonjs_head[] = "(function(module, exports){";
static const char commonjs_tail[] = "\n})";

static JSValue compile_esm(JSContext *ctx, const struct script_file *f) {
    return JS_Eval(ctx, f->ptr, f->len, f->url, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
}

static JSValue compile_commonjs(JSContext *ctx, const struct script_file *f) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    buf_append_str(&b, commonjs_head);
    buf_append(&b, f->ptr, f->len);
    if (f->len >= 2 && f->ptr[0] == '#' && f->ptr[1] == '!')
        memcpy(b.ptr + sizeof commonjs_head - 1, "//", 2);
    buf_append_str(&b, commonjs_tail);
    const char *source = buf_cstr(&b);
    JSValue v =
        JS_Eval(ctx, source, b.len, f->url, JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
    buf_release(&b);
    return v;
}

/* Scripts that hand functions to a browser page need the functions' source. */
static bool wants_source(const struct script_file *f) {
    return memmem(f->ptr, f->len, "k6/browser", 10) ||
           memmem(f->ptr, f->len, "k6/experimental/browser", 23);
}

static struct script_module *keep(struct vu *vu, struct script_file *f, enum module_kind kind,
                                  JSValueConst v) {
    size_t len;
    uint8_t *bytecode = JS_WriteObject(vu->ctx, &len, v, JS_WRITE_OBJ_BYTECODE);
    CHECK(bytecode != NULL);
    struct script_module *m = xcalloc(1, sizeof *m);
    m->file = f;
    m->kind = kind;
    m->has_meta = memmem(f->ptr, f->len, "import.meta", 11) != NULL;
    m->bytecode = xmalloc(len);
    memcpy(m->bytecode, bytecode, len);
    m->bytecode_bytes = len;
    js_free(vu->ctx, bytecode);
    map_set(&vu->script->modules, slice_cstr(f->url), m);
    return m;
}

struct script_module *js_module_compile(struct vu *vu, struct script_file *f, JSValue *out,
                                        char **out_text) {
    JSContext *ctx = vu->ctx;
    struct script_module *m = map_get(&vu->script->modules, slice_cstr(f->url));
    *out_text = NULL;
    if (m) {
        *out = JS_ReadObject(ctx, m->bytecode, m->bytecode_bytes, JS_READ_OBJ_BYTECODE);
        CHECK(!JS_IsException(*out));
        return m;
    }
    if (slice_ends(slice_cstr(f->url), SLICE(".ts"))) {
        *out_text = xasprintf("%s: TypeScript is not supported yet", f->url);
        return NULL;
    }
    if (wants_source(f))
        vu->script->keep_source = true;
    JS_SetStripInfo(vu->rt, vu->script->keep_source ? 0 : JS_STRIP_SOURCE);
    bool is_esm = source_is_esm(slice_from(f->ptr, f->len));
    size_t refused;
    if (is_esm && compat_on(COMPAT_BABEL_SYNTAX) &&
        babel_refuses(slice_from(f->ptr, f->len), &refused)) {
        *out_text = babel_error(f, refused);
        return NULL;
    }
    JSValue v = is_esm ? compile_esm(ctx, f) : compile_commonjs(ctx, f);
    if (JS_IsException(v)) {
        *out_text = js_take_syntax_error(ctx, f);
        return NULL;
    }
    *out = v;
    return keep(vu, f, is_esm ? MODULE_ESM : MODULE_COMMONJS, v);
}
