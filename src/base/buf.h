/* Growing byte buffer. Each has a cap given at init: growth past it fails with KE_TOO_LARGE and
 * leaves the content as it was. The memory is freed by buf_release, or handed out by buf_detach. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "base/slice.h"

struct buf {
    char *ptr;
    size_t len;
    size_t alloc;
    size_t cap;
};

#define BUF_NO_CAP ((size_t)-1)

void buf_init(struct buf *b, size_t cap_bytes);
void buf_release(struct buf *b);
/* len = 0, memory kept for reuse. */
void buf_reset(struct buf *b);
/* Room for `more` further bytes after len; returns 0 or KE_TOO_LARGE. */
int buf_reserve(struct buf *b, size_t more);
int buf_append(struct buf *b, const void *ptr, size_t len);
int buf_append_slice(struct buf *b, struct slice s);
int buf_append_str(struct buf *b, const char *s);
int buf_append_char(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);
/* NUL-terminates (not counted in len) and returns the content, valid until the next change. */
const char *buf_cstr(struct buf *b);
/* Gives the NUL-terminated heap memory to the caller (free()), b becomes empty. */
char *buf_detach(struct buf *b, size_t *out_len);

static inline struct slice buf_slice(const struct buf *b) {
    return (struct slice){b->ptr, b->len};
}
