#include "js/loader.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/compat.h"
#include "base/vec.h"
#include "js/event_loop.h"
#include "js/js_util.h"
#include "js/mod.h"

struct js_modules {
    JSValue commonjs; /* url -> module object {exports}; undefined until the first */
    JSValue builtins; /* specifier -> what require() gave */
    bool is_linking;  /* the main module's imports are being resolved: errors are kept in `text` */
    char *text;
    char *specifier;     /* last one that was resolved, as written */
    VEC(char *) unknown; /* modules of k6 that do not exist (k6 names all of them) */
    JSModuleDef *main;   /* NULL: CommonJS */
};

static JSModuleDef *load_module(JSContext *ctx, const char *name, void *opaque);

static bool is_builtin(const char *name) {
    return script_is_builtin(slice_cstr(name));
}

/* Ends a load: while the main module is linked the words are kept for js_loader_run_main, otherwise
 * they are thrown. */
static void fail(struct vu *vu, const char *text) {
    struct js_modules *mods = vu->modules;
    if (mods->is_linking) {
        bool is_error = !compat_is_v051() || strncmp(text, "SyntaxError: ", 13) == 0;
        if (!mods->text)
            mods->text = is_error
                             ? xstrdup(text)
                             : xasprintf("GoError: %s\n\tat %s:1:0(1)\n", text, vu->script->url);
        JS_ThrowSyntaxError(vu->ctx, "cannot load");
        return;
    }
    js_throw_go_error(vu->ctx, "%s", text);
}

static char *base_dir(struct vu *vu, const char *url) {
    if (strcmp(url, "file:///-") == 0)
        return xstrdup(vu->script->pwd);
    return script_dir(url);
}

static char *resolve_from(struct vu *vu, const char *base_url, const char *specifier,
                          struct error *err) {
    char *dir = base_dir(vu, base_url);
    char *url = script_resolve(dir, specifier, err);
    free(dir);
    return url;
}

static char *normalize(JSContext *ctx, const char *base_name, const char *name, void *opaque) {
    struct vu *vu = opaque;
    struct error err;
    free(vu->modules->specifier);
    vu->modules->specifier = xstrdup(name);
    if (is_builtin(name))
        return js_strdup(ctx, name);
    char *url = resolve_from(vu, base_name, name, &err);
    if (!url) {
        fail(vu, err.text);
        return NULL;
    }
    char *copy = js_strdup(ctx, url);
    free(url);
    return copy;
}

/* ---- files ---- */

static struct script_file *read_module(struct vu *vu, const char *url) {
    const char *specifier = vu->modules->specifier ? vu->modules->specifier : url;
    struct script_file *f = NULL;
    struct error err;
    if (vu->script->is_frozen && !map_has(&vu->script->modules, slice_cstr(url))) {
        const char *reason = map_get(&vu->script->not_loaded, slice_cstr(url));
        if (reason) {
            fail(vu, reason);
            return NULL;
        }
        char *q = quoted(specifier);
        char *text = xasprintf(
            "the module %s was not previously resolved during initialization (__VU==0)", q);
        fail(vu, text);
        free(text);
        free(q);
        return NULL;
    }
    if (script_read_module(vu->script, url, specifier, &f, &err)) {
        fail(vu, err.text);
        return NULL;
    }
    return f;
}

static struct script_module *compile(struct vu *vu, const char *url, JSValue *out) {
    struct script_file *f = read_module(vu, url);
    char *text;
    if (!f)
        return NULL;
    struct script_module *m = js_module_compile(vu, f, out, &text);
    if (!m)
        fail(vu, text);
    free(text);
    return m;
}

/* ---- CommonJS ---- */

