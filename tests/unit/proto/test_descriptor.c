#include "proto_unit.h"

#include "base/wire.h"

/* The protosets were written by protoc 3.21 from the .proto files beside them. */

static struct proto_pool *pool_of_set(const char *path) {
    struct proto_pool *pool = proto_pool_new();
    struct error err;
    struct buf bytes;
    buf_init(&bytes, BUF_NO_CAP);
    read_data(path, &bytes);
    if (proto_pool_add_set(pool, buf_slice(&bytes), &err) != 0 || proto_pool_build(pool, &err) != 0)
        fail_msg("%s: %s", path, err.text);
    buf_release(&bytes);
    return pool;
}

static void write_named(const struct proto_pool *pool, struct slice name, struct buf *out) {
    for (size_t i = 0; i < proto_pool_file_count(pool); i++)
        if (slice_eq(proto_pool_file_name(pool, i), name))
            assert_int_equal(proto_pool_write_file(pool, i, out), 0);
}

/* google/protobuf's files of protoc declare more options than ours. */
static bool is_compared(struct slice name) {
    return !slice_eq(name, SLICE("google/protobuf/descriptor.proto"));
}

static void check_same(const char *proto, const char *set) {
    struct proto_pool *parsed = pool_of_data(proto), *read = pool_of_set(set);
    size_t compared = 0;
    for (size_t i = 0; i < proto_pool_file_count(read); i++) {
        struct slice name = proto_pool_file_name(read, i);
        struct buf ours, theirs;
        buf_init(&ours, BUF_NO_CAP);
        buf_init(&theirs, BUF_NO_CAP);
        write_named(parsed, name, &ours);
        write_named(read, name, &theirs);
        if (is_compared(name)) {
            compared++;
            if (!slice_eq(buf_slice(&ours), buf_slice(&theirs)))
                fail_msg("%.*s differs:\n%s\n%s", SLICE_FMT(name), to_hex(buf_slice(&ours)),
                         to_hex(buf_slice(&theirs)));
        }
        buf_release(&ours);
        buf_release(&theirs);
    }
    assert_true(compared >= 2);
    proto_pool_unref(parsed);
    proto_pool_unref(read);
}

static void parsing_comes_to_what_protoc_writes(void **state) {
    (void)state;
    check_same("kitchen.proto", DATA "/kitchen.protoset");
    check_same("old.proto", DATA "/old.protoset");
}

/* As reflection answers: files one by one, the importing one first. */
static void files_are_added_in_any_order(void **state) {
    (void)state;
    struct proto_pool *all = pool_of_set(DATA "/kitchen.protoset"), *pool = proto_pool_new();
    struct error err;
    struct buf bytes;
    buf_init(&bytes, BUF_NO_CAP);
    for (size_t i = proto_pool_file_count(all); i-- > 0;) {
        if (slice_starts(proto_pool_file_name(all, i), SLICE("google/")))
            continue;
        buf_reset(&bytes);
        assert_int_equal(proto_pool_write_file(all, i, &bytes), 0);
        assert_int_equal(proto_pool_add_file(pool, buf_slice(&bytes), &err), 0);
        assert_int_equal(proto_pool_add_file(pool, buf_slice(&bytes), &err), 0); /* passed over */
        if (proto_pool_file_count(pool) == 1)
            assert_true(slice_eq(proto_pool_missing_file(pool), SLICE("sub/shared.proto")));
    }
    assert_int_equal(proto_pool_missing_file(pool).len, 0);
    assert_true(proto_pool_has_file(pool, SLICE("kitchen.proto")));
    assert_int_equal(proto_pool_build(pool, &err), 0);
    assert_non_null(proto_pool_find_method(pool, SLICE("/kitchen.v1.Kitchen/Share")));
    buf_release(&bytes);
    proto_pool_unref(all);
    proto_pool_unref(pool);
}

