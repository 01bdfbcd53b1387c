#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "js/script_internal.h"

/* A scanner, not a parser: it knows tokens, brackets and which braces are bodies of functions,
 * enough to see the declarations that make a file an ES module and the names of what import()
 * takes. */

enum bracket {
    BRACKET_PAREN,
    BRACKET_CONTROL_PAREN,
    BRACKET_BLOCK,
    BRACKET_FUNCTION,
    BRACKET_SQUARE,
    BRACKET_TEMPLATE
};

struct frame {
    enum bracket kind;
    bool in_arrow; /* behind a "=>" whose body is an expression */
};

struct scanner {
    const char *at, *end;
    VEC(struct frame) stack;
    size_t functions;  /* function bodies on the stack */
    size_t arrows;     /* frames that are in_arrow */
    bool top_arrow;    /* the same at the top level */
    struct slice prev; /* previous token; one character for punctuation */
    bool prev_is_word, prev_is_value;
    bool prev_is_dot;
    bool prev_closed_parameters; /* ")" that may be the end of a parameter list */
    bool line_break;             /* between prev and the current token */
    void (*on_import)(struct slice specifier, void *opaque); /* of import("specifier"), or NULL */
    void *opaque;
};

static bool is_ident(unsigned char c) {
    return isalnum(c) || c == '_' || c == '$' || c >= 0x80 || c == '\\';
}

static bool slice_is(struct slice s, const char *word) {
    return s.len == strlen(word) && memcmp(s.ptr, word, s.len) == 0;
}

static bool word_in(struct slice s, const char *const *words) {
    for (; *words; words++) {
        if (slice_is(s, *words))
            return true;
    }
    return false;
}

static void skip_string(struct scanner *sc, char quote) {
    for (sc->at++; sc->at < sc->end && *sc->at != quote && *sc->at != '\n'; sc->at++) {
        if (*sc->at == '\\')
            sc->at++;
    }
    if (sc->at < sc->end)
        sc->at++;
}

static void skip_regexp(struct scanner *sc) {
    bool in_class = false;
    for (sc->at++; sc->at < sc->end && *sc->at != '\n'; sc->at++) {
        if (*sc->at == '\\')
            sc->at++;
        else if (*sc->at == '[')
            in_class = true;
        else if (*sc->at == ']')
            in_class = false;
        else if (*sc->at == '/' && !in_class)
            break;
    }
    while (sc->at < sc->end && (*sc->at == '/' || is_ident((unsigned char)*sc->at)))
        sc->at++;
}

/* Skips spaces and comments. */
static void skip_blank(struct scanner *sc) {
    while (sc->at < sc->end) {
        char c = *sc->at;
        size_t left = (size_t)(sc->end - sc->at);
        if (c == '\n')
            sc->line_break = true;
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v') {
            sc->at++;
        } else if (left >= 2 && c == '/' && sc->at[1] == '/') {
            while (sc->at < sc->end && *sc->at != '\n')
                sc->at++;
        } else if (left >= 2 && c == '/' && sc->at[1] == '*') {
            const char *close = memmem(sc->at + 2, left - 2, "*/", 2);
            sc->at = close ? close + 2 : sc->end;
        } else if (left >= 3 && memcmp(sc->at, "\xef\xbb\xbf", 3) == 0) {
            sc->at += 3;
        } else {
            break;
        }
    }
}

static void push(struct scanner *sc, enum bracket kind) {
    vec_push(&sc->stack, (struct frame){.kind = kind});
    if (kind == BRACKET_FUNCTION)
        sc->functions++;
}

static enum bracket pop(struct scanner *sc) {
    if (sc->stack.len == 0)
        return BRACKET_BLOCK;
    struct frame f = sc->stack.ptr[--sc->stack.len];
    if (f.kind == BRACKET_FUNCTION)
        sc->functions--;
    if (f.in_arrow)
        sc->arrows--;
    return f.kind;
}

static void set_arrow(struct scanner *sc, bool on) {
    bool *flag = sc->stack.len ? &sc->stack.ptr[sc->stack.len - 1].in_arrow : &sc->top_arrow;
    if (*flag != on)
        sc->arrows += on ? 1 : (size_t)-1;
    *flag = on;
}

/* The text of a template up to its end or "${". */
static void scan_template(struct scanner *sc) {
    while (sc->at < sc->end) {
        char c = *sc->at++;
        if (c == '\\' && sc->at < sc->end) {
            sc->at++;
        } else if (c == '`') {
            return;
        } else if (c == '$' && sc->at < sc->end && *sc->at == '{') {
            sc->at++;
            push(sc, BRACKET_TEMPLATE);
            return;
        }
    }
}

static const char *const control_words[] = {"if",    "for",  "while", "switch",
                                            "catch", "with", "await", NULL};
static const char *const operator_words[] = {"return", "typeof", "case",  "in",         "of",
                                             "delete", "void",   "throw", "new",        "else",
                                             "do",     "await",  "yield", "instanceof", NULL};

static void token(struct scanner *sc, struct slice text, bool is_word, bool is_value) {
    sc->prev_is_dot = text.len == 1 && text.ptr[0] == '.';
    sc->prev = text;
    sc->prev_is_word = is_word;
    sc->prev_is_value = is_value;
    sc->line_break = false;
    sc->prev_closed_parameters = false;
}

static char peek(struct scanner *sc) {
    skip_blank(sc);
    return sc->at < sc->end ? *sc->at : '\0';
}

/* Behind the word import, at the parenthesis of import("specifier"). A name with an escape in it is
 * not worth reading. */
