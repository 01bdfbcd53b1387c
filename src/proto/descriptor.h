/* What a pool holds: files and what they declare. The parser and the descriptor reader fill the
 * same structs with names, link.c turns names into pointers and makes the tables that the codec
 * reads. Everything lives in the pool's arena. Internal to proto/. */
#pragma once

#include <stdatomic.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "proto/proto.h"

/* Messages in messages in a .proto file or descriptor; no file of the field comes near. */
#define PROTO_NESTING_MAX 32
#define PROTO_NUMBER_MAX 536870911

/* printf arguments for "%.*s", cut to what an error can hold. */
#define SHOWN(s) ((s).len > 200 ? 200 : (int)(s).len), (s).ptr

/* Returns what went wrong, if anything did. */
#define TRY(call)         \
    do {                  \
        int rc_ = (call); \
        if (rc_ != 0)     \
            return rc_;   \
    } while (0)

/* Growing array in an arena. */
#define LIST(T)              \
    struct {                 \
        T *ptr;              \
        uint32_t len, alloc; \
    }
#define list_push(arena, l, ...)                                                      \
    (list_grow((arena), (void **)&(l)->ptr, (l)->len, &(l)->alloc, sizeof *(l)->ptr), \
     (l)->ptr[(l)->len++] = (__VA_ARGS__))
void list_grow(struct arena *a, void **ptr, uint32_t len, uint32_t *alloc, size_t item_bytes);
void *arena_zalloc(struct arena *a, size_t bytes);
struct slice arena_slice(struct arena *a, struct slice s);
/* "a.b" from "a" and "b", "b" from "" and "b". */
struct slice full_name_of(struct arena *a, struct slice scope, struct slice name);
/* Without its last part; empty when there is one part. */
struct slice parent_name(struct slice full_name);
/* foo_bar → fooBar (protoc's rule). */
struct slice json_name_of(struct arena *a, struct slice name);

/* Where in a .proto file; line 0 when it came as a descriptor. */
struct proto_pos {
    uint32_t line, column;
};

/* FieldDescriptorProto.Type */
enum proto_kind {
    KIND_UNKNOWN, /* a name that is not resolved yet */
    KIND_DOUBLE,
    KIND_FLOAT,
    KIND_INT64,
    KIND_UINT64,
    KIND_INT32,
    KIND_FIXED64,
    KIND_FIXED32,
    KIND_BOOL,
    KIND_STRING,
    KIND_GROUP,
    KIND_MESSAGE,
    KIND_BYTES,
    KIND_UINT32,
    KIND_ENUM,
    KIND_SFIXED32,
    KIND_SFIXED64,
    KIND_SINT32,
    KIND_SINT64,
    KIND_COUNT
};
extern const char *const proto_kind_names[KIND_COUNT];

enum proto_label { LABEL_NONE, LABEL_OPTIONAL, LABEL_REQUIRED, LABEL_REPEATED };
enum proto_syntax { SYNTAX_PROTO2, SYNTAX_PROTO3, SYNTAX_EDITIONS };

enum { WIRE_VARINT, WIRE_FIXED64, WIRE_BYTES, WIRE_START_GROUP, WIRE_END_GROUP, WIRE_FIXED32 };

/* google.protobuf.FeatureSet by field number, as far as it changes what is on the wire; 0 inherits.
 */
enum {
    FEATURE_PRESENCE = 1,
    FEATURE_ENUM,
    FEATURE_REPEATED,
    FEATURE_UTF8,
    FEATURE_MESSAGE,
    FEATURES
};
enum { PRESENCE_EXPLICIT = 1, PRESENCE_IMPLICIT, PRESENCE_REQUIRED };
enum { REPEATED_PACKED = 1, REPEATED_EXPANDED };
enum { UTF8_VERIFY = 2, UTF8_NONE };
enum { MESSAGE_PREFIXED = 1, MESSAGE_DELIMITED };

struct proto_features {
    uint8_t of[FEATURES];
};

struct proto_range {
    int64_t start, end; /* both in it */
    struct proto_pos pos;
};

struct proto_reserved_name {
    struct slice name;
    struct proto_pos pos;
};

typedef LIST(struct proto_range) proto_range_list;
typedef LIST(struct proto_reserved_name) proto_reserved_list;

struct proto_enum_value {
    struct slice name;
    int32_t number;
    struct proto_pos pos, number_pos;
};

struct proto_enum {
    struct slice name, full_name;
    LIST(struct proto_enum_value) values;
    proto_range_list reserved;
    proto_reserved_list reserved_names;
    struct proto_features features;
    struct proto_pos pos, name_pos;
    bool is_alias_allowed;
    bool is_null_value;
    /* linked: the first value of each number, by number */
    const struct proto_enum_value **by_number;
    uint32_t number_count;
};

struct proto_oneof {
    struct slice name, full_name;
    struct proto_pos pos, name_pos;
    uint32_t index, field_count;
    bool is_synthetic; /* of a proto3 optional */
};

struct proto_field {
    struct slice name, full_name;
    struct slice json_name; /* given, or made when linked */
    struct slice json_key;  /* "name": */
    struct slice proto_key;
    uint32_t number;
    uint32_t index;    /* in its type */
    uint8_t kind;      /* enum proto_kind */
    uint8_t label;     /* enum proto_label */
    uint8_t packed;    /* option: 0 not given, 1 true, 2 false */
    uint8_t wire_type; /* of one value */
    uint8_t tag_len;   /* with wire_type; a packed list differs in the type only */
    uint8_t tag[5];
    bool is_proto3_optional;
    bool is_extension;
    /* linked */
    bool is_list, is_map, is_packed, is_required;
    bool has_presence;
    bool is_utf8; /* a string that must be valid */
    struct proto_oneof *oneof;
    const struct proto_type *message;
    const struct proto_enum *enumeration;
    /* as declared */
    int32_t oneof_index;   /* -1: none */
    uint8_t declared_kind; /* linked: kind before features.message_encoding */
    struct slice type_name, extendee, default_text, scope;
    struct slice extended_name; /* linked: full name of what it extends */
    bool has_default;
    struct proto_features features;
    struct proto_pos pos, name_pos, type_pos, number_pos, extendee_pos;
};

