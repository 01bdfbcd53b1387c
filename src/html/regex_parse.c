#include "base/check.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "html/regex_internal.h"

#include <stdlib.h>

#define DEPTH_MAX 16 /* of groups: there may be little stack left (js/stack_guard.h) */

struct parser {
    struct arena *arena;
    const char *at, *end;
    int depth;
    bool ignores_case, multi_line, dot_is_all;
    bool failed;
};

static struct rx_node *parse_alternatives(struct parser *p);

static struct rx_node *fail(struct parser *p) {
    p->failed = true;
    p->at = p->end;
    return NULL;
}

static struct rx_node *node_new(struct parser *p, enum rx_kind kind) {
    struct rx_node *n = arena_alloc(p->arena, sizeof *n);
    *n = (struct rx_node){.kind = kind};
    return n;
}

static bool has(const struct parser *p, const char *word) {
    size_t n = strlen(word);
    return (size_t)(p->end - p->at) >= n && memcmp(p->at, word, n) == 0;
}

static bool skip(struct parser *p, const char *word) {
    if (!has(p, word))
        return false;
    p->at += strlen(word);
    return true;
}

static uint32_t next_rune(struct parser *p) {
    uint32_t r;
    p->at += utf8_decode(slice_from(p->at, (size_t)(p->end - p->at)), &r);
    return r == UTF8_INVALID ? 0xfffd : r;
}

/* ---- sets ---- */

struct ranges {
    VEC(struct rx_range) v;
};

static void add(struct ranges *r, uint32_t from, uint32_t to) {
    vec_push(&r->v, (struct rx_range){from, to});
}

static struct rx_node *set_node(struct parser *p, struct ranges *r, bool is_negated) {
    struct rx_node *n = node_new(p, RX_SET);
    n->set.n = r->v.len;
    n->set.ranges = arena_alloc(p->arena, (r->v.len + 1) * sizeof *r->v.ptr);
    if (r->v.len)
        memcpy(n->set.ranges, r->v.ptr, r->v.len * sizeof *r->v.ptr);
    n->set.is_negated = is_negated;
    n->set.ignores_case = p->ignores_case;
    vec_release(&r->v);
    return n;
}

static struct rx_node *rune_node(struct parser *p, uint32_t rune) {
    struct ranges r = {0};
    add(&r, rune, rune);
    return set_node(p, &r, false);
}

struct named_class {
    const char *name;
    struct rx_range ranges[4];
    size_t n;
};

static const struct named_class letter_classes[] = {
    {"d", {{'0', '9'}}, 1},
    {"s", {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}, 3},
    {"w", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, 4},
};

static const struct named_class posix_classes[] = {
    {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}, 3},
    {"alpha", {{'A', 'Z'}, {'a', 'z'}}, 2},
    {"ascii", {{0, 0x7f}}, 1},
    {"blank", {{'\t', '\t'}, {' ', ' '}}, 2},
    {"cntrl", {{0, 0x1f}, {0x7f, 0x7f}}, 2},
    {"digit", {{'0', '9'}}, 1},
    {"graph", {{'!', '~'}}, 1},
    {"lower", {{'a', 'z'}}, 1},
    {"print", {{' ', '~'}}, 1},
    {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}, 4},
    {"space", {{'\t', '\r'}, {' ', ' '}}, 2},
    {"upper", {{'A', 'Z'}}, 1},
    {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, 4},
    {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}, 3},
};

static void add_class(struct ranges *r, const struct named_class *c, bool is_negated) {
    uint32_t from = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (!is_negated)
            add(r, c->ranges[i].from, c->ranges[i].to);
        else if (c->ranges[i].from > from)
            add(r, from, c->ranges[i].from - 1);
        from = c->ranges[i].to + 1;
    }
    if (is_negated)
        add(r, from, 0x10ffff);
}

/* \d \D \s \S \w \W at the cursor. */
static bool add_letter_class(struct parser *p, struct ranges *r) {
    if (p->end - p->at < 2 || p->at[0] != '\\')
        return false;
    for (size_t i = 0; i < countof(letter_classes); i++) {
        char lower = letter_classes[i].name[0];
        if (p->at[1] == lower || p->at[1] == lower - 32) {
            add_class(r, &letter_classes[i], p->at[1] != lower);
            p->at += 2;
            return true;
        }
    }
    return false;
}

/* Behind \x: two digits, or any number in braces. */
static uint32_t parse_hex(struct parser *p) {
    bool braces = skip(p, "{");
    uint32_t v = 0;
    int n = 0;
    for (; p->at < p->end && hex_value(*p->at) >= 0 && v <= 0x10ffff && (braces || n < 2); n++)
        v = v * 16 + (uint32_t)hex_value(*p->at++);
    if (v > 0x10ffff || n < (braces ? 1 : 2) || (braces && !skip(p, "}")))
        fail(p);
    return v;
}

