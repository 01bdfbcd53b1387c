#include "js/console.h"

#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/compat.h"
#include "base/log.h"
#include "js/go_args.h"
#include "js/js_util.h"
#include "js/stack_guard.h"

#define MESSAGE_MAX ((size_t)64 << 20)

/* The objects that are being printed, innermost first: a value among them is circular. */
struct seen {
    const struct seen *outer;
    void *object;
};

static int put_value(struct buf *out, JSContext *ctx, JSValueConst v, const struct seen *outer);

static int put_text(struct buf *out, JSContext *ctx, JSValueConst v) {
    struct js_text text;
    if (!js_text_get_go(ctx, v, &text))
        return KE_JS;
    buf_append_slice(out, text.s);
    js_text_release(&text);
    return 0;
}

static int put_primitive(struct buf *out, JSContext *ctx, JSValueConst v) {
    bool is_quoted = JS_IsString(v) || JS_IsSymbol(v);
    if (is_quoted)
        buf_append_char(out, '"');
    int rc = put_text(out, ctx, v);
    if (is_quoted)
        buf_append_char(out, '"');
    return rc;
}

static int put_element(struct buf *out, JSContext *ctx, JSValueConst array, uint32_t i,
                       const struct seen *seen) {
    JSValue v = JS_GetPropertyUint32(ctx, array, i);
    if (JS_IsException(v))
        return KE_JS;
    if (i > 0)
        buf_append_str(out, ", ");
    int rc = put_value(out, ctx, v, seen);
    JS_FreeValue(ctx, v);
    return rc;
}

static int length_of(JSContext *ctx, JSValueConst v, uint32_t *out) {
    JSValue len = JS_GetPropertyStr(ctx, v, "length");
    int rc = JS_IsException(len) ? -1 : JS_ToUint32(ctx, out, len);
    JS_FreeValue(ctx, len);
    return rc < 0 ? KE_JS : 0;
}

static int put_array(struct buf *out, JSContext *ctx, JSValueConst v, const struct seen *seen) {
    uint32_t len;
    if (length_of(ctx, v, &len))
        return KE_JS;
    if (len == 0) {
        buf_append_str(out, "[]");
        return 0;
    }
    buf_append_str(out, "[ ");
    for (uint32_t i = 0; i < len; i++) {
        if (put_element(out, ctx, v, i, seen))
            return KE_JS;
    }
    buf_append_str(out, " ]");
    return 0;
}

static int put_typed_array(struct buf *out, JSContext *ctx, JSValueConst v) {
    static const char *const names[] = {"Uint8Array",   "Int8Array",     "Uint8Array",
                                        "Int16Array",   "Uint16Array",   "Int32Array",
                                        "Uint32Array",  "BigInt64Array", "BigUint64Array",
                                        "Float32Array", "Float64Array"};
    uint32_t len;
    if (length_of(ctx, v, &len))
        return KE_JS;
    buf_printf(out, "%s(%u) ", names[JS_GetTypedArrayKind(v)], len);
    return put_array(out, ctx, v, NULL);
}

static int put_buffer(struct buf *out, JSContext *ctx, JSValueConst v) {
    const uint8_t *bytes = NULL;
    size_t len = 0;
    js_bytes(ctx, v, &bytes, &len);
    buf_append_str(out, "ArrayBuffer { [Uint8Contents]: <");
    for (size_t i = 0; i < len; i++)
        buf_printf(out, i ? " %02x" : "%02x", bytes[i]);
    buf_printf(out, ">, byteLength: %zu }", len);
    return 0;
}

static int put_date(struct buf *out, JSContext *ctx, JSValueConst v) {
    JSAtom name = JS_NewAtom(ctx, "toISOString");
    JSValue text = JS_Invoke(ctx, v, name, 0, NULL);
    JS_FreeAtom(ctx, name);
    if (JS_IsException(text)) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        buf_append_str(out, "{}");
        return 0;
    }
    buf_append_char(out, '"');
    int rc = put_text(out, ctx, text);
    buf_append_char(out, '"');
    JS_FreeValue(ctx, text);
    return rc;
}

static int put_properties(struct buf *out, JSContext *ctx, JSValueConst v,
                          const JSPropertyEnum *names, uint32_t len, const struct seen *seen) {
    buf_append_str(out, "{ ");
    for (uint32_t i = 0; i < len; i++) {
        const char *key = JS_AtomToCString(ctx, names[i].atom);
        if (!key)
            return KE_JS;
        buf_printf(out, i ? ", %s: " : "%s: ", key);
        JS_FreeCString(ctx, key);
        JSValue p = JS_GetProperty(ctx, v, names[i].atom);
        int rc = JS_IsException(p) ? KE_JS : put_value(out, ctx, p, seen);
        JS_FreeValue(ctx, p);
        if (rc)
            return rc;
    }
    buf_append_str(out, " }");
    return 0;
}

