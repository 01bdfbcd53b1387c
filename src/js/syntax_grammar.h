/* The recogniser of syntax_words: shared by its files, syntax_expressions.c,
 * syntax_statements.c and syntax_recover.c. */
#pragma once

#include "js/syntax_scan.h"

/* What an expression turned out to be, as far as later rules ask. */
enum shape {
    SHAPE_OTHER,
    SHAPE_NAME,
    SHAPE_MEMBER,
    SHAPE_PATTERN, /* array or object literal */
    SHAPE_LIST,    /* in parentheses */
    SHAPE_CALL,
    SHAPE_AND,
    SHAPE_UNARY,
    SHAPE_STRING,
    SHAPE_BAD,
};

/* One per function. */
struct scope {
    struct scope *outer;
    bool allow_in, allow_let, allow_import;
    bool in_loop, in_switch, in_parameters, in_function, in_async;
    bool allow_await, allow_yield;
};

struct ts;

struct parser {
    struct scanner s;
    struct ts *ts; /* TypeScript: what is to be changed (js/ts.h); NULL for JavaScript */
    struct scope *scope;
    bool is_bundler; /* words of the bundler */
    size_t recovered_at;
    int recovered_times;
    bool ts_in_member; /* the function being read is a method of a class */
    const char *stack_limit;
    jmp_buf too_deep; /* source that is nested too deeply is not looked at further */
};

/* Notes what is unexpected about t, at the place of the current token. */
void syntax_unexpected(struct parser *p, const struct token *t);
void syntax_expect(struct parser *p, const char *text);
void syntax_expect_name(struct parser *p);
/* After an error: on to where a statement may begin. */
void syntax_skip_statement(struct parser *p);
void syntax_semicolon(struct parser *p);
void syntax_enter(struct parser *p);
bool syntax_is_binding_name(const struct parser *p, const struct token *t);
void syntax_as_binding_name(struct parser *p);

enum shape syntax_assignment(struct parser *p);
enum shape syntax_expression(struct parser *p);
enum shape syntax_binding_target(struct parser *p);
/* name, or pattern with initialiser. True when a pattern has none. */
bool syntax_variable(struct parser *p);
void syntax_function(struct parser *p, bool is_declaration, bool is_async);
void syntax_class(struct parser *p, bool is_declaration);

void syntax_parameters(struct parser *p);
enum shape syntax_left_side(struct parser *p, bool allow_call);
void syntax_optional_semicolon(struct parser *p);

void syntax_block(struct parser *p);
void syntax_statement(struct parser *p);
/* Recognises a whole source with an initialised p->s. */
void syntax_program(struct parser *p, const char *stack_limit);
/* "Line 3:13 …" of the errors; NULL without any. Heap string. */
char *syntax_describe(const struct parser *p);

static inline bool syntax_at(const struct parser *p, const char *text) {
    return token_is(&p->s.token, text);
}

static inline bool syntax_at_end(const struct parser *p) {
    return p->s.token.kind == TOKEN_EOF;
}

static inline bool syntax_at_name(const struct parser *p, const char *name) {
    return p->s.token.kind >= TOKEN_NAME && slice_eq(p->s.token.text, slice_cstr(name));
}

static inline void syntax_next(struct parser *p) {
    scanner_next(&p->s);
}
