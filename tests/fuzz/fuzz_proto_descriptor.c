/* layer: proto
 * A protoset from nowhere: it links or it is refused; messages of the types that link are read from
 * the same bytes. */
#include "fuzz.h"

#include "base/check.h"
#include "proto/proto.h"

static void read_as(const struct proto_type *type, struct slice bytes) {
    struct proto_json_options options = {.is_emit_unpopulated = true};
    struct buf json, wire;
    struct error err = {0};
    buf_init(&json, 1 << 20);
    buf_init(&wire, 1 << 20);
    if (proto_decode_json(type, bytes, &options, &json, &err) == 0)
        proto_encode_json(type, buf_slice(&json), NULL, &wire, &err);
    else
        CHECK(err.text[0]);
    buf_release(&json);
    buf_release(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    struct slice set = slice_from((const char *)data, bytes);
    struct proto_pool *pool = proto_pool_new();
    struct error err = {0};
    int rc = proto_pool_add_set(pool, set, &err);
    if (rc == 0)
        rc = proto_pool_build(pool, &err);
    CHECK(rc == 0 || err.text[0]);
    for (size_t i = 0; rc == 0 && i < proto_pool_method_count(pool); i++)
        read_as(proto_pool_method(pool, i)->input, set);
    proto_pool_unref(pool);
    return 0;
}
