#include "html/dom.h"

#include <stdlib.h>

#include "base/check.h"

struct html_doc *html_doc_ref(struct html_doc *doc) {
    doc->refs++;
    return doc;
}

void html_doc_unref(struct html_doc *doc) {
    if (!doc || --doc->refs > 0)
        return;
    arena_release(&doc->arena);
    free(doc);
}

struct html_doc *html_doc_of(const struct html_node *n) {
    while (n->parent)
        n = n->parent;
    return container_of((struct html_node *)(uintptr_t)n, struct html_doc, root);
}

const struct html_node *html_next_skipping(const struct html_node *n, const struct html_node *top) {
    for (; n != top; n = n->parent) {
        if (n->next)
            return n->next;
    }
    return NULL;
}

const struct html_node *html_next(const struct html_node *n, const struct html_node *top) {
    return n->first ? n->first : html_next_skipping(n, top);
}

bool html_contains(const struct html_node *outer, const struct html_node *inner) {
    for (inner = inner->parent; inner; inner = inner->parent) {
        if (inner == outer)
            return true;
    }
    return false;
}

bool html_is_element(const struct html_node *n, struct slice name) {
    return n->type == HTML_ELEMENT && slice_eq(n->data, name);
}

const struct html_attr *html_attr_find(const struct html_node *n, struct slice name) {
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        if (slice_eq(n->attrs[i].name, name))
            return &n->attrs[i];
    }
    return NULL;
}

struct slice html_attr_value(const struct html_node *n, struct slice name) {
    const struct html_attr *a = html_attr_find(n, name);
    return a ? a->value : slice_from(NULL, 0);
}

void html_text(struct buf *out, const struct html_node *top) {
    for (const struct html_node *n = top; n; n = html_next(n, top)) {
        if (n->type == HTML_TEXT)
            buf_append_slice(out, n->data);
    }
}

struct slice html_node_name(const struct html_node *n) {
    switch ((enum html_node_type)n->type) {
    case HTML_TEXT:
        return SLICE("#text");
    case HTML_DOCUMENT:
        return SLICE("#document");
    case HTML_COMMENT:
        return SLICE("#comment");
    case HTML_ELEMENT:
    case HTML_DOCTYPE:
        break;
    }
    return n->data;
}
