#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <stdlib.h>

#include "base/check.h"
#include "js/webcrypto/webcrypto.h"

#define MODULUS_MIN_BITS 1024 /* Go refuses less */
#define MODULUS_MAX_BITS 16384

static const char operation_error[] = "OperationError";
static const char syntax_error[] = "SyntaxError";

/* ---- generateKey ---- */

/* The exponent, or 0 with the error set. */
static unsigned long exponent_of(struct web_job *job) {
    const struct buf *b = &job->params.exponent;
    uint64_t e = 0;
    for (size_t i = 0; i < b->len && e <= INT32_MAX; i++)
        e = e << 8 | (unsigned char)b->ptr[i];
    const char *why = e % 2 == 0      ? "is even"
                      : e < 2         ? "too small"
                      : e > INT32_MAX ? "too large"
                                      : NULL;
    if (!why)
        return e;
    web_fail(&job->error, operation_error, "invalid public exponent: public exponent %s", why);
    return 0;
}

static EVP_PKEY *generate(int bits, unsigned long exponent) {
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *e = BN_new();
    CHECK(ctx != NULL && e != NULL && BN_set_word(e, exponent) == 1);
    if (EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits) != 1 ||
        EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) != 1 || EVP_PKEY_generate(ctx, &pkey) != 1)
        pkey = NULL;
    BN_free(e);
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return pkey;
}

static struct web_key *new_key(const struct web_params *p, enum web_key_type type, EVP_PKEY *pkey) {
    struct web_key *k = web_key_new(p->alg, type);
    k->hash = p->hash;
    k->pkey = pkey;
    k->length_bits = EVP_PKEY_get_bits(pkey);
    return k;
}

void web_generate_rsa(struct web_job *job) {
    static const char *const sign_all[] = {"sign", "verify", NULL};
    static const char *const oaep_all[] = {"encrypt", "decrypt", "wrapKey", "unwrapKey", NULL};
    static const char *const sign_only[] = {"sign", NULL}, *const decrypt_only[] = {"decrypt",
                                                                                    NULL};
    static const char *const encrypt_only[] = {"encrypt", NULL};
    const struct web_params *p = &job->params;
    bool is_oaep = p->alg == WEB_RSA_OAEP;
    unsigned long exponent = exponent_of(job);
    if (!exponent)
        return;
    if (job->usages.len == 0) {
        web_fail(&job->error, syntax_error, "key usages cannot be empty");
        return;
    }
    const char *stray = web_usages_stray(&job->usages, is_oaep ? oaep_all : sign_all);
    if (stray) {
        web_fail(&job->error, syntax_error, "invalid key usage: %s", stray);
        return;
    }
    EVP_PKEY *pkey = p->length >= MODULUS_MIN_BITS && p->length <= MODULUS_MAX_BITS
                         ? generate((int)p->length, exponent)
                         : NULL;
    if (!pkey) {
        web_fail(&job->error, operation_error, "could not generate RSA key pair");
        return;
    }
    job->result = new_key(p, WEB_PRIVATE, pkey);
    EVP_PKEY_up_ref(pkey);
    job->result_public = new_key(p, WEB_PUBLIC, pkey);
    job->result->is_extractable = job->is_extractable;
    job->result_public->is_extractable = true;
    job->result->usages = web_usages_among(&job->usages, is_oaep ? decrypt_only : sign_only);
    job->result_public->usages =
        web_usages_among(&job->usages, is_oaep ? encrypt_only : sign_all + 1);
}

/* ---- importKey ---- */

static EVP_PKEY *import_der(struct web_job *job, bool is_private) {
    const char *kind = is_private ? "private" : "public";
    EVP_PKEY *pkey = web_pkey_from_der(buf_slice(&job->data), is_private);
    if (!pkey) {
        web_fail(&job->error, "DataError",
                 "unable to import RSA %s key data: asn1: structure error", kind);
    } else if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA) {
        web_fail(&job->error, "DataError", "given CryptoKey is not a %s RSA key, it's *rsa.%s",
                 kind, is_private ? "PrivateKey" : "PublicKey");
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    return pkey;
}

