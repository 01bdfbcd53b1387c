/* What scripts can do to the C code below them: recursion, endless loops, huge values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "fixture.h"
#include "js/js_alloc.h"

static void expect(const char *source, const char *log) {
    struct fixture f;
    fixture_init(&f);
    fixture_script(&f, source, 1);
    assert_string_equal(fixture_log(&f), log);
    fixture_release(&f);
}

#define CAUGHT "info: caught RangeError: Maximum call stack size exceeded\n"
#define TOO_DEEP "info: caught SyntaxError: exceeded max depth\n"
#define TRY(code)                              \
    "export default function () { try { " code \
    "; console.log('no error'); } catch (e) { console.log('caught', String(e)); } }"

static void endless_recursion_is_a_js_error(void **state) {
    (void)state;
    expect(TRY("const f = (n) => f(n + 1) + 1; f(0)"), CAUGHT);
}

static void recursion_through_native_functions_is_a_js_error(void **state) {
    (void)state;
    expect(TRY("const f = () => [1].map(f); f()"), CAUGHT);
    expect(TRY("const o = { toString() { return '' + o; } }; String(o)"), CAUGHT);
    expect(TRY("const o = { toJSON() { return JSON.stringify(o); } }; JSON.stringify(o)"), CAUGHT);
    expect(TRY("const p = new Proxy({}, { get(t, k, r) { return r[k]; } }); p.x"), CAUGHT);
    expect(TRY("const f = () => 'a'.replace(/a/, f); f()"), CAUGHT);
    expect(TRY("const f = () => Reflect.apply(f, null, []); f()"), CAUGHT);
}

static void nested_arrays_to_string_is_a_js_error(void **state) {
    (void)state;
    expect(TRY("let a = []; for (let i = 0; i < 100000; i++) a = [a]; String(a)"), CAUGHT);
}

static void deep_json_is_a_js_error(void **state) {
    (void)state;
    expect(TRY("let a = []; for (let i = 0; i < 100000; i++) a = [a]; JSON.stringify(a)"), CAUGHT);
    expect(TRY("JSON.parse('['.repeat(100000) + ']'.repeat(100000))"), TOO_DEEP);
    expect(TRY("JSON.parse('{\"a\":'.repeat(100000) + '1' + '}'.repeat(100000))"), TOO_DEEP);
}

static void deep_values_in_console_are_a_js_error(void **state) {
    (void)state;
    expect(TRY("let a = {}; for (let i = 0; i < 100000; i++) a = { a }; console.log(a)"), CAUGHT);
}

static void deep_source_is_a_js_error(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_script(&f, TRY("(0, eval)('('.repeat(100000))"), 1);
    assert_non_null(strstr(fixture_log(&f), "caught "));
    fixture_release(&f);
}

static void deep_regexps_end(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_script(&f,
                   TRY("new RegExp('('.repeat(50000) + ')'.repeat(50000)).test('a'); "
                       "/(a|b)*c/.test('ab'.repeat(200000))"),
                   1);
    assert_true(f.log.len > 0);
    fixture_release(&f);
}

/* Large blocks and small ones count; what a script lets go can be had again. */
static void taking_all_memory_is_a_js_error(void **state) {
    (void)state;
    js_alloc_set_limit(64 << 20);
    expect(TRY("for (const all = [];;) all.push(new Array(1000).fill(1.5))"),
           "info: caught InternalError: out of memory\n");
    expect(TRY("for (const all = [];;) all.push({ a: all.length })"),
           "info: caught InternalError: out of memory\n");
    expect(TRY("for (let i = 0; i < 100; i++) new Uint8Array(1 << 20).fill(i)"),
           "info: no error\n");
    js_alloc_set_limit(SIZE_MAX);
}

static void getters_that_throw_while_printing_throw_from_console(void **state) {
    (void)state;
    expect(TRY("console.log({ get a() { throw new Error('getter'); } })"),
           "info: caught Error: getter\n");
}

/* ---- interrupts ---- */

struct stop {
    struct fixture *f;
    struct vu *vu;
    struct fiber *fiber;
    enum vu_result result;
    struct worker_timer timer;
};

static void fire(struct worker_timer *t) {
    vu_interrupt(((struct stop *)((char *)t - offsetof(struct stop, timer)))->vu);
}

