#include <inttypes.h>
#include <stdio.h>

#include "proto/parser_internal.h"

enum value_kind { VALUE_STRING, VALUE_NUMBER, VALUE_WORD, VALUE_AGGREGATE };

struct option_value {
    enum value_kind kind;
    struct slice text; /* content of a string, word, or number as written with its sign */
    struct proto_pos pos;
};

static const char *closing_of(char open) {
    return open == '{' ? "}" : open == '[' ? "]" : ">";
}

/* At an opening bracket: the text format inside is not needed, but brackets must pair. */
static int skip_aggregate(struct parser *p) {
    if (++p->depth > PROTO_NESTING_MAX)
        return proto_error_at(p->err, p->file, parser_pos(p), "option value is nested too deeply");
    char close = closing_of(p->token.c)[0];
    TRY(parser_advance(p));
    while (!parser_is_char(p, close)) {
        if (p->token.kind == TOKEN_END)
            return parser_unexpected(p, NULL);
        if (p->token.kind != TOKEN_CHAR)
            TRY(parser_advance(p));
        else if (strchr("{[<", p->token.c) != NULL)
            TRY(skip_aggregate(p));
        else if (strchr("}]>=()", p->token.c) != NULL)
            return parser_unexpected(p, NULL);
        else
            TRY(parser_advance(p));
    }
    p->depth--;
    return parser_advance(p);
}

static int read_number(struct parser *p, struct option_value *out) {
    bool has_sign = parser_is_char(p, '-') || parser_is_char(p, '+');
    bool is_negative = parser_is_char(p, '-');
    if (has_sign)
        TRY(parser_advance(p));
    bool is_word = parser_is_word(p, "inf") || (has_sign && parser_is_word(p, "nan"));
    if (p->token.kind != TOKEN_INT && p->token.kind != TOKEN_FLOAT && !is_word)
        return parser_unexpected(p, "int literal, float literal, or \"inf\"");
    out->kind = VALUE_NUMBER;
    /* numbers in the form of default_value: decimal */
    const char *sign = is_negative ? "-" : "";
    char *text = p->token.kind == TOKEN_INT
                     ? arena_printf(p->arena, "%s%" PRIu64, sign, p->token.number)
                     : arena_printf(p->arena, "%s%.*s", sign, SLICE_FMT(p->token.text));
    out->text = slice_cstr(text);
    return parser_advance(p);
}

static int read_value(struct parser *p, struct option_value *out) {
    *out = (struct option_value){.pos = parser_pos(p)};
    if (parser_is_char(p, '{')) {
        out->kind = VALUE_AGGREGATE;
        return skip_aggregate(p);
    }
    if (p->token.kind == TOKEN_STRING) {
        out->kind = VALUE_STRING;
        return parser_string(p, &out->text);
    }
    if (p->token.kind != TOKEN_NAME)
        return read_number(p, out);
    out->kind = VALUE_WORD;
    out->text = arena_slice(p->arena, p->token.text);
    return parser_advance(p);
}

/* a.(b.c).d as written, without blanks. */
static int read_option_name(struct parser *p, struct slice *out) {
    struct slice name = SLICE(""), part;
    for (;;) {
        bool is_extension;
        TRY(parser_take_char(p, '(', &is_extension));
        if (is_extension) {
            TRY(parser_dotted(p, true, &part));
            TRY(parser_expect_char(p, ')', "')'"));
        } else {
            TRY(parser_name(p, &part));
        }
        name = slice_cstr(arena_printf(p->arena, "%.*s%s%s%.*s%s", SLICE_FMT(name),
                                       name.len ? "." : "", is_extension ? "(" : "",
                                       SLICE_FMT(part), is_extension ? ")" : ""));
        if (!parser_is_char(p, '.'))
            break;
        TRY(parser_advance(p));
    }
    *out = name;
    return 0;
}

static bool is_true(const struct option_value *v) {
    return v->kind == VALUE_WORD && slice_eq(v->text, SLICE("true"));
}

static int expect_bool(struct parser *p, struct slice name, const struct option_value *v) {
    if (v->kind == VALUE_WORD &&
        (slice_eq(v->text, SLICE("true")) || slice_eq(v->text, SLICE("false"))))
        return 0;
    return proto_error_at(p->err, p->file, v->pos, "option %.*s: expecting bool, got %s",
                          SLICE_FMT(name),
                          v->kind == VALUE_STRING   ? "string"
                          : v->kind == VALUE_NUMBER ? "integer"
                          : v->kind == VALUE_WORD   ? "identifier"
                                                    : "message");
}

/* Words of the features by their number; 0 in front. */
static const char *const feature_names[FEATURES] = {NULL,
                                                    "field_presence",
                                                    "enum_type",
                                                    "repeated_field_encoding",
                                                    "utf8_validation",
                                                    "message_encoding"};
