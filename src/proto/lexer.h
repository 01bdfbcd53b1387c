/* Tokens of the .proto language, with the errors and positions of protocompile: columns count
 * bytes, a tab goes to the next multiple of 8. Internal to proto/. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "proto/descriptor.h"

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_INT, TOKEN_FLOAT, TOKEN_STRING, TOKEN_CHAR };

struct token {
    enum token_kind kind;
    struct slice text;  /* as written */
    struct slice value; /* of a string */
    uint64_t number;    /* of an int */
    double real;        /* of an int or float */
    char c;             /* of a char */
    size_t at;          /* offset in the text */
};

struct lexer {
    struct slice text;
    size_t at;
    const struct proto_file *file; /* for the errors */
    struct arena *arena;           /* strings live there */
    size_t seen_at;                /* lexer_pos goes on from what it answered last */
    struct proto_pos seen;
};

/* 0 with the token (TOKEN_END at the end), or KE_INVALID. */
int lexer_next(struct lexer *l, struct token *out, struct error *err);
struct proto_pos lexer_pos(struct lexer *l, size_t at);
