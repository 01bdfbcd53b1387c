#include "proto/parser_internal.h"

#include <stdio.h>

#include "base/check.h"

/* Recursive descent over one file; what needs other files is link.c's. Where the grammar allows few
 * tokens, errors name them as the generated parser of protocompile does. */

static const char *const keywords[] = {
    "syntax",     "edition",  "import", "weak",     "public",   "package",  "option",  "true",
    "false",      "inf",      "nan",    "repeated", "optional", "required", "double",  "float",
    "int32",      "int64",    "uint32", "uint64",   "sint32",   "sint64",   "fixed32", "fixed64",
    "sfixed32",   "sfixed64", "bool",   "string",   "bytes",    "group",    "oneof",   "map",
    "extensions", "to",       "max",    "reserved", "enum",     "message",  "extend",  "service",
    "rpc",        "stream",   "returns"};

int parser_advance(struct parser *p) {
    return lexer_next(&p->lexer, &p->token, p->err);
}

struct proto_pos parser_pos(struct parser *p) {
    return lexer_pos(&p->lexer, p->token.at);
}

static int fail(struct parser *p, struct proto_pos pos, const char *text) {
    return proto_error_at(p->err, p->file, pos, "%s", text);
}

int parser_unexpected(struct parser *p, const char *expecting) {
    static const char *const kinds[] = {[TOKEN_END] = "$end",
                                        [TOKEN_NAME] = "identifier",
                                        [TOKEN_INT] = "int literal",
                                        [TOKEN_FLOAT] = "float literal",
                                        [TOKEN_STRING] = "string literal"};
    char what[32];
    if (p->token.kind == TOKEN_CHAR)
        snprintf(what, sizeof what, "'%c'", p->token.c);
    else
        snprintf(what, sizeof what, "%s", kinds[p->token.kind]);
    if (p->token.kind == TOKEN_NAME)
        for (size_t i = 0; i < countof(keywords); i++)
            if (parser_is_word(p, keywords[i]))
                snprintf(what, sizeof what, "\"%s\"", keywords[i]);
    return proto_error_at(p->err, p->file, parser_pos(p), "syntax error: unexpected %s%s%s", what,
                          expecting ? ", expecting " : "", expecting ? expecting : "");
}

bool parser_is_char(const struct parser *p, char c) {
    return p->token.kind == TOKEN_CHAR && p->token.c == c;
}

bool parser_is_word(const struct parser *p, const char *word) {
    return p->token.kind == TOKEN_NAME && slice_eq(p->token.text, slice_cstr(word));
}

int parser_take_char(struct parser *p, char c, bool *out_taken) {
    *out_taken = parser_is_char(p, c);
    return *out_taken ? parser_advance(p) : 0;
}

int parser_expect_char(struct parser *p, char c, const char *expecting) {
    return parser_is_char(p, c) ? parser_advance(p) : parser_unexpected(p, expecting);
}

int parser_semicolon(struct parser *p) {
    if (parser_is_char(p, ';'))
        return parser_advance(p);
    return fail(p, parser_pos(p), "syntax error: expecting ';'");
}

int parser_name(struct parser *p, struct slice *out) {
    if (p->token.kind != TOKEN_NAME)
        return parser_unexpected(p, NULL);
    *out = arena_slice(p->arena, p->token.text);
    return parser_advance(p);
}

int parser_dotted(struct parser *p, bool is_type, struct slice *out) {
    struct slice name = SLICE(""), part;
    bool has_dot = false;
    if (is_type)
        TRY(parser_take_char(p, '.', &has_dot));
    for (;;) {
        TRY(parser_name(p, &part));
        if (has_dot)
            part =
                slice_cstr(arena_printf(p->arena, "%.*s.%.*s", SLICE_FMT(name), SLICE_FMT(part)));
        name = part;
        TRY(parser_take_char(p, '.', &has_dot));
        if (!has_dot)
            break;
    }
    *out = name;
    return 0;
}

int parser_string(struct parser *p, struct slice *out) {
    if (p->token.kind != TOKEN_STRING)
        return parser_unexpected(p, "string literal");
    *out = p->token.value;
    TRY(parser_advance(p));
    while (p->token.kind == TOKEN_STRING) { /* "a" "b" is "ab" */
        size_t len = out->len + p->token.value.len;
        char *joined = arena_alloc(p->arena, len + 1);
        memcpy(joined, out->ptr, out->len);
        memcpy(joined + out->len, p->token.value.ptr, p->token.value.len);
        *out = slice_from(joined, len);
        TRY(parser_advance(p));
    }
    return 0;
}

