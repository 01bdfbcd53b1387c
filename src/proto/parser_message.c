#include "proto/parser_internal.h"

/* ---------------------------------------------------------------- fields */

/* Where fields and what they bring along (groups, map entries) go. */
struct home {
    struct slice scope;
    struct proto_type *type; /* NULL: the file */
    struct proto_oneof *oneof;
    struct slice extendee; /* of an extend block */
    struct proto_pos extendee_pos;
};

static int read_message_body(struct parser *p, struct proto_type *type);

static struct proto_type *new_type(struct parser *p, struct slice scope, struct slice name) {
    struct proto_type *type = arena_zalloc(p->arena, sizeof *type);
    type->name = name;
    type->full_name = full_name_of(p->arena, scope, name);
    type->pool = p->pool;
    return type;
}

static void add_type(struct parser *p, const struct home *home, struct proto_type *type) {
    if (home->type != NULL)
        list_push(p->arena, &home->type->messages, type);
    else
        list_push(p->arena, &p->file->messages, type);
}

static void add_field(struct parser *p, const struct home *home, struct proto_field *f) {
    f->scope = home->scope;
    f->oneof_index = -1;
    if (home->extendee.ptr != NULL) {
        f->is_extension = true;
        f->extendee = home->extendee;
        f->extendee_pos = home->extendee_pos;
        if (home->type != NULL)
            list_push(p->arena, &home->type->declared_extensions, f);
        else
            list_push(p->arena, &p->file->extensions, f);
        return;
    }
    if (home->oneof != NULL) {
        f->oneof_index = (int32_t)home->oneof->index;
        home->oneof->field_count++;
    }
    list_push(p->arena, &home->type->fields, f);
}

static enum proto_kind scalar_kind(struct slice name) {
    for (int kind = 1; kind < KIND_COUNT; kind++)
        if (kind != KIND_GROUP && kind != KIND_MESSAGE && kind != KIND_ENUM &&
            slice_eq(name, slice_cstr(proto_kind_names[kind])))
            return (enum proto_kind)kind;
    return KIND_UNKNOWN;
}

static int read_tag(struct parser *p, struct proto_field *f) {
    TRY(parser_expect_char(p, '=', "'='"));
    f->number_pos = parser_pos(p);
    if (p->token.kind != TOKEN_INT)
        return parser_unexpected(p, "int literal");
    uint64_t n = p->token.number;
    /* extensions of a message set go higher; link.c knows whether this is one */
    uint64_t most = f->is_extension ? INT32_MAX - 1 : PROTO_NUMBER_MAX;
    if (n == 0)
        return parser_fail(p, f->number_pos, "tag number 0 must be greater than zero");
    if (n > most)
        return proto_error_at(p->err, p->file, f->number_pos,
                              "tag number %.*s is higher than max allowed tag number (%llu)",
                              SLICE_FMT(p->token.text), (unsigned long long)most);
    if (n >= 19000 && n <= 19999)
        return proto_error_at(p->err, p->file, f->number_pos,
                              "tag number %llu is in disallowed reserved range 19000-19999",
                              (unsigned long long)n);
    f->number = (uint32_t)n;
    return parser_advance(p);
}

static struct slice lower_case(struct arena *a, struct slice s) {
    char *copy = arena_strndup(a, s.ptr, s.len);
    for (size_t i = 0; i < s.len; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] + 'a' - 'A');
    return slice_from(copy, s.len);
}

static struct option_target field_target(struct proto_field *f) {
    return (struct option_target){.features = &f->features, .field = f};
}

