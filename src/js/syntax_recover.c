#include <stdio.h>

#include "base/check.h"
#include "js/syntax_grammar.h"

void syntax_enter(struct parser *p) {
    if ((const char *)__builtin_frame_address(0) < p->stack_limit)
        longjmp(p->too_deep, 1);
}

static void bundler_words(struct parser *p, const char *before, const struct token *t) {
    char words[120];
    if (t->kind == TOKEN_EOF)
        snprintf(words, sizeof words, "%send of file", before);
    else
        snprintf(words, sizeof words, "%s\"%.*s\"", before, SLICE_FMT(t->text));
    scanner_error(&p->s, t->at, words);
}

void syntax_unexpected(struct parser *p, const struct token *t) {
    char words[120];
    if (p->is_bundler) {
        bundler_words(p, "Unexpected ", t);
        return;
    }
    switch (t->kind) {
    case TOKEN_EOF:
        scanner_error(&p->s, p->s.len, "Unexpected end of input");
        return;
    case TOKEN_NAME:
        scanner_error(&p->s, p->s.token.at, "Unexpected identifier");
        return;
    case TOKEN_RESERVED:
        scanner_error(&p->s, p->s.token.at, "Unexpected reserved word");
        return;
    case TOKEN_NUMBER:
        scanner_error(&p->s, p->s.token.at, "Unexpected number");
        return;
    case TOKEN_STRING:
        scanner_error(&p->s, p->s.token.at, "Unexpected string");
        return;
    case TOKEN_ILLEGAL:
        scanner_error(&p->s, p->s.token.at, "Unexpected token ILLEGAL");
        return;
    case TOKEN_PRIVATE:
        scanner_error(&p->s, p->s.token.at, "Unexpected token PRIVATE_IDENTIFIER");
        return;
    default:
        break;
    }
    snprintf(words, sizeof words, "Unexpected token %.*s", SLICE_FMT(t->text));
    scanner_error(&p->s, p->s.token.at, words);
}

void syntax_expect(struct parser *p, const char *text) {
    if (!syntax_at(p, text) && p->is_bundler) {
        char before[60];
        snprintf(before, sizeof before, "Expected \"%s\" but found ", text);
        bundler_words(p, before, &p->s.token);
    } else if (!syntax_at(p, text)) {
        syntax_unexpected(p, &p->s.token);
    }
    syntax_next(p);
}

void syntax_expect_name(struct parser *p) {
    if (p->s.token.kind != TOKEN_NAME && p->is_bundler)
        bundler_words(p, "Expected identifier but found ", &p->s.token);
    else if (p->s.token.kind != TOKEN_NAME)
        syntax_unexpected(p, &p->s.token);
    syntax_next(p);
}

/* After an error: on to where a statement may begin. */
void syntax_skip_statement(struct parser *p) {
    static const char *const starts[] = {"break",  "continue", "for",   "if",     "return",
                                         "switch", "var",      "do",    "try",    "with",
                                         "while",  "throw",    "catch", "finally"};
    for (; !syntax_at_end(p); syntax_next(p)) {
        bool is_start = false;
        for (size_t i = 0; i < countof(starts); i++)
            is_start |= syntax_at(p, starts[i]);
        if (!is_start)
            continue;
        if (p->s.token.at == p->recovered_at && p->recovered_times < 10) {
            p->recovered_times++;
            return;
        }
        if (p->s.token.at > p->recovered_at) {
            p->recovered_at = p->s.token.at;
            p->recovered_times = 0;
            return;
        }
    }
}

void syntax_semicolon(struct parser *p) {
    if (syntax_at(p, ")") || syntax_at(p, "}"))
        return;
    if (p->s.implicit_end) {
        p->s.implicit_end = false;
        return;
    }
    syntax_expect(p, ";");
}

bool syntax_is_binding_name(const struct parser *p, const struct token *t) {
    if (t->kind == TOKEN_NAME)
        return true;
    if (t->kind != TOKEN_LOOSE)
        return false;
    if (token_is(t, "await"))
        return !p->scope->allow_await;
    if (token_is(t, "yield"))
        return !p->scope->allow_yield;
    return true;
}

/* A loose word where a name is wanted becomes a name. */
void syntax_as_binding_name(struct parser *p) {
    if (syntax_is_binding_name(p, &p->s.token))
        p->s.token.kind = TOKEN_NAME;
}
