#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "js/js_util.h"
#include "js/loader.h"

static int int_property(JSContext *ctx, JSValueConst o, const char *name) {
    JSValue v = JS_GetPropertyStr(ctx, o, name);
    int32_t n = 0;
    JS_ToInt32(ctx, &n, v);
    JS_FreeValue(ctx, v);
    return n;
}

char *js_take_syntax_error(JSContext *ctx, const char *url) {
    JSValue e = JS_GetException(ctx);
    int line = int_property(ctx, e, "lineNumber"), column = int_property(ctx, e, "columnNumber");
    JSValue message = JS_GetPropertyStr(ctx, e, "message");
    const char *words = JS_ToCString(ctx, message);
    char *text = xasprintf("%s: Line %d:%d %s", url, line, column, words ? words : "");
    JS_FreeCString(ctx, words);
    JS_FreeValue(ctx, message);
    JS_FreeValue(ctx, e);
    return text;
}
