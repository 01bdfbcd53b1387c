#include "html_unit.h"

static struct html_doc *doc;

static int setup(void **state) {
    (void)state;
    doc = parse("<div id=a><p id=p1>1</p>t<p id=p2>2<b id=b1>x</b></p><!--c--><p id=p3>3</p></div>"
                "<div id=b><ul id=u><li id=l1>1</li><li id=l2>2</li><li id=l3>3</li></ul></div>");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    html_doc_unref(doc);
    return 0;
}

/* Sets that a test made are freed as they are shown. */
static char *shown(struct html_nodes *nodes) {
    char *names = names_of(nodes);
    html_nodes_release(nodes);
    return names;
}

static void find_gives_each_node_once(void **state) {
    (void)state;
    struct html_nodes in = find(doc, "body, div"), out = {0};
    struct html_selector *s = html_selector_new(SLICE("p"));
    html_find(&out, &in, s, false);
    assert_text(shown(&out), "p1 p2 p3");
    html_find(&out, &in, s, true);
    assert_text(shown(&out), "p1");
    html_find(&out, &in, NULL, false);
    assert_int_equal(out.len, 0);
    html_selector_free(s);
    html_nodes_release(&in);
}

static void find_nodes_keeps_descendants(void **state) {
    (void)state;
    struct html_nodes in = find(doc, "#a"), nodes = find(doc, "#a, #b1, li"), out = {0};
    html_find_nodes(&out, &in, &nodes);
    assert_text(shown(&out), "b1");
    html_nodes_release(&in);
    html_nodes_release(&nodes);
}

static void children_and_contents(void **state) {
    (void)state;
    struct html_nodes in = find(doc, "#a"), out = {0};
    html_children(&out, &in, false);
    assert_text(shown(&out), "p1 p2 p3");
    html_children(&out, &in, true);
    assert_text(shown(&out), "p1 #text p2 #comment p3");
    html_nodes_release(&in);
}

static void parents_end_at_the_html_element(void **state) {
    (void)state;
    struct html_nodes in = find(doc, "#b1, li"), out = {0};
    html_parent(&out, &in);
    assert_text(shown(&out), "p2 u");
    html_parents(&out, &in, NULL);
    assert_text(shown(&out), "p2 a body html u b");
    struct html_selector *s = html_selector_new(SLICE("body"));
    html_parents(&out, &in, &(struct html_until){.selector = s});
    assert_text(shown(&out), "p2 a u b");
    html_parents(&out, &in, &(struct html_until){0});
    assert_text(shown(&out), "p2 a body html u b");
    html_selector_free(s);
    html_nodes_release(&in);
}

static void the_document_has_no_neighbours(void **state) {
    (void)state;
    struct html_nodes in = {0}, out = {0};
    html_nodes_add(&in, &doc->root);
    html_parent(&out, &in);
    html_parents(&out, &in, NULL);
    html_siblings(&out, &in);
    html_adjacent(&out, &in, HTML_NEXT);
    html_adjacent_all(&out, &in, HTML_PREV, NULL);
    assert_int_equal(out.len, 0);
    html_nodes_release(&in);
}

static void walks_sideways(void **state) {
    (void)state;
    struct html_nodes in = find(doc, "#p2, #l1"), until = find(doc, "#p3, #l3"), out = {0};
    html_adjacent(&out, &in, HTML_NEXT);
    assert_text(shown(&out), "p3 l2");
    html_adjacent(&out, &in, HTML_PREV);
    assert_text(shown(&out), "p1");
    html_adjacent_all(&out, &in, HTML_NEXT, NULL);
    assert_text(shown(&out), "p3 l2 l3");
    html_adjacent_all(&out, &in, HTML_NEXT, &(struct html_until){.nodes = &until});
    assert_text(shown(&out), "l2");
    html_siblings(&out, &in);
    assert_text(shown(&out), "p1 p3 l2 l3");
    html_nodes_release(&in);
    in = find(doc, "#l3");
    html_adjacent_all(&out, &in, HTML_PREV, NULL);
    assert_text(shown(&out), "l2 l1");
    html_nodes_release(&in);
    html_nodes_release(&until);
}

static void closest_begins_with_the_node(void **state) {
    (void)state;
    struct html_nodes in = find(doc, "#b1, #p1, li"), nodes = find(doc, "div"), out = {0};
    struct html_selector *s = html_selector_new(SLICE("p"));
    html_closest(&out, &in, s);
    assert_text(shown(&out), "p1 p2");
    html_closest_nodes(&out, &in, &nodes);
    assert_text(shown(&out), "a b");
    html_selector_free(s);
    html_nodes_release(&in);
    html_nodes_release(&nodes);
}

static void having_and_filter(void **state) {
    (void)state;
    struct html_nodes in = find(doc, "div, p"), nodes = find(doc, "#b1, #p1"), out = {0};
    struct html_selector *s = html_selector_new(SLICE("b, li"));
    html_having(&out, &in, s);
    assert_text(shown(&out), "a p2 b");
    html_having_nodes(&out, &in, &nodes);
    assert_text(shown(&out), "a p2");
    html_filter_nodes(&out, &in, &nodes, true);
    assert_text(shown(&out), "p1");
    html_filter_nodes(&out, &in, &nodes, false);
    assert_text(shown(&out), "a p2 p3 b");
    html_selector_free(s);
    s = html_selector_new(SLICE("p"));
    html_filter(&out, &in, s, true);
    assert_text(shown(&out), "p1 p2 p3");
    html_filter(&out, &in, s, false);
    assert_text(shown(&out), "a b");
    html_filter(&out, &in, NULL, false);
    assert_text(shown(&out), "a p1 p2 p3 b");
    html_selector_free(s);
    html_nodes_release(&in);
    html_nodes_release(&nodes);
}

static void union_adds_what_is_new(void **state) {
    (void)state;
    struct html_nodes in = find(doc, "#l2"), nodes = find(doc, "li"), out = {0};
    html_union(&out, &in, &nodes);
    assert_text(shown(&out), "l2 l1 l3");
    html_nodes_release(&in);
    html_nodes_release(&nodes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_gives_each_node_once),
        cmocka_unit_test(find_nodes_keeps_descendants),
        cmocka_unit_test(children_and_contents),
        cmocka_unit_test(parents_end_at_the_html_element),
        cmocka_unit_test(the_document_has_no_neighbours),
        cmocka_unit_test(walks_sideways),
        cmocka_unit_test(closest_begins_with_the_node),
        cmocka_unit_test(having_and_filter),
        cmocka_unit_test(union_adds_what_is_new),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