static void check_bad(const char *hex, const char *text) {
    struct proto_pool *pool = proto_pool_new();
    struct error err = {0};
    struct buf bytes;
    buf_init(&bytes, BUF_NO_CAP);
    from_hex(hex, strlen(hex), &bytes);
    int rc = proto_pool_add_set(pool, buf_slice(&bytes), &err);
    if (rc == 0)
        rc = proto_pool_build(pool, &err);
    assert_int_not_equal(rc, 0);
    assert_string_equal(err.text, text);
    buf_release(&bytes);
    proto_pool_unref(pool);
}

static void bad_sets_are_refused(void **state) {
    (void)state;
    check_bad("0a05", "proto: cannot parse invalid wire-format data");
    check_bad("ff", "proto: cannot parse invalid wire-format data");
    check_bad("0a00", "proto: file path must be populated");
    /* name "a", dependency "b" */
    check_bad("0a060a01611a0162", "proto: could not resolve import \"b\": not found");
    /* syntax "x" */
    check_bad("0a060a0161620178", "proto: invalid syntax: \"x\"");
    /* message "M" with a field "f" number 0 */
    check_bad("0a0f0a0161220a0a014d12050a01661800",
              "proto: message field \"M.f\" has an invalid number");
    /* message "M" { field "f" = 1 of type_name ".N" } */
    check_bad("0a170a016122120a014d120d0a016618012001280b32022e4e",
              "proto: message field \"M.f\" cannot resolve type: \"N\" not found");
}

/* `depth` messages in each other, each with a name of that length. */
static int add_nested(size_t name_len, int depth) {
    struct buf type, outer, file, set;
    char name[400];
    struct error err;
    memset(name, 'n', sizeof name);
    buf_init(&type, BUF_NO_CAP);
    for (int i = 0; i < depth; i++) {
        buf_init(&outer, BUF_NO_CAP);
        buf_append_char(&outer, 0x0a);
        wire_put_text(&outer, slice_from(name, name_len));
        if (type.len > 0) {
            buf_append_char(&outer, 0x1a);
            wire_put_text(&outer, buf_slice(&type));
        }
        buf_release(&type);
        type = outer;
    }
    buf_init(&file, BUF_NO_CAP);
    buf_append(&file, "\x0a\x01\x61\x22", 4);
    wire_put_text(&file, buf_slice(&type));
    buf_init(&set, BUF_NO_CAP);
    buf_append_char(&set, 0x0a);
    wire_put_text(&set, buf_slice(&file));
    struct proto_pool *pool = proto_pool_new();
    int rc = proto_pool_add_set(pool, buf_slice(&set), &err);
    proto_pool_unref(pool);
    buf_release(&type);
    buf_release(&file);
    buf_release(&set);
    return rc;
}

static void names_and_nesting_have_caps(void **state) {
    (void)state;
    assert_int_equal(add_nested(200, 2), 0);
    assert_int_equal(add_nested(300, 1), KE_INVALID);
    assert_int_equal(add_nested(200, 3), KE_TOO_LARGE);
    assert_int_equal(add_nested(1, 32), 0);
    assert_int_equal(add_nested(1, 33), KE_INVALID);
}

static void builtin_types_are_there_without_an_import(void **state) {
    (void)state;
    const struct proto_type *status = proto_builtin_message(SLICE("google.rpc.Status"));
    assert_non_null(status);
    assert_true(slice_eq(proto_type_name(status), SLICE("google.rpc.Status")));
    assert_non_null(proto_builtin_message(SLICE("google.protobuf.FileDescriptorProto")));
    assert_null(proto_builtin_message(SLICE("google.rpc.Nothing")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parsing_comes_to_what_protoc_writes),
        cmocka_unit_test(files_are_added_in_any_order),
        cmocka_unit_test(bad_sets_are_refused),
        cmocka_unit_test(names_and_nesting_have_caps),
        cmocka_unit_test(builtin_types_are_there_without_an_import),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
