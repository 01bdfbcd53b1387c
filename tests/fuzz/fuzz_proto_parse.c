/* layer: proto
 * .proto files, divided by zero bytes: a.proto, b.proto and so on, which may import each other.
 * What links is written as descriptors, and those link to the same again. */
#include "fuzz.h"

#include <string.h>

#include "base/check.h"
#include "proto/proto.h"

static int read_part(void *ctx, const char *path, struct buf *out, struct error *err) {
    struct slice rest = *(struct slice *)ctx;
    for (char name = 'a'; name <= 'z' && rest.ptr != NULL; name++) {
        struct slice part = slice_cut(&rest, '\0');
        if (path[0] == name && strcmp(path + 1, ".proto") == 0)
            return buf_append_slice(out, part);
    }
    return error_set(err, KE_NOT_FOUND, "open %s: no such file or directory", path);
}

static void write_all(const struct proto_pool *pool, struct buf *out) {
    for (size_t i = 0; i < proto_pool_file_count(pool); i++)
        proto_pool_write_file(pool, i, out);
}

static void read_back(const struct proto_pool *pool) {
    struct proto_pool *again = proto_pool_new();
    struct buf file, before, after;
    struct error err;
    buf_init(&file, BUF_NO_CAP);
    buf_init(&before, BUF_NO_CAP);
    buf_init(&after, BUF_NO_CAP);
    write_all(pool, &before);
    for (size_t i = 0; i < proto_pool_file_count(pool); i++) {
        buf_reset(&file);
        CHECK(proto_pool_write_file(pool, i, &file) == 0);
        CHECK(proto_pool_add_file(again, buf_slice(&file), &err) == 0);
    }
    CHECK(proto_pool_build(again, &err) == 0);
    write_all(again, &after);
    CHECK(slice_eq(buf_slice(&before), buf_slice(&after)));
    buf_release(&file);
    buf_release(&before);
    buf_release(&after);
    proto_pool_unref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    struct slice text = slice_from((const char *)data, bytes), name = SLICE("a.proto");
    struct proto_source source = {.read = read_part, .ctx = &text};
    struct proto_pool *pool = proto_pool_new();
    struct error err = {0};
    int rc = proto_pool_parse(pool, &source, &name, 1, &err);
    if (rc == 0)
        rc = proto_pool_build(pool, &err);
    CHECK(rc == 0 || err.text[0]);
    if (rc == 0)
        read_back(pool);
    proto_pool_unref(pool);
    return 0;
}
