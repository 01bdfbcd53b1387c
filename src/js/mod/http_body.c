#include "js/mod/http_internal.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "js/go_types.h"
#include "js/js_util.h"
#include "base/random.h"

/* Form encoding of url.Values.Encode in Go: keys sorted, space as '+'. */
static void form_escape(struct buf *out, struct slice s) {
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            buf_append_char(out, (char)c);
        } else if (c == ' ') {
            buf_append_char(out, '+');
        } else {
            buf_append_char(out, '%');
            buf_append_char(out, hex[c >> 4]);
            buf_append_char(out, hex[c & 15]);
        }
    }
}

struct form_field {
    struct slice key; /* a C string of the context */
    JSValue value;
};

static int compare_fields(const void *a, const void *b) {
    const struct form_field *x = a, *y = b;
    size_t n = x->key.len < y->key.len ? x->key.len : y->key.len;
    int c = memcmp(x->key.ptr, y->key.ptr, n);
    return c ? c : (x->key.len > y->key.len) - (x->key.len < y->key.len);
}

static int form_value(JSContext *ctx, struct buf *out, struct slice key, JSValueConst v) {
    struct js_text text = {.s = {"", 0}};
    bool is_object = JS_IsObject(v); /* k6: nested objects become empty */
    if (!is_object && !JS_IsUndefined(v) && !JS_IsNull(v) && !js_text_get(ctx, v, &text))
        return KE_JS;
    if (out->len)
        buf_append_char(out, '&');
    form_escape(out, key);
    buf_append_char(out, '=');
    form_escape(out, text.s);
    if (text.ctx)
        js_text_release(&text);
    return 0;
}

static int form_field_write(JSContext *ctx, struct buf *out, const struct form_field *f) {
    if (JS_IsArray(ctx, f->value) <= 0)
        return form_value(ctx, out, f->key, f->value);
    int64_t n = 0;
    JSValue len = JS_GetPropertyStr(ctx, f->value, "length");
    JS_ToInt64(ctx, &n, len);
    JS_FreeValue(ctx, len);
    for (int64_t i = 0; i < n; i++) {
        JSValue item = JS_GetPropertyUint32(ctx, f->value, (uint32_t)i);
        int rc = form_value(ctx, out, f->key, item);
        JS_FreeValue(ctx, item);
        if (rc)
            return rc;
    }
    return 0;
}

static void multipart_quote(struct buf *out, struct slice s) {
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"' || s.ptr[i] == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, s.ptr[i]);
    }
}

static int multipart_field(JSContext *ctx, struct buf *out, const char *boundary,
                           const struct form_field *f) {
    JSValue data = JS_UNDEFINED;
    char *filename = NULL, *type = NULL;
    bool is_file = http_file_from(ctx, f->value, &data, &filename, &type);
    buf_printf(out, "--%s\r\nContent-Disposition: form-data; name=\"", boundary);
    multipart_quote(out, f->key);
    if (is_file) {
        buf_append_str(out, "\"; filename=\"");
        multipart_quote(out, slice_cstr(filename));
        buf_printf(out, "\"\r\nContent-Type: %s\r\n\r\n", type);
    } else {
        buf_append_str(out, "\"\r\n\r\n");
    }
    const uint8_t *bytes;
    size_t len;
    JSValueConst v = is_file ? data : f->value;
    int rc = 0;
    if (js_bytes(ctx, v, &bytes, &len)) {
        buf_append(out, bytes, len);
    } else if (!JS_IsNull(v) && !JS_IsUndefined(v)) {
        struct js_text text;
        if (js_text_get(ctx, v, &text)) {
            buf_append_slice(out, text.s);
            js_text_release(&text);
        } else {
            rc = KE_JS;
        }
    }
    buf_append_str(out, "\r\n");
    JS_FreeValue(ctx, data);
    free(filename);
    free(type);
    return rc;
}

static void random_boundary(char out[61]) {
    static const char hex[] = "0123456789abcdef";
    for (int i = 0; i < 60; i += 15) {
        uint64_t r = random_u64();
        for (int k = 0; k < 15; k++, r >>= 4)
            out[i + k] = hex[r & 15];
    }
    out[60] = 0;
}

/* An object: urlencoded form, or multipart when a value is a file. */
static int read_object(struct http_call *call, JSValueConst body, const char **out_type) {
    JSContext *ctx = call->vu->ctx;
    JSPropertyEnum *props;
    uint32_t n;
    if (JS_GetOwnPropertyNames(ctx, &props, &n, body, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return KE_JS;
    struct form_field *fields = xcalloc(n + 1, sizeof *fields);
    uint32_t filled = 0;
    int rc = 0;
    bool has_file = false;
    for (; filled < n && !rc; filled++) {
        struct form_field *f = &fields[filled];
        const char *key = JS_AtomToCString(ctx, props[filled].atom);
        f->value = JS_GetProperty(ctx, body, props[filled].atom);
        f->key = key ? slice_cstr(key) : slice_from(NULL, 0);
        if (!key || JS_IsException(f->value))
            rc = KE_JS;
        else
            has_file = has_file || http_file_from(ctx, f->value, NULL, NULL, NULL);
    }
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    if (!rc && has_file) {
        char boundary[61];
        random_boundary(boundary);
        for (uint32_t i = 0; i < n && !rc; i++)
            rc = multipart_field(ctx, &out, boundary, &fields[i]);
        buf_printf(&out, "--%s--\r\n", boundary);
        char *type = xasprintf("multipart/form-data; boundary=%s", boundary);
        call->content_type_heap = type;
        *out_type = type;
    } else if (!rc) {
        qsort(fields, n, sizeof *fields, compare_fields);
        for (uint32_t i = 0; i < n && !rc; i++)
            rc = form_field_write(ctx, &out, &fields[i]);
        *out_type = "application/x-www-form-urlencoded";
    }
    for (uint32_t i = 0; i < filled; i++) {
        if (fields[i].key.ptr)
            JS_FreeCString(ctx, fields[i].key.ptr);
        JS_FreeValue(ctx, fields[i].value);
    }
    free(fields);
    js_free_names(ctx, props, n);
    size_t len;
    call->body_heap = buf_detach(&out, &len);
    call->req.body = slice_from(call->body_heap, len);
    call->req.has_body = true;
    return rc;
}

int http_body_read(struct http_call *call, JSValueConst body, const char **out_content_type,
                   struct error *err) {
    JSContext *ctx = call->vu->ctx;
    if (JS_IsString(body)) {
        size_t len;
        const char *s = JS_ToCStringLen(ctx, &len, body);
        if (!s)
            return KE_JS;
        call->body_text = s;
        call->req.body = slice_from(s, len);
        call->req.has_body = true;
        return 0;
    }
    const uint8_t *bytes;
    size_t len;
    const char *type = go_type_name(ctx, body);
    bool is_bytes = strcmp(type, "[]uint8") == 0 || strcmp(type, "sobek.ArrayBuffer") == 0;
    if (is_bytes && js_bytes(ctx, body, &bytes, &len)) {
        /* The script may write to, or detach, the buffer while the request waits on another fiber.
         */
        call->body_heap = xmalloc(len + 1);
        memcpy(call->body_heap, bytes, len);
        call->req.body = slice_from(call->body_heap, len);
        call->req.has_body = true;
        return 0;
    }
    if (!JS_IsObject(body) || strncmp(type, "[]", 2) == 0)
        return error_set(err, KE_INVALID, "unknown request body type %s", type);
    return read_object(call, body, out_content_type);
}
