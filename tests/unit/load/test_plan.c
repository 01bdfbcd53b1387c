#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"
#include "load/arrivals.h"
#include "load/requirements.h"

static struct arena arena;
static struct execution_tuple whole;

static int setup(void **state) {
    (void)state;
    arena_init(&arena);
    return execution_tuple_init(&arena, NULL, NULL, &whole, NULL);
}

static int teardown(void **state) {
    (void)state;
    arena_release(&arena);
    return 0;
}

static const struct scenario *scenario(const char *fields) {
    struct options *o = arena_alloc(&arena, sizeof *o);
    struct error err = {0};
    const char *json = arena_printf(&arena, "{\"scenarios\":{\"s\":{%s}}}", fields);
    if (options_from_json(&arena, slice_cstr(json), true, o, NULL, &err) != 0)
        fail_msg("%s", err.text);
    struct buf problems;
    buf_init(&problems, BUF_NO_CAP);
    if (!scenario_validate(&o->scenarios.items[0], &problems))
        fail_msg("%s", buf_cstr(&problems));
    buf_release(&problems);
    return &o->scenarios.items[0];
}

/* "0:1 500:2 …", milliseconds and VUs */
static void assert_steps(const vu_steps *steps, const char *expected) {
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    for (size_t i = 0; i < steps->len; i++)
        buf_printf(&out, "%s%lld:%lld", i ? " " : "",
                   (long long)(steps->ptr[i].offset_ns / NS_PER_MS),
                   (long long)steps->ptr[i].planned);
    assert_string_equal(buf_cstr(&out), expected);
    buf_release(&out);
}

static void vus_start_when_the_ramp_reaches_them(void **state) {
    vu_steps steps = {0};
    (void)state;
    ramp_steps(scenario("\"executor\":\"ramping-vus\",\"startVUs\":0,\"stages\":["
                        "{\"duration\":\"4s\",\"target\":4},{\"duration\":\"1s\",\"target\":4},"
                        "{\"duration\":\"2s\",\"target\":2}]"),
               &whole, &steps);
    /* a VU that goes is stopped where the ramp reaches the number below it */
    assert_steps(&steps, "0:0 1000:1 2000:2 3000:3 4000:4 6000:3 7000:2 7000:0");
    vec_release(&steps);
}

static void stages_of_no_duration_jump(void **state) {
    vu_steps steps = {0};
    (void)state;
    ramp_steps(scenario("\"executor\":\"ramping-vus\",\"startVUs\":1,\"stages\":["
                        "{\"duration\":\"1s\",\"target\":1},{\"duration\":\"0s\",\"target\":3},"
                        "{\"duration\":\"1s\",\"target\":3},{\"duration\":\"0s\",\"target\":0}]"),
               &whole, &steps);
    assert_steps(&steps, "0:1 1000:3 2000:0");
    vec_release(&steps);
}

static void instances_together_give_the_whole_ramp(void **state) {
    const struct scenario *s =
        scenario("\"executor\":\"ramping-vus\",\"startVUs\":2,\"stages\":["
                 "{\"duration\":\"3s\",\"target\":11},{\"duration\":\"2s\",\"target\":1}]");
    static const char *const segments[] = {"0:1/2", "1/2:3/4", "3/4:1"};
    vu_steps all = {0}, own[3] = {{0}};
    (void)state;
    ramp_steps(s, &whole, &all);
    for (int i = 0; i < 3; i++) {
        struct execution_tuple t;
        struct segment segment;
        struct segment_sequence seq;
        assert_int_equal(segment_parse(slice_cstr(segments[i]), &segment, NULL), 0);
        assert_int_equal(segment_sequence_parse(&arena, SLICE("0,1/2,3/4,1"), &seq, NULL), 0);
        assert_int_equal(execution_tuple_init(&arena, &segment, &seq, &t, NULL), 0);
        ramp_steps(s, &t, &own[i]);
    }
    for (size_t k = 0; k < all.len; k++) {
        int64_t sum = 0, at = all.ptr[k].offset_ns;
        if (k + 1 < all.len && all.ptr[k + 1].offset_ns == at)
            continue;
        for (int i = 0; i < 3; i++) {
            int64_t running = 0;
            for (size_t j = 0; j < own[i].len && own[i].ptr[j].offset_ns <= at; j++)
                running = own[i].ptr[j].planned;
            sum += running;
        }
        assert_int_equal(sum, all.ptr[k].planned);
    }
    for (int i = 0; i < 3; i++)
        vec_release(&own[i]);
    vec_release(&all);
}

static void leaving_vus_stay_reserved_for_their_grace(void **state) {
    vu_steps steps = {0};
    (void)state;
    ramp_reserved_steps(
        scenario("\"executor\":\"ramping-vus\",\"startVUs\":4,\"gracefulRampDown\":\"3s\","
                 "\"gracefulStop\":\"5s\",\"stages\":[{\"duration\":\"2s\",\"target\":6},"
                 "{\"duration\":\"5s\",\"target\":1},{\"duration\":\"4s\",\"target\":5}]"),
        &whole, &steps);
    assert_steps(&steps, "0:4 1000:5 2000:6 6000:5 7000:4 8000:3 10000:4 11000:5 "
                         "16000:0");
    vec_release(&steps);
}

