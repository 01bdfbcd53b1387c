/* The methods of the gRPC services, without the network: a message in, messages out. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    GRPC_STATUS_OK,
    GRPC_STATUS_NOT_FOUND = 5,
    GRPC_STATUS_EXHAUSTED = 8,
    GRPC_STATUS_UNIMPLEMENTED = 12,
    GRPC_STATUS_INTERNAL = 13
};

struct grpc_answer {
    struct buf message; /* when has_message */
    bool has_message;
    bool stays_open; /* the call goes on although the client has said all (Watch) */
    int status;
    char words[160];
};

struct grpc_method {
    const char *path; /* "/quickpizza.GRPC/Status" */
    bool is_stream;   /* answers each message as it comes; otherwise there is exactly one */
    /* Fills in answer, which is zeroed and has its message init'ed. */
    void (*call)(struct slice request, struct grpc_answer *answer);
};

/* NULL when there is none; scratch then holds what grpc-go says of it. */
const struct grpc_method *grpc_method_find(struct slice path, char scratch[160]);