static const char *const feature_words[FEATURES][4] = {
    [FEATURE_PRESENCE] = {NULL, "EXPLICIT", "IMPLICIT", "LEGACY_REQUIRED"},
    [FEATURE_ENUM] = {NULL, "OPEN", "CLOSED"},
    [FEATURE_REPEATED] = {NULL, "PACKED", "EXPANDED"},
    [FEATURE_UTF8] = {NULL, NULL, "VERIFY", "NONE"},
    [FEATURE_MESSAGE] = {NULL, "LENGTH_PREFIXED", "DELIMITED"},
};

static int set_feature(struct parser *p, struct proto_features *features, struct slice name,
                       const struct option_value *v) {
    struct slice word = slice_from(name.ptr + 9, name.len - 9); /* behind "features." */
    for (int f = 1; f < FEATURES; f++) {
        if (!slice_eq(word, slice_cstr(feature_names[f])))
            continue;
        for (uint8_t i = 1; i < 4; i++) {
            const char *text = feature_words[f][i];
            if (text != NULL && v->kind == VALUE_WORD && slice_eq(v->text, slice_cstr(text))) {
                features->of[f] = i;
                return 0;
            }
        }
        return proto_error_at(p->err, p->file, v->pos, "option %.*s: enum has no value named %.*s",
                              SLICE_FMT(name), SLICE_FMT(v->text));
    }
    return 0;
}

/* default_value of bytes: escaped as in C. */
static struct slice escape_bytes(struct arena *a, struct slice s) {
    static const char special[] = "\n\r\t\"'\\", letters[] = "nrt\"'\\";
    char *text = arena_alloc(a, s.len * 4 + 1), *at = text;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        const char *found = c != 0 ? strchr(special, c) : NULL;
        if (found != NULL)
            at += snprintf(at, 5, "\\%c", letters[found - special]);
        else if (c < 0x20 || c >= 0x7f)
            at += snprintf(at, 5, "\\%03o", c);
        else
            *at++ = (char)c;
    }
    return slice_from(text, (size_t)(at - text));
}

static int set_field_option(struct parser *p, struct proto_field *field, struct slice name,
                            const struct option_value *v, struct proto_pos pos) {
    if (slice_eq(name, SLICE("packed"))) {
        TRY(expect_bool(p, name, v));
        field->packed = is_true(v) ? 1 : 2;
    } else if (slice_eq(name, SLICE("json_name"))) {
        if (v->kind != VALUE_STRING)
            return proto_error_at(p->err, p->file, v->pos,
                                  "field %.*s: option json_name: expecting string",
                                  SLICE_FMT(field->full_name));
        field->json_name = v->text;
    } else if (slice_eq(name, SLICE("default"))) {
        if (p->file->syntax == SYNTAX_PROTO3)
            return proto_error_at(p->err, p->file, pos,
                                  "field %.*s: default values are not allowed in proto3",
                                  SLICE_FMT(field->full_name));
        if (field->label == LABEL_REPEATED)
            return proto_error_at(
                p->err, p->file, pos,
                "field %.*s: default value cannot be set because field is repeated",
                SLICE_FMT(field->full_name));
        if (v->kind == VALUE_AGGREGATE)
            return proto_error_at(p->err, p->file, v->pos,
                                  "field %.*s: default value cannot be a message",
                                  SLICE_FMT(field->full_name));
        field->has_default = true;
        field->default_text = field->kind == KIND_BYTES ? escape_bytes(p->arena, v->text) : v->text;
    }
    return 0;
}

static int apply(struct parser *p, const struct option_target *target, struct slice name,
                 const struct option_value *v, struct proto_pos pos) {
    if (target->features != NULL && slice_starts(name, SLICE("features.")))
        return set_feature(p, target->features, name, v);
    if (target->field != NULL)
        return set_field_option(p, target->field, name, v, pos);
    if (target->type != NULL && slice_eq(name, SLICE("map_entry")))
        return proto_error_at(
            p->err, p->file, pos,
            "%.*s: map_entry option should not be set explicitly; use map type instead",
            SLICE_FMT(target->owner));
    if (target->type != NULL && slice_eq(name, SLICE("message_set_wire_format"))) {
        TRY(expect_bool(p, name, v));
        target->type->is_message_set = is_true(v);
    }
    if (target->enumeration != NULL && slice_eq(name, SLICE("allow_alias"))) {
        TRY(expect_bool(p, name, v));
        target->enumeration->is_alias_allowed = is_true(v);
    }
    return 0;
}

static int one_option(struct parser *p, const struct option_target *target) {
    struct proto_pos pos = parser_pos(p);
    struct option_value value;
    struct slice name;
    TRY(read_option_name(p, &name));
    TRY(parser_expect_char(p, '=', "'='"));
    TRY(read_value(p, &value));
    return apply(p, target, name, &value, pos);
}

int parser_option(struct parser *p, const struct option_target *target) {
    TRY(one_option(p, target));
    return parser_semicolon(p);
}

int parser_compact_options(struct parser *p, const struct option_target *target) {
    bool is_more;
    TRY(parser_take_char(p, '[', &is_more));
    if (!is_more)
        return 0;
    do {
        TRY(one_option(p, target));
        TRY(parser_take_char(p, ',', &is_more));
    } while (is_more);
    return parser_expect_char(p, ']', "',' or ']'");
}
