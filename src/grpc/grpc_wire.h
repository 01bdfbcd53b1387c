/* Protocol buffers' wire format for the few messages that gRPC itself is made of (statuses, health,
 * reflection). Messages of scripts go through proto/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct grpc_wire_reader {
    struct slice rest;
    bool is_bad; /* what came is no message; nothing more is read */
};

struct grpc_wire_field {
    uint32_t number;
    bool is_bytes;      /* a string, bytes or a message; otherwise a number */
    struct slice bytes; /* a view */
    uint64_t value;
};

/* The next field; groups are refused. False at the end. */
bool grpc_wire_next(struct grpc_wire_reader *r, struct grpc_wire_field *out);
/* The last field of that number that holds bytes; ptr NULL when absent. */
struct slice grpc_wire_find(struct slice message, uint32_t number);

void grpc_wire_put_bytes(struct buf *out, uint32_t number, struct slice bytes);
