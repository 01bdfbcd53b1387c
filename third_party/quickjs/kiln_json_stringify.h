/* JSON.stringify(value) for plain values: records, arrays, strings of 8-bit characters, numbers. quickjs.c
 * includes this file, whose insides it needs. It runs no JavaScript; whatever could (a getter, toJSON, a proxy),
 * and what is out of the ordinary, makes it give up, and QuickJS does the value over. */

/* Deeper values are left to QuickJS, which tells deep ones from circular ones. */
#define KJ_DEPTH_MAX 64

typedef enum KJWritten { KJ_GIVES_UP = -1, KJ_OMITTED, KJ_WRITTEN } KJWritten;

typedef struct KJWriter {
    JSContext *ctx;
    uint8_t *buf;
    size_t len, alloc;
    int depth;
    uint8_t inline_buf[1024];
} KJWriter;

static BOOL kj_write_grow(KJWriter *w, size_t more)
{
    size_t n = w->alloc * 2 > w->len + more ? w->alloc * 2 : w->len + more;
    BOOL is_inline = w->buf == w->inline_buf;
    uint8_t *buf;
    if (n > INT32_MAX / 2)
        return FALSE;
    buf = js_realloc_rt(w->ctx->rt, is_inline ? NULL : w->buf, n);
    if (!buf)
        return FALSE;
    if (is_inline)
        memcpy(buf, w->inline_buf, w->len);
    w->buf = buf;
    w->alloc = n;
    return TRUE;
}

static force_inline BOOL kj_write_room(KJWriter *w, size_t bytes)
{
    return likely(w->len + bytes <= w->alloc) || kj_write_grow(w, bytes);
}

static force_inline BOOL kj_write_bytes(KJWriter *w, const void *bytes, size_t len)
{
    if (!kj_write_room(w, len))
        return FALSE;
    memcpy(w->buf + w->len, bytes, len);
    w->len += len;
    return TRUE;
}

static force_inline BOOL kj_write_byte(KJWriter *w, uint8_t c)
{
    return kj_write_bytes(w, &c, 1);
}

/* ---- strings and numbers ---- */

static BOOL kj_write_escaped(KJWriter *w, uint8_t c)
{
    static const char letters[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    char text[8];
    for (int i = 0; letters[i]; i += 2) {
        if ((uint8_t)letters[i] == c) {
            text[0] = '\\';
            text[1] = letters[i + 1];
            return kj_write_bytes(w, text, 2);
        }
    }
    snprintf(text, sizeof(text), "\\u%04x", c);
    return kj_write_bytes(w, text, 6);
}

static BOOL kj_write_quoted(KJWriter *w, const JSString *p)
{
    const uint8_t *at = p->u.str8, *end = at + p->len, *from;
    if (!kj_write_room(w, p->len + 2))
        return FALSE;
    w->buf[w->len++] = '"';
    while (at < end) {
        for (from = at; at < end && *at >= 0x20 && *at != '"' && *at != '\\'; at++)
            ;
        if (!kj_write_bytes(w, from, at - from) || (at < end && !kj_write_escaped(w, *at++)))
            return FALSE;
    }
    return kj_write_byte(w, '"');
}

static BOOL kj_write_int(KJWriter *w, int32_t v)
{
    char text[12];
    int i = sizeof(text);
    uint32_t n = v < 0 ? 0U - (uint32_t)v : (uint32_t)v;
    do {
        text[--i] = '0' + n % 10;
        n /= 10;
    } while (n);
    if (v < 0)
        text[--i] = '-';
    return kj_write_bytes(w, text + i, sizeof(text) - i);
}

static BOOL kj_write_double(KJWriter *w, double d)
{
    JSValue v;
    BOOL ok;
    if (!isfinite(d))
        return kj_write_bytes(w, "null", 4);
    v = js_dtoa2(w->ctx, d, 10, 0, JS_DTOA_FORMAT_FREE);
    if (JS_IsException(v))
        return FALSE;
    ok = kj_write_bytes(w, JS_VALUE_GET_STRING(v)->u.str8, JS_VALUE_GET_STRING(v)->len);
    JS_FreeValue(w->ctx, v);
    return ok;
}

/* ---- objects ---- */

static KJWritten kj_write_value(KJWriter *w, JSValueConst v);

/* No object of its prototype chain has toJSON, or could have it made up. */
static BOOL kj_has_no_to_json(const JSObject *p)
{
    JSProperty *pr;
    for (; p; p = p->shape->proto) {
        if (p->is_exotic && p->class_id != JS_CLASS_ARRAY)
            return FALSE;
        if (find_own_property(&pr, (JSObject *)p, JS_ATOM_toJSON))
            return FALSE;
    }
    return TRUE;
}

static KJWritten kj_write_array(KJWriter *w, const JSObject *p)
{
    uint32_t n = p->u.array.count;
    JSValue len = p->prop[0].u.value;
    /* A longer length: holes at the end. */
    if (JS_VALUE_GET_TAG(len) != JS_TAG_INT || (uint32_t)JS_VALUE_GET_INT(len) != n)
        return KJ_GIVES_UP;
    if (!kj_write_byte(w, '['))
        return KJ_GIVES_UP;
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0 && !kj_write_byte(w, ','))
            return KJ_GIVES_UP;
        KJWritten r = kj_write_value(w, p->u.array.u.values[i]);
        if (r == KJ_GIVES_UP || (r == KJ_OMITTED && !kj_write_bytes(w, "null", 4)))
            return KJ_GIVES_UP;
    }
    return kj_write_byte(w, ']') ? KJ_WRITTEN : KJ_GIVES_UP;
}