/* Takes the word when it is next. */
static int take_word(struct parser *p, const char *word, bool *out_taken) {
    *out_taken = parser_is_word(p, word);
    return *out_taken ? parser_advance(p) : 0;
}

/* ---------------------------------------------------------------- ranges and reserved names */

static int read_signed(struct parser *p, bool is_enum, int64_t *out, struct slice *out_text) {
    bool is_negative = false;
    size_t start = p->token.at;
    if (is_enum)
        TRY(parser_take_char(p, '-', &is_negative));
    if (p->token.kind != TOKEN_INT)
        return parser_unexpected(p, is_enum && !is_negative ? "int literal or '-'" : "int literal");
    uint64_t n = p->token.number > INT64_MAX ? INT64_MAX : p->token.number;
    *out = is_negative ? -(int64_t)n : (int64_t)n;
    *out_text = slice_from(p->lexer.text.ptr + start, p->token.at + p->token.text.len - start);
    return parser_advance(p);
}

static int check_bound(struct parser *p, bool is_enum, const char *which, int64_t n,
                       struct slice text, struct proto_pos pos) {
    int64_t least = is_enum ? INT32_MIN : 1, most = is_enum ? INT32_MAX : PROTO_NUMBER_MAX;
    if (n >= least && n <= most)
        return 0;
    return proto_error_at(p->err, p->file, pos,
                          "range %s %.*s is out of range: should be between %lld and %lld", which,
                          SLICE_FMT(text), (long long)least, (long long)most);
}

static int read_range(struct parser *p, bool is_enum, bool is_message_set,
                      struct proto_range *out) {
    struct slice text, end_text;
    bool has_end;
    out->pos = parser_pos(p);
    TRY(read_signed(p, is_enum, &out->start, &text));
    TRY(check_bound(p, is_enum, "start", out->start, text, out->pos));
    out->end = out->start;
    TRY(take_word(p, "to", &has_end));
    if (!has_end)
        return 0;
    struct proto_pos end_pos = parser_pos(p);
    bool is_max;
    TRY(take_word(p, "max", &is_max));
    if (is_max) {
        out->end = is_enum || is_message_set ? INT32_MAX : PROTO_NUMBER_MAX;
        return 0;
    }
    TRY(read_signed(p, is_enum, &out->end, &end_text));
    TRY(check_bound(p, is_enum, "end", out->end, end_text, end_pos));
    if (out->end >= out->start)
        return 0;
    return proto_error_at(p->err, p->file, out->pos,
                          "range, %.*s to %.*s, is invalid: start must be <= end", SLICE_FMT(text),
                          SLICE_FMT(end_text));
}

static int read_ranges(struct parser *p, bool is_enum, bool is_message_set, proto_range_list *out) {
    bool is_more;
    do {
        struct proto_range range;
        TRY(read_range(p, is_enum, is_message_set, &range));
        list_push(p->arena, out, range);
        TRY(parser_take_char(p, ',', &is_more));
    } while (is_more);
    return 0;
}

static int read_reserved_names(struct parser *p, proto_reserved_list *out) {
    bool is_more;
    do {
        struct proto_reserved_name name = {.pos = parser_pos(p)};
        if (p->token.kind == TOKEN_NAME) /* editions */
            TRY(parser_name(p, &name.name));
        else
            TRY(parser_string(p, &name.name));
        for (uint32_t i = 0; i < out->len; i++)
            if (slice_eq(out->ptr[i].name, name.name))
                return proto_error_at(p->err, p->file, name.pos,
                                      "name \"%.*s\" is already reserved at %.*s:%u:%u",
                                      SLICE_FMT(name.name), SLICE_FMT(p->file->name),
                                      out->ptr[i].pos.line, out->ptr[i].pos.column);
        list_push(p->arena, out, name);
        TRY(parser_take_char(p, ',', &is_more));
    } while (is_more);
    return 0;
}

/* Behind `reserved`. */
static int read_reserved(struct parser *p, bool is_enum, proto_range_list *ranges,
                         proto_reserved_list *names) {
    if (p->token.kind == TOKEN_STRING || p->token.kind == TOKEN_NAME)
        TRY(read_reserved_names(p, names));
    else
        TRY(read_ranges(p, is_enum, false, ranges));
    return parser_semicolon(p);
}

/* ---------------------------------------------------------------- enums */

