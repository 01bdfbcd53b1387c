#include <stdlib.h>

#include "proto/descriptor.h"

/* The checks of protocompile's parser on one file; what they refuse, protoc refuses too. */

struct check {
    struct proto_pool *pool;
    struct proto_file *file;
    struct error *err;
};

static const struct proto_range *range_of(const proto_range_list *ranges, int64_t number) {
    for (uint32_t i = 0; i < ranges->len; i++)
        if (number >= ranges->ptr[i].start && number <= ranges->ptr[i].end)
            return &ranges->ptr[i];
    return NULL;
}

static bool is_reserved(const proto_reserved_list *names, struct slice name) {
    for (uint32_t i = 0; i < names->len; i++)
        if (slice_eq(names->ptr[i].name, name))
            return true;
    return false;
}

static int by_start(const void *a, const void *b) {
    const struct proto_range *x = *(const struct proto_range *const *)a,
                             *y = *(const struct proto_range *const *)b;
    return x->start < y->start ? -1 : x->start > y->start;
}

static const struct proto_range **sorted_ranges(struct arena *a, const proto_range_list *ranges) {
    const struct proto_range **sorted = arena_alloc(a, (ranges->len + 1) * sizeof *sorted);
    for (uint32_t i = 0; i < ranges->len; i++)
        sorted[i] = &ranges->ptr[i];
    qsort(sorted, ranges->len, sizeof *sorted, by_start);
    return sorted;
}

static int check_overlaps(const struct check *c, const proto_range_list *ranges, const char *owner,
                          struct slice name, const char *what) {
    const struct proto_range **sorted = sorted_ranges(&c->pool->arena, ranges);
    for (uint32_t i = 1; i < ranges->len; i++) {
        const struct proto_range *a = sorted[i - 1], *b = sorted[i];
        if (b->start <= a->end)
            return proto_error_at(c->err, c->file, b->pos,
                                  "%s %.*s: %s ranges overlap: %lld to %lld and %lld to %lld",
                                  owner, SLICE_FMT(name), what, (long long)a->start,
                                  (long long)a->end, (long long)b->start, (long long)b->end);
    }
    return 0;
}

/* Both sorted and free of overlaps. */
static int check_against_reserved(const struct check *c, const struct proto_type *type) {
    const struct proto_range **reserved = sorted_ranges(&c->pool->arena, &type->reserved),
                             **extensions = sorted_ranges(&c->pool->arena, &type->extension_ranges);
    for (uint32_t i = 0, j = 0; i < type->reserved.len && j < type->extension_ranges.len;) {
        const struct proto_range *r = reserved[i], *e = extensions[j];
        if (r->start <= e->end && e->start <= r->end)
            return proto_error_at(
                c->err, c->file, e->pos,
                "message %.*s: extension range %lld to %lld overlaps reserved range %lld to %lld",
                SLICE_FMT(type->full_name), (long long)e->start, (long long)e->end,
                (long long)r->start, (long long)r->end);
        if (r->end < e->start)
            i++;
        else
            j++;
    }
    return 0;
}

