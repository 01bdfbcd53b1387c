#include <stdio.h>

#include "unit.h"

static int setup(void **state) {
    *state = tag_table_new();
    return 0;
}

static int teardown(void **state) {
    tag_table_free(*state);
    return 0;
}

static void same_pairs_are_the_same_set_in_any_order(void **state) {
    struct tag_table *t = *state;
    const struct tagset *e = tagset_empty(t);
    const struct tagset *ab = tagset_with(t, tagset_with(t, e, S("b"), S("2")), S("a"), S("1"));
    const struct tagset *ba = tagset_with(t, tagset_with(t, e, S("a"), S("1")), S("b"), S("2"));
    const struct tag both[] = {{S("b"), S("2")}, {S("a"), S("1")}};
    assert_ptr_equal(ab, ba);
    assert_ptr_equal(tagset_with_all(t, e, both, 2), ab);
    assert_int_equal(ab->len, 2);
    assert_true(slice_eq(ab->tags[0].key, S("a")));
    assert_true(slice_eq(tagset_get(ab, S("b")), S("2")));
    assert_null(tagset_get(ab, S("c")).ptr);
}

static void adding_a_known_pair_is_a_lookup(void **state) {
    struct tag_table *t = *state;
    const struct tagset *e = tagset_empty(t), *first = tagset_with(t, e, S("k"), S("v"));
    uint32_t sets = tag_table_count(t);
    assert_ptr_equal(tagset_with(t, e, S("k"), S("v")), first);
    assert_ptr_equal(tagset_with(t, first, S("k"), S("v")), first);
    assert_int_equal(tag_table_count(t), sets);
}

static void a_later_value_replaces_the_earlier_one(void **state) {
    struct tag_table *t = *state;
    const struct tagset *one = tagset_with(t, tagset_empty(t), S("k"), S("1"));
    const struct tagset *two = tagset_with(t, one, S("k"), S("2"));
    const struct tag twice[] = {{S("k"), S("1")}, {S("k"), S("2")}};
    assert_true(slice_eq(tagset_get(two, S("k")), S("2")));
    assert_true(slice_eq(tagset_get(one, S("k")), S("1")));
    assert_int_equal(two->len, 1);
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(tagset_with_all(t, tagset_empty(t), twice, 2), two);
}

static void removing_gives_the_set_without(void **state) {
    struct tag_table *t = *state;
    const struct tagset *a = tagset_with(t, tagset_empty(t), S("a"), S("1"));
    const struct tagset *ab = tagset_with(t, a, S("b"), S("2"));
    assert_ptr_equal(tagset_without(t, ab, S("b")), a);
    assert_ptr_equal(tagset_without(t, a, S("a")), tagset_empty(t));
    assert_ptr_equal(tagset_without(t, a, S("zz")), a);
}

static void empty_values_are_tags_too(void **state) {
    struct tag_table *t = *state;
    const struct tagset *s = tagset_with(t, tagset_empty(t), S("group"), slice_from(NULL, 0));
    assert_int_equal(s->len, 1);
    assert_non_null(tagset_get(s, S("group")).ptr);
    assert_ptr_equal(tagset_with(t, tagset_empty(t), S("group"), S("")), s);
}

static void strings_are_copied(void **state) {
    struct tag_table *t = *state;
    char value[] = "before";
    const struct tagset *s =
        tagset_with(t, tagset_empty(t), S("k"), slice_from(value, sizeof value - 1));
    memcpy(value, "after!", 6);
    assert_true(slice_eq(tagset_get(s, S("k")), S("before")));
}

static void contains_needs_every_pair(void **state) {
    struct tag_table *t = *state;
    const struct tag pairs[] = {{S("a"), S("1")}, {S("b"), S("2")}, {S("c"), S("")}};
    const struct tagset *s = tagset_with_all(t, tagset_empty(t), pairs, 3);
    const struct tag_match yes[] = {{S("a"), S("1")}, {S("c"), S("")}};
    const struct tag_match wrong_value[] = {{S("a"), S("1")}, {S("b"), S("x")}};
    const struct tag_match absent[] = {{S("d"), S("")}};
    assert_true(tagset_contains(s, yes, 2));
    assert_true(tagset_contains(s, NULL, 0));
    assert_false(tagset_contains(s, wrong_value, 2));
    assert_false(tagset_contains(s, absent, 1));
}

