#include "proto_unit.h"

#define P3 "syntax = \"proto3\"; "

static void names_are_found_from_the_inside_out(void **state) {
    (void)state;
    const struct text_file good[] = {
        {"foo.proto", P3 "package namespace.a; import \"foo2.proto\"; import \"foo3.proto\";"
                         "message Foo { b.Bar a = 1; b.Baz b = 2; Foo Foo = 3; In in = 4;"
                         " message In {} .namespace.b.Bar c = 5; }"},
        {"foo2.proto", P3 "package namespace.b; message Bar {}"},
        {"foo3.proto", P3 "package namespace.b; message Baz {}"},
        {NULL, NULL}};
    expect_error(good, NULL);
    const struct text_file deep[] = {
        {"foo.proto", "package fu.baz; import public \"foo2.proto\"; message foobar { optional baz "
                      "a = 1; }"},
        {"foo2.proto", "package fu.baz; import \"foo3.proto\"; message fizzle { }"},
        {"foo3.proto", "package fu.baz; message baz { }"},
        {NULL, NULL}};
    expect_error(deep, "foo.proto:1:71: field fu.baz.foobar.a: unknown type baz; resolved to "
                       "fu.baz which is not defined; consider using a leading dot");
}

static void public_imports_pass_names_on_and_others_do_not(void **state) {
    (void)state;
    struct text_file files[] = {{"a.proto", P3 "import \"b.proto\"; message A { C c = 1; }"},
                                {"b.proto", P3 "import public \"c.proto\";"},
                                {"c.proto", P3 "message C {}"},
                                {NULL, NULL}};
    expect_error(files, NULL);
    files[1].text = P3 "import \"c.proto\";";
    expect_error(files, "a.proto:1:50: field A.c: unknown type C");
}

static void a_package_of_the_same_name_hides_nothing_that_is_not_imported(void **state) {
    (void)state;
    const struct text_file files[] = {
        {"a.proto", P3 "package x.a; import \"google/protobuf/empty.proto\"; import \"b.proto\";"
                       "message A { google.protobuf.Empty e = 1; }"},
        {"b.proto", P3 "package y; import \"c.proto\";"},
        {"c.proto", P3 "package x.google; message C {}"},
        {NULL, NULL}};
    expect_error(files, NULL);
}

static const struct {
    const char *text, *error;
} cases[] = {
    {"enum foo { bar = 1; baz = 2; } enum fu { bar = 1; baz = 2; }",
     "test.proto:1:42: symbol \"bar\" already defined at test.proto:1:12; protobuf uses C++ "
     "scoping rules for enum values, so they exist in the scope enclosing the enum"},
    {"message foo {} enum foo { V = 0; }",
     "test.proto:1:21: symbol \"foo\" already defined at test.proto:1:9"},
    {"message foo { optional string a = 1; optional string a = 2; }",
     "test.proto:1:54: symbol \"foo.a\" already defined at test.proto:1:31"},
    {"message foo { optional blah a = 1; }", "test.proto:1:24: field foo.a: unknown type blah"},
    {"message foo { optional bar.baz a = 1; } service bar { rpc baz (foo) returns (foo); }",
     "test.proto:1:24: field foo.a: invalid type: bar.baz is a method, not a message or enum"},
    {"message foo { extensions 1 to 2; } extend foo { optional string a = 1; } extend foo { "
     "optional int32 b = 1; }",
     "test.proto:1:106: extension with tag 1 for message foo already defined at test.proto:1:69"},
    {"package fu.baz; extend foobar { optional string a = 1; }",
     "test.proto:1:24: unknown extendee type foobar"},
    {"package fu.baz; service foobar{} extend foobar { optional string a = 1; }",
     "test.proto:1:41: extendee is invalid: fu.baz.foobar is a service, not a message"},
    {"message foo{} message bar{} service foobar{ rpc foo(foo) returns (bar); }",
     "test.proto:1:53: method foobar.foo: invalid request type: foobar.foo is a method, not a "
     "message"},
    {"message foo{} message bar{} service foobar{ rpc foo(bar) returns (foo); }",
     "test.proto:1:67: method foobar.foo: invalid response type: foobar.foo is a method, not a "
     "message"},
    {"package fu.baz; message foobar{ extensions 1; } extend foobar { optional string a = 2; }",
     "test.proto:1:85: extension fu.baz.a: tag 2 is not in valid range for extended type "
     "fu.baz.foobar"},
    {"message foo { message bar {} optional bar.baz a = 1; }",
     "test.proto:1:39: field foo.a: unknown type bar.baz; resolved to foo.bar.baz which is not "
     "defined; consider using a leading dot"},
    {"service s { rpc m(nope) returns (nope); }",
     "test.proto:1:19: method s.m: unknown request type nope"},
};

static void what_does_not_link_is_told_with_its_place(void **state) {
    (void)state;
    for (size_t i = 0; i < countof(cases); i++)
        expect_text_error(cases[i].text, cases[i].error);
}

