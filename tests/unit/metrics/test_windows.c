/* Windows of the aggregate, parts of metrics by tag value, and sinks as bytes. */
#include <math.h>
#include <stdio.h>

#include "unit.h"

#include "metrics/sink_code.h"

static const struct slice keys[] = {{"group", 5}, {"status", 6}};

struct world {
    struct tag_table *tags;
    struct shard *shard;
    struct aggregate *aggregate;
};

static int setup(void **state) {
    struct world *w = xcalloc(1, sizeof *w);
    registry_setup(state);
    w->tags = tag_table_new();
    w->shard = shard_new(w->tags);
    w->aggregate = aggregate_new();
    aggregate_keep_windows(w->aggregate);
    shard_break_down(w->shard, keys, 2);
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    aggregate_free(w->aggregate);
    shard_free(w->shard);
    tag_table_free(w->tags);
    free(w);
    return registry_teardown(state);
}

static void add(struct world *w, enum builtin_metric m, const char *group, double value) {
    const struct tagset *tags =
        tagset_with(w->tags, tagset_empty(w->tags), S("group"), slice_cstr(group));
    series_add(shard_series(w->shard, metric_by_id(m), tags), value, 5);
}

static const struct aggregate_window *find(struct world *w, const char *metric, const char *value) {
    for (size_t i = 0; i < aggregate_window_count(w->aggregate); i++) {
        const struct aggregate_window *x = aggregate_window_at(w->aggregate, i);
        bool is_whole = !x->key.ptr;
        if (strcmp(x->metric->name, metric) == 0 &&
            (value ? !is_whole && slice_eq(x->value, slice_cstr(value)) : is_whole))
            return x;
    }
    return NULL;
}

static void a_window_has_what_came_since_the_reset(void **state) {
    struct world *w = *state;
    add(w, M_ITERATIONS, "::a", 1);
    aggregate_merge(w->aggregate, shard_take(w->shard));
    aggregate_reset_windows(w->aggregate);
    add(w, M_ITERATIONS, "::b", 2);
    add(w, M_ITERATIONS, "", 4);
    aggregate_merge(w->aggregate, shard_take(w->shard));
    const struct aggregate_window *all = find(w, "iterations", NULL);
    assert_true(all->window.counter.sum == 6 && all->total->counter.sum == 7);
    assert_false(find(w, "iterations", "::a")->window.has_samples);
    assert_true(find(w, "iterations", "::a")->total->counter.sum == 1);
    assert_true(find(w, "iterations", "::b")->window.counter.sum == 2);
    assert_null(find(w, "iterations", "")); /* the root group is no part */
    assert_int_equal(aggregate_window_count(w->aggregate), 3);
}

static void trends_of_parts_add_up(void **state) {
    struct world *w = *state;
    for (int i = 0; i < 2000; i++) {
        add(w, M_HTTP_REQ_DURATION, i % 2 ? "::a" : "::b", i);
        if (i % 300 == 0)
            aggregate_merge(w->aggregate, shard_take(w->shard));
    }
    aggregate_merge(w->aggregate, shard_take(w->shard));
    assert_int_equal(find(w, "http_req_duration", NULL)->window.trend.count, 2000);
    assert_int_equal(find(w, "http_req_duration", "::a")->total->trend.count, 1000);
    assert_true(find(w, "http_req_duration", "::a")->total->trend.max == 1999);
    assert_true(find(w, "http_req_duration", "::b")->total->trend.max == 1998);
}

static void too_many_values_are_no_parts(void **state) {
    struct world *w = *state;
    char name[32];
    for (unsigned i = 0; i < SHARD_PARTS_MAX + 10; i++) {
        snprintf(name, sizeof name, "::%u", i);
        add(w, M_ITERATIONS, name, 1);
    }
    aggregate_merge(w->aggregate, shard_take(w->shard));
    assert_int_equal(aggregate_window_count(w->aggregate), 1 + SHARD_PARTS_MAX);
    assert_true(find(w, "iterations", NULL)->total->counter.sum == SHARD_PARTS_MAX + 10);
}

static void round_trip(const struct sink *from, bool is_compact, struct sink *to) {
    struct buf bytes;
    size_t budget = 1 << 20;
    buf_init(&bytes, BUF_NO_CAP);
    sink_encode(from, is_compact, &bytes);
    struct wire_reader r = {.rest = buf_slice(&bytes)};
    *to = (struct sink){.metric = from->metric};
    assert_true(sink_decode(&r, to, &budget));
    assert_true(wire_at_end(&r) && !r.is_bad);
    /* Cut anywhere, it is refused. */
    for (size_t n = 0; n < bytes.len; n++) {
        struct sink cut = {.metric = from->metric};
        struct wire_reader part = {.rest = slice_from(bytes.ptr, n)};
        budget = 1 << 20;
        assert_false(sink_decode(&part, &cut, &budget));
        sink_release(&cut);
    }
    buf_release(&bytes);
}

