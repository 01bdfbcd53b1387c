/* A trend: constant-memory, mergeable distribution. Count, sum, min, max are exact. The first TREND_EXACT values are kept
 * as they are, so that short tests print exact percentiles; after that values go to log-linear buckets made of the
 * double's own bits (exponent and top 10 mantissa bits): 1024 buckets an octave, relative error of a quantile under 0.1 %.
 * Any finite double is accepted, negative and zero included. Bucket memory comes in chunks of one octave. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TREND_EXACT 512

struct trend_chunk;

struct trend {
    uint64_t count;
    double sum, min, max;
    double *exact;         /* NULL once spilled, or while empty */
    uint32_t n_exact;
    struct trend_chunk **chunks;
    uint32_t n_chunks;
    struct trend_chunk *last; /* octave of the latest value */
};

void trend_init(struct trend *t);
void trend_release(struct trend *t);
void trend_add(struct trend *t, double value);
/* Adds all of src to dst; src stays. */
void trend_merge(struct trend *dst, const struct trend *src);
/* Empties t and keeps memory that is likely to be used again. */
void trend_reset(struct trend *t);
/* p in 0..1. k6's rule: sorted values, i = p·(n-1), linear interpolation; exact while exact values are kept. 0 when
 * empty. */
double trend_quantile(const struct trend *t, double p);
double trend_avg(const struct trend *t);
