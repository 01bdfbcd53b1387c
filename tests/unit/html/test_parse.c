#include "html_unit.h"

#include "base/compat.h"

static void renders(const char *source, const char *expected) {
    struct html_doc *doc = parse(source);
    assert_text(rendered(doc), expected);
    html_doc_unref(doc);
}

static void a_fragment_gets_html_head_and_body(void **state) {
    (void)state;
    renders("", "<html><head></head><body></body></html>");
    renders("<p>a<p>b", "<html><head></head><body><p>a</p><p>b</p></body></html>");
}

static void text_is_escaped_as_go_does(void **state) {
    (void)state;
    renders("<p title='a\"b&amp;'>1 &lt; 2 &amp; 'q' \"r\" &eacute;",
            "<html><head></head><body><p title=\"a&#34;b&amp;\">1 &lt; 2 &amp; &#39;q&#39; "
            "&#34;r&#34; é</p></body></html>");
}

static void scripts_and_styles_stay_as_they_are(void **state) {
    (void)state;
    renders("<script>if (a < b && c) x()</script><style>a > b {}</style>",
            "<html><head><script>if (a < b && c) x()</script><style>a > b {}</style></head>"
            "<body></body></html>");
}

static void void_elements_end_with_a_slash(void **state) {
    (void)state;
    renders("<br><img src=x>", "<html><head></head><body><br/><img src=\"x\"/></body></html>");
}

static void a_newline_after_pre_is_kept_by_a_second_one(void **state) {
    (void)state;
    renders("<pre>\n\nx</pre>", "<html><head></head><body><pre>\n\nx</pre></body></html>");
}

static void doctype_and_comments_keep_their_place(void **state) {
    (void)state;
    renders("<!-- <!doctype x> --><!DOCTYPE html><!--b--><p>",
            "<!-- <!doctype x> --><!DOCTYPE html><!--b--><html><head></head><body><p></p></body>"
            "</html>");
    renders("<!DOCTYPE html PUBLIC \"-//W3C//DTD\" \"http://x/y.dtd\">",
            "<!DOCTYPE html PUBLIC \"-//W3C//DTD\" \"http://x/y.dtd\"><html><head></head><body>"
            "</body></html>");
}

static void noscript_holds_text_as_in_a_browser_with_scripts(void **state) {
    (void)state;
    struct html_doc *doc =
        parse("<head><NOSCRIPT><img src=x></noscript><link rel=r></head><body><noscript><p>b");
    assert_text(found(doc, "head > noscript, head > link"), "noscript link");
    assert_text(found(doc, "noscript *"), "");
    assert_text(rendered(doc),
                "<html><head><noscript><img src=x></noscript><link rel=\"r\"/></head>"
                "<body><noscript><p>b</noscript></body></html>");
    html_doc_unref(doc);
    renders("<noscript>a</noscript><p title='<noscript>'>&lt;noscript></p><noframes>f</noframes>",
            "<html><head><noscript>a</noscript></head><body><p title=\"&lt;noscript&gt;\">"
            "&lt;noscript&gt;</p><noframes>f</noframes></body></html>");
}

static void text_around_tables_is_one_node(void **state) {
    (void)state;
    struct html_doc *doc = parse("<body>a</body>b</html>c");
    struct html_nodes body = find(doc, "body"), children = {0};
    html_children(&children, &body, true);
    assert_int_equal(children.len, 1);
    html_nodes_release(&body);
    html_nodes_release(&children);
    html_doc_unref(doc);
    renders("<table>x<tr><td>c</table>",
            "<html><head></head><body>x<table><tbody><tr><td>c</td></tr></tbody></table></body>"
            "</html>");
}

