#include "base/check.h"
#include "base/wire.h"
#include "proto/descriptor.h"

/* A linked file as a FileDescriptorProto, with what kiln knows of it: for a server's reflection. */

static void put_tag(struct buf *out, uint32_t number, unsigned type) {
    wire_put_varint(out, number << 3 | type);
}

static void put_text(struct buf *out, uint32_t number, struct slice text) {
    put_tag(out, number, WIRE_BYTES);
    wire_put_text(out, text);
}

static void put_number(struct buf *out, uint32_t number, int64_t v) {
    put_tag(out, number, WIRE_VARINT);
    wire_put_varint(out, (uint64_t)v);
}

/* A nested message, written by put into a buffer of its own. */
static void put_nested(struct buf *out, uint32_t number,
                       void (*put)(struct buf *out, const void *of), const void *of) {
    struct buf nested;
    buf_init(&nested, PROTO_FILE_BYTES_MAX);
    put(&nested, of);
    put_text(out, number, nested.len > 0 ? buf_slice(&nested) : SLICE(""));
    buf_release(&nested);
}

static void put_type_name(struct buf *out, uint32_t number, struct slice full_name) {
    put_tag(out, number, WIRE_BYTES);
    wire_put_varint(out, full_name.len + 1);
    buf_append_char(out, '.');
    buf_append_slice(out, full_name);
}

static void put_features(struct buf *out, const void *of) {
    const struct proto_features *features = of;
    for (uint32_t f = 1; f < FEATURES; f++)
        if (features->of[f] != 0)
            put_number(out, f, features->of[f]);
}

static bool has_features(const struct proto_features *features) {
    for (int f = 1; f < FEATURES; f++)
        if (features->of[f] != 0)
            return true;
    return false;
}

static void put_field_options(struct buf *out, const void *of) {
    const struct proto_field *f = of;
    if (f->packed != 0)
        put_number(out, 2, f->packed == 1);
    if (has_features(&f->features))
        put_nested(out, 21, put_features, &f->features);
}

static void put_field(struct buf *out, const void *of) {
    const struct proto_field *f = of;
    put_text(out, 1, f->name);
    if (f->is_extension)
        put_type_name(out, 2, f->extended_name);
    put_number(out, 3, f->number);
    put_number(out, 4, f->label == LABEL_NONE ? LABEL_OPTIONAL : f->label);
    put_number(out, 5, f->declared_kind);
    if (f->message != NULL)
        put_type_name(out, 6, f->message->full_name);
    if (f->enumeration != NULL)
        put_type_name(out, 6, f->enumeration->full_name);
    if (f->has_default)
        put_text(out, 7, f->default_text);
    if (f->packed != 0 || has_features(&f->features))
        put_nested(out, 8, put_field_options, f);
    if (f->oneof_index >= 0)
        put_number(out, 9, f->oneof_index);
    put_text(out, 10, f->json_name);
    if (f->is_proto3_optional)
        put_number(out, 17, 1);
}

static void put_enum_value(struct buf *out, const void *of) {
    const struct proto_enum_value *v = of;
    put_text(out, 1, v->name);
    put_number(out, 2, v->number);
}

static void put_enum_options(struct buf *out, const void *of) {
    const struct proto_enum *e = of;
    if (e->is_alias_allowed)
        put_number(out, 2, 1);
    if (has_features(&e->features))
        put_nested(out, 7, put_features, &e->features);
}

static void put_enum(struct buf *out, const void *of) {
    const struct proto_enum *e = of;
    put_text(out, 1, e->name);
    for (uint32_t i = 0; i < e->values.len; i++)
        put_nested(out, 2, put_enum_value, &e->values.ptr[i]);
    if (e->is_alias_allowed || has_features(&e->features))
        put_nested(out, 3, put_enum_options, e);
}

/* Of fields and extensions, the end is not in the range. */
static void put_range(struct buf *out, const void *of) {
    const struct proto_range *range = of;
    put_number(out, 1, range->start);
    put_number(out, 2, range->end < INT32_MAX ? range->end + 1 : INT32_MAX);
}

static void put_oneof(struct buf *out, const void *of) {
    const struct proto_oneof *oneof = of;
    put_text(out, 1, oneof->name);
}

static void put_type_options(struct buf *out, const void *of) {
    const struct proto_type *type = of;
    if (type->is_message_set)
        put_number(out, 1, 1);
    if (type->is_map_entry)
        put_number(out, 7, 1);
    if (has_features(&type->features))
        put_nested(out, 12, put_features, &type->features);
}