/* Behind `group`. */
static int read_group(struct parser *p, const struct home *home, struct proto_field *f,
                      struct proto_pos group_pos) {
    struct slice name = {0};
    f->name_pos = parser_pos(p);
    TRY(parser_name(p, &name));
    f->name = lower_case(p->arena, name);
    f->full_name = full_name_of(p->arena, home->scope, f->name);
    if (p->file->syntax != SYNTAX_PROTO2)
        return proto_error_at(p->err, p->file, group_pos,
                              "field %.*s: groups are not allowed in proto3 or editions",
                              SLICE_FMT(f->full_name));
    if (name.ptr[0] < 'A' || name.ptr[0] > 'Z')
        return proto_error_at(p->err, p->file, f->name_pos,
                              "group %.*s should have a name that starts with a capital letter",
                              SLICE_FMT(name));
    TRY(read_tag(p, f));
    struct proto_type *type = new_type(p, home->scope, name);
    type->pos = group_pos;
    type->name_pos = f->name_pos;
    f->kind = KIND_GROUP;
    f->type_pos = f->name_pos;
    f->type_name = slice_cstr(arena_printf(p->arena, ".%.*s", SLICE_FMT(type->full_name)));
    struct option_target target = field_target(f);
    bool has_options = parser_is_char(p, '[');
    TRY(parser_compact_options(p, &target));
    add_field(p, home, f);
    add_type(p, home, type);
    if (!parser_is_char(p, '{'))
        return parser_unexpected(p, has_options ? "'{'" : "'{' or '['");
    return read_message_body(p, type);
}

static int check_label(struct parser *p, const struct home *home, const struct proto_field *f) {
    const char *what = f->is_extension ? "extension" : "field";
    enum proto_syntax syntax = p->file->syntax;
    const char *wrong = NULL;
    struct proto_pos pos = f->pos;
    if (f->label == LABEL_REQUIRED && f->is_extension)
        wrong = "extension fields cannot be 'required'";
    else if (f->label == LABEL_REQUIRED && syntax != SYNTAX_PROTO2)
        wrong = "label 'required' is not allowed in proto3 or editions";
    else if (f->label == LABEL_OPTIONAL && syntax == SYNTAX_EDITIONS)
        wrong = "label 'optional' is not allowed in editions; use option features.field_presence "
                "instead";
    else if (f->label == LABEL_NONE && syntax == SYNTAX_PROTO2 && home->oneof == NULL)
        wrong = "field has no label; proto2 requires explicit 'optional' label", pos = f->name_pos;
    if (wrong == NULL)
        return 0;
    return proto_error_at(p->err, p->file, pos, "%s %.*s: %s", what, SLICE_FMT(f->full_name),
                          wrong);
}

static int read_label(struct parser *p, const struct home *home, struct proto_field *f) {
    static const char *const labels[] = {NULL, "optional", "required", "repeated"};
    for (uint8_t label = LABEL_OPTIONAL; label <= LABEL_REPEATED; label++) {
        if (!parser_is_word(p, labels[label]))
            continue;
        if (home->oneof != NULL)
            return parser_unexpected(p, NULL);
        f->label = label;
        return parser_advance(p);
    }
    return 0;
}

static int read_field(struct parser *p, const struct home *home) {
    struct proto_field *f = arena_zalloc(p->arena, sizeof *f);
    f->pos = f->type_pos = parser_pos(p);
    f->is_extension = home->extendee.ptr != NULL;
    TRY(read_label(p, home, f));
    f->type_pos = parser_pos(p);
    bool is_group = parser_is_word(p, "group");
    TRY(parser_dotted(p, true, &f->type_name));
    if (is_group && slice_eq(f->type_name, SLICE("group"))) {
        TRY(read_group(p, home, f, f->type_pos));
        return check_label(p, home, f);
    }
    f->kind = (uint8_t)scalar_kind(f->type_name);
    f->name_pos = parser_pos(p);
    TRY(parser_name(p, &f->name));
    f->full_name = full_name_of(p->arena, home->scope, f->name);
    TRY(read_tag(p, f));
    TRY(check_label(p, home, f));
    f->is_proto3_optional = f->label == LABEL_OPTIONAL && p->file->syntax == SYNTAX_PROTO3;
    struct option_target target = field_target(f);
    TRY(parser_compact_options(p, &target));
    add_field(p, home, f);
    return parser_semicolon(p);
}

