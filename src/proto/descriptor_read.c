#include <stdlib.h>

#include "proto/known.h"
#include "proto/wire_field.h"

bool skip_field(const uint8_t **at, const uint8_t *end, uint32_t number, unsigned wire_type,
                unsigned depth) {
    uint64_t v;
    struct slice bytes;
    switch (wire_type) {
    case WIRE_VARINT:
        return read_varint(at, end, &v);
    case WIRE_BYTES:
        return read_bytes(at, end, &bytes);
    case WIRE_FIXED32:
    case WIRE_FIXED64: {
        ptrdiff_t size = wire_type == WIRE_FIXED32 ? 4 : 8;
        if (end - *at < size)
            return false;
        *at += size;
        return true;
    }
    case WIRE_START_GROUP:
        if (depth == 0)
            return false;
        for (;;) {
            if (!read_varint(at, end, &v) || v >> 3 == 0 || v >> 3 > PROTO_NUMBER_MAX)
                return false;
            if ((v & 7) == WIRE_END_GROUP)
                return v >> 3 == number;
            if (!skip_field(at, end, (uint32_t)(v >> 3), v & 7, depth - 1))
                return false;
        }
    default:
        return false;
    }
}

int next_field(struct slice *rest, struct wire_field *out) {
    if (rest->len == 0)
        return 0;
    const uint8_t *at = (const uint8_t *)rest->ptr, *end = at + rest->len;
    uint64_t tag;
    while (at < end) {
        if (!read_varint(&at, end, &tag) || tag >> 3 == 0 || tag >> 3 > PROTO_NUMBER_MAX)
            return -1;
        *out = (struct wire_field){.number = (uint32_t)(tag >> 3), .type = tag & 7};
        bool is_ok = out->type == WIRE_VARINT  ? read_varint(&at, end, &out->value)
                     : out->type == WIRE_BYTES ? read_bytes(&at, end, &out->bytes)
                                               : skip_field(&at, end, out->number, out->type, 100);
        if (!is_ok)
            return -1;
        *rest = slice_from((const char *)at, (size_t)(end - at));
        if (out->type == WIRE_VARINT || out->type == WIRE_BYTES)
            return 1;
    }
    return 0;
}

struct reader {
    struct proto_pool *pool;
    struct proto_file *file;
    struct arena *arena;
    struct error *err;
    unsigned depth;
};

static int malformed(struct reader *r) {
    return error_set(r->err, KE_INVALID, "proto: cannot parse invalid wire-format data");
}

/* Full names are held with every field: a server that has reflection must not make them take more
 * memory than there is. */
#define NAME_BYTES_MAX 255
#define FULL_NAME_BYTES_MAX 500
#define DECLARED_MAX 1000000

static int declare(struct reader *r, struct slice scope, struct slice name) {
    if (++r->pool->declared > DECLARED_MAX || scope.len + 1 + name.len > FULL_NAME_BYTES_MAX)
        return error_set(r->err, KE_TOO_LARGE, "proto: descriptors declare too much");
    return 0;
}

static int set_name(struct reader *r, struct slice bytes, struct slice *out) {
    if (bytes.len > NAME_BYTES_MAX || !is_identifier(bytes, false))
        return error_set(r->err, KE_INVALID, "proto: invalid name: \"%.*s\"", SHOWN(bytes));
    *out = arena_slice(r->arena, bytes);
    return 0;
}

/* Walks a message: `case` for what is known by number and wire type, anything else is passed over.
 */
#define FIELD(number, type) ((number) << 3 | (type))
#define EACH_FIELD(rest, f, found) while (((found) = next_field(&(rest), &(f))) > 0)

static int read_features(struct reader *r, struct slice rest, struct proto_features *out) {
    struct wire_field f;
    int found;
    EACH_FIELD(rest, f, found)
    if (f.type == WIRE_VARINT && f.number < FEATURES && f.value < 4)
        out->of[f.number] = (uint8_t)f.value;
    return found < 0 ? malformed(r) : 0;
}

