/* Pizzas get their ids at once, and whoever knows an id finds the pizza. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "catalog.h"
#include "db.h"
#include "pizza_store.h"

static struct db *db;
static struct catalog catalog;

static struct pizza_store *open_store(int64_t fixed, int64_t max) {
    struct pizza_store *store = NULL;
    struct error err;
    struct config_limit limit = {fixed, max};
    assert_int_equal(pizza_store_open(&store, db, &catalog, limit, &err), 0);
    return store;
}

static struct pizza some_pizza(void) {
    struct pizza p = {.dough = 2, .tool = 1, .ingredients = {0, 4, 39}, .ingredient_count = 3};
    pizza_set_name(&p, SLICE("The Tested"));
    return p;
}

static void a_stored_pizza_is_found_unchanged(void **state) {
    (void)state;
    struct pizza_store *store = open_store(100, 5000);
    struct pizza in = some_pizza();
    struct pizza out;
    pizza_store_add(store, &in);
    assert_int_equal(in.id, 4);
    assert_int_equal(pizza_store_get(store, 4, &out), 0);
    assert_true(slice_eq(pizza_name(&out), SLICE("The Tested")));
    assert_int_equal(out.dough, 2);
    assert_int_equal(out.tool, 1);
    assert_int_equal(out.ingredient_count, 3);
    assert_memory_equal(out.ingredients, in.ingredients, 3 * sizeof in.ingredients[0]);
    assert_int_equal(pizza_store_get(store, 5, &out), KE_NOT_FOUND);
    pizza_store_close(store);
}

static void a_long_batch_leaves_the_fixed_and_the_newest(void **state) {
    (void)state;
    struct pizza_store *store = open_store(6, 10);
    struct pizza out;
    int64_t last = 0;
    for (int i = 0; i < 30000; i++) {
        struct pizza p = some_pizza();
        pizza_store_add(store, &p);
        last = p.id;
    }
    assert_int_equal(last, 3 + 30000);
    assert_int_equal(pizza_store_get(store, 6, &out), 0);
    assert_int_equal(pizza_store_get(store, 7, &out), KE_NOT_FOUND);
    assert_int_equal(pizza_store_get(store, last - 10, &out), KE_NOT_FOUND);
    assert_int_equal(pizza_store_get(store, last - 9, &out), 0);

    struct pizza latest[15];
    assert_int_equal(pizza_store_latest(store, latest, 15), 15);
    assert_int_equal(latest[0].id, last);
    assert_int_equal(latest[9].id, last - 9);
    assert_int_equal(latest[10].id, 6);
    pizza_store_close(store);
}

static int set_up(void **state) {
    (void)state;
    struct error err;
    if (db_open(&db, NULL, &err) != 0)
        return -1;
    return catalog_load(&catalog, db, &err);
}

static int tear_down(void **state) {
    (void)state;
    catalog_release(&catalog);
    db_close(db);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stored_pizza_is_found_unchanged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_batch_leaves_the_fixed_and_the_newest, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
