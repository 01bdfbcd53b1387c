#include <math.h>

#include "unit.h"

#include "base/vec.h"

static void parse_ok(const char *text, struct threshold *t) {
    struct error err;
    if (threshold_parse(slice_cstr(text), t, &err))
        fail_msg("%s: %s", text, err.text);
}

static void assert_parse_error(const char *text, const char *want) {
    struct threshold t;
    struct error err;
    assert_int_equal(threshold_parse(slice_cstr(text), &t, &err), KE_CONFIG);
    assert_string_equal(err.text, want);
    threshold_release(&t);
}

static void operators_and_methods_parse(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int op, aggregation, stat;
        double bound;
    } cases[] = {
        {"count<1", OP_LT, AGG_COUNT, 0, 1},
        {"rate<=0.5", OP_LE, AGG_RATE, 0, 0.5},
        {"value > -2", OP_GT, AGG_VALUE, 0, -2},
        {" avg >= 1e3 ", OP_GE, AGG_STAT, STAT_AVG, 1000},
        {"min==.5", OP_EQ, AGG_STAT, STAT_MIN, 0.5},
        {"max===5.", OP_EQ, AGG_STAT, STAT_MAX, 5},
        {"med!=0x1p4", OP_NE, AGG_STAT, STAT_MED, 16},
        {"p(99.9)<1_000", OP_LT, AGG_STAT, STAT_PERCENTILE, 1000},
        {"p(0)<+Inf", OP_LT, AGG_STAT, STAT_PERCENTILE, INFINITY},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct threshold t;
        parse_ok(cases[i].text, &t);
        assert_int_equal(t.op, cases[i].op);
        assert_int_equal(t.aggregation, cases[i].aggregation);
        if (t.aggregation == AGG_STAT)
            assert_int_equal(t.stat.kind, cases[i].stat);
        assert_true(t.bound == cases[i].bound);
        assert_string_equal(t.source, cases[i].text);
        threshold_release(&t);
    }
}

static void bad_expressions_are_refused_in_k6s_words(void **state) {
    (void)state;
    assert_parse_error("count", "failed parsing threshold expression \"count\"; reason: malformed "
                                "threshold expression");
    assert_parse_error("", "failed parsing threshold expression \"\"; reason: malformed threshold "
                           "expression");
    assert_parse_error("count>>",
                       "failed parsing threshold expresion's \"count>>\" right hand side; "
                       "reason: strconv.ParseFloat: parsing \">\": invalid syntax");
    assert_parse_error("count>abc", "failed parsing threshold expresion's \"count>abc\" right hand "
                                    "side; reason: strconv.ParseFloat: parsing \"abc\": invalid "
                                    "syntax");
    assert_parse_error("count>1e999", "failed parsing threshold expresion's \"count>1e999\" right "
                                      "hand side; reason: strconv.ParseFloat: parsing \"1e999\": "
                                      "value out of range");
    assert_parse_error("foo>1", "failed parsing threshold expression's \"foo>1\" left hand side; "
                                "reason: failed parsing method from expression");
    assert_parse_error("p(101)<1", "failed parsing threshold expression's \"p(101)<1\" left hand "
                                   "side; reason: malformed percentile value, provide a number "
                                   "between 0 and 100");
    assert_parse_error("p(x)<1", "failed parsing threshold expression's \"p(x)<1\" left hand side; "
                                 "reason: malformed percentile value; reason: strconv.ParseFloat: "
                                 "parsing \"x\": invalid syntax");
    assert_parse_error(">1", "failed parsing threshold expression's \">1\" left hand side; reason: "
                             "failed parsing method from expression");
    assert_parse_error("count=<1", "failed parsing threshold expression's \"count=<1\" left hand "
                                   "side; reason: failed parsing method from expression");
    assert_parse_error("a\"\n<1", "failed parsing threshold expression's \"a\\\"\\n<1\" left hand "
                                  "side; reason: failed parsing method from expression");
}

static void a_missing_bound_fails_by_version(void **state) {
    (void)state;
    assert_parse_error("count>",
                       "failed parsing threshold expression \"count>\"; reason: malformed "
                       "threshold expression");
    compat_set(COMPAT_V0_51);
    assert_parse_error("count>", "failed parsing threshold expresion's \"count>\" right hand side; "
                                 "reason: strconv.ParseFloat: parsing \"\": invalid syntax");
}

