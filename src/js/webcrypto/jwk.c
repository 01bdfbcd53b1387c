#include "js/webcrypto/webcrypto.h"

#include <stdlib.h>

#include <openssl/bn.h>

#include "base/base64.h"
#include "base/check.h"

static const struct base64_form url_form = {BASE64_URL, true};

int web_jwk_decode(const struct web_jwk *jwk, int field, const char *words, struct buf *out,
                   struct web_error *e) {
    size_t bad_byte;
    if (base64_decode(out, slice_cstr(jwk->fields[field]), url_form, &bad_byte) == 0)
        return 0;
    return web_fail(e, NULL, "%s: illegal base64 data at input byte %zu", words, bad_byte);
}

void web_jwk_begin(struct web_job *job) {
    job->is_json = true;
    json_write_init(&job->json, &job->out, NULL, false);
    json_object_begin(&job->json);
}

void web_jwk_text(struct web_job *job, const char *name, const char *value) {
    json_key(&job->json, name);
    json_cstr(&job->json, value);
}

void web_jwk_bytes(struct web_job *job, const char *name, struct slice bytes) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    base64_encode(&text, bytes, url_form);
    json_key(&job->json, name);
    json_string(&job->json, slice_from(text.len ? text.ptr : "", text.len));
    buf_release(&text);
}

void web_jwk_number(struct web_job *job, const char *name, const char *param, size_t min_bytes) {
    BIGNUM *n = NULL;
    if (EVP_PKEY_get_bn_param(job->key->pkey, param, &n) != 1)
        return;
    size_t len = (size_t)BN_num_bytes(n);
    if (len < min_bytes)
        len = min_bytes;
    unsigned char *bytes = xcalloc(len + 1, 1);
    BN_bn2binpad(n, bytes, (int)len);
    web_jwk_bytes(job, name, slice_from((const char *)bytes, len));
    OPENSSL_cleanse(bytes, len);
    free(bytes);
    BN_clear_free(n);
}

void web_jwk_end(struct web_job *job) {
    json_object_end(&job->json);
}

void web_jwk_symmetric(struct web_job *job) {
    const struct web_key *k = job->key;
    char *alg = k->alg == WEB_HMAC
                    ? xasprintf("HS%s", web_alg_name(k->hash) + 4)
                    : xasprintf("A%zu%s", k->secret.len * 8, web_alg_name(k->alg) + 4);
    web_jwk_begin(job);
    web_jwk_text(job, "alg", alg);
    json_key(&job->json, "ext");
    json_bool(&job->json, k->is_extractable);
    web_jwk_bytes(job, "k", buf_slice(&k->secret));
    json_key(&job->json, "key_ops");
    json_array_begin(&job->json);
    for (size_t i = 0; i < k->usages.len; i++)
        json_cstr(&job->json, k->usages.items[i]);
    json_array_end(&job->json);
    web_jwk_text(job, "kty", "oct");
    web_jwk_end(job);
    free(alg);
}
