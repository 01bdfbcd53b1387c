/* Execution segments: which share of a test this instance runs, when several share one
 * (--execution-segment 1/3:2/3
 * --execution-segment-sequence 0,1/3,2/3,1). A segment is the interval (from, to] of the whole;
 * work is striped, so that the instances' shares add up exactly and each can compute its own
 * without asking the others. A run without segments is the full segment 0:1 and goes the same way.
 * Pure functions; memory comes from the caller's arena. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

struct ratio { /* normalised, den > 0 */
    int64_t num, den;
};

struct segment {
    struct ratio from, to;
};

struct segment_sequence {
    struct segment *items;
    size_t len;
};

/* "10%", "0.25", "1/3" (from 0), or "from:to"; empty is 0:1. KE_INVALID with k6's words. */
int segment_parse(struct slice text, struct segment *out, struct error *err);
/* "0,1/3,2/3,1"; empty gives len 0. */
int segment_sequence_parse(struct arena *a, struct slice text, struct segment_sequence *out,
                           struct error *err);
/* "0:1/3" and "0,1/3,1", appended. */
void segment_format(struct buf *out, const struct segment *s);
void segment_sequence_format(struct buf *out, const struct segment_sequence *s);
bool segment_equal(const struct segment *a, const struct segment *b);
bool segment_sequence_has(const struct segment_sequence *seq, const struct segment *s);
double segment_length(const struct segment *s);

/* The indices of one segment within a cycle of `cycle` consecutive ones, ascending. */
struct stripe {
    int64_t *positions;
    int64_t n_positions;
};

/* A segment of a full sequence, with the stripes of all. */
struct execution_tuple {
    struct segment_sequence sequence;
    size_t index;  /* own segment in sequence */
    int64_t cycle; /* least common denominator of the lengths */
    struct stripe *stripes;
};

/* segment NULL is 0:1; sequence NULL or empty is filled up around the segment. KE_CONFIG when the
 * segment is not in the sequence or the lengths have no sensible common denominator. */
int execution_tuple_init(struct arena *a, const struct segment *segment,
                         const struct segment_sequence *sequence, struct execution_tuple *out,
                         struct error *err);
/* How many of 0..value-1 are ours. */
int64_t execution_scale(const struct execution_tuple *t, int64_t value);
/* Our k-th index (k from 0) in the whole. */
int64_t execution_global_index(const struct execution_tuple *t, int64_t k);
/* A new tuple whose segments have the length scale(value)/value, so that something striped over
 * `value` VUs follows them. KE_CONFIG when value < 1 or nothing of it is ours. */
int execution_tuple_from_value(struct arena *a, const struct execution_tuple *t, int64_t value,
                               struct execution_tuple *out);
/* rate · length of our segment. */
double execution_scale_rate(const struct execution_tuple *t, double rate);
