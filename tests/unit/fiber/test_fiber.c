/* Fibers of one worker, run on the test's own thread. */
#include <fenv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/check.h"
#include "base/error.h"
#include "fiber/fiber.h"
#include "fiber/worker.h"

struct script {
    struct worker *w;
    struct fiber *fibers[4];
    struct fiber_cond cond;
    char trace[64];
    int rc[4];
    int count;
    int64_t at_ns;
};

static void note(struct script *s, char c) {
    size_t len = strlen(s->trace);
    if (len + 1 < sizeof s->trace)
        s->trace[len] = c;
}

/* Runs fn as the first fiber of a fresh worker until it returns. */
struct run {
    fiber_fn *fn;
    void *arg;
};

static void run_main(void *arg) {
    struct run *r = arg;
    r->fn(r->arg);
    worker_stop(worker_self());
}

static void run_in_fiber(fiber_fn *fn, struct script *s) {
    s->w = worker_new(0);
    fiber_cond_init(&s->cond);
    struct run r = {fn, s};
    fiber_detach(fiber_start(s->w, FIBER_STACK_DEFAULT, run_main, &r));
    worker_run(s->w);
    worker_free(s->w);
}

static struct fiber *start(struct script *s, fiber_fn *fn) {
    return fiber_start(s->w, FIBER_STACK_DEFAULT, fn, s);
}

/* ---------------------------------------------------------------- order */

static void say_a_yield_a(void *arg) {
    note(arg, 'a');
    fiber_yield();
    note(arg, 'A');
}

static void say_b_yield_b(void *arg) {
    note(arg, 'b');
    fiber_yield();
    note(arg, 'B');
}

static void start_two(void *arg) {
    struct script *s = arg;
    struct fiber *a = start(s, say_a_yield_a);
    struct fiber *b = start(s, say_b_yield_b);
    note(s, '1');
    fiber_join(a);
    note(s, '2');
    fiber_join(b);
    note(s, '3');
}

static void fibers_take_turns_in_order_of_start(void **state) {
    (void)state;
    struct script s = {0};
    run_in_fiber(start_two, &s);
    assert_string_equal(s.trace, "1abAB23");
}

/* ---------------------------------------------------------------- park and wake */

static void park_and_tell(void *arg) {
    struct script *s = arg;
    s->rc[0] = fiber_park(NEVER_NS);
    note(s, 'w');
}

static void wake_it(void *arg) {
    struct script *s = arg;
    struct fiber *f = start(s, park_and_tell);
    fiber_yield();
    note(s, 'p');
    fiber_wake(f);
    fiber_join(f);
}

static void wake_resumes_a_parked_fiber(void **state) {
    (void)state;
    struct script s = {.rc = {1}};
    run_in_fiber(wake_it, &s);
    assert_string_equal(s.trace, "pw");
    assert_int_equal(s.rc[0], 0);
}

static void wake_before_park(void *arg) {
    struct script *s = arg;
    struct fiber *f = start(s, park_and_tell);
    fiber_wake(f); /* it has not even started */
    fiber_join(f);
}

static void a_wake_that_comes_first_is_not_lost(void **state) {
    (void)state;
    struct script s = {.rc = {1}};
    run_in_fiber(wake_before_park, &s);
    assert_int_equal(s.rc[0], 0);
}

static void sleep_then_park(void *arg) {
    struct script *s = arg;
    s->at_ns = clock_now_ns() + 5 * NS_PER_MS;
    s->rc[0] = fiber_sleep_until(s->at_ns);
    s->at_ns = clock_now_ns() - s->at_ns;
    s->rc[1] = fiber_park(NEVER_NS);
}

static void wake_a_sleeper(void *arg) {
    struct script *s = arg;
    struct fiber *f = start(s, sleep_then_park);
    fiber_yield();
    fiber_wake(f);
    fiber_join(f);
}

static void a_wake_during_a_sleep_waits_for_the_next_park(void **state) {
    (void)state;
    struct script s = {.rc = {1, 1}};
    run_in_fiber(wake_a_sleeper, &s);
    assert_int_equal(s.rc[0], 0);
    assert_int_equal(s.rc[1], 0);
    assert_true(s.at_ns >= 0);
}

/* ---------------------------------------------------------------- deadlines */

static void park_three_times(void *arg) {
    struct script *s = arg;
    int64_t t0 = clock_now_ns();
    /* Far, near, far: the timer of a fiber moves forward only when it must. */
    fiber_wake(fiber_self());
    s->rc[0] = fiber_park(t0 + NS_PER_S);
    s->rc[1] = fiber_park(t0 + 3 * NS_PER_MS);
    s->rc[2] = fiber_park(t0 + 6 * NS_PER_MS);
    s->at_ns = clock_now_ns() - t0;
}

