/* MD4 (RFC 1320), which OpenSSL 3 has only in its legacy provider: NTLM and k6/crypto want it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MD4_BYTES 16

struct md4 {
    uint32_t state[4];
    uint64_t len;
    uint8_t block[64];
};

void md4_init(struct md4 *m);
void md4_update(struct md4 *m, const void *ptr, size_t len);
/* Leaves m as it is: more may be added. */
void md4_sum(const struct md4 *m, uint8_t out[MD4_BYTES]);
