#include "http_unit.h"

#include "client_run.h"
#include "http/http_pool.h"

static struct http_conn *open_to(struct run *r, const char *host) {
    struct conn_target target = {.host = slice_cstr(host), .port = 80, .dialer = &r->config.dialer};
    struct conn *c;
    assert_int_equal(conn_open(&target, clock_now_ns() + 10 * NS_PER_S, &c, NULL, NULL), 0);
    return http_conn_new(c, slice_cstr(host), 80, false);
}

static void newest_first(struct run *r) {
    struct http_pool p;
    http_pool_init(&p, 0, 0);
    struct http_conn *a = open_to(r, "one.test"), *b = open_to(r, "two.test"),
                     *c = open_to(r, "one.test");
    assert_null(http_pool_get(&p, SLICE("one.test"), 80, false));
    http_pool_put(&p, a);
    http_pool_put(&p, b);
    http_pool_put(&p, c);
    assert_null(http_pool_get(&p, SLICE("one.test"), 81, false));
    assert_null(http_pool_get(&p, SLICE("one.test"), 80, true));
    assert_ptr_equal(http_pool_get(&p, SLICE("one.test"), 80, false), c);
    assert_ptr_equal(http_pool_get(&p, SLICE("one.test"), 80, false), a);
    assert_true(a->is_reused);
    assert_null(http_pool_get(&p, SLICE("one.test"), 80, false));
    http_conn_close(a);
    http_conn_close(c);
    http_pool_release(&p);
}

static void newest_connection_is_used_first(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, NULL, 0, newest_first);
    server_free(r.server);
}

static void limits(struct run *r) {
    struct http_pool p;
    http_pool_init(&p, 2, 1);
    struct http_conn *one = open_to(r, "one.test");
    http_pool_put(&p, one);
    http_pool_put(&p, open_to(r, "one.test"));
    assert_int_equal(p.len, 1); /* the newer of a host goes */
    http_pool_put(&p, open_to(r, "two.test"));
    assert_int_equal(p.len, 2);
    struct http_conn *other = open_to(r, "two.test");
    other->port = 81;
    http_pool_put(&p, other);
    assert_int_equal(p.len, 2); /* the oldest of all goes */
    assert_null(http_pool_get(&p, SLICE("one.test"), 80, false));
    http_pool_release(&p);
}

static void pool_keeps_its_limits(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, NULL, 0, limits);
    server_free(r.server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newest_connection_is_used_first),
        cmocka_unit_test(pool_keeps_its_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
