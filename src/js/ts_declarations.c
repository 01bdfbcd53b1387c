#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "js/ts.h"

static bool at_any(const struct parser *p, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (syntax_at_name(p, names[i]))
            return true;
    }
    return false;
}

static const char *const parameter_modifiers[] = {"public", "private", "protected", "readonly",
                                                  "override"};
static const char *const member_modifiers[] = {"public",   "private",  "protected", "readonly",
                                               "override", "abstract", "declare"};

/* Erases the current word and goes on. */
static void erase_word(struct parser *p) {
    size_t from = p->s.token.at;
    syntax_next(p);
    ts_erase(p, from, p->s.prev_end);
}

/* ---- functions ---- */

bool ts_before_parameter(struct parser *p) {
    bool is_property = false;
    if (syntax_at(p, "this")) {
        size_t from = p->s.token.at;
        syntax_next(p);
        if (syntax_at(p, ":")) {
            syntax_next(p);
            ts_type(p);
        }
        if (syntax_at(p, ","))
            syntax_next(p);
        ts_erase(p, from, p->s.prev_end);
        return true;
    }
    while (at_any(p, parameter_modifiers, countof(parameter_modifiers))) {
        struct token ahead = scanner_peek(&p->s);
        if (ahead.kind < TOKEN_NAME && !token_is(&ahead, "{") && !token_is(&ahead, "["))
            break;
        is_property = true;
        erase_word(p);
    }
    if (is_property && p->ts->in_constructor)
        vec_push(&p->ts->properties, p->s.token.text);
    return false;
}

bool ts_signature_end(struct parser *p, bool may_lack_body) {
    ts_annotation(p);
    if (syntax_at(p, "{") || !may_lack_body)
        return false;
    if (p->ts_in_member)
        p->ts->member_goes = true;
    else
        syntax_optional_semicolon(p);
    if (!p->ts_in_member)
        ts_erase_statement(p, p->ts->statement_start, p->s.prev_end, 0);
    return true;
}

void ts_enter_body(struct parser *p) {
    p->ts_in_member = false;
    if (p->ts->in_constructor && p->ts->body_start == 0)
        p->ts->body_start = p->s.token.at + 1;
}

void ts_after_super(struct parser *p) {
    if (p->ts->in_constructor && p->ts->super_end == 0)
        p->ts->super_end = p->s.prev_end;
}

/* ---- classes ---- */

/* "[key: string]: T;" */
static bool is_index_signature(struct parser *p) {
    struct scanner saved = p->s;
    bool is = false;
    if (syntax_at(p, "[")) {
        syntax_next(p);
        if (p->s.token.kind == TOKEN_NAME) {
            syntax_next(p);
            is = syntax_at(p, ":");
        }
    }
    p->s = saved;
    return is;
}

void ts_member_modifiers(struct parser *p) {
    while (at_any(p, member_modifiers, countof(member_modifiers))) {
        struct token ahead = scanner_peek(&p->s);
        bool is_name = token_is(&ahead, ";") || token_is(&ahead, "(") || token_is(&ahead, "=") ||
                       token_is(&ahead, "}") || token_is(&ahead, ":") || token_is(&ahead, "?") ||
                       token_is(&ahead, "!") || token_is(&ahead, "<");
        if (is_name)
            return;
        if (syntax_at_name(p, "abstract") || syntax_at_name(p, "declare"))
            p->ts->member_goes = true;
        erase_word(p);
    }
}

bool ts_before_member(struct parser *p) {
    p->ts->member_start = p->s.token.at;
    p->ts->member_edits = p->ts->edits.len;
    p->ts->member_goes = false;
    ts_member_modifiers(p);
    if (!is_index_signature(p))
        return false;
    ts_skip_brackets(p);
    if (syntax_at(p, ":")) {
        syntax_next(p);
        ts_type(p);
    }
    syntax_optional_semicolon(p);
    p->ts->member_goes = true;
    return true;
}

