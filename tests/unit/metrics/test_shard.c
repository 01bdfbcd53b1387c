#include <math.h>

#include "unit.h"

#include "base/vec.h"

struct world {
    struct tag_table *tags, *other_tags;
    struct shard *shard, *other;
    struct aggregate *aggregate;
};

static int setup(void **state) {
    struct world *w = xcalloc(1, sizeof *w);
    registry_setup(state);
    w->tags = tag_table_new();
    w->other_tags = tag_table_new();
    w->shard = shard_new(w->tags);
    w->other = shard_new(w->other_tags);
    w->aggregate = aggregate_new();
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    aggregate_free(w->aggregate);
    shard_free(w->shard);
    shard_free(w->other);
    tag_table_free(w->tags);
    tag_table_free(w->other_tags);
    free(w);
    return registry_teardown(state);
}

static const struct tagset *tagged(struct shard *s, struct slice key, struct slice value) {
    return tagset_with(shard_tags(s), tagset_empty(shard_tags(s)), key, value);
}

static struct series *plain(struct shard *s, struct metric *m) {
    return shard_series(s, m, tagset_empty(shard_tags(s)));
}

static void collect(struct world *w) {
    aggregate_merge(w->aggregate, shard_take(w->shard));
    aggregate_merge(w->aggregate, shard_take(w->other));
}

static const struct sink *sink_of(struct world *w, const char *name) {
    return aggregate_sink(w->aggregate, metric_find(slice_cstr(name)));
}

static void a_series_is_found_again(void **state) {
    struct world *w = *state;
    struct metric *m = metric_by_id(M_ITERATIONS), *n = metric_by_id(M_CHECKS);
    const struct tagset *a = tagged(w->shard, S("k"), S("a")),
                        *b = tagged(w->shard, S("k"), S("b"));
    struct series *ma = shard_series(w->shard, m, a), *mb = shard_series(w->shard, m, b);
    struct series *na = shard_series(w->shard, n, a);
    assert_true(ma != mb && ma != na);
    assert_ptr_equal(shard_series(w->shard, m, b), mb);
    assert_ptr_equal(shard_series(w->shard, m, a), ma);
    assert_ptr_equal(shard_series(w->shard, n, a), na);
    assert_int_equal(shard_series_count(w->shard), 3);
}

static void counters_sum_and_keep_their_first_time(void **state) {
    struct world *w = *state;
    struct metric *m = metric_by_id(M_ITERATIONS);
    series_add(plain(w->other, m), 4, 50);
    series_add(plain(w->shard, m), 1, 100);
    series_add(plain(w->shard, m), 2.5, 200);
    collect(w);
    series_add(plain(w->other, m), 1, 300);
    collect(w);
    assert_float_equal(sink_of(w, "iterations")->counter.sum, 8.5, 0);
    assert_int_equal(sink_of(w, "iterations")->counter.first_ns, 50);
}

static void rates_count_values_that_are_not_zero(void **state) {
    struct world *w = *state;
    struct metric *m = metric_by_id(M_CHECKS);
    series_add(plain(w->shard, m), 0, 1);
    series_add(plain(w->shard, m), 1, 2);
    series_add(plain(w->other, m), -3, 3);
    collect(w);
    assert_int_equal(sink_of(w, "checks")->rate.trues, 2);
    assert_int_equal(sink_of(w, "checks")->rate.total, 3);
}

static void the_last_value_of_a_gauge_goes_by_time(void **state) {
    struct world *w = *state;
    struct metric *m = metric_by_id(M_VUS);
    series_add(plain(w->shard, m), 5, 100);
    series_add(plain(w->shard, m), 9, 300);
    series_add(plain(w->other, m), -2, 200);
    collect(w);
    assert_float_equal(sink_of(w, "vus")->gauge.last, 9, 0);
    series_add(plain(w->other, m), 3, 250);
    collect(w);
    assert_float_equal(sink_of(w, "vus")->gauge.last, 9, 0);
    series_add(plain(w->other, m), 4, 400);
    collect(w);
    assert_float_equal(sink_of(w, "vus")->gauge.last, 4, 0);
    assert_float_equal(sink_of(w, "vus")->gauge.min, -2, 0);
    assert_float_equal(sink_of(w, "vus")->gauge.max, 9, 0);
}

