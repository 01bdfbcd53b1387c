#include "proto/link.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/json_write.h"

/* The second half of linking: what the codec reads of fields, types and enums. */

static const uint8_t wire_types[KIND_COUNT] = {
    [KIND_DOUBLE] = WIRE_FIXED64,    [KIND_FLOAT] = WIRE_FIXED32, [KIND_INT64] = WIRE_VARINT,
    [KIND_UINT64] = WIRE_VARINT,     [KIND_INT32] = WIRE_VARINT,  [KIND_FIXED64] = WIRE_FIXED64,
    [KIND_FIXED32] = WIRE_FIXED32,   [KIND_BOOL] = WIRE_VARINT,   [KIND_STRING] = WIRE_BYTES,
    [KIND_GROUP] = WIRE_START_GROUP, [KIND_MESSAGE] = WIRE_BYTES, [KIND_BYTES] = WIRE_BYTES,
    [KIND_UINT32] = WIRE_VARINT,     [KIND_ENUM] = WIRE_VARINT,   [KIND_SFIXED32] = WIRE_FIXED32,
    [KIND_SFIXED64] = WIRE_FIXED64,  [KIND_SINT32] = WIRE_VARINT, [KIND_SINT64] = WIRE_VARINT};

static const struct proto_features defaults[] = {
    [SYNTAX_PROTO2] = {{0, PRESENCE_EXPLICIT, 2, REPEATED_EXPANDED, UTF8_NONE, MESSAGE_PREFIXED}},
    [SYNTAX_PROTO3] = {{0, PRESENCE_IMPLICIT, 1, REPEATED_PACKED, UTF8_VERIFY, MESSAGE_PREFIXED}},
    [SYNTAX_EDITIONS] = {{0, PRESENCE_EXPLICIT, 1, REPEATED_PACKED, UTF8_VERIFY, MESSAGE_PREFIXED}},
};

static struct proto_features inherit(struct proto_features own, struct proto_features from) {
    for (int f = 1; f < FEATURES; f++)
        if (own.of[f] == 0)
            own.of[f] = from.of[f];
    return own;
}

static struct slice make_key(struct arena *a, struct slice name) {
    struct buf text;
    struct json_writer w;
    buf_init(&text, BUF_NO_CAP);
    json_write_init(&w, &text, NULL, false);
    json_string(&w, name);
    buf_append_char(&text, ':');
    struct slice key = arena_slice(a, buf_slice(&text));
    buf_release(&text);
    return key;
}

static void make_tag(struct proto_field *f) {
    uint32_t v = f->number << 3 | f->wire_type;
    f->tag_len = 0;
    do {
        f->tag[f->tag_len++] = (uint8_t)(v < 0x80 ? v : v | 0x80);
        v >>= 7;
    } while (v > 0);
}

static bool is_packable(const struct proto_field *f) {
    return f->wire_type == WIRE_VARINT || f->wire_type == WIRE_FIXED32 ||
           f->wire_type == WIRE_FIXED64;
}

static void finish_field(struct arena *a, struct proto_field *f, struct proto_features features,
                         bool is_in_map) {
    bool is_repeated = f->label == LABEL_REPEATED;
    f->declared_kind = f->kind;
    f->is_map = is_repeated && f->message != NULL && f->message->is_map_entry;
    f->is_list = is_repeated && !f->is_map;
    if (f->kind == KIND_MESSAGE && features.of[FEATURE_MESSAGE] == MESSAGE_DELIMITED &&
        !f->is_map && !is_in_map)
        f->kind = KIND_GROUP;
    f->wire_type = wire_types[f->kind];
    f->is_required =
        f->label == LABEL_REQUIRED || features.of[FEATURE_PRESENCE] == PRESENCE_REQUIRED;
    f->has_presence = !is_repeated && (f->message != NULL || f->oneof != NULL || f->is_extension ||
                                       features.of[FEATURE_PRESENCE] != PRESENCE_IMPLICIT);
    f->is_packed =
        f->is_list && is_packable(f) &&
        (f->packed == 1 || (f->packed == 0 && features.of[FEATURE_REPEATED] == REPEATED_PACKED));
    f->is_utf8 = f->kind == KIND_STRING && features.of[FEATURE_UTF8] == UTF8_VERIFY;
    if (f->json_name.ptr == NULL)
        f->json_name = json_name_of(a, f->name);
    f->json_key = make_key(a, f->json_name);
    struct slice text_name =
        f->kind == KIND_GROUP && f->message != NULL ? f->message->name : f->name;
    f->proto_key = make_key(a, text_name);
    make_tag(f);
}

/* ---------------------------------------------------------------- fields by number and name */