static int read_enum_value(struct parser *p, struct proto_enum *e) {
    struct proto_enum_value value = {.pos = parser_pos(p)};
    struct slice text;
    int64_t number;
    TRY(parser_name(p, &value.name));
    TRY(parser_expect_char(p, '=', "'='"));
    value.number_pos = parser_pos(p);
    TRY(read_signed(p, true, &number, &text));
    if (number < INT32_MIN || number > INT32_MAX)
        return proto_error_at(
            p->err, p->file, value.number_pos,
            "value %.*s is out of range: should be between -2147483648 and 2147483647",
            SLICE_FMT(text));
    value.number = (int32_t)number;
    list_push(p->arena, &e->values, value);
    TRY(parser_compact_options(p, &(struct option_target){0}));
    return parser_semicolon(p);
}

static int read_enum_element(struct parser *p, struct proto_enum *e) {
    bool is_taken;
    TRY(parser_take_char(p, ';', &is_taken));
    if (is_taken)
        return 0;
    TRY(take_word(p, "option", &is_taken));
    if (is_taken)
        return parser_option(p,
                             &(struct option_target){.features = &e->features, .enumeration = e});
    TRY(take_word(p, "reserved", &is_taken));
    if (!is_taken)
        return read_enum_value(p, e);
    return read_reserved(p, true, &e->reserved, &e->reserved_names);
}

/* At `enum`. */
static int read_enum(struct parser *p, struct slice scope, struct proto_enum **out) {
    struct proto_enum *e = *out = arena_zalloc(p->arena, sizeof *e);
    e->pos = parser_pos(p);
    TRY(parser_advance(p));
    e->name_pos = parser_pos(p);
    TRY(parser_name(p, &e->name));
    e->full_name = full_name_of(p->arena, scope, e->name);
    TRY(parser_expect_char(p, '{', "'{'"));
    while (!parser_is_char(p, '}'))
        TRY(read_enum_element(p, e));
    return parser_advance(p);
}

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
        return fail(p, f->number_pos, "tag number 0 must be greater than zero");
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
        TRY(take_word(p, "option", &is_taken));
        if (is_taken)
            TRY(parser_option(p, &(struct option_target){0}));
        else
            TRY(read_field(p, &home));
    }
    if (oneof->field_count == 0)
        return fail(p, pos, "oneof must contain at least one field");
    return parser_advance(p);
}

/* Behind `extend`. */
static int read_extend(struct parser *p, struct proto_type *type, struct proto_pos pos) {
    struct home home = {.scope = type ? type->full_name : p->file->package, .type = type};
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
        return fail(p, pos, "extend sections must define at least one extension");
    return parser_advance(p);
}

/* ---------------------------------------------------------------- messages */

/* Behind `extensions`. */
static int read_extension_ranges(struct parser *p, struct proto_type *type) {
    if (p->file->syntax == SYNTAX_PROTO3)
        return proto_error_at(p->err, p->file, parser_pos(p),
                              "message %.*s: extension ranges are not allowed in proto3",
                              SLICE_FMT(type->full_name));
    TRY(read_ranges(p, false, true, &type->extension_ranges));
    TRY(parser_compact_options(p, &(struct option_target){0}));
    return parser_semicolon(p);
}

static int read_message(struct parser *p, const struct home *home);

static int read_message_element(struct parser *p, struct proto_type *type) {
    struct home home = {.scope = type->full_name, .type = type};
    struct proto_pos pos = parser_pos(p);
    bool is_taken;
    if (parser_is_word(p, "message"))
        return read_message(p, &home);
    if (parser_is_word(p, "enum")) {
        struct proto_enum *e;
        TRY(read_enum(p, type->full_name, &e));
        list_push(p->arena, &type->enums, e);
        return 0;
    }
    TRY(parser_take_char(p, ';', &is_taken));
    if (is_taken)
        return 0;
    TRY(take_word(p, "option", &is_taken));
    if (is_taken)
        return parser_option(
            p, &(struct option_target){.features = &type->features,
                                       .type = type,
                                       .owner = slice_cstr(arena_printf(
                                           p->arena, "message %.*s", SLICE_FMT(type->full_name)))});
    TRY(take_word(p, "extend", &is_taken));
    if (is_taken)
        return read_extend(p, type, pos);
    TRY(take_word(p, "extensions", &is_taken));
    if (is_taken)
        return read_extension_ranges(p, type);
    TRY(take_word(p, "oneof", &is_taken));
    if (is_taken)
        return read_oneof(p, type, pos);
    TRY(take_word(p, "reserved", &is_taken));
    if (is_taken)
        return read_reserved(p, false, &type->reserved, &type->reserved_names);
    struct parser before = *p;
    TRY(take_word(p, "map", &is_taken));
    if (is_taken && parser_is_char(p, '<'))
        return read_map(p, &home, pos);
    if (is_taken)
        *p = before; /* a type called map */
    return read_field(p, &home);
}

