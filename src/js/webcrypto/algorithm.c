#include "js/webcrypto/webcrypto.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "js/go_types.h"
#include "js/script_internal.h"

static const char *const names[] = {
    [WEB_UNKNOWN] = "",        [WEB_SHA1] = "SHA-1",
    [WEB_SHA256] = "SHA-256",  [WEB_SHA384] = "SHA-384",
    [WEB_SHA512] = "SHA-512",  [WEB_AES_CBC] = "AES-CBC",
    [WEB_AES_CTR] = "AES-CTR", [WEB_AES_GCM] = "AES-GCM",
    [WEB_AES_KW] = "AES-KW",   [WEB_HMAC] = "HMAC",
    [WEB_ECDSA] = "ECDSA",     [WEB_ECDH] = "ECDH",
    [WEB_RSA_PSS] = "RSA-PSS", [WEB_RSA_SSA] = "RSASSA-PKCS1-v1_5",
    [WEB_PBKDF2] = "PBKDF2",   [WEB_RSA_OAEP] = "RSA-OAEP",
};

static const char *const op_names[] = {
    [WEB_ENCRYPT] = "encrypt",
    [WEB_DECRYPT] = "decrypt",
    [WEB_SIGN] = "sign",
    [WEB_VERIFY] = "verify",
    [WEB_DIGEST] = "digest",
    [WEB_GENERATE_KEY] = "generateKey",
    [WEB_DERIVE_KEY] = "deriveKey",
    [WEB_DERIVE_BITS] = "deriveBits",
    [WEB_IMPORT_KEY] = "importKey",
    [WEB_EXPORT_KEY] = "exportKey",
    [WEB_GET_KEY_LENGTH] = "getKeyLength",
};

#define BIT(alg) (1U << (alg))
#define HASHES (BIT(WEB_SHA1) | BIT(WEB_SHA256) | BIT(WEB_SHA384) | BIT(WEB_SHA512))
#define AES (BIT(WEB_AES_CBC) | BIT(WEB_AES_CTR) | BIT(WEB_AES_GCM) | BIT(WEB_AES_KW))
#define EC (BIT(WEB_ECDSA) | BIT(WEB_ECDH))
#define RSA_SIGN (BIT(WEB_RSA_SSA) | BIT(WEB_RSA_PSS))
#define RSA_ALL (RSA_SIGN | BIT(WEB_RSA_OAEP))
#define KEYS (AES | BIT(WEB_HMAC) | EC | RSA_ALL)

static const unsigned registered[] = {
    [WEB_ENCRYPT] = AES | BIT(WEB_RSA_OAEP),
    [WEB_DECRYPT] = AES | BIT(WEB_RSA_OAEP),
    [WEB_SIGN] = BIT(WEB_HMAC) | BIT(WEB_ECDSA) | RSA_SIGN,
    [WEB_VERIFY] = BIT(WEB_HMAC) | BIT(WEB_ECDSA) | RSA_SIGN,
    [WEB_DIGEST] = HASHES,
    [WEB_GENERATE_KEY] = KEYS | HASHES,
    [WEB_DERIVE_KEY] = HASHES | BIT(WEB_PBKDF2),
    [WEB_DERIVE_BITS] = HASHES | BIT(WEB_PBKDF2) | BIT(WEB_ECDH),
    [WEB_IMPORT_KEY] = KEYS | BIT(WEB_PBKDF2),
    [WEB_EXPORT_KEY] = KEYS | BIT(WEB_PBKDF2),
    [WEB_GET_KEY_LENGTH] = AES,
};

const char *web_alg_name(enum web_alg alg) {
    return names[alg];
}

bool web_is_aes(enum web_alg alg) {
    return BIT(alg) & AES;
}

bool web_is_rsa(enum web_alg alg) {
    return BIT(alg) & RSA_ALL;
}

bool web_is_hash(enum web_alg alg) {
    return BIT(alg) & HASHES;
}

enum digest_alg web_digest(enum web_alg hash) {
    return digest_find_web(slice_cstr(names[hash]));
}

static enum web_alg find(const char *name, bool is_exact) {
    for (size_t i = 1; i < countof(names); i++) {
        if (is_exact ? strcmp(name, names[i]) == 0
                     : slice_ieq(slice_cstr(name), slice_cstr(names[i])))
            return (enum web_alg)i;
    }
    return WEB_UNKNOWN;
}

static int throw_or(JSContext *ctx, int rc) {
    return JS_HasException(ctx) ? KE_JS : rc;
}

/* ---- fields ---- */

