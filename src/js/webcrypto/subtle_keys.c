/* crypto.subtle: generateKey, importKey, exportKey, deriveBits and deriveKey. */
#include <stdlib.h>

#include "base/check.h"
#include "js/go_args.h"
#include "js/webcrypto/webcrypto.h"

/* More rounds than this are worth another thread. */
#define SLOW_ITERATIONS 1000

#define ARG(i) (argc > (i) ? argv[i] : JS_UNDEFINED)

static int length_param(JSContext *ctx, struct web_job *job, JSValueConst algorithm,
                        const char *name, bool is_needed) {
    struct web_params *p = &job->params;
    /* A string has a length, too. */
    int rc = web_int_field(ctx, algorithm, name, &p->length, &p->has_length);
    if (rc == 0 && is_needed && !p->has_length)
        rc =
            web_fail(&job->error, "SyntaxError", "could not get %s from algorithm parameter", name);
    return rc;
}

static int curve_param(JSContext *ctx, struct web_job *job, JSValueConst algorithm) {
    JSValue curve;
    int rc = web_field(ctx, algorithm, "namedCurve", "namedCurve", &curve, &job->error);
    JS_FreeValue(ctx, curve);
    if (rc == KE_INVALID)
        return web_fail(&job->error, "SyntaxError",
                        "could not get namedCurve from algorithm parameter");
    return rc ? rc : web_text_field(ctx, algorithm, "namedCurve", &job->params.curve);
}

/* ---- generateKey ---- */

static int rsa_params(JSContext *ctx, struct web_job *job, JSValueConst algorithm) {
    struct web_params *p = &job->params;
    JSValue exponent;
    int rc = length_param(ctx, job, algorithm, "modulusLength", true);
    if (rc)
        return rc;
    rc = web_field(ctx, algorithm, "publicExponent", "publicExponent", &exponent, &job->error);
    if (rc == KE_INVALID)
        web_fail(&job->error, "SyntaxError",
                 "could not get publicExponent from algorithm parameter");
    int kind = JS_GetTypedArrayKind(exponent);
    if (rc == 0 && kind != JS_TYPED_ARRAY_UINT8 && kind != JS_TYPED_ARRAY_UINT8C)
        rc = web_fail(&job->error, "OperationError", "publicExponent is not a byte array");
    JS_FreeValue(ctx, exponent);
    if (rc == 0)
        rc = web_bytes_field(ctx, algorithm, "publicExponent", &p->exponent);
    if (rc == 0)
        rc = web_rsa_hash_field(ctx, algorithm, &p->hash, &job->error);
    return rc;
}

static int generate_params(JSContext *ctx, struct web_job *job, JSValueConst algorithm) {
    struct web_params *p = &job->params;
    if (web_is_aes(p->alg))
        return length_param(ctx, job, algorithm, "length", true);
    if (p->alg == WEB_HMAC) {
        int rc = web_hash_field(ctx, algorithm, WEB_GENERATE_KEY, &p->hash, &job->error);
        return rc ? rc : length_param(ctx, job, algorithm, "length", false);
    }
    if (p->alg == WEB_ECDSA || p->alg == WEB_ECDH)
        return curve_param(ctx, job, algorithm);
    if (web_is_rsa(p->alg))
        return rsa_params(ctx, job, algorithm);
    return web_fail(&job->error, "NotImplemented",
                    "unsupported key generation algorithm '%s', accepted values are: AES-CBC, "
                    "AES-CTR, AES-GCM, AES-KW, HMAC, ECDH, ECDSA, RSASSA-PKCS1-v1_5, RSA-PSS, "
                    "RSA-OAEP",
                    web_alg_name(p->alg));
}

JSValue web_js_generate_key(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct web_job *job = web_job_new(ctx, WEB_GENERATE_KEY);
    job->run = web_run_generate;
    job->is_extractable = JS_ToBool(ctx, ARG(1)) > 0;
    int rc = web_usages_arg(ctx, ARG(2), 2, &job->usages);
    if (rc == 0)
        rc = web_normalize(ctx, ARG(0), WEB_GENERATE_KEY, &job->params.alg, &job->error);
    if (rc == 0)
        generate_params(ctx, job, ARG(0));
    job->is_slow = web_is_rsa(job->params.alg);
    return web_job_start(ctx, job);
}

/* ---- importKey ---- */

static enum web_format find_format(struct slice name) {
    static const char *const names[] = {"raw", "pkcs8", "spki", "jwk"};
    size_t i = 0;
    while (i < countof(names) && !slice_eq(name, slice_cstr(names[i])))
        i++;
    return (enum web_format)i;
}

