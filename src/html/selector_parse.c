#include <stdlib.h>

#include "base/check.h"
#include "base/vec.h"
#include "html/selector_internal.h"
#include "html/text.h"

struct parser {
    struct html_selector *sel;
    const char *at, *end;
    int nesting;
    bool failed;
};

typedef VEC(struct sel_simple) simples;

static void *fail(struct parser *p) {
    p->failed = true;
    p->at = p->end;
    return NULL;
}

static char peek(const struct parser *p) {
    return p->at < p->end ? *p->at : '\0';
}

static bool skip_char(struct parser *p, char c) {
    if (p->at == p->end || *p->at != c)
        return false;
    p->at++;
    return true;
}

/* White space and comments; true when there was any. */
static bool skip_space(struct parser *p) {
    const char *from = p->at;
    while (p->at < p->end) {
        if (strchr(" \t\r\n\f", *p->at) && *p->at) {
            p->at++;
            continue;
        }
        size_t left = (size_t)(p->end - p->at);
        const char *close =
            left > 3 && memcmp(p->at, "/*", 2) == 0 ? memmem(p->at + 2, left - 2, "*/", 2) : NULL;
        if (!close)
            break;
        p->at = close + 2;
    }
    return p->at > from;
}

/* ---- names and strings ---- */

static bool is_hex(char c) {
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

static bool is_name_start(char c) {
    return ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_' || (unsigned char)c > 127;
}

static bool is_name_char(char c) {
    return is_name_start(c) || c == '-' || (c >= '0' && c <= '9');
}

static void append_rune(struct buf *out, uint32_t r) {
    if (r > 0x10ffff || (r >= 0xd800 && r < 0xe000))
        r = 0xfffd;
    if (r < 0x80) {
        buf_append_char(out, (char)r);
        return;
    }
    int more = r < 0x800 ? 1 : r < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    buf_append_char(out, (char)(lead[more] | r >> (6 * more)));
    while (more--)
        buf_append_char(out, (char)(0x80 | (r >> (6 * more) & 0x3f)));
}

static bool is_line_end(char c) {
    return c == '\r' || c == '\n' || c == '\f';
}

/* At a backslash. */
static void parse_escape(struct parser *p, struct buf *out) {
    if (p->end - p->at < 2 || is_line_end(p->at[1])) {
        fail(p);
        return;
    }
    p->at++;
    if (!is_hex(*p->at)) {
        buf_append_char(out, *p->at++);
        return;
    }
    uint32_t v = 0;
    for (int i = 0; i < 6 && p->at < p->end && is_hex(*p->at); i++, p->at++)
        v = v * 16 + (uint32_t)(*p->at <= '9' ? *p->at - '0' : (*p->at | 32) - 'a' + 10);
    if (skip_char(p, '\r'))
        skip_char(p, '\n');
    else if (p->at < p->end && *p->at && strchr(" \t\n\f", *p->at))
        p->at++;
    append_rune(out, v);
}

static struct slice keep(struct parser *p, struct buf *b) {
    struct slice s =
        slice_from(arena_strndup(&p->sel->arena, b->len ? b->ptr : "", b->len), b->len);
    buf_release(b);
    return s;
}

static void read_name(struct parser *p, struct buf *out) {
    size_t before = out->len;
    while (p->at < p->end && !p->failed) {
        if (is_name_char(*p->at))
            buf_append_char(out, *p->at++);
        else if (*p->at == '\\')
            parse_escape(p, out);
        else
            break;
    }
    if (out->len == before)
        fail(p);
}

static struct slice parse_name(struct parser *p) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    read_name(p, &b);
    return keep(p, &b);
}

static struct slice parse_identifier(struct parser *p) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    while (skip_char(p, '-'))
        buf_append_char(&b, '-');
    if (p->at == p->end || !(is_name_start(*p->at) || *p->at == '\\'))
        fail(p);
    else
        read_name(p, &b);
    return keep(p, &b);
}

/* A backslash before a line end joins the lines. */
static bool skip_joined_line(struct parser *p) {
    if (p->end - p->at < 2 || !is_line_end(p->at[1]))
        return false;
    p->at += p->end - p->at > 2 && p->at[1] == '\r' && p->at[2] == '\n' ? 3 : 2;
    return true;
}