static void a_park_ends_at_its_deadline_whatever_the_one_before_had(void **state) {
    (void)state;
    struct script s = {0};
    run_in_fiber(park_three_times, &s);
    assert_int_equal(s.rc[0], 0);
    assert_int_equal(s.rc[1], KE_TIMEOUT);
    assert_int_equal(s.rc[2], KE_TIMEOUT);
    assert_in_range(s.at_ns, 6 * NS_PER_MS, NS_PER_S);
}

static void park_late_then_later(void *arg) {
    struct script *s = arg;
    int64_t t0 = clock_now_ns();
    s->rc[0] = fiber_park(t0 + 2 * NS_PER_MS); /* leaves no entry behind */
    for (int i = 0; i < 3; i++) {
        fiber_wake(fiber_self());
        s->rc[1] |= fiber_park(t0 + (4 + i) * NS_PER_MS); /* armed by the first, lazily later */
    }
    s->rc[2] = fiber_park(t0 + 9 * NS_PER_MS);
    s->at_ns = clock_now_ns() - t0;
}

static void a_lazy_deadline_is_caught_up_with(void **state) {
    (void)state;
    struct script s = {0};
    run_in_fiber(park_late_then_later, &s);
    assert_int_equal(s.rc[0], KE_TIMEOUT);
    assert_int_equal(s.rc[1], 0);
    assert_int_equal(s.rc[2], KE_TIMEOUT);
    assert_in_range(s.at_ns, 9 * NS_PER_MS, NS_PER_S);
}

static void park_in_the_past(void *arg) {
    struct script *s = arg;
    s->rc[0] = fiber_park(1);
    s->rc[1] = fiber_sleep_until(1);
}

static void a_deadline_in_the_past_ends_at_once(void **state) {
    (void)state;
    struct script s = {0};
    run_in_fiber(park_in_the_past, &s);
    assert_int_equal(s.rc[0], KE_TIMEOUT);
    assert_int_equal(s.rc[1], 0);
}

/* ---------------------------------------------------------------- cancel */

static void wait_in_every_way(void *arg) {
    struct script *s = arg;
    s->rc[0] = fiber_park(NEVER_NS);
    s->rc[1] = fiber_sleep_until(NEVER_NS);
    s->rc[2] = fiber_cond_wait(&s->cond, NEVER_NS);
    fiber_clear_cancel(fiber_self());
    s->rc[3] = fiber_sleep_until(clock_now_ns() + NS_PER_MS);
}

static void cancel_it(void *arg) {
    struct script *s = arg;
    struct fiber *f = start(s, wait_in_every_way);
    fiber_yield();
    fiber_cancel(f);
    fiber_join(f);
}

static void a_cancel_ends_every_wait_until_it_is_cleared(void **state) {
    (void)state;
    struct script s = {0};
    run_in_fiber(cancel_it, &s);
    assert_int_equal(s.rc[0], KE_CANCELED);
    assert_int_equal(s.rc[1], KE_CANCELED);
    assert_int_equal(s.rc[2], KE_CANCELED);
    assert_int_equal(s.rc[3], 0);
}

static void wait_masked(void *arg) {
    struct script *s = arg;
    fiber_mask_cancel(fiber_self());
    s->rc[0] = fiber_park(clock_now_ns() + 2 * NS_PER_MS);
    fiber_unmask_cancel(fiber_self());
    s->rc[1] = fiber_park(NEVER_NS);
}

static void cancel_masked(void *arg) {
    struct script *s = arg;
    struct fiber *f = start(s, wait_masked);
    fiber_yield();
    fiber_cancel(f);
    fiber_join(f);
}

static void a_masked_section_waits_to_its_end(void **state) {
    (void)state;
    struct script s = {0};
    run_in_fiber(cancel_masked, &s);
    assert_int_equal(s.rc[0], KE_TIMEOUT);
    assert_int_equal(s.rc[1], KE_CANCELED);
}

/* ---------------------------------------------------------------- condition */

static void wait_cond(void *arg) {
    struct script *s = arg;
    if (fiber_cond_wait(&s->cond, NEVER_NS) == 0)
        note(s, (char)('1' + s->count++));
}

static void signal_and_broadcast(void *arg) {
    struct script *s = arg;
    for (int i = 0; i < 4; i++)
        s->fibers[i] = start(s, wait_cond);
    fiber_yield();
    fiber_cond_signal(&s->cond);
    fiber_join(s->fibers[0]);
    note(s, '-');
    fiber_cancel(s->fibers[1]);
    fiber_cond_signal(&s->cond); /* goes to the next one that waits */
    fiber_join(s->fibers[2]);
    note(s, '-');
    fiber_cond_broadcast(&s->cond);
    fiber_join(s->fibers[1]);
    fiber_join(s->fibers[3]);
}

static void a_signal_wakes_one_waiter_and_a_broadcast_all(void **state) {
    (void)state;
    struct script s = {0};
    run_in_fiber(signal_and_broadcast, &s);
    assert_string_equal(s.trace, "1-2-3");
}

/* ---------------------------------------------------------------- stacks and registers */