/* Runs the file once per VU; gives its module.exports (also while it is running: cycles). */
static JSValue commonjs_exports(struct vu *vu, const char *url, JSValue fn_bytecode) {
    JSContext *ctx = vu->ctx;
    JSValue exports = JS_NewObject(ctx), module = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, module, "exports", JS_DupValue(ctx, exports));
    if (JS_IsUndefined(vu->modules->commonjs))
        vu->modules->commonjs = JS_NewObjectProto(ctx, JS_NULL);
    JS_SetPropertyStr(ctx, vu->modules->commonjs, url, JS_DupValue(ctx, module));
    JSValue fn = JS_EvalFunction(ctx, fn_bytecode);
    JSValue ret = JS_EXCEPTION;
    if (!JS_IsException(fn)) {
        JSValueConst argv[2] = {module, exports};
        ret = JS_Call(ctx, fn, exports, 2, argv);
        JS_FreeValue(ctx, fn);
    }
    JS_FreeValue(ctx, exports);
    exports = JS_IsException(ret) ? JS_EXCEPTION : JS_GetPropertyStr(ctx, module, "exports");
    JS_FreeValue(ctx, ret);
    JS_FreeValue(ctx, module);
    if (JS_IsNull(exports))
        return js_throw_go_error(ctx, "CommonJS's exports must not be null");
    return exports;
}

static JSValue commonjs_cached(struct vu *vu, const char *url) {
    JSContext *ctx = vu->ctx;
    if (JS_IsUndefined(vu->modules->commonjs))
        return JS_UNDEFINED;
    JSValue module = JS_GetPropertyStr(ctx, vu->modules->commonjs, url);
    if (JS_IsUndefined(module))
        return module;
    JSValue exports = JS_GetPropertyStr(ctx, module, "exports");
    JS_FreeValue(ctx, module);
    return exports;
}

static JSValue commonjs_load(struct vu *vu, const char *url) {
    JSValue exports = commonjs_cached(vu, url);
    JSValue bytecode;
    if (!JS_IsUndefined(exports))
        return exports;
    if (!compile(vu, url, &bytecode))
        return JS_EXCEPTION;
    return commonjs_exports(vu, url, bytecode);
}

