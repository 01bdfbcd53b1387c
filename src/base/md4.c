#include "base/md4.h"

#include <string.h>

static uint32_t rotate(uint32_t x, int n) {
    return x << n | x >> (32 - n);
}

static void add_block(uint32_t state[4], const uint8_t *p) {
    static const uint8_t order[3][16] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
        {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15},
        {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15},
    };
    static const uint8_t shift[3][4] = {{3, 7, 11, 19}, {3, 5, 9, 13}, {3, 9, 11, 15}};
    static const uint32_t add[3] = {0, 0x5a827999, 0x6ed9eba1};
    uint32_t x[16], s[4];
    for (int i = 0; i < 16; i++, p += 4)
        x[i] = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    memcpy(s, state, sizeof s);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 16; i++) {
            uint32_t b = s[1], c = s[2], d = s[3], f;
            if (round == 0)
                f = (b & c) | (~b & d);
            else if (round == 1)
                f = (b & c) | (b & d) | (c & d);
            else
                f = b ^ c ^ d;
            uint32_t a = rotate(s[0] + f + x[order[round][i]] + add[round], shift[round][i % 4]);
            s[0] = d;
            s[3] = c;
            s[2] = b;
            s[1] = a;
        }
    }
    for (int i = 0; i < 4; i++)
        state[i] += s[i];
}

void md4_init(struct md4 *m) {
    *m = (struct md4){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

void md4_update(struct md4 *m, const void *ptr, size_t len) {
    const uint8_t *p = ptr;
    while (len > 0) {
        size_t at = m->len % 64, n = len < 64 - at ? len : 64 - at;
        memcpy(m->block + at, p, n);
        m->len += n;
        p += n;
        len -= n;
        if (m->len % 64 == 0)
            add_block(m->state, m->block);
    }
}

void md4_sum(const struct md4 *m, uint8_t out[MD4_BYTES]) {
    static const uint8_t padding[64] = {0x80};
    struct md4 copy = *m;
    uint8_t bits[8];
    for (int i = 0; i < 8; i++)
        bits[i] = (uint8_t)(m->len * 8 >> (8 * i));
    md4_update(&copy, padding, 1 + (119 - m->len % 64) % 64);
    md4_update(&copy, bits, sizeof bits);
    for (int i = 0; i < 16; i++)
        out[i] = (uint8_t)(copy.state[i / 4] >> (8 * (i % 4)));
}
