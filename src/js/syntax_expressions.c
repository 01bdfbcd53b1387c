#include "js/syntax_grammar.h"

#include "base/check.h"
#include "js/ts.h"

static enum shape parse_unary(struct parser *p);

static bool is_any_name(const struct token *t) {
    return t->kind >= TOKEN_NAME || t->kind == TOKEN_RESERVED || t->kind == TOKEN_LITERAL;
}

/* ---- functions ---- */

enum shape syntax_binding_target(struct parser *p) {
    syntax_as_binding_name(p);
    if (p->s.token.kind == TOKEN_NAME) {
        if (p->ts)
            ts_note_value(p, p->s.token.text);
        syntax_next(p);
        return SHAPE_NAME;
    }
    if (syntax_at(p, "[") || syntax_at(p, "{"))
        return syntax_left_side(p, false);
    syntax_expect_name(p);
    syntax_skip_statement(p);
    return SHAPE_BAD;
}

/* True when a pattern has no initialiser. */
bool syntax_variable(struct parser *p) {
    enum shape target = syntax_binding_target(p);
    if (p->ts)
        ts_after_target(p);
    if (syntax_at(p, "=")) {
        syntax_next(p);
        syntax_assignment(p);
        return false;
    }
    return target == SHAPE_PATTERN;
}

void syntax_parameters(struct parser *p) {
    bool outer = p->scope->in_parameters;
    syntax_expect(p, "(");
    p->scope->in_parameters = true;
    while (!syntax_at(p, ")") && !syntax_at_end(p)) {
        if (p->ts && ts_before_parameter(p))
            continue;
        if (syntax_at(p, "...")) {
            syntax_next(p);
            if (!p->ts) {
                syntax_assignment(p);
                break;
            }
        }
        syntax_variable(p);
        if (!syntax_at(p, ")"))
            syntax_expect(p, ",");
    }
    syntax_expect(p, ")");
    p->scope->in_parameters = outer;
}

static void parse_function_body(struct parser *p, bool is_async, bool allow_yield) {
    struct scope scope = {.outer = p->scope,
                          .allow_in = true,
                          .in_function = true,
                          .in_async = is_async,
                          .allow_await = is_async,
                          .allow_yield = allow_yield};
    syntax_enter(p);
    p->scope = &scope;
    if (p->ts)
        ts_enter_body(p);
    syntax_block(p);
    p->scope = scope.outer;
}

void syntax_function(struct parser *p, bool is_declaration, bool is_async) {
    bool outer_await = p->scope->allow_await, outer_yield = p->scope->allow_yield;
    bool is_generator = false;
    syntax_expect(p, "function");
    if (syntax_at(p, "*")) {
        is_generator = true;
        syntax_next(p);
    }
    if (!is_declaration) {
        p->scope->allow_await = is_async;
        p->scope->allow_yield = is_generator;
    }
    syntax_as_binding_name(p);
    if (p->ts && is_declaration)
        ts_note_value(p, p->s.token.text);
    if (p->s.token.kind == TOKEN_NAME)
        syntax_next(p);
    else if (is_declaration)
        syntax_expect_name(p);
    p->scope->allow_await = is_async;
    p->scope->allow_yield = is_generator;
    if (p->ts)
        ts_type_parameters(p);
    syntax_parameters(p);
    if (!p->ts || !ts_signature_end(p, is_declaration))
        parse_function_body(p, is_async, is_generator);
    p->scope->allow_await = outer_await;
    p->scope->allow_yield = outer_yield;
}

static void parse_method(struct parser *p, bool is_async, bool is_generator) {
    bool outer_await = p->scope->allow_await, outer_yield = p->scope->allow_yield;
    p->scope->allow_await = is_async;
    p->scope->allow_yield = is_generator;
    if (p->ts)
        ts_type_parameters(p);
    syntax_parameters(p);
    if (!p->ts || !ts_signature_end(p, p->ts_in_member))
        parse_function_body(p, is_async, is_generator);
    p->scope->allow_await = outer_await;
    p->scope->allow_yield = outer_yield;
}

