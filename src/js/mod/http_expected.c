#include "js/mod/http_internal.h"

#include <stdlib.h>

#include "base/check.h"
#include "js/js_util.h"

static JSClassID expected_class;

static void expected_finalizer(JSRuntime *rt, JSValue v) {
    (void)rt;
    http_expected_unref(JS_GetOpaque(v, expected_class));
}

static const JSClassDef expected_class_def = {"ExpectedStatuses", .finalizer = expected_finalizer};

int http_expected_register(JSContext *ctx) {
    JSRuntime *rt = JS_GetRuntime(ctx);
    JS_NewClassID(&expected_class);
    return JS_IsRegisteredClass(rt, expected_class)
               ? 0
               : JS_NewClass(rt, expected_class, &expected_class_def);
}

struct http_expected *http_expected_from(JSValueConst v) {
    return JS_GetOpaque(v, expected_class);
}

void http_expected_unref(struct http_expected *e) {
    if (e && --e->refs == 0)
        free(e);
}

bool http_status_is_expected(const struct http_expected *e, int status) {
    if (!e)
        return status >= 200 && status <= 399;
    for (size_t i = 0; i < e->len; i++)
        if (status >= e->ranges[i].min && status <= e->ranges[i].max)
            return true;
    return false;
}

static bool is_integer(JSContext *ctx, JSValueConst v, int *out) {
    double d;
    if (!JS_IsNumber(v) || JS_ToFloat64(ctx, &d, v) || d != (double)(int)d)
        return false;
    *out = (int)d;
    return true;
}

static bool read_range(JSContext *ctx, JSValueConst v, int number, struct http_status_range *out) {
    if (is_integer(ctx, v, &out->min)) {
        out->max = out->min;
        return true;
    }
    if (JS_IsUndefined(v) || JS_IsNull(v)) {
        JS_ThrowTypeError(ctx, "Cannot convert undefined or null to object");
        return false;
    }
    bool has_both = JS_IsObject(v);
    JSValue limits[2] = {JS_UNDEFINED, JS_UNDEFINED};
    for (int i = 0; i < 2 && has_both; i++) {
        JSAtom name = JS_NewAtom(ctx, i == 0 ? "min" : "max");
        has_both = JS_HasProperty(ctx, v, name) > 0;
        if (has_both)
            limits[i] = JS_GetProperty(ctx, v, name);
        JS_FreeAtom(ctx, name);
    }
    bool ok =
        has_both && is_integer(ctx, limits[0], &out->min) && is_integer(ctx, limits[1], &out->max);
    JS_FreeValue(ctx, limits[0]);
    JS_FreeValue(ctx, limits[1]);
    if (!has_both)
        js_throw_go_error(ctx,
                          "argument number %d to expectedStatuses was neither an integer nor an "
                          "object like {min:100, max:329}",
                          number);
    else if (!ok)
        js_throw_go_error(ctx, "both min and max need to be integers for argument number %d",
                          number);
    return ok;
}

JSValue http_js_expected_statuses(JSContext *ctx, JSValueConst this_val, int argc,
                                  JSValueConst *argv) {
    (void)this_val;
    if (argc == 0)
        return js_throw_go_error(ctx, "no arguments");
    struct http_expected *e = xmalloc(sizeof *e + (size_t)argc * sizeof e->ranges[0]);
    e->refs = 1;
    e->len = (size_t)argc;
    for (int i = 0; i < argc; i++) {
        if (!read_range(ctx, argv[i], i + 1, &e->ranges[i])) {
            free(e);
            return JS_EXCEPTION;
        }
    }
    JSValue v = JS_NewObjectClass(ctx, (int)expected_class);
    if (JS_IsException(v))
        free(e);
    else
        JS_SetOpaque(v, e);
    return v;
}
