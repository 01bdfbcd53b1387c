/* layer: proto
 * The first byte chooses a type and the direction; the rest is JSON or wire bytes. What one
 * direction takes, the other takes back, and the JSON text is the same from then on. */
#include "fuzz.h"

#include <string.h>

#include "base/check.h"
#include "proto/proto.h"

static const char new_text[] =
    "syntax = \"proto3\"; package f;"
    "import \"google/protobuf/any.proto\"; import \"google/protobuf/duration.proto\";"
    "import \"google/protobuf/field_mask.proto\"; import \"google/protobuf/struct.proto\";"
    "import \"google/protobuf/timestamp.proto\"; import \"google/protobuf/wrappers.proto\";"
    "enum E { ZERO = 0; ONE = 1; MINUS = -1; }"
    "message Scalars { double d = 1; float f = 2; int32 i = 3; int64 l = 4; uint32 u = 5;"
    " uint64 ul = 6; sint32 s = 7; sint64 sl = 8; fixed32 x = 9; fixed64 xl = 10; sfixed32 y = 11;"
    " sfixed64 yl = 12; bool b = 13; string t = 14; bytes o = 15; E e = 16; }"
    "message Nested { repeated Nested list = 1; map<string, Nested> map = 2; oneof one {"
    " Nested a = 3; string b = 4; int32 c = 5; } optional int32 maybe = 6; repeated sint64 ns = 7;"
    " repeated string ss = 8; map<int32, E> es = 9; map<bool, bytes> bs = 10; Scalars scalars = 11;"
    " map<uint64, Scalars> by = 12; repeated double ds = 13; }"
    "message Known { google.protobuf.Any any = 1; google.protobuf.Duration d = 2;"
    " google.protobuf.Timestamp t = 3; google.protobuf.FieldMask m = 4;"
    " google.protobuf.Struct s = 5; google.protobuf.Value v = 6; google.protobuf.ListValue l = 7;"
    " google.protobuf.FloatValue f = 9;"
    " google.protobuf.BytesValue b = 10; google.protobuf.Int64Value i = 11;"
    " repeated google.protobuf.Value vs = 12; }";

static const char old_text[] =
    "syntax = \"proto2\"; package f;"
    "message Old { required int32 r = 1; optional group G = 2 { optional Old o = 1; }"
    " repeated group L = 3 { required string s = 1; } optional string t = 4; repeated int32 p = 5;"
    " repeated fixed32 q = 6 [packed = true]; }";

static int read_text(void *ctx, const char *path, struct buf *out, struct error *err) {
    (void)ctx;
    if (strcmp(path, "new.proto") == 0)
        return buf_append_str(out, new_text);
    if (strcmp(path, "old.proto") == 0)
        return buf_append_str(out, old_text);
    return error_set(err, KE_NOT_FOUND, "open %s: no such file or directory", path);
}

static const struct proto_type *type_of(unsigned i) {
    static const char *const names[] = {"f.Scalars", "f.Nested", "f.Known", "f.Old"};
    static struct proto_pool *pool;
    struct slice files[] = {SLICE("new.proto"), SLICE("old.proto")};
    struct error err;
    if (pool == NULL) {
        struct proto_source source = {.read = read_text};
        pool = proto_pool_new();
        CHECK(proto_pool_parse(pool, &source, files, 2, &err) == 0);
        CHECK(proto_pool_build(pool, &err) == 0);
    }
    return proto_pool_find_message(pool, slice_cstr(names[i % countof(names)]));
}

/* Levels of the wire and of JSON are not the same: a Struct has three where JSON has one. */
static bool is_about_depth(const struct error *err) {
    return strstr(err->text, "recursion depth") != NULL || err->code == KE_TOO_LARGE;
}

static void there_and_back(const struct proto_type *type, struct slice wire) {
    struct proto_json_options options = {.is_emit_unpopulated = false};
    struct buf json, again, bytes;
    struct error err = {0};
    buf_init(&json, 1 << 22);
    buf_init(&again, 1 << 22);
    buf_init(&bytes, 1 << 22);
    int rc = proto_decode_json(type, wire, &options, &json, &err);
    CHECK(rc == 0 || err.text[0]);
    if (rc == 0) {
        rc = proto_encode_json(type, buf_slice(&json), &options, &bytes, &err);
        CHECK(rc == 0 || is_about_depth(&err));
    }
    if (rc == 0) {
        rc = proto_decode_json(type, buf_slice(&bytes), &options, &again, &err);
        CHECK(rc == 0 || is_about_depth(&err));
        CHECK(rc != 0 || slice_eq(buf_slice(&json), buf_slice(&again)));
    }
    buf_release(&json);
    buf_release(&again);
    buf_release(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes == 0)
        return 0;
    const struct proto_type *type = type_of(data[0] & 3);
    struct slice input = slice_from((const char *)data + 1, bytes - 1);
    if (data[0] & 4) {
        there_and_back(type, input);
        return 0;
    }
    struct buf wire;
    struct error err = {0};
    buf_init(&wire, 1 << 20);
    int rc = proto_encode_json(type, input, NULL, &wire, &err);
    CHECK(rc == 0 || err.text[0]);
    if (rc == 0)
        there_and_back(type, buf_slice(&wire));
    buf_release(&wire);
    return 0;
}