static enum shape parse_arrow(struct parser *p, bool is_async) {
    syntax_expect(p, "=>");
    if (syntax_at(p, "{")) {
        parse_function_body(p, is_async, false);
        return SHAPE_OTHER;
    }
    struct scope saved = *p->scope;
    p->scope->in_async = p->scope->allow_await = is_async;
    p->scope->allow_yield =
        saved.allow_yield && is_async == saved.in_async && is_async == saved.allow_await;
    syntax_assignment(p);
    p->scope->in_async = saved.in_async;
    p->scope->allow_await = saved.allow_await;
    p->scope->allow_yield = saved.allow_yield;
    return SHAPE_OTHER;
}

/* ---- literals ---- */

/* False when the token is no property key (an error was noted). */
static bool parse_property_key(struct parser *p) {
    if (syntax_at(p, "[")) {
        syntax_next(p);
        syntax_assignment(p);
        syntax_expect(p, "]");
        return true;
    }
    struct token t = p->s.token;
    syntax_next(p);
    if (is_any_name(&t) || t.kind == TOKEN_STRING || t.kind == TOKEN_NUMBER ||
        t.kind == TOKEN_PRIVATE)
        return true;
    /* k6's parser has read on when it says so: the place is that of the token behind. */
    syntax_unexpected(p, &t);
    return false;
}

static void parse_property(struct parser *p) {
    if (syntax_at(p, "...")) {
        syntax_next(p);
        syntax_assignment(p);
        return;
    }
    bool is_generator = syntax_at(p, "*");
    if (is_generator)
        syntax_next(p);
    struct token key = p->s.token;
    if (!parse_property_key(p))
        return;
    bool is_accessor = key.kind == TOKEN_NAME &&
                       (slice_eq(key.text, SLICE("get")) || slice_eq(key.text, SLICE("set")));
    if (is_generator || syntax_at(p, "(") || (p->ts && syntax_at(p, "<"))) {
        parse_method(p, false, is_generator);
    } else if (syntax_at(p, ",") || syntax_at(p, "}") || syntax_at(p, "=")) {
        if (!syntax_is_binding_name(p, &key)) {
            syntax_unexpected(p, &p->s.token);
            syntax_expect(p, ":");
            syntax_assignment(p);
        } else {
            if (p->ts)
                ts_note_use(p, key.text);
            if (syntax_at(p, "=")) {
                syntax_next(p);
                syntax_assignment(p);
            }
        }
    } else if ((is_accessor || token_is(&key, "async")) && !syntax_at(p, ":")) {
        bool is_async = token_is(&key, "async");
        if (is_async && syntax_at(p, "*"))
            syntax_next(p);
        if (parse_property_key(p))
            parse_method(p, is_async, false);
    } else {
        syntax_expect(p, ":");
        syntax_assignment(p);
    }
}

static void parse_object(struct parser *p) {
    syntax_expect(p, "{");
    while (!syntax_at(p, "}") && !syntax_at_end(p)) {
        parse_property(p);
        if (syntax_at(p, "}"))
            break;
        syntax_expect(p, ",");
    }
    syntax_expect(p, "}");
}

static void parse_array(struct parser *p) {
    syntax_expect(p, "[");
    while (!syntax_at(p, "]") && !syntax_at_end(p)) {
        if (syntax_at(p, ",")) {
            syntax_next(p);
            continue;
        }
        if (syntax_at(p, "..."))
            syntax_next(p);
        syntax_assignment(p);
        if (!syntax_at(p, "]"))
            syntax_expect(p, ",");
    }
    syntax_expect(p, "]");
}

static void parse_template(struct parser *p) {
    for (;;) {
        bool is_last = scanner_template(&p->s);
        syntax_next(p);
        if (is_last)
            return;
        syntax_expression(p);
        if (!syntax_at(p, "}"))
            syntax_unexpected(p, &p->s.token);
        if (syntax_at_end(p))
            return;
    }
}

static enum shape parse_parentheses(struct parser *p) {
    enum shape shape = SHAPE_BAD;
    size_t n = 0;
    syntax_expect(p, "(");
    while (!syntax_at(p, ")") || n == 0) {
        if (n == 0 && syntax_at(p, ")"))
            break;
        if (syntax_at(p, "...")) {
            syntax_unexpected(p, &p->s.token);
            syntax_next(p);
            syntax_assignment(p);
            shape = SHAPE_BAD;
        } else {
            shape = syntax_assignment(p);
        }
        n++;
        if (!syntax_at(p, ","))
            break;
        syntax_next(p);
        if (syntax_at(p, ")"))
            syntax_unexpected(p, &p->s.token);
    }
    syntax_expect(p, ")");
    if (n == 1 && p->s.n_errors == 0)
        return shape;
    if (n == 0) {
        scanner_error(&p->s, p->s.token.at, "Unexpected token )");
        return SHAPE_BAD;
    }
    return SHAPE_LIST;
}

