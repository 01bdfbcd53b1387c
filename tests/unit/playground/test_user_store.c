/* Users and their passwords: who is found, whose name is taken, who is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/check.h"
#include "password.h"
#include "user_store.h"

static struct db *db;
static struct user_store *store;

static void seed_users_are_there(void **state) {
    (void)state;
    struct user user;
    assert_int_equal(user_store_by_token(store, SLICE("woSyhhrE3pQVUxMU"), &user), 0);
    assert_string_equal(user.name, "synthetics_multihttp_example");
    assert_int_equal(user.id, 2);
    assert_int_equal(user_store_by_name(store, SLICE("default"), &user), 0);
    assert_int_equal(user.id, USER_DEFAULT_ID);
    assert_int_equal(user_store_by_token(store, SLICE("0000000000000000"), &user), KE_NOT_FOUND);
}

static void a_name_is_given_once(void **state) {
    (void)state;
    struct user first;
    struct user found;
    assert_int_equal(user_store_add(store, SLICE("alice"), "stored", &first), 0);
    assert_int_equal(first.id, 4);
    assert_int_equal(strlen(first.token), USER_TOKEN_BYTES);
    assert_int_equal(user_store_add(store, SLICE("alice"), "other", &found), KE_INVALID);
    assert_int_equal(user_store_by_token(store, slice_cstr(first.token), &found), 0);
    assert_string_equal(found.password, "stored");
}

static void the_fixed_and_the_newest_stay(void **state) {
    (void)state;
    char name[16];
    struct user user;
    for (int id = 4; id <= 40; id++) {
        snprintf(name, sizeof name, "u%d", id);
        assert_int_equal(user_store_add(store, slice_cstr(name), "x", &user), 0);
        assert_int_equal(user.id, id);
    }
    /* fixed 5, max 10 */
    for (int id = 4; id <= 40; id++) {
        snprintf(name, sizeof name, "u%d", id);
        int expected = id <= 5 || id > 30 ? 0 : KE_NOT_FOUND;
        assert_int_equal(user_store_by_name(store, slice_cstr(name), &user), expected);
    }
}

static void users_outlive_the_store(void **state) {
    (void)state;
    struct user user;
    struct error err;
    const struct config_limit limit = {5, 10};
    assert_int_equal(user_store_add(store, SLICE("bob"), "pw", &user), 0);
    user_store_close(store);
    assert_int_equal(user_store_open(&store, db, limit, &err), 0);
    assert_int_equal(user_store_by_name(store, SLICE("bob"), &user), 0);
    assert_string_equal(user.password, "pw");
    assert_int_equal(user_store_add(store, SLICE("carol"), "pw", &user), 0);
    assert_int_equal(user.id, 5);
}

static void a_password_fits_its_hash_alone(void **state) {
    (void)state;
    char hash[PASSWORD_HASH_BYTES];
    char other[PASSWORD_HASH_BYTES];
    password_hash(SLICE("secret"), hash);
    password_hash(SLICE("secret"), other);
    assert_memory_equal(hash, "$2b$10$", 7);
    assert_string_not_equal(hash, other);
    assert_true(password_is_hash(hash));
    assert_true(password_matches(SLICE("secret"), hash));
    assert_false(password_matches(SLICE("Secret"), hash));
    assert_false(password_matches(SLICE(""), hash));
    assert_false(password_matches(SLICE("sec\0ret"), hash));
}

static void plain_passwords_are_compared_as_they_are(void **state) {
    (void)state;
    assert_false(password_is_hash("k6studiorocks"));
    assert_true(password_matches(SLICE("k6studiorocks"), "k6studiorocks"));
    assert_false(password_matches(SLICE("k6studiorock"), "k6studiorocks"));
}

static void bcrypt_takes_72_bytes(void **state) {
    (void)state;
    char text[80];
    memset(text, 'x', sizeof text);
    assert_true(password_is_valid(slice_from(text, 72)));
    assert_false(password_is_valid(slice_from(text, 73)));
    assert_false(password_is_valid(SLICE("a\0b")));
}

static int set_up(void **state) {
    (void)state;
    struct error err;
    const struct config_limit limit = {5, 10};
    if (db_open(&db, NULL, &err) != 0)
        return -1;
    return user_store_open(&store, db, limit, &err);
}

static int tear_down(void **state) {
    (void)state;
    user_store_close(store);
    db_close(db);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(seed_users_are_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_is_given_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_fixed_and_the_newest_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(users_outlive_the_store, set_up, tear_down),
        cmocka_unit_test(a_password_fits_its_hash_alone),
        cmocka_unit_test(plain_passwords_are_compared_as_they_are),
        cmocka_unit_test(bcrypt_takes_72_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
