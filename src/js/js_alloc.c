#include "js/js_alloc.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"

/* Pages are cut from one reserved range of addresses, so that an address says whether a block is
 * small. The range only costs address space; where it cannot be had everything goes to malloc. */
#define PAGE_BYTES ((size_t)32 * 1024)
#define RANGE_BYTES ((size_t)1 << 36)
#define RESERVE_BYTES ((size_t)32 << 20) /* what one allocator takes from the range at a time */
#define STEP 8
#define SMALL_MAX 1024
#define N_CLASSES (SMALL_MAX / STEP)
/* What malloc adds to a block, for the heap limit. */
#define MALLOC_OVERHEAD 8

struct block {
    struct block *next;
};

/* At the start of each page. */
struct page {
    struct page *next, *prev; /* pages of the class that have room, or free pages */
    struct block *free;
    uint32_t used, fresh; /* blocks handed out; bytes never handed out begin at fresh */
    uint32_t block_bytes;
    bool is_listed;
};

struct extent {
    struct extent *next;
    char *start;
};

struct js_alloc {
    unsigned refs;
    JSAtomTemplate *atoms;
    struct page *classes[N_CLASSES + 1];
    struct page *free_pages;
    struct extent *extents;
    char *at, *end;
    bool is_in_reserve, is_range_full;
    int64_t unreported; /* bytes taken (given back: negative) since total_bytes was last told */
};

/* All heaps of the process together, give or take REPORT_BYTES a worker. */
#define REPORT_BYTES ((int64_t)1 << 20)
#define ERROR_RESERVE_BYTES ((int64_t)4 << 20)
static _Atomic int64_t total_bytes;
static int64_t limit_bytes = INT64_MAX - ERROR_RESERVE_BYTES;

static char *range_start;
static size_t range_used;
static struct extent *spare_extents;
static pthread_mutex_t range_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local struct js_alloc *current;

static void __attribute__((constructor)) reserve_range(void) {
#ifndef KILN_ASAN
    void *p =
        mmap(NULL, RANGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p != MAP_FAILED)
        range_start = (char *)(((uintptr_t)p + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1));
#endif
}

static inline bool is_small(const void *ptr) {
    return (size_t)((const char *)ptr - range_start) < RANGE_BYTES - PAGE_BYTES && range_start;
}

static inline struct page *page_of(const void *ptr) {
    return (struct page *)((uintptr_t)ptr & ~(PAGE_BYTES - 1));
}

void js_alloc_set_limit(size_t bytes) {
    limit_bytes = bytes < (size_t)(INT64_MAX - ERROR_RESERVE_BYTES)
                      ? (int64_t)bytes
                      : INT64_MAX - ERROR_RESERVE_BYTES;
}

/* Pages and large blocks are accounted; small blocks are in pages. After the first refusal there is
 * a little more, so that the error can be made, caught and logged. */
static bool may_take(struct js_alloc *a, size_t bytes) {
    if (bytes > INT64_MAX / 2)
        return false;
    int64_t total = atomic_load_explicit(&total_bytes, memory_order_relaxed) + a->unreported;
    if (likely(total <= limit_bytes - (int64_t)bytes)) {
        a->is_in_reserve = false;
        return true;
    }
    bool was_in_reserve = a->is_in_reserve;
    a->is_in_reserve = true;
    return was_in_reserve && total <= limit_bytes + ERROR_RESERVE_BYTES - (int64_t)bytes;
}

static void account(struct js_alloc *a, int64_t bytes) {
    a->unreported += bytes;
    if (a->unreported >= REPORT_BYTES || a->unreported <= -REPORT_BYTES) {
        atomic_fetch_add_explicit(&total_bytes, a->unreported, memory_order_relaxed);
        a->unreported = 0;
    }
}

/* ---- pages ---- */

/* Extents of allocators that are gone are used again. */
static struct extent *take_extent(void) {
    pthread_mutex_lock(&range_lock);
    struct extent *x = spare_extents;
    if (x) {
        spare_extents = x->next;
    } else if (range_start && range_used + RESERVE_BYTES <= RANGE_BYTES - PAGE_BYTES &&
               mprotect(range_start + range_used, RESERVE_BYTES, PROT_READ | PROT_WRITE) == 0) {
        x = xmalloc(sizeof *x);
        x->start = range_start + range_used;
        range_used += RESERVE_BYTES;
    }
    pthread_mutex_unlock(&range_lock);
    return x;
}

static bool extend(struct js_alloc *a) {
    struct extent *x = take_extent();
    if (!x)
        return false;
    x->next = a->extents;
    a->extents = x;
    a->at = x->start;
    a->end = x->start + RESERVE_BYTES;
    return true;
}

static void list_page(struct page **list, struct page *p) {
    p->prev = NULL;
    p->next = *list;
    if (*list)
        (*list)->prev = p;
    *list = p;
    p->is_listed = true;
}

static void unlist_page(struct page **list, struct page *p) {
    if (p->prev)
        p->prev->next = p->next;
    else
        *list = p->next;
    if (p->next)
        p->next->prev = p->prev;
    p->is_listed = false;
}

static struct page *new_page(struct js_alloc *a, size_t block_bytes) {
    struct page *p = a->free_pages;
    if (!may_take(a, PAGE_BYTES))
        return NULL;
    if (p) {
        unlist_page(&a->free_pages, p);
    } else {
        a->is_range_full = a->at == a->end && !extend(a);
        if (a->is_range_full)
            return NULL;
        p = (struct page *)(void *)a->at;
        a->at += PAGE_BYTES;
    }
    account(a, PAGE_BYTES);
    p->free = NULL;
    p->used = 0;
    p->fresh = (sizeof *p + 15) & ~15u;
    p->block_bytes = (uint32_t)block_bytes;
    list_page(&a->classes[block_bytes / STEP], p);
    return p;
}