int web_field(JSContext *ctx, JSValueConst v, const char *name, const char *path, JSValue *out,
              struct web_error *e) {
    *out = JS_UNDEFINED;
    if (JS_IsUndefined(v) || JS_IsNull(v))
        return web_fail(e, "TypeError", "Object is null or undefined");
    *out = JS_GetPropertyStr(ctx, v, name);
    if (JS_IsException(*out))
        return KE_JS;
    if (JS_IsUndefined(*out) || JS_IsNull(*out))
        return web_fail(e, "TypeError", "field %s is null or undefined", path);
    return 0;
}

int web_int_field(JSContext *ctx, JSValueConst v, const char *name, int64_t *out, bool *out_has) {
    struct web_error unused = {0};
    JSValue field;
    int rc = web_field(ctx, v, name, name, &field, &unused);
    *out = 0;
    *out_has = rc == 0;
    if (rc == 0 && JS_ToInt64(ctx, out, field))
        rc = KE_JS;
    JS_FreeValue(ctx, field);
    return rc == KE_JS ? KE_JS : 0;
}

int web_text_field(JSContext *ctx, JSValueConst v, const char *name, char **out) {
    struct web_error unused = {0};
    struct js_text text;
    JSValue field;
    int rc = web_field(ctx, v, name, name, &field, &unused);
    *out = NULL;
    if (rc == 0 && js_text_get(ctx, field, &text)) {
        *out = slice_dup(text.s);
        js_text_release(&text);
    } else if (rc == KE_INVALID) {
        *out = xstrdup("");
    }
    JS_FreeValue(ctx, field);
    return *out ? 0 : KE_JS;
}

int web_bytes_field(JSContext *ctx, JSValueConst v, const char *name, struct buf *out) {
    struct web_error unused = {0};
    const uint8_t *ptr;
    size_t len;
    JSValue field;
    int rc = web_field(ctx, v, name, name, &field, &unused);
    if (rc == 0 && js_bytes(ctx, field, &ptr, &len))
        buf_append(out, ptr, len);
    JS_FreeValue(ctx, field);
    return rc == KE_JS ? KE_JS : 0;
}

/* ---- algorithms ---- */

int web_normalize(JSContext *ctx, JSValueConst v, enum web_op op, enum web_alg *out,
                  struct web_error *e) {
    char *name = NULL;
    struct js_text text;
    if (JS_IsString(v)) {
        if (!js_text_get(ctx, v, &text))
            return KE_JS;
        name = slice_dup(text.s);
        js_text_release(&text);
    } else if (!JS_IsObject(v)) {
        return web_fail(e, "SyntaxError",
                        "algorithm cannot be interpreted as a string or an object");
    } else if (web_text_field(ctx, v, "name", &name)) {
        return KE_JS;
    }
    *out = find(name, false);
    int rc = 0;
    if (!(BIT(*out) & registered[op])) {
        for (char *p = name; *p; p++)
            *p = (char)toupper((unsigned char)*p);
        char *q = quoted(*out == WEB_UNKNOWN ? name : names[*out]);
        rc = web_fail(e, "NotSupportedError",
                      "algorithm %s doesn't support (in implementation) operation \"%s\"", q,
                      op_names[op]);
        free(q);
    }
    free(name);
    return rc;
}

int web_hash_field(JSContext *ctx, JSValueConst params, enum web_op op, enum web_alg *out,
                   struct web_error *e) {
    JSValue hash;
    int rc = web_field(ctx, params, "hash", "hash", &hash, e);
    if (rc == KE_INVALID)
        return web_fail(e, "SyntaxError", "could not get hash from algorithm parameter");
    if (rc == 0)
        rc = web_normalize(ctx, hash, op, out, e);
    JS_FreeValue(ctx, hash);
    return rc;
}

int web_rsa_hash_field(JSContext *ctx, JSValueConst params, enum web_alg *out,
                       struct web_error *e) {
    JSValue hash;
    char *name = NULL;
    struct js_text text;
    int rc = web_field(ctx, params, "hash", "hash", &hash, e);
    if (rc == KE_INVALID)
        return web_fail(e, "SyntaxError", "could not get hash from algorithm parameter");
    if (rc)
        return rc;
    if (JS_IsObject(hash)) {
        JSValue field;
        rc = web_field(ctx, hash, "name", "hash.name", &field, e);
        if (rc == KE_INVALID)
            web_fail(e, "TypeError", "hash name is null or undefined");
        JS_FreeValue(ctx, hash);
        hash = field;
    }
    if (rc == 0) {
        if (!js_text_get(ctx, hash, &text)) {
            rc = KE_JS;
        } else {
            name = slice_dup(text.s);
            js_text_release(&text);
            *out = find(name, true);
            if (!web_is_hash(*out))
                rc = web_fail(e, "NotSupportedError", "hash algorithm is not supported %s", name);
        }
    }
    free(name);
    JS_FreeValue(ctx, hash);
    return rc;
}

