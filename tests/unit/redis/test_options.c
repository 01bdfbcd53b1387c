/* Connection URLs, what nodes may not say differently, and defaults. */
#include "redis_unit.h"

#include "base/clock.h"
#include "redis/redis_options.h"

static int parse(const char *url, struct redis_options *o, struct error *err) {
    redis_options_init(o);
    *err = (struct error){0};
    return redis_options_parse_url(slice_cstr(url), o, err);
}

static void addresses(void **state) {
    (void)state;
    static const struct {
        const char *url, *host;
        int port;
        int64_t database;
        const char *username, *password;
        bool has_tls;
    } cases[] = {
        {"redis://", "localhost", 6379, 0, "", "", false},
        {"redis://127.0.0.1:7000", "127.0.0.1", 7000, 0, "", "", false},
        {"redis://user:p%40ss@h/3", "h", 6379, 3, "user", "p@ss", false},
        {"redis://:secret@h:1/", "h", 1, 0, "", "secret", false},
        {"rediss://h:6380/15", "h", 6380, 15, "", "", true},
        {"redis://[::1]", "::1", 6379, 0, "", "", false},
        {"redis://[::1]:7/2", "::1", 7, 2, "", "", false},
        {"redis://h/1?db=4", "h", 6379, 4, "", "", false},
        {"REDIS://h", "h", 6379, 0, "", "", false},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct redis_options o;
        struct error err;
        if (parse(cases[i].url, &o, &err))
            fail_msg("%s: %s", cases[i].url, err.text);
        assert_int_equal(o.n_addresses, 1);
        assert_string_equal(o.addresses[0].host, cases[i].host);
        assert_int_equal(o.addresses[0].port, cases[i].port);
        assert_int_equal(o.database, cases[i].database);
        assert_string_equal(o.username, cases[i].username);
        assert_string_equal(o.password, cases[i].password);
        assert_int_equal(o.has_tls, cases[i].has_tls);
        redis_options_release(&o);
    }
}

static void the_query_has_options(void **state) {
    (void)state;
    struct redis_options o;
    struct error err;
    assert_int_equal(parse("rediss://h?max_retries=-1&read_timeout=250ms&dial_timeout=2&"
                           "write_timeout=0&pool_size=3&pool_size=4&client_name=a%20b&"
                           "conn_max_idle_time=1m&skip_verify=true&protocol=3&pool_fifo=1",
                           &o, &err),
                     0);
    assert_int_equal(o.max_retries, -1);
    assert_int_equal(o.read_timeout_ns, 250 * NS_PER_MS);
    assert_int_equal(o.dial_timeout_ns, 2 * NS_PER_S);
    assert_int_equal(o.write_timeout_ns, -1);
    assert_int_equal(o.pool_size, 4);
    assert_string_equal(o.client_name, "a b");
    assert_int_equal(o.idle_timeout_ns, 60 * NS_PER_S);
    assert_true(o.skips_verify);
    redis_options_release(&o);
}

static void wrong_urls_have_go_rediss_words(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"https://localhost:6379", "redis: invalid URL scheme: https"},
        {"localhost:6379", "redis: invalid URL scheme: localhost"},
        {"", "redis: invalid URL scheme: "},
        {"127.0.0.1:6379", "parse \"127.0.0.1:6379\": first path segment in URL cannot contain "
                           "colon"},
        {"redis://h:x", "parse \"redis://h:x\": invalid port \":x\" after host"},
        {"redis://h/a", "redis: invalid database number: \"a\""},
        {"redis://h/1/2", "redis: invalid URL path: /1/2"},
        {"redis://h?db=x",
         "redis: invalid database number: strconv.Atoi: parsing \"x\": invalid syntax"},
        {"redis://h?pool_size=5.1",
         "redis: invalid pool_size number: strconv.Atoi: parsing \"5.1\": invalid syntax"},
        {"redis://h?read_timeout=5x",
         "redis: invalid read_timeout duration: time: invalid duration \"5x\""},
        {"redis://h?pool_fifo=yes", "redis: invalid pool_fifo boolean: expected true/false/1/0 or "
                                    "an empty string, got \"yes\""},
        {"redis://h?wurst=1&abc=2&wurst=3", "redis: unexpected option: abc, wurst"},
        {"redis://h?skip_verify=1", "redis: unexpected option: skip_verify"},
        {"unix://", "redis: empty unix socket path"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct redis_options o;
        struct error err;
        assert_int_equal(parse(cases[i][0], &o, &err), KE_INVALID);
        assert_string_equal(err.text, cases[i][1]);
        redis_options_release(&o);
    }
}

static void nodes_must_agree(void **state) {
    (void)state;
    struct redis_options all, node;
    struct error err;
    redis_options_init(&all);
    assert_int_equal(parse("redis://u:p@a:1/1?read_timeout=1", &node, &err), 0);
    assert_int_equal(redis_options_merge(&all, &node, &err), 0);
    redis_options_release(&node);
    assert_int_equal(parse("redis://u:p@b:2/1?read_timeout=1", &node, &err), 0);
    assert_int_equal(redis_options_merge(&all, &node, &err), 0);
    redis_options_release(&node);
    assert_int_equal(all.n_addresses, 2);
    assert_string_equal(all.addresses[1].host, "b");
    static const char *const cases[][2] = {
        {"redis://u:p@c/2", "inconsistent db option: 1 != 2"},
        {"redis://v:p@c/1", "inconsistent username option: u != v"},
        {"redis://u:q@c/1", "inconsistent password option"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        assert_int_equal(parse(cases[i][0], &node, &err), 0);
        assert_int_equal(redis_options_merge(&all, &node, &err), KE_INVALID);
        assert_string_equal(err.text, cases[i][1]);
        redis_options_release(&node);
    }
    redis_options_release(&all);
}

static void defaults_are_go_rediss(void **state) {
    (void)state;
    struct redis_options o;
    redis_options_init(&o);
    redis_options_finish(&o);
    assert_int_equal(o.max_retries, 3);
    assert_int_equal(o.max_redirects, 3);
    assert_int_equal(o.min_retry_backoff_ns, 8 * NS_PER_MS);
    assert_int_equal(o.max_retry_backoff_ns, 512 * NS_PER_MS);
    assert_int_equal(o.dial_timeout_ns, 5 * NS_PER_S);
    assert_int_equal(o.read_timeout_ns, 3 * NS_PER_S);
    assert_int_equal(o.write_timeout_ns, 3 * NS_PER_S);
    assert_int_equal(o.pool_timeout_ns, 4 * NS_PER_S);
    assert_int_equal(o.idle_timeout_ns, 1800 * NS_PER_S);
    assert_int_equal(o.max_age_ns, 0);
    assert_true(o.pool_size >= 10);
    redis_options_release(&o);

    redis_options_init(&o);
    o.max_retries = o.read_timeout_ns = o.idle_timeout_ns = -1;
    redis_options_finish(&o);
    assert_int_equal(o.max_retries, 0);
    assert_int_equal(o.read_timeout_ns, 0);
    assert_int_equal(o.write_timeout_ns, 0);
    assert_int_equal(o.idle_timeout_ns, 0);
    assert_int_equal(o.pool_timeout_ns, 30 * NS_PER_S);
    redis_options_release(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(the_query_has_options),
        cmocka_unit_test(wrong_urls_have_go_rediss_words),
        cmocka_unit_test(nodes_must_agree),
        cmocka_unit_test(defaults_are_go_rediss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
