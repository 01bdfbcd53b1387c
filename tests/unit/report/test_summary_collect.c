#include "unit.h"

#include "base/check.h"
#include "report/summary_internal.h"

struct run {
    struct tag_table *tags;
    struct shard *shard;
    struct aggregate *aggregate;
};

static const struct trend_stat stats[] = {{.kind = STAT_AVG, .name = "avg"},
                                          {.kind = STAT_COUNT, .name = "count"}};

static struct run run_begin(void) {
    metrics_init();
    struct run r = {.tags = tag_table_new(), .aggregate = aggregate_new()};
    r.shard = shard_new(r.tags);
    shard_keep_series(r.shard);
    return r;
}

static void run_end(struct run *r) {
    aggregate_free(r->aggregate);
    shard_free(r->shard);
    tag_table_free(r->tags);
    metrics_shutdown();
}

static void add(struct run *r, struct metric *m, const struct tagset *tags, double value) {
    series_add(shard_series(r->shard, m, tags), value, 1);
}

static const struct tagset *tagged(struct run *r, const char *scenario, const char *group) {
    const struct tagset *t = tagset_empty(r->tags);
    if (scenario)
        t = tagset_with(r->tags, t, SLICE("scenario"), slice_cstr(scenario));
    if (group)
        t = tagset_with(r->tags, t, SLICE("group"), slice_cstr(group));
    return t;
}

static void collect(struct run *r, enum summary_mode mode, const struct threshold_set *thresholds,
                    struct summary *out) {
    const struct summary_options o = {.mode = mode,
                                      .trend_stats = stats,
                                      .n_trend_stats = countof(stats),
                                      .duration_ns = 2 * NS_PER_S};
    aggregate_merge(r->aggregate, shard_take(r->shard));
    summary_collect(out, &o, r->aggregate, thresholds);
}

static const struct summary_metric *find(const struct summary_section *s, const char *name) {
    for (size_t i = 0; i < s->n_metrics; i++)
        if (strcmp(s->metrics[i].name, name) == 0)
            return &s->metrics[i];
    return NULL;
}

static void observed_metrics_only_sorted_by_name(void **state) {
    (void)state;
    struct run r = run_begin();
    struct summary s;
    add(&r, metric_by_id(M_ITERATIONS), tagset_empty(r.tags), 4);
    add(&r, metric_by_id(M_CHECKS), tagset_empty(r.tags), 1);
    add(&r, metric_by_id(M_ITERATION_DURATION), tagset_empty(r.tags), 3);
    add(&r, metric_by_id(M_ITERATION_DURATION), tagset_empty(r.tags), 5);
    collect(&r, SUMMARY_LEGACY, NULL, &s);
    assert_int_equal(s.total.n_metrics, 3);
    assert_string_equal(s.total.metrics[0].name, "checks");
    assert_string_equal(s.total.metrics[1].name, "iteration_duration");
    assert_string_equal(s.total.metrics[2].name, "iterations");
    assert_true(s.total.metrics[1].stats[0] == 4);
    assert_true(s.total.metrics[1].stats[1] == 2);
    assert_true(s.total.metrics[2].counter.count == 4);
    assert_true(s.total.metrics[2].counter.rate == 2);
    assert_int_equal(s.total.metrics[0].rate.passes, 1);
    summary_release(&s);
    run_end(&r);
}

static void thresholds_make_a_metric_and_its_parent_seen(void **state) {
    (void)state;
    struct run r = run_begin();
    struct summary s;
    struct threshold items[2];
    struct threshold_set set = {items, countof(items)};
    struct error err;
    assert_int_equal(threshold_parse(SLICE("p(99)<10"), &items[0], &err), 0);
    assert_int_equal(threshold_bind(&items[0], SLICE("http_req_duration{a:b}"), &err), 0);
    assert_int_equal(threshold_parse(SLICE("count>1"), &items[1], &err), 0);
    assert_int_equal(threshold_bind(&items[1], SLICE("http_reqs"), &err), 0);
    items[1].has_failed = true;
    collect(&r, SUMMARY_LEGACY, &set, &s);
    assert_int_equal(s.total.n_metrics, 3);
    assert_string_equal(s.total.metrics[1].name, "http_req_duration{a:b}");
    assert_int_equal(s.total.metrics[0].n_thresholds, 0);
    assert_true(s.total.metrics[1].thresholds[0].ok);
    assert_true(s.total.metrics[1].thresholds[0].has_value);
    assert_true(s.total.metrics[1].stats[0] == 0);
    assert_false(s.total.metrics[2].thresholds[0].ok);
    assert_string_equal(s.total.metrics[2].thresholds[0].source, "count>1");
    summary_release(&s);
    free(items[0].source);
    free(items[1].source);
    run_end(&r);
}

