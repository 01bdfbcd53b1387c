#include "metrics/trend.h"

#include <math.h>
#include <stdlib.h>

#define EXACT_FIRST 16

void trend_init(struct trend *t) {
    *t = (struct trend){0};
}

void trend_release(struct trend *t) {
    for (uint32_t i = 0; i < t->n_chunks; i++) {
        if (t->chunks[i])
            free(t->chunks[i]->high);
        free(t->chunks[i]);
    }
    free(t->chunks);
    free(t->exact);
    trend_init(t);
}

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double of_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---------------------------------------------------------------- buckets */

void trend_carry(struct trend_chunk *c, uint32_t bucket) {
    if (!c->high)
        c->high = xcalloc(TREND_BUCKETS, sizeof *c->high);
    c->high[bucket]++;
}

static uint64_t bucket_count(const struct trend_chunk *c, uint32_t bucket) {
    uint64_t high = c->high ? c->high[bucket] : 0;
    return high << 32 | c->n[bucket];
}

static void bucket_add(struct trend_chunk *c, uint32_t bucket, uint64_t n) {
    uint64_t sum = bucket_count(c, bucket) + n;
    c->n[bucket] = (uint32_t)sum;
    if (unlikely(sum >> 32)) {
        if (!c->high)
            c->high = xcalloc(TREND_BUCKETS, sizeof *c->high);
        c->high[bucket] = (uint32_t)(sum >> 32);
    }
}

static struct trend_chunk *chunk_for(struct trend *t, uint32_t octave) {
    if (t->n_chunks == 0) {
        t->chunks = xcalloc(1, sizeof *t->chunks);
        t->n_chunks = 1;
        t->first_octave = octave;
    } else if (octave < t->first_octave) {
        uint32_t more = t->first_octave - octave;
        t->chunks = xrealloc(t->chunks, (t->n_chunks + more) * sizeof *t->chunks);
        memmove(t->chunks + more, t->chunks, t->n_chunks * sizeof *t->chunks);
        memset(t->chunks, 0, more * sizeof *t->chunks);
        t->n_chunks += more;
        t->first_octave = octave;
    } else if (octave - t->first_octave >= t->n_chunks) {
        uint32_t n = octave - t->first_octave + 1;
        t->chunks = xrealloc(t->chunks, n * sizeof *t->chunks);
        memset(t->chunks + t->n_chunks, 0, (n - t->n_chunks) * sizeof *t->chunks);
        t->n_chunks = n;
    }
    struct trend_chunk **at = &t->chunks[octave - t->first_octave];
    if (!*at)
        *at = xcalloc(1, sizeof **at);
    return *at;
}

/* Counts in the bucket only; count, sum, min and max are the caller's. */
static void put_in_bucket(struct trend *t, double value) {
    if (value == 0) {
        t->zeros++;
        return;
    }
    if (isinf(value)) {
        t->infinite[value > 0]++;
        return;
    }
    uint64_t bits = bits_of(value);
    t->low_bits |= bits & ((UINT64_C(1) << TREND_SHIFT) - 1);
    bucket_add(chunk_for(t, trend_octave(bits)), (bits >> TREND_SHIFT) & (TREND_BUCKETS - 1), 1);
}

static void spill(struct trend *t) {
    if (t->is_spilled)
        return;
    t->is_spilled = true;
    for (uint32_t i = 0; i < t->n_exact; i++)
        put_in_bucket(t, t->exact[i]);
    free(t->exact);
    t->exact = NULL;
    t->n_exact = 0;
}

static void push_exact(struct trend *t, double value) {
    /* powers of two from EXACT_FIRST on */
    if (!t->exact || (t->n_exact >= EXACT_FIRST && (t->n_exact & (t->n_exact - 1)) == 0))
        t->exact = xrealloc(t->exact, (t->n_exact ? t->n_exact * 2 : EXACT_FIRST) * sizeof(double));
    t->exact[t->n_exact++] = value;
}

static void note(struct trend *t, uint64_t n, double sum, double min, double max) {
    t->min = t->count == 0 || min < t->min ? min : t->min;
    t->max = t->count == 0 || max > t->max ? max : t->max;
    t->count += n;
    t->sum += sum;
}

