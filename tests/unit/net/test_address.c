/* Addresses, ranges, and the rules of a dialer that need no network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/check.h"
#include "net/dial.h"

static const char *shown(const char *text) {
    static char out[SOCKADDR_TEXT_MAX];
    union sockaddr_any a;
    if (sockaddr_parse(slice_cstr(text), &a) != 0)
        return "invalid";
    sockaddr_text(&a, out, sizeof out);
    return out;
}

static void addresses_are_read_with_and_without_port(void **state) {
    (void)state;
    assert_string_equal(shown("192.0.2.1"), "192.0.2.1:0");
    assert_string_equal(shown("192.0.2.1:8080"), "192.0.2.1:8080");
    assert_string_equal(shown("2001:db8::1"), "[2001:db8::1]:0");
    assert_string_equal(shown("[2001:db8::1]:443"), "[2001:db8::1]:443");
    assert_string_equal(shown("::ffff:192.0.2.1"), "192.0.2.1:0");
    static const char *const bad[] = {"",        "a",     "1.2.3", "1.2.3.4:", "1.2.3.4:65536",
                                      "[::1:80", "[::1]", "[]:1",  ":1",       "]:1"};
    for (size_t i = 0; i < countof(bad); i++)
        assert_string_equal(shown(bad[i]), "invalid");
}

static bool contains(const char *cidr, const char *ip) {
    struct ip_range r;
    union sockaddr_any a;
    assert_int_equal(ip_range_parse(slice_cstr(cidr), &r), 0);
    assert_int_equal(sockaddr_parse(slice_cstr(ip), &a), 0);
    return ip_range_contains(&r, &a);
}

static void a_range_has_the_addresses_of_its_prefix_and_family(void **state) {
    (void)state;
    assert_true(contains("10.0.0.0/8", "10.255.0.1"));
    assert_false(contains("10.0.0.0/8", "11.0.0.1"));
    assert_true(contains("192.0.2.129/25", "192.0.2.200"));
    assert_false(contains("192.0.2.129/25", "192.0.2.1"));
    assert_true(contains("0.0.0.0/0", "8.8.8.8"));
    assert_false(contains("0.0.0.0/0", "2001:db8::1"));
    assert_false(contains("::/0", "8.8.8.8"));
    assert_true(contains("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(contains("2001:db8::/33", "2001:db8:8000::1"));
}

static void a_range_is_shown_without_host_bits(void **state) {
    (void)state;
    struct ip_range r;
    char text[INET6_ADDRSTRLEN + 5];
    assert_int_equal(ip_range_parse(SLICE("10.1.2.3/8"), &r), 0);
    ip_range_text(&r, text, sizeof text);
    assert_string_equal(text, "10.0.0.0/8");
    assert_int_equal(ip_range_parse(SLICE("2001:db8::5/32"), &r), 0);
    ip_range_text(&r, text, sizeof text);
    assert_string_equal(text, "2001:db8::/32");
    static const char *const bad[] = {"",          "10.0.0.0", "10.0.0.0/33", "::/129",
                                      "10.0.0.0/", "/8",       "x/8",         "1.2.3.4/-1"};
    for (size_t i = 0; i < countof(bad); i++)
        assert_int_not_equal(ip_range_parse(slice_cstr(bad[i]), &r), 0);
}

static const char *blocked(struct dialer_config *cfg, const char *host) {
    const struct slice *s = blocked_hostname_find(cfg, slice_cstr(host));
    return s ? s->ptr : NULL;
}

static void the_longest_pattern_blocks_a_host_name(void **state) {
    (void)state;
    struct slice patterns[] = {SLICE("*.test"), SLICE("*.deep.test"), SLICE("www.deep.test"),
                               SLICE("*glued.example")};
    struct dialer_config cfg = {.blocked_hostnames = patterns,
                                .n_blocked_hostnames = countof(patterns)};
    assert_string_equal(blocked(&cfg, "a.test"), "*.test");
    assert_string_equal(blocked(&cfg, "a.deep.test"), "*.deep.test");
    assert_string_equal(blocked(&cfg, "WWW.deep.TEST"), "www.deep.test");
    assert_string_equal(blocked(&cfg, "glued.example"), "*glued.example");
    assert_string_equal(blocked(&cfg, "unglued.example"), "*glued.example");
    assert_null(blocked(&cfg, "test"));
    assert_null(blocked(&cfg, "attest"));
    assert_null(blocked(&cfg, "www.deep.test.example"));
    struct slice all = SLICE("*");
    cfg = (struct dialer_config){.blocked_hostnames = &all, .n_blocked_hostnames = 1};
    assert_string_equal(blocked(&cfg, "x"), "*");
}

static void an_override_with_the_port_goes_first(void **state) {
    (void)state;
    struct host_override hosts[] = {
        {.pattern = SLICE("a.test")},
        {.pattern = SLICE("*.test"), .pattern_port = 8080},
        {.pattern = SLICE("*.test")},
    };
    struct dialer_config cfg = {.hosts = hosts, .n_hosts = countof(hosts)};
    assert_ptr_equal(host_override_find(&cfg, SLICE("a.test"), 80), &hosts[0]);
    assert_ptr_equal(host_override_find(&cfg, SLICE("a.test"), 8080), &hosts[1]);
    assert_ptr_equal(host_override_find(&cfg, SLICE("b.test"), 80), &hosts[2]);
    assert_null(host_override_find(&cfg, SLICE("b.example"), 80));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_with_and_without_port),
        cmocka_unit_test(a_range_has_the_addresses_of_its_prefix_and_family),
        cmocka_unit_test(a_range_is_shown_without_host_bits),
        cmocka_unit_test(the_longest_pattern_blocks_a_host_name),
        cmocka_unit_test(an_override_with_the_port_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
