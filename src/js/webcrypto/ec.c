#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include <stdlib.h>

#include "base/check.h"
#include "js/webcrypto/webcrypto.h"

#define FIELD_MAX_BYTES 66 /* P-521 */

static const char invalid_access[] = "InvalidAccessError";
static const char operation_error[] = "OperationError";

/* Bytes of a coordinate, 0 for a curve that is none of ours. */
static size_t curve_bytes(const char *curve) {
    if (strcmp(curve, "P-256") == 0)
        return 32;
    if (strcmp(curve, "P-384") == 0)
        return 48;
    return strcmp(curve, "P-521") == 0 ? FIELD_MAX_BYTES : 0;
}

static size_t key_bytes(const EVP_PKEY *key) {
    return ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
}

/* ---- generateKey ---- */

void web_generate_ec(struct web_job *job) {
    static const char *const ecdh_all[] = {"deriveKey", "deriveBits", NULL};
    static const char *const ecdsa_all[] = {"sign", "verify", NULL};
    static const char *const sign_only[] = {"sign", NULL}, *const none[] = {NULL};
    const struct web_params *p = &job->params;
    bool is_ecdh = p->alg == WEB_ECDH;
    if (!curve_bytes(p->curve)) {
        web_fail(&job->error, "NotSupportedError", "elliptic curve %s is not supported", p->curve);
        return;
    }
    if (job->usages.len == 0) {
        web_fail(&job->error, "SyntaxError", "key usages cannot be empty");
        return;
    }
    if (web_usages_stray(&job->usages, is_ecdh ? ecdh_all : ecdsa_all)) {
        web_fail(&job->error, "SyntaxError", "invalid key usage");
        return;
    }
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", p->curve);
    if (!pkey) {
        web_fail(&job->error, operation_error, "unable to generate a %s key pair",
                 web_alg_name(p->alg));
        return;
    }
    struct web_key *private = web_key_new(p->alg, WEB_PRIVATE);
    struct web_key *public = web_key_new(p->alg, WEB_PUBLIC);
    private->pkey = pkey;
    EVP_PKEY_up_ref(pkey);
    public->pkey = pkey;
    private->curve = xstrdup(p->curve);
    public->curve = xstrdup(p->curve);
    private->is_extractable = job->is_extractable;
    public->is_extractable = true;
    private->usages = web_usages_among(&job->usages, is_ecdh ? ecdh_all : sign_only);
    public->usages = web_usages_among(&job->usages, is_ecdh ? none : ecdsa_all + 1);
    job->result = private;
    job->result_public = public;
}

/* ---- importKey ---- */

