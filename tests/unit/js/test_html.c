#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

/* Prints what each expression gives; `$` is the document. */
#define SCRIPT(doc, expressions)                                                              \
    "import { parseHTML } from 'k6/html';\n"                                                  \
    "const doc = `" doc "`;\n"                                                                \
    "const show = (v) => v === undefined ? 'undefined' : typeof v === 'number' ? String(v) :" \
    " JSON.stringify(v);\n"                                                                   \
    "export default function () { const $ = parseHTML(doc);\n"                                \
    "  const ids = (s) => s.get().map((e) => e.id() || e.nodeName()).join();\n"               \
    "  for (const f of [" expressions "]) {\n"                                                \
    "    try { console.log(show(f())); } catch (e) { console.log(String(e)); }\n"             \
    "  } }"

/* With a garbage collection at each allocation. */
static void expect(const char *source, const char *log) {
    struct fixture f;
    fixture_init(&f);
    f.config.gc_threshold_bytes = 1;
    fixture_script(&f, source, 1);
    assert_string_equal(fixture_log(&f), log);
    fixture_release(&f);
}

#define LIST                                                                                   \
    "<ul id=u><li id=a class=x>1</li><li id=b>2<i id=i></i></li>t<li id=c class=x>3</li></ul>" \
    "<p id=p>p</p>"

static void selections_lead_to_selections(void **state) {
    (void)state;
    expect(SCRIPT(LIST, "() => ids($.find('li').filter('.x')),"
                        "() => ids($.find('li').not('.x').add('p')),"
                        "() => ids($.find('li').not((i, s) => s.is('#a'))),"
                        "() => ids($.find('li').filter((i, s) => i > 1)),"
                        "() => ids($.find('li').slice(1)) + ' ' + ids($.find('li').slice(0, -1)),"
                        "() => ids($.find('#b').next()) + ' ' + ids($.find('#b').prevAll()),"
                        "() => ids($.find('i').parentsUntil('body')),"
                        "() => ids($.find('i').closest('ul').children('.x')),"
                        "() => $.find('#u').contents().size(),"
                        "() => ids($.find('li').first().end()) + ' ' + $.end().size(),"
                        "() => ids($.find('li').has($.find('i'))),"
                        "() => $.find('#c').index() + ' ' + $.find('li').index($.find('#b')),"
                        "() => ids($.find('li').nextUntil('p', '.x')),"
                        "() => $.find('li').map((i, s) => i + s.text()),"
                        "() => ids($.find('ul').find($.find('i, p'))),"
                        "() => $.find('li').get(-1).id() + $.find('li').get(-3),"
                        "() => $.find('li').is($.find('#b')),"
                        "() => ids($.single('li')),"),
           "info: \"a,c\"\ninfo: \"b,p\"\ninfo: \"b,c\"\ninfo: \"c\"\ninfo: \"b,c a,b\"\n"
           "info: \"c a\"\ninfo: \"b,u\"\ninfo: \"a,c\"\ninfo: 4\ninfo: \"a,b,c 0\"\n"
           "info: \"b\"\ninfo: \"2 1\"\ninfo: \"c\"\ninfo: [\"01\",\"12\",\"23\"]\ninfo: \"i\"\n"
           "info: \"cundefined\"\ninfo: true\ninfo: \"a\"\n");
}

static void arguments_of_other_types_are_named_as_in_go(void **state) {
    (void)state;
    expect(SCRIPT(LIST, "() => $.find(),"
                        "() => $.has(5),"
                        "() => $.closest({}),"
                        "() => $.find($.find('li').get(0)),"
                        "() => ids($.find('p').add($.find('p').get(0))),"
                        "() => $.filter(5),"
                        "() => $.is({}),"
                        "() => $.each('x'),"
                        "() => $.map(),"
                        "() => $.nextUntil($.find('p').get(0)),"
                        "() => $.find(':bad').size() + $.find('p').next(undefined).size(),"),
           "info: GoError: invalid argument, cannot use a '<nil>' as a selector\n"
           "info: GoError: invalid argument, cannot use a 'int64' as a selector\n"
           "info: GoError: invalid argument, cannot use a 'map[string]interface {}' as a selector\n"
           "info: GoError: invalid argument, cannot use a 'html.LiElement' as a selector\n"
           "info: \"p\"\n"
           "info: GoError: the argument to filter() must be a function, a selector or a selection\n"
           "info: GoError: the argument to is() must be a function, a selector or a selection\n"
           "info: GoError: the argument to each() must be a function\n"
           "info: GoError: the argument to map() must be a function\n"
           "info: GoError: invalid argument, cannot use a 'html.Element' as a selector\n"
           "info: 0\n");
}

