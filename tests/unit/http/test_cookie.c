#include "http_unit.h"

#include "http/cookie.h"
#include "http/public_suffix.h"

#include "base/compat.h"

#include <stdlib.h>

static void set_cookie_is_parsed_as_go_does(void **state) {
    (void)state;
    static const struct {
        const char *text, *dump; /* NULL = dropped */
    } rows[] = {
        {"full=val; Path=/cookies; Domain=127.0.0.1; Max-Age=3600; HttpOnly; Secure; SameSite=Lax",
         "full=val d=127.0.0.1 p=/cookies h=1 s=1 m=3600 e=-"},
        {"dated=x; Expires=Wed, 01 Jan 2070 00:00:00 GMT",
         "dated=x d= p= h=0 s=0 m=0 e=3155760000000"},
        {"dated=x; expires=Wed, 01-Jan-2070 00:00:00 GMT",
         "dated=x d= p= h=0 s=0 m=0 e=3155760000000"},
        {"dated=x; expires=Wednesday", "dated=x d= p= h=0 s=0 m=0 e=-"},
        {"bare=", "bare= d= p= h=0 s=0 m=0 e=-"},
        {"quoted=\"q v\"", "quoted=q v d= p= h=0 s=0 m=0 e=-"},
        {"dup=2; Path=/other", "dup=2 d= p=/other h=0 s=0 m=0 e=-"},
        {"=noname", NULL},
        {"novalue", NULL},
        {"", NULL},
        {"bad name=x", NULL},
        {"bad=a\\b", NULL},
        {"old=gone; Max-Age=0", "old=gone d= p= h=0 s=0 m=-1 e=-"},
        {"neg=1; Max-Age=-5", "neg=1 d= p= h=0 s=0 m=-1 e=-"},
        {"odd=1; Max-Age=05; max-age=x", "odd=1 d= p= h=0 s=0 m=0 e=-"},
        {"odd=1; Max-Age=99999999999", "odd=1 d= p= h=0 s=0 m=2147483647 e=-"},
        {" sp = v ;; secure ; =x", "sp= v d= p= h=0 s=1 m=0 e=-"},
        {"eq=a=b", "eq=a=b d= p= h=0 s=0 m=0 e=-"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct cookie c;
        if (!cookie_parse(slice_cstr(rows[i].text), &c)) {
            assert_null(rows[i].dump);
            continue;
        }
        char dump[256], expires[24] = "-";
        if (c.has_expires)
            snprintf(expires, sizeof expires, "%lld", (long long)c.expires_ms);
        snprintf(dump, sizeof dump, "%.*s=%.*s d=%.*s p=%.*s h=%d s=%d m=%d e=%s",
                 SLICE_FMT(c.name), SLICE_FMT(c.value), SLICE_FMT(c.domain), SLICE_FMT(c.path),
                 c.http_only, c.secure, c.max_age, expires);
        assert_non_null(rows[i].dump);
        assert_string_equal(dump, rows[i].dump);
    }
}

static void dates_follow_go(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ms; /* -1 = refused */
    } rows[] = {
        {"Mon, 02 Jan 2006 15:04:05 GMT", 1136214245000},
        {"Mon, 02 Jan 2006 15:04:05 MST", 1136214245000},
        {"Mon, 02 Jan 2006 15:04:05.123 UTC", 1136214245123},
        {"Mon, 02 Jan 2006 15:04:05 GMT+2", 1136214245000 - 7200000},
        {"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800000},
        {"Thu, 29 Feb 2023 00:00:00 GMT", -1},
        {"Mon, 2 Jan 2006 15:04:05 GMT", -1},
        {"Mon, 02 Jan 2006 25:04:05 GMT", -1},
        {"Mon, 02 Jan 2006 15:04:05", -1},
        {"Mon, 02 Foo 2006 15:04:05 GMT", -1},
        {"2006-01-02", -1},
        {"", -1},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        int64_t ms = -1;
        bool is_good = cookie_parse_date(slice_cstr(rows[i].text), &ms);
        assert_int_equal(is_good, rows[i].ms != -1);
        assert_int_equal(ms, rows[i].ms);
    }
}

static void cookie_header_is_clean(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    buf_append_str(&b, "raw=1");
    cookie_append(&b, 0, SLICE("a"), SLICE("b;\"c\x01"));
    cookie_append(&b, 0, SLICE("n\nl"), SLICE("with space"));
    cookie_append(&b, 0, SLICE("e"), SLICE(""));
    assert_string_equal(buf_cstr(&b), "raw=1; a=bc; n-l=\"with space\"; e=");
    buf_release(&b);
}

/* ---------------------------------------------------------------- the jar */

static void append(void *arg, struct slice name, struct slice value) {
    struct buf *b = arg;
    buf_printf(b, "%s%.*s=%.*s", b->len ? " " : "", SLICE_FMT(name), SLICE_FMT(value));
}

static void assert_sent(struct cookie_jar *jar, const char *url, const char *expected) {
    struct url u;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    assert_int_equal(url_parse(slice_cstr(url), &u, NULL), 0);
    cookie_jar_each(jar, &u, append, &b);
    if (strcmp(buf_cstr(&b), expected) != 0)
        fail_msg("%s: \"%s\" != \"%s\"", url, buf_cstr(&b), expected);
    buf_release(&b);
    url_release(&u);
}

static void set(struct cookie_jar *jar, const char *url, const char *text) {
    struct url u;
    struct cookie c;
    assert_int_equal(url_parse(slice_cstr(url), &u, NULL), 0);
    assert_true(cookie_parse(slice_cstr(text), &c));
    cookie_jar_set(jar, &u, &c);
    url_release(&u);
}

static void jar_sends_what_matches(void **state) {
    (void)state;
    struct cookie_jar *jar = cookie_jar_new();
    assert_true(cookie_jar_is_empty(jar));
    set(jar, "http://www.shop.test/cart/view", "dir=1");
    set(jar, "http://www.shop.test/cart/view", "root=2; Path=/");
    set(jar, "http://WWW.shop.test/", "wide=3; Domain=.Shop.test");
    set(jar, "http://www.shop.test/", "sec=4; Secure");
    set(jar, "http://www.shop.test/", "foreign=5; Domain=elsewhere.test");
    set(jar, "http://www.shop.test/", "child=6; Domain=a.www.shop.test");
    assert_sent(jar, "http://www.shop.test/cart/x", "dir=1 root=2 wide=3");
    assert_sent(jar, "http://www.shop.test./cart", "dir=1 root=2 wide=3");
    assert_sent(jar, "http://www.shop.test/cartoon", "root=2 wide=3");
    assert_sent(jar, "https://www.shop.test/", "root=2 wide=3 sec=4");
    assert_sent(jar, "http://shop.test:8080/", "wide=3");
    assert_sent(jar, "http://other.test/", "");
    assert_sent(jar, "ftp://www.shop.test/", "");
    cookie_jar_free(jar);
}

static void newer_cookie_replaces_and_keeps_its_turn(void **state) {
    (void)state;
    struct cookie_jar *jar = cookie_jar_new();
    set(jar, "http://h/", "a=1");
    set(jar, "http://h/", "b=2");
    set(jar, "http://h/", "a=a longer value than before");
    assert_sent(jar, "http://h/", "a=a longer value than before b=2");
    set(jar, "http://h/", "a=; Max-Age=0");
    assert_sent(jar, "http://h/", "b=2");
    set(jar, "http://h/", "b=; expires=Mon, 02 Jan 2006 15:04:05 GMT");
    assert_sent(jar, "http://h/", "");
    assert_true(cookie_jar_is_empty(jar));
    set(jar, "http://h/", "c=3; expires=Wed, 01 Jan 2070 00:00:00 GMT");
    set(jar, "http://h/", "d=4; max-age=600; expires=Mon, 02 Jan 2006 15:04:05 GMT");
    assert_sent(jar, "http://h/", "c=3 d=4");
    cookie_jar_reset(jar);
    assert_true(cookie_jar_is_empty(jar));
    cookie_jar_free(jar);
}

static void clear_and_delete_work_as_in_k6(void **state) {
    (void)state;
    struct cookie_jar *jar = cookie_jar_new();
    struct url u;
    const char *text = "http://127.0.0.1:8000/cookies";
    assert_int_equal(url_parse(slice_cstr(text), &u, NULL), 0);
    set(jar, text, "one=1");
    set(jar, text, "two=2; Path=/cookies; Max-Age=600");
    set(jar, text, "deep=3; Path=/cookies/deeper");
    set(jar, text, "sec=6; secure");
    assert_sent(jar, text, "two=2 one=1 sec=6");
    assert_sent(jar, "http://127.0.0.1:8000/cookies/deeper", "deep=3 two=2 one=1 sec=6");
    cookie_jar_delete(jar, &u, SLICE("one"));
    assert_sent(jar, text, "two=2 sec=6");
    cookie_jar_clear(jar, &u);
    assert_sent(jar, text, "two=2");
    url_release(&u);
    cookie_jar_free(jar);
}

static void no_cookies_for_public_suffixes(void **state) {
    (void)state;
    if (!public_suffix_is(SLICE("co.uk")))
        skip(); /* no libpsl on this machine */
    struct cookie_jar *jar = cookie_jar_new();
    set(jar, "http://shop.example.co.uk/", "a=1; Domain=co.uk");
    set(jar, "http://me.github.io/", "b=2; Domain=github.io");
    set(jar, "http://a.com/", "c=3; Domain=com");
    assert_true(cookie_jar_is_empty(jar));
    set(jar, "http://shop.example.co.uk/", "d=4; Domain=.Example.co.uk");
    assert_sent(jar, "http://other.example.co.uk/", "d=4");
    assert_sent(jar, "http://example2.co.uk/", "");
    set(jar, "http://github.io/", "e=5; Domain=github.io");
    assert_sent(jar, "http://github.io/", "e=5");
    assert_sent(jar, "http://me.github.io/", "");
    /* Names that the list does not know are nobody's registry. */
    set(jar, "http://app.corp/", "f=6; Domain=corp");
    assert_sent(jar, "http://wiki.corp/", "");
    assert_sent(jar, "http://x.app.corp/", "f=6");
    cookie_jar_free(jar);
}

static void secure_cookies_of_loopback_hosts(void **state) {
    (void)state;
    struct cookie_jar *jar = cookie_jar_new();
    set(jar, "http://localhost/", "a=1; secure");
    set(jar, "http://[::1]/", "b=2; secure");
    set(jar, "http://10.0.0.1/", "c=3; secure");
    assert_sent(jar, "http://localhost/", "a=1");
    assert_sent(jar, "http://[::1]/", "b=2");
    assert_sent(jar, "http://10.0.0.1/", "");
    compat_set(COMPAT_V0_51);
    assert_sent(jar, "http://localhost/", "");
    assert_sent(jar, "https://localhost/", "a=1");
    compat_set(COMPAT_V2_2);
    cookie_jar_free(jar);
}

static void jar_does_not_grow_without_end(void **state) {
    (void)state;
    struct cookie_jar *jar = cookie_jar_new();
    struct url u;
    char name[32];
    assert_int_equal(url_parse(SLICE("http://h/"), &u, NULL), 0);
    for (int i = 0; i < 10100; i++) {
        snprintf(name, sizeof name, "n%d", i);
        struct cookie c = {.name = slice_cstr(name), .value = SLICE("v")};
        cookie_jar_set(jar, &u, &c);
    }
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    cookie_jar_each(jar, &u, append, &b);
    assert_non_null(strstr(buf_cstr(&b), "n9999=v"));
    assert_null(strstr(buf_cstr(&b), "n10000=v"));
    buf_release(&b);
    url_release(&u);
    cookie_jar_free(jar);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_cookie_is_parsed_as_go_does),
        cmocka_unit_test(dates_follow_go),
        cmocka_unit_test(cookie_header_is_clean),
        cmocka_unit_test(jar_sends_what_matches),
        cmocka_unit_test(newer_cookie_replaces_and_keeps_its_turn),
        cmocka_unit_test(clear_and_delete_work_as_in_k6),
        cmocka_unit_test(no_cookies_for_public_suffixes),
        cmocka_unit_test(secure_cookies_of_loopback_hosts),
        cmocka_unit_test(jar_does_not_grow_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