static void negative_gauges_have_a_max_of_zero_in_v051_only(void **state) {
    struct world *w = *state;
    series_add(plain(w->shard, metric_by_id(M_VUS)), -5, 1);
    compat_set(COMPAT_V0_51);
    series_add(plain(w->shard, metric_by_id(M_VUS_MAX)), -5, 1);
    collect(w);
    assert_float_equal(sink_of(w, "vus")->gauge.max, -5, 0);
    assert_float_equal(sink_of(w, "vus_max")->gauge.max, 0, 0);
}

static void trends_of_shards_merge_exactly_while_small(void **state) {
    struct world *w = *state;
    struct metric *m = metric_by_id(M_ITERATION_DURATION);
    for (int i = 0; i < TREND_EXACT; i++)
        series_add(plain(i % 2 ? w->shard : w->other, m), i + 0.123456789, i);
    collect(w);
    const struct sink *s = sink_of(w, "iteration_duration");
    assert_true(trend_is_exact(&s->trend));
    assert_float_equal(trend_quantile(&s->trend, 1.0 / (TREND_EXACT - 1)), 1.123456789, 1e-9);
    series_add(plain(w->shard, m), 1, 1);
    collect(w);
    assert_false(trend_is_exact(&s->trend));
    assert_int_equal(s->trend.count, TREND_EXACT + 1);
}

static void a_take_leaves_the_shard_empty(void **state) {
    struct world *w = *state;
    struct series *s = plain(w->shard, metric_by_id(M_ITERATION_DURATION));
    for (int i = 0; i < 2000; i++)
        series_add(s, i, i);
    collect(w);
    collect(w);
    assert_int_equal(sink_of(w, "iteration_duration")->trend.count, 2000);
    series_add(s, 1, 1);
    collect(w);
    assert_int_equal(sink_of(w, "iteration_duration")->trend.count, 2001);
}

static void never_observed_metrics_have_no_sink(void **state) {
    struct world *w = *state;
    collect(w);
    assert_null(sink_of(w, "iterations"));
    series_add(plain(w->shard, metric_by_id(M_GRPC_REQ_DURATION)), 1, 1);
    collect(w);
    assert_null(sink_of(w, "iterations"));
    assert_non_null(sink_of(w, "grpc_req_duration"));
}

static void submetrics_see_the_samples_that_match(void **state) {
    struct world *w = *state;
    struct metric *m = metric_by_id(M_HTTP_REQS);
    metric_submetric(S("http_reqs{status:200}"), NULL);
    metric_submetric(S("http_reqs{status:404}"), NULL);
    metric_submetric(S("http_reqs{status:200,method:GET}"), NULL);
    const struct tag get[] = {{S("status"), S("200")}, {S("method"), S("GET")}};
    series_add(shard_series(w->shard, m, tagged(w->shard, S("status"), S("200"))), 1, 1);
    series_add(shard_series(w->shard, m, tagset_with_all(w->tags, tagset_empty(w->tags), get, 2)),
               1, 1);
    series_add(plain(w->shard, m), 1, 1);
    collect(w);
    assert_float_equal(sink_of(w, "http_reqs")->counter.sum, 3, 0);
    assert_float_equal(sink_of(w, "http_reqs{status:200}")->counter.sum, 2, 0);
    assert_float_equal(sink_of(w, "http_reqs{status:200,method:GET}")->counter.sum, 1, 0);
    assert_null(sink_of(w, "http_reqs{status:404}"));
}

static void a_series_made_before_its_submetric_feeds_it(void **state) {
    struct world *w = *state;
    struct metric *m = metric_register(S("mine"), METRIC_TREND, METRIC_TIME, NULL);
    struct series *early = shard_series(w->shard, m, tagged(w->shard, S("k"), S("v")));
    metric_submetric(S("mine{k:v}"), NULL);
    series_add(early, 7, 1);
    collect(w);
    assert_int_equal(sink_of(w, "mine{k:v}")->trend.count, 1);
    assert_float_equal(sink_of(w, "mine{k:v}")->trend.max, 7, 0);
}