/* foo_bar → FooBarEntry */
static struct slice entry_name_of(struct arena *a, struct slice name) {
    char *text = arena_alloc(a, name.len + 6), *at = text;
    bool is_upper = true;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '_') {
            is_upper = true;
            continue;
        }
        *at++ = is_upper && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        is_upper = false;
    }
    memcpy(at, "Entry", 5);
    return slice_from(text, (size_t)(at - text) + 5);
}

static struct proto_field *entry_field(struct parser *p, struct proto_type *entry, const char *name,
                                       uint32_t number, struct slice type_name,
                                       const struct proto_field *map) {
    struct proto_field *f = arena_zalloc(p->arena, sizeof *f);
    f->name = slice_cstr(name);
    f->full_name = full_name_of(p->arena, entry->full_name, f->name);
    f->number = number;
    f->label = LABEL_OPTIONAL;
    f->type_name = type_name;
    f->kind = (uint8_t)scalar_kind(type_name);
    f->pos = f->name_pos = f->number_pos = map->name_pos;
    f->type_pos = map->type_pos;
    f->scope = entry->full_name;
    f->oneof_index = -1;
    list_push(p->arena, &entry->fields, f);
    return f;
}

static int read_map_key(struct parser *p, struct slice *out) {
    enum proto_kind kind = p->token.kind == TOKEN_NAME ? scalar_kind(p->token.text) : KIND_UNKNOWN;
    if (kind == KIND_UNKNOWN || kind == KIND_FLOAT || kind == KIND_DOUBLE || kind == KIND_BYTES)
        return parser_unexpected(p, NULL);
    return parser_name(p, out);
}

/* Behind `map`, at '<'. */
static int read_map(struct parser *p, const struct home *home, struct proto_pos pos) {
    struct proto_field *f = arena_zalloc(p->arena, sizeof *f);
    struct slice key, value;
    f->pos = pos;
    f->label = LABEL_REPEATED;
    f->kind = KIND_MESSAGE;
    TRY(parser_advance(p));
    TRY(read_map_key(p, &key));
    TRY(parser_expect_char(p, ',', "','"));
    f->type_pos = parser_pos(p);
    TRY(parser_dotted(p, true, &value));
    TRY(parser_expect_char(p, '>', "'>'"));
    f->name_pos = parser_pos(p);
    TRY(parser_name(p, &f->name));
    f->full_name = full_name_of(p->arena, home->scope, f->name);
    TRY(read_tag(p, f));
    struct option_target target = field_target(f);
    TRY(parser_compact_options(p, &target));
    struct proto_type *entry = new_type(p, home->scope, entry_name_of(p->arena, f->name));
    entry->is_map_entry = true;
    entry->pos = entry->name_pos = f->name_pos;
    entry_field(p, entry, "key", 1, key, f);
    struct proto_field *value_field = entry_field(p, entry, "value", 2, value, f);
    value_field->features = f->features;
    f->type_name = slice_cstr(arena_printf(p->arena, ".%.*s", SLICE_FMT(entry->full_name)));
    add_type(p, home, entry);
    add_field(p, home, f);
    return parser_semicolon(p);
}

/* Behind `oneof`. */
static int read_oneof(struct parser *p, struct proto_type *type, struct proto_pos pos) {
    struct proto_oneof *oneof = arena_zalloc(p->arena, sizeof *oneof);
    oneof->pos = pos;
    oneof->name_pos = parser_pos(p);
    oneof->index = type->oneofs.len;
    TRY(parser_name(p, &oneof->name));
    oneof->full_name = full_name_of(p->arena, type->full_name, oneof->name);
    list_push(p->arena, &type->oneofs, oneof);
    struct home home = {.scope = type->full_name, .type = type, .oneof = oneof};
    TRY(parser_expect_char(p, '{', "'{'"));
    while (!parser_is_char(p, '}')) {
        bool is_taken;
        TRY(parser_take_char(p, ';', &is_taken));
        if (is_taken)
            continue;
        TRY(parser_take_word(p, "option", &is_taken));
        if (is_taken)
            TRY(parser_option(p, &(struct option_target){0}));
        else
            TRY(read_field(p, &home));
    }
    if (oneof->field_count == 0)
        return parser_fail(p, pos, "oneof must contain at least one field");
    return parser_advance(p);
}

