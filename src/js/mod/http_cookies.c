#include "js/mod/http_internal.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/http_date.h"
#include "js/go_args.h"
#include "js/js_util.h"

/* A CookieJar object: a jar of its own, or a view of the VU's (http.cookieJar()). */
struct jar_object {
    struct cookie_jar *jar;
    bool is_own;
};

static JSClassID jar_class;

static void jar_finalizer(JSRuntime *rt, JSValue v) {
    (void)rt;
    struct jar_object *o = JS_GetOpaque(v, jar_class);
    if (o && o->is_own)
        cookie_jar_free(o->jar);
    free(o);
}

static const JSClassDef jar_class_def = {"CookieJar", .finalizer = jar_finalizer};

struct cookie_jar *http_vu_jar(struct vu *vu) {
    if (!vu->jar)
        vu->jar = cookie_jar_new();
    return vu->jar;
}

struct cookie_jar *http_cookie_jar_from(JSValueConst v) {
    struct jar_object *o = JS_GetOpaque(v, jar_class);
    return o ? o->jar : NULL;
}

static JSCFunction jar_clear, jar_cookies_for_url, jar_delete, jar_set;

static const struct {
    const char *name;
    int length;
    JSCFunction *call;
} jar_methods[] = {
    {"clear", 1, jar_clear},
    {"cookiesForURL", 1, jar_cookies_for_url},
    {"delete", 2, jar_delete},
    {"set", 4, jar_set},
};

static JSValue new_jar(JSContext *ctx, JSValueConst proto, struct cookie_jar *jar, bool is_own) {
    JSValue v = JS_IsUndefined(proto) ? JS_NewObjectClass(ctx, (int)jar_class)
                                      : JS_NewObjectProtoClass(ctx, proto, jar_class);
    if (JS_IsException(v)) {
        if (is_own)
            cookie_jar_free(jar);
        return v;
    }
    struct jar_object *o = xmalloc(sizeof *o);
    *o = (struct jar_object){jar, is_own};
    JS_SetOpaque(v, o);
    /* Go's methods are properties of the object itself, by name. */
    for (size_t i = 0; i < countof(jar_methods); i++)
        JS_DefinePropertyValueStr(
            ctx, v, jar_methods[i].name,
            JS_NewCFunction(ctx, jar_methods[i].call, jar_methods[i].name, jar_methods[i].length),
            JS_PROP_ENUMERABLE);
    return v;
}

static JSValue jar_constructor(JSContext *ctx, JSValueConst new_target, int argc,
                               JSValueConst *argv) {
    (void)argc;
    (void)argv;
    /* Called without new it makes one as well. */
    JSValue proto =
        JS_IsUndefined(new_target) ? JS_UNDEFINED : JS_GetPropertyStr(ctx, new_target, "prototype");
    JSValue v = new_jar(ctx, proto, cookie_jar_new(), true);
    JS_FreeValue(ctx, proto);
    return v;
}

JSValue http_js_cookie_jar(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    (void)argc;
    (void)argv;
    struct vu *vu = vu_from_ctx(ctx);
    if (!js_require_vu_context(vu, "Making cookie jars in the init context is not supported"))
        return JS_EXCEPTION;
    return new_jar(ctx, JS_UNDEFINED, http_vu_jar(vu), false);
}

