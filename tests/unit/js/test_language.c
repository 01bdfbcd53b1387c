/* Where QuickJS was brought to k6's JavaScript engine. */
#include "script_test.h"

#define RUN(code) "export default function () { " code " }"
#define TRY(code) "try { " code " } catch (e) { console.log(String(e)); }\n"

static void functions_know_their_text(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_file(&f, "/test/lib.js", "#!/shebang\nmodule.exports = { two: (x) => x * 2 };\n");
    fixture_file(&f, "/test/typed.ts",
                 "export function typed(a: number): string { return `${a}`; }\n");
    fixture_script(
        &f,
        "import { typed } from './typed.ts'; const lib = require('./lib.js');\n"
        "function add(a, b) { return a + b; /* é */ }\n"
        "class C { static s = 1; m() { return 1; } get g() { return 2; } }\n"
        "export default function () { console.log(add.toString()); console.log(String(lib.two)); "
        "console.log(String(C)); console.log(String(new C().m)); console.log(String(typed)); "
        "console.log(String(async (x) => { await x; })); console.log(String(Math.max)); }",
        1);
    assert_string_equal(fixture_log(&f),
                        "info: function add(a, b) { return a + b; /* é */ }\n"
                        "info: (x) => x * 2\n"
                        "info: class C { static s = 1; m() { return 1; } get g() { return 2; } }\n"
                        "info: m() { return 1; }\n"
                        "info: function typed(a        )         { return `${a}`; }\n"
                        "info: async (x) => { await x; }\n"
                        "info: function max() {\n    [native code]\n}\n");
    fixture_release(&f);
}

static void eval_has_the_words_of_k6s_parser(void **state) {
    (void)state;
    expect_log(RUN(TRY("eval('let x = ;');") TRY("new Function('a', 'return a +');")
                       TRY("eval('const a');")),
               "info: SyntaxError: SyntaxError: <eval>: Line 1:9 Unexpected token ; (and 1 more "
               "errors)\n"
               "info: SyntaxError: SyntaxError: <eval>: Line 4:1 Unexpected token } (and 2 more "
               "errors)\n"
               "info: SyntaxError: missing initializer for const variable\n");
}

static void errors_have_k6s_words(void **state) {
    (void)state;
    expect_log(
        RUN(TRY("class A extends Object { constructor() { this.x = 1; } } new A();")
                TRY("class A { #p = 1; static s(o) { o.#p = 2; } } A.s({});") TRY("BigInt('x');")
                    TRY("BigInt(1.5);") TRY("1n / 0n;") TRY("+1n;") TRY("(1).toFixed(101);")
                        TRY("(1).toString(1);") TRY("'x' in 'abc';") TRY("Object.create(5);")
                            TRY("Object.defineProperty({}, 'a', { get: 1 });")
                                TRY("delete Object.freeze({ a: 1 }).a;")
                                    TRY("({ get a() { return 1; } }).a = 2;")
                                        TRY("new Proxy({}, { set() { return false; } }).x = 1;")
                                            TRY("'a'.replaceAll(/x/, '');")),
        "info: ReferenceError: Must call super constructor in derived class before accessing 'this'\n"
        "info: TypeError: Cannot write private member #p from an object whose class did not declare it\n"
        "info: SyntaxError: Cannot convert x to a BigInt\n"
        "info: RangeError: Cannot convert 1.5 to a BigInt\n"
        "info: RangeError: Division by zero\n"
        "info: TypeError: Cannot convert a BigInt value to a number\n"
        "info: RangeError: toFixed() precision must be between 0 and 100\n"
        "info: RangeError: toString() radix argument must be between 2 and 36\n"
        "info: TypeError: Value is not an object: abc\n"
        "info: TypeError: Object prototype may only be an Object or null: 5\n"
        "info: TypeError: Getter must be a function: 1\n"
        "info: TypeError: Cannot delete property 'a' of [object Object]\n"
        "info: TypeError: Cannot assign to read only property 'a'\n"
        "info: TypeError: 'set' on proxy: trap returned falsish for property 'x'\n"
        "info: TypeError: String.prototype.replaceAll called with a non-global RegExp argument\n");
}

static void strings_compare_as_people_sort(void **state) {
    (void)state;
    expect_log(
        RUN("console.log(['b', 'a', 'C', 'A', 'c', 'B', '\\u00e4', 'z', '1', '_', '-', ' ', 'ae', "
            "'\\u00e6', 'az', '\\u0416', '\\u0436', '10', '2'].sort((x, y) => "
            "x.localeCompare(y)).join('|'));"
            "console.log('a'.localeCompare('z'), 'a'.localeCompare('A'), 'a'.localeCompare('\\u00e1'), "
            "'\\u00e9'.localeCompare('e\\u0301'), 'a-b'.localeCompare('ab'), ''.localeCompare('a'), "
            "'b'.localeCompare('a'), 'r\\u00e9sum\\u00e9'.localeCompare('resume'), "
            "'resumes'.localeCompare('r\\u00e9sum\\u00e9'));"),
        "info:  |_|-|1|10|2|a|A|ä|ae|æ|az|b|B|c|C|z|ж|Ж\n"
        "info: -1 -1 -1 0 -1 -1 1 1 1\n");
}

static void imports_of_javascript_stay_beside_attributes(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_file(&f, "/test/effect.js", "globalThis.seen = 'effect'; export const unused = 1;\n");
    fixture_file(&f, "/test/data.json", "{\"a\": 1}");
    fixture_script(&f,
                   "import { unused } from './effect.js';\n"
                   "import data from './data.json' with { type: 'json' };\n"
                   "export default function () { console.log(globalThis.seen, data.a); }",
                   1);
    assert_string_equal(fixture_log(&f), "info: effect 1\n");
    fixture_release(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_know_their_text),
        cmocka_unit_test(eval_has_the_words_of_k6s_parser),
        cmocka_unit_test(errors_have_k6s_words),
        cmocka_unit_test(strings_compare_as_people_sort),
        cmocka_unit_test(imports_of_javascript_stay_beside_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
