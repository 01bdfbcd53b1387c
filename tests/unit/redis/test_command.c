/* Slots by known answers, and what is known of commands. */
#include "redis_unit.h"

#include "redis/redis_command.h"

static void the_checksum_is_xmodems(void **state) {
    (void)state;
    /* The answer that the cluster's specification gives. */
    assert_int_equal(redis_crc16(SLICE("123456789")), 0x31c3);
    assert_int_equal(redis_crc16(SLICE("")), 0);
}

static void slots_are_those_of_a_server(void **state) {
    (void)state;
    /* By CLUSTER KEYSLOT of Redis 7. */
    static const struct {
        struct slice key;
        int slot;
    } cases[] = {
        {SLICE("foo"), 12182},
        {SLICE("bar"), 5061},
        {SLICE("hello"), 866},
        {SLICE("123456789"), 12739},
        {SLICE("{user1000}.following"), 3443},
        {SLICE("{user1000}.followers"), 3443},
        {SLICE("foo{}{bar}"), 8363},
        {SLICE("foo{{bar}}zap"), 4015},
        {SLICE("foo{bar}{zap}"), 5061},
        {SLICE(""), 0},
        {SLICE("{"), 4092},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        int slot = redis_slot(cases[i].key);
        if (slot != cases[i].slot)
            fail_msg("%.*s: %d != %d", SLICE_FMT(cases[i].key), slot, cases[i].slot);
    }
    assert_int_equal(redis_slot(SLICE("{user1000}.x")), redis_slot(SLICE("user1000")));
    assert_int_equal(redis_slot(SLICE("{bar")), redis_crc16(SLICE("{bar")) % REDIS_SLOTS);
}

#define TRAITS(...)                                \
    traits_of((const struct slice[]){__VA_ARGS__}, \
              sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice))

static struct redis_traits traits_of(const struct slice *args, size_t n) {
    struct redis_traits t;
    redis_traits_of(args, n, &t);
    return t;
}

static void keys_are_found(void **state) {
    (void)state;
    assert_int_equal(TRAITS(SLICE("GET"), SLICE("k")).key_at, 1);
    assert_int_equal(TRAITS(SLICE("module.own"), SLICE("k")).key_at, 1);
    assert_int_equal(TRAITS(SLICE("get")).key_at, 0);
    assert_int_equal(TRAITS(SLICE("ping"), SLICE("k")).key_at, 0);
    assert_int_equal(TRAITS(SLICE("object"), SLICE("encoding"), SLICE("k")).key_at, 2);
    assert_int_equal(TRAITS(SLICE("eval"), SLICE("return 1"), SLICE("1"), SLICE("k")).key_at, 3);
    assert_int_equal(TRAITS(SLICE("eval"), SLICE("return 1"), SLICE("0"), SLICE("a")).key_at, 0);
    assert_int_equal(
        TRAITS(SLICE("xread"), SLICE("count"), SLICE("1"), SLICE("streams"), SLICE("k"), SLICE("0"))
            .key_at,
        4);
}

static void the_table_is_sorted(void **state) {
    (void)state;
    /* One each from its ends and its middle: a table out of order loses some. */
    assert_int_equal(TRAITS(SLICE("acl"), SLICE("k")).key_at, 0);
    assert_true(TRAITS(SLICE("BLPOP"), SLICE("k"), SLICE("0")).is_blocking);
    assert_int_equal(TRAITS(SLICE("del"), SLICE("k")).split, REDIS_SPLIT_SUM);
    assert_true(TRAITS(SLICE("dbsize")).is_all);
    assert_int_equal(TRAITS(SLICE("Flushall")).split, REDIS_SPLIT_OK);
    assert_true(TRAITS(SLICE("hgetall"), SLICE("k")).is_read);
    assert_int_equal(TRAITS(SLICE("mget"), SLICE("k")).split, REDIS_SPLIT_VALUES);
    assert_int_equal(TRAITS(SLICE("mset"), SLICE("k"), SLICE("v")).key_step, 2);
    assert_true(TRAITS(SLICE("subscribe"), SLICE("c")).is_one_way);
    assert_int_equal(TRAITS(SLICE("unwatch"), SLICE("k")).key_at, 0);
    assert_false(TRAITS(SLICE("set"), SLICE("k")).is_read);
    assert_true(TRAITS(SLICE("zunion"), SLICE("1"), SLICE("k")).is_read);
    assert_int_equal(TRAITS(SLICE("zunion"), SLICE("1"), SLICE("k")).key_at, 2);
}

static void streams_block_when_they_are_asked_to(void **state) {
    (void)state;
    assert_true(
        TRAITS(SLICE("xread"), SLICE("BLOCK"), SLICE("9"), SLICE("streams"), SLICE("k"), SLICE("$"))
            .is_blocking);
    assert_false(TRAITS(SLICE("xread"), SLICE("streams"), SLICE("k"), SLICE("$")).is_blocking);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checksum_is_xmodems),
        cmocka_unit_test(slots_are_those_of_a_server),
        cmocka_unit_test(keys_are_found),
        cmocka_unit_test(the_table_is_sorted),
        cmocka_unit_test(streams_block_when_they_are_asked_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
