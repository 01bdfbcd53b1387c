/* Statuses of gRPC calls: a code, words, and details (a serialized google.rpc.Status). What HTTP
 * and HTTP/2 say becomes a status by the tables of grpc-go, whose words k6 shows. */
#pragma once

#include <stdint.h>

#include "base/buf.h"

enum grpc_code {
    GRPC_OK,
    GRPC_CANCELED,
    GRPC_UNKNOWN,
    GRPC_INVALID_ARGUMENT,
    GRPC_DEADLINE_EXCEEDED,
    GRPC_NOT_FOUND,
    GRPC_ALREADY_EXISTS,
    GRPC_PERMISSION_DENIED,
    GRPC_RESOURCE_EXHAUSTED,
    GRPC_FAILED_PRECONDITION,
    GRPC_ABORTED,
    GRPC_OUT_OF_RANGE,
    GRPC_UNIMPLEMENTED,
    GRPC_INTERNAL,
    GRPC_UNAVAILABLE,
    GRPC_DATA_LOSS,
    GRPC_UNAUTHENTICATED,
    GRPC_CODES
};
/* "NotFound"; "Code(99)" in scratch beyond the known ones. */
const char *grpc_code_name(uint32_t code, char scratch[24]);

struct grpc_status {
    uint32_t code;
    struct buf message;
    struct buf details; /* of grpc-status-details-bin, decoded; empty = none */
};
void grpc_status_init(struct grpc_status *s);
void grpc_status_release(struct grpc_status *s);
void grpc_status_set(struct grpc_status *s, uint32_t code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* From grpc-status-details-bin: code and message are then those of the details, which must agree
 * with the code. Details that cannot be read are dropped. */
void grpc_status_take_details(struct grpc_status *s, struct slice bytes);
/* `rpc error: code = NotFound desc = no such person` */
void grpc_status_text(const struct grpc_status *s, struct buf *out);

/* The code for a response that is not gRPC's. */
uint32_t grpc_code_of_http(int status);
/* … for a RST_STREAM with that code of HTTP/2. */
uint32_t grpc_code_of_reset(uint32_t h2_code);
