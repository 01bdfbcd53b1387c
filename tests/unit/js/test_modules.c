/* Resolution and loading of modules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "js/script_internal.h"

static void resolves(const char *pwd, const char *specifier, const char *url) {
    struct error err = {0};
    char *got = script_resolve(pwd, specifier, &err);
    assert_string_equal(got ? got : err.text, url);
    free(got);
}

static void specifiers_resolve_as_in_k6(void **state) {
    (void)state;
    resolves("file:///a/b/", "./c.js", "file:///a/b/c.js");
    resolves("file:///a/b/", "../c.js", "file:///a/c.js");
    resolves("file:///a/b/", "../../../c.js", "file:///c.js");
    resolves("file:///a/b/", "/x/./y.js", "file:///x/y.js");
    resolves("file:///a/b/", "./sp ace.js", "file:///a/b/sp%20ace.js");
    resolves("file:///a%20b/", "./c.js", "file:///a%20b/c.js");
    resolves("file:///a/", "file:///z.js", "file:///z.js");
    resolves("https://h/a/b/", "./c.js", "https://h/a/b/c.js");
    resolves("https://h/a/b/", "/c.js", "https://h/c.js");
    resolves("https://h/a/", "file:///c.js",
             "origin (https://h/a/) not allowed to load local file: file:///c.js");
    resolves("file:///a/", "http://h/c.js",
             "only supported schemes for imports are file and https, http://h/c.js has `http`");
    resolves("file:///a/", "lodash",
             "The moduleSpecifier \"lodash\" couldn't be recognised as something k6 supports.");
    resolves("file:///a/", "", "local or remote path required");
}

static void esm_is_told_from_commonjs(void **state) {
    (void)state;
    static const struct {
        const char *source;
        bool is_esm;
    } cases[] = {
        {"import x from 'y'", true},
        {"import'y'", true},
        {"export default 1", true},
        {"export { a }", true},
        {"export * from 'x'", true},
        {"await x", true},
        {"if (1) { await x }", true},
        {"for await (const x of y) ;", true},
        {"const a = import.meta.url", true},
        {"const s = `${await f()}`", true},
        {"#!/usr/bin/env k6\nimport x from 'y'", true},
        {"const x = require('y'); exports.z = 1", false},
        {"module.exports = { import: 1, export: 2, await: 3 }", false},
        {"x.import(1); x.await; x.export()", false},
        {"async function f() { await x }", false},
        {"const f = async () => await x;", false},
        {"const f = async () => { await x }", false},
        {"const o = { async m() { await x } }", false},
        {"import('x')", false},
        {"// import x from 'y'\n/* export default 1 */", false},
        {"const s = 'import x'; const t = `export default ${1}`", false},
        {"const r = /import x from 'y'/", false},
        {"const q = a / b; const c = 'export default' / 2", false},
        {"function f() { return /[/]await x/ }", false},
        {"{ import: 1 }", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool got = source_is_esm(slice_cstr(cases[i].source));
        if (got != cases[i].is_esm)
            fail_msg("%s", cases[i].source);
    }
}

static void run(const char *const *files, const char *source, const char *log) {
    struct fixture f;
    fixture_init(&f);
    for (; files && *files; files += 2)
        fixture_file(&f, files[0], files[1]);
    fixture_script(&f, source, 1);
    assert_string_equal(fixture_log(&f), log);
    fixture_release(&f);
}

static void modules_import_each_other(void **state) {
    (void)state;
    const char *const files[] = {
        "/test/a.js",
        "import { b, seeA } from './b.js'; export const a = 'A' + b; export { seeA };",
        "/test/b.js",
        "import { a } from './a.js'; export const b = 'B'; export const seeA = () => a;", NULL};
    run(files,
        "import { a, seeA } from './a.js'; export default function () { console.log(a, seeA()); }",
        "info: AB AB\n");
}

static void commonjs_has_default_and_named_exports(void **state) {
    (void)state;
    const char *const files[] = {
        "/test/c.js", "exports.plus = (a, b) => a + b; exports.list = [1];", "/test/f.js",
        "module.exports = function () { return 'called'; }; module.exports.extra = 1;", NULL};
    run(files,
        "import c, { plus, absent } from './c.js'; import * as ns from './c.js'; import f, { extra } from './f.js';\n"
        "export default function () { console.log(plus(1, 2), absent, typeof c.plus, Object.keys(ns).join(), f(), extra); }",
        "info: 3 undefined function list,plus called 1\n");
}

static void require_gives_one_instance(void **state) {
    (void)state;
    const char *const files[] = {"/test/c.js",
                                 "exports.n = 0;",
                                 "/test/e.js",
                                 "export const x = 'esm'; export default 1;",
                                 "/test/dir/d.js",
                                 "exports.c = require('../c.js');",
                                 NULL};
    run(files,
        "const c = require('./c.js'), d = require('./dir/d.js'), e = require('./e.js'), k = require('k6');\n"
        "exports.default = function () { console.log(c === d.c, e.x, e.default, typeof k.sleep); };",
        "info: true esm 1 function\n");
}

