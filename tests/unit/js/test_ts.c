/* TypeScript: what is left of a source. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "js/ts.h"

/* Compares without counting blanks: lines and columns are another test's. */
static void squeeze(char *s) {
    char *to = s;
    for (const char *from = s; *from; from++) {
        if (*from == ' ' &&
            (to == s || to[-1] == ' ' || from[1] == ' ' || from[1] == '\n' || from[1] == '\0'))
            continue;
        *to++ = *from;
    }
    *to = '\0';
}

static void expect(const char *source, const char *javascript) {
    size_t len;
    char *words,
        *got = ts_strip(slice_from(source, strlen(source)), TS_TYPESCRIPT, NULL, &len, &words);
    if (!got)
        fail_msg("%s\n  %s", source, words);
    squeeze(got);
    if (strcmp(got, javascript) != 0)
        fail_msg("%s\n  got      %s\n  expected %s", source, got, javascript);
    free(got);
}

static void types_go(void **state) {
    (void)state;
    expect("let a: number = 1", "let a = 1");
    expect("let a: Array<Array<number>>= []", "let a = []");
    expect("let f: (x: number) => void = g", "let f = g");
    expect("let o: { a: string; b?: [x: 1] } | null = null", "let o = null");
    expect("const f = <T,>(x: T, ...r: T[]): x is T => x", "const f = (x , ...r ) => x");
    expect("const g = async <T>(x: T): Promise<T> => x", "const g = async (x ) => x");
    expect("function f<T>(this: X, a?: T, b: T = 1): asserts a is T { }",
           "function f ( a , b = 1) { }");
    expect("x = (y as any as string).z + w! + <number>v", "x = (y ).z + w + v");
    expect("new Map<string, number>(); f<T>(x); a < b", "new Map (); f (x); a < b");
    expect("const o = { m<T>(x: T): T { return x } } satisfies X",
           "const o = { m (x ) { return x } }");
    expect("try { } catch (e: unknown) { }", "try { } catch (e ) { }");
    expect("c ? (b) : d", "c ? (b) : d");
    expect("let t: `a${string}` | typeof x.y[] | keyof T = z", "let t = z");
    expect("let c: T extends infer U ? U[] : never = z", "let c = z");
}

static void function_types_in_parentheses_end_where_they_end(void **state) {
    (void)state;
    expect("const f = (): ((a: number) => void) => { }", "const f = () => { }");
    expect("const f = (): (<T>(a: T) => T) => x", "const f = () => x");
    expect("const f = (): (string | number) => x", "const f = () => x");
    expect("let f: ({ a }: X, [b]?: Y) => void = g", "let f = g");
    expect("let f: (x) => y = g", "let f = g");
}

/* What must not end at a line break stays on one line, and the other way round. */
static void line_breaks_change_nothing(void **state) {
    (void)state;
    expect("const f = (): A<{\n a: 1\n}> =>\n x", "const f = ()=>\n\n\n x");
    expect("const f = async <\n T\n>(x: T) => x", "const f = async (\n\n x ) => x");
    expect("function f() { return <\nT\n>(x: T) => x }", "function f() { return (\n\n x ) => x }");
    expect("const a = b as T\n(c)", "const a = b ;\n(c)");
    expect("const a = b as T\n+ c", "const a = b\n+ c");
    expect("class A { get!: T\npost: U\n}", "class A { get ;\npost\n}");
    expect("class A { static?: T\nx = 1 }", "class A { static ;\nx = 1 }");
}

static void classes_may_extend_generics(void **state) {
    (void)state;
    expect("class A<T> extends B<T, U[]> { set: C<T> = 1; get?: D }",
           "class A extends B { set = 1; get }");
}

static void exported_types_go(void **state) {
    (void)state;
    expect("type T = 1; const v = 1; export { T, v }", "; const v = 1; export { v }");
    expect("interface X { } const X = 1; export { X }", "; const X = 1; export { X }");
    expect("import type { A } from 'a'; export { A, B }", "; export { B }");
    expect("export { type A, type B } from 'a'; x", "; x");
    expect("export { type A, b } from 'a'", "export { b } from 'a'");
}

static void namespaces_of_types_go(void **state) {
    (void)state;
    expect("export namespace A.B { export type C = 1; interface D { }\n namespace E { } } x",
           ";\n x");
}

