#include "output/sample_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/json_write.h"

/* With more tag sets than this the cache begins anew. */
#define CACHE_MAX 16384u

void tags_text_init(struct tags_text *t,
                    void (*make)(void *arg, struct buf *out, const struct tagset *tags),
                    void *arg) {
    *t = (struct tags_text){.make = make, .arg = arg, .size = 256};
    t->slots = xcalloc(t->size, sizeof *t->slots);
    arena_init(&t->arena);
    buf_init(&t->scratch, BUF_NO_CAP);
}

void tags_text_release(struct tags_text *t) {
    free(t->slots);
    arena_release(&t->arena);
    buf_release(&t->scratch);
}

static uint32_t slot_of(const struct tags_text *t, const struct tagset *tags) {
    uint64_t h = (uint64_t)(uintptr_t)tags * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t mask = t->size - 1, i = (uint32_t)(h >> 32) & mask;
    while (t->slots[i].key && t->slots[i].key != tags)
        i = (i + 1) & mask;
    return i;
}

static void make_room(struct tags_text *t) {
    if (t->len >= CACHE_MAX) {
        memset(t->slots, 0, t->size * sizeof *t->slots);
        arena_reset(&t->arena);
        t->len = 0;
        return;
    }
    struct tags_text old = *t;
    t->size *= 2;
    t->slots = xcalloc(t->size, sizeof *t->slots);
    for (uint32_t i = 0; i < old.size; i++)
        if (old.slots[i].key)
            t->slots[slot_of(t, old.slots[i].key)] = old.slots[i];
    free(old.slots);
}

struct slice tags_text_get(struct tags_text *t, const struct tagset *tags) {
    uint32_t i = slot_of(t, tags);
    if (likely(t->slots[i].key != NULL))
        return t->slots[i].text;
    if (t->len >= t->size / 2) {
        make_room(t);
        i = slot_of(t, tags);
    }
    buf_reset(&t->scratch);
    t->make(t->arg, &t->scratch, tags);
    t->len++;
    t->slots[i].key = tags;
    t->slots[i].text =
        slice_from(arena_strndup(&t->arena, t->scratch.len ? t->scratch.ptr : "", t->scratch.len),
                   t->scratch.len);
    return t->slots[i].text;
}

static int compare_keys(struct slice a, struct slice b) {
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

/* A custom pair of that name wins, as it came later. */
static void insert_number(struct sample_meta_text *m, const char *key, int64_t value, char *text) {
    struct slice k = slice_cstr(key);
    size_t at = 0;
    if (value < 0)
        return;
    while (at < m->len && compare_keys(m->pairs[at].key, k) < 0)
        at++;
    if (at < m->len && slice_eq(m->pairs[at].key, k))
        return;
    int n = snprintf(text, sizeof m->numbers[0], "%lld", (long long)value);
    memmove(m->pairs + at + 1, m->pairs + at, (m->len - at) * sizeof m->pairs[0]);
    m->pairs[at] = (struct tag){k, slice_from(text, (size_t)n)};
    m->len++;
}

void sample_meta_get(const struct raw_sample *s, struct sample_meta_text *out) {
    out->len = s->custom ? s->custom->len : 0;
    if (out->len)
        memcpy(out->pairs, s->custom->tags, out->len * sizeof out->pairs[0]);
    insert_number(out, "iter", s->iter, out->numbers[0]);
    insert_number(out, "vu", s->vu, out->numbers[1]);
}

/* Timings are whole nanoseconds written as milliseconds: six decimals at most. Such a decimal of up
 * to 15 digits is the shortest text of its double, so that the search for it can be spared. */
bool append_decimal(struct buf *out, double value) {
    double scaled = value * 1e6;
    if (!(scaled >= 1 && scaled < 1e15))
        return false;
    uint64_t n = (uint64_t)(scaled + 0.5);
    if ((double)n / 1e6 != value)
        return false;
    char text[32], *end = text + sizeof text, *at = end;
    uint64_t whole = n / 1000000, fraction = n % 1000000;
    if (fraction) {
        int digits = 6;
        for (; fraction % 10 == 0; digits--)
            fraction /= 10;
        for (; digits > 0; digits--, fraction /= 10)
            *--at = (char)('0' + fraction % 10);
        *--at = '.';
    }
    do
        *--at = (char)('0' + whole % 10);
    while ((whole /= 10) != 0);
    buf_append(out, at, (size_t)(end - at));
    return true;
}

void append_value(struct buf *out, double value) {
    char text[32];
    if (!append_decimal(out, value))
        buf_append_str(out, double_format_json(value, text));
}
