#include "html/query.h"

#include <stdlib.h>

void html_nodes_release(struct html_nodes *v) {
    vec_release(v);
}

int64_t html_nodes_index(const struct html_nodes *v, const struct html_node *n) {
    for (size_t i = 0; i < v->len; i++) {
        if (v->ptr[i] == n)
            return (int64_t)i;
    }
    return -1;
}

bool html_nodes_have(const struct html_nodes *v, const struct html_node *n) {
    return html_nodes_index(v, n) >= 0;
}

void html_nodes_add(struct html_nodes *out, const struct html_node *n) {
    vec_push(out, n);
}

/* ---- sets without double members ---- */

/* Members of the set under construction bear its number: membership needs no table. Documents
 * belong to a thread, and so do the numbers. */
static uint64_t new_mark(void) {
    static _Thread_local uint64_t last;
    return ++last;
}

static void mark_node(const struct html_node *n, uint64_t mark) {
    ((struct html_node *)(uintptr_t)n)->mark = mark;
}

static void mark_nodes(const struct html_nodes *v, uint64_t mark) {
    for (size_t i = 0; i < v->len; i++)
        mark_node(v->ptr[i], mark);
}

static void add_once(struct html_nodes *out, const struct html_node *n, uint64_t mark) {
    if (n->mark == mark)
        return;
    mark_node(n, mark);
    html_nodes_add(out, n);
}

/* ---- down ---- */

/* goquery looks into the children that are elements, cascadia then at everything in them. */
static void find_below(struct html_nodes *out, const struct html_node *top,
                       const struct html_selector *s, bool first_only, uint64_t mark) {
    const struct html_node *n = top->first;
    while (n) {
        if (n->parent == top && n->type != HTML_ELEMENT) {
            n = n->next;
            continue;
        }
        if (html_selector_match(s, n)) {
            add_once(out, n, mark);
            if (first_only)
                return;
        }
        n = html_next(n, top);
    }
}

void html_find(struct html_nodes *out, const struct html_nodes *in, const struct html_selector *s,
               bool first_only) {
    uint64_t mark = new_mark();
    for (size_t i = 0; s && i < in->len; i++)
        find_below(out, in->ptr[i], s, first_only, mark);
}

static bool has_marked_ancestor(const struct html_node *n, uint64_t mark) {
    for (n = n->parent; n; n = n->parent) {
        if (n->mark == mark)
            return true;
    }
    return false;
}

void html_find_nodes(struct html_nodes *out, const struct html_nodes *in,
                     const struct html_nodes *nodes) {
    struct html_nodes found = {0};
    uint64_t mark = new_mark();
    mark_nodes(in, mark);
    for (size_t i = 0; i < nodes->len; i++) {
        if (has_marked_ancestor(nodes->ptr[i], mark))
            html_nodes_add(&found, nodes->ptr[i]);
    }
    mark = new_mark();
    for (size_t i = 0; i < found.len; i++)
        add_once(out, found.ptr[i], mark);
    html_nodes_release(&found);
}

void html_children(struct html_nodes *out, const struct html_nodes *in, bool with_text) {
    uint64_t mark = new_mark();
    for (size_t i = 0; i < in->len; i++) {
        for (const struct html_node *c = in->ptr[i]->first; c; c = c->next) {
            if (with_text || c->type == HTML_ELEMENT)
                add_once(out, c, mark);
        }
    }
}

/* ---- up ---- */

static bool is_reached(const struct html_until *u, const struct html_node *n) {
    if (!u)
        return false;
    return u->nodes ? html_nodes_have(u->nodes, n) : html_selector_match(u->selector, n);
}

void html_parent(struct html_nodes *out, const struct html_nodes *in) {
    uint64_t mark = new_mark();
    for (size_t i = 0; i < in->len; i++) {
        const struct html_node *p = in->ptr[i]->parent;
        if (p && p->type == HTML_ELEMENT)
            add_once(out, p, mark);
    }
}

void html_parents(struct html_nodes *out, const struct html_nodes *in,
                  const struct html_until *until) {
    uint64_t mark = new_mark();
    for (size_t i = 0; i < in->len; i++) {
        const struct html_node *p = in->ptr[i]->parent;
        for (; p && !is_reached(until, p); p = p->parent) {
            if (p->type == HTML_ELEMENT)
                add_once(out, p, mark);
        }
    }
}

