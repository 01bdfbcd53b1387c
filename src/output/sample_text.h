/* Text of samples that json and csv share. One thread an instance. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "metrics/shard.h"

/* Text made once per tag set. Tag sets live longer than any output. */
struct tags_text {
    struct {
        const struct tagset *key;
        struct slice text;
    } * slots;
    uint32_t size, len;
    struct arena arena;
    struct buf scratch;
    void (*make)(void *arg, struct buf *out, const struct tagset *tags);
    void *arg;
};

void tags_text_init(struct tags_text *t,
                    void (*make)(void *arg, struct buf *out, const struct tagset *tags), void *arg);
void tags_text_release(struct tags_text *t);
/* Valid until the next call. */
struct slice tags_text_get(struct tags_text *t, const struct tagset *tags);

/* Metadata of a sample: custom pairs, vu and iter, sorted by key. */
#define SAMPLE_META_MAX (TAGS_PER_SET_MAX + 2)
struct sample_meta_text {
    struct tag pairs[SAMPLE_META_MAX];
    size_t len;
    char numbers[2][24];
};
static inline bool sample_has_meta(const struct raw_sample *s) {
    return s->vu >= 0 || s->iter >= 0 || (s->custom && s->custom->len > 0);
}
void sample_meta_get(const struct raw_sample *s, struct sample_meta_text *out);

/* Appends a finite value as encoding/json writes it. */
void append_value(struct buf *out, double value);
/* The same for most values that are measured, times of whole nanoseconds and whole numbers above 0,
 * which it does quickly and without an exponent. False: not such a value, nothing is appended. */
bool append_decimal(struct buf *out, double value);