static enum shape parse_primary(struct parser *p) {
    struct token t = p->s.token;
    if (t.kind == TOKEN_NAME || t.kind == TOKEN_LITERAL || t.kind == TOKEN_NUMBER ||
        t.kind == TOKEN_STRING) {
        if (p->ts)
            ts_note_use(p, t.text);
        syntax_next(p);
        return t.kind == TOKEN_NAME     ? SHAPE_NAME
               : t.kind == TOKEN_STRING ? SHAPE_STRING
                                        : SHAPE_OTHER;
    }
    if (syntax_at(p, "/") || syntax_at(p, "/=")) {
        scanner_regexp(&p->s);
    } else if (syntax_at(p, "{")) {
        parse_object(p);
        return SHAPE_PATTERN;
    } else if (syntax_at(p, "[")) {
        parse_array(p);
        return SHAPE_PATTERN;
    } else if (syntax_at(p, "(")) {
        return parse_parentheses(p);
    } else if (syntax_at(p, "`")) {
        parse_template(p);
    } else if (syntax_at(p, "this") || syntax_at(p, "super")) {
        syntax_next(p);
    } else if (syntax_at(p, "function")) {
        syntax_function(p, false, false);
    } else if (syntax_at(p, "class")) {
        syntax_class(p, false);
    } else if (syntax_at(p, "async")) {
        struct token ahead = scanner_peek(&p->s);
        syntax_next(p);
        if (!token_is(&ahead, "function"))
            return SHAPE_NAME;
        syntax_function(p, false, true);
    } else if (syntax_is_binding_name(p, &t)) {
        if (p->ts)
            ts_note_use(p, t.text);
        syntax_next(p);
        return SHAPE_NAME;
    } else {
        syntax_unexpected(p, &p->s.token);
        syntax_skip_statement(p);
        return SHAPE_BAD;
    }
    return SHAPE_OTHER;
}

/* ---- operators ---- */

static void parse_arguments(struct parser *p) {
    syntax_expect(p, "(");
    while (!syntax_at(p, ")")) {
        if (syntax_at(p, "..."))
            syntax_next(p);
        syntax_assignment(p);
        if (!syntax_at(p, ","))
            break;
        syntax_next(p);
    }
    syntax_expect(p, ")");
}

static enum shape parse_dot(struct parser *p) {
    syntax_next(p);
    if (p->s.token.kind != TOKEN_PRIVATE && !is_any_name(&p->s.token)) {
        syntax_expect_name(p);
        syntax_skip_statement(p);
        return SHAPE_BAD;
    }
    syntax_next(p);
    return SHAPE_MEMBER;
}

static void parse_new(struct parser *p) {
    syntax_expect(p, "new");
    if (syntax_at(p, ".")) {
        syntax_next(p);
        syntax_next(p);
        return;
    }
    enum shape shape = syntax_left_side(p, false);
    if (p->ts)
        ts_new_arguments(p);
    if (shape != SHAPE_BAD && syntax_at(p, "("))
        parse_arguments(p);
}

static enum shape parse_import_expression(struct parser *p) {
    struct token ahead = scanner_peek(&p->s);
    syntax_next(p);
    if (token_is(&ahead, "(")) {
        parse_arguments(p);
        return SHAPE_CALL;
    }
    syntax_expect(p, ".");
    if (!slice_eq(p->s.token.text, SLICE("meta")))
        syntax_unexpected(p, &p->s.token);
    syntax_next(p);
    return SHAPE_OTHER;
}

