#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/compat.h"
#include "base/log.h"
#include "js/babel.h"
#include "js/embedded.h"
#include "js/js_util.h"
#include "js/loader.h"
#include "js/source_map.h"
#include "js/ts.h"

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

/* text: what was compiled, when it is not the file's own; taken. */
static struct script_module *keep(struct vu *vu, struct script_file *f, enum module_kind kind,
                                  JSValueConst v, struct slice text) {
    size_t len;
    uint8_t *bytecode = JS_WriteObject(vu->ctx, &len, v, JS_WRITE_OBJ_BYTECODE);
    CHECK(bytecode != NULL);
    struct script_module *m = xcalloc(1, sizeof *m);
    m->file = f;
    m->kind = kind;
    m->text = text.ptr ? text : slice_from(f->ptr, f->len);
    m->owns_text = text.ptr != NULL;
    m->has_meta = memmem(f->ptr, f->len, "import.meta", 11) != NULL;
    m->bytecode = xmalloc(len);
    memcpy(m->bytecode, bytecode, len);
    m->bytecode_bytes = len;
    js_free(vu->ctx, bytecode);
    struct error err = {0};
    if (!js_embedded_has(f->url)) /* their maps are elsewhere */
        m->source_map = source_map_load(vu, f, &err);
    if (!m->source_map && err.code) {
        char *words = xasprintf("Couldn't load source map for %s", f->url);
        log_fields(LOG_WARN, slice_cstr(words), LOG_STR("error", err.text));
        free(words);
    }
    map_set(&vu->script->modules, slice_cstr(f->url), m);
    return m;
}

/* JS_EXCEPTION with *out_text when it is no JavaScript. */
static JSValue compile(struct vu *vu, const struct script_file *f, enum module_kind *out_kind,
                       char **out_text) {
    struct slice source = slice_from(f->ptr, f->len);
    size_t refused;
    *out_kind = source_is_esm(source) ? MODULE_ESM : MODULE_COMMONJS;
    if (*out_kind == MODULE_ESM && compat_on(COMPAT_BABEL_SYNTAX) && !js_embedded_has(f->url) &&
        babel_refuses(source, &refused)) {
        *out_text = babel_error(f, refused);
        return JS_EXCEPTION;
    }
    JSValue v = *out_kind == MODULE_ESM ? compile_esm(vu->ctx, f) : compile_commonjs(vu->ctx, f);
    if (JS_IsException(v))
        *out_text = js_take_syntax_error(vu->ctx, f);
    return v;
}

/* A module whose default export is the parsed text: import data from './data.json' with { type:
 * 'json' }. */
static JSValue compile_json(struct vu *vu, const struct script_file *f, char **out_text) {
    JSContext *ctx = vu->ctx;
    JSValue data = JS_ParseJSON(ctx, f->ptr, f->len, f->url);
    JSValue text = JS_IsException(data) ? JS_EXCEPTION
                                        : JS_JSONStringify(ctx, data, JS_UNDEFINED, JS_UNDEFINED);
    JS_FreeValue(ctx, data);
    JSValue quoted = JS_IsException(text) ? JS_EXCEPTION
                                          : JS_JSONStringify(ctx, text, JS_UNDEFINED, JS_UNDEFINED);
    JS_FreeValue(ctx, text);
    struct js_text literal;
    if (JS_IsException(quoted) || !js_text_get(ctx, quoted, &literal)) {
        char *words = js_take_exception_text(ctx);
        *out_text = xasprintf("%s: %s", f->url, words);
        free(words);
        return JS_EXCEPTION;
    }
    char *source = xasprintf("export default JSON.parse(%.*s);", SLICE_FMT(literal.s));
    js_text_release(&literal);
    JS_FreeValue(ctx, quoted);
    struct script_file module = {.url = f->url, .ptr = source, .len = strlen(source)};
    JSValue v = compile_esm(ctx, &module);
    free(source);
    return v;
}

/* import … with { type: "json" }: QuickJS does not know it, the stripper of types takes it out. */
static bool may_have_attributes(const struct script_file *f) {
    return memmem(f->ptr, f->len, "with", 4) &&
           (memmem(f->ptr, f->len, "\"json\"", 6) || memmem(f->ptr, f->len, "'json'", 6));
}

static bool is_typescript(const struct script_file *f) {
    struct slice url = slice_cstr(f->url);
    return slice_ends(url, SLICE(".ts")) || slice_eq(url, SLICE("file:///-"));
}

/* Compiles what is no JavaScript without its types or attributes; *out is the text then, heap. */
static JSValue compile_stripped(struct vu *vu, const struct script_file *f,
                                enum module_kind *out_kind, struct slice *out, char **out_text) {
    char *words;
    struct script_file stripped = {.url = f->url};
    stripped.ptr =
        ts_strip(slice_from(f->ptr, f->len), is_typescript(f) ? TS_TYPESCRIPT : TS_JAVASCRIPT,
                 vu->stack_limit, &stripped.len, &words);
    if (!stripped.ptr) {
        *out_text = xasprintf("%s: %s", f->url, words);
        free(words);
        return JS_EXCEPTION;
    }
    JSValue v = compile(vu, &stripped, out_kind, out_text);
    if (JS_IsException(v))
        free(stripped.ptr);
    else
        *out = slice_from(stripped.ptr, stripped.len);
    return v;
}

JSValue js_function_text(JSContext *ctx, const char *file, size_t at, size_t len) {
    const struct script_module *m = map_get(&vu_from_ctx(ctx)->script->modules, slice_cstr(file));
    size_t head = m && m->kind == MODULE_COMMONJS ? sizeof commonjs_head - 1 : 0;
    if (!m || at < head || at - head > m->text.len || len > m->text.len - (at - head))
        return JS_UNDEFINED;
    return JS_NewStringLen(ctx, m->text.ptr + (at - head), len);
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
    JS_SetStripInfo(vu->rt, JS_STRIP_SOURCE); /* js_function_text finds it */
    enum module_kind kind = MODULE_ESM;
    bool is_json = vu->script->imports_json && slice_ends(slice_cstr(f->url), SLICE(".json"));
    JSValue v = is_json ? compile_json(vu, f, out_text) : compile(vu, f, &kind, out_text);
    struct slice text = {0};
    bool has_attributes = may_have_attributes(f);
    if (JS_IsException(v) && !compat_is_v051() && (is_typescript(f) || has_attributes)) {
        free(*out_text);
        *out_text = NULL;
        vu->script->imports_json |= has_attributes; /* compiling loads what it imports */
        v = compile_stripped(vu, f, &kind, &text, out_text);
    }
    if (JS_IsException(v))
        return NULL;
    *out = v;
    return keep(vu, f, kind, v, text);
}
