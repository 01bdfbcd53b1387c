#include "html_unit.h"

struct html_doc *parse(const char *source) {
    struct html_doc *doc;
    struct error err;
    if (html_parse(slice_cstr(source), &doc, &err))
        fail_msg("%s", err.text);
    return doc;
}

char *rendered(const struct html_doc *doc) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    assert_int_equal(html_render(&b, &doc->root), 0);
    return buf_detach(&b, NULL);
}

char *names_of(const struct html_nodes *nodes) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    for (size_t i = 0; i < nodes->len; i++) {
        struct slice id = html_attr_value(nodes->ptr[i], SLICE("id"));
        if (i)
            buf_append_char(&b, ' ');
        buf_append_slice(&b, id.len ? id : html_node_name(nodes->ptr[i]));
    }
    buf_cstr(&b);
    return buf_detach(&b, NULL);
}

struct html_nodes find(const struct html_doc *doc, const char *selector) {
    struct html_nodes in = {0}, out = {0};
    struct html_selector *s = html_selector_new(slice_cstr(selector));
    html_nodes_add(&in, &doc->root);
    html_find(&out, &in, s, false);
    html_selector_free(s);
    html_nodes_release(&in);
    return out;
}

char *found(const struct html_doc *doc, const char *selector) {
    struct html_selector *s = html_selector_new(slice_cstr(selector));
    bool is_refused = !s;
    html_selector_free(s);
    if (is_refused)
        return xstrdup("!");
    struct html_nodes nodes = find(doc, selector);
    char *names = names_of(&nodes);
    html_nodes_release(&nodes);
    return names;
}