enum shape syntax_left_side(struct parser *p, bool allow_call) {
    bool outer_in = p->scope->allow_in;
    enum shape shape = SHAPE_OTHER;
    bool is_super = syntax_at(p, "super");
    syntax_enter(p);
    p->scope->allow_in |= allow_call;
    if (syntax_at(p, "new"))
        parse_new(p);
    else if (syntax_at(p, "import"))
        shape = parse_import_expression(p);
    else
        shape = parse_primary(p);
    for (;;) {
        if (syntax_at(p, ".")) {
            shape = parse_dot(p);
        } else if (syntax_at(p, "[")) {
            syntax_next(p);
            syntax_expression(p);
            syntax_expect(p, "]");
            shape = SHAPE_MEMBER;
        } else if (syntax_at(p, "`")) {
            parse_template(p);
            shape = SHAPE_OTHER;
        } else if (allow_call && syntax_at(p, "(")) {
            parse_arguments(p);
            if (p->ts && is_super)
                ts_after_super(p);
            shape = SHAPE_CALL;
        } else if (p->ts && ts_postfix(p, allow_call)) {
            continue;
        } else if (allow_call && syntax_at(p, "?.")) {
            struct token ahead = scanner_peek(&p->s);
            if (token_is(&ahead, "[") || token_is(&ahead, "(") || token_is(&ahead, "`"))
                syntax_next(p);
            else
                parse_dot(p);
            shape = SHAPE_OTHER;
        } else {
            break;
        }
    }
    p->scope->allow_in = outer_in;
    return shape;
}

static enum shape bad_target(struct parser *p, size_t start) {
    scanner_error(&p->s, start, "Invalid left-hand side in assignment");
    syntax_skip_statement(p);
    return SHAPE_BAD;
}

static bool is_simple_target(enum shape shape) {
    return shape == SHAPE_NAME || shape == SHAPE_MEMBER;
}

static enum shape parse_update(struct parser *p) {
    size_t start = p->s.token.at;
    if (syntax_at(p, "++") || syntax_at(p, "--")) {
        syntax_next(p);
        return is_simple_target(parse_unary(p)) ? SHAPE_OTHER : bad_target(p, start);
    }
    enum shape shape = syntax_left_side(p, true);
    if ((syntax_at(p, "++") || syntax_at(p, "--")) && !p->s.implicit_end) {
        start = p->s.token.at;
        syntax_next(p);
        return is_simple_target(shape) ? SHAPE_OTHER : bad_target(p, start);
    }
    return shape;
}

static enum shape parse_unary(struct parser *p) {
    static const char *const prefixes[] = {"+", "-", "!", "~", "delete", "void", "typeof"};
    for (size_t i = 0; i < countof(prefixes); i++) {
        if (syntax_at(p, prefixes[i])) {
            syntax_enter(p);
            syntax_next(p);
            parse_unary(p);
            return SHAPE_UNARY;
        }
    }
    if (p->ts && syntax_at(p, "<")) {
        ts_assertion(p);
        return parse_unary(p);
    }
    if (syntax_at(p, "await") && p->scope->allow_await) {
        syntax_next(p);
        if (!p->scope->in_async) {
            scanner_error(&p->s, p->s.token.at, "Unexpected token await");
            return SHAPE_BAD;
        }
        parse_unary(p);
        return SHAPE_OTHER;
    }
    return parse_update(p);
}

/* Levels of binary operators, loosest first, without "||" and "??". */
static const char *const levels[][8] = {
    {"&&"},
    {"|"},
    {"^"},
    {"&"},
    {"==", "!=", "===", "!=="},
    {"<", "<=", ">", ">=", "instanceof", "in"},
    {"<<", ">>", ">>>"},
    {"+", "-"},
    {"*", "/", "%"},
};

static bool at_operator(struct parser *p, size_t level, bool allow_in) {
    for (size_t i = 0; i < countof(levels[0]) && levels[level][i]; i++) {
        if (syntax_at(p, levels[level][i]))
            return allow_in || !syntax_at(p, "in");
    }
    return false;
}

static enum shape parse_power(struct parser *p) {
    bool in_parentheses = syntax_at(p, "(");
    enum shape shape = parse_unary(p);
    while (syntax_at(p, "**")) {
        if (shape == SHAPE_UNARY && !in_parentheses)
            scanner_error(
                &p->s, p->s.token.at,
                "Unary operator used immediately before exponentiation expression. Parenthesis must be used to "
                "disambiguate operator precedence");
        syntax_next(p);
        parse_power(p);
        shape = SHAPE_OTHER;
    }
    return shape;
}