static int by_number(const void *a, const void *b) {
    const struct proto_field *x = *(struct proto_field *const *)a,
                             *y = *(struct proto_field *const *)b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void index_numbers(struct arena *a, struct proto_type *type) {
    uint32_t count = type->fields.len, dense = 0;
    type->sorted = arena_alloc(a, (count + 1) * sizeof *type->sorted);
    if (count > 0)
        memcpy(type->sorted, type->fields.ptr, count * sizeof *type->sorted);
    qsort(type->sorted, count, sizeof *type->sorted, by_number);
    for (uint32_t i = 0; i < count && type->sorted[i]->number < 32 + 4 * count; i++)
        dense = type->sorted[i]->number + 1;
    type->number_dense = dense;
    type->by_number = arena_zalloc(a, (dense + 1) * sizeof *type->by_number);
    for (uint32_t i = 0; i < count && type->sorted[i]->number < dense; i++)
        type->by_number[type->sorted[i]->number] = type->sorted[i];
}

const struct proto_field *type_field_by_number(const struct proto_type *type, uint32_t number) {
    if (likely(number < type->number_dense))
        return type->by_number[number];
    uint32_t low = 0, high = type->fields.len;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (type->sorted[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < type->fields.len && type->sorted[low]->number == number ? type->sorted[low] : NULL;
}

static struct slice text_name_of(const struct proto_field *f) {
    return slice_from(f->proto_key.ptr + 1, f->proto_key.len - 3);
}

static void index_name(struct proto_type *type, struct slice name, const struct proto_field *f) {
    uint64_t i = hash_bytes(name.ptr, name.len);
    for (; type->names[i & type->names_mask] != 0; i++) {
        const struct proto_field *other = type->fields.ptr[type->names[i & type->names_mask] - 1];
        if (slice_eq(other->json_name, name) || slice_eq(text_name_of(other), name))
            return;
    }
    type->names[i & type->names_mask] = (uint16_t)(f->index + 1);
}

static void index_names(struct arena *a, struct proto_type *type) {
    uint32_t size = 4;
    while (size < type->fields.len * 4)
        size *= 2;
    type->names = arena_zalloc(a, size * sizeof *type->names);
    type->names_mask = size - 1;
    for (uint32_t i = 0; i < type->fields.len; i++)
        index_name(type, type->fields.ptr[i]->json_name, type->fields.ptr[i]);
    for (uint32_t i = 0; i < type->fields.len; i++)
        index_name(type, text_name_of(type->fields.ptr[i]), type->fields.ptr[i]);
}

const struct proto_field *type_field_by_name(const struct proto_type *type, struct slice name,
                                             uint32_t hint) {
    if (likely(hint < type->fields.len) && slice_eq(type->fields.ptr[hint]->json_name, name))
        return type->fields.ptr[hint];
    uint64_t i = hash_bytes(name.ptr, name.len);
    for (; type->names[i & type->names_mask] != 0; i++) {
        const struct proto_field *f = type->fields.ptr[type->names[i & type->names_mask] - 1];
        if (slice_eq(f->json_name, name) || slice_eq(text_name_of(f), name))
            return f;
    }
    return NULL;
}

/* ---------------------------------------------------------------- enums */

static int by_value(const void *a, const void *b) {
    const struct proto_enum_value *x = *(const struct proto_enum_value *const *)a,
                                  *y = *(const struct proto_enum_value *const *)b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void finish_enum(struct arena *a, struct proto_enum *e) {
    e->is_null_value = slice_eq(e->full_name, SLICE("google.protobuf.NullValue"));
    e->by_number = arena_alloc(a, (e->values.len + 1) * sizeof *e->by_number);
    for (uint32_t i = 0; i < e->values.len; i++)
        e->by_number[i] = &e->values.ptr[i];
    qsort(e->by_number, e->values.len, sizeof *e->by_number, by_value);
    for (uint32_t i = 0; i < e->values.len; i++)
        if (e->number_count == 0 ||
            e->by_number[e->number_count - 1]->number != e->by_number[i]->number)
            e->by_number[e->number_count++] = e->by_number[i];
}

const struct proto_enum_value *enum_value_by_number(const struct proto_enum *e, int32_t number) {
    uint32_t low = 0, high = e->number_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (e->by_number[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < e->number_count && e->by_number[low]->number == number ? e->by_number[low] : NULL;
}

const struct proto_enum_value *enum_value_by_name(const struct proto_enum *e, struct slice name) {
    for (uint32_t i = 0; i < e->values.len; i++)
        if (slice_eq(e->values.ptr[i].name, name))
            return &e->values.ptr[i];
    return NULL;
}

/* ---------------------------------------------------------------- types */

static enum proto_known known_of(const struct proto_type *type) {
    static const struct {
        const char *name;
        enum proto_known known;
        uint32_t fields; /* a file of that name that lacks them is not the well-known one */
    } all[] = {
        {"Any", KNOWN_ANY, 2},
        {"Timestamp", KNOWN_TIMESTAMP, 2},
        {"Duration", KNOWN_DURATION, 2},
        {"BoolValue", KNOWN_WRAPPER, 1},
        {"Int32Value", KNOWN_WRAPPER, 1},
        {"Int64Value", KNOWN_WRAPPER, 1},
        {"UInt32Value", KNOWN_WRAPPER, 1},
        {"UInt64Value", KNOWN_WRAPPER, 1},
        {"FloatValue", KNOWN_WRAPPER, 1},
        {"DoubleValue", KNOWN_WRAPPER, 1},
        {"StringValue", KNOWN_WRAPPER, 1},
        {"BytesValue", KNOWN_WRAPPER, 1},
        {"Struct", KNOWN_STRUCT, 1},
        {"ListValue", KNOWN_LIST_VALUE, 1},
        {"Value", KNOWN_VALUE, 6},
        {"FieldMask", KNOWN_FIELD_MASK, 1},
        {"Empty", KNOWN_EMPTY, 0},
    };
    if (!slice_eq(parent_name(type->full_name), SLICE("google.protobuf")))
        return KNOWN_NONE;
    for (size_t i = 0; i < countof(all); i++)
        if (slice_eq(type->name, slice_cstr(all[i].name)) && type->fields.len == all[i].fields)
            return all[i].known;
    return KNOWN_NONE;
}

/* The codec reads the fields of well-known types by their index: are they what google/protobuf's
 * files declare? */
static bool has_known_fields(const struct proto_type *type) {
    static const uint8_t value_kinds[] = {KIND_ENUM, KIND_DOUBLE,  KIND_STRING,
                                          KIND_BOOL, KIND_MESSAGE, KIND_MESSAGE};
    struct proto_field *const *f = type->fields.ptr;
    for (uint32_t i = 0; i < type->fields.len; i++)
        if (f[i]->number != i + 1)
            return false;
    switch (type->known) {
    case KNOWN_ANY:
        return f[0]->kind == KIND_STRING && f[1]->kind == KIND_BYTES && !f[0]->is_list &&
               !f[1]->is_list;
    case KNOWN_TIMESTAMP:
    case KNOWN_DURATION:
        return f[0]->kind == KIND_INT64 && f[1]->kind == KIND_INT32 && !f[0]->is_list &&
               !f[1]->is_list;
    case KNOWN_WRAPPER:
        return f[0]->label != LABEL_REPEATED && f[0]->message == NULL;
    case KNOWN_STRUCT:
        return f[0]->is_map && f[0]->message->fields.ptr[0]->kind == KIND_STRING &&
               f[0]->message->fields.ptr[1]->message != NULL;
    case KNOWN_LIST_VALUE:
        return f[0]->is_list && f[0]->message != NULL;
    case KNOWN_FIELD_MASK:
        return f[0]->is_list && f[0]->kind == KIND_STRING;
    case KNOWN_VALUE:
        for (uint32_t i = 0; i < type->fields.len; i++)
            if (f[i]->kind != value_kinds[i] || f[i]->label == LABEL_REPEATED)
                return false;
        return f[4]->message->known == KNOWN_STRUCT && f[5]->message->known == KNOWN_LIST_VALUE;
    default:
        return true;
    }
}

static bool is_map_sound(const struct proto_type *entry) {
    struct proto_field *const *f = entry->fields.ptr;
    return entry->fields.len == 2 && f[0]->number == 1 && f[1]->number == 2 &&
           f[0]->label != LABEL_REPEATED && f[1]->label != LABEL_REPEATED &&
           f[0]->message == NULL && f[0]->enumeration == NULL && f[0]->kind != KIND_BYTES &&
           f[0]->kind != KIND_FLOAT && f[0]->kind != KIND_DOUBLE && f[1]->kind != KIND_GROUP;
}

static int link_oneof(struct proto_type *type, struct proto_field *f, struct error *err) {
    if (f->oneof_index < 0)
        return 0;
    if ((uint32_t)f->oneof_index >= type->oneofs.len)
        return error_set(err, KE_INVALID,
                         "proto: message field \"%.*s\" has an invalid oneof index: %d",
                         SLICE_FMT(f->full_name), f->oneof_index);
    f->oneof = type->oneofs.ptr[f->oneof_index];
    f->oneof->is_synthetic = f->is_proto3_optional;
    return 0;
}

static int finish_type(struct proto_pool *pool, struct proto_type *type,
                       struct proto_features features, struct error *err) {
    struct arena *a = &pool->arena;
    int rc;
    features = inherit(type->features, features);
    if (type->fields.len > UINT16_MAX - 1)
        return error_set(err, KE_TOO_LARGE, "proto: message \"%.*s\" has too many fields",
                         SLICE_FMT(type->full_name));
    if (type->is_map_entry && !is_map_sound(type))
        return error_set(err, KE_INVALID, "proto: message \"%.*s\" is an invalid map entry",
                         SLICE_FMT(type->full_name));
    for (uint32_t i = 0; i < type->fields.len; i++) {
        struct proto_field *f = type->fields.ptr[i];
        f->index = i;
        if ((rc = link_oneof(type, f, err)) != 0)
            return rc;
        finish_field(a, f, inherit(f->features, features), type->is_map_entry);
        type->required_count += f->is_required;
        pool->has_required |= f->is_required;
    }
    type->oneof_count = type->oneofs.len;
    type->known = (uint8_t)known_of(type);
    index_numbers(a, type);
    index_names(a, type);
    for (uint32_t i = 1; i < type->fields.len; i++)
        if (type->sorted[i]->number == type->sorted[i - 1]->number)
            return error_set(
                err, KE_INVALID,
                "proto: message \"%.*s\" has conflicting fields: \"%.*s\" with \"%.*s\"",
                SLICE_FMT(type->full_name), SLICE_FMT(type->sorted[i]->name),
                SLICE_FMT(type->sorted[i - 1]->name));
    for (uint32_t i = 0; i < type->enums.len; i++)
        finish_enum(a, type->enums.ptr[i]);
    for (uint32_t i = 0; i < type->declared_extensions.len; i++)
        finish_field(a, type->declared_extensions.ptr[i], features, false);
    for (uint32_t i = 0; i < type->messages.len; i++)
        if ((rc = finish_type(pool, type->messages.ptr[i], features, err)) != 0)
            return rc;
    return 0;
}

/* Twice: Value needs to know what its Struct and ListValue came to be. */
static void check_known(struct proto_type *type) {
    if (type->known != KNOWN_NONE && !has_known_fields(type))
        type->known = KNOWN_NONE;
    for (uint32_t i = 0; i < type->messages.len; i++)
        check_known(type->messages.ptr[i]);
}

static int finish_file(struct proto_pool *pool, struct proto_file *file, struct error *err) {
    struct proto_features features = inherit(file->features, defaults[file->syntax]);
    for (uint32_t i = 0; i < file->enums.len; i++)
        finish_enum(&pool->arena, file->enums.ptr[i]);
    for (uint32_t i = 0; i < file->extensions.len; i++)
        finish_field(&pool->arena, file->extensions.ptr[i], features, false);
    for (uint32_t i = 0; i < file->messages.len; i++) {
        int rc = finish_type(pool, file->messages.ptr[i], features, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static void collect_methods(struct proto_pool *pool) {
    struct arena *a = &pool->arena;
    for (uint32_t i = 0; i < pool->files.len; i++) {
        const struct proto_file *file = pool->files.ptr[i];
        for (uint32_t j = 0; j < file->services.len; j++) {
            const struct proto_service *service = file->services.ptr[j];
            for (uint32_t k = 0; k < service->rpcs.len; k++) {
                const struct proto_rpc *rpc = &service->rpcs.ptr[k];
                struct proto_method method = {
                    .name = rpc->name,
                    .package = file->package,
                    .service = service->name,
                    .service_full = service->full_name,
                    .input = rpc->input,
                    .output = rpc->output,
                    .is_client_stream = rpc->is_client_stream,
                    .is_server_stream = rpc->is_server_stream,
                    .path = slice_cstr(arena_printf(a, "/%.*s/%.*s", SLICE_FMT(service->full_name),
                                                    SLICE_FMT(rpc->name)))};
                list_push(a, &pool->methods, method);
            }
        }
    }
    for (uint32_t i = 0; i < pool->methods.len; i++) {
        struct proto_method *m = &pool->methods.ptr[i];
        map_set(&pool->methods_by_path, slice_from(m->path.ptr + 1, m->path.len - 1), m);
    }
}

int proto_pool_build(struct proto_pool *pool, struct error *err) {
    CHECK(!pool->is_built);
    int rc = resolve_names(pool, err);
    for (uint32_t i = 0; rc == 0 && i < pool->files.len; i++)
        rc = finish_file(pool, pool->files.ptr[i], err);
    if (rc != 0)
        return rc;
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < pool->files.len; i++)
            for (uint32_t j = 0; j < pool->files.ptr[i]->messages.len; j++)
                check_known(pool->files.ptr[i]->messages.ptr[j]);
    collect_methods(pool);
    pool->is_built = true;
    return 0;
}
