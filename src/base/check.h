/* Impossible states and allocation. CHECK aborts in every build with file, line and expression; it
 * is for bugs, never for input. Allocation failure aborts: what a script or a peer can make large
 * has a cap of its own elsewhere. */
#pragma once

#include <stddef.h>

#define CHECK(x) ((x) ? (void)0 : check_failed(__FILE__, __LINE__, #x))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define countof(a) (sizeof(a) / sizeof((a)[0]))

_Noreturn void check_failed(const char *file, int line, const char *expr);

/* malloc, calloc, realloc and strdup that abort instead of returning NULL; released with free(). */
void *xmalloc(size_t bytes) __attribute__((malloc));
void *xcalloc(size_t count, size_t bytes) __attribute__((malloc));
void *xrealloc(void *ptr, size_t bytes);
char *xstrdup(const char *s) __attribute__((malloc));
char *xstrndup(const char *s, size_t len) __attribute__((malloc));
/* printf into a fresh heap string. */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
