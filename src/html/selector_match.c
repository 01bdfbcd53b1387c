#include "base/check.h"
#include "html/selector_internal.h"
#include "html/text.h"

static bool match_group(const struct sel_group *g, const struct html_node *n);

/* ---- attributes ---- */

static bool equal(struct slice a, struct slice b, bool ignores_case) {
    return ignores_case ? html_equal_fold(a, b) : slice_eq(a, b);
}

static bool list_has(struct slice list, struct slice word, bool ignores_case) {
    size_t from = 0;
    for (size_t i = 0; i <= list.len; i++) {
        if (i < list.len && !strchr(" \t\r\n\f", list.ptr[i]))
            continue;
        /* What is behind a final separator is no item, unlike what is between two. */
        if ((i < list.len || from < i) &&
            equal(slice_from(list.ptr + from, i - from), word, ignores_case))
            return true;
        from = i + 1;
    }
    return false;
}

static bool starts_with_dash(struct slice s, const struct sel_simple *t) {
    return s.len > t->value.len && s.ptr[t->value.len] == '-' &&
           equal(slice_from(s.ptr, t->value.len), t->value, t->ignores_case);
}

static bool match_part(char op, struct slice s, struct slice part) {
    if (op == '^')
        return slice_starts(s, part);
    if (op == '$')
        return slice_ends(s, part);
    return part.len == 0 || (s.len && memmem(s.ptr, s.len, part.ptr, part.len));
}

static bool match_part_fold(char op, struct slice s, struct slice part) {
    struct buf a, b;
    buf_init(&a, BUF_NO_CAP);
    buf_init(&b, BUF_NO_CAP);
    html_lower(&a, s);
    html_lower(&b, part);
    bool is_match = match_part(op, buf_slice(&a), buf_slice(&b));
    buf_release(&a);
    buf_release(&b);
    return is_match;
}

static bool match_value(const struct sel_simple *t, struct slice s) {
    switch (t->op) {
    case 0:
        return true;
    case '=':
    case '!':
        return equal(s, t->value, t->ignores_case);
    case '~':
        return list_has(s, t->value, t->ignores_case);
    case '|':
        return equal(s, t->value, t->ignores_case) || starts_with_dash(s, t);
    case '#':
        return html_regex_match(t->regex, s);
    }
    if (html_is_blank(s))
        return false;
    return t->ignores_case ? match_part_fold(t->op, s, t->value) : match_part(t->op, s, t->value);
}

static bool match_attr(const struct sel_simple *t, const struct html_node *n) {
    bool found = false;
    for (uint32_t i = 0; i < n->n_attrs && !found; i++)
        found = slice_eq(n->attrs[i].name, t->name) && match_value(t, n->attrs[i].value);
    return found != (t->op == '!');
}

static bool has_attr(const struct html_node *n, struct slice name) {
    return html_attr_find(n, name) != NULL;
}

/* ---- text ---- */

static void own_text(struct buf *out, const struct html_node *n) {
    for (const struct html_node *c = n->first; c; c = c->next) {
        if (c->type == HTML_TEXT)
            buf_append_slice(out, c->data);
    }
}

/* A document has no text of its own, as cascadia sees it. */
static bool match_text(const struct sel_simple *t, const struct html_node *n) {
    struct buf text, lower;
    buf_init(&text, BUF_NO_CAP);
    buf_init(&lower, BUF_NO_CAP);
    bool is_match;
    if (t->kind == SEL_CONTAINS_OWN || t->kind == SEL_MATCHES_OWN)
        own_text(&text, n);
    else if (n->type == HTML_ELEMENT || n->type == HTML_TEXT)
        html_text(&text, n);
    if (t->regex) {
        is_match = html_regex_match(t->regex, buf_slice(&text));
    } else {
        html_lower(&lower, buf_slice(&text));
        is_match = match_part('*', buf_slice(&lower), t->value);
    }
    buf_release(&text);
    buf_release(&lower);
    return is_match;
}

/* ---- position among siblings ---- */

static bool counts(const struct html_node *c, const struct html_node *n, bool is_of_type) {
    return c->type == HTML_ELEMENT && (!is_of_type || slice_eq(c->data, n->data));
}

/* 1 for the first. */
static int64_t sibling_index(struct sel_simple *t, const struct html_node *n) {
    int64_t index = 1;
    const struct html_node *c = n->prev;
    bool has_memo =
        t->memo.node && t->memo.node->parent == n->parent && counts(t->memo.node, n, t->is_of_type);
    for (; c; c = c->prev) {
        if (has_memo && c == t->memo.node) {
            index += t->memo.index;
            break;
        }
        index += counts(c, n, t->is_of_type);
    }
    t->memo.node = n;
    t->memo.index = index;
    return index;
}

