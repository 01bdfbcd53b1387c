/* Hash map from byte strings to pointers; keys are copied. Iteration goes in order of insertion
 * (deletions keep the order of the rest). Not thread-safe. */
#pragma once

#include "base/slice.h"

struct map_entry {
    struct slice key; /* owned by the map, NUL-terminated */
    void *value;
    uint64_t hash;
};

struct map {
    struct map_entry *entries;
    uint32_t *index;
    size_t len, used, alloc, index_size;
};

void map_init(struct map *m);
/* Frees keys and tables; values are the caller's (walk them first). */
void map_release(struct map *m);
/* NULL when absent. */
void *map_get(const struct map *m, struct slice key);
bool map_has(const struct map *m, struct slice key);
/* Returns the value that stood there before, or NULL. */
void *map_set(struct map *m, struct slice key, void *value);
void *map_delete(struct map *m, struct slice key);
/* for (size_t i = 0; (e = map_next(m, &i));) */
struct map_entry *map_next(const struct map *m, size_t *pos);
