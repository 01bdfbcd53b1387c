/* Sets of nodes and the ways from one to another: what goquery's Selection does, without a script.
 * Each function appends to *out (which may hold something: html_nodes_release frees it) and keeps
 * the order in which goquery finds the nodes, each node once. Selectors may be NULL: they match
 * nothing. */
#pragma once

#include "base/vec.h"
#include "html/selector.h"

struct html_nodes {
    const struct html_node **ptr;
    size_t len, alloc;
};

enum html_direction { HTML_NEXT, HTML_PREV };

/* Where a walk over siblings or ancestors ends, before a node that matches. Without any, it goes on
 * to the end. */
struct html_until {
    const struct html_selector *selector;
    const struct html_nodes *nodes;
};

void html_nodes_release(struct html_nodes *v);
bool html_nodes_have(const struct html_nodes *v, const struct html_node *n);
/* Position of n, -1 when absent. */
int64_t html_nodes_index(const struct html_nodes *v, const struct html_node *n);
void html_nodes_add(struct html_nodes *out, const struct html_node *n);

/* Descendants; first_only ends at the first one of each node. */
void html_find(struct html_nodes *out, const struct html_nodes *in, const struct html_selector *s,
               bool first_only);
/* Those of nodes that are descendants of one of in. */
void html_find_nodes(struct html_nodes *out, const struct html_nodes *in,
                     const struct html_nodes *nodes);
void html_children(struct html_nodes *out, const struct html_nodes *in, bool with_text);
void html_parent(struct html_nodes *out, const struct html_nodes *in);
void html_parents(struct html_nodes *out, const struct html_nodes *in,
                  const struct html_until *until);
/* The next (or previous) element. */
void html_adjacent(struct html_nodes *out, const struct html_nodes *in, enum html_direction dir);
/* All of them, up to until. */
void html_adjacent_all(struct html_nodes *out, const struct html_nodes *in, enum html_direction dir,
                       const struct html_until *until);
void html_siblings(struct html_nodes *out, const struct html_nodes *in);
/* The node itself or the nearest ancestor: that matches, or that is in nodes. */
void html_closest(struct html_nodes *out, const struct html_nodes *in,
                  const struct html_selector *s);
void html_closest_nodes(struct html_nodes *out, const struct html_nodes *in,
                        const struct html_nodes *nodes);
/* Those with a descendant that matches, or that is in nodes. */
void html_having(struct html_nodes *out, const struct html_nodes *in,
                 const struct html_selector *s);
void html_having_nodes(struct html_nodes *out, const struct html_nodes *in,
                       const struct html_nodes *nodes);
/* Those that match (keep) or do not. */
void html_filter(struct html_nodes *out, const struct html_nodes *in, const struct html_selector *s,
                 bool keep);
void html_filter_nodes(struct html_nodes *out, const struct html_nodes *in,
                       const struct html_nodes *nodes, bool keep);
/* Both, those of nodes that are not in `in` behind it. */
void html_union(struct html_nodes *out, const struct html_nodes *in,
                const struct html_nodes *nodes);
