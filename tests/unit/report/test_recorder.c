/* The events of a run, the period, and the reports for machines. */
#include "unit.h"

#include "base/check.h"
#include "base/vec.h"
#include "fixture.h"
#include "report/recorder.h"
#include "report/report_html.h"
#include "report/report_text.h"

struct event {
    char *name, *json;
};

struct world {
    struct tag_table *tags;
    struct shard *shard;
    struct aggregate *aggregate;
    struct recorder *recorder;
    VEC(struct event) events;
};

static void on_event(void *arg, const char *event, struct slice json, bool is_latest) {
    struct world *w = arg;
    (void)is_latest;
    vec_push(&w->events, (struct event){xstrdup(event), slice_dup(json)});
}

static int setup(void **state) {
    static const char *const scenarios[] = {"default"};
    static const struct slice tags[] = {{"group", 5}};
    struct world *w = xcalloc(1, sizeof *w);
    metrics_init();
    w->tags = tag_table_new();
    w->shard = shard_new(w->tags);
    w->aggregate = aggregate_new();
    aggregate_keep_windows(w->aggregate);
    shard_break_down(w->shard, tags, 1);
    struct recorder_config config = {.script = "a.js",
                                     .program = "kiln",
                                     .scenarios = scenarios,
                                     .n_scenarios = 1,
                                     .end_offset_ns = 30 * NS_PER_S,
                                     .period_ns = 2 * NS_PER_S,
                                     .tags = tags,
                                     .n_tags = 1,
                                     .give = on_event,
                                     .arg = w};
    w->recorder = recorder_new(&config, 0);
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    for (size_t i = 0; i < w->events.len; i++) {
        free(w->events.ptr[i].name);
        free(w->events.ptr[i].json);
    }
    vec_release(&w->events);
    recorder_free(w->recorder);
    aggregate_free(w->aggregate);
    shard_free(w->shard);
    tag_table_free(w->tags);
    free(w);
    metrics_shutdown();
    return 0;
}

static size_t count(const struct world *w, const char *name) {
    size_t n = 0;
    for (size_t i = 0; i < w->events.len; i++)
        n += strcmp(w->events.ptr[i].name, name) == 0;
    return n;
}

static const char *last(const struct world *w, const char *name) {
    for (size_t i = w->events.len; i-- > 0;)
        if (strcmp(w->events.ptr[i].name, name) == 0)
            return w->events.ptr[i].json;
    fail_msg("no event %s", name);
    return NULL;
}

static void second(struct world *w, int s, int iterations) {
    const struct tagset *tags =
        tagset_with(w->tags, tagset_empty(w->tags), SLICE("group"), SLICE("::a"));
    for (int i = 0; i < iterations; i++)
        series_add(shard_series(w->shard, metric_by_id(M_ITERATIONS), tags), 1, s);
    aggregate_merge(w->aggregate, shard_take(w->shard));
    recorder_add(w->recorder, w->aggregate);
    aggregate_reset_windows(w->aggregate);
}

static struct recorder_state at(int s) {
    return (struct recorder_state){
        .now_ns = s * NS_PER_S, .elapsed_ns = s * NS_PER_S, .state = "running", .progress = 0.5};
}

static void tick(struct world *w, int s, int iterations) {
    struct recorder_state state = at(s);
    second(w, s, iterations);
    recorder_tick(w->recorder, w->aggregate, &state);
}

static void snapshots_come_once_a_period(void **state) {
    struct world *w = *state;
    assert_non_null(strstr(last(w, "param"), "\"period\":2000"));
    tick(w, 1, 3);
    assert_int_equal(count(w, "snapshot"), 0);
    assert_int_equal(count(w, "status"), 1);
    tick(w, 2, 5);
    assert_int_equal(count(w, "snapshot"), 1);
    assert_non_null(strstr(last(w, "metric"), "\"iterations{group:::a}\":{\"type\":\"counter\""));
    /* iterations, its part, time */
    assert_true(strncmp(last(w, "snapshot"), "[[8,4],[8,4],[", 14) == 0);
    tick(w, 3, 0);
    tick(w, 4, 0);
    assert_true(strncmp(last(w, "snapshot"), "[[],[],[", 8) == 0);
    assert_true(strncmp(last(w, "cumulative"), "[[8,2],[8,2],[", 14) == 0);
}

