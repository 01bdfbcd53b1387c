/* Ratings belong to whoever gave them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rating_store.h"

#define ALICE 4
#define BOB 5

static struct db *db;
static struct rating_store *store;

static int64_t add(int64_t user_id, int64_t stars) {
    struct rating r = {.user_id = user_id, .pizza_id = 1, .stars = stars};
    assert_int_equal(rating_store_add(store, &r), 0);
    return r.id;
}

static size_t count(int64_t user_id) {
    struct rating ratings[50];
    size_t found;
    assert_int_equal(rating_store_list(store, user_id, ratings, 50, &found), 0);
    return found;
}

static void everybody_sees_their_own(void **state) {
    (void)state;
    struct rating r;
    const int64_t id = add(ALICE, 3);
    assert_int_equal(id, 4);
    assert_int_equal(rating_store_get(store, ALICE, id, &r), 0);
    assert_int_equal(r.stars, 3);
    assert_int_equal(rating_store_get(store, BOB, id, &r), KE_NOT_FOUND);
    assert_int_equal(rating_store_get(store, ALICE, 1, &r), KE_NOT_FOUND);
    assert_int_equal(count(ALICE), 1);
    assert_int_equal(count(BOB), 0);
}

static void everybody_changes_their_own(void **state) {
    (void)state;
    struct rating r;
    const int64_t id = add(ALICE, 3);
    assert_int_equal(rating_store_update(store, BOB, id, 1, &r), KE_NOT_FOUND);
    assert_int_equal(rating_store_update(store, ALICE, id, 5, &r), 0);
    assert_int_equal(r.stars, 5);
    assert_int_equal(rating_store_get(store, ALICE, id, &r), 0);
    assert_int_equal(r.stars, 5);
    assert_int_equal(rating_store_delete(store, BOB, id), KE_NOT_FOUND);
    assert_int_equal(rating_store_delete(store, ALICE, id), 0);
    assert_int_equal(rating_store_delete(store, ALICE, id), KE_NOT_FOUND);
}

static void clearing_leaves_others_alone(void **state) {
    (void)state;
    add(ALICE, 1);
    add(BOB, 2);
    add(ALICE, 3);
    assert_int_equal(rating_store_clear(store, ALICE), 0);
    assert_int_equal(rating_store_clear(store, ALICE), 0);
    assert_int_equal(count(ALICE), 0);
    assert_int_equal(count(BOB), 1);
    /* ids are not given out again */
    assert_int_equal(add(ALICE, 4), 7);
}

static void the_fixed_and_the_newest_stay(void **state) {
    (void)state;
    struct rating r;
    int64_t last = 0;
    for (int i = 0; i < 100; i++)
        last = add(ALICE, 1);
    /* fixed 10, max 20 */
    assert_int_equal(rating_store_get(store, ALICE, 10, &r), 0);
    assert_int_equal(rating_store_get(store, ALICE, 11, &r), KE_NOT_FOUND);
    assert_int_equal(rating_store_get(store, ALICE, last - 20, &r), KE_NOT_FOUND);
    assert_int_equal(rating_store_get(store, ALICE, last - 19, &r), 0);
}

static void a_list_is_in_order_and_has_a_limit(void **state) {
    (void)state;
    struct rating ratings[2];
    size_t found;
    const int64_t first = add(BOB, 1);
    add(BOB, 2);
    add(BOB, 3);
    assert_int_equal(rating_store_list(store, BOB, ratings, 2, &found), 0);
    assert_int_equal(found, 2);
    assert_int_equal(ratings[0].id, first);
    assert_int_equal(ratings[1].id, first + 1);
}

static int set_up(void **state) {
    (void)state;
    struct error err;
    const struct config_limit limit = {10, 20};
    if (db_open(&db, NULL, &err) != 0)
        return -1;
    return rating_store_open(&store, db, limit, &err);
}

static int tear_down(void **state) {
    (void)state;
    rating_store_close(store);
    db_close(db);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everybody_sees_their_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(everybody_changes_their_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clearing_leaves_others_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_fixed_and_the_newest_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_is_in_order_and_has_a_limit, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
