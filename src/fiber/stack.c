#include "fiber/stack.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"

#ifdef KILN_ASAN
#include <sanitizer/asan_interface.h>
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef MAP_STACK
#define MAP_STACK 0
#endif
#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

/* Address space taken from the kernel at once. */
#define SLAB_BYTES ((size_t)16 << 20)
/* More than one, so that a function with a large frame does not step over them. */
#define GUARD_PAGES 4
/* What a recycled stack keeps committed. */
#define WATERMARK_BYTES ((size_t)16 << 10)

struct stack_slab {
    struct stack_slab *next;
    void *map;
    size_t bytes;
};

struct stack_class {
    struct stack_class *next;
    size_t bytes; /* guard included */
    size_t usable_bytes;
    struct stack *free;
    char *fresh, *fresh_end; /* the part of the newest slab that is not cut yet */
};

void stack_pool_init(struct stack_pool *p) {
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    *p = (struct stack_pool){.page_bytes = page_bytes,
                             .guard_bytes = GUARD_PAGES * page_bytes,
                             .has_guard_install = true};
}

void stack_pool_release(struct stack_pool *p) {
    while (p->slabs) {
        struct stack_slab *slab = p->slabs;
        p->slabs = slab->next;
        munmap(slab->map, slab->bytes);
        free(slab);
    }
    while (p->classes) {
        struct stack_class *c = p->classes;
        p->classes = c->next;
        free(c);
    }
}

static bool slab_map(struct stack_pool *p, struct stack_class *c) {
    size_t bytes = SLAB_BYTES / c->bytes * c->bytes;
    if (bytes == 0)
        bytes = c->bytes;
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (map == MAP_FAILED)
        return false;
#ifdef MADV_NOHUGEPAGE
    /* A huge page would commit 2 MiB for the first byte of a stack. */
    madvise(map, bytes, MADV_NOHUGEPAGE);
#endif
    struct stack_slab *slab = xmalloc(sizeof *slab);
    *slab = (struct stack_slab){.next = p->slabs, .map = map, .bytes = bytes};
    p->slabs = slab;
    c->fresh = map;
    c->fresh_end = c->fresh + bytes;
    return true;
}

static bool guard_install(struct stack_pool *p, char *low) {
    if (p->has_guard_install) {
        if (madvise(low, p->guard_bytes, MADV_GUARD_INSTALL) == 0)
            return true;
        p->has_guard_install = errno != EINVAL;
    }
    if (p->is_out_of_vmas)
        return false;
    if (mprotect(low, p->guard_bytes, PROT_NONE) == 0)
        return true;
    p->is_out_of_vmas = errno == ENOMEM;
    return false;
}

static struct stack_class *class_of(struct stack_pool *p, size_t bytes) {
    for (struct stack_class *c = p->classes; c; c = c->next) {
        if (c->bytes == bytes)
            return c;
    }
    struct stack_class *c = xcalloc(1, sizeof *c);
    c->bytes = bytes;
    c->usable_bytes = bytes - p->guard_bytes;
    c->next = p->classes;
    p->classes = c;
    return c;
}

struct stack *stack_get(struct stack_pool *p, size_t bytes) {
    size_t page = p->page_bytes;
    bytes = (bytes + page - 1) / page * page;
    if (bytes < 4 * page)
        bytes = 4 * page;
    struct stack_class *c = class_of(p, bytes + p->guard_bytes);
    if (c->free) {
        struct stack *s = c->free;
        c->free = s->next_free;
        return s;
    }
    if (c->fresh == c->fresh_end && !slab_map(p, c))
        return NULL;
    char *map = c->fresh;
    c->fresh += c->bytes;
    bool has_guard = guard_install(p, map);
    struct stack *s = (struct stack *)((uintptr_t)(map + c->bytes - sizeof *s) & ~(uintptr_t)63);
    *s = (struct stack){
        .low = map + p->guard_bytes, .top = (char *)s, .cls = c, .has_guard = has_guard};
    return s;
}

void stack_put(struct stack *s) {
    struct stack_class *c = s->cls;
#ifdef KILN_ASAN
    /* Frames that were left without returning still have their red zones. */
    __asan_unpoison_memory_region(s->low, (size_t)(s->top - s->low));
#endif
    if (c->usable_bytes > WATERMARK_BYTES)
        madvise(s->low, c->usable_bytes - WATERMARK_BYTES, MADV_DONTNEED);
    s->next_free = c->free;
    c->free = s;
}
