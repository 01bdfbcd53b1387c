/* Writing of the protobuf wire format. Internal to proto/. */
#pragma once

#include "base/buf.h"
#include "base/check.h"
#include "base/error.h"
#include "proto/descriptor.h"

#define VARINT_BYTES 10

static inline int put_room(struct buf *out, size_t bytes) {
    if (likely(out->alloc - out->len > bytes && out->len + bytes <= out->cap))
        return 0;
    return buf_reserve(out, bytes);
}

/* There must be room. */
static inline void put_varint_at(struct buf *out, uint64_t v) {
    char *at = out->ptr + out->len;
    while (v >= 0x80) {
        *at++ = (char)(v | 0x80);
        v >>= 7;
    }
    *at++ = (char)v;
    out->len = (size_t)(at - out->ptr);
}

static inline void put_fixed_at(struct buf *out, uint64_t bits, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        out->ptr[out->len++] = (char)(bits >> 8 * i);
}

static inline void put_bytes_at(struct buf *out, const void *ptr, size_t len) {
    if (len > 0)
        memcpy(out->ptr + out->len, ptr, len);
    out->len += len;
}

/* The tag of one value. There must be room for 5 bytes. */
static inline void put_tag_at(struct buf *out, const struct proto_field *f) {
    if (likely(f->tag_len == 1))
        out->ptr[out->len++] = (char)f->tag[0];
    else
        put_bytes_at(out, f->tag, f->tag_len);
}

/* One byte for a length that is not known yet: put_length_end(out, the result) puts it in, and
 * moves what follows when it takes more. */
static inline int put_length_begin(struct buf *out, size_t *out_start) {
    int rc = put_room(out, 1);
    if (rc == 0)
        out->len++;
    *out_start = out->len;
    return rc;
}

static inline int put_length_end(struct buf *out, size_t start) {
    uint64_t len = out->len - start;
    if (likely(len < 0x80)) {
        out->ptr[start - 1] = (char)len;
        return 0;
    }
    size_t more = 0;
    for (uint64_t v = len >> 7; v > 0; v >>= 7)
        more++;
    int rc = put_room(out, more);
    if (rc != 0)
        return rc;
    memmove(out->ptr + start + more, out->ptr + start, len);
    out->len = start - 1;
    put_varint_at(out, len);
    out->len += len;
    return 0;
}