static void missing_files_and_cycles_are_told_at_the_import(void **state) {
    (void)state;
    const struct text_file missing[] = {{"foo.proto", "import \"foo2.proto\"; message fubar{}"},
                                        {NULL, NULL}};
    expect_error(missing, "foo.proto:1:8: open /test/foo2.proto: no such file or directory");
    const struct text_file cycle[] = {{"foo.proto", "import \"foo2.proto\"; message fubar{}"},
                                      {"foo2.proto", "import \"foo.proto\"; message baz{}"},
                                      {NULL, NULL}};
    expect_error(cycle, "foo2.proto:1:8: cycle found in imports: \"foo.proto\" -> \"foo2.proto\" "
                        "-> \"foo.proto\"");
    const struct text_file twice[] = {
        {"foo.proto", "import \"b.proto\"; import \"b.proto\";"}, {"b.proto", ""}, {NULL, NULL}};
    expect_error(twice,
                 "foo.proto:1:26: \"b.proto\" was already imported (first seen at foo.proto:1:8)");
    const struct text_file weak[] = {{"foo.proto", "import weak \"gone.proto\";"}, {NULL, NULL}};
    expect_error(weak, NULL);
}

static const char *paths[8];
static size_t path_count;

static int note_path(void *ctx, const char *path, struct buf *out, struct error *err) {
    (void)out;
    if (path_count < countof(paths))
        paths[path_count++] = xstrdup(path);
    if (strcmp(path, ctx) == 0)
        return 0;
    return error_set(err, KE_NOT_FOUND, "open %s: no such file or directory", path);
}

static void import_paths_are_tried_in_turn(void **state) {
    (void)state;
    struct slice dirs[] = {SLICE("./one/./two//"), SLICE("/root/../abs"), SLICE("../up")};
    struct slice file = SLICE("a/../b.proto");
    struct proto_source source = {note_path, "../up/b.proto", dirs, 3};
    struct proto_pool *pool = proto_pool_new();
    struct error err;
    assert_int_equal(proto_pool_parse(pool, &source, &file, 1, &err), 0);
    assert_int_equal(path_count, 3);
    assert_string_equal(paths[0], "one/two/b.proto");
    assert_string_equal(paths[1], "/abs/b.proto");
    assert_string_equal(paths[2], "../up/b.proto");
    for (size_t i = 0; i < path_count; i++)
        free((char *)paths[i]);
    proto_pool_unref(pool);
}

static void methods_come_as_declared_with_imports_behind(void **state) {
    (void)state;
    const struct text_file files[] = {
        {"a.proto",
         P3 "package p.v1; import \"b.proto\"; message M {}"
            "service First { rpc Up(stream M) returns (M); rpc Down(M) returns (stream M); }"
            "service Second { rpc Both(stream M) returns (stream q.N) {} }"},
        {"b.proto", P3 "package p.v1.q; message N {} service Third { rpc One(N) returns (N); }"},
        {NULL, NULL}};
    struct error err;
    struct proto_pool *pool = pool_of_texts(files, &err);
    assert_non_null(pool);
    static const char *const want[] = {"/p.v1.First/Up", "/p.v1.First/Down", "/p.v1.Second/Both",
                                       "/p.v1.q.Third/One"};
    assert_int_equal(proto_pool_method_count(pool), countof(want));
    for (size_t i = 0; i < countof(want); i++)
        assert_true(slice_eq(proto_pool_method(pool, i)->path, slice_cstr(want[i])));
    const struct proto_method *m = proto_pool_find_method(pool, SLICE("/p.v1.Second/Both"));
    assert_ptr_equal(m, proto_pool_find_method(pool, SLICE("p.v1.Second/Both")));
    assert_true(m->is_client_stream && m->is_server_stream);
    assert_true(slice_eq(m->package, SLICE("p.v1")));
    assert_true(slice_eq(m->service, SLICE("Second")));
    assert_true(slice_eq(m->service_full, SLICE("p.v1.Second")));
    assert_true(slice_eq(m->name, SLICE("Both")));
    assert_true(slice_eq(proto_type_name(m->output), SLICE("p.v1.q.N")));
    assert_null(proto_pool_find_method(pool, SLICE("/p.v1.Second/None")));
    assert_null(proto_pool_find_message(pool, SLICE("p.v1.Second")));
    assert_int_equal(proto_pool_file_of(pool, SLICE("p.v1.q.N")), 1);
    proto_pool_unref(pool);
}

static size_t builds;

static int build_once(void *ctx, struct proto_pool *pool, struct error *err) {
    (void)pool;
    builds++;
    return *(bool *)ctx ? 0 : error_set(err, KE_FAILED, "not now");
}

static void a_shared_pool_is_made_once_and_failures_are_not_kept(void **state) {
    (void)state;
    struct proto_pool *one, *two;
    struct error err;
    bool is_good = false;
    assert_int_equal(proto_pool_shared(SLICE("k"), build_once, &is_good, &one, &err), KE_FAILED);
    assert_null(one);
    is_good = true;
    assert_int_equal(proto_pool_shared(SLICE("k"), build_once, &is_good, &one, &err), 0);
    assert_int_equal(proto_pool_shared(SLICE("k"), build_once, &is_good, &two, &err), 0);
    assert_ptr_equal(one, two);
    assert_int_equal(builds, 2);
    proto_pool_unref(one);
    proto_pool_unref(two);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_from_the_inside_out),
        cmocka_unit_test(public_imports_pass_names_on_and_others_do_not),
        cmocka_unit_test(a_package_of_the_same_name_hides_nothing_that_is_not_imported),
        cmocka_unit_test(what_does_not_link_is_told_with_its_place),
        cmocka_unit_test(missing_files_and_cycles_are_told_at_the_import),
        cmocka_unit_test(import_paths_are_tried_in_turn),
        cmocka_unit_test(methods_come_as_declared_with_imports_behind),
        cmocka_unit_test(a_shared_pool_is_made_once_and_failures_are_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
