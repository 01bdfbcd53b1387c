#include "proto/message.h"

#include "base/check.h"
#include "base/utf8.h"
#include "proto/json_token.h"
#include "proto/wire_field.h"

/* A few bytes on the wire can ask for a message with a thousand fields: more than this for one tree
 * is refused. */
#define TREE_BYTES_MAX ((size_t)256 << 20)

struct decoder {
    struct arena *arena;
    struct error *err;
    size_t bytes; /* of the tree so far */
};

static int malformed(const struct decoder *d) {
    return proto_error(d->err, "cannot parse invalid wire-format data");
}

static struct proto_message *new_message(struct decoder *d, const struct proto_type *type) {
    size_t words = (type->fields.len + 63) / 64;
    size_t values = sizeof(struct proto_message) + type->fields.len * sizeof(union proto_value);
    size_t bytes = values + words * sizeof(uint64_t) + type->oneof_count * sizeof(uint32_t);
    struct proto_message *m = arena_alloc(d->arena, bytes);
    d->bytes += bytes;
    m->type = type;
    m->fields = (union proto_value *)(m + 1);
    m->set = (uint64_t *)((char *)m + values);
    m->chosen = (uint32_t *)(m->set + words);
    memset(m->set, 0, bytes - values);
    return m;
}

static uint64_t fixed(const uint8_t *p, size_t bytes) {
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return v;
}

/* A varint as the field's value. */
static uint64_t varint_value(const struct proto_field *f, uint64_t v) {
    switch (f->kind) {
    case KIND_INT32:
    case KIND_ENUM:
        return (uint64_t)(int64_t)(int32_t)v;
    case KIND_UINT32:
        return (uint32_t)v;
    case KIND_BOOL:
        return v != 0;
    case KIND_SINT32:
        v = (uint32_t)v;
        return (uint64_t)(int64_t)(int32_t)((v >> 1) ^ (0 - (v & 1)));
    case KIND_SINT64:
        return (v >> 1) ^ (0 - (v & 1));
    default:
        return v;
    }
}

/* One scalar of the field's own wire type. */
static bool read_scalar(const struct proto_field *f, const uint8_t **at, const uint8_t *end,
                        union proto_value *out) {
    uint64_t v;
    size_t size = f->wire_type == WIRE_FIXED32 ? 4 : 8;
    if (f->wire_type == WIRE_VARINT) {
        if (!read_varint(at, end, &v))
            return false;
        out->bits = varint_value(f, v);
        return true;
    }
    if ((size_t)(end - *at) < size)
        return false;
    v = fixed(*at, size);
    out->bits = f->kind == KIND_SFIXED32 ? (uint64_t)(int64_t)(int32_t)v : v;
    *at += size;
    return true;
}

static union proto_value *list_add(struct decoder *d, struct proto_message *m,
                                   const struct proto_field *f) {
    struct arena *a = d->arena;
    struct proto_list *list;
    d->bytes += sizeof *list->items;
    if (!message_has(m, f->index)) {
        m->fields[f->index].list = arena_zalloc(a, sizeof *list);
        m->set[f->index / 64] |= (uint64_t)1 << f->index % 64;
    }
    list = m->fields[f->index].list;
    list_grow(a, (void **)&list->items, list->len, &list->alloc, sizeof *list->items);
    return &list->items[list->len++];
}

static int decode_fields(struct decoder *d, struct proto_message *m, const uint8_t **at,
                         const uint8_t *end, uint32_t group, unsigned depth);

static int decode_packed(struct decoder *d, struct proto_message *m, const struct proto_field *f,
                         struct slice bytes) {
    const uint8_t *at = (const uint8_t *)bytes.ptr, *end = at + bytes.len;
    while (at < end)
        if (!read_scalar(f, &at, end, list_add(d, m, f)))
            return malformed(d);
    return 0;
}

/* The slot that a value goes to: a new one of a list, or the field's own. Of a oneof, the others
 * are no longer set. */
static union proto_value *slot_of(struct decoder *d, struct proto_message *m,
                                  const struct proto_field *f, bool *out_was_set) {
    *out_was_set = false;
    if (f->is_list || f->is_map)
        return list_add(d, m, f);
    *out_was_set = message_has(m, f->index);
    if (f->oneof != NULL) {
        uint32_t *chosen = &m->chosen[f->oneof->index];
        if (*chosen != 0 && *chosen != f->index + 1)
            m->set[(*chosen - 1) / 64] &= ~((uint64_t)1 << (*chosen - 1) % 64);
        *chosen = f->index + 1;
    }
    m->set[f->index / 64] |= (uint64_t)1 << f->index % 64;
    return &m->fields[f->index];
}

static void fill_entry(struct decoder *d, struct proto_message *entry);

static int decode_submessage(struct decoder *d, struct proto_message *m,
                             const struct proto_field *f, const uint8_t **at, const uint8_t *end,
                             unsigned depth) {
    struct slice bytes = {0};
    bool was_set;
    if (depth == 0)
        return proto_error(d->err, "exceeded maximum recursion depth");
    if (f->kind != KIND_GROUP && !read_bytes(at, end, &bytes))
        return malformed(d);
    union proto_value *slot = slot_of(d, m, f, &was_set);
    if (!was_set)
        slot->message = new_message(d, f->message);
    struct proto_message *sub = slot->message; /* an earlier one is merged with */
    if (f->kind == KIND_GROUP)
        return decode_fields(d, sub, at, end, f->number, depth - 1);
    const uint8_t *start = (const uint8_t *)bytes.ptr;
    int rc = decode_fields(d, sub, &start, start + bytes.len, 0, depth - 1);
    if (rc == 0 && f->is_map)
        fill_entry(d, sub);
    return rc;
}

