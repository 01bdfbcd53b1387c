/* Addresses to listen on, with Go's rules and words. */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "api/listen.h"
#include "base/check.h"

static void addresses_are_cut_as_go_does(void **state) {
    static const struct {
        const char *address, *host, *port, *words;
    } rows[] = {
        {"localhost:6565", "localhost", "6565", NULL},
        {":6565", "", "6565", NULL},
        {"[::1]:0", "::1", "0", NULL},
        {"host:", "host", "", NULL},
        {"host", NULL, NULL, "address host: missing port in address"},
        {"", NULL, NULL, "address : missing port in address"},
        {"::1", NULL, NULL, "address ::1: too many colons in address"},
        {"[::1", NULL, NULL, "address [::1: missing ']' in address"},
        {"[::1]", NULL, NULL, "address [::1]: missing port in address"},
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        struct slice host, port;
        struct error err = {0};
        int rc = address_split(slice_cstr(rows[i].address), &host, &port, &err);
        if (rows[i].words != NULL) {
            assert_int_equal(rc, KE_INVALID);
            assert_string_equal(err.text, rows[i].words);
        } else {
            assert_int_equal(rc, 0);
            assert_true(slice_eq(host, slice_cstr(rows[i].host)));
            assert_true(slice_eq(port, slice_cstr(rows[i].port)));
        }
    }
}

static void bad_addresses_are_named(void **state) {
    static const struct {
        const char *address, *words;
    } rows[] = {
        {"foo", "listen tcp: address foo: missing port in address"},
        {"127.0.0.1:99999", "listen tcp: address 99999: invalid port"},
        {"127.0.0.1:-1", "listen tcp: address -1: invalid port"},
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        struct error err = {0};
        int fd;
        assert_int_equal(api_listen(rows[i].address, &fd, &err), KE_CONFIG);
        assert_string_equal(err.text, rows[i].words);
    }
}

static void a_busy_port_is_an_error_in_gos_words(void **state) {
    uint16_t port;
    int first = listen_anywhere(&port), second;
    char address[64], words[128];
    struct error err = {0};
    (void)state;
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    snprintf(words, sizeof words, "listen tcp %s: bind: address already in use", address);
    assert_int_equal(api_listen(address, &second, &err), KE_IO);
    assert_string_equal(err.text, words);
    close(first);
}

static void a_name_is_listened_on_at_loopback_only(void **state) {
    struct sockaddr_in own;
    socklen_t size = sizeof own;
    struct error err = {0};
    int fd;
    (void)state;
    assert_int_equal(api_listen("localhost:0", &fd, &err), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &size), 0);
    assert_int_equal(own.sin_family, AF_INET);
    assert_int_equal(ntohl(own.sin_addr.s_addr), INADDR_LOOPBACK);
    close(fd);
}

static bool can_connect(int family, uint16_t port) {
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_connected =
        fd >= 0 && (family == AF_INET6 ? connect(fd, (struct sockaddr *)&v6, sizeof v6)
                                       : connect(fd, (struct sockaddr *)&v4, sizeof v4)) == 0;
    if (fd >= 0)
        close(fd);
    return is_connected;
}

static bool has_ipv6(void) {
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_there = fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof any) == 0;
    if (fd >= 0)
        close(fd);
    return is_there;
}

static void every_address_means_both_families(void **state) {
    static const char *const addresses[] = {":0", "0.0.0.0:0", "[::]:0"};
    (void)state;
    for (size_t i = 0; i < countof(addresses); i++) {
        struct sockaddr_in6 own;
        socklen_t size = sizeof own;
        struct error err = {0};
        int fd;
        assert_int_equal(api_listen(addresses[i], &fd, &err), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &size), 0);
        uint16_t port = ntohs(own.sin6_port); /* stands where sin_port does */
        assert_true(can_connect(AF_INET, port));
        if (has_ipv6())
            assert_true(can_connect(AF_INET6, port));
        close(fd);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_cut_as_go_does),
        cmocka_unit_test(bad_addresses_are_named),
        cmocka_unit_test(a_busy_port_is_an_error_in_gos_words),
        cmocka_unit_test(a_name_is_listened_on_at_loopback_only),
        cmocka_unit_test(every_address_means_both_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