static void assert_bind_error(const char *metric, const char *expression, const char *want) {
    struct threshold t;
    struct error err;
    parse_ok(expression, &t);
    assert_int_equal(threshold_bind(&t, slice_cstr(metric), &err), KE_CONFIG);
    assert_string_equal(err.text, want);
    threshold_release(&t);
}

static void methods_must_suit_the_metric(void **state) {
    (void)state;
    assert_bind_error("http_req_duration", "rate<1",
                      "invalid threshold \"rate<1\" applied on metric http_req_duration; reason: "
                      "unsupported aggregation method rate on metric of type trend. supported "
                      "aggregation methods for this metric are: avg, min, max, med, p");
    assert_bind_error("checks", "count<1",
                      "invalid threshold \"count<1\" applied on metric checks; reason: unsupported "
                      "aggregation method count on metric of type rate. supported aggregation "
                      "methods for this metric are: rate");
    assert_bind_error("vus", "p(95)<1",
                      "invalid threshold \"p(95)<1\" applied on metric vus; reason: unsupported "
                      "aggregation method p on metric of type gauge. supported aggregation methods "
                      "for this metric are: value");
    assert_bind_error("iterations", "avg<1",
                      "invalid threshold \"avg<1\" applied on metric iterations; reason: "
                      "unsupported aggregation method avg on metric of type counter. supported "
                      "aggregation methods for this metric are: count, rate");
}

static void metrics_must_exist(void **state) {
    (void)state;
    assert_bind_error("no_such_metric", "count<1",
                      "invalid threshold defined on no_such_metric; reason: no metric name "
                      "\"no_such_metric\" found");
    assert_bind_error("no_such{a:b}", "count<1",
                      "invalid threshold defined on no_such{a:b}; reason: no metric name "
                      "\"no_such{a:b}\" found");
    assert_bind_error("iterations{a:}", "count<1",
                      "unable to validate threshold expressions; reason: parsing metric name "
                      "failed, metric \"a:\" tag expression is malformed");
}

/* ---------------------------------------------------------------- evaluation */

struct world {
    struct tag_table *tags;
    struct shard *shard;
    struct aggregate *aggregate;
    struct threshold_set set;
};

static void begin(struct world *w) {
    *w = (struct world){0};
    w->tags = tag_table_new();
    w->shard = shard_new(w->tags);
    w->aggregate = aggregate_new();
}

static struct threshold *add(struct world *w, const char *metric, const char *expression) {
    struct error err;
    w->set.items = xrealloc(w->set.items, (w->set.len + 1) * sizeof *w->set.items);
    struct threshold *t = &w->set.items[w->set.len++];
    parse_ok(expression, t);
    if (threshold_bind(t, slice_cstr(metric), &err))
        fail_msg("%s", err.text);
    return t;
}

static void record(struct world *w, const char *metric, double value) {
    struct metric *m = metric_find(slice_cstr(metric));
    series_add(shard_series(w->shard, m, tagset_empty(w->tags)), value, 1);
    aggregate_merge(w->aggregate, shard_take(w->shard));
}

static size_t eval(struct world *w, int64_t elapsed_ns, bool is_final) {
    bool abort_run;
    return thresholds_eval(&w->set, w->aggregate, elapsed_ns, is_final, &abort_run);
}

static void end(struct world *w) {
    threshold_set_release(&w->set);
    aggregate_free(w->aggregate);
    shard_free(w->shard);
    tag_table_free(w->tags);
}

static void every_kind_of_value_is_compared(void **state) {
    (void)state;
    struct world w;
    begin(&w);
    add(&w, "iterations", "count==5");
    add(&w, "iterations", "rate==2.5");
    add(&w, "vus", "value==7");
    add(&w, "checks", "rate==0.5");
    add(&w, "http_req_duration", "avg==20");
    add(&w, "http_req_duration", "med==20");
    add(&w, "http_req_duration", "p(100)==30");
    add(&w, "http_req_duration", "min==10");
    add(&w, "http_req_duration", "max!=30"); /* the only one that fails */
    record(&w, "iterations", 5);
    record(&w, "vus", 7);
    record(&w, "checks", 1);
    record(&w, "checks", 0);
    for (int i = 1; i <= 3; i++)
        record(&w, "http_req_duration", 10 * i);
    assert_int_equal(eval(&w, 2 * NS_PER_S, false), 1);
    assert_true(w.set.items[8].has_failed);
    assert_float_equal(w.set.items[1].last_value, 2.5, 0);
    end(&w);
}