/* Types with a JSON form of their own. */
enum proto_known {
    KNOWN_NONE,
    KNOWN_ANY,
    KNOWN_TIMESTAMP,
    KNOWN_DURATION,
    KNOWN_WRAPPER,
    KNOWN_STRUCT,
    KNOWN_LIST_VALUE,
    KNOWN_VALUE,
    KNOWN_FIELD_MASK,
    KNOWN_EMPTY
};

struct proto_type {
    struct slice name, full_name;
    LIST(struct proto_field *) fields; /* as declared */
    uint8_t known;                     /* enum proto_known */
    bool is_map_entry, is_message_set;
    uint32_t oneof_count, required_count;
    /* linked: fields by number, dense up to number_dense, then sorted */
    struct proto_field **by_number;
    struct proto_field **sorted; /* all, by number */
    uint32_t number_dense;
    /* linked: JSON names and names, open addressing; index + 1 */
    uint16_t *names;
    uint32_t names_mask;
    struct proto_pool *pool;
    /* as declared */
    LIST(struct proto_type *) messages;
    LIST(struct proto_enum *) enums;
    LIST(struct proto_field *) declared_extensions;
    LIST(struct proto_oneof *) oneofs;
    proto_range_list extension_ranges;
    proto_range_list reserved;
    proto_reserved_list reserved_names;
    struct proto_features features;
    struct proto_pos pos, name_pos;
};

struct proto_rpc {
    struct slice name, input_name, output_name;
    const struct proto_type *input, *output;
    bool is_client_stream, is_server_stream;
    struct proto_pos name_pos, input_pos, output_pos;
};

struct proto_service {
    struct slice name, full_name;
    LIST(struct proto_rpc) rpcs;
    struct proto_pos name_pos;
};

struct proto_import {
    struct slice name;
    bool is_public, is_weak;
    struct proto_pos pos;
    struct proto_file *file; /* linked */
};

struct proto_file {
    struct slice name, package;
    struct proto_pos package_pos;
    enum proto_syntax syntax;
    int32_t edition; /* of SYNTAX_EDITIONS */
    bool is_parsed;  /* from text: positions are known, errors speak as protocompile does */
    LIST(struct proto_import) imports;
    LIST(struct proto_type *) messages;
    LIST(struct proto_enum *) enums;
    LIST(struct proto_field *) extensions;
    LIST(struct proto_service *) services;
    struct proto_features features;
    uint32_t index;
    uint32_t seen; /* stamp of a walk */
};

enum symbol_kind {
    SYMBOL_PACKAGE,
    SYMBOL_MESSAGE,
    SYMBOL_ENUM,
    SYMBOL_ENUM_VALUE,
    SYMBOL_FIELD,
    SYMBOL_EXTENSION,
    SYMBOL_ONEOF,
    SYMBOL_SERVICE,
    SYMBOL_METHOD
};

struct symbol {
    enum symbol_kind kind;
    const struct proto_file *file; /* NULL for packages */
    struct proto_pos pos;
    void *item;
};

struct proto_pool {
    atomic_int refs;
    bool is_built;
    bool has_required; /* fields, somewhere */
    uint32_t declared; /* by descriptors: fields, messages, enum values */
    uint32_t stamp;
    struct arena arena;
    LIST(struct proto_file *) files; /* built-in ones after those that were added */
    struct map files_by_name;
    struct map symbols;
    LIST(struct proto_method) methods;
    struct map methods_by_path;
    struct map extensions; /* "extended type/number" → field */
};

/* ---------------------------------------------------------------- pool.c */

struct proto_file *pool_file(const struct proto_pool *pool, struct slice name);
struct proto_file *pool_new_file(struct proto_pool *pool, struct slice name);
/* `FILE:LINE:COLUMN: ` before the words, `proto: ` when the position is not known. */
int proto_error_at(struct error *err, const struct proto_file *file, struct proto_pos pos,
                   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* ---------------------------------------------------------------- parser.c */

/* Parses text as the file of that name into the pool; its imports are names only. The text need not
 * outlive the call. */
int proto_parse_text(struct proto_pool *pool, struct slice name, struct slice text,
                     struct proto_file **out_file, struct error *err);

/* ---------------------------------------------------------------- validate.c */

/* What protocompile checks of one file by itself. */
int proto_validate(struct proto_pool *pool, struct proto_file *file, struct error *err);

/* ---------------------------------------------------------------- builtin.c */

/* Text of google/protobuf and what else is built in; ptr NULL when there is none. */
struct slice builtin_text(struct slice name);
/* google/protobuf only, as far as an import without such a file finds it */
bool builtin_has(struct slice name);

/* ---------------------------------------------------------------- lookups for the codec (link.c)
 */

const struct proto_field *type_field_by_number(const struct proto_type *type, uint32_t number);
/* By JSON name, then by name. hint: the index it probably has. */
const struct proto_field *type_field_by_name(const struct proto_type *type, struct slice name,
                                             uint32_t hint);
const struct proto_enum_value *enum_value_by_number(const struct proto_enum *e, int32_t number);
const struct proto_enum_value *enum_value_by_name(const struct proto_enum *e, struct slice name);
