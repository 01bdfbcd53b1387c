/* Hashes and HMACs by k6's names, on OpenSSL (MD4 apart). The algorithms are fetched once per
 * process; any thread. */
#pragma once

#include "base/slice.h"

enum digest_alg {
    DIGEST_MD4,
    DIGEST_MD5,
    DIGEST_SHA1,
    DIGEST_SHA256,
    DIGEST_SHA384,
    DIGEST_SHA512,
    DIGEST_SHA512_224,
    DIGEST_SHA512_256,
    DIGEST_RIPEMD160,
    DIGEST_COUNT,
};

#define DIGEST_MAX_BYTES 64

struct digest;
typedef struct evp_md_st digest_evp_md; /* OpenSSL's EVP_MD */

/* "sha512_256" -> DIGEST_SHA512_256; DIGEST_COUNT when there is none. */
enum digest_alg digest_find(struct slice name);
/* "SHA-256" (WebCrypto) -> DIGEST_SHA256; DIGEST_COUNT for any but SHA-1, SHA-256, SHA-384 and
 * SHA-512. */
enum digest_alg digest_find_web(struct slice name);
size_t digest_bytes(enum digest_alg alg);
size_t digest_block_bytes(enum digest_alg alg);
/* NULL for MD4. */
const digest_evp_md *digest_evp(enum digest_alg alg);

struct digest *digest_new(enum digest_alg alg);
struct digest *digest_new_hmac(enum digest_alg alg, struct slice key);
void digest_free(struct digest *d);
void digest_update(struct digest *d, struct slice data);
/* The sum of what came so far; more may come. Returns its length. */
size_t digest_sum(const struct digest *d, uint8_t out[DIGEST_MAX_BYTES]);
