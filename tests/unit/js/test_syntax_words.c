/* Words of syntax errors, as k6's parser has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "js/syntax_words.h"

static void expect(const char *source, const char *words) {
    char *got = syntax_words(slice_from(source, strlen(source)), SYNTAX_PARSER, NULL);
    if (!got != !words || (got && strcmp(got, words) != 0))
        fail_msg("%s\n  got      %s\n  expected %s", source, got ? got : "(fine)",
                 words ? words : "(fine)");
    free(got);
}

static void recorded_errors(void **state) {
    (void)state;
    expect("export default function () {\n  const a = ;\n}\n",
           "Line 2:13 Unexpected token ; (and 1 more errors)");
    expect("export default function () {\n  if (true) {\n    console.log('x');\n}\n",
           "Line 5:1 Unexpected end of input");
    expect("export const x = (;\n", "Line 1:19 Unexpected token ; (and 2 more errors)");
    expect("{\"key\": \"from json\", \"list\": [1, 2]}\n",
           "Line 1:7 Unexpected token : (and 1 more errors)");
}

static void words_of_tokens(void **state) {
    (void)state;
    expect("let a b", "Line 1:7 Unexpected identifier");
    expect("f(1 2)", "Line 1:5 Unexpected number (and 1 more errors)");
    expect("var s = 'open\n", "Line 1:9 Unexpected token ILLEGAL");
    expect("throw\n1", "Line 1:1 Illegal newline after throw");
    expect("return 1", "Line 1:1 Illegal return statement");
    expect("break;", "Line 1:1 Illegal break statement");
    expect("1 = 2", "Line 1:1 Invalid left-hand side in assignment");
    expect("try { }", "Line 1:1 Missing catch or finally after try");
    expect("a ?? b || c",
           "Line 1:8 Logical expressions and coalesce expressions cannot be mixed. Wrap either by "
           "parentheses (and 1 more errors)");
}

static void words_of_the_bundler(void **state) {
    (void)state;
    static const struct {
        const char *source, *words;
    } cases[] = {
        {"this is garbage", "Line 1:5 Expected \";\" but found \"is\""},
        {"\nconst x = ;", "Line 2:10 Unexpected \";\""},
        {"f(", "Line 1:2 Unexpected end of file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *source = cases[i].source;
        char *got = syntax_words(slice_from(source, strlen(source)), SYNTAX_BUNDLER, NULL);
        assert_string_equal(got, cases[i].words);
        free(got);
    }
}

static void valid_sources_are_fine(void **state) {
    (void)state;
    static const char *const sources[] = {
        "const f = (a, { b = 1, ...c } = {}, [d] = []) => ({ a, b, get x() { return 1; }, async *g() {} })",
        "async (x) => await x; async y => y; (async () => { await z; })()",
        "class A extends B { #p = 1; static s; static { } get a() { return this.#p } set a(v) {} async m() {} *g() "
        "{} [k] = 2; has(o) { return #p in o } }",
        "label: for (const [k, v] of Object.entries(x)) { if (k) continue label; else break label }",
        "for (var i = 0, n = 1; i < n; i++) ; for (const k in o) ; do x++; while (x < 1) y()",
        "const re = /[/\\]]+/gi, d = a / b / c, t = `x${`y${1}`}z`, n = 1_000n + 0xff + .5e-3",
        "import d, * as n from 'a'; import { x as y, default as z } from 'b'; import 'c'\nexport * from 'd'; "
        "export { y as q, z }; export default async () => {}",
        "export const { a, ...rest } = { a: 1 }; export async function f() {} export class C {}",
        "switch (x) { case 1: case 2: y(); break; default: z() }",
        "let async = 1; async = 2; var yield_ = x?.[0]?.y?.(1) ?? 2; new Foo; new a.b.C(1).d",
        "a\n++b\nc = d\n(e)\nvar x = function () { return\n}",
        "await x; const y = await import('z'); import.meta.resolve('a')",
        "if (a) function f() {} else { } with_(); (-2) ** 2; typeof void 0; delete a.b",
        "var o = { if: 1, 'x': 2, 3: 4, [y]: 5, async, get, set, await: 1, static() {}, async() {}, get() {} }",
    };
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        expect(sources[i], NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_errors),
        cmocka_unit_test(words_of_tokens),
        cmocka_unit_test(words_of_the_bundler),
        cmocka_unit_test(valid_sources_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
