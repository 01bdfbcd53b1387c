#include <string.h>

#include "base/check.h"
#include "js/webcrypto/webcrypto.h"

#define BLOCK_BYTES 16
#define GCM_IV_BYTES 12
#define DATA_MAX_BYTES ((size_t)1 << 30)

static const char operation_error[] = "OperationError";
static const char not_supported[] = "NotSupportedError";

static const EVP_CIPHER *cipher_of(enum web_alg alg, size_t key_bytes) {
    size_t i = key_bytes == 16 ? 0 : key_bytes == 24 ? 1 : 2;
    const EVP_CIPHER *cbc[] = {EVP_aes_128_cbc(), EVP_aes_192_cbc(), EVP_aes_256_cbc()};
    const EVP_CIPHER *ctr[] = {EVP_aes_128_ctr(), EVP_aes_192_ctr(), EVP_aes_256_ctr()};
    const EVP_CIPHER *gcm[] = {EVP_aes_128_gcm(), EVP_aes_192_gcm(), EVP_aes_256_gcm()};
    return alg == WEB_AES_CBC ? cbc[i] : alg == WEB_AES_CTR ? ctr[i] : gcm[i];
}

/* ---- what the parameters must be, in k6's words ---- */

static int check_cbc(struct web_job *job) {
    if (job->params.iv.len != BLOCK_BYTES)
        return web_fail(&job->error, operation_error,
                        job->op == WEB_ENCRYPT ? "iv length is not 16 bytes"
                                               : "iv length is invalid, should be 16 bytes");
    if (job->op == WEB_ENCRYPT && job->data.len == 0)
        return web_fail(&job->error, operation_error, "could not pad plaintext");
    if (job->op == WEB_DECRYPT && (job->data.len == 0 || job->data.len % BLOCK_BYTES))
        return web_fail(&job->error, operation_error, "invalid padding");
    return 0;
}

static int check_ctr(struct web_job *job) {
    bool is_encrypt = job->op == WEB_ENCRYPT;
    if (job->params.iv.len != BLOCK_BYTES)
        return web_fail(&job->error, operation_error,
                        is_encrypt ? "counter length is not 16 bytes"
                                   : "counter length is invalid, should be 16 bytes");
    if (job->params.length <= 0 || job->params.length > 128)
        return web_fail(&job->error, operation_error,
                        is_encrypt ? "invalid counter length, out of the 0 < x < 128 bounds"
                                   : "invalid length, should be within 1 <= length <= 128 bounds");
    return 0;
}

static int check_tag_length(struct web_job *job) {
    struct web_params *p = &job->params;
    bool is_encrypt = job->op == WEB_ENCRYPT;
    if (p->tag_length == 0)
        p->tag_length = 128;
    if (p->tag_length >= 96 && p->tag_length <= 128 && p->tag_length % 8 == 0)
        return 0;
    if (p->tag_length != 32 && p->tag_length != 64)
        return web_fail(&job->error, operation_error,
                        is_encrypt
                            ? "invalid tag length, should be one of 96, 104, 112, 120, 128"
                            : "invalid tag length, accepted values are 96, 104, 112, 120, 128");
    if (is_encrypt)
        return web_fail(&job->error, not_supported, "tag length 32 and 64 are not supported");
    return web_fail(&job->error, operation_error,
                    "invalid tag length, should be within 96 <= length <= 128 bounds");
}

static int check_gcm(struct web_job *job) {
    struct web_params *p = &job->params;
    if (job->op == WEB_ENCRYPT && p->iv.len != GCM_IV_BYTES)
        return web_fail(&job->error, not_supported, "only 12 bytes long iv are supported");
    if (check_tag_length(job))
        return KE_INVALID;
    if (job->op == WEB_ENCRYPT)
        return 0;
    if (job->data.len * 8 < (size_t)p->tag_length)
        return web_fail(&job->error, operation_error, "ciphertext is too short");
    if (p->iv.len < 1)
        return web_fail(&job->error, operation_error, "iv length is too long");
    if (p->iv.len != GCM_IV_BYTES)
        return web_fail(&job->error, operation_error, "could not decrypt ciphertext");
    return 0;
}

static int check(struct web_job *job) {
    int rc = job->params.alg == WEB_AES_CBC   ? check_cbc(job)
             : job->params.alg == WEB_AES_CTR ? check_ctr(job)
                                              : check_gcm(job);
    if (rc == 0 && job->key->secret.len == 0)
        rc = job->op == WEB_ENCRYPT
                 ? web_fail(&job->error, "ImplementationError",
                            job->params.alg == WEB_AES_GCM ? "could not get key data"
                                                           : "could not get key handle")
                 : web_fail(&job->error, operation_error, "invalid key handle");
    if (rc == 0 && job->data.len > DATA_MAX_BYTES)
        rc = web_fail(&job->error, operation_error, "plaintext length is too long");
    return rc;
}

/* ---- the cipher ---- */

static bool seal_or_open(EVP_CIPHER_CTX *c, struct web_job *job) {
    struct web_params *p = &job->params;
    bool is_encrypt = job->op == WEB_ENCRYPT, is_gcm = p->alg == WEB_AES_GCM;
    size_t tag_bytes = is_gcm ? (size_t)p->tag_length / 8 : 0;
    size_t in_bytes = job->data.len - (is_gcm && !is_encrypt ? tag_bytes : 0);
    const unsigned char *in = (const unsigned char *)buf_cstr(&job->data);
    int n = 0, last = 0;
    if (EVP_CipherInit_ex2(c, cipher_of(p->alg, job->key->secret.len),
                           (const unsigned char *)job->key->secret.ptr,
                           (const unsigned char *)p->iv.ptr, is_encrypt, NULL) != 1)
        return false;
    if (p->additional.len && EVP_CipherUpdate(c, NULL, &n, (const unsigned char *)p->additional.ptr,
                                              (int)p->additional.len) != 1)
        return false;
    if (is_gcm && !is_encrypt &&
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, (int)tag_bytes, (void *)(in + in_bytes)) != 1)
        return false;
    CHECK(buf_reserve(&job->out, in_bytes + BLOCK_BYTES * 2) == 0);
    unsigned char *out = (unsigned char *)job->out.ptr;
    n = 0;
    if (EVP_CipherUpdate(c, out, &n, in, (int)in_bytes) != 1 ||
        EVP_CipherFinal_ex(c, out + n, &last) != 1)
        return false;
    job->out.len = (size_t)(n + last);
    if (is_gcm && is_encrypt) {
        if (EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, (int)tag_bytes, out + job->out.len) != 1)
            return false;
        job->out.len += tag_bytes;
    }
    return true;
}

void web_run_aes(struct web_job *job) {
    if (check(job))
        return;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    CHECK(c != NULL);
    if (!seal_or_open(c, job))
        web_fail(&job->error, operation_error,
                 job->params.alg == WEB_AES_CBC ? "invalid padding"
                                                : "could not decrypt ciphertext");
    EVP_CIPHER_CTX_free(c);
}