static int cmp_strings(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Exports the properties of module.exports, sorted as the names of a namespace are. */
static int export_properties(JSContext *ctx, JSModuleDef *m, JSValueConst exports) {
    JSPropertyEnum *atoms;
    uint32_t len;
    int rc = 0;
    bool has_default = false;
    if (JS_GetOwnPropertyNames(ctx, &atoms, &len, exports, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return -1;
    const char **names = xcalloc(len + 1, sizeof *names);
    for (uint32_t i = 0; i < len; i++)
        names[i] = JS_AtomToCString(ctx, atoms[i].atom);
    qsort(names, len, sizeof *names, cmp_strings);
    for (uint32_t i = 0; i < len && rc == 0; i++) {
        JSValue v = JS_GetPropertyStr(ctx, exports, names[i]);
        if (JS_IsException(v))
            rc = -1;
        has_default |= strcmp(names[i], "default") == 0 && !JS_IsUndefined(v);
        if (rc == 0)
            rc = JS_SetModuleExport(ctx, m, names[i], v);
    }
    if (rc == 0 && !has_default)
        rc = JS_SetHiddenModuleExport(ctx, m, "default", JS_DupValue(ctx, exports));
    for (uint32_t i = 0; i < len; i++)
        JS_FreeCString(ctx, names[i]);
    free(names);
    js_free_names(ctx, atoms, len);
    return rc;
}

/* A CommonJS file that an ES module imports: default is module.exports, its properties are the
 * named exports. */
static int commonjs_init(JSContext *ctx, JSModuleDef *m) {
    JSAtom atom = JS_GetModuleName(ctx, m);
    const char *url = JS_AtomToCString(ctx, atom);
    JSValue exports = commonjs_load(vu_from_ctx(ctx), url);
    JS_FreeCString(ctx, url);
    JS_FreeAtom(ctx, atom);
    if (JS_IsException(exports))
        return -1;
    int rc = JS_IsObject(exports)
                 ? export_properties(ctx, m, exports)
                 : JS_SetHiddenModuleExport(ctx, m, "default", JS_DupValue(ctx, exports));
    JS_FreeValue(ctx, exports);
    return rc;
}

/* ---- import.meta ---- */

static JSValue js_meta_resolve(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                               int magic, JSValue *data) {
    (void)this_val;
    (void)magic;
    struct vu *vu = vu_from_ctx(ctx);
    struct error err;
    const char *specifier = argc > 0 ? JS_ToCString(ctx, argv[0]) : NULL;
    if (argc > 0 && !specifier)
        return JS_EXCEPTION;
    const char *base = JS_ToCString(ctx, data[0]);
    if (!specifier || !*specifier) {
        js_throw_go_error(ctx, "require() can't be used with an empty specifier");
        JS_FreeCString(ctx, specifier);
        JS_FreeCString(ctx, base);
        return JS_EXCEPTION;
    }
    char *url = resolve_from(vu, base, specifier, &err);
    JSValue ret = url ? JS_NewString(ctx, url) : js_throw_go_error(ctx, "%s", err.text);
    free(url);
    JS_FreeCString(ctx, specifier);
    JS_FreeCString(ctx, base);
    return ret;
}

static void add_meta(struct vu *vu, JSModuleDef *m, const char *url) {
    JSContext *ctx = vu->ctx;
    JSValue meta = JS_GetImportMeta(ctx, m);
    JSValue base = JS_NewString(ctx, url);
    JS_DefinePropertyValueStr(ctx, meta, "resolve",
                              JS_NewCFunctionData(ctx, js_meta_resolve, 1, 0, 1, &base),
                              JS_PROP_C_W_E);
    JS_FreeValue(ctx, base);
    JS_FreeValue(ctx, meta);
}

/* ---- k6's modules ---- */

static int unknown_init(JSContext *ctx, JSModuleDef *m) {
    JSAtom atom = JS_GetModuleName(ctx, m);
    const char *name = JS_AtomToCString(ctx, atom);
    js_throw_go_error(ctx, "unknown module: %s", name);
    JS_FreeCString(ctx, name);
    JS_FreeAtom(ctx, atom);
    return -1;
}

static JSModuleDef *load_builtin(struct vu *vu, const char *name) {
    struct slice specifier = slice_cstr(name);
    const struct js_module *mod = js_module_find(specifier);
    if (vu->script->is_frozen && !map_has(&vu->script->builtins, specifier)) {
        char *q = quoted(name);
        char *text = xasprintf(
            "the module %s was not previously resolved during initialization (__VU==0)", q);
        fail(vu, text);
        free(text);
        free(q);
        return NULL;
    }
    if (!vu->script->is_frozen)
        map_set(&vu->script->builtins, specifier, vu->script);
    if (mod)
        return js_module_new(vu->ctx, mod);
    if (!compat_is_v051())
        vec_push(&vu->modules->unknown, xstrdup(name));
    return JS_NewCModule(vu->ctx, name, unknown_init);
}

/* ---- ES modules ---- */

static JSModuleDef *load_module(JSContext *ctx, const char *name, void *opaque) {
    struct vu *vu = opaque;
    if (is_builtin(name))
        return load_builtin(vu, name);
    JSValue v;
    struct script_module *m = compile(vu, name, &v);
    if (!m)
        return NULL;
    if (m->kind == MODULE_COMMONJS) {
        JS_FreeValue(ctx, v);
        return JS_NewCModule(ctx, name, commonjs_init);
    }
    JSModuleDef *def = JS_VALUE_GET_PTR(v);
    if (m->has_meta)
        add_meta(vu, def, name);
    JS_FreeValue(ctx, v); /* the context holds it */
    return def;
}

/* Links and evaluates; the promise's rejection is the caller's to report. */
static JSValue evaluate(struct vu *vu, JSModuleDef *def) {
    size_t known = vu->loop.n_rejected;
    JSValue promise = JS_EvaluateModule(vu->ctx, def);
    if (JS_IsPromiseObject(promise) && JS_PromiseState(vu->ctx, promise) == JS_PROMISE_REJECTED)
        js_loop_forget_rejections(vu, known);
    return promise;
}

static char *unknown_text(struct js_modules *mods) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    qsort(mods->unknown.ptr, mods->unknown.len, sizeof(char *), cmp_strings);
    for (size_t i = 0; i < mods->unknown.len; i++) {
        char *q = quoted(mods->unknown.ptr[i]);
        buf_printf(&b, i ? ", %s" : "unknown modules [%s", q);
        free(q);
    }
    buf_append_str(
        &b,
        "] were tried to be loaded, but couldn't - this likely means automatic extension resolution is "
        "required or a custom k6 binary with the required extensions");
    return buf_detach(&b, NULL);
}

int js_loader_run_main(struct vu *vu, JSValue *out_promise, char **out_text) {
    struct js_modules *mods = vu->modules;
    struct script *s = vu->script;
    JSContext *ctx = vu->ctx;
    JSValue v;
    *out_promise = JS_UNDEFINED;
    *out_text = NULL;
    mods->is_linking = true;
    struct script_module *m = compile(vu, s->url, &v);
    bool is_bad = !m;
    if (m && m->kind == MODULE_ESM) {
        mods->main = JS_VALUE_GET_PTR(v);
        if (m->has_meta)
            add_meta(vu, mods->main, s->url);
        is_bad = JS_ResolveModule(ctx, v) < 0;
        JS_FreeValue(ctx, v);
    }
    mods->is_linking = false;
    int rc = !is_bad && !s->is_frozen && s->on_linked
                 ? s->on_linked(s->on_linked_arg, s, &mods->text)
                 : 0;
    if (!is_bad && rc == 0 && mods->unknown.len > 0) {
        mods->text = unknown_text(mods);
        rc = KE_INVALID;
    }
    if (rc && m->kind == MODULE_COMMONJS)
        JS_FreeValue(ctx, v);
    if (is_bad || rc) {
        if (JS_HasException(ctx))
            JS_FreeValue(ctx, JS_GetException(ctx));
        *out_text = mods->text ? mods->text : xstrdup("cannot load the script");
        mods->text = NULL;
        if (rc == KE_CONFIG)
            return rc;
        /* v0.51's errors of loading are exceptions of its compiler and its require(). */
        return compat_is_v051() ? KE_FAILED : KE_INVALID;
    }
    if (m->kind == MODULE_COMMONJS) {
        JSValue exports = commonjs_exports(vu, s->url, v);
        bool is_exception = JS_IsException(exports);
        JS_FreeValue(ctx, exports);
        return is_exception ? KE_JS : 0;
    }
    *out_promise = evaluate(vu, mods->main);
    return JS_IsException(*out_promise) ? KE_JS : 0;
}

/* ---- import() ---- */

struct preload {
    struct vu *vu;
    const char *base_url;
};

static char *error_message(JSContext *ctx, JSValueConst error) {
    struct js_text text;
    JSValue message = JS_GetPropertyStr(ctx, error, "message");
    char *copy = NULL;
    if (js_text_get(ctx, message, &text)) {
        copy = slice_dup(text.s);
        js_text_release(&text);
    }
    JS_FreeValue(ctx, message);
    return copy;
}

/* What cannot be loaded is left for the import() that asks for it to say. */
static void preload_one(struct slice specifier, void *opaque) {
    struct preload *p = opaque;
    struct vu *vu = p->vu;
    struct error err;
    char *name = slice_dup(specifier);
    char *url = NULL;
    if (is_builtin(name)) {
        if (js_module_find(specifier))
            map_set(&vu->script->builtins, specifier, vu->script);
    } else {
        url = resolve_from(vu, p->base_url, name, &err);
    }
    if (url && !map_has(&vu->script->modules, slice_cstr(url))) {
        free(vu->modules->specifier);
        vu->modules->specifier = xstrdup(name);
        if (!load_module(vu->ctx, url, vu)) {
            JSValue e = JS_GetException(vu->ctx);
            free(map_set(&vu->script->not_loaded, slice_cstr(url), error_message(vu->ctx, e)));
            JS_FreeValue(vu->ctx, e);
        }
    }
    free(url);
    free(name);
}

void js_loader_preload(struct vu *vu) {
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(&vu->script->modules, &i));) { /* it grows meanwhile */
        const struct script_file *f = ((const struct script_module *)e->value)->file;
        struct preload p = {.vu = vu, .base_url = f->url};
        source_each_import_call(slice_from(f->ptr, f->len), preload_one, &p);
    }
}