void ts_after_key(struct parser *p, struct slice key) {
    if ((syntax_at(p, "?") || syntax_at(p, "!")) && !p->s.implicit_end) {
        size_t from = p->s.token.at;
        p->s.ends_statement = true;
        syntax_next(p);
        ts_erase(p, from, from + 1);
    }
    p->ts->in_constructor = slice_eq(key, SLICE("constructor"));
    p->ts->properties.len = 0;
    p->ts->body_start = p->ts->super_end = 0;
}

/* A field called get, set or static must not run into the next line. */
void ts_field_annotation(struct parser *p, struct slice key) {
    size_t from = p->s.token.at;
    bool has_type = syntax_at(p, ":");
    ts_annotation(p);
    if (has_type && p->s.implicit_end && !syntax_at(p, "=") &&
        (slice_eq(key, SLICE("get")) || slice_eq(key, SLICE("set")) ||
         slice_eq(key, SLICE("static"))))
        ts_replace(p, from, from + 1, xstrdup(";"));
}

/* Assigns the parameter properties, where the body begins or behind super(). */
void ts_after_method(struct parser *p) {
    struct ts *ts = p->ts;
    if (ts->in_constructor && ts->body_start && ts->properties.len > 0) {
        struct buf b;
        buf_init(&b, BUF_NO_CAP);
        size_t at = ts->super_end ? ts->super_end : ts->body_start;
        if (ts->super_end)
            buf_append_char(&b, ';');
        for (size_t i = 0; i < ts->properties.len; i++)
            buf_printf(&b, "this.%.*s = %.*s;", SLICE_FMT(ts->properties.ptr[i]),
                       SLICE_FMT(ts->properties.ptr[i]));
        ts_replace(p, at, at, buf_detach(&b, NULL));
    }
    ts->in_constructor = false;
    p->ts_in_member = false;
    if (ts->member_goes && (syntax_at(p, ";") || p->s.implicit_end))
        syntax_optional_semicolon(p);
}

void ts_end_member(struct parser *p) {
    if (p->ts->member_goes)
        ts_erase_statement(p, p->ts->member_start, p->s.prev_end, p->ts->member_edits);
    p->ts->member_goes = false;
}

void ts_heritage(struct parser *p) {
    size_t from = p->s.token.at;
    if (syntax_at(p, "<")) {
        ts_type_arguments(p);
        ts_erase(p, from, p->s.prev_end);
        from = p->s.token.at;
    }
    if (!syntax_at_name(p, "implements"))
        return;
    do {
        syntax_next(p);
        ts_type(p);
    } while (syntax_at(p, ","));
    ts_erase(p, from, p->s.prev_end);
}

/* ---- statements of TypeScript's own ---- */

static void skip_to_block(struct parser *p) {
    while (!syntax_at(p, "{") && !syntax_at_end(p) && !syntax_at(p, ";"))
        syntax_next(p);
    if (syntax_at(p, "{"))
        ts_skip_brackets(p);
}

static void skip_interface(struct parser *p) {
    syntax_next(p);
    ts_note_type(p, p->s.token.text);
    syntax_next(p);
    if (syntax_at(p, "<")) {
        size_t n = p->ts->edits.len;
        ts_type_parameters(p);
        p->ts->edits.len = n;
    }
    if (syntax_at(p, "extends")) {
        do {
            syntax_next(p);
            ts_type(p);
        } while (syntax_at(p, ","));
    }
    ts_skip_brackets(p);
}

static void skip_type_alias(struct parser *p) {
    syntax_next(p);
    ts_note_type(p, p->s.token.text);
    syntax_next(p);
    if (syntax_at(p, "<")) {
        size_t n = p->ts->edits.len;
        ts_type_parameters(p);
        p->ts->edits.len = n;
    }
    syntax_expect(p, "=");
    ts_type(p);
    syntax_optional_semicolon(p);
}

static bool introduces(struct parser *p);