static void a_request_is_recorded_in_all_its_metrics(void **state) {
    struct world *w = *state;
    metric_submetric(S("http_req_duration{expected_response:true}"), NULL);
    const struct tagset *tags = tagged(w->shard, S("expected_response"), S("true"));
    struct http_series *h = shard_http_series(w->shard, tags, true);
    struct http_sample v = {7, 1, 2, 3, 4, 5, 6, true};
    assert_ptr_equal(shard_http_series(w->shard, tags, true), h);
    http_series_add(h, &v, 10, NULL);
    struct http_series *bare = shard_http_series(w->shard, tags, false);
    assert_null(bare->failed);
    http_series_add(bare, &v, 11, NULL);
    collect(w);
    assert_float_equal(sink_of(w, "http_reqs")->counter.sum, 2, 0);
    assert_int_equal(sink_of(w, "http_req_failed")->rate.trues, 1);
    assert_int_equal(sink_of(w, "http_req_failed")->rate.total, 1);
    assert_float_equal(sink_of(w, "http_req_duration")->trend.sum, 14, 0);
    assert_float_equal(sink_of(w, "http_req_duration{expected_response:true}")->trend.sum, 14, 0);
    assert_float_equal(sink_of(w, "http_req_blocked")->trend.max, 1, 0);
    assert_float_equal(sink_of(w, "http_req_connecting")->trend.max, 2, 0);
    assert_float_equal(sink_of(w, "http_req_tls_handshaking")->trend.max, 3, 0);
    assert_float_equal(sink_of(w, "http_req_sending")->trend.max, 4, 0);
    assert_float_equal(sink_of(w, "http_req_waiting")->trend.max, 5, 0);
    assert_float_equal(sink_of(w, "http_req_receiving")->trend.max, 6, 0);
}

/* ---------------------------------------------------------------- raw samples */

struct given {
    struct raw_chunk *chunks[8];
    size_t n;
};

static void on_chunk(void *arg, struct raw_chunk *chunk) {
    struct given *g = arg;
    assert_true(g->n < countof(g->chunks));
    g->chunks[g->n++] = chunk;
}

static void free_given(struct given *g) {
    for (size_t i = 0; i < g->n; i++)
        raw_chunk_free(g->chunks[i]);
    g->n = 0;
}

static void raw_samples_come_in_order_with_their_metadata(void **state) {
    struct world *w = *state;
    struct given g = {0};
    struct series *s = plain(w->shard, metric_by_id(M_ITERATIONS));
    const struct tagset *custom = tagged(w->shard, S("trace"), S("x"));
    series_add(s, 0, 1); /* nobody listens */
    shard_stream_raw(w->shard, on_chunk, &g);
    shard_flush_raw(w->shard);
    assert_int_equal(g.n, 0);
    series_add(s, 1, 2);
    series_add_meta(s, 2, 3, 7, 0);
    series_add_with(s, 3, 4, &(struct sample_meta){-1, -1, custom});
    assert_int_equal(g.n, 0);
    shard_flush_raw(w->shard);
    shard_flush_raw(w->shard);
    assert_int_equal(g.n, 1);
    assert_int_equal(g.chunks[0]->len, 3);
    const struct raw_sample *r = g.chunks[0]->samples;
    assert_ptr_equal(r[0].series, s);
    assert_int_equal(r[0].vu, -1);
    assert_int_equal(r[1].vu, 7);
    assert_int_equal(r[1].iter, 0);
    assert_int_equal(r[1].time_ns, 3);
    assert_ptr_equal(r[2].custom, custom);
    assert_float_equal(r[2].value, 3, 0);
    free_given(&g);
}

