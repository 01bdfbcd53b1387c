/* HTML documents as a tree of nodes: what Go's html.Parse makes of a text, as far as k6 scripts can
 * see it. A document and its nodes live in one arena and are never changed after the parse; whoever
 * keeps a node keeps a reference to its document. Not thread-safe, not even the reference count.
 *
 *     struct html_doc *doc;
 *     if (html_parse(SLICE("<p>hi</p>"), &doc, &err)) …
 *     for (const struct html_node *n = &doc->root; n; n = html_next(n, &doc->root)) …
 *     html_doc_unref(doc);
 *
 * No function here recurses: a tree may be as deep as the peer made it. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum html_node_type { HTML_DOCUMENT, HTML_ELEMENT, HTML_TEXT, HTML_COMMENT, HTML_DOCTYPE };
enum html_namespace { HTML_NS_HTML, HTML_NS_SVG, HTML_NS_MATH };

/* Without its prefix: xlink:href of an SVG element is {"href", …, "xlink"}. */
struct html_attr {
    struct slice name, value;
    const char *prefix; /* "" */
};

struct html_node {
    struct html_node *parent, *first, *last, *prev, *next;
    struct slice data; /* tag name (lower case, but for SVG's own spellings), text, comment, name of
                          the doctype */
    struct html_attr *attrs; /* a doctype's are "public" and "system" */
    uint64_t mark;           /* of the set that was built last (query.c) */
    uint32_t n_attrs;
    uint8_t type, ns;
};

struct html_doc {
    uint32_t refs;
    struct arena arena;
    struct html_node root; /* HTML_DOCUMENT */
};

/* 0 with a reference for the caller in *out; KE_TOO_LARGE (source beyond HTML_SOURCE_MAX, or a tree
 * out of all proportion to it) and KE_INVALID (nested deeper than Go's parser of k6 v2 allows: its
 * words) with *err. */
#define HTML_SOURCE_MAX ((size_t)64 << 20)
int html_parse(struct slice source, struct html_doc **out, struct error *err);
struct html_doc *html_doc_ref(struct html_doc *doc);
void html_doc_unref(struct html_doc *doc); /* NULL is fine */
/* The document that a node belongs to. */
struct html_doc *html_doc_of(const struct html_node *n);

/* The node behind n in document order within top's subtree, NULL at its end. */
const struct html_node *html_next(const struct html_node *n, const struct html_node *top);
/* The same without n's descendants. */
const struct html_node *html_next_skipping(const struct html_node *n, const struct html_node *top);
/* True when inner is a descendant of outer; a node does not contain itself. */
bool html_contains(const struct html_node *outer, const struct html_node *inner);

bool html_is_element(const struct html_node *n, struct slice name);
/* The first attribute of that name, whatever its prefix; NULL when there is none. */
const struct html_attr *html_attr_find(const struct html_node *n, struct slice name);
/* Its value; an absent one has ptr NULL. */
struct slice html_attr_value(const struct html_node *n, struct slice name);

/* The text of all text nodes of the subtree. */
void html_text(struct buf *out, const struct html_node *n);
/* HTML as Go's html.Render writes it: the node, or its children (innerHTML). KE_INVALID where Go
 * refuses: a void element with children, as foreign content can have. */
int html_render(struct buf *out, const struct html_node *n);
int html_render_children(struct buf *out, const struct html_node *n);
/* "#text", "#document", "#comment"; elements and doctypes have their own name. */
struct slice html_node_name(const struct html_node *n);
