/* Tokens for syntax_words. */
#pragma once

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

enum token_kind {
    TOKEN_EOF,
    TOKEN_ILLEGAL,
    TOKEN_RESERVED, /* enum */
    TOKEN_STRING,
    TOKEN_LITERAL, /* true, false, null */
    TOKEN_NUMBER,
    TOKEN_PUNCTUATION,
    TOKEN_PRIVATE, /* #name */
    TOKEN_NAME,
    TOKEN_WORD,  /* reserved words with a meaning in the grammar */
    TOKEN_LOOSE, /* let, static, async, await, yield: names in most places */
};

struct token {
    enum token_kind kind;
    struct slice text;
    size_t at; /* offset */
};

struct syntax_error {
    size_t at;
    char words[120];
};

struct scanner {
    const char *source;
    size_t len, at;
    bool
        ends_statement; /* a line break here may end the statement: after a name, ")", "return" … */
    bool implicit_end; /* a line break or the end stood before the current token where it ends a
                          statement */
    struct token token;
    size_t prev_end; /* where the token before it ended */
    /* Only the first errors are kept, all are counted. */
    struct syntax_error first;
    size_t n_errors;
};

void scanner_init(struct scanner *s, struct slice source);
/* Reads the next token into s->token. */
void scanner_next(struct scanner *s);
struct token scanner_peek(struct scanner *s);
/* The token is "/" or "/=" where an expression begins: reads the rest of the regular expression and
 * the token after it. */
void scanner_regexp(struct scanner *s);
/* Reads the characters of a template behind "`" or "}". True at its end, false at "${". */
bool scanner_template(struct scanner *s);
void scanner_error(struct scanner *s, size_t at, const char *words);

static inline bool token_is(const struct token *t, const char *text) {
    return (t->kind == TOKEN_PUNCTUATION || t->kind >= TOKEN_WORD) && t->text.len == strlen(text) &&
           memcmp(t->text.ptr, text, t->text.len) == 0;
}
