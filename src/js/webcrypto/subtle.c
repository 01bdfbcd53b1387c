/* crypto.subtle: encrypt, decrypt, sign, verify and digest; the list of all functions. */
#include "js/webcrypto/webcrypto.h"

#include "base/check.h"

#define ARG(i) (argc > (i) ? argv[i] : JS_UNDEFINED)

/* ---- what the operations have in common ---- */

/* key.algorithm.name must be the algorithm's. */
static int check_algorithm(JSContext *ctx, JSValueConst key, enum web_alg alg, const char *prefix,
                           struct web_error *e) {
    JSValue algorithm, name = JS_UNDEFINED;
    struct js_text text;
    int rc = web_field(ctx, key, "algorithm", "algorithm", &algorithm, e);
    if (rc == 0)
        rc = web_field(ctx, algorithm, "name", "algorithm.name", &name, e);
    if (rc == 0 && !js_text_get(ctx, name, &text)) {
        rc = KE_JS;
    } else if (rc == 0) {
        if (!slice_eq(text.s, slice_cstr(web_alg_name(alg))))
            rc = web_fail(e, "InvalidAccessError",
                          "%salgorithm name does not match key algorithm name", prefix);
        js_text_release(&text);
    }
    JS_FreeValue(ctx, algorithm);
    JS_FreeValue(ctx, name);
    return rc;
}

/* The key as a reference in job->key; words begins the messages. */
static int take_key(JSContext *ctx, struct web_job *job, JSValueConst key, const char *words,
                    const char *prefix) {
    job->key = web_key_of(ctx, key);
    if (!job->key)
        return web_fail(&job->error, "InvalidAccessError",
                        "%s argument does hold not a valid CryptoKey object", words);
    return check_algorithm(ctx, key, job->params.alg, prefix, &job->error);
}

static int check_usage(struct web_job *job, const char *usage, const char *words) {
    if (web_usages_has(&job->key->usages, usage))
        return 0;
    return web_fail(&job->error, "InvalidAccessError", "%s does not contain the '%s' usage", words,
                    usage);
}

/* ---- encrypt, decrypt ---- */

static int cipher_params(JSContext *ctx, struct web_job *job, JSValueConst algorithm) {
    struct web_params *p = &job->params;
    bool unused;
    if (p->alg == WEB_AES_KW)
        return web_fail(&job->error, "NotSupportedError", "unsupported algorithm %s",
                        web_alg_name(p->alg));
    if (!JS_IsObject(algorithm))
        return web_fail(&job->error, "SyntaxError",
                        "invalid algorithm parameters, unable to interpret as \"\" object");
    job->run = p->alg == WEB_RSA_OAEP ? web_run_rsa : web_run_aes;
    if (p->alg == WEB_RSA_OAEP)
        return web_bytes_field(ctx, algorithm, "label", &p->label);
    int rc = web_bytes_field(ctx, algorithm, p->alg == WEB_AES_CTR ? "counter" : "iv", &p->iv);
    if (rc == 0 && p->alg == WEB_AES_CTR)
        rc = web_int_field(ctx, algorithm, "length", &p->length, &unused);
    if (rc == 0 && p->alg == WEB_AES_GCM)
        rc = web_bytes_field(ctx, algorithm, "additionalData", &p->additional);
    if (rc == 0 && p->alg == WEB_AES_GCM)
        rc = web_int_field(ctx, algorithm, "tagLength", &p->tag_length, &unused);
    return rc;
}

static JSValue js_cipher(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                         int op) {
    (void)this_val;
    bool is_encrypt = op == WEB_ENCRYPT;
    struct web_job *job = web_job_new(ctx, (enum web_op)op);
    int rc = web_data(ctx, ARG(2), &job->data, &job->error);
    if (rc == 0)
        rc = web_normalize(ctx, ARG(0), job->op, &job->params.alg, &job->error);
    if (rc == 0)
        rc = take_key(ctx, job, ARG(1), is_encrypt ? "encrypt's key" : "decrypt's key",
                      is_encrypt ? "encrypt's " : "decrypt's ");
    if (rc == 0)
        rc = cipher_params(ctx, job, ARG(0));
    if (rc == 0)
        check_usage(job, is_encrypt ? "encrypt" : "decrypt",
                    is_encrypt ? "encrypt's key" : "decrypt's key");
    return web_job_start(ctx, job);
}

/* ---- sign, verify ---- */

