#include "js/go_rand.h"

#include <pthread.h>
#include <string.h>

#define LEN GO_RAND_LEN
#define LAG 273
#define LEHMER_M 0x7fffffff
/* Go mixes seeds with the state that its generator has after this many steps from seed 1. Instead
 * of a table of that state it is worked out when it is first needed, by jumping ahead. */
#define WARM_UP_STEPS UINT64_C(7800000000000)

static uint64_t warm[LEN];

static uint32_t lehmer(uint32_t x) {
    return (uint32_t)((uint64_t)x * 48271 % LEHMER_M);
}

/* a*b modulo t^607 = t^334 + 1, coefficients modulo 2^64. */
static void poly_multiply(uint64_t *out, const uint64_t *a, const uint64_t *b) {
    static uint64_t t[2 * LEN - 1];
    memset(t, 0, sizeof t);
    for (int i = 0; i < LEN; i++) {
        if (a[i] == 0)
            continue;
        for (int j = 0; j < LEN; j++)
            t[i + j] += a[i] * b[j];
    }
    for (int i = 2 * LEN - 2; i >= LEN; i--) {
        t[i - LEN] += t[i];
        t[i - LAG] += t[i];
    }
    memcpy(out, t, LEN * sizeof *out);
}

/* t^n modulo the same. */
static void poly_power(uint64_t *out, uint64_t n) {
    static uint64_t base[LEN] = {0, 1};
    memset(out, 0, LEN * sizeof *out);
    out[0] = 1;
    for (; n > 0; n >>= 1) {
        if (n & 1)
            poly_multiply(out, out, base);
        poly_multiply(base, base, base);
    }
}

/* Index in Go's vector of the k-th number it made; k <= 0 are those it starts with. */
static int slot_of(int64_t k) {
    return (int)(((LEN - LAG - k) % LEN + LEN) % LEN);
}

/* Runs once; its tables are too large for the stack of a fiber. */
static void make_warm(void) {
    static uint64_t first[LEN], y[2 * LEN], c[LEN];
    uint32_t x = 1;
    for (int i = -20; i < LEN; i++) {
        x = lehmer(x);
        if (i < 0)
            continue;
        uint64_t u = (uint64_t)x << 20;
        x = lehmer(x);
        u ^= (uint64_t)x << 10;
        x = lehmer(x);
        first[i] = u ^ x;
    }
    for (int i = 0; i < LEN; i++)
        y[i] = first[slot_of(i - (LEN - 1))];
    for (int i = LEN; i < 2 * LEN; i++)
        y[i] = y[i - LEN] + y[i - LAG];
    poly_power(c, WARM_UP_STEPS);
    for (int i = 0; i < LEN; i++) {
        uint64_t sum = 0;
        for (int j = 0; j < LEN; j++)
            sum += c[j] * y[i + j];
        warm[slot_of((int64_t)WARM_UP_STEPS - (LEN - 1) + i)] = sum;
    }
}

void go_rand_seed(struct go_rand *r, int64_t seed) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_warm);
    r->tap = 0;
    r->feed = LEN - LAG;
    seed %= LEHMER_M;
    if (seed < 0)
        seed += LEHMER_M;
    if (seed == 0)
        seed = 89482311;
    uint32_t x = (uint32_t)seed;
    for (int i = -20; i < LEN; i++) {
        x = lehmer(x);
        if (i < 0)
            continue;
        uint64_t u = (uint64_t)x << 40;
        x = lehmer(x);
        u ^= (uint64_t)x << 20;
        x = lehmer(x);
        r->vec[i] = u ^ x ^ warm[i];
    }
}

double go_rand_double(struct go_rand *r) {
    for (;;) {
        r->tap = r->tap ? r->tap - 1 : LEN - 1;
        r->feed = r->feed ? r->feed - 1 : LEN - 1;
        r->vec[r->feed] += r->vec[r->tap];
        double d = (double)(int64_t)(r->vec[r->feed] & INT64_MAX) / 9223372036854775808.0;
        if (d < 1)
            return d;
    }
}
