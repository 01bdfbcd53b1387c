#include "js/mod/http_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "js/go_args.h"
#include "js/go_types.h"
#include "js/js_util.h"

/* FileData is a plain class instance with properties data, filename and content_type, as k6's
 * struct shows them. */
static JSClassID file_class;

static const JSClassDef file_class_def = {.class_name = "FileData"};

int http_file_register(JSContext *ctx) {
    JSRuntime *rt = JS_GetRuntime(ctx);
    JS_NewClassID(&file_class);
    return JS_IsRegisteredClass(rt, file_class) ? 0 : JS_NewClass(rt, file_class, &file_class_def);
}

bool http_file_from(JSContext *ctx, JSValueConst v, JSValue *out_data, char **out_name,
                    char **out_type) {
    JSClassID id = 0;
    if (!JS_IsObject(v) || (JS_GetAnyOpaque(v, &id), id != file_class))
        return false;
    if (!out_data)
        return true;
    JSValue name = JS_GetPropertyStr(ctx, v, "filename");
    JSValue type = JS_GetPropertyStr(ctx, v, "content_type");
    const char *n = JS_ToCString(ctx, name), *t = JS_ToCString(ctx, type);
    *out_name = xstrdup(n ? n : "");
    *out_type = xstrdup(t ? t : "");
    *out_data = JS_GetPropertyStr(ctx, v, "data");
    JS_FreeCString(ctx, n);
    JS_FreeCString(ctx, t);
    JS_FreeValue(ctx, name);
    JS_FreeValue(ctx, type);
    return true;
}

JSValue http_js_file(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    JSValueConst data = argc > 0 ? argv[0] : JS_UNDEFINED;
    const char *type = go_type_name(ctx, data);
    size_t len;
    bool is_buffer = JS_IsArrayBufferObject(data) && JS_GetArrayBuffer(ctx, &len, data);
    if (!JS_IsString(data) && !is_buffer)
        return js_throw_go_error(ctx, "invalid type %s, expected string or ArrayBuffer", type);
    struct js_text name, content_type;
    if (!go_string_arg(ctx, argc, argv, 1, &name))
        return JS_EXCEPTION;
    if (!go_string_arg(ctx, argc, argv, 2, &content_type)) {
        js_text_release(&name);
        return JS_EXCEPTION;
    }
    JSValue f = JS_NewObjectClass(ctx, (int)file_class);
    char now[32];
    snprintf(now, sizeof now, "%" PRId64, clock_wall_ns());
    JS_SetPropertyStr(ctx, f, "data", JS_DupValue(ctx, data));
    JS_SetPropertyStr(ctx, f, "filename",
                      argc > 1 ? JS_NewStringLen(ctx, name.s.ptr, name.s.len)
                               : JS_NewString(ctx, now));
    JS_SetPropertyStr(ctx, f, "content_type",
                      argc > 2 ? JS_NewStringLen(ctx, content_type.s.ptr, content_type.s.len)
                               : JS_NewString(ctx, "application/octet-stream"));
    js_text_release(&name);
    js_text_release(&content_type);
    return f;
}
