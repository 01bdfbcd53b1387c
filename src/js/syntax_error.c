#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/compat.h"
#include "js/babel.h"
#include "js/js_util.h"
#include "js/loader.h"
#include "js/syntax_words.h"

static int int_property(JSContext *ctx, JSValueConst o, const char *name) {
    JSValue v = JS_GetPropertyStr(ctx, o, name);
    int32_t n = 0;
    JS_ToInt32(ctx, &n, v);
    JS_FreeValue(ctx, v);
    return n;
}

/* QuickJS's own words, for what only it finds wrong. */
static char *own_words(JSContext *ctx, JSValueConst e) {
    int line = int_property(ctx, e, "lineNumber"), column = int_property(ctx, e, "columnNumber");
    JSValue message = JS_GetPropertyStr(ctx, e, "message");
    const char *words = JS_ToCString(ctx, message);
    char *text = xasprintf("Line %d:%d %s", line, column, words ? words : "");
    JS_FreeCString(ctx, words);
    JS_FreeValue(ctx, message);
    return text;
}

char *js_take_syntax_error(JSContext *ctx, const struct script_file *file) {
    JSValue e = JS_GetException(ctx);
    size_t place = 0;
    if (compat_is_v051()) {
        syntax_error_place(slice_from(file->ptr, file->len), vu_from_ctx(ctx)->stack_limit, &place);
        JS_FreeValue(ctx, e);
        return babel_error(file, place);
    }
    /* k6 parses everything as a module first and shows the errors of that. */
    char *words = syntax_words(slice_from(file->ptr, file->len), SYNTAX_PARSER,
                               vu_from_ctx(ctx)->stack_limit);
    if (!words)
        words = own_words(ctx, e);
    char *text = xasprintf("%s: %s", file->url, words);
    free(words);
    JS_FreeValue(ctx, e);
    return text;
}