static struct slice parse_string(struct parser *p) {
    struct buf b;
    char quote = *p->at++;
    buf_init(&b, BUF_NO_CAP);
    while (!p->failed && peek(p) != quote) {
        if (p->at == p->end || is_line_end(*p->at))
            fail(p);
        else if (*p->at != '\\')
            buf_append_char(&b, *p->at++);
        else if (!skip_joined_line(p))
            parse_escape(p, &b);
    }
    if (!p->failed)
        p->at++;
    return keep(p, &b);
}

static struct slice parse_word(struct parser *p) {
    return peek(p) == '"' || peek(p) == '\'' ? parse_string(p) : parse_identifier(p);
}

static struct slice lower_ascii(struct slice s) {
    char *c = (char *)(uintptr_t)s.ptr; /* the arena's: keep() made it */
    for (size_t i = 0; i < s.len; i++) {
        if (c[i] >= 'A' && c[i] <= 'Z')
            c[i] = (char)(c[i] + 32);
    }
    return s;
}

static struct slice lower_text(struct parser *p, struct slice s) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    html_lower(&b, s);
    return keep(p, &b);
}

/* Up to the bracket that closes what is around it. */
static struct html_regex *parse_regex(struct parser *p) {
    const char *from = p->at;
    for (int open = 0; p->at < p->end; p->at++) {
        if (*p->at == '(' || *p->at == '[')
            open++;
        else if ((*p->at == ')' || *p->at == ']') && --open < 0)
            break;
    }
    struct html_regex *rx =
        p->at < p->end ? html_regex_new(slice_from(from, (size_t)(p->at - from))) : NULL;
    if (!rx)
        return fail(p);
    struct html_selector *s = p->sel;
    s->regexes = xrealloc(s->regexes, (s->n_regexes + 1) * sizeof(struct html_regex *));
    s->regexes[s->n_regexes++] = rx;
    return rx;
}

/* ---- attributes ---- */

/* At "[". */
static struct sel_simple parse_attribute(struct parser *p) {
    struct sel_simple t = {.kind = SEL_ATTR};
    p->at++;
    skip_space(p);
    t.name = lower_ascii(parse_identifier(p));
    skip_space(p);
    if (skip_char(p, ']') || p->failed)
        return t;
    if (p->end - p->at < 3 || (*p->at != '=' && p->at[1] != '=')) {
        fail(p);
        return t;
    }
    t.op = *p->at;
    p->at += t.op == '=' ? 1 : 2;
    skip_space(p);
    if (t.op == '#')
        t.regex = parse_regex(p);
    else if (t.op && strchr("=!~|^$*", t.op))
        t.value = parse_word(p);
    else
        fail(p);
    skip_space(p);
    t.ignores_case = skip_char(p, 'i') || skip_char(p, 'I');
    skip_space(p);
    if (!skip_char(p, ']'))
        fail(p);
    return t;
}

/* ---- pseudo-classes ---- */

static bool parse_integer(struct parser *p, int64_t *out) {
    const char *from = p->at;
    int64_t v = 0;
    for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++) {
        if (v < INT32_MAX)
            v = v * 10 + (*p->at - '0');
    }
    *out = v;
    return p->at > from;
}

static void parse_odd_even(struct parser *p, struct sel_simple *t) {
    struct slice word = lower_ascii(parse_name(p));
    t->a = 2;
    t->b = slice_eq(word, SLICE("odd"));
    if (!t->b && !slice_eq(word, SLICE("even")))
        fail(p);
}

/* an+b behind "(". */
static void parse_nth(struct parser *p, struct sel_simple *t) {
    if (peek(p) && strchr("oOeE", peek(p))) {
        parse_odd_even(p, t);
        return;
    }
    int64_t sign = skip_char(p, '-') ? -1 : 1;
    if (sign > 0)
        skip_char(p, '+');
    bool has_number = parse_integer(p, &t->a);
    t->a = sign * (has_number ? t->a : 1);
    if (!skip_char(p, 'n') && !skip_char(p, 'N')) {
        t->b = t->a;
        t->a = 0;
        if (!has_number || p->at == p->end)
            fail(p);
        return;
    }
    skip_space(p);
    if (p->at == p->end)
        fail(p);
    sign = peek(p) == '-' ? -1 : 1;
    if (!skip_char(p, '-') && !skip_char(p, '+'))
        return;
    skip_space(p);
    if (!parse_integer(p, &t->b))
        fail(p);
    t->b *= sign;
}

