/* Keys that are plain bytes: AES, HMAC, PBKDF2; digests. */
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/check.h"
#include "js/webcrypto/webcrypto.h"

#define KEY_MAX_BITS (INT64_C(8) << 20)
#define DERIVED_MAX_BITS (INT64_C(8) << 20)

static const char operation_error[] = "OperationError";
static const char invalid_access[] = "InvalidAccessError";
static const char syntax_error[] = "SyntaxError";

void web_run_digest(struct web_job *job) {
    uint8_t sum[DIGEST_MAX_BYTES];
    struct digest *d = digest_new(web_digest(job->params.alg));
    digest_update(d, buf_slice(&job->data));
    buf_append(&job->out, sum, digest_sum(d, sum));
    digest_free(d);
}

/* ---- HMAC ---- */

void web_run_hmac(struct web_job *job) {
    uint8_t sum[DIGEST_MAX_BYTES];
    const struct web_key *k = job->key;
    if (k->is_foreign || k->alg != WEB_HMAC) {
        web_fail(&job->error, invalid_access, "key algorithm does not describe a HMAC key");
        return;
    }
    if (!web_is_hash(k->hash)) {
        if (job->op == WEB_SIGN)
            web_fail(&job->error, "NotSupportedError", "unsupported hash algorithm %s",
                     web_alg_name(k->hash));
        else
            web_fail(&job->error, invalid_access, "key handle is of incorrect type");
        return;
    }
    struct digest *d = digest_new_hmac(web_digest(k->hash), buf_slice(&k->secret));
    digest_update(d, buf_slice(&job->data));
    size_t len = digest_sum(d, sum);
    digest_free(d);
    if (job->op == WEB_SIGN)
        buf_append(&job->out, sum, len);
    else
        job->verdict =
            job->signature.len == len && CRYPTO_memcmp(sum, job->signature.ptr, len) == 0;
}

/* ---- making keys ---- */

static int check_generated(struct web_job *job, int64_t *out_bits) {
    static const char *const aes_usages[] = {"encrypt", "decrypt", "wrapKey", "unwrapKey", NULL};
    static const char *const hmac_usages[] = {"sign", "verify", NULL};
    const struct web_params *p = &job->params;
    *out_bits = p->length;
    if (web_is_aes(p->alg)) {
        /* AES-KW wraps only. */
        if (web_usages_stray(&job->usages, aes_usages + (p->alg == WEB_AES_KW ? 2 : 0)))
            return web_fail(&job->error, syntax_error, "invalid key usage");
        if (p->length != 128 && p->length != 192 && p->length != 256)
            return web_fail(&job->error, operation_error, "invalid key length");
        return 0;
    }
    const char *stray = web_usages_stray(&job->usages, hmac_usages);
    if (stray)
        return web_fail(&job->error, syntax_error, "invalid key usage: %s", stray);
    if (!p->has_length && !web_is_hash(p->hash))
        return web_fail(&job->error, "ImplementationError", "invalid hash algorithm: %s",
                        web_alg_name(p->hash));
    if (!p->has_length)
        *out_bits = (int64_t)digest_block_bytes(web_digest(p->hash)) * 8;
    if (*out_bits == 0)
        return web_fail(&job->error, operation_error, "algorithm's length cannot be 0");
    if (*out_bits < 0 || *out_bits > KEY_MAX_BITS)
        return web_fail(&job->error, operation_error, "invalid key length");
    return 0;
}

void web_generate_secret(struct web_job *job) {
    int64_t bits;
    if (check_generated(job, &bits))
        return;
    struct web_key *k = web_key_new(job->params.alg, WEB_SECRET);
    k->length_bits = bits;
    k->hash = job->params.hash;
    k->is_extractable = job->is_extractable;
    k->usages = web_usages_copy(&job->usages);
    k->secret.len = (size_t)bits / 8;
    size_t len = k->secret.len;
    k->secret.len = 0;
    CHECK(buf_reserve(&k->secret, len + 1) == 0);
    if (RAND_bytes((unsigned char *)k->secret.ptr, (int)len) != 1)
        web_fail(&job->error, operation_error, "could not generate random key");
    k->secret.len = len;
    job->result = k;
}

