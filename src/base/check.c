#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void check_failed(const char *file, int line, const char *expr) {
    fprintf(stderr, "%s:%d: check failed: %s\n", file, line, expr);
    abort();
}

static void *checked(void *ptr) {
    if (unlikely(ptr == NULL)) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return ptr;
}

/* malloc(0) may be NULL: ask for a byte, so that NULL always means exhaustion. */
void *xmalloc(size_t bytes) {
    return checked(malloc(bytes ? bytes : 1));
}

void *xcalloc(size_t count, size_t bytes) {
    if (count == 0 || bytes == 0)
        count = bytes = 1;
    return checked(calloc(count, bytes));
}

void *xrealloc(void *ptr, size_t bytes) {
    return checked(realloc(ptr, bytes ? bytes : 1));
}

char *xstrdup(const char *s) {
    return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t len) {
    char *copy = xmalloc(len + 1);
    if (len > 0)
        memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *xasprintf(const char *fmt, ...) {
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int len = vasprintf(&text, fmt, ap);
    va_end(ap);
    return checked(len < 0 ? NULL : text);
}