/* this and the URL argument of every method. */
static bool jar_arguments(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                          struct cookie_jar **jar, struct url *url) {
    struct jar_object *o = JS_GetOpaque2(ctx, this_val, jar_class);
    struct js_text text;
    struct error err;
    if (!o || !go_string_arg(ctx, argc, argv, 0, &text))
        return false;
    int rc = url_parse(text.s, url, &err);
    js_text_release(&text);
    if (rc) {
        const char *prefix = "invalid URL: ";
        size_t skip = strncmp(err.text, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;
        js_throw_go_error(ctx, "%s", err.text + skip);
        return false;
    }
    *jar = o->jar;
    return true;
}

struct listing {
    JSContext *ctx;
    JSValue object;
};

static void list_cookie(void *arg, struct slice name, struct slice value) {
    struct listing *l = arg;
    JSAtom atom = JS_NewAtomLen(l->ctx, name.ptr, name.len);
    JSValue list = JS_GetProperty(l->ctx, l->object, atom);
    uint32_t n = 0;
    if (JS_IsObject(list)) {
        JSValue len = JS_GetPropertyStr(l->ctx, list, "length");
        JS_ToUint32(l->ctx, &n, len);
    } else {
        list = JS_NewArray(l->ctx);
        JS_DefinePropertyValue(l->ctx, l->object, atom, JS_DupValue(l->ctx, list), JS_PROP_C_W_E);
    }
    JS_SetPropertyUint32(l->ctx, list, n, JS_NewStringLen(l->ctx, value.ptr, value.len));
    JS_FreeValue(l->ctx, list);
    JS_FreeAtom(l->ctx, atom);
}

static JSValue jar_cookies_for_url(JSContext *ctx, JSValueConst this_val, int argc,
                                   JSValueConst *argv) {
    struct cookie_jar *jar;
    struct url url;
    if (!jar_arguments(ctx, this_val, argc, argv, &jar, &url))
        return JS_EXCEPTION;
    struct listing l = {ctx, JS_NewObject(ctx)};
    cookie_jar_each(jar, &url, list_cookie, &l);
    url_release(&url);
    return l.object;
}

/* One option of set(), its name in any case; text keeps its string alive. */
static bool read_option(JSContext *ctx, struct slice name, JSValueConst v, struct cookie *c,
                        struct js_text *text) {
    if (slice_ieq(name, SLICE("secure"))) {
        c->secure = JS_ToBool(ctx, v) > 0;
        return true;
    }
    if (slice_ieq(name, SLICE("http_only"))) {
        c->http_only = JS_ToBool(ctx, v) > 0;
        return true;
    }
    if (slice_ieq(name, SLICE("max_age"))) {
        int32_t seconds;
        if (JS_ToInt32(ctx, &seconds, v))
            return false;
        c->max_age = seconds;
        return true;
    }
    bool is_path = slice_ieq(name, SLICE("path")), is_domain = slice_ieq(name, SLICE("domain"));
    if (!is_path && !is_domain && !slice_ieq(name, SLICE("expires")))
        return true;
    if (!js_text_get_go(ctx, v, text))
        return false;
    if (is_path)
        c->path = text->s;
    if (is_domain)
        c->domain = text->s;
    if (is_path || is_domain || !text->s.len)
        return true;
    struct error err;
    c->has_expires = http_date_parse_rfc1123(text->s, &c->expires_ms, &err) == 0;
    if (!c->has_expires)
        js_throw_go_error(ctx, "unable to parse \"expires\" date string \"%.*s\": %s",
                          SLICE_FMT(text->s), err.text);
    return c->has_expires;
}

/* The texts of the options, *out_texts of *out_n, are the caller's to release also on failure. */
static bool read_options(JSContext *ctx, JSValueConst options, struct cookie *c,
                         struct js_text **out_texts, uint32_t *out_n) {
    JSPropertyEnum *names;
    if (JS_GetOwnPropertyNames(ctx, &names, out_n, options, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return false;
    *out_texts = xcalloc(*out_n + 1, sizeof **out_texts);
    bool ok = true;
    for (uint32_t i = 0; i < *out_n && ok; i++) {
        const char *name = JS_AtomToCString(ctx, names[i].atom);
        JSValue v = JS_GetProperty(ctx, options, names[i].atom);
        ok = name && !JS_IsException(v) &&
             read_option(ctx, slice_cstr(name), v, c, &(*out_texts)[i]);
        JS_FreeCString(ctx, name);
        JS_FreeValue(ctx, v);
    }
    js_free_names(ctx, names, *out_n);
    return ok;
}

static JSValue jar_set(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct cookie_jar *jar;
    struct url url;
    if (!jar_arguments(ctx, this_val, argc, argv, &jar, &url))
        return JS_EXCEPTION;
    struct js_text name = {.ctx = NULL}, value = {.ctx = NULL}, *texts = NULL;
    uint32_t n_texts = 0;
    struct cookie c = {0};
    JSValue result = JS_EXCEPTION;
    if (go_string_arg(ctx, argc, argv, 1, &name) && go_string_arg(ctx, argc, argv, 2, &value)) {
        c.name = name.s;
        c.value = value.s;
        if (argc < 4 || !JS_IsObject(argv[3]) || read_options(ctx, argv[3], &c, &texts, &n_texts)) {
            cookie_jar_set(jar, &url, &c);
            result = JS_TRUE;
        }
    }
    for (uint32_t i = 0; texts && i < n_texts; i++)
        if (texts[i].ctx)
            js_text_release(&texts[i]);
    free(texts);
    if (name.ctx)
        js_text_release(&name);
    if (value.ctx)
        js_text_release(&value);
    url_release(&url);
    return result;
}

static JSValue jar_clear(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct cookie_jar *jar;
    struct url url;
    if (!jar_arguments(ctx, this_val, argc, argv, &jar, &url))
        return JS_EXCEPTION;
    cookie_jar_clear(jar, &url);
    url_release(&url);
    return JS_UNDEFINED;
}

static JSValue jar_delete(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct cookie_jar *jar;
    struct url url;
    struct js_text name;
    if (!jar_arguments(ctx, this_val, argc, argv, &jar, &url))
        return JS_EXCEPTION;
    bool ok = go_string_arg(ctx, argc, argv, 1, &name);
    if (ok && name.s.len == 0) {
        ok = false;
        js_text_release(&name);
        js_throw_go_error(ctx, "cookie: is null");
    } else if (ok) {
        cookie_jar_delete(jar, &url, name.s);
        js_text_release(&name);
    }
    url_release(&url);
    return ok ? JS_UNDEFINED : JS_EXCEPTION;
}

JSValue http_cookie_jar_class(JSContext *ctx) {
    JSRuntime *rt = JS_GetRuntime(ctx);
    JS_NewClassID(&jar_class);
    if (!JS_IsRegisteredClass(rt, jar_class) && JS_NewClass(rt, jar_class, &jar_class_def))
        return JS_EXCEPTION;
    JSValue proto = JS_NewObject(ctx);
    JSValue ctor =
        JS_NewCFunction2(ctx, jar_constructor, "CookieJar", 0, JS_CFUNC_constructor_or_func, 0);
    JS_SetConstructor(ctx, ctor, proto);
    JS_SetClassProto(ctx, jar_class, proto);
    return ctor;
}
