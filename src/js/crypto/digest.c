#include "js/crypto/digest.h"

#include <pthread.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/check.h"
#include "base/md4.h"

#define BLOCK_MAX_BYTES 128

static const struct {
    const char *name, *web_name, *openssl_name;
    size_t bytes, block_bytes;
} algs[DIGEST_COUNT] = {
    [DIGEST_MD4] = {"md4", NULL, NULL, MD4_BYTES, 64},
    [DIGEST_MD5] = {"md5", NULL, "MD5", 16, 64},
    [DIGEST_SHA1] = {"sha1", "SHA-1", "SHA1", 20, 64},
    [DIGEST_SHA256] = {"sha256", "SHA-256", "SHA2-256", 32, 64},
    [DIGEST_SHA384] = {"sha384", "SHA-384", "SHA2-384", 48, 128},
    [DIGEST_SHA512] = {"sha512", "SHA-512", "SHA2-512", 64, 128},
    [DIGEST_SHA512_224] = {"sha512_224", NULL, "SHA2-512/224", 28, 128},
    [DIGEST_SHA512_256] = {"sha512_256", NULL, "SHA2-512/256", 32, 128},
    [DIGEST_RIPEMD160] = {"ripemd160", NULL, "RIPEMD160", 20, 64},
};

static EVP_MD *fetched[DIGEST_COUNT];
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

static void fetch_all(void) {
    for (size_t i = 0; i < DIGEST_COUNT; i++)
        fetched[i] = algs[i].openssl_name ? EVP_MD_fetch(NULL, algs[i].openssl_name, NULL) : NULL;
}

const digest_evp_md *digest_evp(enum digest_alg alg) {
    pthread_once(&fetch_once, fetch_all);
    return fetched[alg];
}

enum digest_alg digest_find(struct slice name) {
    size_t i = 0;
    while (i < DIGEST_COUNT && !slice_eq(name, slice_cstr(algs[i].name)))
        i++;
    return (enum digest_alg)i;
}

enum digest_alg digest_find_web(struct slice name) {
    size_t i = 0;
    while (i < DIGEST_COUNT && !(algs[i].web_name && slice_eq(name, slice_cstr(algs[i].web_name))))
        i++;
    return (enum digest_alg)i;
}

size_t digest_bytes(enum digest_alg alg) {
    return algs[alg].bytes;
}

size_t digest_block_bytes(enum digest_alg alg) {
    return algs[alg].block_bytes;
}

/* ---- one hash ---- */

struct hash {
    enum digest_alg alg;
    struct md4 md4;
    EVP_MD_CTX *evp; /* NULL for MD4 */
};

static void hash_init(struct hash *h, enum digest_alg alg) {
    *h = (struct hash){.alg = alg};
    if (alg == DIGEST_MD4) {
        md4_init(&h->md4);
        return;
    }
    const EVP_MD *md = digest_evp(alg);
    h->evp = EVP_MD_CTX_new();
    CHECK(md != NULL && h->evp != NULL && EVP_DigestInit_ex2(h->evp, md, NULL) == 1);
}

static void hash_release(struct hash *h) {
    EVP_MD_CTX_free(h->evp);
}

static void hash_update(struct hash *h, const void *ptr, size_t len) {
    if (!h->evp)
        md4_update(&h->md4, ptr, len);
    else
        CHECK(EVP_DigestUpdate(h->evp, ptr, len) == 1);
}

static void hash_sum(const struct hash *h, uint8_t *out) {
    if (!h->evp) {
        md4_sum(&h->md4, out);
        return;
    }
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    CHECK(copy != NULL && EVP_MD_CTX_copy_ex(copy, h->evp) == 1 &&
          EVP_DigestFinal_ex(copy, out, NULL) == 1);
    EVP_MD_CTX_free(copy);
}

/* ---- hash or HMAC ---- */

struct digest {
    struct hash hash;
    bool is_hmac;
    uint8_t outer_pad[BLOCK_MAX_BYTES];
};

struct digest *digest_new(enum digest_alg alg) {
    struct digest *d = xcalloc(1, sizeof *d);
    hash_init(&d->hash, alg);
    return d;
}

struct digest *digest_new_hmac(enum digest_alg alg, struct slice key) {
    struct digest *d = digest_new(alg);
    uint8_t block[BLOCK_MAX_BYTES] = {0}, inner_pad[BLOCK_MAX_BYTES];
    size_t n = algs[alg].block_bytes;
    d->is_hmac = true;
    if (key.len > n) {
        struct hash h;
        hash_init(&h, alg);
        hash_update(&h, key.ptr, key.len);
        hash_sum(&h, block);
        hash_release(&h);
    } else if (key.len > 0) {
        memcpy(block, key.ptr, key.len);
    }
    for (size_t i = 0; i < n; i++) {
        inner_pad[i] = block[i] ^ 0x36;
        d->outer_pad[i] = block[i] ^ 0x5c;
    }
    hash_update(&d->hash, inner_pad, n);
    return d;
}

void digest_free(struct digest *d) {
    if (!d)
        return;
    hash_release(&d->hash);
    free(d);
}

void digest_update(struct digest *d, struct slice data) {
    hash_update(&d->hash, data.ptr, data.len);
}

size_t digest_sum(const struct digest *d, uint8_t out[DIGEST_MAX_BYTES]) {
    enum digest_alg alg = d->hash.alg;
    size_t len = algs[alg].bytes;
    hash_sum(&d->hash, out);
    if (d->is_hmac) {
        struct hash outer;
        hash_init(&outer, alg);
        hash_update(&outer, d->outer_pad, algs[alg].block_bytes);
        hash_update(&outer, out, len);
        hash_sum(&outer, out);
        hash_release(&outer);
    }
    return len;
}
