/* generateKey, importKey and exportKey of all algorithms: what they have in common, and DER. */
#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/check.h"
#include "js/webcrypto/webcrypto.h"

static const char no_usages[] = "usages cannot not be empty for a secret or private CryptoKey";

EVP_PKEY *web_pkey_from_der(struct slice der, bool is_private) {
    const unsigned char *p = (const unsigned char *)der.ptr, *end = p + der.len;
    EVP_PKEY *pkey = NULL;
    if (der.len == 0 || der.len > INT32_MAX)
        return NULL;
    if (is_private) {
        PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der.len);
        pkey = info ? EVP_PKCS82PKEY(info) : NULL;
        PKCS8_PRIV_KEY_INFO_free(info);
    } else {
        pkey = d2i_PUBKEY(NULL, &p, (long)der.len);
    }
    if (pkey && p != end) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    ERR_clear_error();
    return pkey;
}

int web_pkey_to_der(const EVP_PKEY *key, bool is_private, struct buf *out) {
    unsigned char *der = NULL;
    int len;
    if (is_private) {
        PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
        len = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
        PKCS8_PRIV_KEY_INFO_free(info);
    } else {
        len = i2d_PUBKEY(key, &der);
    }
    if (len > 0)
        buf_append(out, der, (size_t)len);
    OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
    return len > 0 ? 0 : KE_INVALID;
}

void web_run_generate(struct web_job *job) {
    enum web_alg alg = job->params.alg;
    if (web_is_rsa(alg))
        web_generate_rsa(job);
    else if (alg == WEB_ECDSA || alg == WEB_ECDH)
        web_generate_ec(job);
    else
        web_generate_secret(job);
    if (!job->error.is_set && !job->result_public && job->usages.len == 0)
        web_fail(&job->error, "SyntaxError", "%s", no_usages);
}

/* The bytes of a symmetric JWK; KE_INVALID with job->error set. */
static int symmetric_bytes(struct web_job *job, struct buf *out) {
    const struct web_jwk *jwk = &job->jwk;
    static const int fields[] = {JWK_K, JWK_KTY, -1};
    struct web_error why = {0};
    char bad[120];
    if (web_jwk_is_wrong(jwk, "symmetricJWK", fields, bad))
        return web_fail(&job->error, "DataError", "failed to parse symmetric JWK: %s", bad);
    if (strcmp(jwk->fields[JWK_KTY], "oct") != 0)
        return web_fail(&job->error, "DataError", "invalid symmetric JWK: invalid key type: %.100s",
                        jwk->fields[JWK_KTY]);
    if (!jwk->fields[JWK_K][0])
        return web_fail(&job->error, "DataError", "invalid symmetric JWK: key (k) is required");
    if (web_jwk_decode(jwk, JWK_K, "failed to decode symmetric key", out, &why))
        return web_fail(&job->error, "DataError", "%s", why.text);
    return 0;
}

static struct web_key *import_secret(struct web_job *job) {
    struct buf bytes;
    struct web_key *k = NULL;
    buf_init(&bytes, BUF_NO_CAP);
    bool is_jwk = job->format == WEB_JWK && job->params.alg != WEB_PBKDF2;
    if (!is_jwk || symmetric_bytes(job, &bytes) == 0)
        k = web_import_secret(&job->params, job->format, job->format_name,
                              is_jwk ? buf_slice(&bytes) : buf_slice(&job->data),
                              job->is_extractable, &job->usages, &job->error);
    buf_release(&bytes);
    return k;
}

void web_run_import(struct web_job *job) {
    enum web_alg alg = job->params.alg;
    struct web_key *k;
    if (web_is_rsa(alg))
        k = web_import_rsa(job);
    else if (alg == WEB_ECDSA || alg == WEB_ECDH)
        k = web_import_ec(job);
    else
        k = import_secret(job);
    if (!k)
        return;
    job->result = k;
    k->is_extractable = job->is_extractable;
    k->usages = web_usages_copy(&job->usages);
    if (k->type != WEB_PUBLIC && job->usages.len == 0)
        web_fail(&job->error, "SyntaxError", "%s", no_usages);
}

void web_run_export(struct web_job *job) {
    enum web_alg alg = job->key->alg;
    if (web_is_rsa(alg))
        web_export_rsa(job);
    else if (job->format == WEB_NO_FORMAT)
        web_fail(&job->error, "NotSupportedError", "unsupported key format %s", job->format_name);
    else if (alg == WEB_ECDSA || alg == WEB_ECDH)
        web_export_ec(job);
    else if (job->format == WEB_RAW)
        buf_append_slice(&job->out, buf_slice(&job->key->secret));
    else if (job->format == WEB_JWK)
        web_jwk_symmetric(job);
    else
        web_fail(&job->error, "NotSupportedError", "unsupported key format %s", job->format_name);
}
