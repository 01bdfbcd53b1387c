/* Which route a method and a path find, and how a request is dispatched without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/check.h"
#include "config.h"
#include "db.h"
#include "dispatch.h"
#include "router.h"

static void first(struct request *r) {
    (void)r;
}

static void second(struct request *r) {
    (void)r;
}

static const struct route routes[] = {
    {METHOD_GET, "/a", first, 0},
    {METHOD_POST | METHOD_PUT, "/a", second, 0},
    {METHOD_GET, "/a/{id:int}", first, 0},
    {METHOD_GET, "/a/{name}", second, 0},
    {METHOD_ANY, "/b/{user}/{pass}", first, 0},
};

static const struct route *find(struct request *r, enum http_method method, const char *path) {
    struct router router = {0};
    router_add(&router, routes, countof(routes));
    r->method = method;
    r->path = path;
    return router_find(&router, r);
}

static void method_and_path_decide(void **state) {
    (void)state;
    struct request r = {0};
    assert_ptr_equal(find(&r, METHOD_GET, "/a"), &routes[0]);
    assert_ptr_equal(find(&r, METHOD_PUT, "/a"), &routes[1]);
    assert_null(find(&r, METHOD_DELETE, "/a"));
    assert_null(find(&r, METHOD_GET, "/a/"));
    assert_null(find(&r, METHOD_GET, "/"));
    assert_null(find(&r, METHOD_GET, ""));
    assert_null(find(&r, METHOD_GET, "/aa"));
}

static void parameters_are_segments(void **state) {
    (void)state;
    struct request r = {0};
    int64_t id = 0;
    assert_ptr_equal(find(&r, METHOD_GET, "/a/12"), &routes[2]);
    assert_true(request_param_int(&r, 0, &id));
    assert_int_equal(id, 12);
    assert_ptr_equal(find(&r, METHOD_GET, "/a/12x"), &routes[3]);
    assert_true(slice_eq(r.params[0], SLICE("12x")));
    assert_null(find(&r, METHOD_GET, "/a/12/3"));
    assert_ptr_equal(find(&r, METHOD_OTHER, "/b/u/p"), &routes[4]);
    assert_true(slice_eq(r.params[0], SLICE("u")) && slice_eq(r.params[1], SLICE("p")));
    assert_null(find(&r, METHOD_GET, "/b//p"));
}

static void numbers_that_do_not_fit_are_refused(void **state) {
    (void)state;
    struct request r = {0};
    int64_t id;
    find(&r, METHOD_GET, "/a/9223372036854775807");
    assert_true(request_param_int(&r, 0, &id));
    find(&r, METHOD_GET, "/a/9223372036854775808");
    assert_false(request_param_int(&r, 0, &id));
}

static const char *no_fields(void *source, enum request_field field, const char *name) {
    (void)source;
    (void)field;
    (void)name;
    return NULL;
}

static const char *one_field(void *source, enum request_field field, const char *name) {
    const char *const *wanted = source;
    return field == FIELD_HEADER && strcmp(name, wanted[0]) == 0 ? wanted[1] : NULL;
}

static void a_route_with_auth_refuses_strangers(void **state) {
    (void)state;
    struct router router;
    struct request r;
    struct db *db;
    struct error err;
    struct app app = {0};
    const struct config_limit limit = {10, 10};
    assert_int_equal(db_open(&db, NULL, &err), 0);
    assert_int_equal(user_store_open(&app.users, db, limit, &err), 0);
    dispatch_routes(&router, SERVICE_ALL);
    request_init(&r);
    r.lookup = no_fields;
    r.method = METHOD_GET;
    r.path = "/api/tools";
    dispatch(&router, &r);
    assert_int_equal(r.response.status, 401);
    request_release(&r);

    const char *const customer[] = {"X-User-ID", "23423"};
    request_init(&r);
    r.app = &app;
    r.lookup = one_field;
    r.source = (void *)customer;
    r.method = METHOD_GET;
    r.path = "/api/ingredients/none";
    dispatch(&router, &r);
    assert_int_equal(r.response.status, 400);
    assert_true(slice_eq(r.user, SLICE("23423")));
    assert_int_equal(r.identity.id, USER_DEFAULT_ID);
    request_release(&r);
    user_store_close(app.users);
    db_close(db);
}

static void services_that_are_off_have_no_routes(void **state) {
    (void)state;
    struct router router;
    struct request r;
    dispatch_routes(&router, SERVICE_COPY);
    request_init(&r);
    r.lookup = no_fields;
    r.method = METHOD_GET;
    r.path = "/api/quotes";
    assert_non_null(router_find(&router, &r));
    r.path = "/ready";
    assert_non_null(router_find(&router, &r));
    r.path = "/api/tools";
    assert_null(router_find(&router, &r));
    r.path = "/";
    dispatch(&router, &r);
    assert_int_equal(r.response.status, 404);
    request_release(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(method_and_path_decide),
        cmocka_unit_test(parameters_are_segments),
        cmocka_unit_test(numbers_that_do_not_fit_are_refused),
        cmocka_unit_test(a_route_with_auth_refuses_strangers),
        cmocka_unit_test(services_that_are_off_have_no_routes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