static void a_full_chunk_is_given_at_once(void **state) {
    struct world *w = *state;
    struct given g = {0};
    struct series *s = plain(w->shard, metric_by_id(M_ITERATIONS));
    shard_stream_raw(w->shard, on_chunk, &g);
    for (int i = 0; i < 2 * RAW_CHUNK_SAMPLES + 1; i++)
        series_add(s, i, i);
    assert_int_equal(g.n, 2);
    assert_int_equal(g.chunks[1]->len, RAW_CHUNK_SAMPLES);
    assert_float_equal(g.chunks[1]->samples[0].value, RAW_CHUNK_SAMPLES, 0);
    free_given(&g);
}

static void a_streamed_request_is_nine_samples_in_k6s_order(void **state) {
    struct world *w = *state;
    static const enum builtin_metric order[] = {
        M_HTTP_REQS,           M_HTTP_REQ_DURATION,        M_HTTP_REQ_BLOCKED,
        M_HTTP_REQ_CONNECTING, M_HTTP_REQ_TLS_HANDSHAKING, M_HTTP_REQ_SENDING,
        M_HTTP_REQ_WAITING,    M_HTTP_REQ_RECEIVING,       M_HTTP_REQ_FAILED};
    struct given g = {0};
    struct http_sample v = {7, 1, 2, 3, 4, 5, 6, false};
    shard_stream_raw(w->shard, on_chunk, &g);
    http_series_add(shard_http_series(w->shard, tagset_empty(w->tags), true), &v, 10,
                    &(struct sample_meta){3, 4, NULL});
    shard_flush_raw(w->shard);
    assert_int_equal(g.chunks[0]->len, countof(order));
    for (size_t i = 0; i < countof(order); i++) {
        assert_int_equal(g.chunks[0]->samples[i].series->metric->id, order[i]);
        assert_int_equal(g.chunks[0]->samples[i].vu, 3);
    }
    free_given(&g);
}

/* ---------------------------------------------------------------- aggregate */

static void kept_series_merge_by_metric_and_tags_over_shards(void **state) {
    struct world *w = *state;
    struct metric *m = metric_by_id(M_HTTP_REQ_DURATION);
    shard_keep_series(w->shard);
    shard_keep_series(w->other);
    tagged(w->other, S("zz"), S("makes the ids differ"));
    for (int round = 0; round < 2; round++) {
        series_add(shard_series(w->shard, m, tagged(w->shard, S("u"), S("a"))), 1, 1);
        series_add(shard_series(w->other, m, tagged(w->other, S("u"), S("a"))), 2, 1);
        series_add(shard_series(w->other, m, tagged(w->other, S("u"), S("b"))), 3, 1);
        collect(w);
    }
    assert_int_equal(aggregate_series_count(w->aggregate), 2);
    struct aggregate_series *a = aggregate_series_at(w->aggregate, 0);
    struct aggregate_series *b = aggregate_series_at(w->aggregate, 1);
    assert_true(slice_eq(tagset_get(a->tags, S("u")), S("a")));
    assert_float_equal(a->sink.trend.sum, 6, 0);
    assert_float_equal(b->sink.trend.sum, 6, 0);
    assert_true(a->is_updated && b->is_updated);
    a->is_updated = false;
    collect(w);
    assert_false(a->is_updated);
    assert_null(aggregate_series_at(w->aggregate, 2));
    assert_int_equal(sink_of(w, "http_req_duration")->trend.count, 6);
}

static void kept_series_are_in_order_of_first_sight(void **state) {
    struct world *w = *state;
    static const char *const values[] = {"c", "a", "d", "b"};
    struct metric *m = metric_by_id(M_ITERATIONS);
    shard_keep_series(w->shard);
    for (size_t i = 0; i < countof(values); i++)
        series_add(shard_series(w->shard, m, tagged(w->shard, S("k"), slice_cstr(values[i]))), 1,
                   1);
    collect(w);
    for (size_t i = 0; i < countof(values); i++)
        assert_true(slice_eq(tagset_get(aggregate_series_at(w->aggregate, i)->tags, S("k")),
                             slice_cstr(values[i])));
}