static struct sel_group parse_group(struct parser *p);

static void parse_argument(struct parser *p, struct sel_simple *t) {
    switch (t->kind) {
    case SEL_NOT:
    case SEL_HAS:
    case SEL_HAS_CHILD:
        if (++p->nesting > SEL_NESTING_MAX) {
            fail(p);
            return;
        }
        t->group = arena_alloc(&p->sel->arena, sizeof *t->group);
        *t->group = parse_group(p);
        p->nesting--;
        break;
    case SEL_CONTAINS:
    case SEL_CONTAINS_OWN:
        t->value = lower_text(p, parse_word(p));
        break;
    case SEL_LANG:
        t->value = lower_text(p, parse_identifier(p));
        break;
    case SEL_MATCHES:
    case SEL_MATCHES_OWN:
        t->regex = parse_regex(p);
        break;
    default:
        parse_nth(p, t);
    }
}

static const struct pseudo {
    const char *name;
    enum sel_kind kind;
    bool has_argument, is_last, is_of_type;
    int8_t b;
} pseudos[] = {
    {"not", SEL_NOT, true, false, false, 0},
    {"has", SEL_HAS, true, false, false, 0},
    {"haschild", SEL_HAS_CHILD, true, false, false, 0},
    {"contains", SEL_CONTAINS, true, false, false, 0},
    {"containsown", SEL_CONTAINS_OWN, true, false, false, 0},
    {"matches", SEL_MATCHES, true, false, false, 0},
    {"matchesown", SEL_MATCHES_OWN, true, false, false, 0},
    {"nth-child", SEL_NTH, true, false, false, 0},
    {"nth-last-child", SEL_NTH, true, true, false, 0},
    {"nth-of-type", SEL_NTH, true, false, true, 0},
    {"nth-last-of-type", SEL_NTH, true, true, true, 0},
    {"first-child", SEL_NTH, false, false, false, 1},
    {"last-child", SEL_NTH, false, true, false, 1},
    {"first-of-type", SEL_NTH, false, false, true, 1},
    {"last-of-type", SEL_NTH, false, true, true, 1},
    {"only-child", SEL_ONLY, false, false, false, 0},
    {"only-of-type", SEL_ONLY, false, false, true, 0},
    {"input", SEL_INPUT, false, false, false, 0},
    {"empty", SEL_EMPTY, false, false, false, 0},
    {"root", SEL_ROOT, false, false, false, 0},
    {"link", SEL_LINK, false, false, false, 0},
    {"lang", SEL_LANG, true, false, false, 0},
    {"enabled", SEL_ENABLED, false, false, false, 0},
    {"disabled", SEL_DISABLED, false, false, false, 0},
    {"checked", SEL_CHECKED, false, false, false, 0},
    {"visited", SEL_NEVER, false, false, false, 0},
    {"hover", SEL_NEVER, false, false, false, 0},
    {"active", SEL_NEVER, false, false, false, 0},
    {"focus", SEL_NEVER, false, false, false, 0},
    {"target", SEL_NEVER, false, false, false, 0},
};

/* At ":". Pseudo-elements are refused, as every other unknown name. */
static struct sel_simple parse_pseudo(struct parser *p) {
    p->at++;
    struct slice name = lower_ascii(parse_identifier(p));
    for (size_t i = 0; i < countof(pseudos) && !p->failed; i++) {
        const struct pseudo *row = &pseudos[i];
        if (!slice_eq(name, slice_cstr(row->name)))
            continue;
        struct sel_simple t = {
            .kind = row->kind, .is_last = row->is_last, .is_of_type = row->is_of_type, .b = row->b};
        if (!row->has_argument)
            return t;
        if (!skip_char(p, '('))
            fail(p);
        skip_space(p);
        parse_argument(p, &t);
        skip_space(p);
        if (!skip_char(p, ')'))
            fail(p);
        return t;
    }
    fail(p);
    return (struct sel_simple){.kind = SEL_NEVER};
}

