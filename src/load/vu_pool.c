#include "load/vu_pool.h"

#include <stdlib.h>

void vu_pool_init(struct vu_pool *pool) {
    *pool = (struct vu_pool){0};
    fiber_cond_init(&pool->available);
}

void vu_pool_release(struct vu_pool *pool) {
    vec_release(&pool->all);
    vec_release(&pool->free);
}

void vu_pool_put(struct vu_pool *pool, struct vu_handle *vu) {
    vec_push(&pool->free, vu);
    struct vu_handle **heap = pool->free.ptr;
    size_t i = pool->free.len - 1;
    for (; i > 0 && heap[(i - 1) / 2]->id > vu->id; i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = vu;
    fiber_cond_signal(&pool->available);
}

struct vu_handle *vu_pool_try_take(struct vu_pool *pool) {
    struct vu_handle **heap = pool->free.ptr;
    if (pool->free.len == 0)
        return NULL;
    struct vu_handle *lowest = heap[0], *last = heap[--pool->free.len];
    size_t n = pool->free.len, i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < n && heap[child + 1]->id < heap[child]->id)
            child++;
        if (child >= n || heap[child]->id > last->id)
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return lowest;
}