static void checks_of_one_name_are_one_line_in_order_of_first_sight(void **state) {
    (void)state;
    struct run r = run_begin();
    struct summary s;
    shard_note_check(r.shard, SLICE("::shop"), SLICE("status"), true);
    shard_note_check(r.shard, SLICE("::shop::cart"), SLICE("in cart"), false);
    shard_note_check(r.shard, SLICE(""), SLICE("top"), true);
    shard_note_check(r.shard, SLICE(""), SLICE("status"), false);
    collect(&r, SUMMARY_COMPACT, NULL, &s);
    assert_int_equal(s.total.n_checks, 3);
    assert_string_equal(s.total.checks[0].name, "status");
    assert_int_equal(s.total.checks[0].passes, 1);
    assert_int_equal(s.total.checks[0].fails, 1);
    assert_string_equal(s.total.checks[1].name, "in cart");
    assert_string_equal(s.total.checks[2].name, "top");
    summary_release(&s);
    run_end(&r);
}

static void scenarios_have_everything_groups_their_own(void **state) {
    (void)state;
    struct run r = run_begin();
    struct summary s;
    struct metric *reqs = metric_by_id(M_HTTP_REQS), *time = metric_by_id(M_HTTP_REQ_DURATION);
    add(&r, reqs, tagged(&r, "b", NULL), 1);
    add(&r, reqs, tagged(&r, "b", "::shop::cart"), 1);
    add(&r, time, tagged(&r, "b", "::shop"), 10);
    add(&r, time, tagged(&r, "b", NULL), 20);
    add(&r, reqs, tagged(&r, "a", "::setup"), 1);
    add(&r, reqs, tagged(&r, "default", "::loose"), 1);
    add(&r, reqs, tagged(&r, NULL, "::teardown"), 1);
    collect(&r, SUMMARY_FULL, NULL, &s);
    assert_int_equal(s.n_scenarios, 2);
    assert_string_equal(s.scenarios[0].name, "a");
    assert_int_equal(s.scenarios[0].n_groups, 0);
    const struct summary_section *b = &s.scenarios[1];
    assert_true(find(b, "http_reqs")->counter.count == 2);
    assert_true(find(b, "http_req_duration")->stats[0] == 15);
    assert_int_equal(b->n_groups, 1);
    assert_string_equal(b->groups[0].name, "shop");
    assert_null(find(&b->groups[0], "http_reqs"));
    assert_true(find(&b->groups[0], "http_req_duration")->stats[0] == 10);
    assert_string_equal(b->groups[0].groups[0].name, "cart");
    assert_true(find(&b->groups[0].groups[0], "http_reqs")->counter.count == 1);
    assert_int_equal(s.total.n_groups, 1);
    assert_string_equal(s.total.groups[0].name, "loose");
    summary_release(&s);
    run_end(&r);
}

static void checks_of_sections_come_from_the_check_tag(void **state) {
    (void)state;
    struct run r = run_begin();
    struct summary s;
    struct metric *checks = metric_by_id(M_CHECKS);
    const struct tagset *t = tagged(&r, "a", "::g");
    add(&r, checks, tagset_with(r.tags, t, SLICE("check"), SLICE("one")), 1);
    add(&r, checks, tagset_with(r.tags, t, SLICE("check"), SLICE("two")), 0);
    collect(&r, SUMMARY_FULL, NULL, &s);
    assert_int_equal(s.scenarios[0].n_checks, 2);
    assert_string_equal(s.scenarios[0].checks[0].name, "one");
    assert_int_equal(s.scenarios[0].checks[0].passes, 1);
    assert_int_equal(s.scenarios[0].groups[0].checks[1].fails, 1);
    summary_release(&s);
    run_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(observed_metrics_only_sorted_by_name),
        cmocka_unit_test(thresholds_make_a_metric_and_its_parent_seen),
        cmocka_unit_test(checks_of_one_name_are_one_line_in_order_of_first_sight),
        cmocka_unit_test(scenarios_have_everything_groups_their_own),
        cmocka_unit_test(checks_of_sections_come_from_the_check_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