static const struct {
    int field;
    const char *param, *words;
} jwk_numbers[] = {
    {JWK_N, OSSL_PKEY_PARAM_RSA_N, "failed to decode modulus"},
    {JWK_E, OSSL_PKEY_PARAM_RSA_E, "failed to decode exponent"},
    {JWK_D, OSSL_PKEY_PARAM_RSA_D, "failed to decode private exponent"},
    {JWK_P, OSSL_PKEY_PARAM_RSA_FACTOR1, "failed to decode first prime factor"},
    {JWK_Q, OSSL_PKEY_PARAM_RSA_FACTOR2, "failed to decode second prime factor"},
    {JWK_DP, OSSL_PKEY_PARAM_RSA_EXPONENT1, "failed to decode first exponent"},
    {JWK_DQ, OSSL_PKEY_PARAM_RSA_EXPONENT2, "failed to decode second exponent"},
    {JWK_QI, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, "failed to decode coefficient"},
};

static int check_jwk(struct web_job *job) {
    const struct web_jwk *jwk = &job->jwk;
    static const int fields[] = {JWK_D, JWK_DP, JWK_DQ, JWK_E,  JWK_KTY,
                                 JWK_N, JWK_P,  JWK_Q,  JWK_QI, -1};
    char bad[120];
    if (web_jwk_is_wrong(jwk, "rsaJWK", fields, bad))
        return web_fail(&job->error, NULL, "failed to parse input as RSA JWK key: %s", bad);
    if (strcmp(jwk->fields[JWK_KTY], "RSA") != 0)
        return web_fail(&job->error, NULL, "invalid RSA JWK key: invalid key type: %.100s",
                        jwk->fields[JWK_KTY]);
    if (!jwk->fields[JWK_N][0])
        return web_fail(&job->error, NULL, "invalid RSA JWK key: modulus (n) is required");
    if (!jwk->fields[JWK_E][0])
        return web_fail(&job->error, NULL, "invalid RSA JWK key: exponent (e) is required");
    return 0;
}

static bool is_consistent(EVP_PKEY *pkey) {
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool is_good = ctx && EVP_PKEY_pairwise_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    return is_good;
}

static EVP_PKEY *import_jwk(struct web_job *job, enum web_key_type *out_type) {
    BIGNUM *numbers[countof(jwk_numbers)] = {NULL};
    EVP_PKEY *pkey = NULL;
    if (check_jwk(job))
        return NULL;
    bool is_private = job->jwk.fields[JWK_D][0];
    size_t n = is_private ? countof(jwk_numbers) : 2;
    *out_type = is_private ? WEB_PRIVATE : WEB_PUBLIC;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    CHECK(ctx != NULL && b != NULL);
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct buf bytes;
        buf_init(&bytes, BUF_NO_CAP);
        rc = web_jwk_decode(&job->jwk, jwk_numbers[i].field, jwk_numbers[i].words, &bytes,
                            &job->error);
        if (rc == 0 && bytes.len <= MODULUS_MAX_BITS / 8 + 1) {
            numbers[i] = BN_bin2bn((const unsigned char *)buf_cstr(&bytes), (int)bytes.len, NULL);
            OSSL_PARAM_BLD_push_BN(b, jwk_numbers[i].param, numbers[i]);
        }
        buf_release(&bytes);
    }
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
    if (rc == 0 &&
        (EVP_PKEY_fromdata_init(ctx) != 1 ||
         EVP_PKEY_fromdata(ctx, &pkey, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                           params) != 1 ||
         (is_private && !is_consistent(pkey)))) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
        web_fail(&job->error, NULL, "failed to validate private key: crypto/rsa: invalid key");
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    EVP_PKEY_CTX_free(ctx);
    for (size_t i = 0; i < n; i++)
        BN_clear_free(numbers[i]);
    ERR_clear_error();
    return pkey;
}

