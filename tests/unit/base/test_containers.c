#include "unit.h"

#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"
#include "base/vec.h"

static struct slice number_key(char *text, size_t size, int i) {
    return slice_from(text, (size_t)snprintf(text, size, "key%d", i));
}

static void map_finds_what_was_set_and_replaces(void **state) {
    (void)state;
    struct map m;
    int a, b;
    map_init(&m);
    assert_null(map_get(&m, SLICE("x")));
    assert_null(map_set(&m, SLICE("x"), &a));
    assert_ptr_equal(map_set(&m, SLICE("x"), &b), &a);
    assert_ptr_equal(map_get(&m, SLICE("x")), &b);
    assert_int_equal(m.len, 1);
    map_release(&m);
}

static void map_tells_a_null_value_from_absence(void **state) {
    (void)state;
    struct map m;
    map_init(&m);
    map_set(&m, SLICE(""), NULL);
    assert_true(map_has(&m, SLICE("")));
    assert_false(map_has(&m, SLICE("a")));
    map_release(&m);
}

static void map_iterates_in_order_of_insertion_after_deletes(void **state) {
    (void)state;
    struct map m;
    char text[16];
    map_init(&m);
    for (int i = 0; i < 1000; i++)
        map_set(&m, number_key(text, sizeof text, i), (void *)(intptr_t)(i + 1));
    for (int i = 0; i < 1000; i += 2)
        assert_int_equal((intptr_t)map_delete(&m, number_key(text, sizeof text, i)), i + 1);
    for (int i = 1000; i < 3000; i++)
        map_set(&m, number_key(text, sizeof text, i), (void *)(intptr_t)(i + 1));
    intptr_t last = 0;
    size_t count = 0;
    struct map_entry *e;
    for (size_t pos = 0; (e = map_next(&m, &pos)) != NULL; count++) {
        assert_true((intptr_t)e->value > last);
        last = (intptr_t)e->value;
        assert_int_equal(e->key.ptr[e->key.len], 0);
    }
    assert_int_equal(count, 2500);
    assert_int_equal(m.len, 2500);
    for (int i = 0; i < 3000; i++)
        assert_int_equal(map_has(&m, number_key(text, sizeof text, i)), i >= 1000 || i % 2 == 1);
    map_release(&m);
}

static void map_survives_endless_set_and_delete(void **state) {
    (void)state;
    struct map m;
    char text[16];
    map_init(&m);
    for (int i = 0; i < 10000; i++) {
        map_set(&m, number_key(text, sizeof text, i), text);
        map_delete(&m, number_key(text, sizeof text, i));
    }
    assert_int_equal(m.len, 0);
    assert_in_range(m.alloc, 1, 16);
    map_release(&m);
}

static void arena_memory_is_aligned_and_separate(void **state) {
    (void)state;
    struct arena a;
    arena_init(&a);
    char *first = arena_strndup(&a, "hello", 5);
    for (size_t bytes = 1; bytes < 9000; bytes += 97) {
        char *p = arena_alloc(&a, bytes);
        assert_int_equal((uintptr_t)p % 16, 0);
        memset(p, 0xee, bytes);
    }
    assert_string_equal(first, "hello");
    assert_string_equal(arena_printf(&a, "%d/%s", 3, first), "3/hello");
    arena_release(&a);
}

static void arena_reset_keeps_usual_memory_not_huge(void **state) {
    (void)state;
    struct arena a;
    arena_init(&a);
    arena_alloc(&a, 10);
    struct arena_block *block = a.head;
    arena_reset(&a);
    arena_alloc(&a, 10);
    assert_ptr_equal(a.head, block);
    arena_alloc(&a, 4 << 20);
    arena_reset(&a);
    assert_null(a.head);
    arena_release(&a);
}

static void vec_grows(void **state) {
    (void)state;
    VEC(int) v = {0};
    for (int i = 0; i < 100; i++)
        vec_push(&v, i);
    int *item, sum = 0;
    vec_foreach(item, &v) {
        sum += *item;
    }
    assert_int_equal(sum, 4950);
    vec_release(&v);
    assert_int_equal(v.len, 0);
}

static void list_keeps_order_and_double_remove_is_harmless(void **state) {
    (void)state;
    struct list head, a, b, c;
    list_init(&head);
    list_push_back(&head, &a);
    list_push_back(&head, &b);
    list_push_back(&head, &c);
    list_remove(&b);
    list_remove(&b);
    assert_ptr_equal(list_pop_front(&head), &a);
    assert_ptr_equal(list_pop_front(&head), &c);
    assert_null(list_pop_front(&head));
    assert_true(list_empty(&head));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_finds_what_was_set_and_replaces),
        cmocka_unit_test(map_tells_a_null_value_from_absence),
        cmocka_unit_test(map_iterates_in_order_of_insertion_after_deletes),
        cmocka_unit_test(map_survives_endless_set_and_delete),
        cmocka_unit_test(arena_memory_is_aligned_and_separate),
        cmocka_unit_test(arena_reset_keeps_usual_memory_not_huge),
        cmocka_unit_test(vec_grows),
        cmocka_unit_test(list_keeps_order_and_double_remove_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
