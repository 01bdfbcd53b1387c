#include <math.h>

#include "unit.h"

#include "base/vec.h"

/* Deterministic: a failure can be repeated. */
static uint64_t seed;

static double uniform(void) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(seed >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void) {
    return sqrt(-2 * log(uniform())) * cos(2 * 3.141592653589793 * uniform());
}

static double draw_uniform(void) {
    return 0.05 + 900 * uniform();
}

static double draw_lognormal(void) {
    return exp(1.5 + 1.2 * normal());
}

static double draw_bimodal(void) {
    return uniform() < 0.7 ? 2 + 0.1 * normal() : 480 + 30 * normal();
}

static double draw_heavy_tail(void) {
    return 0.3 * pow(uniform(), -1.1);
}

static double draw_signed(void) {
    return 50 * normal();
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double exact_quantile(const double *sorted, size_t n, double p) {
    double i = p * ((double)n - 1);
    double a = sorted[(size_t)floor(i)], b = sorted[(size_t)ceil(i)];
    return a + (b - a) * (i - floor(i));
}

static void assert_near(double got, double want, double relative) {
    if (fabs(got - want) > relative * fabs(want) + 1e-300)
        fail_msg("got %.17g, want %.17g: off by %.4f %%", got, want, 100 * fabs(got / want - 1));
}

static void check_quantiles(double (*draw)(void), double relative) {
    static const double ps[] = {0.5, 0.75, 0.9, 0.95, 0.99, 0.999};
    enum { N = 100000 };
    double *values = xmalloc(N * sizeof *values);
    struct trend t;
    trend_init(&t);
    seed = 42;
    for (size_t i = 0; i < N; i++) {
        values[i] = draw();
        trend_add(&t, values[i]);
    }
    qsort(values, N, sizeof *values, compare_doubles);
    for (size_t i = 0; i < countof(ps); i++)
        assert_near(trend_quantile(&t, ps[i]), exact_quantile(values, N, ps[i]), relative);
    assert_float_equal(trend_quantile(&t, 0), values[0], 0);
    assert_float_equal(trend_quantile(&t, 1), values[N - 1], 0);
    assert_float_equal(t.min, values[0], 0);
    assert_float_equal(t.max, values[N - 1], 0);
    assert_int_equal(t.count, N);
    trend_release(&t);
    free(values);
}

static void quantiles_are_within_a_thousandth(void **state) {
    (void)state;
    check_quantiles(draw_uniform, 0.001);
    check_quantiles(draw_lognormal, 0.001);
    check_quantiles(draw_bimodal, 0.001);
    check_quantiles(draw_heavy_tail, 0.001);
    check_quantiles(draw_signed, 0.001);
}

/* The promise of the header is half of the requirement. */
static void quantiles_are_within_half_a_bucket(void **state) {
    (void)state;
    check_quantiles(draw_uniform, 0.0005);
    check_quantiles(draw_lognormal, 0.0005);
    check_quantiles(draw_heavy_tail, 0.0005);
}

static void few_values_give_exact_quantiles(void **state) {
    (void)state;
    double values[TREND_EXACT];
    struct trend t;
    trend_init(&t);
    seed = 7;
    for (size_t i = 0; i < TREND_EXACT; i++)
        trend_add(&t, values[i] = draw_lognormal());
    assert_true(trend_is_exact(&t));
    qsort(values, TREND_EXACT, sizeof *values, compare_doubles);
    for (int p = 0; p <= 1000; p++)
        assert_float_equal(trend_quantile(&t, p / 1000.0),
                           exact_quantile(values, TREND_EXACT, p / 1000.0), 0);
    trend_add(&t, 1);
    assert_false(trend_is_exact(&t));
    trend_release(&t);
}

/* Figures recorded from k6: ten multiples of 1.1. */
static void ten_values_print_as_in_k6(void **state) {
    (void)state;
    static const double values[] = {5, 1, 4, 2, 3, 10, 7, 8, 6, 9};
    struct trend t;
    trend_init(&t);
    for (size_t i = 0; i < countof(values); i++)
        trend_add(&t, values[i] * 1.1);
    assert_float_equal(trend_avg(&t), 6.05, 1e-12);
    assert_float_equal(trend_quantile(&t, 0.5), 6.050000000000001, 0);
    assert_float_equal(trend_quantile(&t, 0.9), 10.01, 0);
    assert_float_equal(trend_quantile(&t, 0.95), 10.504999999999999, 0);
    assert_float_equal(trend_quantile(&t, 0.999), 10.990100000000002, 0);
    trend_release(&t);
}

static void empty_trend_is_all_zero(void **state) {
    (void)state;
    struct trend t;
    trend_init(&t);
    assert_float_equal(trend_quantile(&t, 0.95), 0, 0);
    assert_float_equal(trend_avg(&t), 0, 0);
    assert_float_equal(t.min, 0, 0);
    assert_float_equal(t.max, 0, 0);
    trend_release(&t);
}

static void small_integers_stay_exact_after_spilling(void **state) {
    (void)state;
    struct trend t;
    trend_init(&t);
    /* Each of 0..2000 fifty times: ranks 50 v to 50 v + 49 are v. */
    for (int i = 0; i < 50 * 2001; i++)
        trend_add(&t, i % 2001);
    assert_false(trend_is_exact(&t));
    for (int v = 0; v <= 2000; v++)
        assert_float_equal(trend_quantile(&t, (50 * v + 10) / (50 * 2001.0 - 1)), v, 0);
    trend_release(&t);

    trend_init(&t);
    for (int i = 0; i < 3000; i++)
        trend_add(&t, i % 3);
    assert_float_equal(trend_quantile(&t, 0.5), 1, 0);
    assert_float_equal(trend_quantile(&t, 0.9), 2, 0);
    assert_float_equal(trend_quantile(&t, 0.1), 0, 0);
    trend_release(&t);
}

static void equal_values_stay_exact_after_spilling(void **state) {
    (void)state;
    struct trend t;
    trend_init(&t);
    for (int i = 0; i < 5000; i++)
        trend_add(&t, 42.123456789);
    assert_float_equal(trend_quantile(&t, 0.5), 42.123456789, 0);
    trend_release(&t);
}

static void zeros_and_negatives_sort_below_positives(void **state) {
    (void)state;
    struct trend t;
    trend_init(&t);
    for (int i = 0; i < 400; i++) {
        trend_add(&t, -8);
        trend_add(&t, -2);
        trend_add(&t, 0);
        trend_add(&t, i % 2 ? -0.0 : 0.0);
        trend_add(&t, 3);
    }
    assert_float_equal(trend_quantile(&t, 0.1), -8, 0);
    assert_float_equal(trend_quantile(&t, 0.3), -2, 0);
    assert_float_equal(trend_quantile(&t, 0.5), 0, 0);
    assert_float_equal(trend_quantile(&t, 0.7), 0, 0);
    assert_float_equal(trend_quantile(&t, 0.9), 3, 0);
    trend_release(&t);
}

static void infinities_and_extremes_are_accepted(void **state) {
    (void)state;
    struct trend t;
    trend_init(&t);
    for (int i = 0; i < 1000; i++)
        trend_add(&t, 1);
    trend_add(&t, INFINITY);
    trend_add(&t, INFINITY);
    trend_add(&t, -INFINITY);
    trend_add(&t, 5e-324);
    trend_add(&t, 1.7976931348623157e308);
    trend_add(&t, NAN);
    assert_int_equal(t.count, 1005);
    assert_true(isinf(t.max) && isinf(t.min));
    assert_near(trend_quantile(&t, 0.5), 1, 0.0005);
    assert_true(isinf(trend_quantile(&t, 1)));
    assert_true(isinf(trend_quantile(&t, 1003 / 1004.0)));
    assert_true(trend_quantile(&t, 0) < 0);
    trend_release(&t);
}

static void fill(struct trend *t, double (*draw)(void), size_t n) {
    for (size_t i = 0; i < n; i++)
        trend_add(t, draw());
}

static void assert_same_trend(const struct trend *a, const struct trend *b) {
    assert_int_equal(a->count, b->count);
    assert_float_equal(a->sum, b->sum, fabs(b->sum) * 1e-12);
    assert_float_equal(a->min, b->min, 0);
    assert_float_equal(a->max, b->max, 0);
    assert_int_equal(trend_is_exact(a), trend_is_exact(b));
    for (int p = 0; p <= 100; p++)
        assert_float_equal(trend_quantile(a, p / 100.0), trend_quantile(b, p / 100.0), 0);
}

static void check_merge(size_t n_a, size_t n_b) {
    struct trend a, b, both;
    trend_init(&a);
    trend_init(&b);
    trend_init(&both);
    seed = 1;
    fill(&a, draw_bimodal, n_a);
    fill(&b, draw_heavy_tail, n_b);
    seed = 1;
    fill(&both, draw_bimodal, n_a);
    fill(&both, draw_heavy_tail, n_b);
    trend_merge(&a, &b);
    assert_same_trend(&a, &both);
    assert_int_equal(b.count, n_b);
    trend_release(&a);
    trend_release(&b);
    trend_release(&both);
}

static void merging_equals_recording_both(void **state) {
    (void)state;
    check_merge(0, 0);
    check_merge(0, 10);
    check_merge(10, 0);
    check_merge(100, 200);
    check_merge(TREND_EXACT - 200, 200); /* still exact */
    check_merge(TREND_EXACT - 199, 200); /* just not */
    check_merge(20000, 10);
    check_merge(10, 20000);
    check_merge(30000, 20000);
}

static void counts_beyond_32_bits_carry(void **state) {
    (void)state;
    struct trend t, copy;
    trend_init(&t);
    fill(&t, draw_uniform, 1000);
    for (uint32_t i = 0; i < 2000; i++)
        trend_add(&t, 1.5);
    /* Doubling by merging a copy is the only quick way to large counts. */
    for (int i = 0; i < 24; i++) {
        trend_init(&copy);
        trend_merge(&copy, &t);
        trend_merge(&t, &copy);
        trend_release(&copy);
    }
    assert_int_equal(t.count, 3000ull << 24);
    double before = trend_quantile(&t, 0.5);
    assert_near(before, 1.5, 0.0005);
    for (int i = 0; i < 1000; i++)
        trend_add(&t, 1.5);
    assert_near(trend_quantile(&t, 0.5), 1.5, 0.0005);
    trend_release(&t);

    /* And by adding: a bucket at its brim. */
    trend_init(&t);
    for (int i = 0; i < TREND_EXACT + 1; i++)
        trend_add(&t, 1.0);
    struct trend_chunk *c = t.chunks[0];
    t.count += UINT32_MAX - c->n[0];
    c->n[0] = UINT32_MAX;
    trend_add(&t, 1.0);
    trend_add(&t, 1.5);
    assert_int_equal(c->n[0], 0);
    assert_int_equal(c->high[0], 1);
    assert_near(trend_quantile(&t, 0.99), 1, 0.0005);
    trend_release(&t);
}

static void memory_does_not_grow_with_the_number_of_values(void **state) {
    (void)state;
    struct trend t;
    trend_init(&t);
    seed = 3;
    fill(&t, draw_lognormal, 20000);
    size_t before = trend_memory_bytes(&t);
    fill(&t, draw_lognormal, 200000);
    size_t after = trend_memory_bytes(&t);
    /* A rare value may open an octave; the values themselves would be 1.6 MB. */
    assert_in_range(after, before, before + 4 * sizeof(struct trend_chunk));
    assert_in_range(after, 1, 128 * 1024);
    trend_release(&t);
}

struct each {
    double last;
    uint64_t n;
};

static void on_each(void *arg, double value, uint64_t n) {
    struct each *e = arg;
    assert_true(value > e->last || e->n < TREND_EXACT);
    e->last = value;
    e->n += n;
}

static void walk_visits_every_value_in_order(void **state) {
    (void)state;
    struct trend t;
    struct each e = {-INFINITY, 0};
    trend_init(&t);
    fill(&t, draw_signed, 100);
    trend_each(&t, on_each, &e);
    assert_int_equal(e.n, 100);
    fill(&t, draw_signed, 9900);
    trend_add(&t, 0);
    e = (struct each){-INFINITY, TREND_EXACT};
    trend_each(&t, on_each, &e);
    assert_int_equal(e.n - TREND_EXACT, 10001);
    trend_release(&t);
}

static void statistics_go_by_their_k6_names(void **state) {
    (void)state;
    struct trend t;
    trend_init(&t);
    for (int i = 1; i <= 5; i++)
        trend_add(&t, i);
    static const struct {
        const char *name;
        double value;
    } cases[] = {{"avg", 3},  {"min", 1},    {"med", 3},     {"max", 5},     {"count", 5},
                 {"p(0)", 1}, {"p(100)", 5}, {"p(90)", 4.6}, {"p(2.5e1)", 2}};
    for (size_t i = 0; i < countof(cases); i++) {
        struct trend_stat stat;
        assert_int_equal(trend_stat_parse(slice_cstr(cases[i].name), &stat, NULL), 0);
        assert_float_equal(trend_stat_value(&t, &stat), cases[i].value, 1e-12);
        assert_string_equal(stat.name, cases[i].name);
    }
    trend_release(&t);
}

static void bad_statistics_are_refused_in_k6s_words(void **state) {
    (void)state;
    struct trend_stat stat;
    struct error err;
    assert_int_equal(trend_stat_parse(S("foo"), &stat, &err), KE_INVALID);
    assert_string_equal(err.text, "invalid trend stat 'foo', unknown format");
    assert_int_equal(trend_stat_parse(S("p(101)"), &stat, &err), KE_INVALID);
    assert_string_equal(err.text, "invalid percentile trend stat value 'p(101)', provide a number "
                                  "between 0 and 100");
    assert_int_equal(trend_stat_parse(S("p()"), &stat, &err), KE_INVALID);
    assert_int_equal(trend_stat_parse(S("p("), &stat, &err), KE_INVALID);
    assert_int_equal(trend_stat_parse(S("sum"), &stat, &err), KE_INVALID);
    assert_int_equal(trend_stat_parse(S(""), &stat, &err), KE_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_within_a_thousandth),
        cmocka_unit_test(quantiles_are_within_half_a_bucket),
        cmocka_unit_test(few_values_give_exact_quantiles),
        cmocka_unit_test(ten_values_print_as_in_k6),
        cmocka_unit_test(empty_trend_is_all_zero),
        cmocka_unit_test(small_integers_stay_exact_after_spilling),
        cmocka_unit_test(equal_values_stay_exact_after_spilling),
        cmocka_unit_test(zeros_and_negatives_sort_below_positives),
        cmocka_unit_test(infinities_and_extremes_are_accepted),
        cmocka_unit_test(merging_equals_recording_both),
        cmocka_unit_test(counts_beyond_32_bits_carry),
        cmocka_unit_test(memory_does_not_grow_with_the_number_of_values),
        cmocka_unit_test(walk_visits_every_value_in_order),
        cmocka_unit_test(statistics_go_by_their_k6_names),
        cmocka_unit_test(bad_statistics_are_refused_in_k6s_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
