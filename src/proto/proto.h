/* Protocol buffers without generated code: descriptors read at run time (from .proto files, a
 * protoset, or a server's reflection), and messages between protojson text and wire bytes. proto2,
 * proto3 and editions 2023. Follows google.golang.org/protobuf (protojson, protodesc), whose texts
 * k6 shows, and for .proto files protocompile.
 *
 *     struct proto_pool *pool = proto_pool_new();
 *     proto_pool_parse(pool, &source, files, 1, &err);     and/or proto_pool_add_set, _add_file
 *     proto_pool_build(pool, &err);                        from here on nothing in it changes
 *     const struct proto_method *m = proto_pool_find_method(pool,
 * SLICE("/greet.v1.Greeter/SayHello")); proto_encode_json(m->input, SLICE("{\"name\":\"a\"}"),
 * NULL, &wire, &err); proto_decode_json(m->output, buf_slice(&wire), &options, &json, &err);
 *
 * A pool that was built is read by any number of threads at once; before that it belongs to one.
 * Methods, types and their slices live as long as their pool: who keeps one holds a reference.
 * Nothing here yields. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

struct proto_pool;
struct proto_type; /* a message type */

/* Caps: messages may be nested this deep in JSON, and three times as deep on the wire, where a
 * Struct takes three levels (Go has 10000, which no stack of a fiber holds); a descriptor or .proto
 * file may be this long, and a pool may have this many. */
#define PROTO_DEPTH_MAX 100
#define PROTO_FILE_BYTES_MAX ((size_t)16 << 20)
#define PROTO_FILES_MAX 4096

/* ---------------------------------------------------------------- pools */

/* Empty, with one reference. google/protobuf's own files (any, api, descriptor, duration, empty,
 * field_mask, source_context, struct, timestamp, type, wrappers) are found by whoever imports them.
 */
struct proto_pool *proto_pool_new(void);
/* From any thread. */
struct proto_pool *proto_pool_ref(struct proto_pool *pool);
void proto_pool_unref(struct proto_pool *pool); /* NULL is fine */

/* Adds the files of a serialized google.protobuf.FileDescriptorSet (a protoset), or one serialized
 * FileDescriptorProto. Any order: imports are resolved by proto_pool_build. A file whose name is
 * there already is passed over. The bytes are copied. KE_INVALID (`proto: cannot parse invalid
 * wire-format data`) or KE_TOO_LARGE; on an error the pool is good for proto_pool_unref only. */
int proto_pool_add_set(struct proto_pool *pool, struct slice bytes, struct error *err);
int proto_pool_add_file(struct proto_pool *pool, struct slice bytes, struct error *err);
bool proto_pool_has_file(const struct proto_pool *pool, struct slice name);
/* Before proto_pool_build: the name of a file that an added one imports and that nobody added and
 * is not built in (what a reflection client asks for next), or a slice of length 0. */
struct slice proto_pool_missing_file(const struct proto_pool *pool);

/* How .proto files are read. */
struct proto_source {
    /* Appends the text of the file to out; KE_NOT_FOUND lets the next import path be tried,
     * anything else ends the load. err says why in words (`open /x/none.proto: no such file or
     * directory`). */
    int (*read)(void *ctx, const char *path, struct buf *out, struct error *err);
    void *ctx;
    const struct slice *import_paths; /* joined as Go's filepath.Join; none: paths as they are */
    size_t import_path_count;
};

/* Parses .proto files and all that they import (public, weak, built in). KE_INVALID with the
 * position
 * (`greet.proto:3:9: syntax error: unexpected ';'`), KE_NOT_FOUND, or what read() gave; on an error
 * the pool is good for proto_pool_unref only. References between files are checked by
 * proto_pool_build. */
int proto_pool_parse(struct proto_pool *pool, const struct proto_source *source,
                     const struct slice *files, size_t file_count, struct error *err);

/* Links the files: names, types, options that change the wire. Called once, last. KE_INVALID with
 * words of protocompile for parsed files (`a.proto:5:3: field x.M.f: unknown type Nope`) and of
 * protodesc for descriptors (`proto: could not resolve import "b.proto": not found`). */
