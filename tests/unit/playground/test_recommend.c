/* The rules by which a pizza is chosen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"
#include "catalog.h"
#include "config.h"
#include "db.h"
#include "recommend.h"

#define NAME_PAUSE_NS (CONFIG_NAME_PAUSE_MS * NS_PER_MS)
#define ROUNDS 2000

static struct db *db;
static struct catalog catalog;

static int64_t calories_of(const struct pizza *p) {
    int64_t sum = 0;
    for (size_t i = 0; i < p->ingredient_count; i++)
        sum += catalog.ingredients[p->ingredients[i]].calories;
    return sum;
}

static size_t count_kind(const struct pizza *p, enum ingredient_kind kind) {
    size_t count = 0;
    for (size_t i = 0; i < p->ingredient_count; i++)
        count += catalog.ingredients[p->ingredients[i]].kind == kind;
    return count;
}

static void one_of_each_base_and_three_to_five_draws_of_toppings(void **state) {
    (void)state;
    bool has_three = false;
    bool has_five = false;
    const struct restrictions none = {0};
    for (int i = 0; i < ROUNDS; i++) {
        struct recommendation r;
        assert_int_equal(recommend(&catalog, &none, NAME_PAUSE_NS, &r), 0);
        for (int kind = 0; kind < KIND_TOPPING; kind++)
            assert_int_equal(count_kind(&r.pizza, (enum ingredient_kind)kind), 1);
        size_t toppings = count_kind(&r.pizza, KIND_TOPPING);
        assert_in_range(toppings, 1, 5);
        has_three = has_three || toppings == 3;
        has_five = has_five || toppings == 5;
        assert_int_equal(r.calories, calories_of(&r.pizza));
    }
    assert_true(has_three && has_five);
}

static void no_ingredient_comes_twice(void **state) {
    (void)state;
    const struct restrictions many = {.min_number_of_toppings = 30, .max_number_of_toppings = 30};
    struct recommendation r;
    recommend(&catalog, &many, NAME_PAUSE_NS, &r);
    for (size_t i = 0; i < r.pizza.ingredient_count; i++) {
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(r.pizza.ingredients[i], r.pizza.ingredients[j]);
    }
}

static void exclusions_and_vegetarian_hold(void **state) {
    (void)state;
    struct slice excluded[] = {SLICE("Olive oil"), SLICE("pepperoni"), SLICE("Garlic")};
    struct slice tools[] = {SLICE("Knife"), SLICE("scissors")};
    const struct restrictions r = {
        .must_be_vegetarian = true,
        .excluded_ingredients = {excluded, countof(excluded)},
        .excluded_tools = {tools, countof(tools)},
    };
    bool has_scissors = false;
    for (int i = 0; i < ROUNDS; i++) {
        struct recommendation found;
        assert_int_equal(recommend(&catalog, &r, NAME_PAUSE_NS, &found), 0);
        assert_true(found.is_vegetarian);
        for (size_t k = 0; k < found.pizza.ingredient_count; k++) {
            const struct ingredient *item = &catalog.ingredients[found.pizza.ingredients[k]];
            assert_true(item->is_vegetarian);
            assert_false(slice_eq(item->name, excluded[0]) || slice_eq(item->name, excluded[2]));
        }
        struct slice tool = catalog.tools.words[found.pizza.tool];
        assert_false(slice_eq(tool, tools[0]));
        has_scissors = has_scissors || slice_eq(tool, SLICE("Scissors"));
    }
    assert_true(has_scissors);
}

static void the_calorie_limit_holds_unless_it_cannot(void **state) {
    (void)state;
    const struct restrictions lean = {.max_calories_per_slice = 450};
    int above = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct recommendation r;
        recommend(&catalog, &lean, NAME_PAUSE_NS, &r);
        above += r.calories > 450;
    }
    assert_in_range(above, 0, ROUNDS / 10);

    const struct restrictions impossible = {.max_calories_per_slice = 1};
    struct recommendation r;
    assert_int_equal(recommend(&catalog, &impossible, NAME_PAUSE_NS, &r), 0);
    assert_true(r.calories > 1);
}

static void odd_numbers_of_toppings(void **state) {
    (void)state;
    static const struct {
        int64_t min, max;
        size_t most;
    } cases[] = {{9, 2, 2},
                 {2, 2, 2},
                 {0, -5, 0},
                 {-9, -5, 0},
                 {0, INT64_MIN, 0},
                 {INT64_MAX, INT64_MAX, 32},
                 {INT64_MIN, INT64_MAX, 32}};
    for (size_t i = 0; i < countof(cases); i++) {
        const struct restrictions odd = {.min_number_of_toppings = cases[i].min,
                                         .max_number_of_toppings = cases[i].max};
        struct recommendation r;
        assert_int_equal(recommend(&catalog, &odd, NAME_PAUSE_NS, &r), 0);
        assert_in_range(count_kind(&r.pizza, KIND_TOPPING), 0, cases[i].most);
    }
}

static void nothing_left_to_choose_is_an_error(void **state) {
    (void)state;
    struct recommendation r;
    struct slice tools[] = {SLICE("Knife"), SLICE("Pizza cutter"), SLICE("Scissors")};
    const struct restrictions no_tool = {.excluded_tools = {tools, countof(tools)}};
    assert_int_equal(recommend(&catalog, &no_tool, NAME_PAUSE_NS, &r), KE_NOT_FOUND);
    struct slice oils[] = {SLICE("Olive oil"), SLICE("Extra virgin olive oil")};
    const struct restrictions no_oil = {.excluded_ingredients = {oils, countof(oils)}};
    assert_int_equal(recommend(&catalog, &no_oil, NAME_PAUSE_NS, &r), KE_NOT_FOUND);
}

static void a_custom_name_takes_no_time_and_64_bytes(void **state) {
    (void)state;
    char name[100];
    memset(name, 'x', sizeof name);
    const struct restrictions named = {.custom_name = {name, sizeof name}};
    struct recommendation r;
    recommend(&catalog, &named, NAME_PAUSE_NS, &r);
    assert_int_equal(r.pizza.name_bytes, 64);
    assert_int_equal(r.pause_ns, 0);
}

static void a_name_takes_about_50_ms_an_attempt(void **state) {
    (void)state;
    const struct restrictions none = {.max_calories_per_slice = 100000};
    const struct restrictions impossible = {.max_calories_per_slice = 1};
    int64_t one_ns = 0;
    int64_t ten_ns = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct recommendation r;
        recommend(&catalog, &none, NAME_PAUSE_NS, &r);
        assert_in_range(r.pause_ns, 0, 99 * NS_PER_MS);
        one_ns += r.pause_ns;
        recommend(&catalog, &impossible, NAME_PAUSE_NS, &r);
        ten_ns += r.pause_ns;
        recommend(&catalog, &impossible, 0, &r);
        assert_int_equal(r.pause_ns, 0);
    }
    assert_in_range(one_ns / ROUNDS, 45 * NS_PER_MS, 54 * NS_PER_MS);
    assert_in_range(ten_ns / ROUNDS, 480 * NS_PER_MS, 510 * NS_PER_MS);
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
        cmocka_unit_test(one_of_each_base_and_three_to_five_draws_of_toppings),
        cmocka_unit_test(no_ingredient_comes_twice),
        cmocka_unit_test(exclusions_and_vegetarian_hold),
        cmocka_unit_test(the_calorie_limit_holds_unless_it_cannot),
        cmocka_unit_test(odd_numbers_of_toppings),
        cmocka_unit_test(nothing_left_to_choose_is_an_error),
        cmocka_unit_test(a_custom_name_takes_no_time_and_64_bytes),
        cmocka_unit_test(a_name_takes_about_50_ms_an_attempt),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