/* ---- blocks ---- */

static void *small_alloc(struct js_alloc *a, size_t bytes) {
    size_t rounded = (bytes + STEP - 1) & ~(size_t)(STEP - 1);
    struct page *p = a->classes[rounded / STEP];
    if (unlikely(!p) && !(p = new_page(a, rounded)))
        return NULL;
    void *ptr = p->free;
    if (ptr) {
        p->free = p->free->next;
    } else {
        ptr = (char *)p + p->fresh;
        p->fresh += p->block_bytes;
    }
    p->used++;
    if (unlikely(!p->free && p->fresh + p->block_bytes > PAGE_BYTES))
        unlist_page(&a->classes[rounded / STEP], p);
    return ptr;
}

static void small_free(struct js_alloc *a, void *ptr) {
    struct page *p = page_of(ptr);
    struct page **list = &a->classes[p->block_bytes / STEP];
    struct block *b = ptr;
    b->next = p->free;
    p->free = b;
    p->used--;
    if (!p->is_listed)
        list_page(list, p);
    /* An empty page serves any class again, but one is kept where it is wanted most. */
    if (unlikely(p->used == 0) && (p->next || p->prev)) {
        unlist_page(list, p);
        madvise((char *)p + 4096, PAGE_BYTES - 4096, MADV_DONTNEED);
        list_page(&a->free_pages, p);
        account(a, -(int64_t)PAGE_BYTES);
    }
}

static size_t usable(const void *ptr) {
    return is_small(ptr) ? page_of(ptr)->block_bytes : malloc_usable_size((void *)(uintptr_t)ptr);
}

static size_t cost(const void *ptr) {
    return is_small(ptr) ? page_of(ptr)->block_bytes
                         : malloc_usable_size((void *)(uintptr_t)ptr) + MALLOC_OVERHEAD;
}

static void *large_alloc(struct js_alloc *a, size_t bytes) {
    void *ptr = may_take(a, bytes) ? malloc(bytes) : NULL;
    if (ptr)
        account(a, (int64_t)cost(ptr));
    return ptr;
}

static void large_free(struct js_alloc *a, void *ptr) {
    account(a, -(int64_t)cost(ptr));
    free(ptr);
}

static void *large_realloc(struct js_alloc *a, void *ptr, size_t bytes) {
    size_t before = cost(ptr);
    void *moved = bytes <= before || may_take(a, bytes - before) ? realloc(ptr, bytes) : NULL;
    if (moved)
        account(a, (int64_t)cost(moved) - (int64_t)before);
    return moved;
}

static void *alloc_malloc(JSMallocState *s, size_t bytes) {
    if (unlikely(s->malloc_size + bytes > s->malloc_limit))
        return NULL;
    struct js_alloc *a = s->opaque;
    void *ptr = bytes <= SMALL_MAX ? small_alloc(a, bytes) : NULL;
    if (!ptr && (bytes > SMALL_MAX || a->is_range_full))
        ptr = large_alloc(a, bytes);
    if (!ptr)
        return NULL;
    s->malloc_count++;
    s->malloc_size += cost(ptr);
    return ptr;
}

static void alloc_free(JSMallocState *s, void *ptr) {
    if (!ptr)
        return;
    s->malloc_count--;
    s->malloc_size -= cost(ptr);
    if (is_small(ptr))
        small_free(s->opaque, ptr);
    else
        large_free(s->opaque, ptr);
}

static void *alloc_realloc(JSMallocState *s, void *ptr, size_t bytes) {
    if (!ptr)
        return bytes ? alloc_malloc(s, bytes) : NULL;
    if (bytes == 0) {
        alloc_free(s, ptr);
        return NULL;
    }
    size_t old = usable(ptr);
    if (is_small(ptr) ? bytes <= old && bytes + STEP > old : bytes <= old && bytes > old / 2)
        return ptr;
    if (!is_small(ptr) && bytes > SMALL_MAX) {
        if (s->malloc_size + bytes - old > s->malloc_limit)
            return NULL;
        s->malloc_size -= cost(ptr);
        void *moved = large_realloc(s->opaque, ptr, bytes);
        s->malloc_size += cost(moved ? moved : ptr);
        return moved;
    }
    void *moved = alloc_malloc(s, bytes);
    if (!moved)
        return NULL;
    memcpy(moved, ptr, old < bytes ? old : bytes);
    alloc_free(s, ptr);
    return moved;
}

const JSMallocFunctions js_alloc_functions = {alloc_malloc, alloc_free, alloc_realloc, usable};

struct js_alloc *js_alloc_ref(void) {
    if (!current)
        current = xcalloc(1, sizeof *current);
    current->refs++;
    return current;
}

void js_alloc_unref(struct js_alloc *a) {
    if (--a->refs > 0)
        return;
    JS_FreeAtomTemplate(a->atoms);
    pthread_mutex_lock(&range_lock);
    while (a->extents) {
        struct extent *x = a->extents;
        a->extents = x->next;
        madvise(x->start, RESERVE_BYTES, MADV_DONTNEED);
        x->next = spare_extents;
        spare_extents = x;
    }
    pthread_mutex_unlock(&range_lock);
    if (current == a)
        current = NULL;
    free(a);
}

void js_alloc_use_atoms(struct js_alloc *a) {
    JS_UseAtomTemplate(a->atoms);
}

void js_alloc_keep_atoms(struct js_alloc *a, JSRuntime *rt) {
    if (!a->atoms)
        a->atoms = JS_NewAtomTemplate(rt);
}
