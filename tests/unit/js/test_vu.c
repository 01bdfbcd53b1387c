#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static void expect(const char *source, int n, const char *log) {
    struct fixture f;
    fixture_init(&f);
    fixture_script(&f, source, n);
    assert_string_equal(fixture_log(&f), log);
    fixture_release(&f);
}

static void default_function_runs_per_iteration(void **state) {
    (void)state;
    expect("export default function () { console.log('hi', __VU, __ITER); }", 2,
           "info: hi 1 0\ninfo: hi 1 1\n");
}

static void init_code_runs_once_per_vu(void **state) {
    (void)state;
    expect("console.log('init', __VU); export default function () {}", 3,
           "info: init 0\ninfo: init 1\n");
}

static void commonjs_main_script(void **state) {
    (void)state;
    expect(
        "exports.default = function () { console.log('cjs', typeof module, this === undefined); };",
        1, "info: cjs object false\n");
}

static void exceptions_are_logged_with_their_stack(void **state) {
    (void)state;
    expect("function f() { throw new Error('boom'); }\nexport default function () { f(); }", 1,
           "error: Error: boom\n\tat f (file:///test/script.js:1:22(13))\n"
           "\tat default (file:///test/script.js:2:31(1))\n");
}

static void thrown_strings_have_a_stack_too(void **state) {
    (void)state;
    expect("export default function () { throw 'text'; }", 1,
           "error: text\n\tat default (file:///test/script.js:1:30(5))\n");
}

static void unhandled_rejections_fail_the_iteration(void **state) {
    (void)state;
    expect(
        "export default function () { Promise.reject('why'); setTimeout(() => console.log('no'), 1); }",
        1,
        "warn: setTimeout 1 was stopped because the VU iteration was interrupted\n"
        "error: Uncaught (in promise) why\n");
}

static void rejections_handled_in_time_are_fine(void **state) {
    (void)state;
    expect(
        "export default async function () { const p = Promise.reject(1); try { await p; } catch (e) { "
        "console.log('caught', e); } }",
        1, "info: caught 1\n");
}

static void iterations_wait_for_timers_in_order(void **state) {
    (void)state;
    expect(
        "export default function () { setTimeout(() => console.log('b'), 2); "
        "setTimeout(() => console.log('a'), 1); Promise.resolve().then(() => console.log('micro')); "
        "console.log('sync'); }",
        1, "info: sync\ninfo: micro\ninfo: a\ninfo: b\n");
}

static void intervals_clear_themselves(void **state) {
    (void)state;
    expect(
        "export default function () { let n = 0; const id = setInterval(() => { console.log(++n); "
        "if (n === 3) clearInterval(id); }, 1); }",
        1, "info: 1\ninfo: 2\ninfo: 3\n");
}

static void top_level_await_and_its_rejection(void **state) {
    (void)state;
    expect("const v = await new Promise((r) => setTimeout(() => r('late'), 1)); "
           "export default function () { console.log(v); }",
           1, "info: late\n");
    struct fixture f;
    fixture_init(&f);
    fixture_script(&f, "await Promise.reject(new Error('tla'));\nexport default function () {}", 1);
    assert_string_equal(fixture_log(&f),
                        "init: Error: tla\n\tat file:///test/script.js:1:22(35)\n\n");
    fixture_release(&f);
}

static void env_is_a_plain_object(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    map_set(&f.env, SLICE("A"), "1");
    map_set(&f.env, SLICE("B"), "2");
    fixture_script(
        &f,
        "export default function () { console.log(__ENV.A, 'B' in __ENV, __ENV.C, "
        "JSON.stringify(__ENV)); __ENV.C = 3; delete __ENV.A; console.log(__ENV); "
        "console.log(String(__ENV), __ENV.hasOwnProperty('B'), Object.keys(__ENV).join()); }",
        1);
    assert_string_equal(fixture_log(&f), "info: 1 true undefined {\"A\":\"1\",\"B\":\"2\"}\n"
                                         "info: { B: \"2\", C: 3 }\n"
                                         "info: [object Object] true B,C\n");
    fixture_release(&f);
}

static void go_random_numbers(void **state) {
    (void)state;
    expect("import { randomSeed } from 'k6'; export default function () { randomSeed(1); "
           "console.log(Math.random(), Math.random()); }",
           1, "info: 0.6046602879796196 0.9405090880450124\n");
}