static uint32_t parse_octal(struct parser *p, char first) {
    uint32_t v = (uint32_t)(first - '0');
    for (int n = 0; n < 2 && p->at < p->end && *p->at >= '0' && *p->at <= '7'; n++)
        v = v * 8 + (uint32_t)(*p->at++ - '0');
    return v;
}

/* One rune behind a backslash. */
static uint32_t parse_escape(struct parser *p) {
    static const char letters[] = "aftnrv", values[] = "\a\f\t\n\r\v";
    if (p->at == p->end) {
        fail(p);
        return 0;
    }
    char c = *p->at;
    const char *known = c ? strchr(letters, c) : NULL;
    if (known) {
        p->at++;
        return (uint32_t)values[known - letters];
    }
    if (c == 'x') {
        p->at++;
        return parse_hex(p);
    }
    bool is_octal = c == '0' || (c >= '1' && c <= '7' && p->end - p->at > 1 && p->at[1] >= '0' &&
                                 p->at[1] <= '7');
    if (is_octal) {
        p->at++;
        return parse_octal(p, c);
    }
    bool is_word = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
    if (is_word || (unsigned char)c >= 0x80) {
        fail(p);
        return 0;
    }
    p->at++;
    return (uint32_t)c;
}

static bool add_posix_class(struct parser *p, struct ranges *r) {
    if (!has(p, "[:"))
        return false;
    const char *name = p->at + 2;
    bool is_negated = name < p->end && *name == '^';
    name += is_negated;
    for (size_t i = 0; i < countof(posix_classes); i++) {
        size_t n = strlen(posix_classes[i].name);
        if ((size_t)(p->end - name) >= n + 2 && memcmp(name, posix_classes[i].name, n) == 0 &&
            memcmp(name + n, ":]", 2) == 0) {
            add_class(r, &posix_classes[i], is_negated);
            p->at = name + n + 2;
            return true;
        }
    }
    return false;
}

static uint32_t class_rune(struct parser *p) {
    if (p->at == p->end) {
        fail(p);
        return 0;
    }
    return skip(p, "\\") ? parse_escape(p) : next_rune(p);
}

/* Behind "[". */
static struct rx_node *parse_class(struct parser *p) {
    struct ranges r = {0};
    bool is_negated = skip(p, "^");
    for (bool first = true; !p->failed && (first || !has(p, "]")); first = false) {
        if (add_posix_class(p, &r) || add_letter_class(p, &r))
            continue;
        uint32_t from = class_rune(p), to = from;
        if (has(p, "-") && p->end - p->at > 1 && p->at[1] != ']') {
            p->at++;
            to = class_rune(p);
        }
        if (to < from)
            fail(p);
        add(&r, from, to);
    }
    if (!skip(p, "]"))
        fail(p);
    return set_node(p, &r, is_negated);
}

/* ---- groups, repetition ---- */

static struct rx_node *assertion(struct parser *p, enum rx_assert kind) {
    struct rx_node *n = node_new(p, RX_ASSERT);
    n->assert_kind = kind;
    return n;
}

static bool set_flag(struct parser *p, char c, bool on) {
    switch (c) {
    case 'i':
        p->ignores_case = on;
        return true;
    case 'm':
        p->multi_line = on;
        return true;
    case 's':
        p->dot_is_all = on;
        return true;
    case 'U':
        return true;
    }
    return false;
}

/* Behind "(?": flags for the rest of the group around it, or for a group of their own. */
static bool parse_flags(struct parser *p, bool *is_group) {
    bool on = true;
    for (; p->at < p->end; p->at++) {
        char c = *p->at;
        if (c == ':' || c == ')') {
            *is_group = c == ':';
            p->at++;
            return true;
        }
        if (c == '-' && on)
            on = false;
        else if (!set_flag(p, c, on))
            return false;
    }
    return false;
}

static bool skip_group_name(struct parser *p) {
    if (!skip(p, "P<") && !skip(p, "<"))
        return false;
    const char *from = p->at;
    while (p->at < p->end && (hex_value(*p->at) >= 0 || *p->at == '_' ||
                              ((*p->at | 32) >= 'a' && (*p->at | 32) <= 'z')))
        p->at++;
    return p->at > from && skip(p, ">");
}

/* Behind "(". */
static struct rx_node *parse_group(struct parser *p) {
    struct parser outer = *p;
    if (++p->depth > DEPTH_MAX)
        return fail(p);
    if (skip(p, "?") && !skip_group_name(p)) {
        bool is_group = false;
        if (!parse_flags(p, &is_group))
            return fail(p);
        if (!is_group) {
            p->depth--;
            return node_new(p, RX_EMPTY);
        }
    }
    struct rx_node *n = parse_alternatives(p);
    if (!skip(p, ")"))
        return fail(p);
    p->depth--;
    p->ignores_case = outer.ignores_case;
    p->multi_line = outer.multi_line;
    p->dot_is_all = outer.dot_is_all;
    return n;
}