static void empty_sinks_wait_for_the_end(void **state) {
    (void)state;
    struct world w;
    begin(&w);
    add(&w, "iterations", "count>0");
    add(&w, "http_req_duration", "avg>0");
    add(&w, "vus", "value>0");
    add(&w, "checks", "rate>0.9"); /* a rate without samples passes even then */
    assert_int_equal(eval(&w, NS_PER_S, false), 0);
    assert_int_equal(eval(&w, NS_PER_S, true), 3);
    assert_false(w.set.items[3].has_failed);
    assert_false(w.set.items[3].has_value);
    end(&w);
}

static void a_counters_rate_needs_elapsed_time(void **state) {
    (void)state;
    struct world w;
    begin(&w);
    add(&w, "iterations", "rate<1");
    record(&w, "iterations", 100);
    assert_int_equal(eval(&w, 0, true), 0);
    assert_int_equal(eval(&w, NS_PER_S, true), 1);
    end(&w);
}

static void a_threshold_can_recover(void **state) {
    (void)state;
    struct world w;
    begin(&w);
    struct threshold *t = add(&w, "checks", "rate>=0.5");
    record(&w, "checks", 0);
    assert_int_equal(eval(&w, NS_PER_S, false), 1);
    record(&w, "checks", 1);
    assert_int_equal(eval(&w, NS_PER_S, false), 0);
    assert_false(t->has_failed);
    end(&w);
}

static void abort_waits_for_its_delay(void **state) {
    (void)state;
    struct world w;
    bool abort_run;
    begin(&w);
    struct threshold *t = add(&w, "iterations", "count<1");
    record(&w, "iterations", 1);
    thresholds_eval(&w.set, w.aggregate, NS_PER_S, false, &abort_run);
    assert_false(abort_run);
    t->abort_on_fail = true;
    thresholds_eval(&w.set, w.aggregate, NS_PER_S, false, &abort_run);
    assert_true(abort_run);
    t->delay_abort_ns = 5 * NS_PER_S;
    thresholds_eval(&w.set, w.aggregate, 5 * NS_PER_S, false, &abort_run);
    assert_false(abort_run);
    thresholds_eval(&w.set, w.aggregate, 5 * NS_PER_S + 1, false, &abort_run);
    assert_true(abort_run);
    end(&w);
}

static void failed_names_are_sorted_and_single(void **state) {
    (void)state;
    struct world w;
    struct buf out;
    begin(&w);
    add(&w, "iterations", "count<1");
    add(&w, "checks", "rate>1");
    add(&w, "iterations", "count<2");
    add(&w, "iterations{kind:red}", "count>5");
    add(&w, "vus", "value>0");
    record(&w, "iterations", 3);
    record(&w, "checks", 1);
    record(&w, "vus", 3);
    assert_int_equal(eval(&w, NS_PER_S, true), 4);
    buf_init(&out, BUF_NO_CAP);
    thresholds_failed_names(&w.set, &out);
    assert_string_equal(buf_cstr(&out), "checks, iterations, iterations{kind:red}");
    buf_release(&out);
    end(&w);
}

static void metrics_with_thresholds_are_shown(void **state) {
    (void)state;
    struct world w;
    begin(&w);
    add(&w, "ws_ping{a:b}", "avg<1");
    assert_true(metric_by_id(M_WS_PING)->is_shown);
    assert_true(metric_find(S("ws_ping{a:b}"))->is_shown);
    assert_false(metric_by_id(M_CHECKS)->is_shown);
    end(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        registry_test(operators_and_methods_parse),
        registry_test(bad_expressions_are_refused_in_k6s_words),
        registry_test(a_missing_bound_fails_by_version),
        registry_test(methods_must_suit_the_metric),
        registry_test(metrics_must_exist),
        registry_test(every_kind_of_value_is_compared),
        registry_test(empty_sinks_wait_for_the_end),
        registry_test(a_counters_rate_needs_elapsed_time),
        registry_test(a_threshold_can_recover),
        registry_test(abort_waits_for_its_delay),
        registry_test(failed_names_are_sorted_and_single),
        registry_test(metrics_with_thresholds_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
