#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/error.h"

void buf_init(struct buf *b, size_t cap_bytes) {
    *b = (struct buf){.cap = cap_bytes};
}

void buf_release(struct buf *b) {
    free(b->ptr);
    b->ptr = NULL;
    b->len = b->alloc = 0;
}

void buf_reset(struct buf *b) {
    b->len = 0;
}

/* One byte more than asked is always there, for the NUL of buf_cstr; the cap counts content only.
 */
int buf_reserve(struct buf *b, size_t more) {
    size_t need;
    if (likely(b->alloc > b->len && more < b->alloc - b->len))
        return more <= b->cap - b->len ? 0 : KE_TOO_LARGE;
    if (__builtin_add_overflow(b->len, more, &need) || need > b->cap || need == SIZE_MAX)
        return KE_TOO_LARGE;
    need++;
    size_t alloc = b->alloc < 64 ? 64 : b->alloc + b->alloc / 2;
    if (alloc < need)
        alloc = need;
    b->ptr = xrealloc(b->ptr, alloc);
    b->alloc = alloc;
    return 0;
}

int buf_append(struct buf *b, const void *ptr, size_t len) {
    if (len == 0)
        return 0;
    int rc = buf_reserve(b, len);
    if (rc != 0)
        return rc;
    memcpy(b->ptr + b->len, ptr, len);
    b->len += len;
    return 0;
}

int buf_append_slice(struct buf *b, struct slice s) {
    return buf_append(b, s.ptr, s.len);
}

int buf_append_str(struct buf *b, const char *s) {
    return buf_append(b, s, strlen(s));
}

int buf_append_char(struct buf *b, char c) {
    return buf_append(b, &c, 1);
}

int buf_printf(struct buf *b, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int rc = buf_vprintf(b, fmt, ap);
    va_end(ap);
    return rc;
}

int buf_vprintf(struct buf *b, const char *fmt, va_list ap) {
    va_list again;
    va_copy(again, ap);
    size_t room = b->alloc - b->len;
    int len = vsnprintf(room ? b->ptr + b->len : NULL, room, fmt, ap);
    CHECK(len >= 0);
    int rc = buf_reserve(b, (size_t)len);
    if (rc == 0) {
        if ((size_t)len >= room)
            vsnprintf(b->ptr + b->len, (size_t)len + 1, fmt, again);
        b->len += (size_t)len;
    }
    va_end(again);
    return rc;
}

void buf_consume(struct buf *b, size_t n) {
    CHECK(n <= b->len);
    if (n == 0)
        return;
    b->len -= n;
    if (b->len > 0)
        memmove(b->ptr, b->ptr + n, b->len);
}

const char *buf_cstr(struct buf *b) {
    if (b->ptr == NULL)
        CHECK(buf_reserve(b, 0) == 0);
    b->ptr[b->len] = '\0';
    return b->ptr;
}

char *buf_detach(struct buf *b, size_t *out_len) {
    buf_cstr(b);
    char *ptr = b->ptr;
    if (out_len != NULL)
        *out_len = b->len;
    b->ptr = NULL;
    b->len = b->alloc = 0;
    return ptr;
}