static int by_number(const void *a, const void *b) {
    const struct proto_field *x = *(struct proto_field *const *)a,
                             *y = *(struct proto_field *const *)b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int check_tags(const struct check *c, const struct proto_type *type) {
    uint32_t count = type->fields.len;
    struct proto_field **sorted = arena_alloc(&c->pool->arena, (count + 1) * sizeof *sorted);
    for (uint32_t i = 0; i < count; i++) {
        sorted[i] = type->fields.ptr[i];
        sorted[i]->index = i;
    }
    qsort(sorted, count, sizeof *sorted, by_number);
    for (uint32_t i = 1; i < count; i++)
        if (sorted[i]->number == sorted[i - 1]->number)
            return proto_error_at(c->err, c->file, sorted[i]->number_pos,
                                  "message %.*s: fields %.*s and %.*s both have the same tag %u",
                                  SLICE_FMT(type->full_name), SLICE_FMT(sorted[i - 1]->name),
                                  SLICE_FMT(sorted[i]->name), sorted[i]->number);
    return 0;
}

static int check_field(const struct check *c, const struct proto_type *type,
                       const struct proto_field *f) {
    const struct proto_range *range;
    if (is_reserved(&type->reserved_names, f->name))
        return proto_error_at(c->err, c->file, f->name_pos,
                              "message %.*s: field %.*s is using a reserved name",
                              SLICE_FMT(type->full_name), SLICE_FMT(f->name));
    bool is_extension = false;
    range = range_of(&type->reserved, f->number);
    if (range == NULL) {
        range = range_of(&type->extension_ranges, f->number);
        is_extension = true;
    }
    if (range == NULL)
        return 0;
    return proto_error_at(
        c->err, c->file, f->number_pos,
        "message %.*s: field %.*s is using tag %u which is in %s range %lld to %lld",
        SLICE_FMT(type->full_name), SLICE_FMT(f->name), f->number,
        is_extension ? "extension" : "reserved", (long long)range->start, (long long)range->end);
}

static int by_value(const void *a, const void *b) {
    const struct proto_enum_value *x = *(const struct proto_enum_value *const *)a,
                                  *y = *(const struct proto_enum_value *const *)b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int check_aliases(const struct check *c, const struct proto_enum *e) {
    const struct proto_enum_value **sorted =
        arena_alloc(&c->pool->arena, (e->values.len + 1) * sizeof *sorted);
    for (uint32_t i = 0; i < e->values.len; i++)
        sorted[i] = &e->values.ptr[i];
    qsort(sorted, e->values.len, sizeof *sorted, by_value);
    for (uint32_t i = 1; i < e->values.len; i++)
        if (sorted[i]->number == sorted[i - 1]->number && !e->is_alias_allowed)
            return proto_error_at(c->err, c->file, sorted[i]->number_pos,
                                  "enum %.*s: values %.*s and %.*s both have the same numeric "
                                  "value %d; use allow_alias option if intentional",
                                  SLICE_FMT(e->full_name), SLICE_FMT(sorted[i - 1]->name),
                                  SLICE_FMT(sorted[i]->name), sorted[i]->number);
    return 0;
}

static int check_enum(const struct check *c, const struct proto_enum *e) {
    int rc;
    if (e->values.len == 0)
        return proto_error_at(c->err, c->file, e->pos,
                              "enum %.*s: enums must define at least one value",
                              SLICE_FMT(e->full_name));
    if (c->file->syntax == SYNTAX_PROTO3 && e->values.ptr[0].number != 0)
        return proto_error_at(
            c->err, c->file, e->values.ptr[0].number_pos,
            "enum %.*s: proto3 requires that first value in enum have numeric value of 0",
            SLICE_FMT(e->full_name));
    if ((rc = check_aliases(c, e)) != 0 ||
        (rc = check_overlaps(c, &e->reserved, "enum", e->full_name, "reserved")) != 0)
        return rc;
    for (uint32_t i = 0; i < e->values.len; i++) {
        const struct proto_enum_value *v = &e->values.ptr[i];
        if (is_reserved(&e->reserved_names, v->name))
            return proto_error_at(c->err, c->file, v->pos,
                                  "enum %.*s: value %.*s is using a reserved name",
                                  SLICE_FMT(e->full_name), SLICE_FMT(v->name));
        const struct proto_range *range = range_of(&e->reserved, v->number);
        if (range != NULL)
            return proto_error_at(
                c->err, c->file, v->number_pos,
                "enum %.*s: value %.*s is using number %d which is in reserved range %lld to %lld",
                SLICE_FMT(e->full_name), SLICE_FMT(v->name), v->number, (long long)range->start,
                (long long)range->end);
    }
    return 0;
}

/* A proto3 optional is alone in a oneof named after it, behind the real ones. */
static void add_synthetic_oneofs(const struct check *c, struct proto_type *type) {
    struct arena *a = &c->pool->arena;
    for (uint32_t i = 0; i < type->fields.len; i++) {
        struct proto_field *f = type->fields.ptr[i];
        if (!f->is_proto3_optional)
            continue;
        struct proto_oneof *oneof = arena_zalloc(a, sizeof *oneof);
        oneof->name = slice_cstr(arena_printf(a, "_%.*s", SLICE_FMT(f->name)));
        oneof->full_name = full_name_of(a, type->full_name, oneof->name);
        oneof->pos = oneof->name_pos = f->name_pos;
        oneof->index = type->oneofs.len;
        oneof->field_count = 1;
        oneof->is_synthetic = true;
        f->oneof_index = (int32_t)oneof->index;
        list_push(a, &type->oneofs, oneof);
    }
}

static int check_type(const struct check *c, struct proto_type *type) {
    int rc;
    for (uint32_t i = 0; i < type->extension_ranges.len; i++) {
        struct proto_range *range = &type->extension_ranges.ptr[i];
        if (!type->is_message_set && range->end > PROTO_NUMBER_MAX)
            range->end = PROTO_NUMBER_MAX; /* "to max" */
    }
    if ((rc = check_overlaps(c, &type->reserved, "message", type->full_name, "reserved")) != 0 ||
        (rc = check_overlaps(c, &type->extension_ranges, "message", type->full_name,
                             "extension")) != 0 ||
        (rc = check_against_reserved(c, type)) != 0)
        return rc;
    for (uint32_t i = 0; i < type->fields.len; i++)
        if ((rc = check_field(c, type, type->fields.ptr[i])) != 0)
            return rc;
    if ((rc = check_tags(c, type)) != 0)
        return rc;
    add_synthetic_oneofs(c, type);
    for (uint32_t i = 0; i < type->enums.len; i++)
        if ((rc = check_enum(c, type->enums.ptr[i])) != 0)
            return rc;
    for (uint32_t i = 0; i < type->messages.len; i++)
        if ((rc = check_type(c, type->messages.ptr[i])) != 0)
            return rc;
    return 0;
}

int proto_validate(struct proto_pool *pool, struct proto_file *file, struct error *err) {
    struct check c = {pool, file, err};
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < file->messages.len; i++)
        rc = check_type(&c, file->messages.ptr[i]);
    for (uint32_t i = 0; rc == 0 && i < file->enums.len; i++)
        rc = check_enum(&c, file->enums.ptr[i]);
    return rc;
}
