/* Metadata of calls: names with values, several for a name. Names that end in -bin hold bytes,
 * which travel in base64. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct grpc_pair {
    struct slice name, value; /* on the heap, of the metadata */
};

struct grpc_metadata {
    struct grpc_pair *pairs;
    size_t len, alloc;
};

void grpc_metadata_release(struct grpc_metadata *md);
/* Copies; the name in lower case. The value is bytes, not yet encoded. */
void grpc_metadata_add(struct grpc_metadata *md, struct slice name, struct slice value);
bool grpc_name_is_binary(struct slice name);
/* Names that a call sets itself: metadata of that name is not sent, and not shown. */
bool grpc_name_is_reserved(struct slice name);
/* What grpc-go says of metadata that HTTP cannot carry, or NULL. Heap string. */
char *grpc_metadata_problem(const struct grpc_metadata *md);

/* The value as it travels, appended; and back: false when it is no base64. */
void grpc_value_encode(struct buf *out, struct slice name, struct slice value);
bool grpc_value_decode(struct buf *out, struct slice name, struct slice value);

/* "250m": grpc-timeout for that long. */
void grpc_timeout_text(int64_t timeout_ns, char out[24]);