static struct rx_node *parse_dot(struct parser *p) {
    struct ranges r = {0};
    if (!p->dot_is_all)
        add(&r, '\n', '\n');
    return set_node(p, &r, true);
}

/* Behind a backslash outside a class. */
static struct rx_node *parse_backslash(struct parser *p) {
    if (skip(p, "b"))
        return assertion(p, RX_WORD);
    if (skip(p, "B"))
        return assertion(p, RX_NO_WORD);
    if (skip(p, "A"))
        return assertion(p, RX_TEXT_BEGIN);
    if (skip(p, "z"))
        return assertion(p, RX_TEXT_END);
    uint32_t rune = parse_escape(p);
    return p->failed ? NULL : rune_node(p, rune);
}

static struct rx_node *parse_atom(struct parser *p) {
    struct ranges r = {0};
    if (add_letter_class(p, &r))
        return set_node(p, &r, false);
    uint32_t c = next_rune(p);
    switch (c) {
    case '(':
        return parse_group(p);
    case '[':
        return parse_class(p);
    case '.':
        return parse_dot(p);
    case '^':
        return assertion(p, p->multi_line ? RX_LINE_BEGIN : RX_TEXT_BEGIN);
    case '$':
        return assertion(p, p->multi_line ? RX_LINE_END : RX_TEXT_END);
    case '\\':
        return parse_backslash(p);
    case '*':
    case '+':
    case '?':
        return fail(p);
    }
    return rune_node(p, c);
}

static bool parse_number(const char **at, const char *end, int *out) {
    int v = 0;
    const char *from = *at;
    for (; *at < end && **at >= '0' && **at <= '9' && v <= RX_REPEAT_MAX; (*at)++)
        v = v * 10 + (**at - '0');
    *out = v;
    return *at > from;
}

/* {n}, {n,} and {n,m}; anything else is no repetition but text. */
static bool parse_braces(struct parser *p, int *min, int *max) {
    const char *at = p->at + 1;
    if (!has(p, "{") || !parse_number(&at, p->end, min))
        return false;
    *max = *min;
    if (at < p->end && *at == ',') {
        at++;
        if (!parse_number(&at, p->end, max))
            *max = -1;
    }
    if (at == p->end || *at != '}')
        return false;
    p->at = at + 1;
    if (*min > RX_REPEAT_MAX || *max > RX_REPEAT_MAX || (*max >= 0 && *max < *min))
        fail(p);
    return true;
}

static bool parse_repetition(struct parser *p, int *min, int *max) {
    if (parse_braces(p, min, max))
        return true;
    *min = has(p, "+") ? 1 : 0;
    *max = has(p, "?") ? 1 : -1;
    return skip(p, "*") || skip(p, "+") || skip(p, "?");
}

static struct rx_node *parse_term(struct parser *p) {
    struct rx_node *n = parse_atom(p);
    int min, max;
    if (n && parse_repetition(p, &min, &max)) {
        struct rx_node *r = node_new(p, RX_REPEAT);
        r->a = n;
        r->min = min;
        r->max = max;
        n = r;
        skip(p, "?"); /* lazy: the same matches */
        if (parse_repetition(p, &min, &max))
            return fail(p);
    }
    return n;
}

/* A list: a is an item, b the rest. */
static struct rx_node *parse_sequence(struct parser *p) {
    struct rx_node *first = NULL, **tail = &first;
    while (!p->failed && p->at < p->end && *p->at != '|' && *p->at != ')') {
        struct rx_node *item = node_new(p, RX_CAT);
        item->a = parse_term(p);
        *tail = item;
        tail = &item->b;
    }
    *tail = node_new(p, RX_EMPTY);
    return first;
}

/* The same: a is a branch, b the others. */
static struct rx_node *parse_alternatives(struct parser *p) {
    struct rx_node *first = NULL, **tail = &first;
    for (;;) {
        struct rx_node *branch = parse_sequence(p);
        if (p->failed || !skip(p, "|")) {
            *tail = branch;
            return first;
        }
        struct rx_node *alt = node_new(p, RX_ALT);
        alt->a = branch;
        *tail = alt;
        tail = &alt->b;
    }
}

struct rx_node *rx_parse(struct arena *arena, struct slice text) {
    struct parser p = {.arena = arena, .at = text.ptr, .end = text.ptr + text.len};
    struct rx_node *n = parse_alternatives(&p);
    return p.failed || p.at < p.end ? NULL : n;
}