JSValue js_loader_main_exports(struct vu *vu) {
    if (vu->modules->main)
        return JS_GetModuleNamespace(vu->ctx, vu->modules->main);
    return commonjs_cached(vu, vu->script->url);
}

/* ---- require ---- */

/* What require() of a module of k6 gives: its exports as an object that a script may change; the
 * default export itself when it is the only one. */
static JSValue require_builtin(struct vu *vu, const char *name) {
    JSContext *ctx = vu->ctx;
    if (JS_IsUndefined(vu->modules->builtins))
        vu->modules->builtins = JS_NewObjectProto(ctx, JS_NULL);
    JSValue o = JS_GetPropertyStr(ctx, vu->modules->builtins, name);
    if (!JS_IsUndefined(o))
        return o;
    JSAtom atom = JS_NewAtom(ctx, name);
    JSModuleDef *def = JS_FindModule(ctx, atom);
    JS_FreeAtom(ctx, atom);
    size_t n_unknown = vu->modules->unknown.len;
    if (!def && !(def = load_builtin(vu, name)))
        return JS_EXCEPTION;
    if (vu->modules->unknown.len > n_unknown) {
        char *text = unknown_text(vu->modules);
        js_throw_go_error(ctx, "%s", text);
        free(text);
        return JS_EXCEPTION;
    }
    JSValue promise = evaluate(vu, def);
    if (JS_IsException(promise))
        return promise;
    if (JS_IsPromiseObject(promise) && JS_PromiseState(ctx, promise) == JS_PROMISE_REJECTED) {
        JS_Throw(ctx, JS_PromiseResult(ctx, promise));
        JS_FreeValue(ctx, promise);
        return JS_EXCEPTION;
    }
    JS_FreeValue(ctx, promise);
    o = JS_NewObject(ctx);
    bool has_default = false;
    int n = 0;
    JSAtom export;
    for (; (export = JS_GetModuleExportName(ctx, def, n)) != JS_ATOM_NULL; n++) {
        const char *text = JS_AtomToCString(ctx, export);
        has_default |= strcmp(text, "default") == 0;
        JS_FreeCString(ctx, text);
        JS_SetProperty(ctx, o, export, JS_GetModuleExport(ctx, def, export));
        JS_FreeAtom(ctx, export);
    }
    if (has_default && n > 1) /* what transpiled code looks at */
        JS_SetPropertyStr(ctx, o, "__esModule", JS_TRUE);
    if (has_default && n == 1) {
        JSValue only = JS_GetPropertyStr(ctx, o, "default");
        JS_FreeValue(ctx, o);
        o = only;
    }
    JS_SetPropertyStr(ctx, vu->modules->builtins, name, JS_DupValue(ctx, o));
    return o;
}

