#include <string.h>

#include "base/check.h"
#include "js/ts.h"

/* After the end of a type a line break ends the statement, whatever token was last. */
static void next_after_type(struct parser *p) {
    p->s.ends_statement = true;
    syntax_next(p);
}

/* From an opening bracket to behind its closing one. */
void ts_skip_brackets(struct parser *p) {
    size_t depth = 0;
    do {
        if (syntax_at(p, "(") || syntax_at(p, "[") || syntax_at(p, "{"))
            depth++;
        else if (syntax_at(p, ")") || syntax_at(p, "]") || syntax_at(p, "}"))
            depth--;
        if (syntax_at(p, "`")) {
            while (!scanner_template(&p->s)) {
                syntax_next(p);
                while (!syntax_at(p, "}") && !syntax_at_end(p)) {
                    if (syntax_at(p, "(") || syntax_at(p, "[") || syntax_at(p, "{"))
                        ts_skip_brackets(p);
                    else
                        syntax_next(p);
                }
                if (syntax_at_end(p))
                    return;
            }
        }
        syntax_next(p);
    } while (depth > 0 && !syntax_at_end(p));
}

/* ">" that may be the first character of ">>" or ">=". */
void ts_close_angle(struct parser *p) {
    if (p->s.token.kind != TOKEN_PUNCTUATION || p->s.token.text.ptr[0] != '>') {
        syntax_expect(p, ">");
        return;
    }
    p->s.at = p->s.token.at + 1;
    next_after_type(p);
}

static void skip_template_type(struct parser *p) {
    while (!scanner_template(&p->s)) {
        syntax_next(p);
        ts_type(p);
        if (!syntax_at(p, "}")) {
            syntax_expect(p, "}");
            return;
        }
    }
    syntax_next(p);
}

void ts_type_arguments(struct parser *p) {
    syntax_expect(p, "<");
    while (!syntax_at_end(p)) {
        ts_type(p);
        if (!syntax_at(p, ","))
            break;
        syntax_next(p);
    }
    ts_close_angle(p);
}

static void skip_type_parameters(struct parser *p) {
    syntax_expect(p, "<");
    while (!syntax_at_end(p) &&
           !(p->s.token.kind == TOKEN_PUNCTUATION && p->s.token.text.ptr[0] == '>')) {
        while (syntax_at(p, "const") || syntax_at(p, "in") || syntax_at_name(p, "out")) {
            struct token ahead = scanner_peek(&p->s);
            if (ahead.kind < TOKEN_NAME)
                break;
            syntax_next(p);
        }
        syntax_next(p);
        if (syntax_at(p, "extends")) {
            syntax_next(p);
            ts_type(p);
        }
        if (syntax_at(p, "=")) {
            syntax_next(p);
            ts_type(p);
        }
        if (!syntax_at(p, ","))
            break;
        syntax_next(p);
    }
    ts_close_angle(p);
}

static void skip_name(struct parser *p) {
    syntax_next(p);
    while (syntax_at(p, ".")) {
        syntax_next(p);
        syntax_next(p);
    }
    if (syntax_at(p, "<") && !p->s.implicit_end)
        ts_type_arguments(p);
}

/* "(" of a function type and not of a type in parentheses: what follows can only be a parameter, or
 * "=>" stands behind a single name. */
static bool is_function_type(struct parser *p) {
    struct scanner saved = p->s;
    syntax_next(p);
    bool is = syntax_at(p, ")") || syntax_at(p, "...");
    if (!is) {
        bool is_parameter = true;
        if (syntax_at(p, "[") || syntax_at(p, "{"))
            ts_skip_brackets(p);
        else if (p->s.token.kind >= TOKEN_NAME)
            syntax_next(p);
        else
            is_parameter = false;
        is = is_parameter &&
             (syntax_at(p, ":") || syntax_at(p, ",") || syntax_at(p, "?") || syntax_at(p, "="));
        if (is_parameter && syntax_at(p, ")")) {
            syntax_next(p);
            is = syntax_at(p, "=>");
        }
    }
    p->s = saved;
    return is;
}

