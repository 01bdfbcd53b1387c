#include "html_unit.h"

static const char page[] =
    "<!DOCTYPE html><html id=html lang=en><head id=head><title id=t>x</title></head>"
    "<body id=body>"
    "<div id=a class='k l' data-x='one two' title=''><p id=p1 lang=en-GB>1</p>txt<p id=p2>2</p>"
    "<!--c--><p id=p3 class=k>3 Three</p></div>"
    "<div id=b><p id=p4> </p><ul id=u><li id=l1>x</li><li id=l2>y</li><li id=l3>z</li>"
    "<li id=l4>w</li></ul>"
    "<input id=i1 disabled><input id=i2 checked type=RADIO><input id=i3 type=text checked>"
    "<a id=a1 href='http://q.test/f.PDF'>l</a><a id=a2>n</a></div>"
    "<fieldset id=f disabled><legend id=le1><input id=i4></legend><legend id=le2><input id=i5>"
    "</legend><select id=s><option id=o1 selected>q</option><option id=o2>r</option></select>"
    "</fieldset><div id=c><span id=s1>a</span><em id=e1>b</em><span id=s2>c</span></div>"
    "</body></html>";

static const struct {
    const char *selector, *ids;
} rows[] = {
    /* tests of one element */
    {"div", "a b c"},
    {"DIV", "a b c"},
    {"#p1", "p1"},
    {".k", "a p3"},
    {"div.k.l", "a"},
    {".K", ""},
    {"*#u", "u"},
    {"*|*#u", "u"},
    {"p#p3.k", "p3"},
    /* attributes */
    {"[data-x]", "a"},
    {"[DATA-X]", "a"},
    {"[data-x='one two']", "a"},
    {"[data-x=one]", ""},
    {"[ data-x = \"one two\" ]", "a"},
    {"[data-x~=two]", "a"},
    {"[data-x~=tw]", ""},
    {"[data-x~='']", ""},
    {"[lang|=en]", "html p1"},
    {"[href^=http]", "a1"},
    {"[href$=PDF]", "a1"},
    {"[href$=pdf]", ""},
    {"[href$=pdf i]", "a1"},
    {"[href*='q.test']", "a1"},
    {"[title^='']", ""},
    {"[data-x^='']", "a"},
    {"p[class!=k]", "p1 p2 p4"},
    {"[href#=q\\.te+st]", "a1"},
    {"[data-x=ONE]", ""},
    {"[data-x='ONE TWO' I]", "a"},
    {"[data\\-x]", "a"},
    {"#\\70 1", "p1"},
    /* combinators and groups */
    {"div > p", "p1 p2 p3 p4"},
    {"div>p", "p1 p2 p3 p4"},
    {"body p", "p1 p2 p3 p4"},
    {"html>body>div#b li", "l1 l2 l3 l4"},
    {"p + p", "p2 p3"},
    {"p ~ p", "p2 p3"},
    {"#l1 ~ li + li", "l3 l4"},
    {"p, li", "p1 p2 p3 p4 l1 l2 l3 l4"},
    {"li , p", "p1 p2 p3 p4 l1 l2 l3 l4"},
    {"div /* c */ p.k", "p3"},
    {"html body div p, head title", "t p1 p2 p3 p4"},
    {"div div", ""},
    {"body div ul + input ~ a", "a1 a2"},
    /* position */
    {"p:first-child", "p1 p4"},
    {"p:last-child", "p3"},
    {"p:nth-child(2)", "p2"},
    {"li:nth-child(odd)", "l1 l3"},
    {"li:nth-child(EVEN)", "l2 l4"},
    {"li:nth-child(2n+1)", "l1 l3"},
    {"li:nth-child( 2n + 1 )", "l1 l3"},
    {"li:nth-child(-n+2)", "l1 l2"},
    {"li:nth-child(n+3)", "l3 l4"},
    {"li:nth-child(n)", "l1 l2 l3 l4"},
    {"li:nth-child(3n-1)", "l2"},
    {"li:nth-child(+2)", "l2"},
    {"li:nth-child(0)", ""},
    {"li:nth-child(-3)", ""},
    {"li:nth-last-child(1)", "l4"},
    {"li:nth-last-child(2n)", "l1 l3"},
    {"span:nth-of-type(2)", "s2"},
    {"span:first-of-type", "s1"},
    {"div *:last-of-type", "p3 p4 u l4 i3 a2 e1 s2"},
    {"#c :nth-last-of-type(1)", "e1 s2"},
    {"#c > :nth-child(2)", "e1"},
    {"em:only-of-type", "e1"},
    {"title:only-child", "t"},
    {"li:only-child", ""},
    {":root", "html"},
    /* content */
    {"p:empty", "p4"},
    {"p:contains('2')", "p2"},
    {"p:contains(three)", "p3"},
    {"p:contains('THREE')", "p3"},
    {"div:containsOwn(txt)", "a"},
    {"div:contains(x)", "a b"},
    {"p:matches(^[0-9]$)", "p1 p2"},
    {"p:matches((?i)THREE)", "p3"},
    {"div:matchesOwn(^t.t$)", "a"},
    {"div:has(ul)", "b"},
    {"div:has(> ul)", "!"},
    {"div:has(li:nth-child(4), .k)", "a b"},
    {"div:haschild(li)", ""},
    {"div:haschild(ul)", "b"},
    {"p:not(.k)", "p1 p2 p4"},
    {"p:not(.k, #p1)", "p2 p4"},
    {"p:not(:not(.k))", "p3"},
    {":lang(en-gb)", ""},
    {"p:lang(en)", "p1 p2 p3 p4"},
    /* states */
    {"div input:disabled", "i1"},
    {"div input:enabled", "i2 i3"},
    {"fieldset input:disabled", "i5"},
    {"option:disabled", "o1 o2"},
    {":checked", "i2 o1"},
    {":input", "i1 i2 i3 i4 i5 s"},
    {"a:link", "a1"},
    {"a:enabled", "a1"},
    {"a:hover", ""},
    {"p:not(:hover)", "p1 p2 p3 p4"},
    /* refused */
    {"", "!"},
    {" ", "!"},
    {">p", "!"},
    {"p >", "!"},
    {"p,", "!"},
    {",p", "!"},
    {"p:nth-child(", "!"},
    {"p:nth-child()", "!"},
    {"p:nth-child(x)", "!"},
    {"p:nth-child(2n+)", "!"},
    {"p:nth-child(2", "!"},
    {"::bad", "!"},
    {"p::before", "!"},
    {"p:nosuch", "!"},
    {"p:", "!"},
    {"[a", "!"},
    {"[a=", "!"},
    {"[a=b", "!"},
    {"[a='b]", "!"},
    {"[a?=b]", "!"},
    {"[=b]", "!"},
    {"[a=1]", "!"},
    {"#", "!"},
    {".", "!"},
    {".1", "!"},
    {"1p", "!"},
    {"p)", "!"},
    {"p:not(", "!"},
    {"p:not(p", "!"},
    {"p:matches([)", "!"},
    {"p:matches(a**)", "!"},
    {"a\\", "!"},
    {"p & q", "!"},
};