static int signature_params(JSContext *ctx, struct web_job *job, JSValueConst algorithm) {
    struct web_params *p = &job->params;
    bool has_length;
    if (p->alg == WEB_HMAC) {
        job->run = web_run_hmac;
        return 0;
    }
    job->run = p->alg == WEB_ECDSA ? web_run_ecdsa : web_run_rsa;
    if (p->alg == WEB_ECDSA)
        return web_hash_field(ctx, algorithm, WEB_GENERATE_KEY, &p->hash, &job->error);
    if (p->alg != WEB_RSA_PSS)
        return 0;
    int rc = web_int_field(ctx, algorithm, "saltLength", &p->salt_length, &has_length);
    if (rc == 0 && !has_length)
        rc = web_fail(&job->error, "SyntaxError",
                      "could not get saltLength from algorithm parameter");
    return rc;
}

static JSValue js_signature(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                            int op) {
    (void)this_val;
    bool is_sign = op == WEB_SIGN;
    struct web_job *job = web_job_new(ctx, (enum web_op)op);
    int rc = is_sign ? 0 : web_data(ctx, ARG(2), &job->signature, &job->error);
    if (rc == 0)
        rc = web_data(ctx, ARG(is_sign ? 2 : 3), &job->data, &job->error);
    if (rc == 0)
        rc = web_normalize(ctx, ARG(0), job->op, &job->params.alg, &job->error);
    if (rc == 0)
        rc = signature_params(ctx, job, ARG(0));
    if (rc == 0)
        rc = take_key(ctx, job, ARG(1), "key", "");
    if (rc == 0)
        check_usage(job, is_sign ? "sign" : "verify", "key");
    return web_job_start(ctx, job);
}

/* ---- digest ---- */

static bool is_data_view(JSContext *ctx, JSValueConst v) {
    JSValue global = JS_GetGlobalObject(ctx), view = JS_GetPropertyStr(ctx, global, "DataView");
    bool is_view = JS_IsInstanceOf(ctx, v, view) > 0;
    JS_FreeValue(ctx, view);
    JS_FreeValue(ctx, global);
    return is_view;
}

static JSValue js_subtle_digest(JSContext *ctx, JSValueConst this_val, int argc,
                                JSValueConst *argv) {
    (void)this_val;
    JSValueConst data = ARG(1);
    if (JS_IsUndefined(data) || JS_IsNull(data))
        return JS_ThrowTypeError(ctx, "Cannot convert undefined or null to object");
    struct web_job *job = web_job_new(ctx, WEB_DIGEST);
    job->run = web_run_digest;
    int rc = 0;
    if (!JS_IsArrayBufferObject(data) && JS_GetTypedArrayKind(data) < 0 && !is_data_view(ctx, data))
        rc = web_fail(&job->error, NULL, "data must be an ArrayBuffer, TypedArray, or DataView");
    if (rc == 0)
        rc = web_data(ctx, data, &job->data, &job->error);
    if (rc == 0)
        web_normalize(ctx, ARG(0), WEB_DIGEST, &job->params.alg, &job->error);
    return web_job_start(ctx, job);
}

static JSValue js_not_implemented(JSContext *ctx, JSValueConst this_val, int argc,
                                  JSValueConst *argv) {
    (void)this_val;
    (void)argc;
    (void)argv;
    return js_throw_go_error(ctx, "not implemented");
}

#define OPERATION(name, length, f, op) \
    WEB_FUNCTION_MAGIC(name, length, JS_CFUNC_generic_magic, generic_magic, f, op)

const JSCFunctionListEntry web_subtle_functions[WEB_SUBTLE_FUNCTIONS] = {
    OPERATION("decrypt", 3, js_cipher, WEB_DECRYPT),
    WEB_FUNCTION("deriveBits", 3, web_js_derive_bits),
    WEB_FUNCTION("deriveKey", 5, web_js_derive_key),
    WEB_FUNCTION("digest", 2, js_subtle_digest),
    OPERATION("encrypt", 3, js_cipher, WEB_ENCRYPT),
    WEB_FUNCTION("exportKey", 2, web_js_export_key),
    WEB_FUNCTION("generateKey", 3, web_js_generate_key),
    WEB_FUNCTION("importKey", 5, web_js_import_key),
    OPERATION("sign", 3, js_signature, WEB_SIGN),
    WEB_FUNCTION("unwrapKey", 7, js_not_implemented),
    OPERATION("verify", 4, js_signature, WEB_VERIFY),
    WEB_FUNCTION("wrapKey", 4, js_not_implemented),
};
