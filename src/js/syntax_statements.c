#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "js/syntax_grammar.h"
#include "js/syntax_words.h"
#include "js/ts.h"

void syntax_optional_semicolon(struct parser *p) {
    if (syntax_at(p, ";"))
        syntax_next(p);
    else if (p->s.implicit_end)
        p->s.implicit_end = false;
    else if (!syntax_at_end(p) && !syntax_at(p, "}"))
        syntax_expect(p, ";");
}

void syntax_block(struct parser *p) {
    syntax_expect(p, "{");
    while (!syntax_at(p, "}") && !syntax_at_end(p)) {
        p->scope->allow_let = true;
        syntax_statement(p);
    }
    syntax_expect(p, "}");
}

static void parse_single(struct parser *p) {
    p->scope->allow_let = false;
    syntax_statement(p);
}

static void parse_loop_body(struct parser *p) {
    bool outer = p->scope->in_loop;
    p->scope->in_loop = true;
    parse_single(p);
    p->scope->in_loop = outer;
}

static void parse_condition(struct parser *p) {
    syntax_expect(p, "(");
    syntax_expression(p);
    syntax_expect(p, ")");
}

/* ---- declarations ---- */

/* How many names and patterns; *out_missing is where a pattern without initialiser ends. */
static size_t parse_variables(struct parser *p, bool *out_missing) {
    size_t n = 0;
    for (;;) {
        *out_missing |= syntax_variable(p);
        n++;
        if (!syntax_at(p, ","))
            return n;
        syntax_next(p);
    }
}

static void parse_declaration(struct parser *p) {
    bool is_missing = false;
    if (!syntax_at(p, "var") && !p->scope->allow_let)
        scanner_error(&p->s, p->s.token.at,
                      "Lexical declaration cannot appear in a single-statement context");
    syntax_next(p);
    parse_variables(p, &is_missing);
    if (is_missing && !p->ts)
        scanner_error(&p->s, p->s.token.at, "Missing initializer in destructuring declaration");
    syntax_semicolon(p);
}

/* ---- loops ---- */

static void parse_for_rest(struct parser *p) {
    if (!syntax_at(p, ";"))
        syntax_expression(p);
    syntax_expect(p, ";");
    if (!syntax_at(p, ")"))
        syntax_expression(p);
    syntax_expect(p, ")");
    parse_loop_body(p);
}

static bool at_of(const struct parser *p) {
    return p->s.token.kind == TOKEN_NAME && slice_eq(p->s.token.text, SLICE("of"));
}

static void parse_for(struct parser *p) {
    bool outer_in = p->scope->allow_in, is_missing = false;
    bool is_let = false, is_each = false, is_of = false;
    enum shape shape = SHAPE_NAME;
    syntax_expect(p, "for");
    if (p->ts && syntax_at(p, "await"))
        syntax_next(p);
    syntax_expect(p, "(");
    if (syntax_at(p, ";")) {
        syntax_next(p);
        parse_for_rest(p);
        return;
    }
    p->scope->allow_in = false;
    if (syntax_at(p, "let")) {
        struct token ahead = scanner_peek(&p->s);
        is_let = ahead.kind == TOKEN_NAME || token_is(&ahead, "[") || token_is(&ahead, "{");
    }
    size_t start = p->s.token.at, n = 1;
    if (syntax_at(p, "var") || syntax_at(p, "const") || is_let) {
        syntax_next(p);
        n = parse_variables(p, &is_missing);
    } else {
        shape = syntax_expression(p);
    }
    if (n == 1 && (syntax_at(p, "in") || at_of(p))) {
        is_of = at_of(p);
        is_each = true;
        syntax_next(p);
        if (shape != SHAPE_NAME && shape != SHAPE_MEMBER && shape != SHAPE_PATTERN) {
            scanner_error(&p->s, start, "Invalid left-hand side in for-in or for-of");
            syntax_skip_statement(p);
            p->scope->allow_in = outer_in;
            return;
        }
    } else if (is_missing) {
        scanner_error(&p->s, p->s.token.at, "Missing initializer in destructuring declaration");
    }
    p->scope->allow_in = outer_in;
    if (!is_each) {
        syntax_expect(p, ";");
        parse_for_rest(p);
        return;
    }
    if (is_of)
        syntax_assignment(p);
    else
        syntax_expression(p);
    syntax_expect(p, ")");
    parse_loop_body(p);
}

