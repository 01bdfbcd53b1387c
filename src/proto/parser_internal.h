/* The two halves of the .proto parser: declarations (parser.c) and options (parser_options.c). */
#pragma once

#include "proto/lexer.h"

struct parser {
    struct lexer lexer;
    struct token token; /* the next one */
    struct proto_pool *pool;
    struct proto_file *file;
    struct arena *arena;
    struct error *err;
    unsigned depth;
};

int parser_advance(struct parser *p);
/* `syntax error: unexpected ';'`, with `, expecting …` when expecting is not NULL. */
int parser_unexpected(struct parser *p, const char *expecting);
bool parser_is_char(const struct parser *p, char c);
bool parser_is_word(const struct parser *p, const char *word);
/* Takes it when it is next. */
int parser_take_char(struct parser *p, char c, bool *out_taken);
int parser_expect_char(struct parser *p, char c, const char *expecting);
int parser_semicolon(struct parser *p);
struct proto_pos parser_pos(struct parser *p);
int parser_name(struct parser *p, struct slice *out);
/* a.b.c, with a leading dot when one may be there */
int parser_dotted(struct parser *p, bool is_type, struct slice *out);
int parser_string(struct parser *p, struct slice *out);

/* What options can change; the rest is read and passed over. */
struct option_target {
    struct proto_features *features; /* NULL: has none */
    struct proto_field *field;
    struct proto_type *type;
    struct proto_enum *enumeration;
    struct slice owner; /* what an error calls it: "message Foo" */
};

/* Behind the word `option`. */
int parser_option(struct parser *p, const struct option_target *target);
/* [a = 1, (b).c = {…}], when there is a '['. */
int parser_compact_options(struct parser *p, const struct option_target *target);