/* A namespace that holds types only leaves nothing. False when it holds anything else. */
static bool skip_type_namespace(struct parser *p) {
    syntax_enter(p);
    do
        syntax_next(p); /* the names: A.B.C */
    while (!syntax_at(p, "{") && !syntax_at(p, ";") && !syntax_at_end(p));
    syntax_expect(p, "{");
    while (!syntax_at(p, "}") && !syntax_at_end(p)) {
        if (syntax_at(p, ";") || syntax_at(p, "export"))
            syntax_next(p);
        else if (syntax_at_name(p, "interface") && introduces(p))
            skip_interface(p);
        else if (syntax_at_name(p, "type") && introduces(p))
            skip_type_alias(p);
        else if (!(syntax_at_name(p, "namespace") || syntax_at_name(p, "module")) ||
                 !introduces(p) || !skip_type_namespace(p))
            return false;
    }
    syntax_expect(p, "}");
    return true;
}

/* The word here is followed by a name on the same line: it introduces a declaration. */
static bool introduces(struct parser *p) {
    struct scanner saved = p->s;
    syntax_next(p);
    bool is =
        (p->s.token.kind == TOKEN_NAME || p->s.token.kind == TOKEN_LOOSE) && !p->s.implicit_end;
    p->s = saved;
    return is;
}

static bool declares(struct parser *p) {
    static const char *const words[] = {"namespace", "module", "interface", "type",
                                        "abstract",  "global", "let",       "async"};
    struct scanner saved = p->s;
    syntax_next(p);
    bool is = !p->s.implicit_end && (p->s.token.kind == TOKEN_RESERVED || syntax_at(p, "var") ||
                                     syntax_at(p, "const") || syntax_at(p, "function") ||
                                     syntax_at(p, "class") || at_any(p, words, countof(words)));
    p->s = saved;
    return is;
}

/* A statement that only declares: reads it and leaves nothing. */
static void erase_declared(struct parser *p, size_t from, size_t n_edits) {
    syntax_next(p); /* declare */
    size_t n_uses = p->ts->uses.len;
    if (syntax_at_name(p, "namespace") || syntax_at_name(p, "module") ||
        syntax_at_name(p, "global")) {
        skip_to_block(p);
    } else if (p->s.token.kind == TOKEN_RESERVED ||
               (syntax_at(p, "const") && scanner_peek(&p->s).kind == TOKEN_RESERVED)) {
        skip_to_block(p);
    } else if (syntax_at(p, "class") || syntax_at_name(p, "abstract")) {
        skip_to_block(p);
    } else {
        p->scope->allow_let = true;
        syntax_statement(p);
    }
    p->ts->uses.len = n_uses;
    ts_erase_statement(p, from, p->s.prev_end, n_edits);
}

/* At `from` stands export, or the declaration itself. True when it was TypeScript's. */
static bool ts_declaration(struct parser *p, size_t from) {
    size_t n = p->ts->edits.len;
    if (syntax_at_name(p, "interface") && introduces(p)) {
        skip_interface(p);
        ts_erase_statement(p, from, p->s.prev_end, n);
    } else if (syntax_at_name(p, "type") && introduces(p)) {
        skip_type_alias(p);
        ts_erase_statement(p, from, p->s.prev_end, n);
    } else if (syntax_at_name(p, "declare") && declares(p)) {
        erase_declared(p, from, n);
    } else if (syntax_at_name(p, "abstract") &&
               token_is(&(struct token){TOKEN_WORD, scanner_peek(&p->s).text, 0}, "class")) {
        erase_word(p);
        syntax_class(p, true);
    } else if (p->s.token.kind == TOKEN_RESERVED) {
        ts_enum(p, p->s.token.at);
    } else if (syntax_at(p, "const") && scanner_peek(&p->s).kind == TOKEN_RESERVED) {
        size_t at = p->s.token.at;
        syntax_next(p);
        ts_enum(p, at);
    } else if ((syntax_at_name(p, "namespace") || syntax_at_name(p, "module")) && introduces(p)) {
        struct ts_mark mark = ts_mark(p);
        size_t n_types = p->ts->types.len;
        if (skip_type_namespace(p)) {
            p->ts->types.len = n_types;
            ts_erase_statement(p, from, p->s.prev_end, n);
        } else {
            ts_restore(p, &mark);
            scanner_error(&p->s, p->s.token.at, "Namespaces are not supported");
            skip_to_block(p);
        }
    } else {
        return false;
    }
    return true;
}