/* At '{'. */
static int read_message_body(struct parser *p, struct proto_type *type) {
    if (++p->depth > PROTO_NESTING_MAX)
        return fail(p, parser_pos(p), "messages are nested too deeply");
    TRY(parser_expect_char(p, '{', "'{'"));
    while (!parser_is_char(p, '}'))
        TRY(read_message_element(p, type));
    p->depth--;
    return parser_advance(p);
}

/* At `message`. */
static int read_message(struct parser *p, const struct home *home) {
    struct proto_pos pos = parser_pos(p);
    struct slice name;
    TRY(parser_advance(p));
    struct proto_pos name_pos = parser_pos(p);
    TRY(parser_name(p, &name));
    struct proto_type *type = new_type(p, home->scope, name);
    type->pos = pos;
    type->name_pos = name_pos;
    add_type(p, home, type);
    return read_message_body(p, type);
}

/* ---------------------------------------------------------------- services */

static int read_rpc_type(struct parser *p, struct slice *out, bool *out_stream,
                         struct proto_pos *out_pos) {
    TRY(parser_expect_char(p, '(', "'('"));
    *out_pos = parser_pos(p);
    struct parser before = *p;
    TRY(take_word(p, "stream", out_stream));
    if (*out_stream && (parser_is_char(p, ')') || parser_is_char(p, '.'))) {
        /* `stream` may be the type, and `stream .a.B` a stream of .a.B */
        bool is_type = parser_is_char(p, ')') || before.token.text.ptr + 6 == p->token.text.ptr;
        if (is_type) {
            *p = before;
            *out_stream = false;
        }
    }
    if (*out_stream)
        *out_pos = parser_pos(p);
    TRY(parser_dotted(p, true, out));
    return parser_expect_char(p, ')', "')'");
}

static int read_rpc_options(struct parser *p) {
    while (!parser_is_char(p, '}')) {
        bool is_taken;
        TRY(parser_take_char(p, ';', &is_taken));
        if (is_taken)
            continue;
        if (!parser_is_word(p, "option"))
            return parser_unexpected(p, "\"option\", ';' or '}'");
        TRY(parser_advance(p));
        TRY(parser_option(p, &(struct option_target){0}));
    }
    return parser_advance(p);
}

/* Behind `rpc`. */
static int read_rpc(struct parser *p, struct proto_service *service) {
    struct proto_rpc rpc = {.name_pos = parser_pos(p)};
    TRY(parser_name(p, &rpc.name));
    TRY(read_rpc_type(p, &rpc.input_name, &rpc.is_client_stream, &rpc.input_pos));
    if (!parser_is_word(p, "returns"))
        return parser_unexpected(p, "\"returns\"");
    TRY(parser_advance(p));
    TRY(read_rpc_type(p, &rpc.output_name, &rpc.is_server_stream, &rpc.output_pos));
    list_push(p->arena, &service->rpcs, rpc);
    bool has_body;
    TRY(parser_take_char(p, '{', &has_body));
    return has_body ? read_rpc_options(p) : parser_semicolon(p);
}

/* At `service`. */
static int read_service(struct parser *p) {
    struct proto_service *service = arena_zalloc(p->arena, sizeof *service);
    TRY(parser_advance(p));
    service->name_pos = parser_pos(p);
    TRY(parser_name(p, &service->name));
    service->full_name = full_name_of(p->arena, p->file->package, service->name);
    list_push(p->arena, &p->file->services, service);
    TRY(parser_expect_char(p, '{', "'{'"));
    while (!parser_is_char(p, '}')) {
        bool is_taken;
        TRY(parser_take_char(p, ';', &is_taken));
        if (is_taken)
            continue;
        TRY(take_word(p, "option", &is_taken));
        if (is_taken) {
            TRY(parser_option(p, &(struct option_target){0}));
            continue;
        }
        if (!parser_is_word(p, "rpc"))
            return parser_unexpected(p, NULL);
        TRY(parser_advance(p));
        TRY(read_rpc(p, service));
    }
    return parser_advance(p);
}

/* ---------------------------------------------------------------- files */