static enum shape parse_binary(struct parser *p, size_t level) {
    if (level == countof(levels))
        return parse_power(p);
    bool is_relation = levels[level][0][0] == '<' && levels[level][0][1] == '\0';
    if (is_relation && p->s.token.kind == TOKEN_PRIVATE) {
        syntax_next(p);
        if (!syntax_at(p, "in"))
            return SHAPE_OTHER;
        syntax_next(p);
        parse_binary(p, level + 1);
        return SHAPE_OTHER;
    }
    enum shape shape = parse_binary(p, level + 1);
    bool allow_in = p->scope->allow_in;
    while ((p->ts && is_relation && ts_cast(p)) || at_operator(p, level, allow_in)) {
        if (!at_operator(p, level, allow_in))
            continue;
        syntax_next(p);
        p->scope->allow_in |= is_relation;
        parse_binary(p, level + 1);
        p->scope->allow_in = allow_in;
        shape = level == 0 ? SHAPE_AND : SHAPE_OTHER;
    }
    return shape;
}

static enum shape parse_logical(struct parser *p) {
    bool in_parentheses = syntax_at(p, "(");
    enum shape shape = parse_binary(p, 0);
    const char *kind = syntax_at(p, "||") || (!in_parentheses && shape == SHAPE_AND) ? "||" : "??";
    const char *other = kind[0] == '|' ? "??" : "||";
    while (syntax_at(p, kind)) {
        syntax_next(p);
        parse_binary(p, 0);
        shape = SHAPE_OTHER;
    }
    if (syntax_at(p, other) && (shape != SHAPE_AND || kind[0] == '|'))
        scanner_error(
            &p->s, p->s.token.at,
            "Logical expressions and coalesce expressions cannot be mixed. Wrap either by parentheses");
    return shape;
}

static enum shape parse_conditional(struct parser *p) {
    enum shape shape = parse_logical(p);
    if (!syntax_at(p, "?"))
        return shape;
    bool outer_in = p->scope->allow_in;
    syntax_next(p);
    p->scope->allow_in = true;
    syntax_assignment(p);
    p->scope->allow_in = outer_in;
    syntax_expect(p, ":");
    syntax_assignment(p);
    return SHAPE_OTHER;
}

static bool at_assignment(struct parser *p) {
    static const char *const operators[] = {"=",  "+=", "-=",  "*=",  "**=",  "/=",  "%=",  "&=",
                                            "|=", "^=", "<<=", ">>=", ">>>=", "&&=", "||=", "?\?="};
    for (size_t i = 0; i < countof(operators); i++) {
        if (syntax_at(p, operators[i]))
            return true;
    }
    return false;
}

/* What stood before "=>": the parameters are read again from `saved` unless they were a name. */
static enum shape parse_arrow_after(struct parser *p, enum shape left, const struct scanner *saved,
                                    size_t start, bool in_parentheses, bool is_async) {
    if (left == SHAPE_NAME && !is_async)
        return parse_arrow(p, false);
    if (!in_parentheses && !(is_async && left == SHAPE_CALL)) {
        scanner_error(&p->s, start, "Malformed arrow function parameter list");
        return SHAPE_BAD;
    }
    p->s = *saved;
    if (is_async)
        syntax_next(p);
    bool outer_await = p->scope->allow_await;
    p->scope->allow_await |= is_async;
    syntax_parameters(p);
    enum shape shape = parse_arrow(p, is_async);
    p->scope->allow_await = outer_await;
    return shape;
}

static void parse_yield(struct parser *p) {
    syntax_next(p);
    if (!p->s.implicit_end && syntax_at(p, "*"))
        syntax_next(p);
    if (p->s.implicit_end || syntax_at(p, ";") || syntax_at(p, "}") || syntax_at_end(p))
        return;
    struct scanner saved = p->s;
    if (syntax_assignment(p) == SHAPE_BAD)
        p->s = saved;
}

static enum shape assignment(struct parser *p) {
    struct scanner saved = p->s;
    size_t start = p->s.token.at;
    bool in_parentheses = syntax_at(p, "("), is_async = false;
    if (syntax_at(p, "async")) {
        struct token ahead = scanner_peek(&p->s);
        if (syntax_is_binding_name(p, &ahead)) {
            syntax_next(p);
            syntax_as_binding_name(p);
            syntax_next(p);
            return parse_arrow(p, true);
        }
        is_async = token_is(&ahead, "(");
    } else if (syntax_at(p, "yield") && p->scope->allow_yield) {
        parse_yield(p);
        return SHAPE_OTHER;
    } else if (!in_parentheses) {
        syntax_as_binding_name(p);
    }
    if (p->ts && ts_is_arrow(p)) {
        is_async = syntax_at(p, "async");
        if (is_async)
            syntax_next(p);
        bool outer_await = p->scope->allow_await;
        p->scope->allow_await |= is_async;
        ts_arrow_type_parameters(p);
        syntax_parameters(p);
        ts_arrow_annotation(p);
        enum shape shape = parse_arrow(p, is_async);
        p->scope->allow_await = outer_await;
        return shape;
    }
    enum shape left = parse_conditional(p);
    if (syntax_at(p, "=>"))
        return parse_arrow_after(p, left, &saved, start, in_parentheses, is_async);
    if (!at_assignment(p))
        return left;
    bool is_plain = syntax_at(p, "=");
    syntax_next(p);
    if (!is_simple_target(left) && !(left == SHAPE_PATTERN && is_plain && !in_parentheses))
        return bad_target(p, start);
    syntax_assignment(p);
    return SHAPE_OTHER;
}

