/* A histogram of whole numbers with fixed buckets, counted without a lock. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define HISTOGRAM_MAX_BOUNDS 20

struct histogram_shape {
    int64_t bounds[HISTOGRAM_MAX_BOUNDS]; /* upper ones, included, rising */
    size_t bound_count;
    double scale; /* values are divided by it in the text */
};

struct histogram {
    atomic_uint_fast64_t counts[HISTOGRAM_MAX_BOUNDS + 1]; /* the last: above every bound */
    atomic_int_fast64_t sum;
};

void histogram_add(struct histogram *h, const struct histogram_shape *shape, int64_t value);

/* Appends NAME_bucket, NAME_sum and NAME_count in Prometheus's form. `labels` stands between the
 * braces, empty or `a="b",c="d"`. Without bounds in the shape there is the +Inf bucket only. */
void histogram_write(struct histogram *h, const struct histogram_shape *shape, const char *name,
                     const char *labels, struct buf *out);

/* The same counts as if the shape had no bounds: the text form of a native histogram. */
void histogram_write_native(struct histogram *h, const struct histogram_shape *shape,
                            const char *name, const char *labels, struct buf *out);
