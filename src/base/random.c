#include "base/random.h"

#include <sys/random.h>

#include "base/check.h"

/* xoshiro256++ by Blackman and Vigna, public domain algorithm. */
static _Thread_local uint64_t state[4];
static _Thread_local int is_seeded;

static uint64_t rotl(uint64_t x, int k) {
    return (x << k) | (x >> (64 - k));
}

uint64_t random_u64(void) {
    if (unlikely(!is_seeded)) {
        CHECK(getrandom(state, sizeof state, 0) == sizeof state);
        state[0] |= 1;
        is_seeded = 1;
    }
    uint64_t result = rotl(state[0] + state[3], 23) + state[0];
    uint64_t t = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotl(state[3], 45);
    return result;
}

uint64_t random_below(uint64_t bound) {
    return (uint64_t)(((unsigned __int128)random_u64() * bound) >> 64);
}

double random_double(void) {
    return (double)(random_u64() >> 11) * 0x1.0p-53;
}