bool ts_statement(struct parser *p) {
    p->ts->statement_start = p->s.token.at;
    p->ts_in_member = false;
    return ts_declaration(p, p->s.token.at);
}

/* ---- modules ---- */

static void read_specifiers(struct parser *p, size_t statement) {
    syntax_expect(p, "{");
    while (!syntax_at(p, "}") && !syntax_at_end(p)) {
        size_t from = p->s.token.at;
        bool is_type = false;
        if (syntax_at_name(p, "type")) {
            struct token ahead = scanner_peek(&p->s);
            is_type = ahead.kind >= TOKEN_NAME && !slice_eq(ahead.text, SLICE("as"));
            if (is_type)
                syntax_next(p);
        }
        struct slice local = p->s.token.text;
        syntax_next(p);
        if (syntax_at_name(p, "as")) {
            syntax_next(p);
            local = p->s.token.text;
            syntax_next(p);
        }
        size_t to = p->s.prev_end;
        if (syntax_at(p, ",")) {
            to = p->s.token.at + 1;
            syntax_next(p);
        } else if (!syntax_at(p, "}")) {
            break;
        }
        if (is_type)
            ts_note_type(p, local);
        vec_push(&p->ts->imports,
                 (struct ts_import){is_type ? slice_from(NULL, 0) : local, from, to, statement});
    }
    syntax_expect(p, "}");
}

static void expect_string(struct parser *p) {
    if (p->s.token.kind != TOKEN_STRING)
        syntax_unexpected(p, &p->s.token);
    syntax_next(p);
}

static void expect_from(struct parser *p) {
    if (!syntax_at_name(p, "from"))
        syntax_unexpected(p, &p->s.token);
    syntax_next(p);
    expect_string(p);
}

/* import x = require("y") */
static void import_equals(struct parser *p, size_t from) {
    ts_replace(p, from, from + 6, xstrdup("const "));
    syntax_next(p);
    syntax_assignment(p);
    syntax_optional_semicolon(p);
}

/* with { type: "json" }: the file's name says as much. */
static void import_attributes(struct parser *p) {
    size_t from = p->s.token.at;
    if (!syntax_at(p, "with"))
        return;
    syntax_next(p);
    syntax_expect(p, "{");
    while (!syntax_at(p, "}") && !syntax_at_end(p))
        syntax_next(p);
    syntax_expect(p, "}");
    ts_erase(p, from, p->s.prev_end);
}

void ts_import(struct parser *p) {
    size_t from = p->ts->statement_start, n = p->ts->edits.len, statement = p->ts->statements.len;
    syntax_next(p);
    if (p->s.token.kind == TOKEN_STRING) {
        syntax_next(p);
        import_attributes(p);
        syntax_optional_semicolon(p);
        return;
    }
    if (syntax_at_name(p, "type")) {
        struct token ahead = scanner_peek(&p->s);
        if ((ahead.kind == TOKEN_NAME && !slice_eq(ahead.text, SLICE("from"))) ||
            token_is(&ahead, "{") || token_is(&ahead, "*")) {
            while (p->s.token.kind != TOKEN_STRING && !syntax_at_end(p)) {
                ts_note_type(p, p->s.token.text); /* and words between, which are no names */
                syntax_next(p);
            }
            syntax_next(p);
            syntax_optional_semicolon(p);
            ts_erase_statement(p, from, p->s.prev_end, n);
            return;
        }
    }
    if (p->s.token.kind == TOKEN_NAME || p->s.token.kind == TOKEN_LOOSE) {
        size_t at = p->s.token.at;
        struct slice local = p->s.token.text;
        syntax_next(p);
        if (syntax_at(p, "=")) {
            import_equals(p, from);
            return;
        }
        size_t to = p->s.prev_end;
        if (syntax_at(p, ",")) {
            to = p->s.token.at + 1;
            syntax_next(p);
        }
        vec_push(&p->ts->imports, (struct ts_import){local, at, to, statement});
    }
    if (syntax_at(p, "*")) {
        size_t at = p->s.token.at;
        syntax_next(p);
        syntax_next(p);
        struct slice local = p->s.token.text;
        syntax_next(p);
        vec_push(&p->ts->imports, (struct ts_import){local, at, p->s.prev_end, statement});
    } else if (syntax_at(p, "{")) {
        read_specifiers(p, statement);
    }
    expect_from(p);
    import_attributes(p);
    syntax_optional_semicolon(p);
    vec_push(&p->ts->statements, (struct ts_edit){from, p->s.prev_end, NULL});
}