static void too_many_names_are_left_out(void **state) {
    struct world *w = *state;
    struct recorder_state end = at(2);
    char name[32];
    for (unsigned i = 0; i < RECORDER_NAMES_MAX + 50; i++) {
        snprintf(name, sizeof name, "::%u", i);
        series_add(shard_series(w->shard, metric_by_id(M_ITERATIONS),
                                tagset_with(w->tags, tagset_empty(w->tags), SLICE("group"),
                                            slice_cstr(name))),
                   1, 1);
    }
    second(w, 1, 0);
    recorder_stop(w->recorder, w->aggregate, &end, NULL);
    size_t n = 0;
    for (const char *c = last(w, "snapshot"); *c; c++)
        n += *c == '[';
    assert_int_equal(n, 1 + RECORDER_NAMES_MAX);
}

static void a_short_run_has_a_point(void **state) {
    struct world *w = *state;
    struct recorder_state end = at(0);
    end.now_ns = NS_PER_S / 10;
    second(w, 0, 1);
    recorder_stop(w->recorder, w->aggregate, &end, "it failed");
    assert_int_equal(count(w, "snapshot"), 1);
    assert_int_equal(count(w, "stop"), 1);
    assert_non_null(strstr(last(w, "status"), "\"verdict\":\"it failed\""));
}

static void periods_fit_the_test(void **state) {
    (void)state;
    assert_int_equal(recorder_period_ns(0, 30 * NS_PER_S, 0), NS_PER_S);
    assert_int_equal(recorder_period_ns(0, 1230 * NS_PER_S, 0), 2 * NS_PER_S);
    assert_int_equal(recorder_period_ns(0, 86400 * NS_PER_S, 0), 120 * NS_PER_S);
    assert_int_equal(recorder_period_ns(0, 0, 0), 10 * NS_PER_S);
    /* As k6 when it is asked for … */
    assert_int_equal(recorder_period_ns(10 * NS_PER_S, 86400 * NS_PER_S, 86400 * NS_PER_S),
                     30 * NS_PER_S);
    assert_int_equal(recorder_period_ns(10 * NS_PER_S, 60 * NS_PER_S, 30 * NS_PER_S),
                     10 * NS_PER_S);
    /* … unless nothing would be seen. */
    assert_int_equal(recorder_period_ns(10 * NS_PER_S, 60 * NS_PER_S, 20 * NS_PER_S), NS_PER_S);
}

static void the_html_report_is_one_file(void **state) {
    struct buf out;
    (void)state;
    buf_init(&out, BUF_NO_CAP);
    report_html_write(SLICE("{\"event\":\"stop\",\"data\":[]}\n"), &out);
    assert_non_null(strstr(buf_cstr(&out), "<script id=\"kiln-data\" type=\"text/plain\">H4sI"));
    assert_null(strstr(buf_cstr(&out), "<!--KILN-DATA-->"));
    assert_null(strstr(buf_cstr(&out), "src="));
    buf_release(&out);
}

static void reports_escape_what_scripts_call_things(void **state) {
    struct summary s = fixture_summary(SUMMARY_LEGACY);
    struct report_facts facts = {
        .script = "a<b>&\"\x01|c*.js", .failure = "it | failed", .start_wall_ns = 0};
    struct buf out;
    (void)state;
    buf_init(&out, BUF_NO_CAP);
    report_junit_write(&s, &facts, &out);
    assert_non_null(strstr(buf_cstr(&out), "name=\"a&lt;b&gt;&amp;&quot;?|c*.js\""));
    assert_non_null(strstr(buf_cstr(&out), "<error message=\"it | failed\"/>"));
    assert_non_null(strstr(buf_cstr(&out), "name=\"p(95)&lt;1000\"/>"));
    assert_non_null(strstr(buf_cstr(&out), "message=\"items: rate&gt;100 was crossed\""));
    assert_non_null(strstr(buf_cstr(&out), "<testsuite name=\"checks\""));
    buf_reset(&out);
    report_markdown_write(&s, &facts, &out);
    assert_non_null(strstr(buf_cstr(&out), "it \\| failed"));
    assert_non_null(strstr(buf_cstr(&out), "| items | rate\\>100 | ❌ |"));
    assert_non_null(strstr(buf_cstr(&out), "### Checks"));
    buf_release(&out);
}

#define with_world(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_world(snapshots_come_once_a_period),
        with_world(too_many_names_are_left_out),
        with_world(a_short_run_has_a_point),
        cmocka_unit_test(periods_fit_the_test),
        cmocka_unit_test(the_html_report_is_one_file),
        cmocka_unit_test(reports_escape_what_scripts_call_things),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