static void skip_function_type(struct parser *p) {
    if (syntax_at(p, "<"))
        skip_type_parameters(p);
    ts_skip_brackets(p);
    syntax_expect(p, "=>");
    ts_type(p);
}

static void skip_primary_type(struct parser *p) {
    struct token t = p->s.token;
    if (syntax_at(p, "(") || syntax_at(p, "[") || syntax_at(p, "{")) {
        ts_skip_brackets(p);
    } else if (syntax_at(p, "`")) {
        skip_template_type(p);
    } else if (syntax_at(p, "typeof")) {
        syntax_next(p);
        if (syntax_at(p, "import")) {
            skip_primary_type(p);
            return;
        }
        skip_name(p);
    } else if (syntax_at(p, "import")) {
        syntax_next(p);
        ts_skip_brackets(p);
        if (syntax_at(p, ".")) {
            syntax_next(p);
            skip_name(p);
        }
    } else if (syntax_at(p, "-")) {
        syntax_next(p);
        next_after_type(p);
    } else if (syntax_at(p, "void") || syntax_at(p, "const") || syntax_at(p, "this") ||
               t.kind == TOKEN_LITERAL || t.kind == TOKEN_NUMBER || t.kind == TOKEN_STRING) {
        next_after_type(p);
    } else if (t.kind == TOKEN_NAME || t.kind == TOKEN_LOOSE) {
        skip_name(p);
    } else {
        syntax_unexpected(p, &p->s.token);
        syntax_next(p);
    }
}

static void skip_operand_type(struct parser *p) {
    syntax_enter(p);
    while (syntax_at_name(p, "keyof") || syntax_at_name(p, "unique") ||
           syntax_at_name(p, "readonly")) {
        struct token ahead = scanner_peek(&p->s);
        if (ahead.kind < TOKEN_NAME && !token_is(&ahead, "(") && !token_is(&ahead, "[") &&
            !token_is(&ahead, "{"))
            break;
        syntax_next(p);
    }
    if (syntax_at_name(p, "infer")) {
        struct token ahead = scanner_peek(&p->s);
        if (ahead.kind == TOKEN_NAME)
            syntax_next(p);
    }
    skip_primary_type(p);
    while (syntax_at(p, "[") && !p->s.implicit_end)
        ts_skip_brackets(p);
}

static bool at_function_type(struct parser *p) {
    if (syntax_at(p, "<") || syntax_at(p, "new"))
        return true;
    if (syntax_at_name(p, "abstract")) {
        struct token ahead = scanner_peek(&p->s);
        return token_is(&ahead, "new");
    }
    return syntax_at(p, "(") && is_function_type(p);
}

void ts_type(struct parser *p) {
    syntax_enter(p);
    if (syntax_at(p, "|") || syntax_at(p, "&"))
        syntax_next(p);
    for (;;) {
        if (at_function_type(p)) {
            while (!syntax_at(p, "<") && !syntax_at(p, "(") && !syntax_at_end(p))
                syntax_next(p);
            skip_function_type(p);
            return;
        }
        if (syntax_at_name(p, "asserts")) {
            struct token ahead = scanner_peek(&p->s);
            if (ahead.kind == TOKEN_NAME || token_is(&ahead, "this"))
                syntax_next(p);
        }
        skip_operand_type(p);
        if (syntax_at_name(p, "is") && !p->s.implicit_end) {
            syntax_next(p);
            ts_type(p);
        }
        if (!syntax_at(p, "|") && !syntax_at(p, "&"))
            break;
        syntax_next(p);
    }
    if (syntax_at(p, "extends") && !p->s.implicit_end) {
        syntax_next(p);
        ts_type(p);
        if (!syntax_at(p, "?")) /* the constraint of an infer */
            return;
        syntax_next(p);
        ts_type(p);
        syntax_expect(p, ":");
        ts_type(p);
    }
}

/* ---- erasing ---- */

void ts_annotation(struct parser *p) {
    size_t from = p->s.token.at;
    if (!syntax_at(p, ":"))
        return;
    syntax_next(p);
    ts_type(p);
    ts_erase(p, from, p->s.prev_end);
}

void ts_type_parameters(struct parser *p) {
    size_t from = p->s.token.at;
    if (!syntax_at(p, "<"))
        return;
    skip_type_parameters(p);
    ts_erase(p, from, p->s.prev_end);
}