/* A field that the type knows, of the wire type that it has or, for lists, may have. */
static int decode_known_field(struct decoder *d, struct proto_message *m,
                              const struct proto_field *f, unsigned wire_type, const uint8_t **at,
                              const uint8_t *end, unsigned depth) {
    struct slice bytes;
    bool was_set;
    if (f->message != NULL)
        return decode_submessage(d, m, f, at, end, depth);
    if (wire_type != WIRE_BYTES)
        return read_scalar(f, at, end, slot_of(d, m, f, &was_set)) ? 0 : malformed(d);
    if (!read_bytes(at, end, &bytes))
        return malformed(d);
    if (f->wire_type != WIRE_BYTES)
        return decode_packed(d, m, f, bytes);
    if (f->is_utf8 && !utf8_is_valid(bytes))
        return proto_error(d->err, "field %.*s contains invalid UTF-8", SLICE_FMT(f->full_name));
    if (bytes.len > UINT32_MAX)
        return malformed(d);
    union proto_value *slot = slot_of(d, m, f, &was_set);
    slot->bytes.ptr = bytes.ptr;
    slot->bytes.len = (uint32_t)bytes.len;
    return 0;
}

static bool fits(const struct proto_field *f, unsigned wire_type) {
    return f->wire_type == wire_type ||
           (f->is_list && wire_type == WIRE_BYTES && f->message == NULL);
}

/* Up to end, or to the end of the group of that number. */
static int decode_fields(struct decoder *d, struct proto_message *m, const uint8_t **at,
                         const uint8_t *end, uint32_t group, unsigned depth) {
    while (*at < end) {
        uint64_t tag;
        if (!read_varint(at, end, &tag) || tag >> 3 == 0 || tag >> 3 > PROTO_NUMBER_MAX)
            return malformed(d);
        uint32_t number = (uint32_t)(tag >> 3);
        unsigned wire_type = tag & 7;
        if (wire_type == WIRE_END_GROUP)
            return group != 0 && group == number ? 0 : malformed(d);
        if (unlikely(d->bytes > TREE_BYTES_MAX))
            return error_set(d->err, KE_TOO_LARGE, "proto: message has too many parts");
        const struct proto_field *f = type_field_by_number(m->type, number);
        if (likely(f != NULL && fits(f, wire_type))) {
            int rc = decode_known_field(d, m, f, wire_type, at, end, depth);
            if (unlikely(rc != 0))
                return rc;
        } else if (!skip_field(at, end, number, wire_type, depth)) {
            return malformed(d);
        }
    }
    return group == 0 ? 0 : malformed(d);
}

/* An entry without key or value has the zero of its type. */
static void fill_entry(struct decoder *d, struct proto_message *entry) {
    for (uint32_t i = 0; i < 2; i++) {
        const struct proto_field *f = entry->type->fields.ptr[i];
        if (message_has(entry, i))
            continue;
        if (f->message != NULL)
            entry->fields[i].message = new_message(d, f->message);
        else if (f->kind == KIND_STRING || f->kind == KIND_BYTES)
            entry->fields[i].bytes.ptr = "", entry->fields[i].bytes.len = 0;
        else if (f->kind == KIND_ENUM)
            entry->fields[i].bits = (uint64_t)(int64_t)f->enumeration->values.ptr[0].number;
        else
            entry->fields[i].bits = 0;
        entry->set[0] |= (uint64_t)1 << i;
    }
}

/* ---------------------------------------------------------------- required fields */

static const struct proto_field *missing_field(const struct proto_message *m) {
    const struct proto_type *type = m->type;
    for (uint32_t i = 0; i < type->fields.len && type->required_count > 0; i++)
        if (type->fields.ptr[i]->is_required && !message_has(m, i))
            return type->fields.ptr[i];
    for (uint32_t i = 0; i < type->fields.len; i++) {
        const struct proto_field *f = type->fields.ptr[i];
        const struct proto_field *missing = NULL;
        if (f->message == NULL || !message_has(m, i))
            continue;
        if (!f->is_list && !f->is_map)
            missing = missing_field(m->fields[i].message);
        else
            for (uint32_t j = 0; j < m->fields[i].list->len && missing == NULL; j++)
                missing = missing_field(m->fields[i].list->items[j].message);
        if (missing != NULL)
            return missing;
    }
    return NULL;
}

bool message_is_populated(const struct proto_message *m, const struct proto_field *f) {
    if (!message_has(m, f->index))
        return false;
    if (f->has_presence || f->is_list || f->is_map)
        return true;
    const union proto_value *v = &m->fields[f->index];
    return f->wire_type == WIRE_BYTES ? v->bytes.len > 0 : v->bits != 0;
}

int message_decode(const struct proto_type *type, struct slice wire, bool is_partial,
                   unsigned depth, struct arena *arena, struct proto_message **out,
                   struct error *err) {
    struct decoder d = {.arena = arena, .err = err};
    const uint8_t *at = (const uint8_t *)(wire.len > 0 ? wire.ptr : "");
    if (depth == 0)
        return proto_error(err, "exceeded maximum recursion depth");
    if (type->is_message_set)
        return proto_error(err, "no support for message_set_wire_format");
    *out = new_message(&d, type);
    int rc = decode_fields(&d, *out, &at, at + wire.len, 0, depth - 1);
    if (rc != 0 || is_partial)
        return rc;
    const struct proto_field *missing = type->pool->has_required ? missing_field(*out) : NULL;
    return missing == NULL
               ? 0
               : proto_error(err, "required field %.*s not set", SLICE_FMT(missing->full_name));
}
