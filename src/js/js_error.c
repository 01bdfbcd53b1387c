#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "js/go_args.h"
#include "js/js_util.h"
#include "js/source_map.h"

/* Words of a peer or a script can get into messages: a cap keeps them readable. */
#define MESSAGE_MAX (64 * 1024)

JSValue js_new_go_error(JSContext *ctx, const char *message, size_t len) {
    JSValue e = JS_NewError(ctx);
    int flags = JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE;
    JS_DefinePropertyValueStr(ctx, e, "name", JS_NewString(ctx, "GoError"), flags);
    JS_DefinePropertyValueStr(ctx, e, "message", JS_NewStringLen(ctx, message, len), flags);
    char *words = xasprintf("%.*s", (int)len, message);
    JS_DefinePropertyValueStr(ctx, e, "value", go_error_object(ctx, words), JS_PROP_C_W_E);
    free(words);
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

/* "file:///x.js:2:9(13))" is cut to its URL; false when it is no place of a file. */
static bool cut_place(struct slice frame, struct slice *out_url, int *out_line, int *out_column) {
    const char *paren = memrchr(frame.ptr, '(', frame.len);
    if (!paren)
        return false;
    uint64_t numbers[2];
    size_t end = (size_t)(paren - frame.ptr);
    for (int i = 0; i < 2; i++) {
        const char *colon = memrchr(frame.ptr, ':', end);
        if (!colon || !slice_to_u64(slice_from(colon + 1, end - (size_t)(colon + 1 - frame.ptr)),
                                    &numbers[i]))
            return false;
        end = (size_t)(colon - frame.ptr);
    }
    *out_url = slice_from(frame.ptr, end);
    *out_column = (int)numbers[0];
    *out_line = (int)numbers[1];
    return true;
}

/* One line of a stack, its place that of the source map when there is one. */
static void append_frame(struct buf *out, const struct script *s, struct slice frame) {
    const char *open = memchr(frame.ptr, '(', frame.len);
    size_t from = open && frame.ptr[frame.len - 1] == ')' &&
                          memchr(open + 1, '(', frame.len - (size_t)(open + 1 - frame.ptr))
                      ? (size_t)(open + 1 - frame.ptr)
                      : sizeof "\tat " - 1;
    struct slice url;
    struct source_place place;
    int line, column;
    const struct script_module *m = NULL;
    if (from < frame.len &&
        cut_place(slice_from(frame.ptr + from, frame.len - from), &url, &line, &column)) {
        char *name = slice_dup(url);
        m = map_get(&s->modules, slice_cstr(name));
        free(name);
    }
    if (!m || !m->source_map || !source_map_find(m->source_map, line, column, &place)) {
        buf_append_slice(out, frame);
        return;
    }
    const char *counter = memrchr(frame.ptr, '(', frame.len);
    buf_append(out, frame.ptr, from);
    buf_printf(out, "%s:%d:%d", place.url, place.line, place.column);
    buf_append(out, counter, frame.len - (size_t)(counter - frame.ptr));
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
    while (s.len) {
        const char *nl = memchr(s.ptr, '\n', s.len);
        size_t len = nl ? (size_t)(nl - s.ptr) : s.len;
        append_frame(out, vu_from_ctx(ctx)->script, slice_from(s.ptr, len));
        if (nl)
            buf_append_char(out, '\n');
        s = slice_from(s.ptr + len + (nl != NULL), s.len - len - (nl != NULL));
    }
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
