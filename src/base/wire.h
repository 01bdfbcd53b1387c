/* Numbers and texts of our own binary files: little-endian, LEB128 varints. Reading checks every
 * length; after the first thing that does not fit, a reader is bad and gives zeros. */
#pragma once

#include "base/buf.h"

void wire_put_varint(struct buf *out, uint64_t v);
void wire_put_u32(struct buf *out, uint32_t v);
void wire_put_double(struct buf *out, double v);
/* Length, then the bytes. */
void wire_put_text(struct buf *out, struct slice s);

struct wire_reader {
    struct slice rest;
    bool is_bad;
};

uint64_t wire_varint(struct wire_reader *r);
uint32_t wire_u32(struct wire_reader *r);
double wire_double(struct wire_reader *r);
/* A view into what is read. */
struct slice wire_text(struct wire_reader *r);
struct slice wire_bytes(struct wire_reader *r, size_t n);
/* A varint that says how many items of at least item_bytes follow: bad when there is no room. */
size_t wire_count(struct wire_reader *r, size_t item_bytes);
static inline bool wire_at_end(const struct wire_reader *r) {
    return r->is_bad || r->rest.len == 0;
}
