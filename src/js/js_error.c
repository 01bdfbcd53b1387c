#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "js/js_util.h"

/* Words of a peer or a script can get into messages: a cap keeps them readable. */
#define MESSAGE_MAX (64 * 1024)

JSValue js_new_go_error(JSContext *ctx, const char *message, size_t len) {
    JSValue e = JS_NewError(ctx);
    int flags = JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE;
    JS_DefinePropertyValueStr(ctx, e, "name", JS_NewString(ctx, "GoError"), flags);
    JS_DefinePropertyValueStr(ctx, e, "message", JS_NewStringLen(ctx, message, len), flags);
    return e;
}

JSValue js_throw_go_error(JSContext *ctx, const char *fmt, ...) {
    struct buf b;
    va_list ap;
    buf_init(&b, MESSAGE_MAX);
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    JS_Throw(ctx, js_new_go_error(ctx, b.len ? b.ptr : "", b.len));
    buf_release(&b);
    return JS_EXCEPTION;
}

/* String(v); what a toString of the script throws is dropped. */
static void append_string(struct buf *out, JSContext *ctx, JSValueConst v) {
    struct js_text text;
    if (JS_IsSymbol(v)) {
        buf_append_str(out, "Symbol()");
        return;
    }
    if (!js_text_get(ctx, v, &text)) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        buf_append_str(out, "[object Object]");
        return;
    }
    buf_append_slice(out, text.s);
    js_text_release(&text);
}

static void append_frames(struct buf *out, JSContext *ctx, JSValueConst stack) {
    struct js_text text;
    if (!JS_IsString(stack) || !js_text_get(ctx, stack, &text))
        return;
    struct slice s = text.s;
    if (!slice_starts(s, SLICE("\tat "))) {
        const char *first = memmem(s.ptr, s.len, "\n\tat ", 5);
        s = first ? slice_from(first + 1, s.len - (size_t)(first + 1 - s.ptr))
                  : slice_from(NULL, 0);
    }
    buf_append_slice(out, s);
    js_text_release(&text);
}

char *js_error_text(JSContext *ctx, JSValueConst error) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    append_string(&b, ctx, error);
    buf_append_char(&b, '\n');
    if (JS_IsError(ctx, error)) {
        JSValue stack = JS_GetPropertyStr(ctx, error, "stack");
        if (JS_IsException(stack))
            JS_FreeValue(ctx, JS_GetException(ctx));
        append_frames(&b, ctx, stack);
        JS_FreeValue(ctx, stack);
    }
    return buf_detach(&b, NULL);
}

char *js_take_exception_text(JSContext *ctx) {
    JSValue e = JS_GetException(ctx);
    char *text = js_error_text(ctx, e);
    if (!JS_IsError(ctx, e)) {
        struct buf b;
        buf_init(&b, BUF_NO_CAP);
        buf_append_str(&b, text);
        JSValue stack = JS_GetThrownStack(ctx);
        append_frames(&b, ctx, stack);
        JS_FreeValue(ctx, stack);
        free(text);
        text = buf_detach(&b, NULL);
    }
    JS_FreeValue(ctx, e);
    return text;
}

char *js_rejection_text(JSContext *ctx, JSValueConst reason) {
    if (JS_IsError(ctx, reason)) {
        char *text = js_error_text(ctx, reason);
        char *all = xasprintf("Uncaught (in promise) %s", text);
        free(text);
        return all;
    }
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    buf_append_str(&b, "Uncaught (in promise) ");
    append_string(&b, ctx, reason);
    return buf_detach(&b, NULL);
}
