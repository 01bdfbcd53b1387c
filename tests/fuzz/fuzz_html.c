/* layer: html. Input: a selector, a zero byte, a document. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "html/query.h"

/* What every node of a tree must be. */
static void check_links(const struct html_doc *doc) {
    for (const struct html_node *n = &doc->root; n; n = html_next(n, &doc->root)) {
        if ((n->first == NULL) != (n->last == NULL) || (n->first && n->first->parent != n) ||
            (n->next && n->next->prev != n))
            abort();
    }
}

static void search(const struct html_doc *doc, const struct html_selector *s) {
    struct html_nodes in = {0}, all = {0}, out = {0};
    html_nodes_add(&in, &doc->root);
    html_find(&all, &in, s, false);
    html_filter(&out, &all, s, false);
    if (out.len)
        abort(); /* what was found matches */
    html_closest(&out, &all, s);
    if (out.len > all.len)
        abort();
    html_having(&out, &in, s);
    html_parents(&out, &all, &(struct html_until){.selector = s});
    html_adjacent_all(&out, &all, HTML_PREV, &(struct html_until){.nodes = &all});
    html_nodes_release(&in);
    html_nodes_release(&all);
    html_nodes_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    const uint8_t *zero = memchr(data, 0, bytes);
    if (!zero)
        return 0;
    struct slice selector = slice_from((const char *)data, (size_t)(zero - data));
    struct slice source = slice_from((const char *)zero + 1, bytes - selector.len - 1);
    struct html_selector *s = html_selector_new(selector);
    struct html_doc *doc;
    struct error err;
    if (html_parse(source, &doc, &err) == 0) {
        struct buf b;
        buf_init(&b, BUF_NO_CAP);
        check_links(doc);
        html_render(&b, &doc->root);
        html_text(&b, &doc->root);
        search(doc, s);
        buf_release(&b);
        html_doc_unref(doc);
    }
    html_selector_free(s);
    return 0;
}