static JSValue require_esm(struct vu *vu, const char *url) {
    JSContext *ctx = vu->ctx;
    JSAtom atom = JS_NewAtom(ctx, url);
    JSModuleDef *def = JS_FindModule(ctx, atom);
    JS_FreeAtom(ctx, atom);
    if (!def && !(def = load_module(ctx, url, vu)))
        return JS_EXCEPTION;
    JSValue promise = evaluate(vu, def);
    if (JS_IsException(promise))
        return promise;
    bool is_rejected =
        JS_IsPromiseObject(promise) && JS_PromiseState(ctx, promise) == JS_PROMISE_REJECTED;
    if (is_rejected)
        JS_Throw(ctx, JS_PromiseResult(ctx, promise));
    JS_FreeValue(ctx, promise);
    return is_rejected ? JS_EXCEPTION : JS_GetModuleNamespace(ctx, def);
}

static JSValue require_file(struct vu *vu, const char *base, const char *specifier) {
    struct error err;
    char *url = resolve_from(vu, base, specifier, &err);
    if (!url)
        return js_throw_go_error(vu->ctx, "%s", err.text);
    free(vu->modules->specifier);
    vu->modules->specifier = xstrdup(specifier);
    JSValue exports = commonjs_cached(vu, url);
    if (JS_IsUndefined(exports)) {
        struct script_module *m = map_get(&vu->script->modules, slice_cstr(url));
        struct script_file *f = m ? m->file : read_module(vu, url);
        if (!f)
            exports = JS_EXCEPTION;
        else if (m ? m->kind == MODULE_ESM : source_is_esm(slice_from(f->ptr, f->len)))
            exports = require_esm(vu, url);
        else
            exports = commonjs_load(vu, url);
    }
    free(url);
    return exports;
}

