/* The .proto parser, recursive descent over one file; what needs other files is link.c's. Tokens
 * and names are read in parser_tokens.c, messages and fields in parser_message.c, enums and ranges
 * in parser_enum.c, options in parser_options.c, the file and its services in parser.c. Where the
 * grammar allows few tokens, errors name them as the generated parser of protocompile does. All
 * functions return 0 or a code with words in parser.err. */
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

/* ---------------------------------------------------------------- parser_tokens.c */

int parser_advance(struct parser *p);
struct proto_pos parser_pos(struct parser *p);
/* These words, at that place. */
int parser_fail(struct parser *p, struct proto_pos pos, const char *text);
/* `syntax error: unexpected ';'`, with `, expecting …` when expecting is not NULL. */
int parser_unexpected(struct parser *p, const char *expecting);
bool parser_is_char(const struct parser *p, char c);
bool parser_is_word(const struct parser *p, const char *word);
/* Take it when it is next. */
int parser_take_char(struct parser *p, char c, bool *out_taken);
int parser_take_word(struct parser *p, const char *word, bool *out_taken);
int parser_expect_char(struct parser *p, char c, const char *expecting);
int parser_semicolon(struct parser *p);
/* Texts are the arena's. */
int parser_name(struct parser *p, struct slice *out);
/* a.b.c, with a leading dot when it may be a type */
int parser_dotted(struct parser *p, bool is_type, struct slice *out);
int parser_string(struct parser *p, struct slice *out);

/* ---------------------------------------------------------------- parser_enum.c */

/* "1, 3 to 5, 10 to max", as far as the numbers may go. */
int parser_ranges(struct parser *p, bool is_enum, bool is_message_set, proto_range_list *out);
/* Behind `reserved`: ranges or names. */
int parser_reserved(struct parser *p, bool is_enum, proto_range_list *ranges,
                    proto_reserved_list *names);
/* At `enum`. */
int parser_enum(struct parser *p, struct slice scope, struct proto_enum **out);

/* ---------------------------------------------------------------- parser_message.c */

/* At `message`. parent NULL: the file's own. */
int parser_message(struct parser *p, struct proto_type *parent);
/* Behind `extend`, which stood at pos. */
int parser_extend(struct parser *p, struct proto_type *parent, struct proto_pos pos);

/* ---------------------------------------------------------------- parser_options.c */

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