/* An options message: its features are at that number. */
static int read_options(struct reader *r, struct slice rest, uint32_t features_number,
                        struct proto_features *features,
                        void (*set)(void *item, uint32_t number, uint64_t value), void *item) {
    struct wire_field f;
    int found;
    EACH_FIELD(rest, f, found) {
        if (f.type == WIRE_BYTES && f.number == features_number)
            TRY(read_features(r, f.bytes, features));
        if (f.type == WIRE_VARINT && set != NULL)
            set(item, f.number, f.value);
    }
    return found < 0 ? malformed(r) : 0;
}

static void set_enum_option(void *item, uint32_t number, uint64_t value) {
    if (number == 2)
        ((struct proto_enum *)item)->is_alias_allowed = value != 0;
}

static void set_field_option(void *item, uint32_t number, uint64_t value) {
    if (number == 2)
        ((struct proto_field *)item)->packed = value != 0 ? 1 : 2;
}

static void set_type_option(void *item, uint32_t number, uint64_t value) {
    struct proto_type *type = item;
    if (number == 1)
        type->is_message_set = value != 0;
    if (number == 7)
        type->is_map_entry = value != 0;
}

static int read_enum_value(struct reader *r, struct slice rest, struct slice scope,
                           struct proto_enum *e) {
    struct proto_enum_value value = {0};
    struct wire_field f;
    int found;
    EACH_FIELD(rest, f, found)
    switch (FIELD(f.number, f.type)) {
    case FIELD(1, WIRE_BYTES):
        TRY(set_name(r, f.bytes, &value.name));
        break;
    case FIELD(2, WIRE_VARINT):
        value.number = (int32_t)f.value;
        break;
    }
    list_push(r->arena, &e->values, value);
    TRY(declare(r, scope, value.name));
    return found < 0 ? malformed(r) : value.name.len == 0 ? set_name(r, SLICE(""), NULL) : 0;
}

static int read_enum(struct reader *r, struct slice rest, struct slice scope,
                     struct proto_enum **out) {
    struct proto_enum *e = *out = arena_zalloc(r->arena, sizeof *e);
    struct wire_field f;
    int found;
    EACH_FIELD(rest, f, found)
    switch (FIELD(f.number, f.type)) {
    case FIELD(1, WIRE_BYTES):
        TRY(set_name(r, f.bytes, &e->name));
        break;
    case FIELD(2, WIRE_BYTES):
        TRY(read_enum_value(r, f.bytes, scope, e));
        break;
    case FIELD(3, WIRE_BYTES):
        TRY(read_options(r, f.bytes, 7, &e->features, set_enum_option, e));
        break;
    }
    if (found < 0)
        return malformed(r);
    if (e->name.len == 0 || e->values.len == 0)
        return error_set(r->err, KE_INVALID,
                         "proto: enum \"%.*s\" must contain at least one value declaration",
                         SLICE_FMT(e->name));
    TRY(declare(r, scope, e->name));
    e->full_name = full_name_of(r->arena, scope, e->name);
    return 0;
}

static int check_field(struct reader *r, const struct proto_field *f) {
    const char *wrong = NULL;
    uint32_t most = f->is_extension ? INT32_MAX - 1 : PROTO_NUMBER_MAX;
    if (f->name.len == 0)
        return set_name(r, SLICE(""), NULL);
    if (f->number < 1 || f->number > most)
        wrong = "an invalid number";
    else if (f->label < LABEL_OPTIONAL || f->label > LABEL_REPEATED)
        wrong = "an invalid cardinality";
    else if (f->kind >= KIND_COUNT || (f->kind == KIND_UNKNOWN && f->type_name.len == 0))
        wrong = "an invalid kind";
    else if ((f->kind == KIND_MESSAGE || f->kind == KIND_GROUP || f->kind == KIND_ENUM) &&
             f->type_name.len == 0)
        wrong = "no type";
    if (wrong == NULL)
        return 0;
    return error_set(r->err, KE_INVALID, "proto: message field \"%.*s\" has %s",
                     SLICE_FMT(f->full_name), wrong);
}