void trend_add_slow(struct trend *t, double value) {
    if (isnan(value))
        return;
    if (!t->is_spilled && t->n_exact < TREND_EXACT) {
        push_exact(t, value);
    } else {
        spill(t);
        put_in_bucket(t, value);
    }
    note(t, 1, value, value, value);
}

void trend_merge(struct trend *dst, const struct trend *src) {
    if (src->count == 0)
        return;
    if (!src->is_spilled && !dst->is_spilled && dst->n_exact + src->n_exact <= TREND_EXACT) {
        for (uint32_t i = 0; i < src->n_exact; i++)
            push_exact(dst, src->exact[i]);
    } else {
        spill(dst);
        for (uint32_t i = 0; i < src->n_exact; i++)
            put_in_bucket(dst, src->exact[i]);
        for (uint32_t i = 0; i < src->n_chunks; i++) {
            const struct trend_chunk *from = src->chunks[i];
            if (!from)
                continue;
            struct trend_chunk *to = chunk_for(dst, src->first_octave + i);
            for (uint32_t b = 0; b < TREND_BUCKETS; b++)
                if (from->n[b] || from->high)
                    bucket_add(to, b, bucket_count(from, b));
        }
        dst->low_bits |= src->low_bits;
        dst->zeros += src->zeros;
        dst->infinite[0] += src->infinite[0];
        dst->infinite[1] += src->infinite[1];
    }
    note(dst, src->count, src->sum, src->min, src->max);
}

/* ---------------------------------------------------------------- reading */

/* What stands for the values of a bucket: its middle, or its lower edge when all values lie on such
 * edges. */