static int format_arg(JSContext *ctx, struct web_job *job, int argc, JSValueConst *argv) {
    struct js_text text;
    if (!go_string_arg(ctx, argc, argv, 0, &text))
        return KE_JS;
    job->format_name = slice_dup(text.s);
    job->format = find_format(text.s);
    js_text_release(&text);
    return 0;
}

static int import_params(JSContext *ctx, struct web_job *job, JSValueConst algorithm,
                         struct web_params *p) {
    if (p->alg == WEB_HMAC) {
        int rc = web_hash_field(ctx, algorithm, WEB_GENERATE_KEY, &p->hash, &job->error);
        return rc ? rc : web_int_field(ctx, algorithm, "length", &p->length, &p->has_length);
    }
    if (p->alg == WEB_ECDSA || p->alg == WEB_ECDH)
        return curve_param(ctx, job, algorithm);
    return web_is_rsa(p->alg) ? web_rsa_hash_field(ctx, algorithm, &p->hash, &job->error) : 0;
}

JSValue web_js_import_key(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct web_job *job = web_job_new(ctx, WEB_IMPORT_KEY);
    job->run = web_run_import;
    job->is_extractable = JS_ToBool(ctx, ARG(3)) > 0;
    int rc = format_arg(ctx, job, argc, argv);
    if (rc == 0)
        rc = web_usages_arg(ctx, ARG(4), 4, &job->usages);
    if (rc == 0 && job->format == WEB_JWK)
        rc = web_jwk_arg(ctx, ARG(1), &job->jwk);
    else if (rc == 0 && job->format == WEB_NO_FORMAT)
        rc =
            web_fail(&job->error, "ImplementationError", "unsupported format %s", job->format_name);
    else if (rc == 0)
        rc = web_data(ctx, ARG(1), &job->data, &job->error);
    if (rc == 0)
        rc = web_normalize(ctx, ARG(2), WEB_IMPORT_KEY, &job->params.alg, &job->error);
    if (rc == 0)
        import_params(ctx, job, ARG(2), &job->params);
    return web_job_start(ctx, job);
}

/* ---- exportKey ---- */

JSValue web_js_export_key(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    JSValueConst key = ARG(1);
    if (JS_IsUndefined(key) || JS_IsNull(key))
        return JS_ThrowTypeError(ctx, "Cannot convert undefined or null to object");
    struct web_job *job = web_job_new(ctx, WEB_EXPORT_KEY);
    job->run = web_run_export;
    int rc = format_arg(ctx, job, argc, argv);
    if (rc == 0 && !web_is_key(key))
        rc = web_fail(&job->error, "ImplementationError",
                      "unable to extract CryptoKey from key object");
    if (rc)
        return web_job_start(ctx, job);
    job->key = web_key_of(ctx, key);
    if (!job->key->is_extractable)
        web_fail(&job->error, "InvalidAccessError", "the key is not extractable");
    else if (job->key->alg == WEB_AES_KW || job->key->alg == WEB_PBKDF2)
        web_fail(&job->error, "NotSupportedError", "unsupported algorithm %s",
                 web_alg_name(job->key->alg));
    return web_job_start(ctx, job);
}

/* ---- deriveBits, deriveKey ---- */

static int pbkdf2_params(JSContext *ctx, struct web_job *job, JSValueConst algorithm) {
    struct web_params *p = &job->params;
    JSValue field;
    struct go_bytes salt;
    bool unused;
    int rc = web_hash_field(ctx, algorithm, WEB_DERIVE_BITS, &p->hash, &job->error);
    if (rc)
        return rc;
    rc = web_field(ctx, algorithm, "iterations", "iterations", &field, &job->error);
    JS_FreeValue(ctx, field);
    if (rc == 0)
        rc = web_int_field(ctx, algorithm, "iterations", &p->iterations, &unused);
    if (rc == 0 && p->iterations == 0)
        rc = web_fail(&job->error, "OperationError", "number of iterations can't be 0");
    if (rc)
        return rc;
    rc = web_field(ctx, algorithm, "salt", "salt", &field, &job->error);
    if (rc == 0 && go_bytes_get(ctx, field, "", &salt)) {
        buf_append_slice(&p->salt, salt.s);
        go_bytes_release(&salt);
    } else if (rc == 0) {
        JSValue thrown = JS_GetException(ctx);
        char *message = NULL;
        if (web_text_field(ctx, thrown, "message", &message) == 0)
            rc = web_fail(&job->error, NULL, "%s", message);
        free(message);
        JS_FreeValue(ctx, thrown);
    }
    JS_FreeValue(ctx, field);
    job->is_slow = p->iterations > SLOW_ITERATIONS;
    return rc;
}

