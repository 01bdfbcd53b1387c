/* Reading of the protobuf wire format, for descriptors and messages alike. Internal to proto/. */
#pragma once

#include "base/check.h"
#include "proto/descriptor.h"

/* A varint at *at: false when it does not end in time or has too many bits. */
static inline bool read_varint(const uint8_t **at, const uint8_t *end, uint64_t *out) {
    const uint8_t *p = *at;
    if (likely(p < end && *p < 0x80)) {
        *out = *p;
        *at = p + 1;
        return true;
    }
    uint64_t v = 0;
    for (int shift = 0; shift < 64 && p < end; shift += 7) {
        uint64_t byte = *p++;
        if (shift == 63 && byte > 1)
            return false;
        v |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = v;
            *at = p;
            return true;
        }
    }
    return false;
}

static inline bool read_bytes(const uint8_t **at, const uint8_t *end, struct slice *out) {
    uint64_t len;
    if (!read_varint(at, end, &len) || len > (uint64_t)(end - *at))
        return false;
    *out = slice_from((const char *)*at, (size_t)len);
    *at += len;
    return true;
}

/* The value of an unknown field, groups included. depth: how many more groups may open. */
bool skip_field(const uint8_t **at, const uint8_t *end, uint32_t number, unsigned wire_type,
                unsigned depth);

struct wire_field {
    uint32_t number;
    unsigned type;
    uint64_t value;     /* of a varint */
    struct slice bytes; /* of WIRE_BYTES */
};

/* The next field of a message that is walked field by field. 1 with *out, 0 at the end, or -1.
 * Other types than varints and bytes are passed over. */
int next_field(struct slice *rest, struct wire_field *out);