static double bucket_value(const struct trend *t, uint32_t octave, uint32_t bucket) {
    uint64_t top = octave >= 0x800 ? octave - 0x800 : UINT64_C(0xfff) - octave;
    uint64_t bits = top << 52 | (uint64_t)bucket << TREND_SHIFT;
    if (t->low_bits != 0)
        bits |= UINT64_C(1) << (TREND_SHIFT - 1);
    double value = of_bits(bits);
    if (value < t->min)
        return t->min;
    return value > t->max ? t->max : value;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Buckets in ascending order of value: -Inf, negative octaves (a higher bucket is a lower value
 * there), zeros, positive octaves, +Inf. */
struct walk {
    const struct trend *t;
    enum { AT_START, AT_NEGATIVE, AT_POSITIVE, AT_END } part;
    uint32_t chunk, step; /* step: buckets passed in this chunk */
    uint64_t below;       /* values before the current bucket */
    uint64_t n;           /* in the current bucket */
    double value;
};

static bool walk_at(struct walk *w, double value, uint64_t n) {
    w->value = value;
    w->n = n;
    return n != 0;
}

static bool walk_chunks(struct walk *w, uint32_t end_octave) {
    const struct trend *t = w->t;
    for (; w->chunk < t->n_chunks; w->chunk++, w->step = 0) {
        uint32_t octave = t->first_octave + w->chunk;
        if (octave >= end_octave)
            return false;
        while (t->chunks[w->chunk] && w->step < TREND_BUCKETS) {
            uint32_t b = octave >= 0x800 ? w->step : TREND_BUCKETS - 1 - w->step;
            w->step++;
            uint64_t n = bucket_count(t->chunks[w->chunk], b);
            if (n)
                return walk_at(w, bucket_value(t, octave, b), n);
        }
    }
    return false;
}

static bool walk_next(struct walk *w) {
    w->below += w->n;
    w->n = 0;
    switch (w->part) {
    case AT_START:
        w->part = AT_NEGATIVE;
        if (walk_at(w, -INFINITY, w->t->infinite[0]))
            return true;
        /* fall through */
    case AT_NEGATIVE:
        if (walk_chunks(w, 0x800))
            return true;
        w->part = AT_POSITIVE;
        if (walk_at(w, 0, w->t->zeros))
            return true;
        /* fall through */
    case AT_POSITIVE:
        if (walk_chunks(w, UINT32_MAX))
            return true;
        w->part = AT_END;
        return walk_at(w, INFINITY, w->t->infinite[1]);
    case AT_END:
        break;
    }
    return false;
}

/* rank: 0-based among the sorted values. */
static double value_at(const struct trend *t, struct walk *w, uint64_t rank) {
    if (rank == 0)
        return t->min;
    if (rank == t->count - 1)
        return t->max;
    if (rank < w->below)
        *w = (struct walk){.t = t};
    while (rank >= w->below + w->n)
        if (!walk_next(w))
            return t->max;
    return w->value;
}

void trend_quantiles(const struct trend *t, const double *p, double *out, size_t n) {
    double sorted[TREND_EXACT];
    struct walk w = {.t = t};
    if (t->n_exact) {
        memcpy(sorted, t->exact, t->n_exact * sizeof *sorted);
        qsort(sorted, t->n_exact, sizeof *sorted, compare_doubles);
    }
    for (size_t i = 0; i < n; i++) {
        if (t->count == 0 || isnan(p[i])) {
            out[i] = 0;
            continue;
        }
        double at = p[i] * ((double)t->count - 1), most = (double)(t->count - 1);
        at = at < 0 ? 0 : at > most ? most : at;
        uint64_t lo = (uint64_t)floor(at), hi = (uint64_t)ceil(at);
        double a = t->n_exact ? sorted[lo] : value_at(t, &w, lo);
        double b = t->n_exact ? sorted[hi] : value_at(t, &w, hi);
        out[i] = a == b ? a : a + (b - a) * (at - floor(at));
    }
}

double trend_quantile(const struct trend *t, double p) {
    double value;
    trend_quantiles(t, &p, &value, 1);
    return value;
}

double trend_avg(const struct trend *t) {
    return t->count ? t->sum / (double)t->count : 0;
}

bool trend_is_exact(const struct trend *t) {
    return !t->is_spilled;
}

void trend_each(const struct trend *t, void (*fn)(void *arg, double value, uint64_t n), void *arg) {
    double sorted[TREND_EXACT];
    struct walk w = {.t = t};
    if (t->n_exact) {
        memcpy(sorted, t->exact, t->n_exact * sizeof *sorted);
        qsort(sorted, t->n_exact, sizeof *sorted, compare_doubles);
    }
    for (uint32_t i = 0; i < t->n_exact; i++)
        fn(arg, sorted[i], 1);
    while (walk_next(&w))
        fn(arg, w.value, w.n);
}

/* ---------------------------------------------------------------- storage */

static void each_of_chunks(const struct trend *t,
                           void (*fn)(void *arg, uint32_t number, uint64_t n), void *arg) {
    for (uint32_t i = 0; i < t->n_chunks; i++)
        for (uint32_t b = 0; t->chunks[i] && b < TREND_BUCKETS; b++) {
            uint64_t n = bucket_count(t->chunks[i], b);
            if (n)
                fn(arg, (t->first_octave + i) << TREND_BUCKET_BITS | b, n);
        }
}

void trend_each_bucket(const struct trend *t, struct trend_apart *out,
                       void (*fn)(void *arg, uint32_t number, uint64_t n), void *arg) {
    struct trend spilled = {0};
    if (!t->is_spilled) {
        trend_merge(&spilled, t);
        spill(&spilled);
        t = &spilled;
    }
    *out = (struct trend_apart){t->zeros, {t->infinite[0], t->infinite[1]}, t->low_bits};
    each_of_chunks(t, fn, arg);
    trend_release(&spilled);
}

void trend_restore(struct trend *t, uint64_t count, double sum, double min, double max,
                   const struct trend_apart *apart) {
    t->is_spilled = true;
    t->count = count;
    t->sum = sum;
    t->min = min;
    t->max = max;
    t->zeros = apart->zeros;
    t->infinite[0] = apart->infinite[0];
    t->infinite[1] = apart->infinite[1];
    t->low_bits = apart->low_bits;
}

void trend_put_bucket(struct trend *t, uint32_t number, uint64_t n) {
    bucket_add(chunk_for(t, number >> TREND_BUCKET_BITS), number & (TREND_BUCKETS - 1), n);
}

size_t trend_memory_bytes(const struct trend *t) {
    size_t n = t->n_chunks * sizeof *t->chunks;
    n += t->exact ? TREND_EXACT * sizeof *t->exact : 0;
    for (uint32_t i = 0; i < t->n_chunks; i++)
        if (t->chunks[i])
            n += sizeof **t->chunks + (t->chunks[i]->high ? TREND_BUCKETS * sizeof(uint32_t) : 0);
    return n;
}