static void check_trend(const double *values, size_t n, bool is_compact) {
    struct sink s = {.metric = metric_by_id(M_HTTP_REQ_DURATION)}, back;
    static const double p[] = {0, 0.01, 0.5, 0.9, 0.99, 1};
    double a[countof(p)], b[countof(p)];
    s.has_samples = true;
    for (size_t i = 0; i < n; i++)
        trend_add(&s.trend, values[i]);
    round_trip(&s, is_compact, &back);
    assert_int_equal(back.trend.count, s.trend.count);
    assert_true(back.trend.sum == s.trend.sum || isnan(s.trend.sum));
    trend_quantiles(&s.trend, p, a, countof(p));
    trend_quantiles(&back.trend, p, b, countof(p));
    assert_true(back.trend.min == s.trend.min && back.trend.max == s.trend.max);
    for (size_t i = 0; i < countof(p) && isfinite(s.trend.sum); i++)
        assert_true(a[i] == b[i] || (is_compact && fabs(a[i] - b[i]) <= 0.0011 * fabs(a[i])));
    /* What was read goes on like what was written. */
    trend_merge(&back.trend, &s.trend);
    assert_int_equal(back.trend.count, 2 * s.trend.count);
    sink_release(&s);
    sink_release(&back);
}

static void trends_survive_as_bytes(void **state) {
    static double values[3000];
    static const double odd[] = {0, -1.5, 1e-300, 1e300, -1e300, INFINITY, -INFINITY, 0};
    (void)state;
    for (size_t i = 0; i < countof(values); i++)
        values[i] = 0.1 + (double)(i * 7919 % 3000) / 7;
    check_trend(values, 1, false);
    check_trend(values, 300, false);
    check_trend(values, countof(values), false);
    check_trend(values, countof(values), true);
    check_trend(odd, countof(odd), false);
    check_trend(odd, countof(odd), true);
}

static void other_sinks_survive_as_bytes(void **state) {
    struct sink back;
    (void)state;
    struct sink counter = {
        .metric = metric_by_id(M_ITERATIONS), .has_samples = true, .counter = {12.5, NS_PER_S}};
    round_trip(&counter, false, &back);
    assert_true(back.counter.sum == 12.5);
    struct sink rate = {
        .metric = metric_by_id(M_CHECKS), .has_samples = true, .rate = {3, UINT64_MAX}};
    round_trip(&rate, false, &back);
    assert_true(back.rate.trues == 3 && back.rate.total == UINT64_MAX);
    struct sink gauge = {
        .metric = metric_by_id(M_VUS), .has_samples = true, .gauge = {1, -2, 3, NS_PER_S}};
    round_trip(&gauge, false, &back);
    assert_true(back.gauge.last == 1 && back.gauge.min == -2 && back.gauge.max == 3);
}

static void a_trend_that_lies_is_refused(void **state) {
    /* form, count, sum, min, max, low bits, zeros, infinities, buckets, pairs */
    static const struct {
        uint64_t count, zeros, number, n;
    } lies[] = {{5, 6, 1 << 20, 0}, {5, 0, 1 << 20, 4},    {5, 0, 1 << 20, 6},
                {5, 0, 100, 5},     {5, 0, 4095 << 10, 5}, {0, 0, 1 << 20, 0}};
    (void)state;
    for (size_t i = 0; i < countof(lies); i++) {
        struct buf b;
        size_t budget = 1 << 20;
        buf_init(&b, BUF_NO_CAP);
        wire_put_varint(&b, 1);
        wire_put_varint(&b, lies[i].count);
        for (int k = 0; k < 3; k++)
            wire_put_double(&b, 1);
        wire_put_varint(&b, 0);
        wire_put_varint(&b, lies[i].zeros);
        wire_put_varint(&b, 0);
        wire_put_varint(&b, 0);
        wire_put_varint(&b, 1);
        wire_put_varint(&b, lies[i].number);
        wire_put_varint(&b, lies[i].n);
        struct sink s = {.metric = metric_by_id(M_HTTP_REQ_DURATION)};
        struct wire_reader r = {.rest = buf_slice(&b)};
        assert_false(sink_decode(&r, &s, &budget));
        sink_release(&s);
        buf_release(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_window_has_what_came_since_the_reset, setup, teardown),
        cmocka_unit_test_setup_teardown(trends_of_parts_add_up, setup, teardown),
        cmocka_unit_test_setup_teardown(too_many_values_are_no_parts, setup, teardown),
        registry_test(trends_survive_as_bytes),
        registry_test(other_sinks_survive_as_bytes),
        registry_test(a_trend_that_lies_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
