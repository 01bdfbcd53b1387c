/* JSON.parse for texts as they usually are. quickjs.c includes this file, whose insides it needs.
 *
 * An object of JSON mostly has the keys of an object that was parsed before, in the same order. Such
 * an object is made from the shape of the former one: no atom is looked up, no property is added.
 * The shapes are kept in a small table of the runtime, by a hash of their keys.
 *
 * What is malformed or out of the ordinary makes it give up; the parser of QuickJS then does the
 * text over, and has the errors. */

/* Objects with more keys than this are not worth remembering: they are tables, not records. */
#define KJ_KEYS_MAX 64
#define KJ_SHAPES 64 /* a power of two */
#define KJ_INLINE 48

typedef struct JSJSONShapes {
    struct {
        JSShape *shape; /* NULL = free */
        uint32_t hash;
    } slots[KJ_SHAPES];
} JSJSONShapes;

typedef struct KJKey {
    const char *text;
    uint32_t len;
} KJKey;

typedef struct KJParser {
    JSContext *ctx;
    const uint8_t *p, *end;
    JSValue *values; /* of the arrays and objects that are open */
    KJKey *keys;     /* parallel to values; those of arrays are not used */
    size_t len, alloc;
    JSValue inline_values[KJ_INLINE];
    KJKey inline_keys[KJ_INLINE];
} KJParser;

static void kj_free_shapes(JSRuntime *rt)
{
    JSJSONShapes *t = rt->json_shapes;
    if (!t)
        return;
    for (int i = 0; i < KJ_SHAPES; i++)
        js_free_shape_null(rt, t->slots[i].shape);
    js_free_rt(rt, t);
    rt->json_shapes = NULL;
}

/* ---- values that wait for their object or array ---- */

static BOOL kj_grow(KJParser *s)
{
    size_t n = s->alloc * 2;
    BOOL is_inline = s->values == s->inline_values;
    JSValue *values = js_realloc(s->ctx, is_inline ? NULL : s->values, n * sizeof(*values));
    if (!values)
        return FALSE;
    if (is_inline)
        memcpy(values, s->inline_values, s->len * sizeof(*values));
    s->values = values;
    KJKey *keys = js_realloc(s->ctx, s->keys == s->inline_keys ? NULL : s->keys, n * sizeof(*keys));
    if (!keys)
        return FALSE;
    if (s->keys == s->inline_keys)
        memcpy(keys, s->inline_keys, s->len * sizeof(*keys));
    s->keys = keys;
    s->alloc = n;
    return TRUE;
}

static force_inline BOOL kj_reserve(KJParser *s)
{
    return likely(s->len < s->alloc) || kj_grow(s);
}

static void kj_drop(KJParser *s, size_t to)
{
    while (s->len > to)
        JS_FreeValue(s->ctx, s->values[--s->len]);
}

/* ---- text ---- */