static void many_sets_stay_distinct(void **state) {
    struct tag_table *t = *state;
    const struct tagset *made[3000];
    char text[16];
    for (size_t i = 0; i < countof(made); i++) {
        int n = snprintf(text, sizeof text, "%zu", i);
        made[i] = tagset_with(t, tagset_empty(t), S("n"), slice_from(text, (size_t)n));
    }
    for (size_t i = 0; i < countof(made); i++) {
        int n = snprintf(text, sizeof text, "%zu", i);
        assert_true(slice_eq(tagset_get(made[i], S("n")), slice_from(text, (size_t)n)));
        assert_ptr_equal(tagset_with(t, tagset_empty(t), S("n"), slice_from(text, (size_t)n)),
                         made[i]);
    }
    assert_int_equal(tag_table_overflows(t), 0);
}

static const struct tagset *with_number(struct tag_table *t, const struct tagset *base, int i) {
    char text[16];
    int n = snprintf(text, sizeof text, "/item/%d", i);
    const struct tag add[] = {
        {S("method"), S("GET")}, {S("url"), slice_from(text, (size_t)n)}, {S("status"), S("200")}};
    return tagset_with_all(t, base, add, 3);
}

static void full_table_keeps_known_values_and_counts(void **state) {
    struct tag_table *t = *state;
    tag_table_set_limits(t, 20, TAG_BYTES_MAX);
    const struct tagset *base = tagset_with(t, tagset_empty(t), S("scenario"), S("default"));
    for (int i = 0; i < 1000; i++)
        with_number(t, base, i);
    const struct tagset *s = with_number(t, base, 1000);
    assert_true(slice_eq(tagset_get(s, S("overflow")), S("true")));
    assert_true(slice_eq(tagset_get(s, S("scenario")), S("default")));
    assert_true(slice_eq(tagset_get(s, S("status")), S("200")));
    assert_null(tagset_get(s, S("url")).ptr);
    assert_ptr_equal(with_number(t, base, 1001), s);
    assert_true(slice_eq(tagset_get(with_number(t, base, 3), S("url")), S("/item/3")));
    assert_in_range(tag_table_count(t), 20, 20 + 20 / 8);
    assert_int_equal(tag_table_overflows(t), 1001 - (20 - 3) + 1);
}

static void texts_have_a_cap_too(void **state) {
    struct tag_table *t = *state;
    char *large = calloc(1, 1000);
    memset(large, 'x', 999);
    tag_table_set_limits(t, TAG_SETS_MAX, 5000);
    for (int i = 0; i < 100; i++) {
        large[0] = (char)('0' + i % 10);
        large[1] = (char)('0' + i / 10);
        assert_non_null(tagset_with(t, tagset_empty(t), S("k"), slice_from(large, 999)));
    }
    assert_in_range(tag_table_overflows(t), 95, 97);
    assert_in_range(tag_table_count(t), 3, 8);
    free(large);
}

static void more_tags_than_a_set_holds_are_left_out(void **state) {
    struct tag_table *t = *state;
    struct tag add[TAGS_PER_SET_MAX + 10];
    char text[TAGS_PER_SET_MAX + 10][8];
    for (size_t i = 0; i < countof(add); i++) {
        int n = snprintf(text[i], sizeof text[i], "k%zu", i);
        add[i] = (struct tag){slice_from(text[i], (size_t)n), S("v")};
    }
    const struct tagset *s = tagset_with_all(t, tagset_empty(t), add, countof(add));
    assert_int_equal(s->len, TAGS_PER_SET_MAX);
    assert_int_equal(tag_table_overflows(t), 1);
}

static void system_tags_have_names(void **state) {
    (void)state;
    assert_int_equal(system_tag_by_name(S("expected_response")), TAG_EXPECTED_RESPONSE);
    assert_int_equal(system_tag_by_name(S("ip")), TAG_IP);
    assert_int_equal(system_tag_by_name(S("nope")), 0);
    for (uint32_t bit = 1; bit <= SYSTEM_TAGS_ALL; bit <<= 1)
        assert_int_equal(system_tag_by_name(slice_cstr(system_tag_name(bit))), bit);
    assert_null(system_tag_name(SYSTEM_TAGS_ALL + 1));
}

#define table_test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        table_test(same_pairs_are_the_same_set_in_any_order),
        table_test(adding_a_known_pair_is_a_lookup),
        table_test(a_later_value_replaces_the_earlier_one),
        table_test(removing_gives_the_set_without),
        table_test(empty_values_are_tags_too),
        table_test(strings_are_copied),
        table_test(contains_needs_every_pair),
        table_test(many_sets_stay_distinct),
        table_test(full_table_keeps_known_values_and_counts),
        table_test(texts_have_a_cap_too),
        table_test(more_tags_than_a_set_holds_are_left_out),
        table_test(system_tags_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
