#include "js/text_coding.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "js/go_args.h"

#define READ_ONLY JS_PROP_ENUMERABLE
#define REPLACEMENT "\xef\xbf\xbd"

enum encoding { UTF_8, UTF_16LE, UTF_16BE };

/* ---- TextEncoder ---- */

/* Lone surrogates, which QuickJS gives as three bytes each, become U+FFFD, which has as many. */
static void replace_surrogates(uint8_t *p, size_t len) {
    for (size_t i = 0; i + 2 < len; i++)
        if (p[i] == 0xed && p[i + 1] >= 0xa0)
            memcpy(p + i, REPLACEMENT, 3);
}

static JSValue js_encode(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct js_text text;
    if (!go_string_arg(ctx, argc, argv, 0, &text))
        return JS_EXCEPTION;
    JSValue ret = JS_EXCEPTION;
    JSValue buffer = JS_NewArrayBufferCopy(ctx, (const uint8_t *)text.s.ptr, text.s.len);
    js_text_release(&text);
    if (!JS_IsException(buffer)) {
        size_t len;
        uint8_t *bytes = JS_GetArrayBuffer(ctx, &len, buffer);
        replace_surrogates(bytes, len);
        JSValueConst args[3] = {buffer, JS_UNDEFINED, JS_UNDEFINED};
        ret = JS_NewTypedArray(ctx, 3, args, JS_TYPED_ARRAY_UINT8);
    }
    JS_FreeValue(ctx, buffer);
    return ret;
}

static JSValue js_text_encoder(JSContext *ctx, JSValueConst new_target, int argc,
                               JSValueConst *argv) {
    (void)new_target;
    (void)argc;
    (void)argv;
    JSValue o = JS_NewObject(ctx);
    JS_DefinePropertyValueStr(ctx, o, "encode", JS_NewCFunction(ctx, js_encode, "encode", 1),
                              READ_ONLY);
    JS_DefinePropertyValueStr(ctx, o, "encoding", JS_NewString(ctx, "utf-8"), READ_ONLY);
    return o;
}

/* ---- decoding ---- */

struct decoder {
    enum encoding encoding;
    bool is_fatal, ignore_bom;
    bool is_begun;   /* what may be a byte order mark is behind us */
    bool is_swapped; /* the mark said the other byte order */
    uint8_t held[4]; /* the beginning of a sequence whose end has not come yet */
    size_t n_held;
};

static void decoder_reset(struct decoder *d) {
    d->is_begun = d->is_swapped = false;
    d->n_held = 0;
}

