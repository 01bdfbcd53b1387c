/* JSON.parse and JSON.stringify have a quick way for usual values
 * (third_party/quickjs/kiln_json_*.h) and QuickJS's own for the rest: both must say the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

/* With a garbage collection at each allocation, too. */
static void expect(const char *source, const char *log) {
    for (size_t threshold = 0; threshold < 2; threshold++) {
        struct fixture f;
        fixture_init(&f);
        f.config.gc_threshold_bytes = threshold;
        fixture_script(&f, source, 1);
        assert_string_equal(fixture_log(&f), log);
        fixture_release(&f);
    }
}

/* A replacer sends JSON.stringify the slow way; eval() is another parser. Thrice: objects come from
 * remembered shapes then. */
static void texts_give_what_javascript_gives(void **state) {
    (void)state;
    expect(
        "const texts = ['{}', '[]', ' {\"a\" : [ 1 , -2 , 1.5, 0.1, 1e3, 123.456e-2 ] } ',"
        "  '[2147483647, 2147483648, -2147483648, -2147483649, 12345678901234567890, 0.000001]',"
        "  '[999999999999999, 9007199254740993, 1.7976931348623157e308, 5e-324, 0.30000000000000004]',"
        "  '\"x\\\\u00e9\\\\n\\\\ud83d\\\\ude00 \\u00e9\\\\/\"', '{\"\\u00e9\":1,\"b\":{\"\\u00e9\":2}}',"
        "  '{\"a\\\\n\":1}', '{\"a\":1,\"a\":2}', '{\"1\":2,\"0\":1,\"x\":3}', '[[[[]]],{}]', 'true',"
        "  '{\"name\":\"n\",\"value\":null}', '{\"value\":1,\"name\":2}', '{\"name\":{},\"value\":[]}',"
        "  '[{\"id\":1,\"n\":\"a\"},{\"id\":2,\"n\":\"b\"},{\"n\":1,\"id\":2}]', '\"\"', 'null',"
        "  '\\t\\r\\n[\\t\\r\\n]\\n', '\"0123456\\u007f7890123456789\"'];\n"
        "export default function () {\n"
        "  let n = 0;\n"
        "  for (let round = 0; round < 3; round++) for (const t of texts) {\n"
        "    const slow = JSON.stringify((0, eval)('(' + t + ')'), (k, v) => v);\n"
        "    const v = JSON.parse(t), quick = JSON.stringify(v);\n"
        "    if (quick !== slow || JSON.stringify(v, (k, v) => v) !== slow) console.log(t, quick, slow);\n"
        "    else n++;\n"
        "  }\n"
        "  console.log(n, Object.is(JSON.parse('-0'), -0), Object.is(JSON.parse('0'), 0));\n"
        "}",
        "info: 60 true true\n");
}

static void objects_of_one_shape_are_each_their_own(void **state) {
    (void)state;
    expect(
        "export default function () {\n"
        "  const t = '{\"x\":1,\"y\":2}', a = JSON.parse(t), b = JSON.parse(t);\n"
        "  a.z = 5; delete b.x; Object.freeze(b);\n"
        "  const c = JSON.parse(t);\n"
        "  Object.defineProperty(c, 'x', { enumerable: false, value: 9 });\n"
        "  const d = JSON.parse(t); d.x = 'd';\n"
        "  console.log(JSON.stringify([a, b, c, d, JSON.parse(t)]), Object.isFrozen(JSON.parse(t)));\n"
        "  console.log(Object.getPrototypeOf(JSON.parse(t)) === Object.prototype,\n"
        "              Object.getOwnPropertyNames(JSON.parse('{\"__proto__\":1,\"k\":2}')).join());\n"
        "}",
        "info: [{\"x\":1,\"y\":2,\"z\":5},{\"y\":2},{\"y\":2},{\"x\":\"d\",\"y\":2},{\"x\":1,\"y\":2}] "
        "false\n"
        "info: true __proto__,k\n");
}

