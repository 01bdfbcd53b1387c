#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "load/vu_pool.h"

static void the_lowest_free_id_goes_first(void **state) {
    struct vu_handle vus[100] = {0};
    struct vu_pool pool;
    (void)state;
    vu_pool_init(&pool);
    for (int i = 0; i < 100; i++)
        vus[i].id = i;
    for (int i = 0; i < 100; i++) /* 37 and 100 have no common divisor: all once, in no order */
        vu_pool_put(&pool, &vus[i * 37 % 100]);
    for (int i = 0; i < 50; i++)
        assert_int_equal(vu_pool_try_take(&pool)->id, i);
    vu_pool_put(&pool, &vus[7]);
    vu_pool_put(&pool, &vus[3]);
    assert_int_equal(vu_pool_try_take(&pool)->id, 3);
    assert_int_equal(vu_pool_try_take(&pool)->id, 7);
    for (int i = 50; i < 100; i++)
        assert_int_equal(vu_pool_try_take(&pool)->id, i);
    assert_null(vu_pool_try_take(&pool));
    vu_pool_release(&pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_lowest_free_id_goes_first)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