/* ---- data ---- */

int web_data(JSContext *ctx, JSValueConst v, struct buf *out, struct web_error *e) {
    size_t len = 0, offset, bytes, element;
    JSValue buffer = JS_UNDEFINED;
    if (JS_IsUndefined(v) || JS_IsNull(v))
        return web_fail(e, "TypeError", "data is null or undefined");
    if (JS_GetTypedArrayKind(v) >= 0)
        buffer = JS_GetTypedArrayBuffer(ctx, v, &offset, &bytes, &element);
    else if (JS_IsArrayBufferObject(v))
        buffer = JS_DupValue(ctx, v);
    else
        return web_fail(e, "OperationError",
                        "data is neither an ArrayBuffer, nor a TypedArray nor DataView");
    const uint8_t *ptr = JS_IsException(buffer) ? NULL : JS_GetArrayBuffer(ctx, &len, buffer);
    if (ptr)
        buf_append(out, ptr, len);
    JS_FreeValue(ctx, buffer);
    return throw_or(ctx, 0);
}

int web_usages_arg(JSContext *ctx, JSValueConst v, int parameter, struct web_usages *out) {
    if (JS_IsUndefined(v) || JS_IsNull(v))
        return 0;
    struct js_text text;
    if (!JS_IsObject(v)) {
        if (js_text_get(ctx, v, &text)) {
            JS_ThrowTypeError(ctx,
                              "could not convert function call parameter %d: could not convert "
                              "%.100s to []string",
                              parameter, text.s.ptr);
            js_text_release(&text);
        }
        return KE_JS;
    }
    JSValue length = JS_GetPropertyStr(ctx, v, "length");
    uint32_t n = 0;
    if (JS_IsException(length) || JS_ToUint32(ctx, &n, length))
        return KE_JS;
    JS_FreeValue(ctx, length);
    for (uint32_t i = 0; i < n && i < 64; i++) {
        JSValue item = JS_GetPropertyUint32(ctx, v, i);
        bool is_good = !JS_IsException(item) && js_text_get(ctx, item, &text);
        JS_FreeValue(ctx, item);
        if (!is_good)
            return KE_JS;
        char *usage = slice_dup(text.s);
        web_usages_add(out, usage);
        free(usage);
        js_text_release(&text);
    }
    return 0;
}

/* ---- JWK ---- */

static const char *json_kind(JSContext *ctx, JSValueConst v) {
    if (JS_IsBool(v))
        return "bool";
    if (JS_IsNumber(v))
        return "number";
    if (JS_IsString(v))
        return "string";
    return JS_IsArray(ctx, v) > 0 ? "array" : "object";
}

static const char *const jwk_names[JWK_FIELDS] = {"kty", "k", "crv", "x",  "y",  "d", "n",
                                                  "e",   "p", "q",   "dp", "dq", "qi"};

bool web_jwk_is_wrong(const struct web_jwk *jwk, const char *go_struct, const int *fields,
                      char words[120]) {
    if (jwk->kind) {
        snprintf(words, 120, "json: cannot unmarshal %s into Go value of type webcrypto.%s",
                 jwk->kind, go_struct);
        return true;
    }
    for (; *fields >= 0; fields++)
        if (jwk->wrong[*fields]) {
            snprintf(words, 120,
                     "json: cannot unmarshal %s into Go struct field %s.%s of type string",
                     jwk->wrong[*fields], go_struct, jwk_names[*fields]);
            return true;
        }
    return false;
}

int web_jwk_arg(JSContext *ctx, JSValueConst v, struct web_jwk *out) {
    bool is_object = JS_IsObject(v) && JS_IsArray(ctx, v) == 0;
    if (!is_object && !JS_IsUndefined(v) && !JS_IsNull(v))
        out->kind = json_kind(ctx, v);
    for (int i = 0; i < JWK_FIELDS; i++) {
        struct js_text text;
        JSValue field = is_object ? JS_GetPropertyStr(ctx, v, jwk_names[i]) : JS_UNDEFINED;
        if (JS_IsException(field))
            return KE_JS;
        if (JS_IsString(field) && js_text_get(ctx, field, &text)) {
            out->fields[i] = slice_dup(text.s);
            js_text_release(&text);
        } else {
            out->fields[i] = xstrdup("");
            if (!JS_IsUndefined(field) && !JS_IsNull(field))
                out->wrong[i] = json_kind(ctx, field);
        }
        JS_FreeValue(ctx, field);
    }
    return throw_or(ctx, 0);
}

void web_jwk_release(struct web_jwk *jwk) {
    for (int i = 0; i < JWK_FIELDS; i++) {
        free(jwk->fields[i]);
        jwk->fields[i] = NULL;
    }
}
