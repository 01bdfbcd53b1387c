/* Messages as gRPC puts them on a stream: a flag, four bytes of length, the message. No I/O. */
#pragma once

#include <stdbool.h>

#include "grpc/grpc_status.h"

#define GRPC_PREFIX_BYTES 5

struct grpc_frame {
    bool is_compressed;
    struct slice message; /* a view */
    size_t bytes;         /* of it all */
};

void grpc_prefix_write(char out[GRPC_PREFIX_BYTES], size_t message_bytes);
/* Looks at the front of what came. 1: there is a message; 0: more has to come; -1: never a good
 * one, *status says why (too large a message is known from its prefix). */
int grpc_frame_read(struct slice in, size_t max_message_bytes, struct grpc_frame *out,
                    struct grpc_status *status);
/* The message itself: *out is a view of the frame's, or of room (grown up to the limit) when it was
 * compressed. encoding is the response's grpc-encoding, empty = none. False: *status says why. */
bool grpc_frame_open(const struct grpc_frame *f, struct slice encoding, size_t max_message_bytes,
                     struct buf *room, struct slice *out, struct grpc_status *status);
