/* Bump allocator for one lifetime (a request, an iteration, a parse). Everything goes at once with
 * arena_reset (memory kept) or arena_release. */
#pragma once

#include "base/slice.h"

struct arena_block;
struct arena {
    struct arena_block *head;
    char *at, *end;
};

void arena_init(struct arena *a);
/* Begins in the caller's memory (16-byte aligned, as on the stack) and goes on in blocks of its
 * own. Ends with arena_release, is not for arena_reset. */
void arena_init_in(struct arena *a, void *memory, size_t bytes);
void *arena_alloc(struct arena *a, size_t bytes); /* 16-byte aligned, not zeroed */
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_reset(struct arena *a);
void arena_release(struct arena *a);
