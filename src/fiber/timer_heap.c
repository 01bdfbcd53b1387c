#include "fiber/timer_heap.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/check.h"
#include "fiber/worker.h"

#define ARITY 4

void timer_heap_init(struct timer_heap *h) {
    *h = (struct timer_heap){0};
}

void timer_heap_release(struct timer_heap *h) {
    free(h->entries);
    *h = (struct timer_heap){0};
}

static bool is_before(const struct timer_heap_entry *a, const struct timer_heap_entry *b) {
    return a->deadline_ns < b->deadline_ns ||
           (a->deadline_ns == b->deadline_ns && a->order < b->order);
}

/* heap_pos is 1-based: 0 says "not armed". */
static void place(struct timer_heap *h, uint32_t i, struct timer_heap_entry e) {
    h->entries[i] = e;
    e.timer->heap_pos = i + 1;
}

static void sift_up(struct timer_heap *h, uint32_t i, struct timer_heap_entry e) {
    while (i > 0) {
        uint32_t parent = (i - 1) / ARITY;
        if (!is_before(&e, &h->entries[parent]))
            break;
        place(h, i, h->entries[parent]);
        i = parent;
    }
    place(h, i, e);
}

static void sift_down(struct timer_heap *h, uint32_t i, struct timer_heap_entry e) {
    for (;;) {
        uint32_t first = i * ARITY + 1;
        if (first >= h->len)
            break;
        uint32_t end = first + ARITY < h->len ? first + ARITY : h->len;
        uint32_t least = first;
        for (uint32_t c = first + 1; c < end; c++) {
            if (is_before(&h->entries[c], &h->entries[least]))
                least = c;
        }
        if (!is_before(&h->entries[least], &e))
            break;
        place(h, i, h->entries[least]);
        i = least;
    }
    place(h, i, e);
}

static void move(struct timer_heap *h, uint32_t i, struct timer_heap_entry e) {
    if (i > 0 && is_before(&e, &h->entries[(i - 1) / ARITY]))
        sift_up(h, i, e);
    else
        sift_down(h, i, e);
}

void timer_heap_set(struct timer_heap *h, struct worker_timer *t, int64_t deadline_ns) {
    t->deadline_ns = deadline_ns;
    struct timer_heap_entry e = {deadline_ns, h->next_order++, t};
    if (t->heap_pos) {
        move(h, t->heap_pos - 1, e);
        return;
    }
    if (h->len == h->alloc) {
        h->alloc = h->alloc ? h->alloc * 2 : 64;
        h->entries = xrealloc(h->entries, h->alloc * sizeof *h->entries);
    }
    h->len++;
    sift_up(h, h->len - 1, e);
}

void timer_heap_remove(struct timer_heap *h, struct worker_timer *t) {
    if (!t->heap_pos)
        return;
    uint32_t i = t->heap_pos - 1;
    CHECK(i < h->len && h->entries[i].timer == t);
    t->heap_pos = 0;
    h->len--;
    if (i < h->len)
        move(h, i, h->entries[h->len]);
}

struct worker_timer *timer_heap_pop_due(struct timer_heap *h, int64_t now_ns, uint64_t end_order) {
    if (!h->len || h->entries[0].deadline_ns > now_ns || h->entries[0].order >= end_order)
        return NULL;
    struct worker_timer *t = h->entries[0].timer;
    timer_heap_remove(h, t);
    return t;
}