static void the_plan_sums_up_scenarios(void **state) {
    struct options o;
    struct execution_plan plan;
    (void)state;
    const char *json =
        "{\"scenarios\":{\"a\":{\"executor\":\"constant-vus\",\"vus\":7,\"duration\":\"10s\"},"
        "\"b\":{\"executor\":\"ramping-vus\",\"startTime\":\"20s\",\"startVUs\":2,\"stages\":["
        "{\"duration\":\"10s\",\"target\":12},{\"duration\":\"5s\",\"target\":0}]},"
        "\"c\":{\"executor\":\"constant-arrival-rate\",\"startTime\":\"5s\",\"rate\":1,"
        "\"duration\":\"20s\",\"preAllocatedVUs\":3,\"maxVUs\":30}}}";
    assert_int_equal(options_from_json(&arena, slice_cstr(json), true, &o, NULL, NULL), 0);
    execution_plan_init(&plan, &o, &whole);
    assert_int_equal(plan.max_possible_vus, 49);
    assert_int_equal(plan.max_planned_vus, 22);
    assert_true(plan.end_offset_ns == 65 * NS_PER_S);
    execution_plan_release(&plan);
}

static void constant_arrivals_are_exact_multiples(void **state) {
    const struct scenario *s = scenario("\"executor\":\"constant-arrival-rate\",\"rate\":3,"
                                        "\"duration\":\"2s\",\"preAllocatedVUs\":1");
    struct arrivals a;
    int64_t at, n = 0;
    (void)state;
    arrivals_init(&a, s, &whole, 0, 1);
    for (; arrivals_next(&a, &at); n++)
        assert_true(at == n * NS_PER_S / 3);
    assert_int_equal(n, 7); /* one on the very end */
}

static void arrivals_of_several_takers_are_the_same(void **state) {
    const struct scenario *s = scenario(
        "\"executor\":\"ramping-arrival-rate\",\"startRate\":5,\"preAllocatedVUs\":1,"
        "\"stages\":[{\"duration\":\"3s\",\"target\":20},{\"duration\":\"0s\",\"target\":2},"
        "{\"duration\":\"3s\",\"target\":9}]");
    struct arrivals all, part[3];
    int64_t at, other;
    (void)state;
    arrivals_init(&all, s, &whole, 0, 1);
    for (int i = 0; i < 3; i++)
        arrivals_init(&part[i], s, &whole, i, 3);
    for (int k = 0; arrivals_next(&all, &at); k++) {
        assert_true(arrivals_next(&part[k % 3], &other));
        assert_true(at == other);
    }
    for (int i = 0; i < 3; i++)
        assert_false(arrivals_next(&part[i], &other));
}

static void ramping_arrivals_follow_the_integral(void **state) {
    const struct scenario *s = scenario(
        "\"executor\":\"ramping-arrival-rate\",\"startRate\":0,\"preAllocatedVUs\":5,\"stages\":["
        "{\"duration\":\"1s\",\"target\":20},{\"duration\":\"500ms\",\"target\":20},"
        "{\"duration\":\"0s\",\"target\":2},{\"duration\":\"600ms\",\"target\":2}]");
    struct arrivals a;
    int64_t at = 0, n = 0;
    (void)state;
    arrivals_init(&a, s, &whole, 0, 1);
    while (arrivals_next(&a, &at)) {
        n++;
        if (n == 10) /* 10·t² = 10 */
            assert_true(at > 999 * NS_PER_MS && at <= NS_PER_S);
        if (n == 12) /* 2 of 20 per second later */
            assert_true(at >= 1099 * NS_PER_MS && at <= 1101 * NS_PER_MS);
    }
    assert_int_equal(n, 21);
    assert_true(at >= 1999 * NS_PER_MS && at <= 2001 * NS_PER_MS);
}

static void descriptions_name_what_is_set(void **state) {
    static const char *const cases[][2] = {
        {"\"executor\":\"shared-iterations\",\"iterations\":3",
         "3 iterations shared among 1 VUs (maxDuration: 10m0s, gracefulStop: 30s)"},
        {"\"executor\":\"per-vu-iterations\",\"vus\":2,\"iterations\":3,\"exec\":\"other\"",
         "3 iterations for each of 2 VUs (maxDuration: 10m0s, exec: other, gracefulStop: 30s)"},
        {"\"executor\":\"constant-vus\",\"vus\":2,\"duration\":\"3s\",\"gracefulStop\":0",
         "2 looping VUs for 3s"},
        {"\"executor\":\"ramping-vus\",\"stages\":[{\"duration\":\"5s\",\"target\":5}]",
         "Up to 5 looping VUs for 5s over 1 stages (gracefulRampDown: 30s, gracefulStop: 30s)"},
        {"\"executor\":\"constant-arrival-rate\",\"rate\":3,\"duration\":\"3s\","
         "\"preAllocatedVUs\":2,\"maxVUs\":4,\"startTime\":\"5s\"",
         "3.00 iterations/s for 3s (maxVUs: 2-4, startTime: 5s, gracefulStop: 30s)"},
        {"\"executor\":\"ramping-arrival-rate\",\"preAllocatedVUs\":2,\"timeUnit\":\"1m\","
         "\"stages\":[{\"duration\":\"3s\",\"target\":90}]",
         "Up to 1.50 iterations/s for 3s over 1 stages (maxVUs: 2, gracefulStop: 30s)"},
    };
    struct buf out;
    (void)state;
    buf_init(&out, BUF_NO_CAP);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buf_reset(&out);
        scenario_describe(scenario(cases[i][0]), &whole, &out);
        assert_string_equal(buf_cstr(&out), cases[i][1]);
    }
    buf_release(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vus_start_when_the_ramp_reaches_them),
        cmocka_unit_test(stages_of_no_duration_jump),
        cmocka_unit_test(instances_together_give_the_whole_ramp),
        cmocka_unit_test(leaving_vus_stay_reserved_for_their_grace),
        cmocka_unit_test(the_plan_sums_up_scenarios),
        cmocka_unit_test(constant_arrivals_are_exact_multiples),
        cmocka_unit_test(arrivals_of_several_takers_are_the_same),
        cmocka_unit_test(ramping_arrivals_follow_the_integral),
        cmocka_unit_test(descriptions_name_what_is_set),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