static force_inline void kj_skip_space(KJParser *s)
{
    while (*s->p <= ' ' && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

#define KJ_ONES UINT64_C(0x0101010101010101)
#define KJ_HIGH UINT64_C(0x8080808080808080)

/* A byte that ends the plain part of a string: a quote, a backslash, a control, no ASCII. */
static force_inline uint64_t kj_special(uint64_t w)
{
    uint64_t quote = w ^ KJ_ONES * '"', slash = w ^ KJ_ONES * '\\';
    return ((quote - KJ_ONES) & ~quote) | ((slash - KJ_ONES) & ~slash) | (w - KJ_ONES * 0x20) | w;
}

/* From behind the opening quote to the first special byte. */
static force_inline const uint8_t *kj_plain_end(const KJParser *s, const uint8_t *p)
{
    uint64_t w;
    for (; p + sizeof(w) <= s->end; p += sizeof(w)) {
        memcpy(&w, p, sizeof(w));
        if (kj_special(w) & KJ_HIGH)
            break;
    }
    while (*p != '"' && *p != '\\' && *p >= 0x20 && *p < 0x80)
        p++;
    return p;
}

/* A string with escapes or other characters: QuickJS reads it. */
static JSValue kj_string_slow(KJParser *s)
{
    JSParseState parser;
    JSToken token;
    const uint8_t *end;
    js_parse_init(s->ctx, &parser, (const char *)s->p, s->end - s->p, "<json>");
    token.val = ' ';
    if (js_parse_string(&parser, '"', TRUE, s->p + 1, &token, &end))
        return JS_EXCEPTION;
    s->p = end;
    return token.u.str.str;
}

static force_inline JSValue kj_string(KJParser *s)
{
    const uint8_t *from = s->p + 1, *to = kj_plain_end(s, from);
    if (unlikely(*to != '"'))
        return kj_string_slow(s);
    s->p = to + 1;
    return js_new_string8_len(s->ctx, (const char *)from, to - from);
}

static JSValue kj_number_slow(KJParser *s)
{
    return js_atof(s->ctx, (const char *)s->p, (const char **)&s->p, 10, 0);
}

static JSValue kj_number(KJParser *s)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const uint8_t *p = s->p;
    BOOL is_negative = *p == '-';
    uint64_t n = 0;
    int digits = 0, decimals = 0;
    p += is_negative;
    if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
        return JS_UNINITIALIZED;
    for (; *p >= '0' && *p <= '9'; p++, digits++)
        n = n * 10 + (*p - '0');
    if (*p == '.') {
        const uint8_t *from = ++p;
        for (; *p >= '0' && *p <= '9'; p++, digits++)
            n = n * 10 + (*p - '0');
        decimals = p - from;
        if (decimals == 0)
            return JS_UNINITIALIZED;
    }
    /* Both sides exact: so is their quotient's rounding. */
    if (digits > 15 || *p == 'e' || *p == 'E')
        return kj_number_slow(s);
    s->p = p;
    if (decimals == 0 && n <= INT32_MAX && !(is_negative && n == 0))
        return JS_NewInt32(s->ctx, is_negative ? -(int32_t)n : (int32_t)n);
    double d = (double)n / powers[decimals];
    return JS_NewFloat64(s->ctx, is_negative ? -d : d);
}

static force_inline BOOL kj_word(KJParser *s, const char *word, size_t len)
{
    if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
        return FALSE;
    s->p += len;
    return TRUE;
}

/* ---- objects ---- */

static force_inline uint32_t kj_hash_key(uint32_t h, KJKey key)
{
    uint64_t w, mix = (uint64_t)h << 32 | key.len;
    const char *p = key.text;
    size_t left = key.len;
    for (; left >= sizeof(w); left -= sizeof(w), p += sizeof(w)) {
        memcpy(&w, p, sizeof(w));
        mix = (mix ^ w) * UINT64_C(0x9e3779b97f4a7c15);
        mix ^= mix >> 29;
    }
    for (w = 0; left > 0; left--)
        w = w << 8 | (uint8_t)p[left - 1];
    mix = (mix ^ w) * UINT64_C(0x9e3779b97f4a7c15);
    return mix >> 32;
}

static BOOL kj_keys_are(JSRuntime *rt, const JSShape *sh, const KJKey *keys, size_t n)
{
    if ((size_t)sh->prop_count != n)
        return FALSE;
    for (size_t i = 0; i < n; i++) {
        const JSAtomStruct *name = rt->atom_array[sh->prop[i].atom];
        if (name->len != keys[i].len || memcmp(name->u.str8, keys[i].text, keys[i].len) != 0)
            return FALSE;
    }
    return TRUE;
}

/* Only records are remembered: plain properties in order, names of 8-bit characters. */
static BOOL kj_is_worth_keeping(JSRuntime *rt, const JSShape *sh, size_t n)
{
    if (!sh->is_hashed || sh->deleted_prop_count || (size_t)sh->prop_count != n)
        return FALSE;
    for (size_t i = 0; i < n; i++) {
        const JSShapeProperty *pr = &sh->prop[i];
        if (pr->flags != JS_PROP_C_W_E || __JS_AtomIsTaggedInt(pr->atom) ||
            rt->atom_array[pr->atom]->is_wide_char)
            return FALSE;
    }
    return TRUE;
}

/* At second sight: many texts are parsed but once. */
static void kj_keep_shape(JSContext *ctx, JSShape *sh, uint32_t hash)
{
    JSRuntime *rt = ctx->rt;
    int i = hash & (KJ_SHAPES - 1);
    if (!rt->json_shapes)
        rt->json_shapes = js_mallocz_rt(rt, sizeof(*rt->json_shapes));
    if (!rt->json_shapes)
        return; /* it goes without */
    js_free_shape_null(rt, rt->json_shapes->slots[i].shape);
    rt->json_shapes->slots[i].shape = rt->json_shapes->slots[i].hash == hash ? js_dup_shape(sh) : NULL;
    rt->json_shapes->slots[i].hash = hash;
}

/* Key by key. Takes the values. */
static JSValue kj_new_object(KJParser *s, size_t from)
{
    JSContext *ctx = s->ctx;
    JSValue obj = JS_NewObject(ctx);
    for (size_t i = from; i < s->len; i++) {
        JSValue v = s->values[i];
        s->values[i] = JS_UNDEFINED;
        if (JS_IsException(obj)) {
            JS_FreeValue(ctx, v);
            continue;
        }
        JSAtom name = JS_NewAtomLen(ctx, s->keys[i].text, s->keys[i].len);
        if (name == JS_ATOM_NULL || JS_DefinePropertyValue(ctx, obj, name, v, JS_PROP_C_W_E) < 0) {
            JS_FreeValue(ctx, obj);
            obj = JS_EXCEPTION;
        }
        JS_FreeAtom(ctx, name);
    }
    s->len = from;
    return obj;
}

static JSValue kj_end_object(KJParser *s, size_t from, uint32_t hash)
{
    JSContext *ctx = s->ctx;
    JSRuntime *rt = ctx->rt;
    size_t n = s->len - from;
    if (rt->json_shapes) {
        JSShape *sh = rt->json_shapes->slots[hash & (KJ_SHAPES - 1)].shape;
        if (sh && rt->json_shapes->slots[hash & (KJ_SHAPES - 1)].hash == hash &&
            sh->proto == JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_OBJECT]) &&
            kj_keys_are(rt, sh, s->keys + from, n)) {
            JSValue obj = JS_NewObjectFromShape(ctx, js_dup_shape(sh), JS_CLASS_OBJECT);
            if (JS_IsException(obj))
                return obj; /* the values stay for kj_drop */
            JSProperty *prop = JS_VALUE_GET_OBJ(obj)->prop;
            for (size_t i = 0; i < n; i++)
                prop[i].u.value = s->values[from + i];
            s->len = from;
            return obj;
        }
    }
    JSValue obj = kj_new_object(s, from);
    if (!JS_IsException(obj) && n > 0 && n <= KJ_KEYS_MAX &&
        kj_is_worth_keeping(rt, JS_VALUE_GET_OBJ(obj)->shape, n))
        kj_keep_shape(ctx, JS_VALUE_GET_OBJ(obj)->shape, hash);
    return obj;
}