static int64_t sibling_total(struct sel_simple *t, const struct html_node *n) {
    if (t->memo.parent == n->parent && (!t->is_of_type || slice_eq(t->memo.name, n->data)))
        return t->memo.total;
    t->memo.parent = n->parent;
    t->memo.name = n->data;
    t->memo.total = 0;
    for (const struct html_node *c = n->parent->first; c; c = c->next)
        t->memo.total += counts(c, n, t->is_of_type);
    return t->memo.total;
}

static bool match_nth(struct sel_simple *t, const struct html_node *n) {
    int64_t index = sibling_index(t, n);
    if (t->is_last)
        index = sibling_total(t, n) - index + 1;
    index -= t->b;
    return t->a == 0 ? index == 0 : index % t->a == 0 && index / t->a >= 0;
}

static bool match_only(const struct sel_simple *t, const struct html_node *n) {
    for (const struct html_node *c = n->parent->first; c; c = c->next) {
        if (c != n && counts(c, n, t->is_of_type))
            return false;
    }
    return true;
}

/* ---- states of forms, links, languages ---- */

static bool is_one_of(const struct html_node *n, const struct slice *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (slice_eq(n->data, names[i]))
            return true;
    }
    return false;
}

static const struct slice links[] = {SLICE("a"), SLICE("area"), SLICE("link")};
static const struct slice inputs[] = {SLICE("input"), SLICE("select"), SLICE("textarea"),
                                      SLICE("button")};
static const struct slice containers[] = {SLICE("optgroup"), SLICE("menuitem"), SLICE("fieldset")};
static const struct slice controls[] = {SLICE("button"), SLICE("input"), SLICE("select"),
                                        SLICE("textarea"), SLICE("option")};

static bool is_behind_legend(const struct html_node *n) {
    for (n = n->prev; n; n = n->prev) {
        if (html_is_element(n, SLICE("legend")))
            return true;
    }
    return false;
}

static bool is_in_disabled_fieldset(const struct html_node *n) {
    for (; n->parent; n = n->parent) {
        if (html_is_element(n->parent, SLICE("fieldset")) &&
            has_attr(n->parent, SLICE("disabled")) &&
            (!html_is_element(n, SLICE("legend")) || is_behind_legend(n)))
            return true;
    }
    return false;
}

static bool is_link(const struct html_node *n) {
    return is_one_of(n, links, countof(links)) && has_attr(n, SLICE("href"));
}

static bool is_disabled(const struct html_node *n) {
    if (is_one_of(n, containers, countof(containers)))
        return has_attr(n, SLICE("disabled"));
    return is_one_of(n, controls, countof(controls)) &&
           (has_attr(n, SLICE("disabled")) || is_in_disabled_fieldset(n));
}

static bool is_enabled(const struct html_node *n) {
    if (is_one_of(n, links, countof(links)))
        return has_attr(n, SLICE("href"));
    return (is_one_of(n, containers, countof(containers)) ||
            is_one_of(n, controls, countof(controls))) &&
           !is_disabled(n);
}

static bool is_checked(const struct html_node *n) {
    if (html_is_element(n, SLICE("option")))
        return has_attr(n, SLICE("selected"));
    if (!html_is_element(n, SLICE("input")) && !html_is_element(n, SLICE("menuitem")))
        return false;
    struct slice type = html_attr_value(n, SLICE("type"));
    return has_attr(n, SLICE("checked")) &&
           (slice_ieq(type, SLICE("checkbox")) || slice_ieq(type, SLICE("radio")));
}

static bool is_empty(const struct html_node *n) {
    for (const struct html_node *c = n->first; c; c = c->next) {
        if (c->type == HTML_ELEMENT || (c->type == HTML_TEXT && !html_is_blank(c->data)))
            return false;
    }
    return true;
}

static bool is_in_language(const struct html_node *n, struct slice lang) {
    for (; n; n = n->parent) {
        for (uint32_t i = 0; i < n->n_attrs; i++) {
            struct slice v = n->attrs[i].value;
            if (n->type == HTML_ELEMENT && slice_eq(n->attrs[i].name, SLICE("lang")) &&
                slice_starts(v, lang) && (v.len == lang.len || v.ptr[lang.len] == '-'))
                return true;
        }
    }
    return false;
}