struct web_key *web_import_rsa(struct web_job *job) {
    enum web_key_type type = job->format == WEB_PKCS8 ? WEB_PRIVATE : WEB_PUBLIC;
    EVP_PKEY *pkey = NULL;
    if (job->format == WEB_RAW)
        web_fail(&job->error, "NotSupportedError", "unsupported key format %s for algorithm %s",
                 job->format_name, web_alg_name(job->params.alg));
    else if (job->format == WEB_JWK)
        pkey = import_jwk(job, &type);
    else
        pkey = import_der(job, job->format == WEB_PKCS8);
    return pkey ? new_key(&job->params, type, pkey) : NULL;
}

/* ---- exportKey ---- */

static int wrong_type(struct web_job *job, const char *expected) {
    const struct web_key *k = job->key;
    const char *is = !k->pkey                 ? "<nil>"
                     : k->type == WEB_PRIVATE ? "*rsa.PrivateKey"
                                              : "*rsa.PublicKey";
    return web_fail(&job->error, "InvalidAccessError",
                    "given CryptoKey is not a %s RSA key, it's %s", expected, is);
}

static void export_jwk(struct web_job *job) {
    static const struct {
        const char *name, *param;
        bool is_private;
    } numbers[] = {
        {"d", OSSL_PKEY_PARAM_RSA_D, true},          {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1, true},
        {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2, true}, {"e", OSSL_PKEY_PARAM_RSA_E, false},
        {"n", OSSL_PKEY_PARAM_RSA_N, false},         {"p", OSSL_PKEY_PARAM_RSA_FACTOR1, true},
        {"q", OSSL_PKEY_PARAM_RSA_FACTOR2, true},    {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1, true},
    };
    bool is_private = job->key->type == WEB_PRIVATE;
    web_jwk_begin(job);
    web_jwk_text(job, "kty", "RSA");
    for (size_t i = 0; i < countof(numbers); i++)
        if (is_private || !numbers[i].is_private)
            web_jwk_number(job, numbers[i].name, numbers[i].param, 0);
    web_jwk_end(job);
}

void web_export_rsa(struct web_job *job) {
    bool is_private = job->format == WEB_PKCS8;
    if (job->format == WEB_JWK) {
        export_jwk(job);
        return;
    }
    if (job->format != WEB_PKCS8 && job->format != WEB_SPKI) {
        web_fail(&job->error, "NotSupportedError", "unsupported key format %s", job->format_name);
        return;
    }
    if (is_private != (job->key->type == WEB_PRIVATE))
        wrong_type(job, is_private ? "private" : "public");
    else if (web_pkey_to_der(job->key->pkey, is_private, &job->out))
        web_fail(&job->error, operation_error, "unable to marshal key to %s format",
                 is_private ? "PKCS8" : "SPKI");
}

/* ---- sign, verify, encrypt, decrypt ---- */

static int check_key(struct web_job *job) {
    const struct web_key *k = job->key;
    bool wants_private = job->op == WEB_SIGN || job->op == WEB_DECRYPT;
    if (k->is_foreign || !k->pkey || k->type != (wants_private ? WEB_PRIVATE : WEB_PUBLIC))
        return wrong_type(job, wants_private ? "private" : "public");
    if (job->params.alg == WEB_RSA_PSS && job->params.salt_length == 0)
        return web_fail(
            &job->error, "ImplementationError",
            job->op == WEB_SIGN
                ? "k6 RSA-PSS uses standard Golang SDK that doesn't supportsalt length=0 but "
                  "generates salt with maximum length . Sign result might be different."
                : "k6 RSA-PSS uses standard Golang SDK that doesn't supportsalt length=0 but tries "
                  "to auto-detect salt length if 0 is used. Verify result might be different.");
    return 0;
}