static struct home home_in(const struct parser *p, struct proto_type *parent) {
    return (struct home){.scope = parent ? parent->full_name : p->file->package, .type = parent};
}

int parser_extend(struct parser *p, struct proto_type *parent, struct proto_pos pos) {
    struct home home = home_in(p, parent);
    home.extendee_pos = parser_pos(p);
    TRY(parser_dotted(p, true, &home.extendee));
    TRY(parser_expect_char(p, '{', "'{'"));
    size_t count = 0;
    while (!parser_is_char(p, '}')) {
        bool is_taken;
        TRY(parser_take_char(p, ';', &is_taken));
        if (is_taken)
            continue;
        TRY(read_field(p, &home));
        count++;
    }
    if (count == 0)
        return parser_fail(p, pos, "extend sections must define at least one extension");
    return parser_advance(p);
}

/* ---------------------------------------------------------------- messages */

/* Behind `extensions`. */
static int read_extension_ranges(struct parser *p, struct proto_type *type) {
    if (p->file->syntax == SYNTAX_PROTO3)
        return proto_error_at(p->err, p->file, parser_pos(p),
                              "message %.*s: extension ranges are not allowed in proto3",
                              SLICE_FMT(type->full_name));
    TRY(parser_ranges(p, false, true, &type->extension_ranges));
    TRY(parser_compact_options(p, &(struct option_target){0}));
    return parser_semicolon(p);
}

static int read_message_element(struct parser *p, struct proto_type *type) {
    struct home home = home_in(p, type);
    struct proto_pos pos = parser_pos(p);
    bool is_taken;
    if (parser_is_word(p, "message"))
        return parser_message(p, type);
    if (parser_is_word(p, "enum")) {
        struct proto_enum *e;
        TRY(parser_enum(p, type->full_name, &e));
        list_push(p->arena, &type->enums, e);
        return 0;
    }
    TRY(parser_take_char(p, ';', &is_taken));
    if (is_taken)
        return 0;
    TRY(parser_take_word(p, "option", &is_taken));
    if (is_taken)
        return parser_option(
            p, &(struct option_target){.features = &type->features,
                                       .type = type,
                                       .owner = slice_cstr(arena_printf(
                                           p->arena, "message %.*s", SLICE_FMT(type->full_name)))});
    TRY(parser_take_word(p, "extend", &is_taken));
    if (is_taken)
        return parser_extend(p, type, pos);
    TRY(parser_take_word(p, "extensions", &is_taken));
    if (is_taken)
        return read_extension_ranges(p, type);
    TRY(parser_take_word(p, "oneof", &is_taken));
    if (is_taken)
        return read_oneof(p, type, pos);
    TRY(parser_take_word(p, "reserved", &is_taken));
    if (is_taken)
        return parser_reserved(p, false, &type->reserved, &type->reserved_names);
    struct parser before = *p;
    TRY(parser_take_word(p, "map", &is_taken));
    if (is_taken && parser_is_char(p, '<'))
        return read_map(p, &home, pos);
    if (is_taken)
        *p = before; /* a type called map */
    return read_field(p, &home);
}

/* At '{'. */
static int read_message_body(struct parser *p, struct proto_type *type) {
    if (++p->depth > PROTO_NESTING_MAX)
        return parser_fail(p, parser_pos(p), "messages are nested too deeply");
    TRY(parser_expect_char(p, '{', "'{'"));
    while (!parser_is_char(p, '}'))
        TRY(read_message_element(p, type));
    p->depth--;
    return parser_advance(p);
}

int parser_message(struct parser *p, struct proto_type *parent) {
    struct home home = home_in(p, parent);
    struct proto_pos pos = parser_pos(p);
    struct slice name;
    TRY(parser_advance(p));
    struct proto_pos name_pos = parser_pos(p);
    TRY(parser_name(p, &name));
    struct proto_type *type = new_type(p, home.scope, name);
    type->pos = pos;
    type->name_pos = name_pos;
    add_type(p, &home, type);
    return read_message_body(p, type);
}