static int read_field(struct reader *r, struct slice rest, struct slice scope, bool is_extension,
                      struct proto_field **out) {
    struct proto_field *field = *out = arena_zalloc(r->arena, sizeof *field);
    struct wire_field f;
    int found;
    field->oneof_index = -1;
    field->is_extension = is_extension;
    field->scope = scope;
    field->label = LABEL_OPTIONAL;
    EACH_FIELD(rest, f, found)
    switch (FIELD(f.number, f.type)) {
    case FIELD(1, WIRE_BYTES):
        TRY(set_name(r, f.bytes, &field->name));
        break;
    case FIELD(2, WIRE_BYTES):
        field->extendee = arena_slice(r->arena, f.bytes);
        break;
    case FIELD(3, WIRE_VARINT):
        field->number = f.value > UINT32_MAX ? 0 : (uint32_t)f.value;
        break;
    case FIELD(4, WIRE_VARINT):
        /* the numbers are optional, required, repeated; ours are the same */
        field->label = f.value > LABEL_REPEATED ? LABEL_NONE : (uint8_t)f.value;
        break;
    case FIELD(5, WIRE_VARINT):
        field->kind = f.value >= KIND_COUNT ? KIND_COUNT : (uint8_t)f.value;
        break;
    case FIELD(6, WIRE_BYTES):
        field->type_name = arena_slice(r->arena, f.bytes);
        break;
    case FIELD(7, WIRE_BYTES):
        field->has_default = true;
        field->default_text = arena_slice(r->arena, f.bytes);
        break;
    case FIELD(8, WIRE_BYTES):
        TRY(read_options(r, f.bytes, 21, &field->features, set_field_option, field));
        break;
    case FIELD(9, WIRE_VARINT):
        field->oneof_index = f.value > INT32_MAX ? INT32_MAX : (int32_t)f.value;
        break;
    case FIELD(10, WIRE_BYTES):
        field->json_name = arena_slice(r->arena, f.bytes);
        break;
    case FIELD(17, WIRE_VARINT):
        field->is_proto3_optional = f.value != 0;
        break;
    }
    TRY(declare(r, scope, field->name));
    field->full_name = full_name_of(r->arena, scope, field->name);
    return found < 0 ? malformed(r) : check_field(r, field);
}

static int read_range(struct reader *r, struct slice rest, proto_range_list *out) {
    struct proto_range range = {0};
    struct wire_field f;
    int found;
    EACH_FIELD(rest, f, found)
    switch (FIELD(f.number, f.type)) {
    case FIELD(1, WIRE_VARINT):
        range.start = (int32_t)f.value;
        break;
    case FIELD(2, WIRE_VARINT):
        range.end = (int64_t)(int32_t)f.value - 1; /* is not in it */
        break;
    }
    list_push(r->arena, out, range);
    return found < 0 ? malformed(r) : 0;
}

static int read_oneof(struct reader *r, struct slice rest, struct proto_type *type) {
    struct proto_oneof *oneof = arena_zalloc(r->arena, sizeof *oneof);
    struct wire_field f;
    int found;
    EACH_FIELD(rest, f, found)
    if (FIELD(f.number, f.type) == FIELD(1, WIRE_BYTES))
        TRY(set_name(r, f.bytes, &oneof->name));
    if (found < 0 || oneof->name.len == 0)
        return malformed(r);
    oneof->index = type->oneofs.len;
    list_push(r->arena, &type->oneofs, oneof);
    return 0;
}

static int read_type(struct reader *r, struct slice bytes, struct slice scope,
                     struct proto_type **out);

/* What needs the full name of the message. */
static int read_type_parts(struct reader *r, struct slice rest, struct proto_type *type) {
    struct wire_field f;
    struct proto_field *field;
    struct proto_type *nested;
    struct proto_enum *e;
    int found;
    EACH_FIELD(rest, f, found)
    switch (FIELD(f.number, f.type)) {
    case FIELD(2, WIRE_BYTES):
        TRY(read_field(r, f.bytes, type->full_name, false, &field));
        list_push(r->arena, &type->fields, field);
        break;
    case FIELD(3, WIRE_BYTES):
        TRY(read_type(r, f.bytes, type->full_name, &nested));
        list_push(r->arena, &type->messages, nested);
        break;
    case FIELD(4, WIRE_BYTES):
        TRY(read_enum(r, f.bytes, type->full_name, &e));
        list_push(r->arena, &type->enums, e);
        break;
    case FIELD(5, WIRE_BYTES):
        TRY(read_range(r, f.bytes, &type->extension_ranges));
        break;
    case FIELD(6, WIRE_BYTES):
        TRY(read_field(r, f.bytes, type->full_name, true, &field));
        list_push(r->arena, &type->declared_extensions, field);
        break;
    case FIELD(7, WIRE_BYTES):
        TRY(read_options(r, f.bytes, 12, &type->features, set_type_option, type));
        break;
    case FIELD(8, WIRE_BYTES):
        TRY(read_oneof(r, f.bytes, type));
        break;
    case FIELD(9, WIRE_BYTES):
        TRY(read_range(r, f.bytes, &type->reserved));
        break;
    case FIELD(10, WIRE_BYTES): {
        struct proto_reserved_name name = {.name = arena_slice(r->arena, f.bytes)};
        list_push(r->arena, &type->reserved_names, name);
        break;
    }
    }
    for (uint32_t i = 0; i < type->oneofs.len; i++)
        type->oneofs.ptr[i]->full_name =
            full_name_of(r->arena, type->full_name, type->oneofs.ptr[i]->name);
    return found < 0 ? malformed(r) : 0;
}