/* "export { a, type B }": types are blanked, values are uses. */
static void export_list(struct parser *p) {
    size_t first_use = p->ts->uses.len, first_export = p->ts->exports.len;
    size_t first_edit = p->ts->edits.len, n_types = 0;
    syntax_expect(p, "{");
    while (!syntax_at(p, "}") && !syntax_at_end(p)) {
        size_t from = p->s.token.at;
        bool is_type = false;
        if (syntax_at_name(p, "type")) {
            struct token ahead = scanner_peek(&p->s);
            is_type = ahead.kind >= TOKEN_NAME && !slice_eq(ahead.text, SLICE("as"));
            if (is_type)
                syntax_next(p);
        }
        struct slice name = p->s.token.text;
        if (!is_type)
            ts_note_use(p, name);
        syntax_next(p);
        if (syntax_at_name(p, "as")) {
            syntax_next(p);
            syntax_next(p);
        }
        if (syntax_at(p, ","))
            syntax_next(p);
        else if (!syntax_at(p, "}"))
            break;
        if (is_type)
            ts_erase(p, from, p->s.prev_end);
        n_types += is_type;
        if (!is_type)
            vec_push(&p->ts->exports, (struct ts_export){name, from, p->s.prev_end});
    }
    syntax_expect(p, "}");
    if (!syntax_at_name(p, "from")) {
        syntax_semicolon(p);
        return;
    }
    bool has_values = n_types == 0 || p->ts->exports.len > first_export;
    p->ts->uses.len = first_use;
    p->ts->exports.len = first_export;
    expect_from(p);
    syntax_semicolon(p);
    if (!has_values)
        ts_erase_statement(p, p->ts->statement_start, p->s.prev_end, first_edit);
}

bool ts_export(struct parser *p) {
    struct scanner saved = p->s;
    size_t from = p->ts->statement_start, n = p->ts->edits.len;
    syntax_next(p);
    if (syntax_at(p, "{")) {
        export_list(p);
        return true;
    }
    if (syntax_at(p, "=")) {
        ts_replace(p, from, p->s.token.at, xstrdup("module.exports "));
        syntax_next(p);
        syntax_expression(p);
        syntax_optional_semicolon(p);
        return true;
    }
    if (syntax_at(p, "import")) {
        ts_erase(p, from, p->s.token.at);
        p->ts->statement_start = p->s.token.at;
        ts_import(p);
        return true;
    }
    if (syntax_at_name(p, "type")) {
        struct token ahead = scanner_peek(&p->s);
        if (token_is(&ahead, "{") || token_is(&ahead, "*")) {
            while (!syntax_at(p, ";") && !p->s.implicit_end && !syntax_at_end(p)) {
                if (syntax_at(p, "{"))
                    ts_skip_brackets(p);
                else
                    syntax_next(p);
            }
            syntax_optional_semicolon(p);
            ts_erase_statement(p, from, p->s.prev_end, n);
            return true;
        }
    }
    if (ts_declaration(p, from))
        return true;
    p->s = saved;
    return false;
}

bool ts_default_export(struct parser *p) {
    size_t n = p->ts->edits.len;
    if (syntax_at_name(p, "interface") && introduces(p)) {
        skip_interface(p);
        ts_erase_statement(p, p->ts->statement_start, p->s.prev_end, n);
        return true;
    }
    if (syntax_at_name(p, "abstract") &&
        token_is(&(struct token){TOKEN_WORD, scanner_peek(&p->s).text, 0}, "class"))
        erase_word(p);
    return false;
}

bool ts_is_anonymous(struct parser *p) {
    struct scanner saved = p->s;
    syntax_next(p);
    if (syntax_at(p, "*"))
        syntax_next(p);
    bool is = syntax_at(p, "(") || syntax_at(p, "<");
    p->s = saved;
    return is;
}