static void run_and_stop(void *arg) {
    struct stop *s = arg;
    struct vu_iteration it = {.late_ns = -1};
    s->vu = fixture_vu(s->f);
    if (!s->vu) {
        buf_printf(&s->f->log, "init: %s\n", vu_last_error_text());
        return;
    }
    worker_timer_start(fiber_worker(fiber_self()), &s->timer, clock_now_ns() + 20 * NS_PER_MS,
                       fire);
    s->result = vu_iterate(s->vu, &it);
    /* The next iteration runs as if nothing had been. */
    s->f->scenario.exec = "after";
    vu_activate(s->vu, &s->f->scenario);
    vu_iterate(s->vu, &it);
    vu_free(s->vu);
}

static void expect_stopped(const char *source, const char *log) {
    struct fixture f;
    struct stop s = {.f = &f};
    fixture_init(&f);
    assert_true(fixture_load(&f, source));
    fixture_run(&f, run_and_stop, &s);
    assert_int_equal(s.result, VU_INTERRUPTED);
    assert_string_equal(fixture_log(&f), log);
    fixture_release(&f);
}

#define AFTER "export function after() { console.log('after'); }\n"

static void endless_loops_are_interrupted_and_cannot_catch_it(void **state) {
    (void)state;
    expect_stopped(AFTER "export default function () { for (;;) { try { for (;;); } catch (e) { "
                         "console.log('caught'); } finally { console.log('finally'); } } }",
                   "info: after\n");
}

static void sleeps_are_interrupted(void **state) {
    (void)state;
    expect_stopped(AFTER
                   "import { sleep } from 'k6'; export default function () { try { sleep(60); } "
                   "finally { console.log('finally'); } }",
                   "info: after\n");
}

static void async_functions_are_interrupted(void **state) {
    (void)state;
    expect_stopped(
        AFTER "import { sleep } from 'k6'; async function nap() { try { sleep(60); } catch (e) { "
              "console.log('caught'); } } export default async function () { try { nap(); "
              "console.log('went on'); await 1; console.log('later'); } catch (e) { "
              "console.log('outer'); } }",
        "info: after\n");
}

static void timers_are_dropped_with_a_warning(void **state) {
    (void)state;
    expect_stopped(AFTER
                   "export default function () { setTimeout(() => console.log('never'), 60000); "
                   "setInterval(() => {}, 50000); }",
                   "warn: setInterval 2 was stopped because the VU iteration was interrupted\n"
                   "warn: setTimeout 1 was stopped because the VU iteration was interrupted\n"
                   "info: after\n");
}

static void endless_promise_chains_are_interrupted(void **state) {
    (void)state;
    expect_stopped(AFTER
                   "export default function () { const f = () => Promise.resolve().then(f); f(); }",
                   "info: after\n");
}

static void endless_regexps_are_interrupted(void **state) {
    (void)state;
    expect_stopped(AFTER "export default function () { /^(a+)+$/.test('a'.repeat(40) + 'b'); }",
                   "info: after\n");
}

static void abort_cannot_be_caught(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_script(&f,
                   "import exec from 'k6/execution';\n"
                   "export default function () { try { exec.test.abort('enough'); } catch (e) { "
                   "console.log('caught'); } console.log('on'); }",
                   1);
    assert_string_equal(fixture_log(&f), "interrupted\n");
    assert_int_equal(f.aborted, 1);
    assert_string_equal(f.reason, "test aborted: enough");
    fixture_release(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endless_recursion_is_a_js_error),
        cmocka_unit_test(recursion_through_native_functions_is_a_js_error),
        cmocka_unit_test(nested_arrays_to_string_is_a_js_error),
        cmocka_unit_test(deep_json_is_a_js_error),
        cmocka_unit_test(deep_values_in_console_are_a_js_error),
        cmocka_unit_test(deep_source_is_a_js_error),
        cmocka_unit_test(deep_regexps_end),
        cmocka_unit_test(taking_all_memory_is_a_js_error),
        cmocka_unit_test(getters_that_throw_while_printing_throw_from_console),
        cmocka_unit_test(endless_loops_are_interrupted_and_cannot_catch_it),
        cmocka_unit_test(sleeps_are_interrupted),
        cmocka_unit_test(async_functions_are_interrupted),
        cmocka_unit_test(timers_are_dropped_with_a_warning),
        cmocka_unit_test(endless_promise_chains_are_interrupted),
        cmocka_unit_test(endless_regexps_are_interrupted),
        cmocka_unit_test(abort_cannot_be_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