static void lazy_constructors_look_like_eager_ones(void **state) {
    (void)state;
    expect("export default function () { console.log('Map' in globalThis, typeof Uint8Array, "
           "Object.getOwnPropertyNames(globalThis).includes('Date'), typeof SharedArrayBuffer); "
           "globalThis.Set = 5; console.log(Set, new Map([[1, 2]]).get(1), Set); "
           "delete globalThis.ArrayBuffer; console.log(new Uint8Array(2).buffer.byteLength, "
           "typeof ArrayBuffer, /b/.exec('abc').index, 'x1y'.split(/\\d/).join()); }",
           1, "info: true function true undefined\ninfo: 5 2 5\ninfo: 2 undefined 1 x,y\n");
}

/* ---- several VUs on one worker ---- */

static struct vu *another_vu(struct fixture *f, int64_t id) {
    struct error err;
    struct vu_params params = {.config = &f->config, .shard = f->shard, .id = id, .id_global = id};
    struct vu *vu = vu_new(&params, &err);
    assert_non_null(vu);
    vu_activate(vu, &f->scenario);
    return vu;
}

static void run_three_vus(void *arg) {
    struct fixture *f = arg;
    struct vu *vus[3] = {fixture_vu(f), NULL, NULL};
    struct vu_iteration it = {.late_ns = -1};
    for (int i = 1; i < 3; i++)
        vus[i] = another_vu(f, i + 1);
    for (int n = 0; n < 3; n++) {
        for (int i = 0; i < 3; i++)
            vu_iterate(vus[i], &it);
    }
    vu_free(vus[0]);
    vus[0] = another_vu(f, 4);
    vu_iterate(vus[0], &it);
    for (int i = 2; i >= 0; i--)
        vu_free(vus[i]);
}

static void vus_are_isolated_though_they_share_names(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_true(fixture_load(
        &f,
        "const seen = {}; const s = Symbol('mark'); let n = 0;\n"
        "class A { #p = 1; get p() { return this.#p; } }\n"
        "export default function () { seen['name' + __VU + n] = 1; seen[s] = new WeakMap([[seen, 1]]); "
        "delete seen['name' + __VU + (n - 1)]; n++; globalThis['g' + n] = n; "
        "if (n === 3 || __VU === 4) console.log(__VU, Object.keys(seen).join(), new A().p, "
        "'length' in [], typeof g3, Symbol.for('x') === Symbol.for('x')); }"));
    fixture_run(&f, run_three_vus, &f);
    assert_string_equal(fixture_log(&f), "info: 1 name12 1 true number true\n"
                                         "info: 2 name22 1 true number true\n"
                                         "info: 3 name32 1 true number true\n"
                                         "info: 4 name40 1 true undefined true\n");
    fixture_release(&f);
}

/* ---- setup, teardown, handleSummary ---- */

struct call {
    struct fixture *f;
    const char *function;
    struct slice arg;
    int64_t timeout_ns;
    int rc;
    char *json;
};

static void call_exported(void *arg) {
    struct call *c = arg;
    struct error err = {0};
    struct vu *vu = fixture_vu(c->f);
    int64_t deadline = c->timeout_ns ? clock_now_ns() + c->timeout_ns : NEVER_NS;
    c->rc = vu_call(vu, c->function, "::setup", c->arg, deadline, &c->json, &err);
    if (c->rc)
        buf_printf(&c->f->log, "failed: %s\n", vu_last_error_text());
    vu_free(vu);
}

static void expect_call(const char *source, const char *arg, int64_t timeout_ns, int rc,
                        const char *json, const char *log) {
    struct fixture f;
    struct call c = {
        .f = &f, .function = "setup", .arg = slice_cstr(arg), .timeout_ns = timeout_ns};
    fixture_init(&f);
    assert_true(fixture_load(&f, source));
    fixture_run(&f, call_exported, &c);
    assert_int_equal(c.rc, rc);
    assert_string_equal(c.json ? c.json : "(none)", json);
    assert_string_equal(fixture_log(&f), log);
    free(c.json);
    fixture_release(&f);
}

#define DEFAULT "export default function () {}\n"

