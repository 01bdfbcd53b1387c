#include "base/wire.h"

#define VARINT_BYTES_MAX 10

void wire_put_varint(struct buf *out, uint64_t v) {
    while (v >= 0x80) {
        buf_append_char(out, (char)(v | 0x80));
        v >>= 7;
    }
    buf_append_char(out, (char)v);
}

static void put_little_endian(struct buf *out, uint64_t v, int bytes) {
    for (int i = 0; i < bytes; i++)
        buf_append_char(out, (char)(v >> (8 * i)));
}

void wire_put_u32(struct buf *out, uint32_t v) {
    put_little_endian(out, v, 4);
}

void wire_put_double(struct buf *out, double v) {
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    put_little_endian(out, bits, 8);
}

void wire_put_text(struct buf *out, struct slice s) {
    wire_put_varint(out, s.len);
    buf_append_slice(out, s);
}

struct slice wire_bytes(struct wire_reader *r, size_t n) {
    if (r->is_bad || n > r->rest.len) {
        r->is_bad = true;
        return SLICE("");
    }
    struct slice s = slice_from(r->rest.ptr, n);
    r->rest = slice_from(r->rest.ptr + n, r->rest.len - n);
    return s;
}

uint64_t wire_varint(struct wire_reader *r) {
    uint64_t v = 0;
    for (int i = 0; i < VARINT_BYTES_MAX; i++) {
        struct slice s = wire_bytes(r, 1);
        if (r->is_bad)
            return 0;
        uint64_t byte = (unsigned char)s.ptr[0];
        if (i == VARINT_BYTES_MAX - 1 && byte > 1)
            break;
        v |= (byte & 0x7f) << (7 * i);
        if (byte < 0x80)
            return v;
    }
    r->is_bad = true;
    return 0;
}

static uint64_t little_endian(struct wire_reader *r, size_t bytes) {
    struct slice s = wire_bytes(r, bytes);
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++)
        v |= (uint64_t)(unsigned char)s.ptr[i] << (8 * i);
    return v;
}

uint32_t wire_u32(struct wire_reader *r) {
    return (uint32_t)little_endian(r, 4);
}

double wire_double(struct wire_reader *r) {
    uint64_t bits = little_endian(r, 8);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

size_t wire_count(struct wire_reader *r, size_t item_bytes) {
    uint64_t n = wire_varint(r);
    if (n > r->rest.len / item_bytes)
        r->is_bad = true;
    return r->is_bad ? 0 : (size_t)n;
}

struct slice wire_text(struct wire_reader *r) {
    return wire_bytes(r, wire_count(r, 1));
}
