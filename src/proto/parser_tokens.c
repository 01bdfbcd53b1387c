#include "proto/parser_internal.h"

#include <stdio.h>

#include "base/check.h"

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

int parser_fail(struct parser *p, struct proto_pos pos, const char *text) {
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
    return parser_fail(p, parser_pos(p), "syntax error: expecting ';'");
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

int parser_take_word(struct parser *p, const char *word, bool *out_taken) {
    *out_taken = parser_is_word(p, word);
    return *out_taken ? parser_advance(p) : 0;
}