/* Length of the sequence that a byte begins, 0 for none; *low and *high bound its second byte. */
static size_t utf8_sequence(uint8_t c, uint8_t *low, uint8_t *high) {
    *low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    *high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (c < 0x80)
        return 1;
    if (c < 0xc2 || c > 0xf4)
        return 0;
    return c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* Each longest beginning of a sequence that is not completed becomes one U+FFFD. Returns how many
 * bytes were used: all, unless the last sequence is cut and more will come. */
static size_t decode_utf8(struct buf *out, const uint8_t *p, size_t len, bool is_stream,
                          bool *out_bad) {
    size_t i = 0;
    while (i < len) {
        uint8_t low, high;
        size_t n = utf8_sequence(p[i], &low, &high), k = 1;
        while (k < n && i + k < len && p[i + k] >= low && p[i + k] <= high) {
            low = 0x80;
            high = 0xbf;
            k++;
        }
        if (k < n && i + k == len && is_stream)
            return i;
        if (n > 0 && k == n) {
            buf_append(out, p + i, n);
        } else {
            *out_bad = true;
            buf_append_str(out, REPLACEMENT);
        }
        i += k;
    }
    return i;
}

static unsigned unit_at(const uint8_t *p, bool is_big) {
    return is_big ? (unsigned)p[0] << 8 | p[1] : (unsigned)p[1] << 8 | p[0];
}

static void put_rune(struct buf *out, uint32_t r) {
    char four[4];
    int n = 0;
    if (r < 0x80) {
        four[n++] = (char)r;
    } else if (r < 0x800) {
        four[n++] = (char)(0xc0 | r >> 6);
    } else if (r < 0x10000) {
        four[n++] = (char)(0xe0 | r >> 12);
        four[n++] = (char)(0x80 | (r >> 6 & 0x3f));
    } else {
        four[n++] = (char)(0xf0 | r >> 18);
        four[n++] = (char)(0x80 | (r >> 12 & 0x3f));
        four[n++] = (char)(0x80 | (r >> 6 & 0x3f));
    }
    if (r >= 0x80)
        four[n++] = (char)(0x80 | (r & 0x3f));
    buf_append(out, four, (size_t)n);
}

static size_t decode_utf16(struct buf *out, const uint8_t *p, size_t len, bool is_big,
                           bool is_stream, bool *out_bad) {
    size_t i = 0;
    while (i + 1 < len) {
        unsigned u = unit_at(p + i, is_big), next = 0;
        bool is_high = u >= 0xd800 && u < 0xdc00;
        if (is_high && i + 3 >= len && is_stream)
            return i;
        if (is_high && i + 3 < len)
            next = unit_at(p + i + 2, is_big);
        if (is_high && next >= 0xdc00 && next < 0xe000) {
            put_rune(out, 0x10000 + ((u - 0xd800) << 10) + (next - 0xdc00));
            i += 2;
        } else if (u >= 0xd800 && u < 0xe000) {
            *out_bad = true;
            buf_append_str(out, REPLACEMENT);
        } else {
            put_rune(out, u);
        }
        i += 2;
    }
    if (i < len && !is_stream) {
        *out_bad = true;
        buf_append_str(out, REPLACEMENT);
        i = len;
    }
    return i;
}

/* Bytes of the mark at the beginning, 0 when there is none; *out_wait when more must come first. */
static size_t mark_bytes(struct decoder *d, const uint8_t *p, size_t len, bool is_stream,
                         bool *out_wait) {
    *out_wait = false;
    if (d->is_begun || d->ignore_bom)
        return 0;
    if (d->encoding == UTF_8) {
        *out_wait = is_stream && len < 3 && memcmp(p, "\xef\xbb\xbf", len) == 0;
        d->is_begun = !*out_wait;
        return len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    }
    *out_wait = is_stream && len < 2;
    d->is_begun = !*out_wait;
    if (len < 2)
        return 0;
    unsigned u = unit_at(p, d->encoding == UTF_16BE);
    d->is_swapped = u == 0xfffe;
    return u == 0xfeff || u == 0xfffe ? 2 : 0;
}

/* 0, or KE_INVALID in a fatal decoder. */
static int decode(struct decoder *d, struct slice in, bool is_stream, struct buf *out) {
    struct buf all;
    bool is_bad = false, must_wait;
    buf_init(&all, BUF_NO_CAP);
    buf_append(&all, d->held, d->n_held);
    buf_append_slice(&all, in);
    d->n_held = 0;
    const uint8_t *p = (const uint8_t *)buf_cstr(&all);
    size_t used = mark_bytes(d, p, all.len, is_stream, &must_wait);
    if (must_wait)
        used = 0;
    else if (d->encoding == UTF_8)
        used += decode_utf8(out, p + used, all.len - used, is_stream, &is_bad);
    else
        used += decode_utf16(out, p + used, all.len - used,
                             (d->encoding == UTF_16BE) != d->is_swapped, is_stream, &is_bad);
    CHECK(all.len - used < sizeof d->held);
    d->n_held = all.len - used;
    memcpy(d->held, p + used, d->n_held);
    buf_release(&all);
    is_bad = is_bad && d->is_fatal;
    if (!is_stream || is_bad)
        decoder_reset(d);
    return is_bad ? KE_INVALID : 0;
}

/* ---- TextDecoder ---- */

static JSClassID decoder_class;

static void decoder_finalizer(JSRuntime *rt, JSValue v) {
    (void)rt;
    free(JS_GetOpaque(v, decoder_class));
}

static const JSClassDef decoder_def = {"Object", .finalizer = decoder_finalizer};

/* -1 with an exception pending. */
static int bool_option(JSContext *ctx, JSValueConst options, const char *name) {
    if (!JS_IsObject(options))
        return 0;
    JSValue v = JS_GetPropertyStr(ctx, options, name);
    int b = JS_IsException(v) ? -1 : JS_ToBool(ctx, v);
    JS_FreeValue(ctx, v);
    return b;
}

static JSValue js_decode(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                         int magic, JSValue *data) {
    (void)this_val;
    (void)magic;
    struct decoder *d = JS_GetOpaque(data[0], decoder_class);
    JSValueConst v = argc > 0 ? argv[0] : JS_UNDEFINED;
    struct js_text text = {0};
    const uint8_t *ptr = NULL;
    size_t len = 0;
    int is_stream = bool_option(ctx, argc > 1 ? argv[1] : JS_UNDEFINED, "stream");
    if (is_stream < 0)
        return JS_EXCEPTION;
    if (JS_IsString(v)) {
        if (!js_text_get(ctx, v, &text))
            return JS_EXCEPTION;
        ptr = (const uint8_t *)text.s.ptr;
        len = text.s.len;
    } else if (!JS_IsUndefined(v) && !JS_IsNull(v) && !js_bytes(ctx, v, &ptr, &len)) {
        return js_throw_go_error(ctx, "data is not an ArrayBuffer, typed array, or DataView");
    }
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    int rc = decode(d, slice_from((const char *)ptr, len), is_stream, &out);
    JSValue ret = rc ? JS_ThrowTypeError(ctx, "decoding text: invalid byte sequence")
                     : JS_NewStringLen(ctx, out.len ? out.ptr : "", out.len);
    buf_release(&out);
    if (text.ctx)
        js_text_release(&text);
    return ret;
}

static bool find_encoding(struct slice label, enum encoding *out) {
    static const struct {
        const char *label;
        enum encoding encoding;
    } labels[] = {
        {"", UTF_8},
        {"unicode-1-1-utf-8", UTF_8},
        {"unicode11utf8", UTF_8},
        {"unicode20utf8", UTF_8},
        {"utf-8", UTF_8},
        {"utf8", UTF_8},
        {"x-unicode20utf8", UTF_8},
        {"csunicode", UTF_16LE},
        {"iso-10646-ucs-2", UTF_16LE},
        {"ucs-2", UTF_16LE},
        {"unicode", UTF_16LE},
        {"unicodefeff", UTF_16LE},
        {"utf-16", UTF_16LE},
        {"utf-16le", UTF_16LE},
        {"unicodefffe", UTF_16BE},
        {"utf-16be", UTF_16BE},
    };
    while (label.len > 0 && strchr("\t\n\f\r ", label.ptr[0]))
        label = slice_from(label.ptr + 1, label.len - 1);
    while (label.len > 0 && strchr("\t\n\f\r ", label.ptr[label.len - 1]))
        label.len--;
    for (size_t i = 0; i < countof(labels); i++) {
        if (slice_ieq(label, slice_cstr(labels[i].label))) {
            *out = labels[i].encoding;
            return true;
        }
    }
    return false;
}

static JSValue new_state(JSContext *ctx, const struct decoder *d) {
    JSRuntime *rt = JS_GetRuntime(ctx);
    JS_NewClassID(&decoder_class);
    if (!JS_IsRegisteredClass(rt, decoder_class))
        JS_NewClass(rt, decoder_class, &decoder_def);
    JSValue state = JS_NewObjectClass(ctx, (int)decoder_class);
    struct decoder *copy = xmalloc(sizeof *copy);
    *copy = *d;
    JS_SetOpaque(state, copy);
    return state;
}

static JSValue js_text_decoder(JSContext *ctx, JSValueConst new_target, int argc,
                               JSValueConst *argv) {
    static const char *const names[] = {"utf-8", "utf-16le", "utf-16be"};
    (void)new_target;
    JSValueConst options = argc > 1 ? argv[1] : JS_UNDEFINED;
    struct js_text label;
    struct decoder d = {0};
    if (argc > 0 && JS_IsSymbol(argv[0]))
        return JS_ThrowTypeError(ctx, "the provided label value cannot be converted to a string");
    if (!go_string_arg(ctx, argc, argv, 0, &label))
        return JS_EXCEPTION;
    bool is_known = find_encoding(label.s, &d.encoding);
    if (!is_known)
        JS_ThrowRangeError(ctx, "unsupported encoding: %.100s", label.s.ptr);
    js_text_release(&label);
    int fatal = bool_option(ctx, options, "fatal"), ignore = bool_option(ctx, options, "ignoreBOM");
    if (!is_known || fatal < 0 || ignore < 0)
        return JS_EXCEPTION;
    d.is_fatal = fatal;
    d.ignore_bom = ignore;
    JSValue o = JS_NewObject(ctx), state = new_state(ctx, &d);
    JS_DefinePropertyValueStr(ctx, o, "decode",
                              JS_NewCFunctionData(ctx, js_decode, 1, 0, 1, &state), READ_ONLY);
    JS_FreeValue(ctx, state);
    JS_DefinePropertyValueStr(ctx, o, "encoding", JS_NewString(ctx, names[d.encoding]), READ_ONLY);
    JS_DefinePropertyValueStr(ctx, o, "fatal", JS_NewBool(ctx, fatal), READ_ONLY);
    JS_DefinePropertyValueStr(ctx, o, "ignoreBOM", JS_NewBool(ctx, ignore), READ_ONLY);
    return o;
}

static const JSCFunctionListEntry constructors[] = {
    JS_CFUNC_SPECIAL_DEF("TextDecoder", 2, constructor_or_func, js_text_decoder),
    JS_CFUNC_SPECIAL_DEF("TextEncoder", 0, constructor_or_func, js_text_encoder),
};

void js_text_coding_register(JSContext *ctx, JSValueConst global) {
    JS_SetPropertyFunctionList(ctx, global, constructors, countof(constructors));
}
