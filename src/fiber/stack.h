/* Stacks of fibers: cut from large anonymous mappings (one VMA holds many), each with guard
 * pages at its low end, committed by the kernel as they are touched and recycled through a free
 * list. A recycled stack keeps its top 16 KiB and gives deeper pages back.
 *
 * Guard pages come from MADV_GUARD_INSTALL where the kernel has it (Linux 6.13), which costs no
 * VMA; otherwise from mprotect, which costs two. When the process runs out of VMAs
 * (vm.max_map_count), further stacks go without a guard rather than fail. Used by one thread at a
 * time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct stack {
    struct stack *next_free;
    char *low; /* lowest usable byte, above the guard */
    char *top; /* end, 16-byte aligned; struct stack itself lies above it */
    struct stack_class *cls;
    bool has_guard;
};

struct stack_slab;
struct stack_pool {
    struct stack_slab *slabs;
    struct stack_class *classes; /* one a size; a program has one or two */
    size_t page_bytes, guard_bytes;
    bool has_guard_install, is_out_of_vmas;
};

void stack_pool_init(struct stack_pool *p);
/* Unmaps every stack, those in use included. */
void stack_pool_release(struct stack_pool *p);

/* A stack of at least `bytes` (rounded up to pages). NULL when the kernel refuses the memory. */
struct stack *stack_get(struct stack_pool *p, size_t bytes);
void stack_put(struct stack *s);