static void cycles_of_require_see_what_is_there(void **state) {
    (void)state;
    const char *const files[] = {
        "/test/a.js", "exports.early = 1; const b = require('./b.js'); exports.late = b.saw;",
        "/test/b.js", "exports.saw = require('./a.js').early;", NULL};
    run(files,
        "const a = require('./a.js'); exports.default = function () { console.log(a.late); };",
        "info: 1\n");
}

static void a_missing_name_fails_after_its_dependencies_ran(void **state) {
    (void)state;
    const char *const files[] = {"/test/lib.js", "console.log('lib'); export const x = 1;", NULL};
    run(files, "import { y } from './lib.js';\nexport default function () {}",
        "info: lib\ninit: SyntaxError: The requested module \"./lib.js\" does not provide an export named \"y\"\n"
        "\tat file:///test/script.js:1:12(0)\n\n");
}

static void missing_names_of_k6_modules_are_undefined(void **state) {
    (void)state;
    run(NULL,
        "import { nope } from 'k6'; import k6 from 'k6'; export default function () { "
        "console.log(nope, Object.keys(k6).join()); }",
        "info: undefined check,fail,group,randomSeed,sleep\n");
}

static void unknown_modules_are_named_together(void **state) {
    (void)state;
    run(NULL, "import 'k6/b'; import 'k6/a'; export default function () {}",
        "init: unknown modules [\"k6/a\", \"k6/b\"] were tried to be loaded, but couldn't - this likely means automatic "
        "extension resolution is required or a custom k6 binary with the required extensions\n");
}

static void later_vus_cannot_load_more(void **state) {
    (void)state;
    const char *const files[] = {"/test/a.js", "exports.a = 1;", "/test/x.txt", "text", NULL};
    run(files,
        "if (__VU > 0) { for (const f of [() => require('./a.js'), () => open('x.txt')]) { try { f(); } catch (e) { "
        "console.log(e.toString()); } } }\nexports.default = function () {};",
        "info: GoError: the module \"./a.js\" was not previously resolved during initialization (__VU==0)\n"
        "info: GoError: open() can't be used with files that weren't previously opened during initialization "
        "(__VU==0), path: \"/test/x.txt\"\n");
}

static void open_is_relative_to_the_outermost_file(void **state) {
    (void)state;
    const char *const files[] = {
        "/test/data.txt",
        "main data",
        "/test/lib/data.txt",
        "lib data",
        "/test/lib/l.js",
        "export const own = open('./data.txt'); export const read = (n) => open(n);",
        "/test/lib/c.js",
        "exports.own = open('./data.txt');",
        NULL};
    struct fixture f;
    fixture_init(&f);
    for (const char *const *p = files; *p; p += 2)
        fixture_file(&f, p[0], p[1]);
    fixture_script(
        &f,
        "import { own, read } from './lib/l.js'; import { own as cjs } from './lib/c.js';\n"
        "const here = read('./data.txt');\n"
        "export default function () { console.log(own, '|', cjs, '|', here); }",
        1);
    assert_non_null(strstr(fixture_log(&f), "info: lib data | lib data | main data\n"));
    assert_non_null(strstr(fixture_log(&f),
                           "warn: open() was used and is currently relative to 'file:///test/'"));
    fixture_release(&f);
}

static void open_outside_init_is_refused(void **state) {
    (void)state;
    run(NULL,
        "export default function () { try { open('x'); } catch (e) { console.log(e.message.slice(0, 49)); } }",
        "info: the \"open\" function is only available in the init\n");
}

static void import_meta_resolves(void **state) {
    (void)state;
    run(NULL,
        "export default function () { console.log(Object.keys(import.meta).join(), "
        "import.meta.resolve('./x.js')); }",
        "info: resolve file:///test/x.js\n");
}

static void dynamic_import_is_refused(void **state) {
    (void)state;
    run(NULL,
        "export default async function () { try { await import('./x.js'); } catch (e) { console.log(String(e)); } }",
        "info: dynamic modules not enabled in the host program\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specifiers_resolve_as_in_k6),
        cmocka_unit_test(esm_is_told_from_commonjs),
        cmocka_unit_test(modules_import_each_other),
        cmocka_unit_test(commonjs_has_default_and_named_exports),
        cmocka_unit_test(require_gives_one_instance),
        cmocka_unit_test(cycles_of_require_see_what_is_there),
        cmocka_unit_test(a_missing_name_fails_after_its_dependencies_ran),
        cmocka_unit_test(missing_names_of_k6_modules_are_undefined),
        cmocka_unit_test(unknown_modules_are_named_together),
        cmocka_unit_test(later_vus_cannot_load_more),
        cmocka_unit_test(open_is_relative_to_the_outermost_file),
        cmocka_unit_test(open_outside_init_is_refused),
        cmocka_unit_test(import_meta_resolves),
        cmocka_unit_test(dynamic_import_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