static int ecdh_params(JSContext *ctx, struct web_job *job, JSValueConst algorithm) {
    JSValue key, alg = JS_UNDEFINED;
    char *name = NULL;
    struct web_error *e = &job->error;
    int rc = web_field(ctx, algorithm, "public", "public", &key, e);
    if (rc == KE_INVALID)
        return web_fail(e, "TypeError", "algorithm does not contain a public key");
    if (rc == 0 && !(job->params.public_key = web_key_of(ctx, key)))
        rc = web_fail(e, "TypeError", "algorithm's public is not a valid CryptoKey");
    else if (rc == 0 && job->params.public_key->type == WEB_NO_TYPE)
        rc = web_fail(e, "TypeError",
                      "algorithm's public key is not a valid CryptoKey: invalid key type");
    else if (rc == 0 && job->params.public_key->type != WEB_PUBLIC)
        rc = web_fail(e, "InvalidAccessError", "algorithm's public key is not a public key");
    if (rc == 0)
        rc = web_field(ctx, key, "algorithm", "algorithm", &alg, e);
    if (rc == 0)
        rc = web_text_field(ctx, alg, "name", &name);
    if (rc == 0 && strcmp(name, web_alg_name(job->params.alg)) != 0)
        rc = web_fail(e, "InvalidAccessError",
                      "algorithm name does not match public key's algorithm name: %s != %.60s",
                      web_alg_name(job->params.alg), name);
    free(name);
    JS_FreeValue(ctx, alg);
    JS_FreeValue(ctx, key);
    return rc;
}

static int take_base_key(JSContext *ctx, struct web_job *job, JSValueConst key) {
    job->key = web_key_of(ctx, key);
    return job->key ? 0 : web_fail(&job->error, NULL, "could not convert the key to a CryptoKey");
}

JSValue web_js_derive_bits(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct web_job *job = web_job_new(ctx, WEB_DERIVE_BITS);
    struct web_params *p = &job->params;
    int rc = go_int_arg(ctx, argc, argv, 2, &job->length) ? 0 : KE_JS;
    if (rc == 0)
        rc = web_normalize(ctx, ARG(0), WEB_DERIVE_BITS, &p->alg, &job->error);
    job->run = p->alg == WEB_ECDH ? web_run_ecdh : web_run_pbkdf2_bits;
    if (rc == 0 && p->alg == WEB_ECDH)
        rc = ecdh_params(ctx, job, ARG(0));
    else if (rc == 0 && p->alg == WEB_PBKDF2)
        rc = pbkdf2_params(ctx, job, ARG(0));
    else if (rc == 0)
        rc = web_fail(&job->error, "NotSupportedError", "unsupported algorithm for derive bits: %s",
                      web_alg_name(p->alg));
    if (rc == 0)
        rc = take_base_key(ctx, job, ARG(1));
    if (rc == 0 && job->length == 0)
        web_fail(&job->error, "OperationError", "length can not be 0");
    else if (rc == 0 && job->length % 8)
        web_fail(&job->error, "OperationError",
                 "currently only multiples of 8 are supported for length");
    return web_job_start(ctx, job);
}

JSValue web_js_derive_key(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct web_job *job = web_job_new(ctx, WEB_DERIVE_KEY);
    struct web_params *p = &job->params, *d = &job->derived;
    job->run = web_run_pbkdf2_key;
    job->is_extractable = JS_ToBool(ctx, ARG(3)) > 0;
    int rc = web_usages_arg(ctx, ARG(4), 4, &job->usages);
    if (rc == 0)
        rc = web_normalize(ctx, ARG(0), WEB_DERIVE_KEY, &p->alg, &job->error);
    if (rc == 0)
        rc = web_normalize(ctx, ARG(2), WEB_IMPORT_KEY, &d->alg, &job->error);
    if (rc == 0)
        rc = web_normalize(ctx, ARG(2), WEB_GET_KEY_LENGTH, &d->alg, &job->error);
    if (rc == 0 && p->alg != WEB_PBKDF2)
        rc = web_fail(&job->error, NULL, "key derivation not implemented for algorithm %s",
                      web_alg_name(p->alg));
    if (rc == 0)
        rc = pbkdf2_params(ctx, job, ARG(0));
    if (rc == 0)
        rc = web_int_field(ctx, ARG(2), "length", &d->length, &d->has_length);
    if (rc == 0 && !d->has_length)
        rc = web_fail(&job->error, "OperationError", "aes length parameter not specified");
    if (rc == 0)
        take_base_key(ctx, job, ARG(1));
    return web_job_start(ctx, job);
}