/* ---- compounds, combinators, groups ---- */

static bool parse_test(struct parser *p, struct sel_simple *t) {
    switch (peek(p)) {
    case '#':
        p->at++;
        *t = (struct sel_simple){.kind = SEL_ID, .value = parse_name(p)};
        return true;
    case '.':
        p->at++;
        *t = (struct sel_simple){.kind = SEL_CLASS, .value = parse_identifier(p)};
        return true;
    case '[':
        *t = parse_attribute(p);
        return true;
    case ':':
        *t = parse_pseudo(p);
        return true;
    }
    return false;
}

static struct sel_compound parse_compound(struct parser *p, char combinator) {
    simples tests = {0};
    struct sel_simple t;
    if (p->at == p->end) {
        fail(p);
    } else if (skip_char(p, '*')) {
        if (p->end - p->at > 2 && memcmp(p->at, "|*", 2) == 0)
            p->at += 2;
    } else if (*p->at == '\0' || !strchr("#.[:", *p->at)) {
        t = (struct sel_simple){.kind = SEL_TAG, .name = lower_ascii(parse_identifier(p))};
        vec_push(&tests, t);
    }
    while (!p->failed && parse_test(p, &t))
        vec_push(&tests, t);
    struct sel_compound c = {.n_tests = tests.len, .combinator = combinator};
    c.tests = arena_alloc(&p->sel->arena, (tests.len + 1) * sizeof t);
    if (tests.len)
        memcpy(c.tests, tests.ptr, tests.len * sizeof t);
    vec_release(&tests);
    return c;
}

/* The combinator at the cursor, 0 when the selector ends here. */
static char parse_combinator(struct parser *p) {
    bool has_space = skip_space(p);
    char c = peek(p);
    if (c == '+' || c == '>' || c == '~') {
        p->at++;
        skip_space(p);
        return c;
    }
    return has_space && p->at < p->end && c != ',' && c != ')' ? ' ' : 0;
}

static struct sel_complex parse_complex(struct parser *p) {
    VEC(struct sel_compound) all = {0};
    char combinator = 0;
    skip_space(p);
    do {
        struct sel_compound c = parse_compound(p, combinator);
        vec_push(&all, c);
        if (all.len > SEL_COMPOUNDS_MAX)
            fail(p);
        combinator = p->failed ? 0 : parse_combinator(p);
    } while (combinator);
    struct sel_complex complex = {.n_compounds = all.len};
    complex.compounds = arena_alloc(&p->sel->arena, all.len * sizeof *all.ptr);
    memcpy(complex.compounds, all.ptr, all.len * sizeof *all.ptr);
    vec_release(&all);
    return complex;
}

static struct sel_group parse_group(struct parser *p) {
    VEC(struct sel_complex) all = {0};
    do {
        struct sel_complex c = parse_complex(p);
        vec_push(&all, c);
    } while (!p->failed && skip_char(p, ','));
    struct sel_group g = {.n_items = all.len};
    g.items = arena_alloc(&p->sel->arena, all.len * sizeof *all.ptr);
    memcpy(g.items, all.ptr, all.len * sizeof *all.ptr);
    vec_release(&all);
    return g;
}

struct html_selector *html_selector_new(struct slice text) {
    struct html_selector *s = xcalloc(1, sizeof *s);
    arena_init(&s->arena);
    struct parser p = {.sel = s, .at = text.ptr, .end = text.ptr + text.len};
    s->group = parse_group(&p);
    if (!p.failed && p.at == p.end)
        return s;
    html_selector_free(s);
    return NULL;
}

void html_selector_free(struct html_selector *s) {
    if (!s)
        return;
    for (size_t i = 0; i < s->n_regexes; i++)
        html_regex_free(s->regexes[i]);
    free(s->regexes);
    arena_release(&s->arena);
    free(s);
}