static void parse_do(struct parser *p) {
    syntax_next(p);
    parse_loop_body(p);
    syntax_expect(p, "while");
    parse_condition(p);
    if (syntax_at(p, ";"))
        syntax_next(p);
}

/* ---- jumps ---- */

static void parse_jump(struct parser *p, bool is_break) {
    size_t start = p->s.token.at;
    syntax_next(p);
    bool ends = p->s.implicit_end;
    if (syntax_at(p, ";")) {
        ends = true;
        syntax_next(p);
    }
    bool is_allowed = p->scope->in_loop || (is_break && p->scope->in_switch);
    if (ends || syntax_at(p, "}")) {
        p->s.implicit_end = false;
        if (is_allowed)
            return;
    } else {
        syntax_as_binding_name(p);
        if (p->s.token.kind == TOKEN_NAME) { /* a label: taken to exist */
            syntax_next(p);
            syntax_semicolon(p);
            return;
        }
        syntax_expect_name(p);
    }
    scanner_error(&p->s, start,
                  is_break ? "Illegal break statement" : "Illegal continue statement");
    syntax_skip_statement(p);
}

static void parse_return(struct parser *p) {
    size_t start = p->s.token.at;
    syntax_next(p);
    if (!p->scope->in_function) {
        scanner_error(&p->s, start, "Illegal return statement");
        syntax_skip_statement(p);
        return;
    }
    if (!p->s.implicit_end && !syntax_at(p, ";") && !syntax_at(p, "}") && !syntax_at_end(p))
        syntax_expression(p);
    syntax_semicolon(p);
}

static void parse_throw(struct parser *p) {
    size_t start = p->s.token.at;
    syntax_next(p);
    if (p->s.implicit_end) {
        scanner_error(&p->s, start,
                      syntax_at_end(p) ? "Unexpected end of input" : "Illegal newline after throw");
        syntax_skip_statement(p);
        return;
    }
    syntax_expression(p);
    syntax_semicolon(p);
}

static void parse_try(struct parser *p) {
    size_t start = p->s.token.at;
    bool is_complete = false;
    syntax_next(p);
    syntax_block(p);
    if (syntax_at(p, "catch")) {
        is_complete = true;
        syntax_next(p);
        if (syntax_at(p, "(")) {
            syntax_next(p);
            syntax_binding_target(p);
            if (p->ts)
                ts_after_target(p);
            syntax_expect(p, ")");
        }
        syntax_block(p);
    }
    if (syntax_at(p, "finally")) {
        is_complete = true;
        syntax_next(p);
        syntax_block(p);
    }
    if (!is_complete)
        scanner_error(&p->s, start, "Missing catch or finally after try");
}

static void parse_switch(struct parser *p) {
    bool outer = p->scope->in_switch, has_default = false;
    syntax_next(p);
    parse_condition(p);
    syntax_expect(p, "{");
    p->scope->in_switch = true;
    while (!syntax_at_end(p)) {
        if (syntax_at(p, "}")) {
            syntax_next(p);
            break;
        }
        size_t start = p->s.token.at;
        if (syntax_at(p, "default")) {
            if (has_default)
                scanner_error(&p->s, start, "Already saw a default in switch");
            has_default = true;
            syntax_next(p);
        } else {
            syntax_expect(p, "case");
            syntax_expression(p);
        }
        syntax_expect(p, ":");
        while (!syntax_at_end(p) && !syntax_at(p, "}") && !syntax_at(p, "case") &&
               !syntax_at(p, "default")) {
            p->scope->allow_let = true;
            syntax_statement(p);
        }
    }
    p->scope->in_switch = outer;
}

static void parse_if(struct parser *p) {
    syntax_next(p);
    parse_condition(p);
    parse_single(p);
    if (syntax_at(p, "else")) {
        syntax_next(p);
        parse_single(p);
    }
}

/* ---- modules ---- */

static void parse_name(struct parser *p) {
    syntax_next(p);
}

static bool at_name(const struct parser *p, const char *name) {
    return slice_eq(p->s.token.text, slice_cstr(name));
}

