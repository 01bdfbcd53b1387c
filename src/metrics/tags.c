#include "metrics/tags.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/check.h"
#include "metrics/metric.h"

/* Transitions of more tags than this are looked up anew each time. */
#define CACHED_TAGS_MAX 14

/* base + pairs -> result. The pairs themselves are in the result, at pos: a hit is certain,
 * whatever the hash. */
struct transition {
    uint64_t hash;
    const struct tagset *base, *result; /* result NULL = free slot */
    uint16_t n;
    uint16_t pos[CACHED_TAGS_MAX];
};

struct text {
    struct slice s; /* ptr NULL = free slot */
    uint64_t hash;
};

struct tag_table {
    struct arena arena;
    struct tagset **sets; /* open addressing by hash */
    uint32_t sets_size, n_sets;
    struct text *texts;
    uint32_t texts_size, n_texts;
    size_t text_bytes;
    struct transition *transitions;
    uint32_t transitions_size, n_transitions;
    const struct tagset *empty, *overflow;
    uint32_t max_sets;
    size_t max_bytes;
    uint64_t overflows;
};

static const struct slice overflow_key = {"overflow", 8}, overflow_value = {"true", 4};

static uint64_t mix(uint64_t h, uint64_t v) {
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ (h >> 29);
}

static uint64_t hash_slice(struct slice s) {
    return hash_bytes(s.ptr, s.len);
}

static uint64_t hash_tags(const struct tag *tags, size_t n) {
    uint64_t h = n;
    for (size_t i = 0; i < n; i++)
        h = mix(mix(h, hash_slice(tags[i].key)), hash_slice(tags[i].value));
    return h;
}