static JSValue kj_value(KJParser *s);

static JSValue kj_object(KJParser *s)
{
    size_t from = s->len;
    uint32_t hash = 0;
    s->p++;
    kj_skip_space(s);
    if (*s->p == '}') {
        s->p++;
        return JS_NewObject(s->ctx);
    }
    for (;;) {
        KJKey key;
        if (*s->p != '"')
            return JS_UNINITIALIZED;
        key.text = (const char *)s->p + 1;
        s->p = kj_plain_end(s, s->p + 1);
        if (*s->p != '"')
            return JS_UNINITIALIZED;
        key.len = (const char *)s->p - key.text;
        hash = kj_hash_key(hash, key);
        s->p++;
        kj_skip_space(s);
        if (*s->p != ':')
            return JS_UNINITIALIZED;
        s->p++;
        JSValue v = kj_value(s);
        if (unlikely(JS_IsException(v) || JS_IsUninitialized(v)))
            return v;
        if (unlikely(!kj_reserve(s))) {
            JS_FreeValue(s->ctx, v);
            return JS_EXCEPTION;
        }
        s->keys[s->len] = key;
        s->values[s->len++] = v;
        kj_skip_space(s);
        if (*s->p != ',')
            break;
        s->p++;
        kj_skip_space(s);
    }
    if (*s->p != '}')
        return JS_UNINITIALIZED;
    s->p++;
    return kj_end_object(s, from, hash);
}

