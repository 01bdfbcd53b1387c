#include "output/protobuf.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

#define VARINT_MAX 10

static size_t encode(unsigned char *out, uint64_t v) {
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        out[n++] = (unsigned char)(v | 0x80);
    out[n++] = (unsigned char)v;
    return n;
}

void pb_varint(struct buf *out, uint64_t v) {
    unsigned char bytes[VARINT_MAX];
    buf_append(out, bytes, encode(bytes, v));
}

static void put_key(struct buf *out, unsigned field, unsigned wire) {
    pb_varint(out, (uint64_t)field << 3 | wire);
}

void pb_uint(struct buf *out, unsigned field, uint64_t v) {
    put_key(out, field, WIRE_VARINT);
    pb_varint(out, v);
}

void pb_int(struct buf *out, unsigned field, int64_t v) {
    pb_uint(out, field, (uint64_t)v);
}

void pb_sint(struct buf *out, unsigned field, int64_t v) {
    pb_uint(out, field, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

static void put_64(unsigned char *bytes, uint64_t v) {
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(v >> (8 * i));
}

void pb_fixed64(struct buf *out, unsigned field, uint64_t v) {
    unsigned char bytes[8];
    put_64(bytes, v);
    put_key(out, field, WIRE_64);
    buf_append(out, bytes, sizeof bytes);
}

void pb_packed64(struct buf *out, unsigned field, const void *values, size_t n) {
    put_key(out, field, WIRE_BYTES);
    pb_varint(out, n * 8);
    buf_reserve(out, n * 8);
    for (size_t i = 0; i < n; i++, out->len += 8) {
        uint64_t bits;
        memcpy(&bits, (const char *)values + i * sizeof bits, sizeof bits);
        put_64((unsigned char *)out->ptr + out->len, bits);
    }
}

void pb_double(struct buf *out, unsigned field, double v) {
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    pb_fixed64(out, field, bits);
}

void pb_bytes(struct buf *out, unsigned field, struct slice v) {
    put_key(out, field, WIRE_BYTES);
    pb_varint(out, v.len);
    buf_append_slice(out, v);
}

/* One byte is kept for the length, as most messages are short; a longer one moves up at its end. */
size_t pb_begin(struct buf *out, unsigned field) {
    put_key(out, field, WIRE_BYTES);
    buf_append_char(out, 0);
    return out->len;
}

void pb_end(struct buf *out, size_t begin) {
    unsigned char bytes[VARINT_MAX];
    size_t len = out->len - begin, n = encode(bytes, len);
    if (n > 1) {
        buf_reserve(out, n - 1);
        memmove(out->ptr + begin + n - 1, out->ptr + begin, len);
        out->len += n - 1;
    }
    memcpy(out->ptr + begin - 1, bytes, n);
}

/* ---------------------------------------------------------------- reading */

struct pb_reader pb_reader_of(struct slice message) {
    const unsigned char *at = (const unsigned char *)message.ptr;
    return (struct pb_reader){at, at + message.len};
}

bool pb_read_varint(struct pb_reader *r, uint64_t *out) {
    uint64_t v = 0;
    for (unsigned shift = 0; r->at < r->end && shift < 64; shift += 7) {
        unsigned char byte = *r->at++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = v;
            return true;
        }
    }
    return false;
}

static bool read_fixed(struct pb_reader *r, size_t size, uint64_t *out) {
    uint64_t v = 0;
    if ((size_t)(r->end - r->at) < size)
        return false;
    for (size_t i = 0; i < size; i++)
        v |= (uint64_t)r->at[i] << (8 * i);
    r->at += size;
    *out = v;
    return true;
}

bool pb_read(struct pb_reader *r, struct pb_field *out) {
    uint64_t key, len;
    *out = (struct pb_field){0};
    if (!pb_read_varint(r, &key) || key >> 3 == 0 || key >> 32 != 0)
        return false;
    out->number = (unsigned)(key >> 3);
    switch (key & 7) {
    case WIRE_VARINT:
        return pb_read_varint(r, &out->value);
    case WIRE_64:
        return read_fixed(r, 8, &out->value);
    case WIRE_32:
        return read_fixed(r, 4, &out->value);
    case WIRE_BYTES:
        if (!pb_read_varint(r, &len) || len > (uint64_t)(r->end - r->at))
            return false;
        out->bytes = slice_from((const char *)r->at, (size_t)len);
        r->at += len;
        return true;
    default:
        return false;
    }
}
