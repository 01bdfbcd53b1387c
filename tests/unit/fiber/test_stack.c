/* Stacks: guards, recycling, and what happens when the process has no mappings left. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/check.h"
#include "fiber/stack.h"

#define BYTES ((size_t)256 << 10)

static void a_stack_has_the_size_asked_for(void **state) {
    (void)state;
    struct stack_pool p;
    stack_pool_init(&p);
    static const size_t sizes[] = {1, BYTES, BYTES - 1, 32 << 20};
    for (size_t i = 0; i < countof(sizes); i++) {
        struct stack *s = stack_get(&p, sizes[i]);
        assert_non_null(s);
        assert_true((size_t)(s->top - s->low) + 4096 >= sizes[i]);
        assert_int_equal((uintptr_t)s->top % 16, 0);
        s->low[0] = s->top[-1] = 1;
    }
    stack_pool_release(&p);
}

static void a_recycled_stack_keeps_its_top_and_gives_the_rest_back(void **state) {
    (void)state;
    struct stack_pool p;
    stack_pool_init(&p);
    struct stack *s = stack_get(&p, BYTES);
    memset(s->low, 1, (size_t)(s->top - s->low));
    stack_put(s);
    assert_ptr_equal(stack_get(&p, BYTES), s);
    assert_int_equal(s->low[0], 0);
    assert_int_equal(s->top[-32 * 1024], 0);
    assert_int_equal(s->top[-1], 1);
    assert_int_equal(s->top[-8 * 1024], 1);
    assert_ptr_not_equal(stack_get(&p, BYTES), s);
    stack_pool_release(&p);
}

/* In a child process: touches one byte, ends with 0 when that is allowed. */
static int touch(char *at) {
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        *(volatile char *)at = 1;
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

static void the_guard_lies_below_the_stack_whichever_way_it_is_made(void **state) {
    (void)state;
    for (int way = 0; way < 2; way++) {
        struct stack_pool p;
        stack_pool_init(&p);
        if (way == 1)
            p.has_guard_install = false; /* an older kernel */
        stack_get(&p, BYTES);
        struct stack *s = stack_get(&p, BYTES);
        assert_true(s->has_guard);
        assert_int_equal(touch(s->low), 0);
        assert_int_not_equal(touch(s->low - 1), 0);
        assert_int_not_equal(touch(s->low - p.guard_bytes), 0);
        stack_pool_release(&p);
    }
}

static void without_mappings_left_stacks_go_without_a_guard(void **state) {
    (void)state;
    struct stack_pool p;
    stack_pool_init(&p);
    p.has_guard_install = false;
    p.is_out_of_vmas = true;
    struct stack *s = stack_get(&p, BYTES);
    assert_non_null(s);
    assert_false(s->has_guard);
    assert_int_equal(touch(s->low - 1), 0);
    stack_pool_release(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stack_has_the_size_asked_for),
        cmocka_unit_test(a_recycled_stack_keeps_its_top_and_gives_the_rest_back),
        cmocka_unit_test(the_guard_lies_below_the_stack_whichever_way_it_is_made),
        cmocka_unit_test(without_mappings_left_stacks_go_without_a_guard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
