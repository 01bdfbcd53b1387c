#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

#define BLOCK_MIN ((size_t)4096)
#define BLOCK_MAX ((size_t)256 * 1024)
#define KEEP_MAX ((size_t)1024 * 1024)
#define ALIGN_MASK ((size_t)15)

struct arena_block {
    struct arena_block *next;
    size_t bytes;
    char data[] __attribute__((aligned(16)));
};

void arena_init(struct arena *a) {
    *a = (struct arena){0};
}

void arena_init_in(struct arena *a, void *memory, size_t bytes) {
    *a = (struct arena){.at = memory, .end = (char *)memory + bytes};
}

static void use_block(struct arena *a, struct arena_block *block) {
    a->head = block;
    a->at = block ? block->data : NULL;
    a->end = block ? block->data + block->bytes : NULL;
}

static void grow(struct arena *a, size_t bytes) {
    size_t size = a->head ? a->head->bytes * 2 : BLOCK_MIN;
    if (size > BLOCK_MAX)
        size = BLOCK_MAX;
    if (size < bytes)
        size = bytes;
    struct arena_block *block = xmalloc(sizeof *block + size);
    block->next = a->head;
    block->bytes = size;
    use_block(a, block);
}

void *arena_alloc(struct arena *a, size_t bytes) {
    CHECK(bytes < SIZE_MAX / 2);
    bytes = (bytes + ALIGN_MASK) & ~ALIGN_MASK;
    if (unlikely(a->at == NULL || bytes > (size_t)(a->end - a->at)))
        grow(a, bytes);
    void *ptr = a->at;
    a->at += bytes;
    return ptr;
}

char *arena_strndup(struct arena *a, const char *s, size_t len) {
    char *copy = arena_alloc(a, len + 1);
    if (len > 0)
        memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *arena_printf(struct arena *a, const char *fmt, ...) {
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    CHECK(len >= 0);
    char *text = arena_alloc(a, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    va_end(ap);
    return text;
}

static void free_blocks(struct arena_block *block) {
    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

/* The newest block is the largest of the usual ones; one that a single huge request made is not
 * kept. */
void arena_reset(struct arena *a) {
    struct arena_block *keep = a->head;
    if (keep == NULL)
        return;
    free_blocks(keep->next);
    keep->next = NULL;
    if (keep->bytes > KEEP_MAX) {
        free(keep);
        keep = NULL;
    }
    use_block(a, keep);
}

void arena_release(struct arena *a) {
    free_blocks(a->head);
    arena_init(a);
}
