/* Intrusive doubly linked list. A head is a struct list whose next and prev point to itself when
 * empty. */
#pragma once

#include <stdbool.h>

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *l) {
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l) {
    return l->next == l;
}

static inline void list_push_back(struct list *head, struct list *item) {
    item->prev = head->prev;
    item->next = head;
    head->prev->next = item;
    head->prev = item;
}

/* The item's links point to itself afterwards, so that removing twice is harmless. */
static inline void list_remove(struct list *item) {
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}

static inline struct list *list_pop_front(struct list *head) {
    struct list *item = head->next;
    if (item == head)
        return 0;
    list_remove(item);
    return item;
}