static int read_syntax(struct parser *p) {
    struct slice value;
    TRY(parser_advance(p));
    TRY(parser_expect_char(p, '=', "'='"));
    struct proto_pos pos = parser_pos(p);
    TRY(parser_string(p, &value));
    if (slice_eq(value, SLICE("proto3")))
        p->file->syntax = SYNTAX_PROTO3;
    else if (!slice_eq(value, SLICE("proto2")))
        return fail(p, pos, "syntax value must be \"proto2\" or \"proto3\"");
    return parser_semicolon(p);
}

static int read_edition(struct parser *p) {
    struct slice value;
    TRY(parser_advance(p));
    TRY(parser_expect_char(p, '=', "'='"));
    struct proto_pos pos = parser_pos(p);
    TRY(parser_string(p, &value));
    p->file->syntax = SYNTAX_EDITIONS;
    if (slice_eq(value, SLICE("2023")))
        p->file->edition = 1000;
    else if (slice_eq(value, SLICE("2024")))
        p->file->edition = 1001;
    else
        return proto_error_at(p->err, p->file, pos,
                              "edition value \"%.*s\" not recognized; should be one of [\"2023\"]",
                              SLICE_FMT(value));
    return parser_semicolon(p);
}

static int read_import(struct parser *p) {
    struct proto_import import = {0};
    TRY(parser_advance(p));
    TRY(take_word(p, "public", &import.is_public));
    TRY(take_word(p, "weak", &import.is_weak));
    import.pos = parser_pos(p);
    if (p->token.kind != TOKEN_STRING)
        return parser_unexpected(p, import.is_public || import.is_weak
                                        ? "string literal"
                                        : "string literal, \"weak\", or \"public\"");
    TRY(parser_string(p, &import.name));
    for (uint32_t i = 0; i < p->file->imports.len; i++)
        if (slice_eq(p->file->imports.ptr[i].name, import.name))
            return proto_error_at(p->err, p->file, import.pos,
                                  "\"%.*s\" was already imported (first seen at %.*s:%u:%u)",
                                  SLICE_FMT(import.name), SLICE_FMT(p->file->name),
                                  p->file->imports.ptr[i].pos.line,
                                  p->file->imports.ptr[i].pos.column);
    list_push(p->arena, &p->file->imports, import);
    return parser_semicolon(p);
}

static int read_package(struct parser *p) {
    struct proto_pos pos = parser_pos(p);
    TRY(parser_advance(p));
    if (p->file->package.len > 0)
        return fail(p, pos, "files should have only one package declaration");
    p->file->package_pos = parser_pos(p);
    TRY(parser_dotted(p, false, &p->file->package));
    return parser_semicolon(p);
}

static int read_file_element(struct parser *p) {
    struct home home = {.scope = p->file->package};
    struct proto_pos pos = parser_pos(p);
    if (parser_is_char(p, ';'))
        return parser_advance(p);
    if (parser_is_word(p, "import"))
        return read_import(p);
    if (parser_is_word(p, "package"))
        return read_package(p);
    if (parser_is_word(p, "message"))
        return read_message(p, &home);
    if (parser_is_word(p, "service"))
        return read_service(p);
    if (parser_is_word(p, "enum")) {
        struct proto_enum *e;
        TRY(read_enum(p, p->file->package, &e));
        list_push(p->arena, &p->file->enums, e);
        return 0;
    }
    bool is_taken;
    TRY(take_word(p, "option", &is_taken));
    if (is_taken)
        return parser_option(p, &(struct option_target){.features = &p->file->features});
    TRY(take_word(p, "extend", &is_taken));
    if (is_taken)
        return read_extend(p, NULL, pos);
    return parser_unexpected(p, NULL);
}

int proto_parse_text(struct proto_pool *pool, struct slice name, struct slice text,
                     struct proto_file **out_file, struct error *err) {
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        text = slice_from(text.ptr + 3, text.len - 3);
    struct proto_file *file = *out_file = pool_new_file(pool, name);
    file->is_parsed = true;
    struct parser p = {.pool = pool, .file = file, .arena = &pool->arena, .err = err};
    p.lexer = (struct lexer){.text = text, .file = file, .arena = &pool->arena};
    TRY(parser_advance(&p));
    if (parser_is_word(&p, "syntax"))
        TRY(read_syntax(&p));
    else if (parser_is_word(&p, "edition"))
        TRY(read_edition(&p));
    while (p.token.kind != TOKEN_END)
        TRY(read_file_element(&p));
    return proto_validate(pool, file, err);
}
