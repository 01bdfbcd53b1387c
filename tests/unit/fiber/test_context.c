/* The switch itself: what the C ABI promises to keep is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fiber/context.h"

#ifdef KILN_ASAN
/* Bare switches, unknown to ASan. */
#define NO_SANITIZE __attribute__((no_sanitize("address")))
#else
#define NO_SANITIZE
#endif

#define ROUNDS 1000

static void *main_sp, *other_sp[2];
static _Alignas(64) char stacks[2][64 * 1024];
static bool is_same[2], is_aligned[2];

struct numbers {
    double a, b, c, d, e;
    long x, y, z, u, v, w;
};

/* Enough values to fill the callee-saved registers; `id` < 0 computes them without switching. */
NO_SANITIZE static struct numbers compute(int id) {
    double a = 1.5, b = 2.5, c = 3.5, d = 4.5, e = 5.5;
    long x = 1, y = 2, z = 3, u = 4, v = 5, w = 6;
    for (int i = 0; i < ROUNDS; i++) {
        a *= 1.0001;
        b += a;
        c -= b / 2;
        d += c;
        e += d * 0.5;
        x += y;
        y += z;
        z += u;
        u += v;
        v += w++;
        if (id >= 0)
            fiber_context_switch(&other_sp[id], main_sp);
    }
    return (struct numbers){a, b, c, d, e, x, y, z, u, v, w};
}

NO_SANITIZE static void other(void *arg) {
    int id = (int)(intptr_t)arg;
    is_aligned[id] = (uintptr_t)__builtin_frame_address(0) % 16 == 0;
    struct numbers with = compute(id), without = compute(-1);
    is_same[id] = with.a == without.a && with.b == without.b && with.c == without.c &&
                  with.d == without.d && with.e == without.e && with.x == without.x &&
                  with.y == without.y && with.z == without.z && with.u == without.u &&
                  with.v == without.v && with.w == without.w;
    for (;;)
        fiber_context_switch(&other_sp[id], main_sp);
}

NO_SANITIZE static void a_switch_keeps_registers_and_alignment(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++)
        other_sp[i] = fiber_context_make(stacks[i] + sizeof stacks[i], other, (void *)(intptr_t)i);
    for (int i = 0; i < ROUNDS + 1; i++) {
        for (int k = 0; k < 2; k++)
            fiber_context_switch(&main_sp, other_sp[k]);
    }
    for (int k = 0; k < 2; k++) {
        assert_true(is_aligned[k]);
        assert_true(is_same[k]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_switch_keeps_registers_and_alignment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
