/* A trend as a native histogram of Prometheus: exponential buckets of schema 3 (a factor of
 * 2^(1/8), about 1.09, the widest that is not over k6's 1.1), written as prometheus.Histogram of
 * remote write 1. OpenTelemetry's exponential histograms have the same buckets. */
#pragma once

#include "base/buf.h"
#include "metrics/trend.h"

#define NATIVE_SCHEMA 3
/* Values this near to zero count as zero; client libraries' default. */
#define NATIVE_ZERO_THRESHOLD 2.938735877055719e-39

struct native_bucket {
    int32_t index; /* values in (2^((index-1)/8), 2^(index/8)] */
    uint64_t count;
};
struct native_side {
    struct native_bucket *ptr;
    size_t len, alloc;
};
struct native_histogram {
    uint64_t count, zeros;
    double sum;
    struct native_side positive, negative; /* ascending by index */
};

/* Every value of t times factor (1/1000 for milliseconds as seconds). */
void native_histogram_init(struct native_histogram *h, const struct trend *t, double factor);
void native_histogram_release(struct native_histogram *h);
/* Of a positive finite value. */
int32_t native_bucket_index(double value);
/* Appends the fields of prometheus.Histogram, the timestamp among them. */
void native_histogram_write(struct buf *out, const struct native_histogram *h, int64_t time_ms);
