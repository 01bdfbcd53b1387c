/* The random numbers of Go's math/rand for a given seed, as randomSeed() of k6 promises them: an
 * additive lagged Fibonacci generator, x[n] = x[n-607] + x[n-273]. */
#pragma once

#include <stdint.h>

#define GO_RAND_LEN 607

struct go_rand {
    int tap, feed;
    uint64_t vec[GO_RAND_LEN];
};

void go_rand_seed(struct go_rand *r, int64_t seed);
/* rand.Float64: 0 <= x < 1. */
double go_rand_double(struct go_rand *r);