static int eat_stack(int depth) {
    volatile char frame[1024];
    frame[0] = (char)depth;
    frame[sizeof frame - 1] = 1;
    return depth ? eat_stack(depth - 1) + frame[sizeof frame - 1] : frame[0];
}

static void eat_deep(void *arg) {
    struct script *s = arg;
    void *low;
    size_t bytes;
    fiber_stack_bounds(fiber_self(), &low, &bytes);
    char here;
    if (bytes >= FIBER_STACK_DEFAULT && &here > (char *)low && &here < (char *)low + bytes)
        s->count++;
    s->rc[0] = eat_stack(100);
}

static void reuse_stack(void *arg) {
    struct script *s = arg;
    for (int i = 0; i < 50; i++)
        fiber_join(start(s, eat_deep));
}

static void a_recycled_stack_is_whole_again(void **state) {
    (void)state;
    struct script s = {0};
    run_in_fiber(reuse_stack, &s);
    assert_int_equal(s.count, 50);
    assert_int_equal(s.rc[0], 100);
}

static void keep_values(void *arg) {
    struct script *s = arg;
    double a = 1.5, b = -2.25;
    long x[6] = {1, 2, 3, 4, 5, 6};
    for (int i = 0; i < 100; i++) {
        a *= 1.0000001;
        x[i % 6] += (long)(b * i);
        fiber_yield();
    }
    long sum = 0;
    for (int i = 0; i < 6; i++)
        sum += x[i];
    if (sum < 0 && a > 1.5 && fegetround() == FE_TONEAREST)
        s->count++;
}

static void round_up(void *arg) {
    struct script *s = arg;
    fesetround(FE_UPWARD);
    for (int i = 0; i < 100; i++)
        fiber_yield();
    if (fegetround() == FE_UPWARD)
        s->count++;
    fesetround(FE_TONEAREST);
}

static void mix(void *arg) {
    struct script *s = arg;
    for (int i = 0; i < 3; i++)
        s->fibers[i] = start(s, i == 1 ? round_up : keep_values);
    for (int i = 0; i < 3; i++)
        fiber_join(s->fibers[i]);
}

static void registers_and_rounding_mode_belong_to_a_fiber(void **state) {
    (void)state;
    struct script s = {0};
    run_in_fiber(mix, &s);
#if defined(__x86_64__)
    assert_int_equal(s.count, 3);
#else
    assert_in_range(s.count, 0, 3);
#endif
}

static void count_one(void *arg) {
    struct script *s = arg;
    s->at_ns = clock_now_ns() + 20 * NS_PER_MS;
    if (fiber_sleep_until(s->at_ns) == 0)
        s->count++;
}

#ifdef KILN_ASAN
#define MANY 5000
#else
#define MANY 50000
#endif

static void start_many(void *arg) {
    struct script *s = arg;
    struct fiber **f = xcalloc(MANY, sizeof *f);
    for (int i = 0; i < MANY; i++)
        f[i] = start(s, count_one);
    for (int i = 0; i < MANY; i++)
        fiber_join(f[i]);
    free(f);
}

static void fifty_thousand_fibers_sleep_at_once(void **state) {
    (void)state;
    struct script s = {0};
    run_in_fiber(start_many, &s);
    assert_int_equal(s.count, MANY);
}

static void detach_both_ways(void *arg) {
    struct script *s = arg;
    fiber_detach(start(s, say_a_yield_a)); /* before it ends */
    struct fiber *b = start(s, say_b_yield_b);
    fiber_yield();
    fiber_yield();
    fiber_yield();
    fiber_detach(b); /* after */
    if (fiber_worker(fiber_self()) == s->w)
        note(s, '.');
}

static void a_detached_fiber_frees_itself(void **state) {
    (void)state;
    struct script s = {0};
    run_in_fiber(detach_both_ways, &s);
    assert_string_equal(s.trace, "abAB.");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fibers_take_turns_in_order_of_start),
        cmocka_unit_test(wake_resumes_a_parked_fiber),
        cmocka_unit_test(a_wake_that_comes_first_is_not_lost),
        cmocka_unit_test(a_wake_during_a_sleep_waits_for_the_next_park),
        cmocka_unit_test(a_park_ends_at_its_deadline_whatever_the_one_before_had),
        cmocka_unit_test(a_lazy_deadline_is_caught_up_with),
        cmocka_unit_test(a_deadline_in_the_past_ends_at_once),
        cmocka_unit_test(a_cancel_ends_every_wait_until_it_is_cleared),
        cmocka_unit_test(a_masked_section_waits_to_its_end),
        cmocka_unit_test(a_signal_wakes_one_waiter_and_a_broadcast_all),
        cmocka_unit_test(a_recycled_stack_is_whole_again),
        cmocka_unit_test(registers_and_rounding_mode_belong_to_a_fiber),
        cmocka_unit_test(fifty_thousand_fibers_sleep_at_once),
        cmocka_unit_test(a_detached_fiber_frees_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
