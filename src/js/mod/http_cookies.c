#include "js/mod/http_internal.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/http_date.h"
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
    return v;
}

static JSValue jar_constructor(JSContext *ctx, JSValueConst new_target, int argc,
                               JSValueConst *argv) {
    (void)argc;
    (void)argv;
    JSValue proto = JS_GetPropertyStr(ctx, new_target, "prototype");
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
    if (!o || !js_text_get(ctx, argc > 0 ? argv[0] : JS_UNDEFINED, &text))
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

/* Options object of set(): the strings stay alive in texts. */
static bool read_options(JSContext *ctx, JSValueConst options, struct cookie *c,
                         struct js_text texts[3]) {
    static const char *const names[] = {"domain", "path", "expires"};
    struct slice *const targets[] = {&c->domain, &c->path, NULL};
    for (size_t i = 0; i < countof(names); i++) {
        JSValue v = JS_GetPropertyStr(ctx, options, names[i]);
        bool ok = true;
        if (!JS_IsUndefined(v) && !JS_IsNull(v)) {
            ok = js_text_get(ctx, v, &texts[i]);
            if (ok && targets[i]) {
                *targets[i] = texts[i].s;
            } else if (ok && texts[i].s.len) {
                ok = http_date_parse(texts[i].s, &c->expires_ms) == 0;
                c->has_expires = ok;
                if (!ok)
                    js_throw_go_error(
                        ctx,
                        "unable to parse 'expires' date string \"%.*s\": parsing time \"%.*s\" as \"Mon, 02 Jan 2006 15:04:05 MST\": cannot parse \"%.*s\" as \"Mon\"",
                        SLICE_FMT(texts[i].s), SLICE_FMT(texts[i].s), SLICE_FMT(texts[i].s));
            }
        }
        JS_FreeValue(ctx, v);
        if (!ok)
            return false;
    }
    JSValue age = JS_GetPropertyStr(ctx, options, "max_age");
    JSValue secure = JS_GetPropertyStr(ctx, options, "secure");
    JSValue http_only = JS_GetPropertyStr(ctx, options, "http_only");
    int32_t max_age = 0;
    if (!JS_IsUndefined(age))
        JS_ToInt32(ctx, &max_age, age);
    c->max_age = max_age;
    c->secure = JS_ToBool(ctx, secure) > 0;
    c->http_only = JS_ToBool(ctx, http_only) > 0;
    JS_FreeValue(ctx, age);
    JS_FreeValue(ctx, secure);
    JS_FreeValue(ctx, http_only);
    return true;
}

static JSValue jar_set(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct cookie_jar *jar;
    struct url url;
    if (!jar_arguments(ctx, this_val, argc, argv, &jar, &url))
        return JS_EXCEPTION;
    struct js_text texts[5] = {{.ctx = NULL}};
    struct cookie c = {0};
    JSValue result = JS_EXCEPTION;
    if (js_text_get(ctx, argc > 1 ? argv[1] : JS_UNDEFINED, &texts[3]) &&
        js_text_get(ctx, argc > 2 ? argv[2] : JS_UNDEFINED, &texts[4])) {
        c.name = texts[3].s;
        c.value = texts[4].s;
        if (argc < 4 || !JS_IsObject(argv[3]) || read_options(ctx, argv[3], &c, texts)) {
            cookie_jar_set(jar, &url, &c);
            result = JS_TRUE;
        }
    }
    for (size_t i = 0; i < countof(texts); i++)
        if (texts[i].ctx)
            js_text_release(&texts[i]);
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
    bool ok = js_text_get(ctx, argc > 1 ? argv[1] : JS_UNDEFINED, &name);
    if (ok) {
        cookie_jar_delete(jar, &url, name.s);
        js_text_release(&name);
    }
    url_release(&url);
    return ok ? JS_UNDEFINED : JS_EXCEPTION;
}

static const JSCFunctionListEntry jar_methods[] = {
    JS_CFUNC_DEF("cookiesForURL", 1, jar_cookies_for_url),
    JS_CFUNC_DEF("set", 4, jar_set),
    JS_CFUNC_DEF("clear", 1, jar_clear),
    JS_CFUNC_DEF("delete", 2, jar_delete),
};

JSValue http_cookie_jar_class(JSContext *ctx) {
    JSRuntime *rt = JS_GetRuntime(ctx);
    JS_NewClassID(&jar_class);
    if (!JS_IsRegisteredClass(rt, jar_class) && JS_NewClass(rt, jar_class, &jar_class_def))
        return JS_EXCEPTION;
    JSValue proto = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, proto, jar_methods, countof(jar_methods));
    JSValue ctor = JS_NewCFunction2(ctx, jar_constructor, "CookieJar", 0, JS_CFUNC_constructor, 0);
    JS_SetConstructor(ctx, ctor, proto);
    JS_SetClassProto(ctx, jar_class, proto);
    return ctor;
}
