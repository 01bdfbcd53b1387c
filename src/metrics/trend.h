/* A trend: constant-memory, mergeable distribution. Count, sum, min and max are exact. The first
 * TREND_EXACT values are kept as they are, so that short tests print exact percentiles; after that
 * values go to log-linear buckets made of the double's own bits (exponent and top 10 mantissa
 * bits): 1024 buckets an octave, relative error of a quantile under 0.05 %, none for values of few
 * significant bits such as integers up to 2048. Any value but NaN is accepted, negative, zero and
 * infinite included. Bucket memory comes in chunks of one octave (4 KiB). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"

#define TREND_EXACT 512
#define TREND_BUCKET_BITS 10
#define TREND_BUCKETS (1u << TREND_BUCKET_BITS)
#define TREND_SHIFT (52 - TREND_BUCKET_BITS) /* mantissa bits below a bucket */

struct trend_chunk {
    uint32_t *high; /* carries of n; NULL until one overflows */
    uint32_t n[TREND_BUCKETS];
};

struct trend {
    uint64_t count;
    double sum, min, max; /* 0 when empty */
    uint64_t low_bits; /* OR of what the buckets do not tell of their values: 0 = they are exact */
    uint64_t zeros;    /* once spilled: far from every neighbour, it has no chunk */
    uint64_t infinite[2]; /* likewise: -Inf, +Inf */
    uint32_t first_octave;
    uint32_t n_chunks;
    struct trend_chunk **chunks; /* octave first_octave + i, NULL when never seen */
    double *exact;               /* NULL once spilled, or while empty */
    uint32_t n_exact;
    bool is_spilled;
};

void trend_init(struct trend *t);
void trend_release(struct trend *t);
/* Adds all of src to dst; src stays. */
void trend_merge(struct trend *dst, const struct trend *src);
/* p in 0..1. k6's rule: sorted values, i = p·(n-1), linear interpolation; exact while exact values
 * are kept. 0 when empty. */
double trend_quantile(const struct trend *t, double p);
/* The same for several p at once, sorting or walking only once. p ascending or not. */
void trend_quantiles(const struct trend *t, const double *p, double *out, size_t n);
double trend_avg(const struct trend *t);
bool trend_is_exact(const struct trend *t);
size_t trend_memory_bytes(const struct trend *t);

/* Walks the distribution in ascending order for histogram outputs: fn gets a representative value
 * and how many fell there; each exact value comes with n = 1. */
void trend_each(const struct trend *t, void (*fn)(void *arg, double value, uint64_t n), void *arg);

/* For storage: buckets by their number, octave · TREND_BUCKETS + bucket, ascending; exact values
 * are put into theirs. Zeros and infinities are apart, in *out. */
struct trend_apart {
    uint64_t zeros, infinite[2], low_bits;
};
void trend_each_bucket(const struct trend *t, struct trend_apart *out,
                       void (*fn)(void *arg, uint32_t number, uint64_t n), void *arg);
/* Makes an empty trend a spilled one with these values; then buckets can be put, in any order. */
void trend_restore(struct trend *t, uint64_t count, double sum, double min, double max,
                   const struct trend_apart *apart);
void trend_put_bucket(struct trend *t, uint32_t number, uint64_t n);

/* The parts of trend_add that are seldom taken. */
void trend_add_slow(struct trend *t, double value);
void trend_carry(struct trend_chunk *c, uint32_t bucket);

/* Sign and exponent as a number that ascends with the value: 0 most negative, 4095 most positive.
 */
static inline uint32_t trend_octave(uint64_t bits) {
    uint32_t top = (uint32_t)(bits >> 52);
    return top ^ ((0u - (top >> 11)) & 0x7ff) ^ 0x800;
}

static inline void trend_add(struct trend *t, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t i = trend_octave(bits) - t->first_octave;
    struct trend_chunk *c;
    if (unlikely(i >= t->n_chunks || !(c = t->chunks[i]))) {
        trend_add_slow(t, value);
        return;
    }
    t->count++;
    t->sum += value;
    t->min = value < t->min ? value : t->min;
    t->max = value > t->max ? value : t->max;
    t->low_bits |= bits & ((UINT64_C(1) << TREND_SHIFT) - 1);
    uint32_t bucket = (uint32_t)(bits >> TREND_SHIFT) & (TREND_BUCKETS - 1);
    if (unlikely(++c->n[bucket] == 0))
        trend_carry(c, bucket);
}