static void declarations_go(void **state) {
    (void)state;
    expect("interface A<T> extends B, C<T> { x: number; f(): void }\nx", ";\nx");
    expect("type A<T> = B | {\n a: T }\nx", ";\n\nx");
    expect("export type { A }; export interface B {} export type C = 1", "; ; ;");
    expect("declare const a: number; declare function f(): void; declare module 'm' { let x }",
           "; ; ;");
    expect("function f(a: string): void;\nfunction f(a: any) { }", ";\nfunction f(a ) { }");
    expect("let type = 1; type = 2; let declare, abstract",
           "let type = 1; type = 2; let declare, abstract");
}

static void classes_keep_what_runs(void **state) {
    (void)state;
    expect("abstract class A<T> extends B<T> implements C, D<E> { x = 1 }",
           "class A extends B { x = 1 }");
    expect("class A { private readonly x?: number; static y!: string }",
           "class A { x ; static y }");
    expect(
        "class A { declare x: number; abstract f(): void; [k: string]: any; g(a: 1): 2; g(a) {} }",
        "class A { ; ; ; ; ; g(a) {} }");
    expect("class A { constructor(public a, private b = 1) { x() } }",
           "class A { constructor( a, b = 1) {this.a = a;this.b = b; x() } }");
    expect("class A extends B { constructor(readonly a) { super(); x() } }",
           "class A extends B { constructor( a) { super();this.a = a;; x() } }");
    expect("class A { get x(): number { return 1 } protected async *m<T>(): T { } }",
           "class A { get x() { return 1 } async *m () { } }");
}

static void enums_become_objects(void **state) {
    (void)state;
    expect(
        "enum E { A, B = 4, C }",
        "var E = ((E) => { const A = 0; E[E[\"A\"] = A] = \"A\"; const B = 4; E[E[\"B\"] = B] = \"B\"; const C = B + "
        "1; E[E[\"C\"] = C] = \"C\"; return E; })(E || {});");
    expect("export const enum E {\n A = 'x'\n}\ny",
           "export var E = ((E) => { const A = 'x'; E[\"A\"] = A; return E; })(E || {});\n\n\ny");
}

static void unused_imports_go(void **state) {
    (void)state;
    expect("import { A, b } from 'm'; let x: A = b", "import { b } from 'm'; let x = b");
    expect(
        "import type { A } from 'm'; import B from 'n'; import * as C from 'o'; import 'p'; let x: B",
        "; import 'p'; "
        "let x");
    expect("import D, { type T, u } from 'm'; u(D)", "import D, { u } from 'm'; u(D)");
    expect("import { a } from 'm'; export { a, type T }", "import { a } from 'm'; export { a, }");
    expect("import { a } from 'm'; const o = { a }", "import { a } from 'm'; const o = { a }");
}

static void places_stay(void **state) {
    (void)state;
    static const char source[] = "type A = {\n  b: 'é'\n}\nconst x: A = f<A>(1 as any);\n";
    size_t len;
    char *words,
        *got = ts_strip(slice_from(source, sizeof source - 1), TS_TYPESCRIPT, NULL, &len, &words);
    assert_string_equal(got, ";         \n        \n \nconst x    = f   (1       );\n");
    free(got);
}

static void errors_have_the_bundlers_words(void **state) {
    (void)state;
    size_t len;
    char *words;
    assert_null(
        ts_strip(SLICE("// one\nconst x: number = ;\n"), TS_TYPESCRIPT, NULL, &len, &words));
    assert_string_equal(words, "Line 2:18 Unexpected \";\"");
    free(words);
}

static void modules_may_be_typescript(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_file(&f, "/test/t.ts",
                 "export interface P { n: string }\nexport enum C { Red, Green = 'g' }\n"
                 "export function name<T extends P>(p: T): string { return p.n; }\n");
    fixture_script(
        &f,
        "import { C, name } from './t.ts';\nexport default function () { console.log(C.Red, C[0], C.Green, "
        "name({ n: 'x' })); }",
        1);
    assert_string_equal(fixture_log(&f), "info: 0 Red g x\n");
    fixture_release(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_go),
        cmocka_unit_test(function_types_in_parentheses_end_where_they_end),
        cmocka_unit_test(line_breaks_change_nothing),
        cmocka_unit_test(classes_may_extend_generics),
        cmocka_unit_test(exported_types_go),
        cmocka_unit_test(namespaces_of_types_go),
        cmocka_unit_test(declarations_go),
        cmocka_unit_test(classes_keep_what_runs),
        cmocka_unit_test(enums_become_objects),
        cmocka_unit_test(unused_imports_go),
        cmocka_unit_test(places_stay),
        cmocka_unit_test(errors_have_the_bundlers_words),
        cmocka_unit_test(modules_may_be_typescript),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