static void parse_from(struct parser *p) {
    if (!at_name(p, "from"))
        return;
    syntax_next(p);
    if (p->s.token.kind == TOKEN_STRING) {
        syntax_next(p);
        return;
    }
    syntax_expression(p);
    scanner_error(&p->s, p->s.token.at, "expected module specifier");
}

/* { a, b as c } */
static void parse_name_list(struct parser *p) {
    syntax_expect(p, "{");
    while (!syntax_at(p, "}")) {
        parse_name(p);
        if (p->s.token.kind == TOKEN_NAME && at_name(p, "as")) {
            syntax_next(p);
            parse_name(p);
        }
        if (!syntax_at(p, ","))
            break;
        syntax_next(p);
    }
    syntax_expect(p, "}");
}

static void parse_import(struct parser *p) {
    if (p->ts) {
        ts_import(p);
        return;
    }
    syntax_next(p);
    if (p->s.token.kind == TOKEN_STRING) {
        syntax_next(p);
        syntax_semicolon(p);
        return;
    }
    if (p->s.token.kind == TOKEN_NAME) {
        parse_name(p);
        if (syntax_at(p, ","))
            syntax_next(p);
    }
    if (syntax_at(p, "*")) {
        syntax_next(p);
        syntax_next(p); /* as */
        parse_name(p);
    } else if (syntax_at(p, "{")) {
        parse_name_list(p);
    }
    parse_from(p);
}

static void parse_default_export(struct parser *p) {
    syntax_next(p);
    if (syntax_at(p, "async")) {
        struct token ahead = scanner_peek(&p->s);
        if (token_is(&ahead, "function")) {
            syntax_next(p);
            syntax_function(p, false, true);
            return;
        }
    }
    if (p->ts && ts_default_export(p))
        return;
    if (syntax_at(p, "function")) {
        syntax_function(p, p->ts != NULL && !ts_is_anonymous(p), false);
    } else if (syntax_at(p, "class")) {
        syntax_class(p, false);
        p->s.ends_statement = true;
    } else {
        syntax_assignment(p);
        syntax_semicolon(p);
    }
}

static void parse_export(struct parser *p) {
    if (p->ts && ts_export(p))
        return;
    syntax_next(p);
    if (syntax_at(p, "*")) {
        syntax_next(p);
        if (at_name(p, "as")) {
            syntax_next(p);
            parse_name(p);
        }
        parse_from(p);
        syntax_semicolon(p);
    } else if (syntax_at(p, "var") || syntax_at(p, "let") || syntax_at(p, "const")) {
        parse_declaration(p);
    } else if (syntax_at(p, "async")) {
        syntax_next(p);
        syntax_function(p, true, true);
    } else if (syntax_at(p, "function")) {
        syntax_function(p, true, false);
    } else if (syntax_at(p, "class")) {
        syntax_class(p, true);
        p->s.ends_statement = true;
    } else if (syntax_at(p, "default")) {
        parse_default_export(p);
    } else {
        parse_name_list(p);
        parse_from(p);
        syntax_semicolon(p);
    }
}

static bool refuse_module_syntax(struct parser *p, bool is_top, const char *word) {
    char words[80];
    if (is_top)
        return false;
    snprintf(words, sizeof words, "%s only allowed in global scope", word);
    scanner_error(&p->s, p->s.token.at, words);
    syntax_next(p);
    return true;
}

/* ---- statements ---- */

static void parse_expression_statement(struct parser *p) {
    enum shape shape = syntax_expression(p);
    if (shape == SHAPE_NAME && syntax_at(p, ":")) {
        syntax_next(p);
        parse_single(p);
        return;
    }
    syntax_optional_semicolon(p);
}

static bool at_let_declaration(struct parser *p) {
    if (!syntax_at(p, "let"))
        return false;
    struct token ahead = scanner_peek(&p->s);
    if (token_is(&ahead, "[") ||
        (p->scope->allow_let && (ahead.kind >= TOKEN_NAME || token_is(&ahead, "{"))))
        return true;
    p->s.ends_statement = true;
    return false;
}