static void errors_of_the_scripts_functions(void **state) {
    (void)state;
    expect(SCRIPT(LIST, "() => $.find('p').each(() => { throw new Error('boom'); }),"
                        "() => $.find('p').filter(() => { throw new Error('boom'); }),"
                        "() => $.find('li').map((i) => { if (i === 1) throw 1; return i; }),"),
           "info: GoError: the function passed to each() failed: Error: boom at "
           "file:///test/script.js:6:57(13)\n"
           "info: Error: boom\ninfo: [0,2]\n");
}

static void goquerys_own_selection_in_predicates(void **state) {
    (void)state;
    expect(
        SCRIPT(LIST,
               "() => ids($.find('li').filter((i, s) => s.hasClass('x'))),"
               "() => { let v; $.find('#a').is((i, s) => { v = s.attr('class'); }); return v; },"
               "() => { let v; $.find('#a').is((i, s) => { v = s.attrOr('q', 'z'); }); return v; },"
               "() => $.find('li').filter((i, s) => $.find(s).size()),"),
        "info: \"a,c\"\ninfo: [\"x\",true]\ninfo: \"z\"\n"
        "info: GoError: invalid argument, cannot use a '*goquery.Selection' as a selector\n");
}

static void text_html_and_attributes(void **state) {
    (void)state;
    expect(SCRIPT("<p id=p title='a&amp;b'>x <b>&lt;y&gt;</b><br></p><p>z</p>",
                  "() => $.find('p').text(),"
                  "() => $.find('p').html(),"
                  "() => $.find('nothing').html(),"
                  "() => $.find('p').attr('title') + $.find('p').attr('q', 'def'),"
                  "() => $.find('p').attr('q'),"
                  "() => $.find('p').url,"
                  "() => JSON.stringify($.find('p').toArray().map((s) => s.size())),"),
           "info: \"x <y>z\"\ninfo: \"x <b>&lt;y&gt;</b><br/>\"\ninfo: \"\"\n"
           "info: \"a&bdef\"\ninfo: undefined\ninfo: \"\"\ninfo: \"[1,1]\"\n");
}

static void data_is_converted(void **state) {
    (void)state;
    expect(
        SCRIPT("<p data-a=1 data-b=1.50 data-c=true data-d='{\"x\":[1]}' data-e='' data-user-id=u "
               "data-long-name=l data-f='{bad' data-g=null data-h=100000000000000000000000>",
               "() => $.find('p').data(),"
               "() => $.find('p').data('userID') + $.find('p').data('longName'),"
               "() => $.find('p').data('user-id'),"
               "() => $.find('p').data('nope'),"
               "() => $.find('body').data(),"),
        "info: {\"a\":1,\"b\":\"1.50\",\"c\":true,\"d\":{\"x\":[1]},\"userID\":\"u\","
        "\"longName\":\"l\",\"f\":\"{bad\",\"h\":1e+23}\n"
        "info: \"ul\"\ninfo: \"u\"\ninfo: undefined\ninfo: undefined\n");
}

#define FORM                                                                                \
    "<form><input name=t value='a b'><input name=c type=checkbox><input name=k type=radio " \
    "checked=checked><input name=d disabled=disabled><select name=s><option>1<option "      \
    "selected>2</select><select name=m multiple><option selected value=x><option "          \
    "selected>y</select><textarea name=a>\n1&amp;</textarea><input type=submit name=z>"     \
    "<input name=t value=last></form>"