static int read_type(struct reader *r, struct slice bytes, struct slice scope,
                     struct proto_type **out) {
    struct proto_type *type = *out = arena_zalloc(r->arena, sizeof *type);
    struct slice rest = bytes;
    struct wire_field f;
    int found;
    if (++r->depth > PROTO_NESTING_MAX)
        return error_set(r->err, KE_INVALID, "proto: exceeded maximum recursion depth");
    EACH_FIELD(rest, f, found)
    if (FIELD(f.number, f.type) == FIELD(1, WIRE_BYTES))
        TRY(set_name(r, f.bytes, &type->name));
    if (found < 0)
        return malformed(r);
    if (type->name.len == 0)
        return set_name(r, SLICE(""), NULL);
    TRY(declare(r, scope, type->name));
    type->pool = r->pool;
    type->full_name = full_name_of(r->arena, scope, type->name);
    TRY(read_type_parts(r, bytes, type));
    r->depth--;
    return 0;
}

static int read_rpc(struct reader *r, struct slice rest, struct proto_service *service) {
    struct proto_rpc rpc = {0};
    struct wire_field f;
    int found;
    EACH_FIELD(rest, f, found)
    switch (FIELD(f.number, f.type)) {
    case FIELD(1, WIRE_BYTES):
        TRY(set_name(r, f.bytes, &rpc.name));
        break;
    case FIELD(2, WIRE_BYTES):
        rpc.input_name = arena_slice(r->arena, f.bytes);
        break;
    case FIELD(3, WIRE_BYTES):
        rpc.output_name = arena_slice(r->arena, f.bytes);
        break;
    case FIELD(5, WIRE_VARINT):
        rpc.is_client_stream = f.value != 0;
        break;
    case FIELD(6, WIRE_VARINT):
        rpc.is_server_stream = f.value != 0;
        break;
    }
    list_push(r->arena, &service->rpcs, rpc);
    return found < 0 || rpc.name.len == 0 ? malformed(r) : 0;
}

static int read_service(struct reader *r, struct slice rest) {
    struct proto_service *service = arena_zalloc(r->arena, sizeof *service);
    struct wire_field f;
    int found;
    EACH_FIELD(rest, f, found)
    switch (FIELD(f.number, f.type)) {
    case FIELD(1, WIRE_BYTES):
        TRY(set_name(r, f.bytes, &service->name));
        break;
    case FIELD(2, WIRE_BYTES):
        TRY(read_rpc(r, f.bytes, service));
        break;
    }
    if (found < 0 || service->name.len == 0)
        return malformed(r);
    service->full_name = full_name_of(r->arena, r->file->package, service->name);
    list_push(r->arena, &r->file->services, service);
    return 0;
}

static int set_syntax(struct reader *r, struct slice bytes) {
    if (slice_eq(bytes, SLICE("proto3")))
        r->file->syntax = SYNTAX_PROTO3;
    else if (slice_eq(bytes, SLICE("editions")))
        r->file->syntax = SYNTAX_EDITIONS;
    else if (bytes.len > 0 && !slice_eq(bytes, SLICE("proto2")))
        return error_set(r->err, KE_INVALID, "proto: invalid syntax: \"%.*s\"", SHOWN(bytes));
    return 0;
}