static JSValue kj_array(KJParser *s)
{
    size_t from = s->len;
    s->p++;
    kj_skip_space(s);
    if (*s->p != ']') {
        for (;;) {
            JSValue v = kj_value(s);
            if (unlikely(JS_IsException(v) || JS_IsUninitialized(v)))
                return v;
            if (unlikely(!kj_reserve(s))) {
                JS_FreeValue(s->ctx, v);
                return JS_EXCEPTION;
            }
            s->values[s->len++] = v;
            kj_skip_space(s);
            if (*s->p != ',')
                break;
            s->p++;
        }
        if (*s->p != ']')
            return JS_UNINITIALIZED;
    }
    s->p++;
    size_t n = s->len - from;
    JSValue arr = JS_NewArray(s->ctx);
    if (n == 0 || JS_IsException(arr))
        return arr;
    JSObject *o = JS_VALUE_GET_OBJ(arr);
    o->u.array.u.values = js_malloc(s->ctx, n * sizeof(JSValue));
    if (!o->u.array.u.values) {
        JS_FreeValue(s->ctx, arr);
        return JS_EXCEPTION;
    }
    memcpy(o->u.array.u.values, s->values + from, n * sizeof(JSValue));
    o->u.array.count = n;
    o->u.array.u1.size = n;
    o->prop[0].u.value = JS_NewInt32(s->ctx, n);
    s->len = from;
    return arr;
}

/* JS_UNINITIALIZED: it gives up. */
static JSValue kj_value(KJParser *s)
{
    kj_skip_space(s);
    switch (*s->p) {
    case '"':
        return kj_string(s);
    case '{':
        return js_check_stack_overflow(s->ctx->rt, 0) ? JS_UNINITIALIZED : kj_object(s);
    case '[':
        return js_check_stack_overflow(s->ctx->rt, 0) ? JS_UNINITIALIZED : kj_array(s);
    case 't':
        return kj_word(s, "true", 4) ? JS_TRUE : JS_UNINITIALIZED;
    case 'f':
        return kj_word(s, "false", 5) ? JS_FALSE : JS_UNINITIALIZED;
    case 'n':
        return kj_word(s, "null", 4) ? JS_NULL : JS_UNINITIALIZED;
    default:
        return kj_number(s);
    }
}

/* The value, or JS_UNINITIALIZED without an exception. buf[len] is 0. */
static JSValue kj_parse(JSContext *ctx, const char *buf, size_t len)
{
    KJParser parser, *s = &parser;
    if (len > INT32_MAX / 2)
        return JS_UNINITIALIZED;
    s->ctx = ctx;
    s->p = (const uint8_t *)buf;
    s->end = s->p + len;
    s->values = s->inline_values;
    s->keys = s->inline_keys;
    s->len = 0;
    s->alloc = KJ_INLINE;
    JSValue v = kj_value(s);
    if (!JS_IsException(v) && !JS_IsUninitialized(v)) {
        kj_skip_space(s);
        if (s->p != s->end) {
            JS_FreeValue(ctx, v);
            v = JS_UNINITIALIZED;
        }
    }
    kj_drop(s, 0);
    if (s->values != s->inline_values)
        js_free(ctx, s->values);
    if (s->keys != s->inline_keys)
        js_free(ctx, s->keys);
    if (JS_IsException(v)) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        v = JS_UNINITIALIZED;
    }
    return v;
}
