/* Protobuf messages. Writing goes into a buf, an embedded message in place: its length is put
 * before it when it ends, so nothing is measured beforehand. */
#pragma once

#include "base/buf.h"

void pb_varint(struct buf *out, uint64_t v);
void pb_uint(struct buf *out, unsigned field, uint64_t v); /* uint32, uint64, int64 >= 0, enum */
void pb_int(struct buf *out, unsigned field, int64_t v);   /* int32, int64 */
void pb_sint(struct buf *out, unsigned field, int64_t v);  /* sint32, sint64 */
void pb_fixed64(struct buf *out, unsigned field, uint64_t v);
void pb_double(struct buf *out, unsigned field, double v);
void pb_bytes(struct buf *out, unsigned field, struct slice v); /* bytes, string, packed */
/* Packed fixed64, sfixed64 or double: n values of 8 bytes. */
void pb_packed64(struct buf *out, unsigned field, const void *values, size_t n);

/* Where a message begins; give it to pb_end. */
size_t pb_begin(struct buf *out, unsigned field);
void pb_end(struct buf *out, size_t begin);

/* Reads a message field by field. */
struct pb_reader {
    const unsigned char *at, *end;
};
struct pb_field {
    unsigned number;
    uint64_t value;     /* of a varint, or the bits of a fixed32 or fixed64 */
    struct slice bytes; /* of a string, bytes, a message or a packed field; else ptr NULL */
};
struct pb_reader pb_reader_of(struct slice message);
/* False at the end, and where what follows is no field. */
bool pb_read(struct pb_reader *r, struct pb_field *out);
/* A bare varint, as packed fields hold them. */
bool pb_read_varint(struct pb_reader *r, uint64_t *out);