static int set_package(struct reader *r, struct slice bytes) {
    if (bytes.len > 0 && (bytes.len > FULL_NAME_BYTES_MAX || !is_identifier(bytes, true)))
        return error_set(r->err, KE_INVALID, "proto: invalid package: \"%.*s\"", SHOWN(bytes));
    r->file->package = arena_slice(r->arena, bytes);
    return 0;
}

static void mark_import(struct proto_file *file, uint64_t i, bool is_public) {
    if (i < file->imports.len && is_public)
        file->imports.ptr[i].is_public = true;
    else if (i < file->imports.len)
        file->imports.ptr[i].is_weak = true;
}

/* What the declarations need to know first. */
static int read_head(struct reader *r, struct slice rest) {
    struct wire_field f;
    struct slice again = rest;
    int found;
    EACH_FIELD(rest, f, found)
    switch (FIELD(f.number, f.type)) {
    case FIELD(2, WIRE_BYTES):
        TRY(set_package(r, f.bytes));
        break;
    case FIELD(3, WIRE_BYTES): {
        struct proto_import import = {.name = arena_slice(r->arena, f.bytes)};
        list_push(r->arena, &r->file->imports, import);
        break;
    }
    case FIELD(8, WIRE_BYTES):
        TRY(read_options(r, f.bytes, 50, &r->file->features, NULL, NULL));
        break;
    case FIELD(12, WIRE_BYTES):
        TRY(set_syntax(r, f.bytes));
        break;
    case FIELD(14, WIRE_VARINT):
        r->file->edition = (int32_t)f.value;
        break;
    }
    if (found < 0)
        return malformed(r);
    EACH_FIELD(again, f, found)
    if (f.type == WIRE_VARINT && (f.number == 10 || f.number == 11))
        mark_import(r->file, f.value, f.number == 10);
    return 0;
}

static int read_declarations(struct reader *r, struct slice rest) {
    struct slice package = r->file->package;
    struct wire_field f;
    struct proto_field *field;
    struct proto_type *type;
    struct proto_enum *e;
    int found;
    EACH_FIELD(rest, f, found)
    switch (FIELD(f.number, f.type)) {
    case FIELD(4, WIRE_BYTES):
        TRY(read_type(r, f.bytes, package, &type));
        list_push(r->arena, &r->file->messages, type);
        break;
    case FIELD(5, WIRE_BYTES):
        TRY(read_enum(r, f.bytes, package, &e));
        list_push(r->arena, &r->file->enums, e);
        break;
    case FIELD(6, WIRE_BYTES):
        TRY(read_service(r, f.bytes));
        break;
    case FIELD(7, WIRE_BYTES):
        TRY(read_field(r, f.bytes, package, true, &field));
        list_push(r->arena, &r->file->extensions, field);
        break;
    }
    return 0;
}

int proto_pool_add_file(struct proto_pool *pool, struct slice bytes, struct error *err) {
    struct reader r = {.pool = pool, .arena = &pool->arena, .err = err};
    struct slice rest = bytes, name = SLICE("");
    struct wire_field f;
    int found;
    if (bytes.len > PROTO_FILE_BYTES_MAX || pool->files.len >= PROTO_FILES_MAX)
        return error_set(err, KE_TOO_LARGE, "proto: descriptor is too large");
    EACH_FIELD(rest, f, found)
    if (FIELD(f.number, f.type) == FIELD(1, WIRE_BYTES))
        name = f.bytes;
    if (found < 0)
        return malformed(&r);
    if (name.len == 0)
        return error_set(err, KE_INVALID, "proto: file path must be populated");
    if (pool_file(pool, name) != NULL)
        return 0;
    r.file = pool_new_file(pool, name);
    TRY(read_head(&r, bytes));
    return read_declarations(&r, bytes);
}

int proto_pool_add_set(struct proto_pool *pool, struct slice bytes, struct error *err) {
    struct reader r = {.err = err};
    struct wire_field f;
    int found;
    EACH_FIELD(bytes, f, found)
    if (FIELD(f.number, f.type) == FIELD(1, WIRE_BYTES))
        TRY(proto_pool_add_file(pool, f.bytes, err));
    return found < 0 ? malformed(&r) : 0;
}