void html_closest(struct html_nodes *out, const struct html_nodes *in,
                  const struct html_selector *s) {
    uint64_t mark = new_mark();
    for (size_t i = 0; i < in->len; i++) {
        const struct html_node *n = in->ptr[i];
        while (n && !html_selector_match(s, n))
            n = n->parent;
        if (n)
            add_once(out, n, mark);
    }
}

void html_closest_nodes(struct html_nodes *out, const struct html_nodes *in,
                        const struct html_nodes *nodes) {
    struct html_nodes found = {0};
    uint64_t mark = new_mark();
    mark_nodes(nodes, mark);
    for (size_t i = 0; i < in->len; i++) {
        const struct html_node *n = in->ptr[i];
        while (n && n->mark != mark)
            n = n->parent;
        if (n)
            html_nodes_add(&found, n);
    }
    mark = new_mark();
    for (size_t i = 0; i < found.len; i++)
        add_once(out, found.ptr[i], mark);
    html_nodes_release(&found);
}

/* ---- sideways ---- */

static const struct html_node *step(const struct html_node *n, enum html_direction dir) {
    do
        n = dir == HTML_NEXT ? n->next : n->prev;
    while (n && n->type != HTML_ELEMENT);
    return n;
}

void html_adjacent(struct html_nodes *out, const struct html_nodes *in, enum html_direction dir) {
    uint64_t mark = new_mark();
    for (size_t i = 0; i < in->len; i++) {
        const struct html_node *n = step(in->ptr[i], dir);
        if (n)
            add_once(out, n, mark);
    }
}

void html_adjacent_all(struct html_nodes *out, const struct html_nodes *in, enum html_direction dir,
                       const struct html_until *until) {
    uint64_t mark = new_mark();
    for (size_t i = 0; i < in->len; i++) {
        const struct html_node *n = step(in->ptr[i], dir);
        for (; n && !is_reached(until, n); n = step(n, dir))
            add_once(out, n, mark);
    }
}

void html_siblings(struct html_nodes *out, const struct html_nodes *in) {
    uint64_t mark = new_mark();
    for (size_t i = 0; i < in->len; i++) {
        const struct html_node *self = in->ptr[i], *n = self->parent ? self->parent->first : NULL;
        for (; n; n = n->next) {
            if (n != self && n->type == HTML_ELEMENT)
                add_once(out, n, mark);
        }
    }
}

/* ---- parts of a set ---- */

static bool has_match_below(const struct html_node *n, const struct html_selector *s) {
    struct html_nodes found = {0};
    find_below(&found, n, s, true, new_mark());
    bool has = found.len > 0;
    html_nodes_release(&found);
    return has;
}

void html_having(struct html_nodes *out, const struct html_nodes *in,
                 const struct html_selector *s) {
    for (size_t i = 0; s && i < in->len; i++) {
        if (has_match_below(in->ptr[i], s))
            html_nodes_add(out, in->ptr[i]);
    }
}

void html_having_nodes(struct html_nodes *out, const struct html_nodes *in,
                       const struct html_nodes *nodes) {
    uint64_t mark = new_mark();
    for (size_t i = 0; i < nodes->len; i++) {
        for (const struct html_node *p = nodes->ptr[i]->parent; p && p->mark != mark; p = p->parent)
            mark_node(p, mark);
    }
    for (size_t i = 0; i < in->len; i++) {
        if (in->ptr[i]->mark == mark)
            html_nodes_add(out, in->ptr[i]);
    }
}

void html_filter(struct html_nodes *out, const struct html_nodes *in, const struct html_selector *s,
                 bool keep) {
    for (size_t i = 0; i < in->len; i++) {
        if (html_selector_match(s, in->ptr[i]) == keep)
            html_nodes_add(out, in->ptr[i]);
    }
}

void html_filter_nodes(struct html_nodes *out, const struct html_nodes *in,
                       const struct html_nodes *nodes, bool keep) {
    uint64_t mark = new_mark();
    mark_nodes(nodes, mark);
    for (size_t i = 0; i < in->len; i++) {
        if ((in->ptr[i]->mark == mark) == keep)
            html_nodes_add(out, in->ptr[i]);
    }
}

void html_union(struct html_nodes *out, const struct html_nodes *in,
                const struct html_nodes *nodes) {
    uint64_t mark = new_mark();
    for (size_t i = 0; i < in->len; i++)
        html_nodes_add(out, in->ptr[i]);
    mark_nodes(in, mark);
    for (size_t i = 0; i < nodes->len; i++)
        add_once(out, nodes->ptr[i], mark);
}
