/* From protojson text to wire bytes, in one pass without a tree: lengths are put in when a message
 * ends. encode.c has messages, lists, maps and scalars, encode_known.c the well-known types. */
#pragma once

#include "proto/descriptor.h"
#include "proto/json_token.h"
#include "proto/put.h"

struct encoder {
    struct json_reader r;
    struct buf *out;
    struct arena *arena;
    struct buf *scratch;
    const struct proto_json_options *options; /* never NULL */
    const struct proto_pool *pool;            /* of the outermost message */
    unsigned depth;
    unsigned any_depth; /* in an Any nothing is required */
    const struct proto_field *missing;
    unsigned missing_depth;
};

/* A scalar on its way: bits as they go on the wire, or bytes. */
struct scalar {
    uint64_t bits;
    struct slice bytes;
};

int encode_too_large(struct encoder *e);

/* The fields of a message, without tag and length. token: its first one, which was read. */
int encode_message(struct encoder *e, const struct proto_type *type, const struct json_token *token,
                   bool is_in_any);
/* encode_message of types with a JSON form of their own. */
int encode_known(struct encoder *e, const struct proto_type *type, const struct json_token *token);
/* With tag and length (or as a group). */
int encode_field_message(struct encoder *e, const struct proto_field *f,
                         const struct json_token *token);
int encode_list(struct encoder *e, const struct proto_field *f, const struct json_token *token);
int encode_map(struct encoder *e, const struct proto_field *f, const struct json_token *token);
int encode_scalar(struct encoder *e, const struct proto_field *f, const struct json_token *token,
                  struct scalar *out);
/* Tag and value; unless it is zero and the field has no presence. */
int put_scalar_field(struct encoder *e, const struct proto_field *f, const struct scalar *v);