static bool has_match(const struct sel_simple *t, const struct html_node *n) {
    for (const struct html_node *c = n->first; c;
         c = t->kind == SEL_HAS ? html_next(c, n) : c->next) {
        if (match_group(t->group, c))
            return true;
    }
    return false;
}

/* ---- tests, compounds, combinators ---- */

static bool match_element(struct sel_simple *t, const struct html_node *n) {
    switch (t->kind) {
    case SEL_TAG:
        return slice_eq(n->data, t->name);
    case SEL_ID:
        return slice_eq(html_attr_value(n, SLICE("id")), t->value);
    case SEL_CLASS:
        return list_has(html_attr_value(n, SLICE("class")), t->value, false);
    case SEL_ATTR:
        return match_attr(t, n);
    case SEL_NOT:
        return !match_group(t->group, n);
    case SEL_HAS:
    case SEL_HAS_CHILD:
        return has_match(t, n);
    case SEL_NTH:
        return match_nth(t, n);
    case SEL_ONLY:
        return match_only(t, n);
    case SEL_INPUT:
        return is_one_of(n, inputs, countof(inputs));
    case SEL_EMPTY:
        return is_empty(n);
    case SEL_ROOT:
        return n->parent->type == HTML_DOCUMENT;
    case SEL_LINK:
        return is_link(n);
    case SEL_ENABLED:
        return is_enabled(n);
    case SEL_DISABLED:
        return is_disabled(n);
    case SEL_CHECKED:
        return is_checked(n);
    case SEL_CONTAINS:
    case SEL_CONTAINS_OWN:
    case SEL_MATCHES:
    case SEL_MATCHES_OWN:
    case SEL_LANG:
    case SEL_NEVER:
        break;
    }
    return false;
}

/* Those of text and language take any node. */
static bool match_test(struct sel_simple *t, const struct html_node *n) {
    if (t->kind >= SEL_CONTAINS && t->kind <= SEL_MATCHES_OWN)
        return match_text(t, n);
    if (t->kind == SEL_LANG)
        return is_in_language(n, t->value);
    return n->type == HTML_ELEMENT && match_element(t, n);
}

static bool match_compound(const struct sel_compound *c, const struct html_node *n) {
    if (c->n_tests == 0)
        return n->type == HTML_ELEMENT;
    for (size_t i = 0; i < c->n_tests; i++) {
        if (!match_test(&c->tests[i], n))
            return false;
    }
    return true;
}

/* How far a failure reaches: without it, a selector of many compounds would try every choice of
 * ancestors. */
enum verdict { MATCH, NO_MATCH, NO_MATCH_OF_SIBLINGS, NO_MATCH_AT_ALL };

static enum verdict match_from(const struct sel_complex *s, size_t i, const struct html_node *n);

static enum verdict match_ancestors(const struct sel_complex *s, size_t i,
                                    const struct html_node *n) {
    for (n = n->parent; n; n = n->parent) {
        enum verdict v = match_from(s, i, n);
        if (v == MATCH || v == NO_MATCH_AT_ALL)
            return v;
    }
    return NO_MATCH_AT_ALL;
}

static enum verdict match_siblings(const struct sel_complex *s, size_t i,
                                   const struct html_node *n) {
    for (n = n->prev; n; n = n->prev) {
        enum verdict v = match_from(s, i, n);
        if (v != NO_MATCH)
            return v;
    }
    return NO_MATCH_OF_SIBLINGS;
}

static enum verdict match_from(const struct sel_complex *s, size_t i, const struct html_node *n) {
    if (!match_compound(&s->compounds[i], n))
        return NO_MATCH;
    switch (s->compounds[i].combinator) {
    case ' ':
        return match_ancestors(s, i - 1, n);
    case '>':
        return n->parent ? match_from(s, i - 1, n->parent) : NO_MATCH_AT_ALL;
    case '~':
        return match_siblings(s, i - 1, n);
    case '+':
        do
            n = n->prev;
        while (n && (n->type == HTML_TEXT || n->type == HTML_COMMENT));
        return n ? match_from(s, i - 1, n) : NO_MATCH_OF_SIBLINGS;
    }
    return MATCH;
}

static bool match_group(const struct sel_group *g, const struct html_node *n) {
    for (size_t i = 0; i < g->n_items; i++) {
        if (match_from(&g->items[i], g->items[i].n_compounds - 1, n) == MATCH)
            return true;
    }
    return false;
}

bool html_selector_match(const struct html_selector *s, const struct html_node *n) {
    return s && match_group(&s->group, n);
}
