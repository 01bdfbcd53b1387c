#include "base/map.h"

#include <stdlib.h>

#include "base/check.h"

/* Open addressing: index holds entry number + 1, 0 is free. A deleted entry stays in place with
 * key.ptr NULL until the next rebuild, so that probe chains hold. */

void map_init(struct map *m) {
    *m = (struct map){0};
}

void map_release(struct map *m) {
    for (size_t i = 0; i < m->used; i++)
        free((char *)m->entries[i].key.ptr);
    free(m->entries);
    free(m->index);
    map_init(m);
}

static struct map_entry *find(const struct map *m, struct slice key, uint64_t hash) {
    if (m->index_size == 0)
        return NULL;
    size_t mask = m->index_size - 1;
    for (size_t i = hash & mask; m->index[i] != 0; i = (i + 1) & mask) {
        struct map_entry *e = &m->entries[m->index[i] - 1];
        if (e->hash == hash && e->key.ptr != NULL && slice_eq(e->key, key))
            return e;
    }
    return NULL;
}

static void index_add(struct map *m, size_t entry) {
    size_t mask = m->index_size - 1;
    size_t i = m->entries[entry].hash & mask;
    while (m->index[i] != 0)
        i = (i + 1) & mask;
    m->index[i] = (uint32_t)(entry + 1);
}

/* Drops deleted entries and makes room for one more; the index stays at most half full. */
static void rebuild(struct map *m) {
    size_t kept = 0;
    for (size_t i = 0; i < m->used; i++)
        if (m->entries[i].key.ptr != NULL)
            m->entries[kept++] = m->entries[i];
    m->used = kept;
    if (kept * 4 >= m->alloc * 3) {
        m->alloc = m->alloc ? m->alloc * 2 : 8;
        CHECK(m->alloc < UINT32_MAX);
        m->entries = xrealloc(m->entries, m->alloc * sizeof *m->entries);
        m->index_size = m->alloc * 2;
        free(m->index);
        m->index = xmalloc(m->index_size * sizeof *m->index);
    }
    memset(m->index, 0, m->index_size * sizeof *m->index);
    for (size_t i = 0; i < m->used; i++)
        index_add(m, i);
}

void *map_get(const struct map *m, struct slice key) {
    struct map_entry *e = find(m, key, hash_bytes(key.ptr, key.len));
    return e ? e->value : NULL;
}

bool map_has(const struct map *m, struct slice key) {
    return find(m, key, hash_bytes(key.ptr, key.len)) != NULL;
}

void *map_set(struct map *m, struct slice key, void *value) {
    uint64_t hash = hash_bytes(key.ptr, key.len);
    struct map_entry *e = find(m, key, hash);
    if (e != NULL) {
        void *before = e->value;
        e->value = value;
        return before;
    }
    if (m->used == m->alloc)
        rebuild(m);
    m->entries[m->used] =
        (struct map_entry){slice_from(xstrndup(key.ptr, key.len), key.len), value, hash};
    index_add(m, m->used++);
    m->len++;
    return NULL;
}

void *map_delete(struct map *m, struct slice key) {
    struct map_entry *e = find(m, key, hash_bytes(key.ptr, key.len));
    if (e == NULL)
        return NULL;
    void *value = e->value;
    free((char *)e->key.ptr);
    e->key.ptr = NULL;
    m->len--;
    return value;
}

struct map_entry *map_next(const struct map *m, size_t *pos) {
    while (*pos < m->used) {
        struct map_entry *e = &m->entries[(*pos)++];
        if (e->key.ptr != NULL)
            return e;
    }
    return NULL;
}
