#include "js/mod/http_internal.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/compat.h"
#include "base/log.h"
#include "js/file_view.h"
#include "js/go_print.h"
#include "js/go_types.h"
#include "js/js_util.h"

/* Form encoding of url.Values.Encode in Go: space as '+'. */
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

/* A value of a form as text. What a flat form cannot hold becomes empty. */
static int form_text(JSContext *ctx, struct buf *out, JSValueConst v) {
    const char *type = go_type_name(ctx, v);
    if (compat_on(COMPAT_FORM_PRINTS_GO))
        return go_print(out, ctx, v);
    if (strcmp(type, "<nil>") == 0)
        return 0;
    if (strcmp(type, "map[string]interface {}") != 0 && strcmp(type, "[]interface {}") != 0)
        return go_print(out, ctx, v);
    log_printf(LOG_WARN,
               "cannot urlencode a nested %s value in a request form body; encoding it as an empty "
               "value, use JSON.stringify() to send structured data",
               type);
    return 0;
}

static int form_value(JSContext *ctx, struct buf *out, struct slice key, JSValueConst v) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    int rc = form_text(ctx, &text, v);
    if (!rc) {
        if (out->len)
            buf_append_char(out, '&');
        form_escape(out, key);
        buf_append_char(out, '=');
        form_escape(out, buf_slice(&text));
    }
    buf_release(&text);
    return rc;
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

void http_form_free(struct http_form *f) {
    if (!f)
        return;
    multipart_release(&f->multipart);
    for (size_t i = 0; i < f->copies.len; i++)
        free(f->copies.ptr[i]);
    vec_release(&f->copies);
    free(f);
}

static struct slice keep_copy(struct http_form *form, struct slice s) {
    char *copy = slice_dup(s);
    vec_push(&form->copies, copy);
    return slice_from(copy, s.len);
}

/* The bytes of a file, which live as long as the form. */
static int form_data(struct http_call *call, JSValueConst v, struct slice *out) {
    JSContext *ctx = call->vu->ctx;
    struct js_text text = {.s = {"", 0}};
    const uint8_t *bytes;
    size_t len;
    if (js_bytes(ctx, v, &bytes, &len)) {
        text.s = slice_from((const char *)bytes, len);
        *out = js_file_view_shared(call->vu, text.s);
        if (out->ptr)
            return 0;
    } else if (!JS_IsNull(v) && !JS_IsUndefined(v) && !js_text_get(ctx, v, &text)) {
        return KE_JS;
    }
    *out = keep_copy(call->form, text.s);
    if (text.ctx)
        js_text_release(&text);
    return 0;
}

/* The same of a field that is no file. A buffer is sent as it is, which k6 does not know to do. */
static int field_data(struct http_call *call, JSValueConst v, struct slice *out) {
    const uint8_t *bytes;
    size_t len;
    struct buf text;
    if (js_bytes(call->vu->ctx, v, &bytes, &len))
        return form_data(call, v, out);
    buf_init(&text, BUF_NO_CAP);
    int rc = form_text(call->vu->ctx, &text, v);
    if (!rc)
        *out = keep_copy(call->form, buf_slice(&text));
    buf_release(&text);
    return rc;
}

static int multipart_field(struct http_call *call, const struct form_field *f) {
    JSContext *ctx = call->vu->ctx;
    JSValue data = JS_UNDEFINED;
    char *filename = NULL, *type = NULL;
    struct slice bytes;
    bool is_file = http_file_from(ctx, f->value, &data, &filename, &type);
    int rc = is_file ? form_data(call, data, &bytes) : field_data(call, f->value, &bytes);
    if (rc == 0)
        multipart_add(&call->form->multipart, f->key, filename, type, bytes);
    JS_FreeValue(ctx, data);
    free(filename);
    free(type);
    return rc;
}

/* The body in pieces, so that a file of all VUs is not copied for each request. */
static int read_multipart(struct http_call *call, const struct form_field *fields, uint32_t n,
                          const char **out_type) {
    struct http_form *form = call->form = xcalloc(1, sizeof *form);
    multipart_init(&form->multipart);
    int rc = 0;
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = multipart_field(call, &fields[i]);
    multipart_end(&form->multipart);
    *out_type = call->content_type_heap = multipart_content_type(&form->multipart);
    call->req.body = slice_from(NULL, form->multipart.total_bytes);
    call->req.body_pieces = form->multipart.pieces.ptr;
    call->req.n_body_pieces = form->multipart.pieces.len;
    call->req.has_body = true;
    return rc;
}

/* Sorted, as url.Values.Encode in Go does it. */
static int read_form(struct http_call *call, struct form_field *fields, uint32_t n,
                     const char **out_type) {
    struct buf out;
    size_t len;
    int rc = 0;
    buf_init(&out, BUF_NO_CAP);
    qsort(fields, n, sizeof *fields, compare_fields);
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = form_field_write(call->vu->ctx, &out, &fields[i]);
    *out_type = "application/x-www-form-urlencoded";
    call->body_heap = buf_detach(&out, &len);
    call->req.body = slice_from(call->body_heap, len);
    call->req.has_body = true;
    return rc;
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
    if (!rc)
        rc = has_file ? read_multipart(call, fields, n, out_type)
                      : read_form(call, fields, n, out_type);
    for (uint32_t i = 0; i < filled; i++) {
        if (fields[i].key.ptr)
            JS_FreeCString(ctx, fields[i].key.ptr);
        JS_FreeValue(ctx, fields[i].value);
    }
    free(fields);
    js_free_names(ctx, props, n);
    return rc;
}

int http_body_read(struct http_call *call, JSValueConst body, const char **out_content_type,
                   struct error *err) {
    JSContext *ctx = call->vu->ctx;
    if (JS_IsString(body) || JS_IsSymbol(body)) {
        struct js_text text;
        if (!js_text_get_go(ctx, body, &text))
            return KE_JS;
        call->body_text = text.s.ptr;
        call->req.body = text.s;
        call->req.has_body = true;
        return 0;
    }
    const uint8_t *bytes;
    size_t len;
    const char *type = go_type_name(ctx, body);
    bool is_bytes = strcmp(type, "[]uint8") == 0 || JS_IsArrayBufferObject(body);
    if (is_bytes && js_bytes(ctx, body, &bytes, &len)) {
        call->body_shared = js_file_view_shared(call->vu, slice_from((const char *)bytes, len));
        if (call->body_shared.ptr) {
            call->req.body = call->body_shared;
            call->req.has_body = true;
            return 0;
        }
        /* The script may write to, or detach, the buffer while the request waits on another fiber.
         */
        call->body_heap = xmalloc(len + 1);
        memcpy(call->body_heap, bytes, len);
        call->req.body = slice_from(call->body_heap, len);
        call->req.has_body = true;
        return 0;
    }
    if (strcmp(type, "map[string]interface {}") != 0)
        return error_set(err, KE_INVALID, "unknown request body type %s", type);
    return read_object(call, body, out_content_type);
}