static int put_object(struct buf *out, JSContext *ctx, JSValueConst v, const struct seen *outer) {
    struct seen seen = {outer, JS_VALUE_GET_PTR(v)};
    for (const struct seen *s = outer; s; s = s->outer) {
        if (s->object == seen.object) {
            buf_append_str(out, "[Circular]");
            return 0;
        }
    }
    if (js_stack_is_low(vu_from_ctx(ctx))) {
        JS_ThrowRangeError(ctx, "Maximum call stack size exceeded");
        return KE_JS;
    }
    if (JS_IsError(ctx, v))
        return put_text(out, ctx, v);
    if (JS_GetTypedArrayKind(v) >= 0)
        return put_typed_array(out, ctx, v);
    if (JS_IsArrayBufferObject(v))
        return put_buffer(out, ctx, v);
    int is_array = JS_IsArray(ctx, v);
    if (is_array < 0)
        return KE_JS;
    if (is_array)
        return put_array(out, ctx, v, &seen);
    JSPropertyEnum *names;
    uint32_t len;
    if (JS_GetOwnPropertyNames(ctx, &names, &len, v, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return KE_JS;
    int rc = 0;
    if (len > 0)
        rc = put_properties(out, ctx, v, names, len, &seen);
    else if (JS_IsDateObject(v))
        rc = put_date(out, ctx, v);
    else
        buf_append_str(out, "{}");
    js_free_names(ctx, names, len);
    return rc;
}

static int put_value(struct buf *out, JSContext *ctx, JSValueConst v, const struct seen *outer) {
    if (JS_IsUndefined(v) || JS_IsNull(v)) {
        buf_append_str(out, "null");
        return 0;
    }
    if (JS_IsFunction(ctx, v)) {
        buf_append_str(out, "[object Function]");
        return 0;
    }
    return JS_IsObject(v) ? put_object(out, ctx, v, outer) : put_primitive(out, ctx, v);
}

/* JSON as Go writes it into HTML: <, >, & and the two line ends of Unicode are escaped. */
static void put_html_safe(struct buf *out, struct slice json) {
    static const char line_end[] = {'\xe2', '\x80'};
    for (size_t i = 0; i < json.len; i++) {
        unsigned char c = (unsigned char)json.ptr[i];
        if (c == '<' || c == '>' || c == '&') {
            buf_printf(out, "\\u%04x", c);
        } else if (json.len - i >= 3 && memcmp(json.ptr + i, line_end, 2) == 0 &&
                   ((unsigned char)json.ptr[i + 2] & 0xfe) == 0xa8) {
            buf_printf(out, "\\u202%x", json.ptr[i + 2] & 0xf);
            i += 2;
        } else {
            buf_append_char(out, (char)c);
        }
    }
}

static int put_json_text(struct buf *out, JSContext *ctx, JSValueConst json) {
    struct js_text text;
    if (!js_text_get_go(ctx, json, &text))
        return KE_JS;
    put_html_safe(out, text.s);
    js_text_release(&text);
    return 0;
}

/* The form of v0.51: JSON. */
static int put_json(struct buf *out, JSContext *ctx, JSValueConst v) {
    JSValue json = JS_JSONStringify(ctx, v, JS_UNDEFINED, JS_UNDEFINED);
    if (JS_IsException(json)) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        return put_text(out, ctx, v);
    }
    int rc = 0;
    if (JS_IsUndefined(json))
        buf_append_str(out, "null");
    else
        rc = put_json_text(out, ctx, json);
    JS_FreeValue(ctx, json);
    return rc;
}

int js_console_format(struct buf *out, JSContext *ctx, JSValueConst v) {
    if (!JS_IsObject(v))
        return put_text(out, ctx, v);
    if (compat_on(COMPAT_CONSOLE_JSON_OBJECTS))
        return put_json(out, ctx, v);
    if (go_is_error_value(v))
        return put_text(out, ctx, v);
    return put_value(out, ctx, v, NULL);
}

static struct {
    js_console_writer *write;
    void *arg;
} redirect;

void js_console_redirect(js_console_writer *write, void *arg) {
    redirect.write = write;
    redirect.arg = arg;
}

static JSValue js_console_log(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                              int level) {
    (void)this_val;
    struct buf out;
    int rc = 0;
    buf_init(&out, MESSAGE_MAX);
    for (int i = 0; i < argc && rc == 0; i++) {
        if (i > 0)
            buf_append_char(&out, ' ');
        rc = js_console_format(&out, ctx, argv[i]);
    }
    struct slice msg = slice_from(out.ptr ? out.ptr : "", out.len);
    if (rc == 0 && redirect.write)
        redirect.write(redirect.arg, (enum log_level)level, msg);
    else if (rc == 0)
        log_fields((enum log_level)level, msg, LOG_STR("source", "console"));
    buf_release(&out);
    return rc ? JS_EXCEPTION : JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_MAGIC_DEF("log", 1, js_console_log, LOG_INFO),
    JS_CFUNC_MAGIC_DEF("debug", 1, js_console_log, LOG_DEBUG),
    JS_CFUNC_MAGIC_DEF("info", 1, js_console_log, LOG_INFO),
    JS_CFUNC_MAGIC_DEF("warn", 1, js_console_log, LOG_WARN),
    JS_CFUNC_MAGIC_DEF("error", 1, js_console_log, LOG_ERROR),
};

void js_console_register(JSContext *ctx, JSValueConst global) {
    JSValue console = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, console, functions, countof(functions));
    JS_DefinePropertyValueStr(ctx, global, "console", console, JS_PROP_C_W_E);
}