/* From a point and, for a private key, its number. */
static EVP_PKEY *pkey_from_parts(const char *curve, struct slice point, const BIGNUM *number) {
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    CHECK(ctx != NULL && b != NULL);
    OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0);
    OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point.ptr, point.len);
    if (number)
        OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, number);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
    if (EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, number ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static EVP_PKEY *import_raw(struct web_job *job) {
    const struct web_params *p = &job->params;
    bool is_ecdh = p->alg == WEB_ECDH;
    size_t n = curve_bytes(p->curve);
    if (!n) {
        web_fail(&job->error, "NotSupportedError",
                 is_ecdh ? "invalid ECDH curve %s" : "invalid elliptic curve %s", p->curve);
        return NULL;
    }
    EVP_PKEY *pkey = job->data.len == 1 + 2 * n && job->data.ptr[0] == 4
                         ? pkey_from_parts(p->curve, buf_slice(&job->data), NULL)
                         : NULL;
    if (!pkey)
        web_fail(&job->error, "DataError", "unable to import %s public key data%s",
                 web_alg_name(p->alg), is_ecdh ? ": crypto/ecdh: invalid public key" : "");
    return pkey;
}

static EVP_PKEY *import_der(struct web_job *job, bool is_private) {
    const char *kind = is_private ? "private" : "public";
    /* k6 says ECDH of every public key. */
    const char *alg = is_private ? web_alg_name(job->params.alg) : "ECDH";
    EVP_PKEY *pkey = web_pkey_from_der(buf_slice(&job->data), is_private);
    if (!pkey) {
        web_fail(&job->error, "DataError", "unable to import %s %s key data: asn1: structure error",
                 alg, kind);
    } else if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_EC) {
        web_fail(&job->error, "DataError", "a %s key is not an ECDSA key", kind);
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    return pkey;
}

/* The words of an error of a JWK, which have no name. */
static int jwk_fail(struct web_job *job, const char *words) {
    char text[sizeof job->error.text];
    size_t n = strlen(words) < sizeof text ? strlen(words) : sizeof text - 1;
    memcpy(text, words, n);
    text[n] = '\0';
    return web_fail(&job->error, NULL, "%s%s",
                    job->params.alg == WEB_ECDH ? "failed to parse input as ECDH key: " : "", text);
}

static int check_jwk(struct web_job *job) {
    const struct web_jwk *jwk = &job->jwk;
    static const int fields[] = {JWK_CRV, JWK_D, JWK_KTY, JWK_X, JWK_Y, -1};
    char *text = NULL, bad[120];
    if (web_jwk_is_wrong(jwk, "ecJWK", fields, bad))
        text = xasprintf("failed to parse input as EC JWK key: %s", bad);
    else if (strcmp(jwk->fields[JWK_KTY], "EC") != 0)
        text = xasprintf("invalid EC JWK key: invalid key type: %s", jwk->fields[JWK_KTY]);
    else if (!jwk->fields[JWK_CRV][0])
        text = xstrdup("invalid EC JWK key: curve is required");
    else if (!jwk->fields[JWK_X][0])
        text = xstrdup("invalid EC JWK key: coordinate X is required");
    else if (!jwk->fields[JWK_Y][0])
        text = xstrdup("invalid EC JWK key: coordinate Y is required");
    else if (!curve_bytes(jwk->fields[JWK_CRV]))
        text = xasprintf("failed to parse elliptic curve: invalid elliptic curve %s",
                         jwk->fields[JWK_CRV]);
    if (!text)
        return 0;
    jwk_fail(job, text);
    free(text);
    return KE_INVALID;
}

/* One coordinate, padded to n bytes. */
static int put_coordinate(struct web_job *job, int field, const char *words, size_t n,
                          struct buf *out) {
    struct buf bytes;
    struct web_error e = {0};
    int rc = 0;
    buf_init(&bytes, BUF_NO_CAP);
    if (web_jwk_decode(&job->jwk, field, words, &bytes, &e))
        rc = jwk_fail(job, e.text);
    else if (bytes.len > n)
        rc = jwk_fail(job, "invalid EC JWK key: coordinate is too long");
    for (size_t i = bytes.len; rc == 0 && i < n; i++)
        buf_append_char(out, '\0');
    if (rc == 0)
        buf_append_slice(out, buf_slice(&bytes));
    buf_release(&bytes);
    return rc;
}

static EVP_PKEY *import_jwk(struct web_job *job, enum web_key_type *out_type) {
    const struct web_jwk *jwk = &job->jwk;
    EVP_PKEY *pkey = NULL;
    BIGNUM *number = NULL;
    struct buf point, d;
    if (check_jwk(job))
        return NULL;
    buf_init(&point, BUF_NO_CAP);
    buf_init(&d, BUF_NO_CAP);
    size_t n = curve_bytes(jwk->fields[JWK_CRV]);
    buf_append_char(&point, 4);
    *out_type = jwk->fields[JWK_D][0] ? WEB_PRIVATE : WEB_PUBLIC;
    if (put_coordinate(job, JWK_X, "failed to decode X coordinate", n, &point) ||
        put_coordinate(job, JWK_Y, "failed to decode Y coordinate", n, &point) ||
        (*out_type == WEB_PRIVATE && put_coordinate(job, JWK_D, "failed to decode D", n, &d)))
        goto out;
    if (*out_type == WEB_PRIVATE)
        number = BN_bin2bn((const unsigned char *)d.ptr, (int)d.len, NULL);
    pkey = pkey_from_parts(jwk->fields[JWK_CRV], buf_slice(&point), number);
    if (!pkey)
        web_fail(&job->error, NULL, "%secdsa: invalid %s key",
                 job->params.alg == WEB_ECDH ? "failed to convert ECDSA key to ECDH key: " : "",
                 number ? "private" : "public");
out:
    BN_clear_free(number);
    buf_release(&point);
    buf_release(&d);
    return pkey;
}

struct web_key *web_import_ec(struct web_job *job) {
    enum web_key_type type = job->format == WEB_PKCS8 ? WEB_PRIVATE : WEB_PUBLIC;
    EVP_PKEY *pkey;
    if (job->format == WEB_RAW)
        pkey = import_raw(job);
    else if (job->format == WEB_JWK)
        pkey = import_jwk(job, &type);
    else
        pkey = import_der(job, job->format == WEB_PKCS8);
    if (!pkey)
        return NULL;
    struct web_key *k = web_key_new(job->params.alg, type);
    k->pkey = pkey;
    k->curve = xstrdup(job->params.curve);
    return k;
}

/* ---- exportKey ---- */

static void export_raw(struct web_job *job) {
    unsigned char point[1 + 2 * FIELD_MAX_BYTES];
    size_t len;
    if (EVP_PKEY_get_octet_string_param(job->key->pkey, OSSL_PKEY_PARAM_PUB_KEY, point,
                                        sizeof point, &len) == 1)
        buf_append(&job->out, point, len);
    else
        web_fail(&job->error, operation_error, "unable to extract public key data");
}

static void export_jwk(struct web_job *job) {
    size_t n = key_bytes(job->key->pkey);
    web_jwk_begin(job);
    web_jwk_text(job, "crv", n == 32 ? "P-256" : n == 48 ? "P-384" : "P-521");
    if (job->key->type == WEB_PRIVATE)
        web_jwk_number(job, "d", OSSL_PKEY_PARAM_PRIV_KEY, n);
    web_jwk_text(job, "kty", "EC");
    web_jwk_number(job, "x", OSSL_PKEY_PARAM_EC_PUB_X, 0);
    web_jwk_number(job, "y", OSSL_PKEY_PARAM_EC_PUB_Y, 0);
    web_jwk_end(job);
}

void web_export_ec(struct web_job *job) {
    bool is_private = job->format == WEB_PKCS8;
    if (job->format == WEB_JWK) {
        export_jwk(job);
        return;
    }
    if (is_private != (job->key->type == WEB_PRIVATE)) {
        web_fail(&job->error, invalid_access, "key is not a valid elliptic curve %s key",
                 is_private ? "private" : "public");
        return;
    }
    if (job->format == WEB_RAW)
        export_raw(job);
    else if (web_pkey_to_der(job->key->pkey, is_private, &job->out))
        web_fail(&job->error, operation_error, "unable to marshal key to %s format",
                 is_private ? "PKCS8" : "SPKI");
}

/* ---- ECDSA ---- */

/* DER of (r, s) to both numbers, each as long as a coordinate. */
static bool put_signature(struct buf *out, const unsigned char *der, size_t len, size_t n) {
    const BIGNUM *r, *s;
    unsigned char bytes[2 * FIELD_MAX_BYTES];
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    if (!sig)
        return false;
    ECDSA_SIG_get0(sig, &r, &s);
    bool is_good =
        BN_bn2binpad(r, bytes, (int)n) == (int)n && BN_bn2binpad(s, bytes + n, (int)n) == (int)n;
    if (is_good)
        buf_append(out, bytes, 2 * n);
    ECDSA_SIG_free(sig);
    return is_good;
}

static bool sign(struct web_job *job, EVP_MD_CTX *md) {
    size_t len = 0;
    EVP_PKEY *pkey = job->key->pkey;
    const unsigned char *data = (const unsigned char *)buf_cstr(&job->data);
    if (EVP_DigestSignInit(md, NULL, digest_evp(web_digest(job->params.hash)), NULL, pkey) != 1 ||
        EVP_DigestSign(md, NULL, &len, data, job->data.len) != 1)
        return false;
    unsigned char *der = xmalloc(len);
    bool is_good = EVP_DigestSign(md, der, &len, data, job->data.len) == 1 &&
                   put_signature(&job->out, der, len, key_bytes(pkey));
    free(der);
    return is_good;
}

static bool verify(struct web_job *job, EVP_MD_CTX *md) {
    EVP_PKEY *pkey = job->key->pkey;
    size_t n = key_bytes(pkey);
    unsigned char *der = NULL;
    if (job->signature.len != 2 * n)
        return false;
    const unsigned char *p = (const unsigned char *)job->signature.ptr;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    ECDSA_SIG_set0(sig, BN_bin2bn(p, (int)n, NULL), BN_bin2bn(p + n, (int)n, NULL));
    int len = i2d_ECDSA_SIG(sig, &der);
    bool is_good =
        len > 0 &&
        EVP_DigestVerifyInit(md, NULL, digest_evp(web_digest(job->params.hash)), NULL, pkey) == 1 &&
        EVP_DigestVerify(md, der, (size_t)len, (const unsigned char *)buf_cstr(&job->data),
                         job->data.len) == 1;
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
    return is_good;
}

void web_run_ecdsa(struct web_job *job) {
    bool is_sign = job->op == WEB_SIGN;
    const struct web_key *k = job->key;
    if (k->alg != WEB_ECDSA || k->type != (is_sign ? WEB_PRIVATE : WEB_PUBLIC)) {
        web_fail(&job->error, invalid_access, "key is not a valid ECDSA %s key",
                 is_sign ? "private" : "public");
        return;
    }
    if (!web_is_hash(job->params.hash)) {
        web_fail(&job->error, "NotSupportedError", "unsupported hash algorithm: %s",
                 web_alg_name(job->params.hash));
        return;
    }
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    CHECK(md != NULL);
    if (!is_sign)
        job->verdict = verify(job, md);
    else if (!sign(job, md))
        web_fail(&job->error, operation_error, "unable to sign data");
    EVP_MD_CTX_free(md);
    ERR_clear_error();
}

/* ---- ECDH ---- */

static int check_ecdh(struct web_job *job) {
    const struct web_key *k = job->key, *public = job->params.public_key;
    struct web_error *e = &job->error;
    if (k->type == WEB_NO_TYPE)
        return web_fail(e, invalid_access,
                        "provided baseKey is not a valid CryptoKey: invalid key type");
    if (k->type != WEB_PRIVATE)
        return web_fail(e, invalid_access, "provided baseKey is not a private key");
    if (!web_usages_has(&k->usages, "deriveBits"))
        return web_fail(e, invalid_access,
                        "provided baseKey does not contain the 'deriveBits' usage");
    if (!k->curve || !public->curve)
        return web_fail(e, invalid_access, "keys are not valid elliptic curve keys");
    if (strcmp(k->curve, public->curve) != 0)
        return web_fail(e, invalid_access, "keys have different curves %s and %s", k->curve,
                        public->curve);
    if (k->alg != WEB_ECDH)
        return web_fail(e, invalid_access, "key is not a valid ECDH private key");
    return 0;
}

void web_run_ecdh(struct web_job *job) {
    unsigned char secret[FIELD_MAX_BYTES];
    size_t len = sizeof secret;
    if (check_ecdh(job))
        return;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, job->key->pkey, NULL);
    if (!ctx || EVP_PKEY_derive_init(ctx) != 1 ||
        EVP_PKEY_derive_set_peer(ctx, job->params.public_key->pkey) != 1 ||
        EVP_PKEY_derive(ctx, secret, &len) != 1)
        web_fail(&job->error, NULL, "crypto/ecdh: private key and public key curves do not match");
    else if (job->length < 0 || len < (size_t)job->length / 8)
        web_fail(&job->error, operation_error, "length is too large");
    else
        buf_append(&job->out, secret, (size_t)job->length / 8);
    OPENSSL_cleanse(secret, sizeof secret);
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
}