enum shape syntax_assignment(struct parser *p) {
    syntax_enter(p);
    enum shape shape = assignment(p);
    return shape;
}

enum shape syntax_expression(struct parser *p) {
    enum shape shape = syntax_assignment(p);
    while (syntax_at(p, ",")) {
        syntax_next(p);
        syntax_assignment(p);
        shape = SHAPE_OTHER;
    }
    return shape;
}

/* ---- classes ---- */

/* Modifiers before a member's name: true when the token is one of them here, not the name itself.
 */
static bool is_modifier(struct parser *p) {
    struct token ahead = scanner_peek(&p->s);
    bool is_typed = p->ts && (token_is(&ahead, ":") || token_is(&ahead, "?") ||
                              token_is(&ahead, "!") || token_is(&ahead, "<"));
    return !token_is(&ahead, ";") && !token_is(&ahead, "(") && !token_is(&ahead, "=") &&
           !token_is(&ahead, "}") && !is_typed;
}

/* False when the class must be given up. */
static bool parse_member(struct parser *p) {
    bool is_method = false, is_async = false, is_generator = false;
    if (p->ts && ts_before_member(p))
        return true;
    if (syntax_at(p, "static") && is_modifier(p)) {
        syntax_next(p);
        if (syntax_at(p, "{")) {
            parse_function_body(p, false, false);
            return true;
        }
    }
    if (p->ts)
        ts_member_modifiers(p);
    struct slice text = p->s.token.text;
    if ((slice_eq(text, SLICE("get")) || slice_eq(text, SLICE("set"))) && is_modifier(p)) {
        is_method = true;
        syntax_next(p);
    } else if (syntax_at(p, "async") && is_modifier(p)) {
        is_method = is_async = true;
        syntax_next(p);
    }
    if (syntax_at(p, "*")) {
        is_method = is_generator = true;
        syntax_next(p);
    }
    struct token key = p->s.token;
    if (!parse_property_key(p))
        return true;
    if (p->ts)
        ts_after_key(p, key.text);
    if (is_method || syntax_at(p, "(") || (p->ts && syntax_at(p, "<"))) {
        p->ts_in_member = true;
        parse_method(p, is_async, is_generator);
        if (p->ts)
            ts_after_method(p);
        return true;
    }
    if (p->ts)
        ts_field_annotation(p, key.text);
    if (syntax_at(p, "=")) {
        syntax_next(p);
        syntax_expression(p);
    }
    if (!p->s.implicit_end && !syntax_at(p, ";") && !syntax_at(p, "}")) {
        syntax_unexpected(p, &p->s.token);
        return false;
    }
    return true;
}

void syntax_class(struct parser *p, bool is_declaration) {
    syntax_expect(p, "class");
    syntax_as_binding_name(p);
    if (p->ts && is_declaration)
        ts_note_value(p, p->s.token.text);
    if (p->s.token.kind == TOKEN_NAME)
        syntax_next(p);
    else if (is_declaration)
        syntax_expect_name(p);
    if (p->ts)
        ts_type_parameters(p);
    if (!syntax_at(p, "{") && !(p->ts && syntax_at_name(p, "implements"))) {
        syntax_expect(p, "extends");
        syntax_left_side(p, true);
    }
    if (p->ts)
        ts_heritage(p);
    syntax_expect(p, "{");
    syntax_enter(p);
    while (!syntax_at(p, "}") && !syntax_at_end(p)) {
        if (syntax_at(p, ";"))
            syntax_next(p);
        else if (!parse_member(p))
            break;
        if (p->ts)
            ts_end_member(p);
    }
    syntax_expect(p, "}");
}