static void every_row_finds_what_it_says(void **state) {
    (void)state;
    struct html_doc *doc = parse(page);
    for (size_t i = 0; i < countof(rows); i++) {
        char *ids = found(doc, rows[i].selector);
        if (strcmp(ids, rows[i].ids))
            print_error("%s: found \"%s\", not \"%s\"\n", rows[i].selector, ids, rows[i].ids);
        assert_string_equal(ids, rows[i].ids);
        free(ids);
    }
    html_doc_unref(doc);
}

/* Each choice of ancestors tried on its own would take longer than the universe. */
static void many_compounds_take_no_exponential_time(void **state) {
    (void)state;
    struct buf page_text, selector;
    buf_init(&page_text, BUF_NO_CAP);
    buf_init(&selector, BUF_NO_CAP);
    for (int i = 0; i < 400; i++)
        buf_append_str(&page_text, "<div><p></p>");
    buf_append_str(&selector, "nav");
    for (int i = 0; i < 30; i++)
        buf_append_str(&selector, i % 3 ? " div" : " p ~ div");
    struct html_doc *doc = parse(buf_cstr(&page_text));
    assert_text(found(doc, buf_cstr(&selector)), "");
    html_doc_unref(doc);
    buf_release(&page_text);
    buf_release(&selector);
}

static void depth_of_a_selector_has_a_limit(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    for (int i = 0; i < 100000; i++)
        buf_append_str(&b, ":not(");
    assert_null(html_selector_new(buf_slice(&b)));
    buf_reset(&b);
    for (int i = 0; i < 100000; i++)
        buf_append_str(&b, "a ");
    assert_null(html_selector_new(buf_slice(&b)));
    buf_release(&b);
}

static void no_selector_matches_nothing(void **state) {
    (void)state;
    struct html_doc *doc = parse("<p>");
    assert_false(html_selector_match(NULL, &doc->root));
    html_doc_unref(doc);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_finds_what_it_says),
        cmocka_unit_test(many_compounds_take_no_exponential_time),
        cmocka_unit_test(depth_of_a_selector_has_a_limit),
        cmocka_unit_test(no_selector_matches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