static void note_import(const struct scanner *sc) {
    struct scanner ahead = *sc;
    ahead.at++;
    char quote = peek(&ahead);
    if (quote != '"' && quote != '\'')
        return;
    const char *start = ahead.at + 1;
    skip_string(&ahead, quote);
    struct slice specifier = slice_from(start, (size_t)(ahead.at - start));
    char next = peek(&ahead);
    if (specifier.len < 2 || (next != ')' && next != ','))
        return;
    specifier.len--;
    if (!memchr(specifier.ptr, '\\', specifier.len))
        sc->on_import(specifier, sc->opaque);
}

/* True when the word makes the file a module. */
static bool scan_word(struct scanner *sc) {
    const char *start = sc->at;
    while (sc->at < sc->end && is_ident((unsigned char)*sc->at))
        sc->at++;
    struct slice word = slice_from(start, (size_t)(sc->at - start));
    bool is_member = sc->prev_is_dot;
    bool is_statement = !sc->prev_is_word || sc->line_break || !slice_is(sc->prev, "function");
    bool is_operator = !is_member && word_in(word, operator_words);
    bool at_top = sc->stack.len == 0;
    token(sc, word, true, !is_operator);
    if (is_member)
        return false;
    if (slice_is(word, "import")) {
        char next = peek(sc);
        if (next == '(' && sc->on_import)
            note_import(sc);
        return next == '.' || (at_top && next != '(' && next != ':' && next != '=');
    }
    if (slice_is(word, "export")) {
        char next = peek(sc);
        return at_top && (next == '{' || next == '*' || is_ident((unsigned char)next));
    }
    if (slice_is(word, "await") && sc->functions == 0 && sc->arrows == 0 && is_statement) {
        char next = peek(sc);
        return next != ':' && next != '=' && next != ',' && next != ')' && next != ';' &&
               next != '\0';
    }
    return false;
}

static void open_brace(struct scanner *sc) {
    bool after_arrow = slice_is(sc->prev, "=>");
    push(sc, after_arrow || sc->prev_closed_parameters ? BRACKET_FUNCTION : BRACKET_BLOCK);
}

static void scan_punctuation(struct scanner *sc) {
    char c = *sc->at;
    const char *start = sc->at++;
    bool is_value = false, closed_parameters = false;
    size_t len = 1;
    switch (c) {
    case '(':
        push(sc, sc->prev_is_word && !sc->prev_is_dot && word_in(sc->prev, control_words)
                     ? BRACKET_CONTROL_PAREN
                     : BRACKET_PAREN);
        break;
    case ')':
        closed_parameters = pop(sc) == BRACKET_PAREN;
        is_value = true;
        break;
    case '[':
        push(sc, BRACKET_SQUARE);
        break;
    case ']':
        pop(sc);
        is_value = true;
        break;
    case '{':
        open_brace(sc);
        break;
    case '}':
        if (pop(sc) == BRACKET_TEMPLATE) {
            scan_template(sc);
            is_value = true;
        }
        break;
    case ',':
    case ';':
        set_arrow(sc, false);
        break;
    case '=':
        if (sc->at < sc->end && *sc->at == '>') {
            sc->at++;
            len = 2;
            token(sc, slice_from(start, 2), false, false);
            if (peek(sc) != '{')
                set_arrow(sc, true);
            return;
        }
        break;
    default:
        break;
    }
    token(sc, slice_from(start, len), false, is_value);
    sc->prev_closed_parameters = closed_parameters;
}

static bool scan_token(struct scanner *sc) {
    char c = *sc->at;
    if (isdigit((unsigned char)c)) {
        const char *start = sc->at;
        while (sc->at < sc->end && (is_ident((unsigned char)*sc->at) || *sc->at == '.'))
            sc->at++;
        token(sc, slice_from(start, (size_t)(sc->at - start)), false, true);
    } else if (is_ident((unsigned char)c)) {
        return scan_word(sc);
    } else if (c == '"' || c == '\'') {
        skip_string(sc, c);
        token(sc, SLICE("\""), false, true);
    } else if (c == '`') {
        sc->at++;
        scan_template(sc);
        token(sc, SLICE("`"), false, true);
    } else if (c == '/' && !sc->prev_is_value) {
        skip_regexp(sc);
        token(sc, SLICE("/"), false, true);
    } else {
        scan_punctuation(sc);
    }
    return false;
}

static void scanner_init(struct scanner *sc, struct slice source) {
    *sc = (struct scanner){.at = source.ptr, .end = source.ptr + source.len};
    if (source.len >= 2 && memcmp(source.ptr, "#!", 2) == 0) {
        const char *eol = memchr(source.ptr, '\n', source.len);
        sc->at = eol ? eol : sc->end;
    }
}

/* The next token; false at the end of the source. */
static bool scan_next(struct scanner *sc, bool *out_is_esm) {
    skip_blank(sc);
    if (sc->at >= sc->end)
        return false;
    *out_is_esm = scan_token(sc);
    return true;
}

bool source_is_esm(struct slice source) {
    struct scanner sc;
    bool found = false;
    scanner_init(&sc, source);
    while (!found && scan_next(&sc, &found))
        ;
    vec_release(&sc.stack);
    return found;
}

void source_each_import_call(struct slice source,
                             void (*on_import)(struct slice specifier, void *opaque),
                             void *opaque) {
    struct scanner sc;
    bool is_esm;
    scanner_init(&sc, source);
    sc.on_import = on_import;
    sc.opaque = opaque;
    while (scan_next(&sc, &is_esm))
        ;
    vec_release(&sc.stack);
}