static void setup_returns_json_in_go_form(void **state) {
    (void)state;
    expect_call(
        DEFAULT "export async function setup(x) { return { z: x.n + 1, a: [undefined, 'é'], "
                "m: new Map([[1, 2]]), d: new Date(0), u: new Uint8Array([1, 2, 255]) }; }",
        "{\"n\":1}", 0, 0,
        "{\"a\":[null,\"é\"],\"d\":\"1970-01-01T00:00:00Z\",\"m\":[[1,2]],\"u\":\"AQL/\",\"z\":2}",
        "");
}

static void setup_without_result(void **state) {
    (void)state;
    expect_call(DEFAULT "export function setup() {}", "", 0, 0, "", "");
}

static void setup_with_nan_is_an_error(void **state) {
    (void)state;
    expect_call(DEFAULT "export function setup() { return { n: NaN }; }", "", 0, KE_FAILED,
                "(none)",
                "failed: error marshaling setup() data to JSON: json: unsupported value: NaN\n");
}

static void setup_times_out(void **state) {
    (void)state;
    expect_call(DEFAULT "import { sleep } from 'k6'; export function setup() { sleep(60); }", "",
                20 * NS_PER_MS, KE_TIMEOUT, "(none)", "failed: context canceled\n");
    expect_call(DEFAULT "export function setup() { for (;;); }", "", 20 * NS_PER_MS, KE_TIMEOUT,
                "(none)", "failed: context canceled\n");
}

static void setup_that_throws(void **state) {
    (void)state;
    expect_call(DEFAULT "export function setup() { throw new Error('no'); }", "", 0, KE_JS,
                "(none)", "failed: Error: no\n\tat setup (file:///test/script.js:2:33(13))\n\n");
}

static void call_summary(void *arg) {
    struct call *c = arg;
    struct error err = {0};
    struct vu_summary_item *items;
    size_t len;
    struct vu *vu = fixture_vu(c->f);
    c->rc = vu_call_summary(vu, SLICE("{\"metrics\":{}}"), NEVER_NS, &items, &len, &err);
    if (c->rc)
        buf_printf(&c->f->log, "failed: %s\n", vu_last_error_text());
    for (size_t i = 0; i < len; i++)
        buf_printf(&c->f->log, "%s=%.*s\n", items[i].destination, (int)items[i].len,
                   items[i].content);
    vu_summary_free(items, len);
    vu_free(vu);
}

static void summary_gives_destinations(void **state) {
    (void)state;
    struct fixture f;
    struct call c = {.f = &f};
    fixture_init(&f);
    assert_true(fixture_load(&f, DEFAULT
                             "export function handleSummary(d) { return { stdout: 'out', "
                             "'a.json': JSON.stringify(d), bin: new Uint8Array([65]).buffer }; }"));
    fixture_run(&f, call_summary, &c);
    assert_int_equal(c.rc, 0);
    assert_string_equal(fixture_log(&f), "stdout=out\na.json={\"metrics\":{}}\nbin=A\n");
    fixture_release(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_function_runs_per_iteration),
        cmocka_unit_test(init_code_runs_once_per_vu),
        cmocka_unit_test(commonjs_main_script),
        cmocka_unit_test(exceptions_are_logged_with_their_stack),
        cmocka_unit_test(thrown_strings_have_a_stack_too),
        cmocka_unit_test(unhandled_rejections_fail_the_iteration),
        cmocka_unit_test(rejections_handled_in_time_are_fine),
        cmocka_unit_test(iterations_wait_for_timers_in_order),
        cmocka_unit_test(intervals_clear_themselves),
        cmocka_unit_test(top_level_await_and_its_rejection),
        cmocka_unit_test(env_is_a_plain_object),
        cmocka_unit_test(go_random_numbers),
        cmocka_unit_test(lazy_constructors_look_like_eager_ones),
        cmocka_unit_test(vus_are_isolated_though_they_share_names),
        cmocka_unit_test(setup_returns_json_in_go_form),
        cmocka_unit_test(setup_without_result),
        cmocka_unit_test(setup_with_nan_is_an_error),
        cmocka_unit_test(setup_times_out),
        cmocka_unit_test(setup_that_throws),
        cmocka_unit_test(summary_gives_destinations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