/* Names that count as indices come first, in order of numbers: not here. */
static const JSString *kj_plain_name(JSRuntime *rt, JSAtom atom)
{
    const JSAtomStruct *name;
    if (__JS_AtomIsTaggedInt(atom))
        return NULL;
    name = rt->atom_array[atom];
    if (name->is_wide_char || (name->len && is_digit(name->u.str8[0])))
        return NULL;
    return name;
}

static KJWritten kj_write_record(KJWriter *w, const JSObject *p)
{
    JSRuntime *rt = w->ctx->rt;
    const JSShape *sh = p->shape;
    BOOL is_first = TRUE;
    if (!kj_write_byte(w, '{'))
        return KJ_GIVES_UP;
    for (int i = 0; i < sh->prop_count; i++) {
        const JSShapeProperty *pr = &sh->prop[i];
        const JSString *name;
        size_t start = w->len;
        if (pr->atom == JS_ATOM_NULL || !(pr->flags & JS_PROP_ENUMERABLE) ||
            JS_AtomGetKind(w->ctx, pr->atom) != JS_ATOM_KIND_STRING)
            continue;
        name = kj_plain_name(rt, pr->atom);
        if (!name || (pr->flags & JS_PROP_TMASK) != JS_PROP_NORMAL)
            return KJ_GIVES_UP;
        if ((!is_first && !kj_write_byte(w, ',')) || !kj_write_quoted(w, name) || !kj_write_byte(w, ':'))
            return KJ_GIVES_UP;
        KJWritten r = kj_write_value(w, p->prop[i].u.value);
        if (r == KJ_GIVES_UP)
            return r;
        if (r == KJ_OMITTED)
            w->len = start;
        else
            is_first = FALSE;
    }
    return kj_write_byte(w, '}') ? KJ_WRITTEN : KJ_GIVES_UP;
}

static KJWritten kj_write_object(KJWriter *w, const JSObject *p)
{
    BOOL is_array = p->class_id == JS_CLASS_ARRAY && p->fast_array;
    BOOL is_record = p->class_id == JS_CLASS_OBJECT && !p->is_exotic;
    KJWritten r;
    if ((!is_array && !is_record) || w->depth == KJ_DEPTH_MAX || !kj_has_no_to_json(p))
        return KJ_GIVES_UP;
    w->depth++;
    r = is_array ? kj_write_array(w, p) : kj_write_record(w, p);
    w->depth--;
    return r;
}

static KJWritten kj_write_value(KJWriter *w, JSValueConst v)
{
    BOOL ok;
    switch (JS_VALUE_GET_NORM_TAG(v)) {
    case JS_TAG_STRING:
        ok = !JS_VALUE_GET_STRING(v)->is_wide_char && kj_write_quoted(w, JS_VALUE_GET_STRING(v));
        break;
    case JS_TAG_INT:
        ok = kj_write_int(w, JS_VALUE_GET_INT(v));
        break;
    case JS_TAG_FLOAT64:
        ok = kj_write_double(w, JS_VALUE_GET_FLOAT64(v));
        break;
    case JS_TAG_BOOL:
        ok = JS_VALUE_GET_BOOL(v) ? kj_write_bytes(w, "true", 4) : kj_write_bytes(w, "false", 5);
        break;
    case JS_TAG_NULL:
        ok = kj_write_bytes(w, "null", 4);
        break;
    case JS_TAG_OBJECT:
        return kj_write_object(w, JS_VALUE_GET_OBJ(v));
    case JS_TAG_UNDEFINED:
    case JS_TAG_SYMBOL:
        return KJ_OMITTED;
    default:
        return KJ_GIVES_UP;
    }
    return ok ? KJ_WRITTEN : KJ_GIVES_UP;
}

/* The text, or JS_UNINITIALIZED without an exception. */
static JSValue kj_stringify(JSContext *ctx, JSValueConst v)
{
    KJWriter writer, *w = &writer;
    JSValue text = JS_UNINITIALIZED;
    w->ctx = ctx;
    w->buf = w->inline_buf;
    w->len = 0;
    w->alloc = sizeof(w->inline_buf);
    w->depth = 0;
    if (kj_write_value(w, v) == KJ_WRITTEN)
        text = js_new_string8_len(ctx, (const char *)w->buf, w->len);
    if (w->buf != w->inline_buf)
        js_free_rt(ctx->rt, w->buf);
    if (JS_HasException(ctx)) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        text = JS_UNINITIALIZED;
    }
    return text;
}