int proto_pool_build(struct proto_pool *pool, struct error *err);

/* Once a process: the pool under this key (say, "load" with paths and files), made by build() by
 * the first who asks while the others wait. build() fills a new pool and need not call
 * proto_pool_build. It must not yield. A failure is not kept. *out_pool is a reference of the
 * caller. From any thread. */
int proto_pool_shared(struct slice key,
                      int (*build)(void *ctx, struct proto_pool *pool, struct error *err),
                      void *ctx, struct proto_pool **out_pool, struct error *err);

/* ---------------------------------------------------------------- what is in a pool (built) */

struct proto_method {
    struct slice path;         /* /greet.v1.Greeter/SayHello */
    struct slice name;         /* SayHello */
    struct slice package;      /* greet.v1; may be empty */
    struct slice service;      /* Greeter */
    struct slice service_full; /* greet.v1.Greeter */
    const struct proto_type *input, *output;
    bool is_client_stream, is_server_stream;
};

/* All methods: files in the order they were added (imports after who imports them), then services
 * and methods as declared: what client.load() returns. */
size_t proto_pool_method_count(const struct proto_pool *pool);
const struct proto_method *proto_pool_method(const struct proto_pool *pool, size_t i);
/* By path, with or without its first '/'. NULL when there is none. */
const struct proto_method *proto_pool_find_method(const struct proto_pool *pool, struct slice path);
/* By full name (`greet.v1.HelloReply`), built-in files that were imported included. */
const struct proto_type *proto_pool_find_message(const struct proto_pool *pool,
                                                 struct slice full_name);
struct slice proto_type_name(const struct proto_type *type);
/* A type of the process's own pool, which holds google/protobuf's files and
 * google/rpc/status.proto: `google.rpc.Status` of grpc-status-details-bin. NULL when it has none.
 * From any thread. */
const struct proto_type *proto_builtin_message(struct slice full_name);

/* Appends file i as a serialized FileDescriptorProto, without options that kiln does not know.
 * Names of its messages, enums, services, methods and extensions can be asked for with
 * proto_pool_file_of. */
size_t proto_pool_file_count(const struct proto_pool *pool);
struct slice proto_pool_file_name(const struct proto_pool *pool, size_t i);
int proto_pool_write_file(const struct proto_pool *pool, size_t i, struct buf *out);
/* The file that declares this full name; SIZE_MAX when none does. */
size_t proto_pool_file_of(const struct proto_pool *pool, struct slice full_name);

/* ---------------------------------------------------------------- messages */

struct proto_json_options {
    bool is_emit_unpopulated; /* decode: fields that are not set are written, as k6 does */
    bool is_proto_names;      /* decode: names as in the .proto file instead of lowerCamelCase */
    /* Where the types of google.protobuf.Any are looked for after the message's own pool. */
    const struct proto_pool *const *pools;
    size_t pool_count;
};

/* protojson text → wire bytes, appended to out (whose cap is the cap of a message; KE_TOO_LARGE
 * leaves out as it was, as every error does). Both JSON names and .proto names of fields are taken.
 * options may be NULL. KE_INVALID with protojson's text: `proto: (line 1:2): unknown field "nope"`,
 * `proto: syntax error (line 1:1): unexpected token …`, `proto: required field x.M.f not set`. */
int proto_encode_json(const struct proto_type *type, struct slice json,
                      const struct proto_json_options *options, struct buf *out, struct error *err);

/* Wire bytes → protojson text, appended to out. Fields in the order of their declaration, map keys
 * sorted as protojson does; 64-bit integers are strings, bytes base64, enums their names (numbers
 * when unknown). Unknown fields are skipped. options may be NULL. KE_INVALID with proto.Unmarshal's
 * text
 * (`proto: cannot parse invalid wire-format data`, `string field contains invalid UTF-8`) or
 * protojson.Marshal's; on any error out is left as it was. */
int proto_decode_json(const struct proto_type *type, struct slice wire,
                      const struct proto_json_options *options, struct buf *out, struct error *err);
