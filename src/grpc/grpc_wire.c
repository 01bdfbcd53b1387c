#include "grpc/grpc_wire.h"

#include "base/wire.h"

enum { VARINT, FIXED64, BYTES, START_GROUP, END_GROUP, FIXED32 };

static uint64_t little_endian(struct slice s) {
    uint64_t v = 0;
    for (size_t i = s.len; i-- > 0;)
        v = v << 8 | (unsigned char)s.ptr[i];
    return v;
}

bool grpc_wire_next(struct grpc_wire_reader *r, struct grpc_wire_field *out) {
    struct wire_reader w = {.rest = r->rest};
    if (r->is_bad || r->rest.len == 0)
        return false;
    uint64_t tag = wire_varint(&w);
    *out = (struct grpc_wire_field){.number = (uint32_t)(tag >> 3)};
    switch (tag & 7) {
    case VARINT:
        out->value = wire_varint(&w);
        break;
    case FIXED64:
        out->value = little_endian(wire_bytes(&w, 8));
        break;
    case BYTES:
        out->is_bytes = true;
        out->bytes = wire_text(&w);
        break;
    case FIXED32:
        out->value = little_endian(wire_bytes(&w, 4));
        break;
    default:
        w.is_bad = true;
        break;
    }
    r->rest = w.rest;
    r->is_bad = w.is_bad || tag >> 3 == 0 || tag >> 3 > UINT32_MAX;
    return !r->is_bad;
}

struct slice grpc_wire_find(struct slice message, uint32_t number) {
    struct grpc_wire_reader r = {.rest = message};
    struct grpc_wire_field f;
    struct slice found = {NULL, 0};
    while (grpc_wire_next(&r, &f)) {
        if (f.number == number && f.is_bytes)
            found = f.bytes;
    }
    return found;
}

void grpc_wire_put_bytes(struct buf *out, uint32_t number, struct slice bytes) {
    wire_put_varint(out, (uint64_t)number << 3 | BYTES);
    wire_put_text(out, bytes);
}