/* Statements that begin with a word of their own. False when this is none. */
static bool parse_word_statement(struct parser *p, bool is_top) {
    static const struct {
        const char *word;
        void (*parse)(struct parser *p);
    } table[] = {
        {"if", parse_if},         {"do", parse_do},           {"for", parse_for},
        {"return", parse_return}, {"throw", parse_throw},     {"try", parse_try},
        {"switch", parse_switch}, {"var", parse_declaration}, {"const", parse_declaration}};
    for (size_t i = 0; i < countof(table); i++) {
        if (syntax_at(p, table[i].word)) {
            table[i].parse(p);
            return true;
        }
    }
    if (syntax_at(p, "while")) {
        syntax_next(p);
        parse_condition(p);
        parse_loop_body(p);
    } else if (syntax_at(p, "with")) {
        syntax_next(p);
        parse_condition(p);
        parse_single(p);
    } else if (syntax_at(p, "break") || syntax_at(p, "continue")) {
        parse_jump(p, syntax_at(p, "break"));
    } else if (syntax_at(p, "debugger")) {
        syntax_next(p);
        syntax_semicolon(p);
    } else if (syntax_at(p, "function")) {
        syntax_function(p, true, false);
    } else if (syntax_at(p, "class")) {
        syntax_class(p, true);
    } else if (syntax_at(p, "export")) {
        if (!refuse_module_syntax(p, is_top, "export"))
            parse_export(p);
    } else {
        return false;
    }
    return true;
}

static void statement(struct parser *p) {
    bool is_top = p->scope->allow_import;
    p->scope->allow_import = false;
    if (p->ts && ts_statement(p))
        return;
    struct token ahead = {.kind = TOKEN_EOF};
    if (syntax_at(p, "async") || syntax_at(p, "import"))
        ahead = scanner_peek(&p->s);
    if (syntax_at_end(p)) {
        syntax_unexpected(p, &p->s.token);
    } else if (syntax_at(p, ";")) {
        syntax_next(p);
    } else if (syntax_at(p, "{")) {
        syntax_block(p);
    } else if (at_let_declaration(p)) {
        parse_declaration(p);
    } else if (syntax_at(p, "async") && token_is(&ahead, "function")) {
        syntax_next(p);
        syntax_function(p, true, true);
    } else if (syntax_at(p, "import") && !token_is(&ahead, "(") && !token_is(&ahead, ".")) {
        if (!refuse_module_syntax(p, is_top, "import"))
            parse_import(p);
    } else if (!parse_word_statement(p, is_top)) {
        parse_expression_statement(p);
    }
}

void syntax_statement(struct parser *p) {
    syntax_enter(p);
    statement(p);
}

/* ---- the whole ---- */

char *syntax_describe(const struct parser *p) {
    size_t line = 1, start = 0;
    if (p->s.n_errors == 0)
        return NULL;
    for (size_t i = 0; i < p->s.first.at && i < p->s.len; i++) {
        if (p->s.source[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    if (p->is_bundler)
        return xasprintf("Line %zu:%zu %s", line, p->s.first.at - start, p->s.first.words);
    char *text = xasprintf("Line %zu:%zu %s", line, p->s.first.at - start + 1, p->s.first.words);
    if (p->s.n_errors == 1)
        return text;
    char *all = xasprintf("%s (and %zu more errors)", text, p->s.n_errors - 1);
    free(text);
    return all;
}

void syntax_program(struct parser *p, const char *stack_limit) {
    struct scope scope = {.allow_in = true, .allow_await = true, .in_async = true};
    p->scope = &scope;
    p->stack_limit = stack_limit;
    if (setjmp(p->too_deep) == 0) {
        syntax_next(p);
        while (!syntax_at_end(p)) {
            p->scope->allow_let = true;
            p->scope->allow_import = true;
            syntax_statement(p);
        }
    }
    p->scope = NULL;
}

char *syntax_words(struct slice source, enum syntax_style style, const char *stack_limit) {
    struct parser p = {.is_bundler = style == SYNTAX_BUNDLER};
    scanner_init(&p.s, source);
    syntax_program(&p, stack_limit);
    return syntax_describe(&p);
}

bool syntax_error_place(struct slice source, const char *stack_limit, size_t *out_at) {
    struct parser p = {.is_bundler = false};
    scanner_init(&p.s, source);
    syntax_program(&p, stack_limit);
    *out_at = p.s.first.at;
    return p.s.n_errors > 0;
}