static int compare_slices(struct slice a, struct slice b) {
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

/* ---------------------------------------------------------------- texts */

static struct text *text_slot(const struct tag_table *t, struct slice s, uint64_t hash) {
    uint32_t mask = t->texts_size - 1, i = (uint32_t)hash & mask;
    while (t->texts[i].s.ptr && (t->texts[i].hash != hash || !slice_eq(t->texts[i].s, s)))
        i = (i + 1) & mask;
    return &t->texts[i];
}

static void grow_texts(struct tag_table *t) {
    struct text *old = t->texts;
    uint32_t old_size = t->texts_size;
    t->texts_size = old_size ? old_size * 2 : 64;
    t->texts = xcalloc(t->texts_size, sizeof *t->texts);
    for (uint32_t i = 0; i < old_size; i++)
        if (old[i].s.ptr)
            *text_slot(t, old[i].s, old[i].hash) = old[i];
    free(old);
}

static bool is_known_text(const struct tag_table *t, struct slice s) {
    return text_slot(t, s, hash_slice(s))->s.ptr != NULL;
}

static struct slice intern_text(struct tag_table *t, struct slice s) {
    uint64_t hash = hash_slice(s);
    if (t->n_texts >= t->texts_size / 2)
        grow_texts(t);
    struct text *slot = text_slot(t, s, hash);
    if (!slot->s.ptr) {
        *slot = (struct text){slice_from(arena_strndup(&t->arena, s.ptr, s.len), s.len), hash};
        t->n_texts++;
        t->text_bytes += s.len;
    }
    return slot->s;
}

/* ---------------------------------------------------------------- sets */

static bool same_tags(const struct tagset *s, const struct tag *tags, size_t n) {
    if (s->len != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!slice_eq(s->tags[i].key, tags[i].key) || !slice_eq(s->tags[i].value, tags[i].value))
            return false;
    return true;
}

static struct tagset **set_slot(const struct tag_table *t, uint64_t hash, const struct tag *tags,
                                size_t n) {
    uint32_t mask = t->sets_size - 1, i = (uint32_t)hash & mask;
    while (t->sets[i] && (t->sets[i]->hash != hash || !same_tags(t->sets[i], tags, n)))
        i = (i + 1) & mask;
    return &t->sets[i];
}

static void grow_sets(struct tag_table *t) {
    struct tagset **old = t->sets;
    uint32_t old_size = t->sets_size;
    t->sets_size = old_size ? old_size * 2 : 64;
    t->sets = xcalloc(t->sets_size, sizeof *t->sets);
    for (uint32_t i = 0; i < old_size; i++)
        if (old[i])
            *set_slot(t, old[i]->hash, old[i]->tags, old[i]->len) = old[i];
    free(old);
}

static const struct tagset *find_set(const struct tag_table *t, const struct tag *tags, size_t n) {
    return *set_slot(t, hash_tags(tags, n), tags, n);
}

/* Sorted tags -> their set, created when new. */
static const struct tagset *intern_set(struct tag_table *t, const struct tag *tags, size_t n) {
    uint64_t hash = hash_tags(tags, n);
    if (t->n_sets >= t->sets_size / 2)
        grow_sets(t);
    struct tagset **slot = set_slot(t, hash, tags, n);
    if (*slot)
        return *slot;
    struct tag *copy = arena_alloc(&t->arena, (n + 1) * sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = (struct tag){intern_text(t, tags[i].key), intern_text(t, tags[i].value)};
    struct tagset *set = arena_alloc(&t->arena, sizeof *set);
    *set = (struct tagset){copy, (uint32_t)n, t->n_sets++, hash};
    *slot = set;
    return set;
}

/* Merges add into sorted tags; returns the new length, at most TAGS_PER_SET_MAX. */
static size_t put_tag(struct tag *tags, size_t n, const struct tag *add) {
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (compare_slices(tags[mid].key, add->key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < n && slice_eq(tags[lo].key, add->key)) {
        tags[lo].value = add->value;
        return n;
    }
    if (n == TAGS_PER_SET_MAX)
        return n;
    memmove(tags + lo + 1, tags + lo, (n - lo) * sizeof *tags);
    tags[lo] = *add;
    return n + 1;
}

struct tag_table *tag_table_new(void) {
    struct tag_table *t = xcalloc(1, sizeof *t);
    arena_init(&t->arena);
    t->max_sets = TAG_SETS_MAX;
    t->max_bytes = TAG_BYTES_MAX;
    grow_texts(t);
    t->transitions_size = 64;
    t->transitions = xcalloc(t->transitions_size, sizeof *t->transitions);
    t->empty = intern_set(t, NULL, 0);
    t->overflow = intern_set(t, &(struct tag){overflow_key, overflow_value}, 1);
    return t;
}

void tag_table_free(struct tag_table *t) {
    if (!t)
        return;
    arena_release(&t->arena);
    free(t->sets);
    free(t->texts);
    free(t->transitions);
    free(t);
}

void tag_table_set_limits(struct tag_table *t, uint32_t max_sets, size_t max_bytes) {
    t->max_sets = max_sets;
    t->max_bytes = max_bytes;
}

uint32_t tag_table_count(const struct tag_table *t) {
    return t->n_sets;
}

uint64_t tag_table_overflows(const struct tag_table *t) {
    return t->overflows;
}

const struct tagset *tagset_empty(struct tag_table *t) {
    return t->empty;
}

/* ---------------------------------------------------------------- transitions */

static uint64_t hash_transition(const struct tagset *base, const struct tag *add, size_t n) {
    uint64_t h = mix(base->id + 1, n);
    for (size_t i = 0; i < n; i++)
        h = mix(mix(h, hash_slice(add[i].key)), hash_slice(add[i].value));
    return h;
}

static bool is_transition(const struct transition *tr, uint64_t hash, const struct tagset *base,
                          const struct tag *add, size_t n) {
    if (tr->hash != hash || tr->base != base || tr->n != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct tag *have = &tr->result->tags[tr->pos[i]];
        if (!slice_eq(have->value, add[i].value) || !slice_eq(have->key, add[i].key))
            return false;
    }
    return true;
}

static struct transition *transition_slot(const struct tag_table *t, uint64_t hash,
                                          const struct tagset *base, const struct tag *add,
                                          size_t n) {
    uint32_t mask = t->transitions_size - 1, i = (uint32_t)hash & mask;
    while (t->transitions[i].result && !is_transition(&t->transitions[i], hash, base, add, n))
        i = (i + 1) & mask;
    return &t->transitions[i];
}

static void grow_transitions(struct tag_table *t) {
    struct transition *old = t->transitions;
    uint32_t old_size = t->transitions_size;
    bool is_full = old_size / 2 >= t->max_sets * 4;
    t->transitions_size = is_full ? 64 : old_size * 2;
    t->transitions = xcalloc(t->transitions_size, sizeof *t->transitions);
    t->n_transitions = 0;
    for (uint32_t i = 0; i < old_size && !is_full; i++) {
        if (!old[i].result)
            continue;
        uint32_t mask = t->transitions_size - 1, to = (uint32_t)old[i].hash & mask;
        while (t->transitions[to].result)
            to = (to + 1) & mask;
        t->transitions[to] = old[i];
        t->n_transitions++;
    }
    free(old);
}

static void remember(struct tag_table *t, uint64_t hash, const struct tagset *base,
                     const struct tag *add, size_t n, const struct tagset *result) {
    struct transition tr = {.hash = hash, .base = base, .result = result, .n = (uint16_t)n};
    for (size_t i = 0; i < n; i++) {
        size_t pos = 0;
        while (pos < result->len && !slice_eq(result->tags[pos].key, add[i].key))
            pos++;
        /* A key given twice: its first value is nowhere to compare with. */
        if (pos == result->len || !slice_eq(result->tags[pos].value, add[i].value))
            return;
        tr.pos[i] = (uint16_t)pos;
    }
    if (t->n_transitions >= t->transitions_size / 2)
        grow_transitions(t);
    *transition_slot(t, hash, base, add, n) = tr;
    t->n_transitions++;
}

/* ---------------------------------------------------------------- adding and removing */

static bool is_full(const struct tag_table *t, const struct tag *add, size_t n) {
    size_t more = 0;
    for (size_t i = 0; i < n; i++)
        more += add[i].key.len + add[i].value.len;
    return t->n_sets >= t->max_sets || more > t->max_bytes || t->text_bytes > t->max_bytes - more;
}

/* The table is full: values that were never seen are dropped, so that thresholds and reports go on
 * seeing the others. */
static const struct tagset *overflow_set(struct tag_table *t, const struct tagset *base,
                                         const struct tag *add, size_t n, struct tag *scratch) {
    size_t len = base->len;
    t->overflows++;
    if (len)
        memcpy(scratch, base->tags, len * sizeof *scratch);
    for (size_t i = 0; i < n; i++)
        if (is_known_text(t, add[i].key) && is_known_text(t, add[i].value))
            len = put_tag(scratch, len, &add[i]);
    len = put_tag(scratch, len, &(struct tag){overflow_key, overflow_value});
    const struct tagset *found = find_set(t, scratch, len);
    if (found)
        return found;
    return t->n_sets < t->max_sets + t->max_sets / 8 ? intern_set(t, scratch, len) : t->overflow;
}

static const struct tagset *add_slowly(struct tag_table *t, const struct tagset *base,
                                       const struct tag *add, size_t n, uint64_t hash) {
    struct tag *scratch = xmalloc(TAGS_PER_SET_MAX * sizeof *scratch);
    size_t len = base->len;
    bool is_cut = false;
    if (len)
        memcpy(scratch, base->tags, len * sizeof *scratch);
    for (size_t i = 0; i < n; i++) {
        size_t before = len;
        len = put_tag(scratch, len, &add[i]);
        is_cut |= before == TAGS_PER_SET_MAX && len == before;
    }
    const struct tagset *result = find_set(t, scratch, len);
    bool is_overflow = is_cut;
    if (!result && is_full(t, add, n)) {
        is_overflow = true;
        result = overflow_set(t, base, add, n, scratch);
    } else {
        t->overflows += is_cut;
        if (!result)
            result = intern_set(t, scratch, len);
    }
    if (!is_overflow && n <= CACHED_TAGS_MAX)
        remember(t, hash, base, add, n, result);
    free(scratch);
    return result;
}

const struct tagset *tagset_with_all(struct tag_table *t, const struct tagset *base,
                                     const struct tag *add, size_t n) {
    if (n == 0)
        return base;
    uint64_t hash = hash_transition(base, add, n);
    if (likely(n <= CACHED_TAGS_MAX)) {
        struct transition *tr = transition_slot(t, hash, base, add, n);
        if (likely(tr->result))
            return tr->result;
    }
    return add_slowly(t, base, add, n, hash);
}

const struct tagset *tagset_with(struct tag_table *t, const struct tagset *base, struct slice key,
                                 struct slice value) {
    return tagset_with_all(t, base, &(struct tag){key, value}, 1);
}

const struct tagset *tagset_without(struct tag_table *t, const struct tagset *base,
                                    struct slice key) {
    if (!tagset_get(base, key).ptr)
        return base;
    struct tag *left = xmalloc(base->len * sizeof *left);
    size_t n = 0;
    for (size_t i = 0; i < base->len; i++)
        if (!slice_eq(base->tags[i].key, key))
            left[n++] = base->tags[i];
    const struct tagset *result = find_set(t, left, n);
    if (!result && t->n_sets < t->max_sets + t->max_sets / 8) {
        result = intern_set(t, left, n);
    } else if (!result) {
        t->overflows++;
        result = t->overflow;
    }
    free(left);
    return result;
}

struct slice tagset_get(const struct tagset *s, struct slice key) {
    for (size_t i = 0; i < s->len; i++)
        if (slice_eq(s->tags[i].key, key))
            return s->tags[i].value;
    return slice_from(NULL, 0);
}

bool tagset_contains(const struct tagset *s, const struct tag_match *match, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct slice value = tagset_get(s, match[i].key);
        if (!value.ptr || !slice_eq(value, match[i].value))
            return false;
    }
    return true;
}
