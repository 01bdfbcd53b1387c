/* The modules k6, k6/metrics, k6/execution and k6/data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "fixture.h"
#include "metrics/tags.h"

static void expect(const char *source, const char *log) {
    struct fixture f;
    fixture_init(&f);
    fixture_script(&f, source, 1);
    assert_string_equal(fixture_log(&f), log);
    fixture_release(&f);
}

#define RUN(code) "export default function () { " code " }"
#define TRY(code) "try { " code "; } catch (e) { console.log(e.toString()); } "

/* ---- samples ---- */

static double sum_of(struct fixture *f, const char *metric) {
    struct aggregate *a = aggregate_new();
    aggregate_merge(a, shard_take(f->shard));
    const struct sink *s = aggregate_sink(a, metric_find(slice_cstr(metric)));
    double sum = s ? s->counter.sum : -1;
    aggregate_free(a);
    return sum;
}

static void counters_add_up(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_script(
        &f,
        "import { Counter } from 'k6/metrics'; const c = new Counter('mine'); const add = c.add;\n"
        "export default function () { c.add(2); add('0.5', { a: 1 }); c.add(true); c.add('x'); "
        "console.log(c.name, Object.keys(c).join()); }",
        3);
    assert_non_null(strstr(fixture_log(&f), "info: mine name,add\n"));
    assert_non_null(strstr(fixture_log(&f),
                           "warn: 'x' is an invalid value for metric 'mine', a number or a "
                           "boolean value is expected\n"));
    assert_true(sum_of(&f, "mine") == 10.5);
    fixture_release(&f);
}

static void iterations_are_counted(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_script(&f, RUN("if (__ITER == 1) throw new Error('x')"), 4);
    assert_true(sum_of(&f, "iterations") == 4);
    fixture_release(&f);
}

static void bad_metrics_are_refused(void **state) {
    (void)state;
    expect(
        "import { Counter, Trend } from 'k6/metrics'; new Counter('dup');\n"
        "if (__VU === 1) {" TRY("new Trend('dup')") TRY("new Counter('a b')")
            TRY("new Counter()") "}\n" RUN(TRY("new Counter('late')")),
        "info: GoError: metric 'dup' already exists but with type counter, instead of trend\n"
        "info: GoError: Invalid metric name: 'a b'. Metric names must only include up to 128 ASCII letters, "
        "numbers, or underscores and start with a letter or an underscore.\n"
        "info: GoError: Invalid metric name: ''. Metric names must only include up to 128 ASCII letters, "
        "numbers, or underscores and start with a letter or an underscore.\n"
        "info: GoError: metrics must be declared in the init context\n");
}

static void long_bad_values_are_shortened(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_script(&f,
                   "import { Gauge } from 'k6/metrics'; const g = new Gauge('gg');" RUN(
                       "g.add('a'.repeat(60) + "
                       "'é'.repeat(60))"),
                   1);
    assert_non_null(strstr(fixture_log(&f),
                           "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa... omitting 20 "
                           "characters ...éé"));
    fixture_release(&f);
}

/* ---- k6 ---- */

static void check_counts_and_returns(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_script(
        &f,
        "import { check, group } from 'k6';\n" RUN(
            "console.log(check(1, { one: (v) => v === 1, two: true }), check(1, { no: () => 0 })); "
            "console.log(group('g', () => check(2, { in: () => true }))); " TRY(
                "check(1, { 'a::b': true })") TRY("group('a::b', () => {})") TRY("group('x')")),
        1);
    assert_string_equal(fixture_log(&f),
                        "info: true false\ninfo: true\n"
                        "info: GoError: group and check names may not contain '::'\n"
                        "info: GoError: group and check names may not contain '::'\n"
                        "info: GoError: group() requires a callback as a second argument\n");
    struct aggregate *a = aggregate_new();
    aggregate_merge(a, shard_take(f.shard));
    const struct sink *s = aggregate_sink(a, metric_find(SLICE("checks")));
    assert_int_equal(s->rate.trues, 3);
    assert_int_equal(s->rate.total, 4);
    const struct group_stats *root = aggregate_root_group(a);
    assert_int_equal(root->n_checks, 3);
    assert_int_equal(root->n_groups, 1);
    assert_string_equal(root->groups[0]->path, "::g");
    aggregate_free(a);
    fixture_release(&f);
}

static void groups_end_when_they_throw(void **state) {
    (void)state;
    expect(
        "import { group } from 'k6'; import exec from 'k6/execution';\n" RUN(TRY(
            "group('a', () => group('b', () => { console.log(exec.vu.tags.group); throw new Error('x'); }))") "console.log(JSON.stringify(exec.vu.tags.group));"),
        "info: ::a::b\ninfo: Error: x\ninfo: \"\"\n");
}