static void foreign_content_keeps_its_spelling(void **state) {
    (void)state;
    renders("<svg viewbox='0 0'><foreignobject xlink:href=u><DIV>x</DIV></foreignobject></svg>",
            "<html><head></head><body><svg viewBox=\"0 0\"><foreignObject xlink:href=\"u\"><div>x"
            "</div></foreignObject></svg></body></html>");
    renders("<My-Tag A=1>", "<html><head></head><body><my-tag a=\"1\"></my-tag></body></html>");
}

static void attributes_of_formatting_elements_are_sorted(void **state) {
    (void)state;
    const char *source = "<a title=t href=h></a><p title=t href=h>";
    renders(source, "<html><head></head><body><a href=\"h\" title=\"t\"></a>"
                    "<p title=\"t\" href=\"h\"></p></body></html>");
    compat_set(COMPAT_V0_51);
    renders(source, "<html><head></head><body><a title=\"t\" href=\"h\"></a>"
                    "<p title=\"t\" href=\"h\"></p></body></html>");
    compat_set(COMPAT_V2_2);
}

static char *nested(size_t depth) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    while (depth--)
        buf_append_str(&b, "<div>");
    buf_cstr(&b);
    return buf_detach(&b, NULL);
}

static void nesting_has_gos_limit(void **state) {
    (void)state;
    struct html_doc *doc;
    struct error err;
    char *source = nested(510);
    assert_int_equal(html_parse(slice_cstr(source), &doc, &err), 0);
    html_doc_unref(doc);
    free(source);
    source = nested(511);
    assert_int_equal(html_parse(slice_cstr(source), &doc, &err), KE_INVALID);
    assert_string_equal(err.text, "html: open stack of elements exceeds 512 nodes");
    free(source);
}

static void any_depth_is_walked_without_recursion(void **state) {
    (void)state;
    char *source = nested(5000);
    compat_set(COMPAT_V0_51);
    struct html_doc *doc = parse(source);
    compat_set(COMPAT_V2_2);
    char *text = rendered(doc);
    assert_int_equal(strlen(text), 5000 * strlen("<div></div>") +
                                       strlen("<html><head></head><body></body></html>"));
    free(text);
    text = found(doc, ":not(body):empty");
    assert_string_equal(text, "head div");
    free(text);
    html_doc_unref(doc);
    free(source);
}

static void a_tree_out_of_proportion_is_refused(void **state) {
    (void)state;
    struct buf b;
    struct html_doc *doc;
    struct error err;
    buf_init(&b, BUF_NO_CAP);
    for (int i = 0; i < 3000; i++)
        buf_printf(&b, "<p><b x=%d></p>", i);
    assert_int_equal(html_parse(buf_slice(&b), &doc, &err), KE_TOO_LARGE);
    buf_release(&b);
}

static void references_keep_a_document(void **state) {
    (void)state;
    struct html_doc *doc = parse("<p id=x>");
    struct html_nodes p = find(doc, "#x");
    html_doc_ref(doc);
    html_doc_unref(doc);
    assert_ptr_equal(html_doc_of(p.ptr[0]), doc);
    html_nodes_release(&p);
    html_doc_unref(doc);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fragment_gets_html_head_and_body),
        cmocka_unit_test(text_is_escaped_as_go_does),
        cmocka_unit_test(scripts_and_styles_stay_as_they_are),
        cmocka_unit_test(void_elements_end_with_a_slash),
        cmocka_unit_test(a_newline_after_pre_is_kept_by_a_second_one),
        cmocka_unit_test(doctype_and_comments_keep_their_place),
        cmocka_unit_test(noscript_holds_text_as_in_a_browser_with_scripts),
        cmocka_unit_test(text_around_tables_is_one_node),
        cmocka_unit_test(foreign_content_keeps_its_spelling),
        cmocka_unit_test(attributes_of_formatting_elements_are_sorted),
        cmocka_unit_test(nesting_has_gos_limit),
        cmocka_unit_test(any_depth_is_walked_without_recursion),
        cmocka_unit_test(a_tree_out_of_proportion_is_refused),
        cmocka_unit_test(references_keep_a_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