static void forms_serialize(void **state) {
    (void)state;
    expect(SCRIPT(FORM, "() => $.find('form').serialize(),"
                        "() => $.find('form').serializeObject(),"
                        "() => $.find('input').serializeArray(),"
                        "() => $.find('[name=m]').val(),"
                        "() => $.find('[name=k]').val() + $.find('[name=s]').val(),"
                        "() => $.find('form').val(),"),
           "info: \"a=1%26amp%3B&k=on&m=x&m=y&s=2&t=last\"\n"
           "info: {\"t\":\"last\",\"k\":\"on\",\"s\":\"2\",\"m\":[\"x\",\"y\"],\"a\":\"1&amp;\"}\n"
           "info: [{\"name\":\"t\",\"value\":\"a b\"},{\"name\":\"k\",\"value\":\"on\"},"
           "{\"name\":\"t\",\"value\":\"last\"}]\n"
           "info: [\"x\",\"y\"]\ninfo: \"on2\"\ninfo: undefined\n");
}

static void elements_have_the_members_of_nodes(void **state) {
    (void)state;
    expect(
        SCRIPT("<div id=d class='a  b' lang=en>x<!--c--><i>1</i><i>2</i></div><svg><a "
               "xlink:href=u /></svg>",
               "() => { const e = $.find('#d').get(0); return [e.nodeName(), e.nodeType(),"
               " e.classList(), e.className(), e.lang(), e.childElementCount(), e.toString()]; },"
               "() => $.find('#d').get(0).childNodes().map((n) => [n.nodeType(), n.nodeName(),"
               " n.nodeValue()].join('|')),"
               "() => $.find('#d').get(0).firstElementChild().nextElementSibling().innerHTML(),"
               "() => $.find('#d').get(0).querySelector('i').textContent(),"
               "() => $.find('i').get(0).parentElement().isSameNode($.find('#d').get(0)),"
               "() => $.find('i').get(0).isEqualNode($.find('i').get(1)),"
               "() => $.find('#d').get(0).contains($.find('i').get(0)),"
               "() => $.find('i').get(0).previousElementSibling(),"
               "() => $.find('i').get(0).firstChild().firstChild(),"
               "() => $.find('#d').get(0).ownerDocument().nodeType(),"
               "() => $.find('#d').get(0).matches('.b'),"
               "() => Object.keys($.find('#d').get(0).attributes()),"
               "() => { const a = $.find('svg a').get(0).getAttributeNode('href');"
               " return [a.name, a.value, a.prefix(), a.localName(), a.namespaceURI()]; },"
               "() => $.find('svg').get(0).namespaceURI(),"
               "() => $.find('#d').get(0).selection().find('i').size(),"),
        "info: [\"div\",1,[\"a\",\"b\"],\"a  b\",\"en\",2,\"[object html.Node]\"]\n"
        "info: [\"3|#text|x\",\"8|#comment|\",\"1|i|\",\"1|i|\"]\n"
        "info: \"2\"\ninfo: \"12\"\ninfo: true\ninfo: false\ninfo: true\ninfo: undefined\n"
        "info: undefined\ninfo: 9\ninfo: true\ninfo: [\"id\",\"class\",\"lang\"]\n"
        "info: [\"href\",\"u\",\"xlink\",\"href\",\"http://www.w3.org/1999/xhtml\"]\n"
        "info: \"http://www.w3.org/2000/svg\"\ninfo: 2\n");
}

/* Each member of each kind, with and without the URL of a page. */
static void every_kind_answers_for_all_its_members(void **state) {
    (void)state;
    expect(
        SCRIPT("<base><link><meta><style></style><title></title><script></script><a href=x></a>"
               "<map><area></map><audio><source><track></audio><video></video><canvas></canvas>"
               "<data></data><datalist></datalist><del></del><ins></ins><embed><form><fieldset>"
               "<legend></legend><button></button><input list=l form=f id=i><keygen><label for=i>"
               "</label><output></output><progress max=-1 value=x></progress><meter></meter>"
               "<textarea></textarea><select><optgroup><option></select></fieldset></form>"
               "<iframe></iframe><img><ol><li></ol><ul></ul><object><param></object><pre></pre>"
               "<quote></quote><time></time><table><caption></caption><colgroup><col></colgroup>"
               "<thead></thead><tfoot></tfoot><tbody><tr><th></th><td></td></tr></tbody></table>",
               "() => { let kinds = 0, members = 0; const plain = Object.getPrototypeOf("
               "$.find('body').get(0));"
               "  for (const url of ['', 'http://h.test/', ':%']) { $.url = url;"
               "    for (const e of $.find('*').get()) { const p = Object.getPrototypeOf(e);"
               "      if (p === plain) continue; kinds++;"
               "      for (const k of Object.getOwnPropertyNames(p)) { e[k](); members++; } } }"
               "  return [kinds / 3, members / 3]; },"),
        "info: [51,316]\n");
}

