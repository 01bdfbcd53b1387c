/* Groups and checks as a shard sees them: counted per (group path, check name), merged by the
 * aggregate. */
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "metrics/aggregate.h"
#include "metrics/shard_internal.h"

/* Distinct groups and checks of a shard: names made from data (ids, times) must not eat the memory.
 */
#define NOTED_MAX 50000

static uint64_t hash_noted(struct slice path, struct slice name) {
    uint64_t h = hash_bytes(path.ptr, path.len);
    return name.ptr ? h * 31 + hash_bytes(name.ptr, name.len) : h ^ 1;
}

static bool is_noted(const struct noted *n, uint64_t hash, struct slice path, struct slice name) {
    return n->hash == hash && !n->name.ptr == !name.ptr && slice_eq(n->path, path) &&
           slice_eq(n->name, name);
}

static uint32_t noted_slot(const struct shard *s, uint64_t hash, struct slice path,
                           struct slice name) {
    uint32_t mask = s->noted_index_size - 1, i = (uint32_t)hash & mask;
    while (s->noted_index[i] && !is_noted(&s->noted[s->noted_index[i] - 1], hash, path, name))
        i = (i + 1) & mask;
    return i;
}

static void grow_noted(struct shard *s) {
    s->noted_alloc = s->noted_alloc ? s->noted_alloc * 2 : 32;
    s->noted = xrealloc(s->noted, s->noted_alloc * sizeof *s->noted);
    free(s->noted_index);
    s->noted_index_size = s->noted_alloc * 2;
    s->noted_index = xcalloc(s->noted_index_size, sizeof *s->noted_index);
    for (uint32_t i = 0; i < s->n_noted; i++) {
        struct noted *n = &s->noted[i];
        s->noted_index[noted_slot(s, n->hash, n->path, n->name)] = i + 1;
    }
}

/* NULL when there are too many. */
static struct noted *note(struct shard *s, struct slice path, struct slice name) {
    uint64_t hash = hash_noted(path, name);
    if (s->noted_index_size) {
        uint32_t i = s->noted_index[noted_slot(s, hash, path, name)];
        if (likely(i))
            return &s->noted[i - 1];
    }
    if (s->n_noted == NOTED_MAX) {
        static _Atomic bool is_warned;
        if (!is_warned) {
            is_warned = true;
            log_printf(LOG_WARN,
                       "More than %d different groups and checks: further ones are not listed in "
                       "the summary. Do names contain ids or other data?",
                       NOTED_MAX);
        }
        return NULL;
    }
    if (s->n_noted == s->noted_alloc)
        grow_noted(s);
    uint32_t slot = noted_slot(s, hash, path, name);
    struct noted *n = &s->noted[s->n_noted++];
    *n = (struct noted){.hash = hash, .first_ns = clock_now_ns(), .is_new = true};
    n->path = slice_from(arena_strndup(&s->arena, path.ptr, path.len), path.len);
    if (name.ptr)
        n->name = slice_from(arena_strndup(&s->arena, name.ptr, name.len), name.len);
    s->noted_index[slot] = s->n_noted;
    return n;
}

void shard_note_group(struct shard *s, struct slice path) {
    note(s, path, slice_from(NULL, 0));
}

void shard_note_check(struct shard *s, struct slice group_path, struct slice name, bool passed) {
    if (!name.ptr)
        name = SLICE("");
    struct noted *n = note(s, group_path, name);
    if (!n)
        return;
    n->passes += passed;
    n->fails += !passed;
}

static bool has_news(const struct noted *n) {
    return n->is_new || n->passes || n->fails;
}

void shard_take_noted(struct shard *s, struct shard_delta *d) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n_noted; i++)
        n += has_news(&s->noted[i]);
    if (n == 0)
        return;
    d->noted = xcalloc(n, sizeof *d->noted);
    for (uint32_t i = 0; i < s->n_noted; i++) {
        struct noted *from = &s->noted[i];
        if (!has_news(from))
            continue;
        d->noted[d->n_noted++] = *from;
        from->is_new = false;
        from->passes = from->fails = 0;
    }
}