bool ts_cast(struct parser *p) {
    size_t from = p->s.token.at;
    if (p->s.implicit_end || (!syntax_at_name(p, "as") && !syntax_at_name(p, "satisfies")))
        return false;
    syntax_next(p);
    ts_type(p);
    ts_erase(p, from, p->s.prev_end);
    /* The type ended the statement; without it the next line would be part of it. */
    if (p->s.implicit_end && (syntax_at(p, "(") || syntax_at(p, "[") || syntax_at(p, "`")))
        ts_replace(p, from, from + 1, xstrdup(";"));
    return true;
}

void ts_assertion(struct parser *p) {
    size_t from = p->s.token.at;
    syntax_next(p);
    ts_type(p);
    ts_close_angle(p);
    ts_erase(p, from, p->s.prev_end);
}

/* Type arguments if what stands here can only be that: read on trial. */
static bool try_type_arguments(struct parser *p, bool is_new) {
    struct ts_mark mark = ts_mark(p);
    size_t from = p->s.token.at, errors = p->s.n_errors;
    if (!syntax_at(p, "<"))
        return false;
    ts_type_arguments(p);
    bool is_followed = syntax_at(p, "(") || syntax_at(p, "`");
    if (is_new)
        is_followed |= syntax_at(p, ")") || syntax_at(p, "]") || syntax_at(p, ",") ||
                       syntax_at(p, ";") || syntax_at(p, ".") || syntax_at_end(p) ||
                       p->s.implicit_end;
    if (p->s.n_errors > errors || !is_followed) {
        ts_restore(p, &mark);
        return false;
    }
    ts_erase(p, from, p->s.prev_end);
    return true;
}

bool ts_postfix(struct parser *p, bool allow_call) {
    if (syntax_at(p, "!") && !p->s.implicit_end) {
        ts_erase(p, p->s.token.at, p->s.token.at + 1);
        next_after_type(p);
        return true;
    }
    return allow_call && try_type_arguments(p, false);
}

void ts_new_arguments(struct parser *p) {
    try_type_arguments(p, true);
}

bool ts_is_arrow(struct parser *p) {
    if (!syntax_at(p, "(") && !syntax_at(p, "<") && !syntax_at(p, "async"))
        return false;
    struct ts_mark mark = ts_mark(p);
    size_t errors = p->s.n_errors;
    if (syntax_at(p, "async"))
        syntax_next(p);
    if (syntax_at(p, "<"))
        skip_type_parameters(p);
    bool is = false;
    if (syntax_at(p, "(") && p->s.n_errors == errors) {
        ts_skip_brackets(p);
        if (syntax_at(p, ":")) {
            syntax_next(p);
            ts_type(p);
        }
        is = syntax_at(p, "=>") && p->s.n_errors == errors;
    }
    ts_restore(p, &mark);
    return is;
}

static bool spans_lines(const struct parser *p, size_t from, size_t to) {
    return memchr(p->s.source + from, '\n', to - from) != NULL;
}

void ts_arrow_type_parameters(struct parser *p) {
    size_t from = p->s.token.at;
    ts_type_parameters(p);
    if (!syntax_at(p, "(") || !spans_lines(p, from, p->s.token.at))
        return;
    /* "async <" would end at the line break, and "return <" return nothing: "(" goes up. */
    ts_erase(p, from + 1, p->s.token.at + 1);
    ts_replace(p, from, from + 1, xstrdup("("));
}

void ts_arrow_annotation(struct parser *p) {
    size_t from = p->s.token.at;
    ts_annotation(p);
    if (!syntax_at(p, "=>") || !spans_lines(p, from, p->s.token.at))
        return;
    ts_erase(p, from + 1, p->s.token.at + 2);
    ts_replace(p, from, from + 1, xstrdup("=>"));
}

void ts_after_target(struct parser *p) {
    if ((syntax_at(p, "?") || syntax_at(p, "!")) && !p->s.implicit_end) {
        ts_erase(p, p->s.token.at, p->s.token.at + 1);
        next_after_type(p);
    }
    ts_annotation(p);
}