static void fail_throws(void **state) {
    (void)state;
    expect("import { fail } from 'k6';\n" RUN(TRY("fail('why')") TRY("fail()")),
           "info: GoError: why\ninfo: GoError\n");
}

/* ---- k6/execution ---- */

static void execution_tells_where_we_are(void **state) {
    (void)state;
    expect(
        "import exec from 'k6/execution';\n" RUN(
            "console.log(exec.vu.idInTest, exec.vu.iterationInScenario, exec.scenario.name, exec.scenario.executor, "
            "exec.instance.iterationsCompleted, Object.keys(exec.test.options).join()); 'use strict'; " TRY(
                "exec.test.options.x = 1")),
        "info: 1 0 default shared-iterations 0 paused,consoleOutput,localIPs\n"
        "info: TypeError: Cannot add property x, object is not extensible\n");
}

static void tags_are_properties(void **state) {
    (void)state;
    expect(
        "import exec from 'k6/execution';\n" RUN(
            "exec.vu.tags.a = 5; exec.vu.metrics.tags.b = true; exec.vu.metrics.metadata.m = 'x'; "
            "console.log(JSON.stringify(exec.vu.tags), 'a' in exec.vu.tags, exec.vu.metrics.metadata.m); "
            "delete exec.vu.tags.a; console.log(exec.vu.tags.a, Object.keys(exec.vu.metrics.metadata).join()); " TRY(
                "exec.vu.tags.c = {}")),
        "info: {\"a\":\"5\",\"b\":\"true\",\"group\":\"\",\"scenario\":\"default\"} true x\n"
        "info: undefined m\n"
        "info: TypeError: invalid value for metric tag 'c': only String, Boolean and Number types are accepted as a "
        "metric tag values\n");
}

static void failing_a_test_goes_on(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_script(
        &f, "import exec from 'k6/execution';" RUN("exec.test.fail('bad'); console.log('on');"), 1);
    assert_string_equal(fixture_log(&f), "error: test marked as failed: bad\ninfo: on\n");
    assert_int_equal(f.failed, 1);
    fixture_release(&f);
}

/* ---- k6/data ---- */

static void shared_arrays_are_arrays_that_cannot_change(void **state) {
    (void)state;
    expect(
        "import { SharedArray } from 'k6/data';\n"
        "const a = new SharedArray('a', () => { console.log('made'); return [{ n: 1, d: { e: [2] } }, 'two', 3]; });\n" RUN(
            "console.log(a.length, Array.isArray(a), JSON.stringify(a), a[3], a[-1], Object.keys(a).join()); "
            "console.log(a.map((x) => typeof x).join(), [...a].length, a.indexOf('two'), 1 in a, 5 in a); "
            "console.log(Object.isFrozen(a[0]), Object.isFrozen(a[0].d.e), a[0] === a[0]); " TRY(
                "a[0] = 1") TRY("a.push(1)") TRY("a[0].n = 2")
                TRY("delete a[0]") "for (const x of a) console.log(x);"),
        "info: made\n"
        "info: 3 true [{\"n\":1,\"d\":{\"e\":[2]}},\"two\",3] undefined undefined 0,1,2\n"
        "info: object,string,number 3 1 true false\n"
        "info: true true false\n"
        "info: TypeError: SharedArray is immutable\n"
        "info: TypeError: SharedArray is immutable\n"
        "info: TypeError: Cannot assign to read only property 'n'\n"
        "info: TypeError: SharedArray is immutable\n"
        "info: { n: 1, d: { e: [ 2 ] } }\ninfo: two\ninfo: 3\n");
}

static void a_group_without_a_name_has_an_empty_one(void **state) {
    (void)state;
    expect("import { group } from 'k6'; import exec from 'k6/execution';" RUN(
               "group(null, () => console.log(`[${exec.vu.tags.group}]`));"
               "group(5, () => console.log(`[${exec.vu.tags.group}]`));"),
           "info: [::]\ninfo: [::5]\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_add_up),
        cmocka_unit_test(iterations_are_counted),
        cmocka_unit_test(bad_metrics_are_refused),
        cmocka_unit_test(long_bad_values_are_shortened),
        cmocka_unit_test(check_counts_and_returns),
        cmocka_unit_test(groups_end_when_they_throw),
        cmocka_unit_test(fail_throws),
        cmocka_unit_test(execution_tells_where_we_are),
        cmocka_unit_test(tags_are_properties),
        cmocka_unit_test(failing_a_test_goes_on),
        cmocka_unit_test(a_group_without_a_name_has_an_empty_one),
        cmocka_unit_test(shared_arrays_are_arrays_that_cannot_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