static bool set_pss(struct web_job *job, EVP_PKEY_CTX *ctx) {
    if (job->params.alg != WEB_RSA_PSS)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
    /* -1 means in Go what it means here: as long as the hash. */
    return job->params.salt_length >= -1 && job->params.salt_length <= MODULUS_MAX_BITS / 8 &&
           EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)job->params.salt_length) == 1;
}

static bool sign(struct web_job *job, EVP_MD_CTX *md) {
    const unsigned char *data = (const unsigned char *)buf_cstr(&job->data);
    EVP_PKEY_CTX *ctx = NULL;
    size_t len = (size_t)EVP_PKEY_get_size(job->key->pkey);
    CHECK(buf_reserve(&job->out, len) == 0);
    bool is_good =
        EVP_DigestSignInit(md, &ctx, digest_evp(web_digest(job->key->hash)), NULL,
                           job->key->pkey) == 1 &&
        set_pss(job, ctx) &&
        EVP_DigestSign(md, (unsigned char *)job->out.ptr, &len, data, job->data.len) == 1;
    job->out.len = is_good ? len : 0;
    return is_good;
}

static bool verify(struct web_job *job, EVP_MD_CTX *md) {
    const unsigned char *data = (const unsigned char *)buf_cstr(&job->data);
    EVP_PKEY_CTX *ctx = NULL;
    return EVP_DigestVerifyInit(md, &ctx, digest_evp(web_digest(job->key->hash)), NULL,
                                job->key->pkey) == 1 &&
           set_pss(job, ctx) &&
           EVP_DigestVerify(md, (const unsigned char *)buf_cstr(&job->signature),
                            job->signature.len, data, job->data.len) == 1;
}

static bool crypt_oaep(struct web_job *job) {
    const struct web_key *k = job->key;
    const EVP_MD *md = digest_evp(web_digest(k->hash));
    const unsigned char *data = (const unsigned char *)buf_cstr(&job->data);
    bool is_encrypt = job->op == WEB_ENCRYPT;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
    size_t len = (size_t)EVP_PKEY_get_size(k->pkey);
    CHECK(buf_reserve(&job->out, len) == 0);
    bool is_good =
        ctx && (is_encrypt ? EVP_PKEY_encrypt_init(ctx) : EVP_PKEY_decrypt_init(ctx)) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
        EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1;
    if (is_good && job->params.label.len) {
        void *label = OPENSSL_memdup(job->params.label.ptr, job->params.label.len);
        is_good = EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, label, (int)job->params.label.len) == 1;
    }
    unsigned char *out = (unsigned char *)job->out.ptr;
    is_good = is_good && (is_encrypt ? EVP_PKEY_encrypt(ctx, out, &len, data, job->data.len)
                                     : EVP_PKEY_decrypt(ctx, out, &len, data, job->data.len)) == 1;
    job->out.len = is_good ? len : 0;
    EVP_PKEY_CTX_free(ctx);
    return is_good;
}

static void run_oaep(struct web_job *job) {
    if (crypt_oaep(job))
        return;
    if (job->op == WEB_ENCRYPT)
        web_fail(&job->error, operation_error,
                 "could not encrypt data: crypto/rsa: message too long for RSA key size");
    else
        web_fail(&job->error, operation_error,
                 "could not decrypt data: crypto/rsa: decryption error");
}

void web_run_rsa(struct web_job *job) {
    if (check_key(job))
        return;
    if (job->params.alg == WEB_RSA_OAEP) {
        run_oaep(job);
    } else {
        EVP_MD_CTX *md = EVP_MD_CTX_new();
        CHECK(md != NULL);
        if (job->op == WEB_VERIFY)
            job->verdict = verify(job, md);
        else if (!sign(job, md))
            web_fail(&job->error, operation_error,
                     "could not sign data: crypto/rsa: message too long for RSA key size");
        EVP_MD_CTX_free(md);
    }
    ERR_clear_error();
}