static void put_type(struct buf *out, const void *of) {
    const struct proto_type *type = of;
    put_text(out, 1, type->name);
    for (uint32_t i = 0; i < type->fields.len; i++)
        put_nested(out, 2, put_field, type->fields.ptr[i]);
    for (uint32_t i = 0; i < type->messages.len; i++)
        put_nested(out, 3, put_type, type->messages.ptr[i]);
    for (uint32_t i = 0; i < type->enums.len; i++)
        put_nested(out, 4, put_enum, type->enums.ptr[i]);
    for (uint32_t i = 0; i < type->extension_ranges.len; i++)
        put_nested(out, 5, put_range, &type->extension_ranges.ptr[i]);
    for (uint32_t i = 0; i < type->declared_extensions.len; i++)
        put_nested(out, 6, put_field, type->declared_extensions.ptr[i]);
    if (type->is_message_set || type->is_map_entry || has_features(&type->features))
        put_nested(out, 7, put_type_options, type);
    for (uint32_t i = 0; i < type->oneofs.len; i++)
        put_nested(out, 8, put_oneof, type->oneofs.ptr[i]);
    for (uint32_t i = 0; i < type->reserved.len; i++)
        put_nested(out, 9, put_range, &type->reserved.ptr[i]);
    for (uint32_t i = 0; i < type->reserved_names.len; i++)
        put_text(out, 10, type->reserved_names.ptr[i].name);
}

static void put_rpc(struct buf *out, const void *of) {
    const struct proto_rpc *rpc = of;
    put_text(out, 1, rpc->name);
    put_type_name(out, 2, rpc->input->full_name);
    put_type_name(out, 3, rpc->output->full_name);
    if (rpc->is_client_stream)
        put_number(out, 5, 1);
    if (rpc->is_server_stream)
        put_number(out, 6, 1);
}

static void put_service(struct buf *out, const void *of) {
    const struct proto_service *service = of;
    put_text(out, 1, service->name);
    for (uint32_t i = 0; i < service->rpcs.len; i++)
        put_nested(out, 2, put_rpc, &service->rpcs.ptr[i]);
}

static void put_file_options(struct buf *out, const void *of) {
    const struct proto_file *file = of;
    put_nested(out, 50, put_features, &file->features);
}

static void put_file(struct buf *out, const struct proto_file *file) {
    put_text(out, 1, file->name);
    if (file->package.len > 0)
        put_text(out, 2, file->package);
    for (uint32_t i = 0; i < file->imports.len; i++)
        put_text(out, 3, file->imports.ptr[i].name);
    for (uint32_t i = 0; i < file->messages.len; i++)
        put_nested(out, 4, put_type, file->messages.ptr[i]);
    for (uint32_t i = 0; i < file->enums.len; i++)
        put_nested(out, 5, put_enum, file->enums.ptr[i]);
    for (uint32_t i = 0; i < file->services.len; i++)
        put_nested(out, 6, put_service, file->services.ptr[i]);
    for (uint32_t i = 0; i < file->extensions.len; i++)
        put_nested(out, 7, put_field, file->extensions.ptr[i]);
    if (has_features(&file->features))
        put_nested(out, 8, put_file_options, file);
    for (uint32_t i = 0; i < file->imports.len; i++)
        if (file->imports.ptr[i].is_public)
            put_number(out, 10, i);
    for (uint32_t i = 0; i < file->imports.len; i++)
        if (file->imports.ptr[i].is_weak)
            put_number(out, 11, i);
    if (file->syntax != SYNTAX_PROTO2)
        put_text(out, 12, file->syntax == SYNTAX_PROTO3 ? SLICE("proto3") : SLICE("editions"));
    if (file->syntax == SYNTAX_EDITIONS)
        put_number(out, 14, file->edition);
}

int proto_pool_write_file(const struct proto_pool *pool, size_t i, struct buf *out) {
    struct buf text;
    CHECK(pool->is_built && i < pool->files.len);
    buf_init(&text, PROTO_FILE_BYTES_MAX);
    put_file(&text, pool->files.ptr[i]);
    int rc =
        text.len < PROTO_FILE_BYTES_MAX ? buf_append_slice(out, buf_slice(&text)) : KE_TOO_LARGE;
    buf_release(&text);
    return rc;
}
