/* A decoded message: a tree in an arena, with the last value of every field. Strings and bytes are
 * views into the wire bytes, which must live as long. Internal to proto/. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "proto/descriptor.h"

struct proto_message;
struct proto_list;

union proto_value {
    uint64_t
        bits; /* as a 64-bit integer (sign extended), bool, enum, or bits of a double or float */
    struct {
        const char *ptr;
        uint32_t len;
    } bytes;
    struct proto_message *message;
    struct proto_list *list; /* a list, or the entries of a map */
};

struct proto_list {
    union proto_value *items;
    uint32_t len, alloc;
};

struct proto_message {
    const struct proto_type *type;
    uint64_t *set;             /* a bit a field */
    uint32_t *chosen;          /* a oneof: index + 1 of its field that is set */
    union proto_value *fields; /* by index; valid where set has the bit */
};

static inline bool message_has(const struct proto_message *m, uint32_t index) {
    return m->set[index / 64] >> index % 64 & 1;
}

/* Is the field written when unset ones are not? Fields without presence are not set when zero. */
bool message_is_populated(const struct proto_message *m, const struct proto_field *f);

/* A Struct is three messages deep on the wire where JSON is one: what encodes, decodes. */
#define WIRE_DEPTH_MAX (3 * PROTO_DEPTH_MAX)

/* Decodes wire bytes with at most depth messages in each other. KE_INVALID with proto.Unmarshal's
 * text, a missing required field included unless is_partial. */
int message_decode(const struct proto_type *type, struct slice wire, bool is_partial,
                   unsigned depth, struct arena *arena, struct proto_message **out,
                   struct error *err);