JSValue js_require(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct vu *vu = vu_from_ctx(ctx);
    struct js_text specifier;
    if (!vu->is_init)
        return js_throw_go_error(ctx, JS_INIT_ONLY_TEXT, "require");
    if (!js_text_get(ctx, argc > 0 ? argv[0] : JS_UNDEFINED, &specifier))
        return JS_EXCEPTION;
    JSValue ret;
    if (specifier.s.len == 0) {
        ret = js_throw_go_error(ctx, "require() can't be used with an empty specifier");
    } else if (is_builtin(specifier.s.ptr)) {
        ret = require_builtin(vu, specifier.s.ptr);
    } else {
        JSAtom atom = JS_GetScriptOrModuleName(ctx, 1);
        const char *base = atom == JS_ATOM_NULL ? NULL : JS_AtomToCString(ctx, atom);
        ret = require_file(vu, base ? base : vu->script->url, specifier.s.ptr);
        JS_FreeCString(ctx, base);
        JS_FreeAtom(ctx, atom);
    }
    js_text_release(&specifier);
    return ret;
}

char *js_loader_open_dir(struct vu *vu, bool *out_is_surprising, char **out_caller) {
    JSContext *ctx = vu->ctx;
    JSAtom outer = JS_GetOutermostScript(ctx, js_require),
           caller = JS_GetScriptOrModuleName(ctx, 1);
    const char *outer_url = outer == JS_ATOM_NULL ? NULL : JS_AtomToCString(ctx, outer);
    const char *caller_url = caller == JS_ATOM_NULL ? NULL : JS_AtomToCString(ctx, caller);
    char *dir = base_dir(vu, outer_url ? outer_url : vu->script->url);
    char *caller_dir = base_dir(vu, caller_url ? caller_url : vu->script->url);
    *out_is_surprising = strcmp(dir, caller_dir) != 0;
    *out_caller = xstrdup(caller_url ? caller_url : "");
    free(caller_dir);
    JS_FreeCString(ctx, outer_url);
    JS_FreeCString(ctx, caller_url);
    JS_FreeAtom(ctx, outer);
    JS_FreeAtom(ctx, caller);
    return dir;
}

void js_loader_init(struct vu *vu) {
    vu->modules = xcalloc(1, sizeof *vu->modules);
    vu->modules->commonjs = JS_UNDEFINED;
    vu->modules->builtins = JS_UNDEFINED;
    JS_SetModuleLoaderFunc(vu->rt, normalize, load_module, vu);
    if (vu->script->is_web)
        JS_AllowDynamicImport(vu->rt);
}

void js_loader_release(struct vu *vu) {
    struct js_modules *mods = vu->modules;
    if (!mods)
        return;
    JS_FreeValue(vu->ctx, mods->commonjs);
    JS_FreeValue(vu->ctx, mods->builtins);
    for (size_t i = 0; i < mods->unknown.len; i++)
        free(mods->unknown.ptr[i]);
    vec_release(&mods->unknown);
    free(mods->text);
    free(mods->specifier);
    free(mods);
    vu->modules = NULL;
}