static void what_is_no_json_is_refused(void **state) {
    (void)state;
    expect(
        "export default function () {\n"
        "  const bad = ['', '{', '[1,]', '{\"a\"}', '{\"a\":}', '01', '-', 'tru', '\"\\n\"',\n"
        "    '{\"a\":1,}', '[1 2]', '1 2', '{a:1}', \"'a'\", '[', '{\"a\":1', '\"', '\"\\\\', '+1',\n"
        "    '.5', '{\"a\":1}}', '\\u0000'];\n"
        "  let refused = 0;\n"
        "  for (const t of bad) try { JSON.parse(t); console.log(t); } catch (e) {\n"
        "    if (e instanceof SyntaxError) refused++; }\n"
        "  console.log(refused === bad.length);\n"
        "}",
        "info: true\n");
}

static void values_out_of_the_ordinary_go_the_slow_way(void **state) {
    (void)state;
    expect(
        "export default function () {\n"
        "  class P { constructor() { this.a = 1; } get g() { return 2; } }\n"
        "  const del = { x: 1, y: 2, z: 3 }; delete del.y;\n"
        "  const hidden = { v: 1 };\n"
        "  Object.defineProperty(hidden, 'h', { value: 2, enumerable: false });\n"
        "  Object.defineProperty(hidden, 'g', { get() { return 7; }, enumerable: true });\n"
        "  const own = Object.create({ inherited: 1 }); own.own = 1;\n"
        "  let deep = {}, end = deep; for (let i = 0; i < 100; i++) end = end.k = {};\n"
        "  const values = [new P(), new Date(0), own, [1, , 3], new Array(3), del, hidden, deep,\n"
        "    { b: 1, 2: 'two', 1: 'one', u: undefined, f() {}, [Symbol('s')]: 1, nan: NaN, neg: -0 },\n"
        "    { toJSON(k) { return 'T' + k; } }, [{ toJSON: () => 1 }], 'q\"\\\\\\b\\f\\n\\r\\t\\u0001\\u007f\\u0080',\n"
        "    '\\u03a9', '\\ud800', { '\\u03a9': 1 }, [undefined, () => 1, Symbol()], new Map([[1, 2]]),\n"
        "    new Uint8Array([1, 2]), Object(1), Object('s'), Object(true), /x/, Object.create(null),\n"
        "    { '4294967295': 1, '4294967294': 2, '00': 3 }, [1.5, 1e300, 5e-324, 1e21, -1e-7],\n"
        "    new Proxy({ p: 1 }, {}), { a: 'x'.repeat(3000) }, Number, undefined, Symbol(), () => 1];\n"
        "  let same = 0;\n"
        "  for (const v of values) {\n"
        "    const quick = JSON.stringify(v), slow = JSON.stringify(v, (k, v) => v);\n"
        "    if (quick === slow) same++; else console.log(quick, slow);\n"
        "  }\n"
        "  console.log(same === values.length);\n"
        "  const round = {}; round.round = round;\n"
        "  for (const v of [round, { b: 1n }]) try { JSON.stringify(v); } catch (e) { console.log(String(e)); }\n"
        "  Array.prototype.toJSON = () => 'A'; console.log(JSON.stringify({ a: [1] }));\n"
        "  delete Array.prototype.toJSON;\n"
        "  Object.prototype.toJSON = () => 'O'; console.log(JSON.stringify([{ a: 1 }]));\n"
        "  delete Object.prototype.toJSON;\n"
        "}",
        "info: true\n"
        "info: TypeError: Converting circular structure to JSON\n"
        "info: TypeError: Do not know how to serialize a BigInt\n"
        "info: {\"a\":\"A\"}\n"
        "info: \"O\"\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_give_what_javascript_gives),
        cmocka_unit_test(objects_of_one_shape_are_each_their_own),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(values_out_of_the_ordinary_go_the_slow_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