static void links_are_resolved_against_the_page(void **state) {
    (void)state;
    expect(
        SCRIPT("<a href='../p?q=1#h' rel='a b'></a><a href='http://u:p@h.test:80/x'></a>"
               "<form action=go></form><base href=b><button formaction='//o.test/'>",
               "() => { const e = $.find('a').get(0); return [e.href(), e.pathname(), e.origin(),"
               " e.protocol()]; },"
               "() => { $.url = 'https://s.test/d/e/f'; const e = $.find('a').get(0);"
               " return [e.href(), e.pathname(), e.search(), e.hash(), e.host(), e.origin(),"
               " e.protocol(), e.relList()]; },"
               "() => { $.url = ''; const e = $.find('a').get(1); return [e.host(), e.hostname(),"
               " e.port(), e.username(), e.password(), `${e}`]; },"
               "() => { $.url = 'https://s.test/d/'; return [$.find('form').get(0).action(),"
               " $.find('base').get(0).href(), $.find('button').get(0).formAction()]; },"),
        "info: [\"../p?q=1#h\",\"/p\",\"\",\":\"]\n"
        "info: [\"https://s.test/d/p?q=1#h\",\"/d/p\",\"?q=1\",\"#h\",\"s.test\","
        "\"https://s.test\",\"https\",[\"a\",\"b\"]]\n"
        "info: [\"h.test\",\"h.test\",\"80\",\"u\",\"p\",\"http://u:p@h.test:80/x\"]\n"
        "info: [\"https://s.test/d/go\",\"https://s.test/d/b\",\"https://o.test/\"]\n");
}

static void selections_keep_their_documents(void **state) {
    (void)state;
    expect(SCRIPT("<p>1</p>", "() => { let s = $.find('p'); for (let i = 0; i < 5; i++)"
                              " s = s.add(parseHTML(`<p>${i}</p>`).find('p')); return s.text(); },"
                              "() => { let s = parseHTML('<i>x</i>').find('i');"
                              " for (let i = 0; i < 2000; i++) s = s.parent().children();"
                              " return s.text(); },"
                              "() => parseHTML('<div>'.repeat(600)),"),
           "info: \"101234\"\ninfo: \"x\"\n"
           "info: GoError: html: open stack of elements exceeds 512 nodes\n");
}

static void methods_need_their_object(void **state) {
    (void)state;
    expect(SCRIPT("<p>", "() => $.find.call({}, 'p') && 1,"
                         "() => $.text.call($.find('p').get(0)),"
                         "() => $.find('p').get(0).id.call(5),"),
           "info: TypeError: Selection object expected\n"
           "info: TypeError: Selection object expected\n"
           "info: TypeError: Element object expected\n");
}

static void iterations_can_be_stopped_inside_a_callback(void **state) {
    (void)state;
    expect("import { parseHTML } from 'k6/html'; import exec from 'k6/execution';\n"
           "export default function () { const $ = parseHTML('<p><p>');\n"
           "  $.find('p').map(() => exec.test.abort('why')); console.log('never'); }",
           "interrupted\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selections_lead_to_selections),
        cmocka_unit_test(arguments_of_other_types_are_named_as_in_go),
        cmocka_unit_test(errors_of_the_scripts_functions),
        cmocka_unit_test(goquerys_own_selection_in_predicates),
        cmocka_unit_test(text_html_and_attributes),
        cmocka_unit_test(data_is_converted),
        cmocka_unit_test(forms_serialize),
        cmocka_unit_test(elements_have_the_members_of_nodes),
        cmocka_unit_test(every_kind_answers_for_all_its_members),
        cmocka_unit_test(links_are_resolved_against_the_page),
        cmocka_unit_test(selections_keep_their_documents),
        cmocka_unit_test(methods_need_their_object),
        cmocka_unit_test(iterations_can_be_stopped_inside_a_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
