/* Timers by deadline: a 4-ary heap of (deadline, order) pairs. Timers of one deadline fire in the
 * order they were started. A timer knows its place (heap_pos), so that stopping costs O(log n). */
#pragma once

#include <stdint.h>

struct worker_timer;

struct timer_heap_entry {
    int64_t deadline_ns;
    uint64_t order;
    struct worker_timer *timer;
};

struct timer_heap {
    struct timer_heap_entry *entries;
    uint32_t len, alloc;
    uint64_t next_order;
};

void timer_heap_init(struct timer_heap *h);
void timer_heap_release(struct timer_heap *h);
/* Adds a timer that is not in the heap, or moves one that is. */
void timer_heap_set(struct timer_heap *h, struct worker_timer *t, int64_t deadline_ns);
/* No effect on a timer that is not in the heap. */
void timer_heap_remove(struct timer_heap *h, struct worker_timer *t);
/* Takes out the earliest timer when its deadline is not after now_ns and it was set before
 * end_order (a past value of next_order), else NULL. */
struct worker_timer *timer_heap_pop_due(struct timer_heap *h, int64_t now_ns, uint64_t end_order);

/* Deadline of the earliest timer, INT64_MAX when there is none. */
static inline int64_t timer_heap_earliest_ns(const struct timer_heap *h) {
    return h->len ? h->entries[0].deadline_ns : INT64_MAX;
}