static int check_imported(const struct web_params *p, enum web_format format,
                          const char *format_name, bool is_extractable,
                          const struct web_usages *usages, struct web_error *e) {
    static const char *const aes_usages[] = {"encrypt", "decrypt", "wrapKey", "unwrapKey", NULL};
    static const char *const hmac_usages[] = {"sign", "verify", NULL};
    static const char *const derive_usages[] = {"deriveBits", "deriveKey", NULL};
    if (p->alg == WEB_PBKDF2 && format != WEB_RAW)
        return web_fail(e, "NotSupportedError", "invalid format: %s", format_name);
    const char *stray = web_usages_stray(usages, p->alg == WEB_HMAC     ? hmac_usages
                                                 : p->alg == WEB_PBKDF2 ? derive_usages
                                                                        : aes_usages);
    if (stray)
        return web_fail(e, syntax_error, "invalid key usage: %s", stray);
    if (p->alg == WEB_PBKDF2 && is_extractable)
        return web_fail(e, syntax_error, "invalid value for param extractable ");
    if (format != WEB_RAW && format != WEB_JWK)
        return web_fail(e, "NotSupportedError", "unsupported key format %s", format_name);
    return 0;
}

static int check_bytes(const struct web_params *p, size_t len, struct web_error *e) {
    if (web_is_aes(p->alg) && len != 16 && len != 24 && len != 32)
        return web_fail(e, "DataError", "invalid key length %zu bytes", len);
    if (p->alg == WEB_HMAC && len == 0)
        return web_fail(e, "DataError", "key length cannot be 0");
    if (p->alg == WEB_HMAC && p->has_length && p->length != (int64_t)len * 8)
        return web_fail(e, "DataError",
                        "key length cannot be different from the length of the imported data");
    return 0;
}

struct web_key *web_import_secret(const struct web_params *p, enum web_format format,
                                  const char *format_name, struct slice bytes, bool is_extractable,
                                  const struct web_usages *usages, struct web_error *e) {
    if (check_imported(p, format, format_name, is_extractable, usages, e) ||
        check_bytes(p, bytes.len, e))
        return NULL;
    struct web_key *k = web_key_new(p->alg, WEB_SECRET);
    k->hash = p->hash;
    k->length_bits = (int64_t)bytes.len * 8;
    buf_append_slice(&k->secret, bytes);
    return k;
}

/* ---- PBKDF2 ---- */

static int check_base_key(struct web_job *job, const char *usage) {
    const struct web_key *k = job->key;
    struct web_error *e = &job->error;
    if (k->type == WEB_NO_TYPE)
        return web_fail(e, NULL, "invalid key type");
    if (k->type != WEB_SECRET)
        return web_fail(e, invalid_access, "algorithm's password key is not a secret key");
    if (!web_usages_has(&k->usages, usage))
        return web_fail(e, invalid_access, "provided baseKey doesn't contain `%s` usage", usage);
    if (k->is_foreign)
        return web_fail(e, invalid_access, "provided baseKey is not a valid PBKDF2 Crypto Key");
    if (!web_is_hash(job->params.hash))
        return web_fail(e, "NotSupportedError", "hash function not supported");
    if (k->alg != WEB_PBKDF2)
        return web_fail(e, operation_error, "provided baseKey is not a valid algorithm");
    return 0;
}

static int derive(struct web_job *job, int64_t bits) {
    const struct web_params *p = &job->params;
    if (bits % 8)
        return web_fail(&job->error, invalid_access,
                        "provided length of key must be a multiple of 8");
    if (bits <= 0 || bits > DERIVED_MAX_BITS)
        return web_fail(&job->error, NULL, "pbkdf2: keyLength must be larger than 0");
    if (p->iterations < 1 || p->iterations > INT32_MAX)
        return web_fail(&job->error, operation_error, "invalid number of iterations");
    size_t len = (size_t)bits / 8;
    CHECK(buf_reserve(&job->out, len) == 0);
    const char *password = job->key->secret.len ? job->key->secret.ptr : "";
    if (PKCS5_PBKDF2_HMAC(password, (int)job->key->secret.len, (const unsigned char *)p->salt.ptr,
                          (int)p->salt.len, (int)p->iterations, digest_evp(web_digest(p->hash)),
                          (int)len, (unsigned char *)job->out.ptr) != 1)
        return web_fail(&job->error, operation_error, "could not derive bits");
    job->out.len = len;
    return 0;
}

void web_run_pbkdf2_bits(struct web_job *job) {
    if (check_base_key(job, "deriveBits") == 0)
        derive(job, job->length);
}

void web_run_pbkdf2_key(struct web_job *job) {
    if (check_base_key(job, "deriveKey") || derive(job, job->derived.length))
        return;
    struct web_params p = {.alg = job->derived.alg, .hash = job->derived.hash};
    struct web_key *k = web_import_secret(&p, WEB_RAW, "raw", buf_slice(&job->out),
                                          job->is_extractable, &job->usages, &job->error);
    if (!k)
        return;
    job->result = k;
    k->is_extractable = job->is_extractable;
    k->usages = web_usages_copy(&job->usages);
    if (job->usages.len == 0)
        web_fail(&job->error, syntax_error,
                 "usages cannot not be empty for a secret or private CryptoKey");
}
