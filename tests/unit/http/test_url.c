#include "http_unit.h"

#include "http/url.h"
#include "http/url_escape.h"

#include <stdlib.h>

static void parse_ok(const char *text, struct url *u) {
    struct error err = {0};
    if (url_parse(slice_cstr(text), u, &err))
        fail_msg("%s: %s", text, err.text);
}

static void prints_urls_as_go_does(void **state) {
    (void)state;
    static const struct {
        const char *in, *text, *request_uri;
    } rows[] = {
        {"http://h/echo?a=1&a=2&b", NULL, "/echo?a=1&a=2&b"},
        {"http://h/echo?q=a b", NULL, "/echo?q=a b"},
        {"http://h/echo?q=a%20b+c", NULL, "/echo?q=a%20b+c"},
        {"http://h/echo/caff\xc3\xa8", "http://h/echo/caff%C3%A8", "/echo/caff%C3%A8"},
        {"http://h/echo/a b", "http://h/echo/a%20b", "/echo/a%20b"},
        {"http://h/a b/%2F", "http://h/a%20b//", "/a%20b//"},
        {"http://h/echo/../echo/x", NULL, "/echo/../echo/x"},
        {"http://h/echo//double", NULL, "/echo//double"},
        {"http://h/echo#frag", NULL, "/echo"},
        {"http://h/echo?", NULL, "/echo?"},
        {"http://h/echo/%2F/x", NULL, "/echo/%2F/x"},
        {"http://h?bare=1", NULL, "/?bare=1"},
        {"http://h", NULL, "/"},
        {"http://h/echo?q=\"quoted\"&<t>", NULL, "/echo?q=\"quoted\"&<t>"},
        {"http://h/echo/;semi?x;y", NULL, "/echo/;semi?x;y"},
        {"HTTP://H.Example:80/", "http://H.Example:80/", "/"},
        {"http://[::1]:8080/x", NULL, "/x"},
        {"http://h/a%7Eb", NULL, "/a%7Eb"},
        {"http://h/[x]", NULL, "/[x]"},
        {"http://h/#a b", "http://h/#a%20b", "/"},
        {"http://h/#", "http://h/", "/"},
        {"http://u:p@h/", NULL, "/"},
        {"mailto:a@b", NULL, "a@b"},
        {"relative/path", NULL, "relative/path"},
        {"//host/path", NULL, "/path"},
        {"/a:b", NULL, "/a:b"},
        {"file:///etc/x", NULL, "/etc/x"},
        {"http:///path", "http:///path", "/path"},
        {"*", NULL, "*"},
        {"", NULL, "/"},
        {"http://h/?a=1?b=2", NULL, "/?a=1?b=2"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct url u;
        parse_ok(rows[i].in, &u);
        assert_string_equal(u.text, rows[i].text ? rows[i].text : rows[i].in);
        assert_slice(u.request_uri, rows[i].request_uri);
        url_release(&u);
    }
}

static void refuses_what_go_refuses(void **state) {
    (void)state;
    static const struct {
        const char *in, *words;
    } rows[] = {
        {"::x", "parse \"::x\": missing protocol scheme"},
        {"http://%", "parse \"http://%\": invalid URL escape \"%\""},
        {"http://bad host/", "parse \"http://bad host/\": invalid character \" \" in host name"},
        {"http://h:port/", "parse \"http://h:port/\": invalid port \":port\" after host"},
        {"http://[::1/", "parse \"http://[::1/\": missing ']' in host"},
        {"http://h/%zz", "parse \"http://h/%zz\": invalid URL escape \"%zz\""},
        {"http://h/\n", "parse \"http://h/\\n\": net/url: invalid control character in URL"},
        {"a:b/c:d", NULL},
        {"a1/b:c", NULL},
        {"1a:b", "parse \"1a:b\": first path segment in URL cannot contain colon"},
        {"http://u{@h/", "parse \"http://u{@h/\": net/url: invalid userinfo"},
        {"http://h%41/", "parse \"http://h%41/\": invalid URL escape \"%41\""},
        {"http://h/#%x", "parse \"http://h/#%x\": invalid URL escape \"%x\""},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct url u;
        struct error err = {0};
        int rc = url_parse(slice_cstr(rows[i].in), &u, &err);
        if (!rows[i].words) {
            assert_int_equal(rc, 0);
            url_release(&u);
            continue;
        }
        assert_int_equal(rc, KE_URL);
        char expected[600];
        snprintf(expected, sizeof expected, "invalid URL: %s", rows[i].words);
        assert_string_equal(err.text, expected);
    }
}

static void splits_into_parts(void **state) {
    (void)state;
    struct url u;
    parse_ok("https://user:p%40ss@Example.com:8443/a%20b?q=1#f", &u);
    assert_true(u.is_https && u.is_http && u.has_user && u.has_password);
    assert_slice(u.scheme, "https");
    assert_slice(u.user, "user");
    assert_slice(u.password, "p@ss");
    assert_slice(u.host, "Example.com");
    assert_slice(u.host_header, "Example.com:8443");
    assert_int_equal(u.port, 8443);
    assert_slice(u.path, "/a b");
    assert_slice(u.request_uri, "/a%20b?q=1");
    assert_slice(u.query, "q=1");
    assert_slice(u.fragment, "f");
    url_release(&u);

    parse_ok("http://[fe80::1%25eth0]/", &u);
    assert_slice(u.host, "fe80::1%eth0");
    assert_int_equal(u.port, 80);
    assert_slice(u.host_header, "[fe80::1]");
    assert_string_equal(u.text, "http://[fe80::1%25eth0]/");
    url_release(&u);

    parse_ok("ftp://h/", &u);
    assert_false(u.is_http);
    assert_int_equal(u.port, 0);
    url_release(&u);

    parse_ok("https://h:/", &u);
    assert_slice(u.host_header, "h:");
    assert_slice(u.host, "h");
    assert_int_equal(u.port, 443);
    url_release(&u);

    parse_ok("http://h:99999/", &u);
    assert_int_equal(u.port, 0);
    url_release(&u);
}

static void credentials_are_masked(void **state) {
    (void)state;
    static const struct {
        const char *in, *masked, *hidden;
    } rows[] = {
        {"http://user:secret@h/p", "http://****:****@h/p", "http://user:***@h/p"},
        {"http://user@h/p", "http://****@h/p", "http://user@h/p"},
        {"http://u:p%2Fq@h/p?a@b", "http://****:****@h/p?a@b", "http://u:***@h/p?a@b"},
        {"http://u:@h/", "http://****:****@h/", "http://u:***@h/"},
        {"http://h/p", "http://h/p", "http://h/p"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct url u, copy;
        parse_ok(rows[i].in, &u);
        url_copy(&u, &copy);
        url_release(&u);
        char *masked = url_masked(&copy), *hidden = url_hide_password(&copy);
        assert_string_equal(masked, rows[i].masked);
        assert_string_equal(hidden, rows[i].hidden);
        free(masked);
        free(hidden);
        url_copy_without_user(&copy, &u);
        assert_false(u.has_user);
        assert_null(strstr(u.text, "u:"));
        url_release(&u);
        url_release(&copy);
    }
}

static void resolves_references(void **state) {
    (void)state;
    static const struct {
        const char *base, *ref, *text;
    } rows[] = {
        {"http://h/a/b?q", "/echo", "http://h/echo"},
        {"http://h/a/b?q", "c", "http://h/a/c"},
        {"http://h/a/b?q", "?moved=1", "http://h/a/b?moved=1"},
        {"http://h/a/b?q", "", "http://h/a/b?q"},
        {"http://h/a/b?q", "#f", "http://h/a/b?q#f"},
        {"http://h/a/b#x", "/c", "http://h/c"},
        {"http://h/a/b", "../c", "http://h/c"},
        {"http://h/a/b", "../../../c", "http://h/c"},
        {"http://h/a/b/", "./", "http://h/a/b/"},
        {"http://h/a/b", "..", "http://h/"},
        {"http://h/a/b", "//other:8/x", "http://other:8/x"},
        {"http://h/a/b", "https://s/../y", "https://s/y"},
        {"http://u:p@h/a", "/b", "http://u:p@h/b"},
        {"http://u:p@h/a", "http://h/b", "http://h/b"},
        {"http://h", "x", "http://h/x"},
        {"http://h/a%2Fb/c", "d", "http://h/a%2Fb/d"},
        {"http://h/a", "ftp://127.0.0.1/x", "ftp://127.0.0.1/x"},
        {"http://h/a", "mailto:x", "mailto:x"},
        {"http://h/a", "/b//c", "http://h/b//c"},
        {"http://h/a", "/sp ace", "http://h/sp%20ace"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct url base, u;
        struct error err = {0};
        parse_ok(rows[i].base, &base);
        assert_int_equal(url_resolve(&base, slice_cstr(rows[i].ref), &u, &err), 0);
        assert_string_equal(u.text, rows[i].text);
        url_release(&u);
        url_release(&base);
    }
}

static void bad_reference_says_why(void **state) {
    (void)state;
    struct url base, u;
    struct error err = {0};
    parse_ok("http://h/", &base);
    assert_int_equal(url_resolve(&base, SLICE("http://bad host/"), &u, &err), KE_URL);
    assert_string_equal(err.text,
                        "parse \"http://bad host/\": invalid character \" \" in host name");
    url_release(&base);
}

static void unicode_hosts_go_out_as_punycode(void **state) {
    (void)state;
    struct url u;
    parse_ok("http://b\xc3\xbc"
             "cher.example:81/",
             &u);
    assert_slice(u.host, "xn--bcher-kva.example");
    assert_slice(u.host_header, "xn--bcher-kva.example:81");
    assert_string_equal(u.text, "http://b%C3%BCcher.example:81/");
    url_release(&u);
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    url_host_to_ascii(&b, SLICE("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e.jp"));
    assert_string_equal(buf_cstr(&b), "xn--wgv71a119e.jp");
    buf_reset(&b);
    url_host_to_ascii(&b, SLICE("\xd0\x9f\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80"));
    assert_string_equal(buf_cstr(&b), "xn--e1afmkfd");
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_urls_as_go_does),
        cmocka_unit_test(refuses_what_go_refuses),
        cmocka_unit_test(splits_into_parts),
        cmocka_unit_test(credentials_are_masked),
        cmocka_unit_test(resolves_references),
        cmocka_unit_test(bad_reference_says_why),
        cmocka_unit_test(unicode_hosts_go_out_as_punycode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
