#include "proto/parser_internal.h"

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
    TRY(parser_take_word(p, "to", &has_end));
    if (!has_end)
        return 0;
    struct proto_pos end_pos = parser_pos(p);
    bool is_max;
    TRY(parser_take_word(p, "max", &is_max));
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

int parser_ranges(struct parser *p, bool is_enum, bool is_message_set, proto_range_list *out) {
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

int parser_reserved(struct parser *p, bool is_enum, proto_range_list *ranges,
                    proto_reserved_list *names) {
    if (p->token.kind == TOKEN_STRING || p->token.kind == TOKEN_NAME)
        TRY(read_reserved_names(p, names));
    else
        TRY(parser_ranges(p, is_enum, false, ranges));
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
    TRY(parser_take_word(p, "option", &is_taken));
    if (is_taken)
        return parser_option(p,
                             &(struct option_target){.features = &e->features, .enumeration = e});
    TRY(parser_take_word(p, "reserved", &is_taken));
    if (!is_taken)
        return read_enum_value(p, e);
    return parser_reserved(p, true, &e->reserved, &e->reserved_names);
}

int parser_enum(struct parser *p, struct slice scope, struct proto_enum **out) {
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