static void checks_are_counted_per_group(void **state) {
    struct world *w = *state;
    shard_note_check(w->shard, S(""), S("status is 200"), true);
    shard_note_group(w->shard, S("::outer"));
    shard_note_check(w->shard, S("::outer::inner"), S("ok"), false);
    shard_note_check(w->shard, S("::outer"), S("ok"), true);
    collect(w);
    shard_note_check(w->other, S("::outer"), S("ok"), false);
    shard_note_check(w->shard, S("::outer"), S("ok"), true);
    collect(w);
    const struct group_stats *root = aggregate_root_group(w->aggregate);
    assert_string_equal(root->path, "");
    assert_string_equal(root->name, "");
    assert_int_equal(root->n_checks, 1);
    assert_string_equal(root->checks[0].name, "status is 200");
    assert_int_equal(root->n_groups, 1);
    const struct group_stats *outer = root->groups[0];
    assert_string_equal(outer->name, "outer");
    assert_string_equal(outer->path, "::outer");
    assert_int_equal(outer->checks[0].passes, 2);
    assert_int_equal(outer->checks[0].fails, 1);
    assert_int_equal(outer->n_groups, 1);
    assert_string_equal(outer->groups[0]->name, "inner");
    assert_string_equal(outer->groups[0]->path, "::outer::inner");
    assert_int_equal(outer->groups[0]->checks[0].fails, 1);
}

/* The other shard is merged first, but what it saw came later. */
static void order_is_that_of_first_sight_over_shards(void **state) {
    struct world *w = *state;
    shard_note_group(w->shard, S("::z"));
    shard_note_check(w->shard, S(""), S("first"), true);
    shard_note_check(w->other, S(""), S("second"), true);
    shard_note_group(w->other, S("::a"));
    shard_note_check(w->shard, S(""), S("third"), true);
    aggregate_merge(w->aggregate, shard_take(w->other));
    aggregate_merge(w->aggregate, shard_take(w->shard));
    const struct group_stats *root = aggregate_root_group(w->aggregate);
    assert_string_equal(root->groups[0]->name, "z");
    assert_string_equal(root->groups[1]->name, "a");
    assert_string_equal(root->checks[0].name, "first");
    assert_string_equal(root->checks[1].name, "second");
    assert_string_equal(root->checks[2].name, "third");
}

static void many_checks_are_found_again(void **state) {
    struct world *w = *state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 500; i++) {
            char *name = xasprintf("check %d", i);
            shard_note_check(w->shard, S("::g"), slice_cstr(name), i % 2);
            free(name);
        }
        collect(w);
    }
    const struct group_stats *g = aggregate_root_group(w->aggregate)->groups[0];
    assert_int_equal(g->n_checks, 500);
    for (size_t i = 0; i < 500; i++) {
        assert_int_equal(g->checks[i].passes, i % 2 ? 2 : 0);
        assert_int_equal(g->checks[i].fails, i % 2 ? 0 : 2);
    }
}

#define world_test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        world_test(a_series_is_found_again),
        world_test(counters_sum_and_keep_their_first_time),
        world_test(rates_count_values_that_are_not_zero),
        world_test(the_last_value_of_a_gauge_goes_by_time),
        world_test(negative_gauges_have_a_max_of_zero_in_v051_only),
        world_test(trends_of_shards_merge_exactly_while_small),
        world_test(a_take_leaves_the_shard_empty),
        world_test(never_observed_metrics_have_no_sink),
        world_test(submetrics_see_the_samples_that_match),
        world_test(a_series_made_before_its_submetric_feeds_it),
        world_test(a_request_is_recorded_in_all_its_metrics),
        world_test(raw_samples_come_in_order_with_their_metadata),
        world_test(a_full_chunk_is_given_at_once),
        world_test(a_streamed_request_is_nine_samples_in_k6s_order),
        world_test(kept_series_merge_by_metric_and_tags_over_shards),
        world_test(kept_series_are_in_order_of_first_sight),
        world_test(checks_are_counted_per_group),
        world_test(order_is_that_of_first_sight_over_shards),
        world_test(many_checks_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
