#include "js/webcrypto/webcrypto.h"

#include <stdlib.h>

#include "base/check.h"

/* ---- usages ---- */

static bool in_list(const char *s, const char *const *list) {
    for (; *list; list++)
        if (strcmp(s, *list) == 0)
            return true;
    return false;
}

bool web_usages_has(const struct web_usages *u, const char *usage) {
    for (size_t i = 0; i < u->len; i++)
        if (strcmp(u->items[i], usage) == 0)
            return true;
    return false;
}

void web_usages_add(struct web_usages *u, const char *usage) {
    u->items = xrealloc(u->items, (u->len + 1) * sizeof *u->items);
    u->items[u->len++] = xstrdup(usage);
}

struct web_usages web_usages_among(const struct web_usages *a, const char *const *list) {
    struct web_usages found = {0};
    for (size_t i = 0; i < a->len; i++)
        if (in_list(a->items[i], list) && !web_usages_has(&found, a->items[i]))
            web_usages_add(&found, a->items[i]);
    return found;
}

const char *web_usages_stray(const struct web_usages *u, const char *const *list) {
    for (size_t i = 0; i < u->len; i++)
        if (!in_list(u->items[i], list))
            return u->items[i];
    return NULL;
}

struct web_usages web_usages_copy(const struct web_usages *u) {
    struct web_usages copy = {0};
    for (size_t i = 0; i < u->len; i++)
        web_usages_add(&copy, u->items[i]);
    return copy;
}

void web_usages_release(struct web_usages *u) {
    for (size_t i = 0; i < u->len; i++)
        free(u->items[i]);
    free(u->items);
    *u = (struct web_usages){0};
}

/* ---- keys ---- */

struct web_key *web_key_new(enum web_alg alg, enum web_key_type type) {
    struct web_key *k = xcalloc(1, sizeof *k);
    k->refs = 1;
    k->alg = alg;
    k->type = type;
    buf_init(&k->secret, BUF_NO_CAP);
    return k;
}

struct web_key *web_key_ref(struct web_key *k) {
    k->refs++;
    return k;
}

void web_key_unref(struct web_key *k) {
    if (!k || --k->refs > 0)
        return;
    web_usages_release(&k->usages);
    if (k->secret.ptr)
        OPENSSL_cleanse(k->secret.ptr, k->secret.len);
    buf_release(&k->secret);
    EVP_PKEY_free(k->pkey);
    free(k->curve);
    free(k);
}

/* ---- CryptoKey ---- */

static JSClassID key_class;

static void key_finalizer(JSRuntime *rt, JSValue v) {
    (void)rt;
    web_key_unref(JS_GetOpaque(v, key_class));
}

static const JSClassDef key_def = {"CryptoKey", .finalizer = key_finalizer};

static void set(JSContext *ctx, JSValueConst o, const char *name, JSValue v) {
    JS_DefinePropertyValueStr(ctx, o, name, v, JS_PROP_C_W_E);
}

static JSValue name_object(JSContext *ctx, enum web_alg alg) {
    JSValue o = JS_NewObject(ctx);
    set(ctx, o, "name", JS_NewString(ctx, web_alg_name(alg)));
    return o;
}

/* Go structs show the structs embedded in them beside the fields of those. */
static void embed_algorithm(JSContext *ctx, JSValueConst o, enum web_alg alg) {
    set(ctx, o, "algorithm", name_object(ctx, alg));
    set(ctx, o, "name", JS_NewString(ctx, web_alg_name(alg)));
}

static JSValue key_algorithm(JSContext *ctx, enum web_alg alg) {
    JSValue o = JS_NewObject(ctx);
    embed_algorithm(ctx, o, alg);
    return o;
}

static JSValue algorithm_object(JSContext *ctx, const struct web_key *k) {
    JSValue o = JS_NewObject(ctx);
    bool is_ec = k->alg == WEB_ECDSA || k->alg == WEB_ECDH;
    if (k->alg == WEB_HMAC || is_ec || web_is_rsa(k->alg))
        set(ctx, o, "key_algorithm", key_algorithm(ctx, k->alg));
    embed_algorithm(ctx, o, k->alg);
    if (is_ec)
        set(ctx, o, "namedCurve", JS_NewString(ctx, k->curve));
    if (web_is_rsa(k->alg)) {
        set(ctx, o, "modulusLength", JS_NewInt64(ctx, k->length_bits));
        set(ctx, o, "hash", name_object(ctx, k->hash));
    }
    if (k->alg == WEB_HMAC)
        set(ctx, o, "hash", key_algorithm(ctx, k->hash));
    if (k->alg == WEB_HMAC || web_is_aes(k->alg))
        set(ctx, o, "length", JS_NewInt64(ctx, k->length_bits));
    return o;
}

JSValue web_key_object(JSContext *ctx, struct web_key *k) {
    static const char *const types[] = {"secret", "private", "public"};
    JSRuntime *rt = JS_GetRuntime(ctx);
    JS_NewClassID(&key_class);
    if (!JS_IsRegisteredClass(rt, key_class)) {
        JS_NewClass(rt, key_class, &key_def);
        JS_SetClassProto(ctx, key_class, JS_NewObject(ctx));
    }
    JSValue o = JS_NewObjectClass(ctx, (int)key_class);
    JS_SetOpaque(o, k);
    set(ctx, o, "type", JS_NewString(ctx, types[k->type]));
    set(ctx, o, "extractable", JS_NewBool(ctx, k->is_extractable));
    set(ctx, o, "algorithm", algorithm_object(ctx, k));
    JSValue usages = JS_NewArray(ctx);
    for (size_t i = 0; i < k->usages.len; i++)
        JS_SetPropertyUint32(ctx, usages, (uint32_t)i, JS_NewString(ctx, k->usages.items[i]));
    set(ctx, o, "usages", usages);
    return o;
}

bool web_is_key(JSValueConst v) {
    return key_class != 0 && JS_IsObject(v) && JS_GetClassID(v) == key_class;
}

struct web_key *web_key_of(JSContext *ctx, JSValueConst v) {
    if (web_is_key(v))
        return web_key_ref(JS_GetOpaque(v, key_class));
    if (!JS_IsObject(v))
        return NULL;
    struct web_key *k = web_key_new(WEB_UNKNOWN, WEB_NO_TYPE);
    JSValue usages = JS_GetPropertyStr(ctx, v, "usages");
    char *type = NULL;
    k->is_foreign = true;
    if (JS_IsObject(usages))
        web_usages_arg(ctx, usages, 0, &k->usages);
    if (web_text_field(ctx, v, "type", &type) == 0)
        k->type = strcmp(type, "secret") == 0    ? WEB_SECRET
                  : strcmp(type, "private") == 0 ? WEB_PRIVATE
                  : strcmp(type, "public") == 0  ? WEB_PUBLIC
                                                 : WEB_NO_TYPE;
    free(type);
    JS_FreeValue(ctx, usages);
    return k;
}
