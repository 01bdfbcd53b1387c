/* Names to addresses, against a DNS server of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/check.h"
#include "fiber/worker.h"
#include "net/dns_query.h"
#include "peer.h"

/* ---------------------------------------------------------------- server */

struct dns_server {
    int fd;
    uint16_t port;
    pthread_t thread;
    atomic_int questions; /* for A records */
    atomic_bool is_silent;
};

static size_t record_put(uint8_t *out, uint16_t type, const void *data, uint16_t bytes) {
    const uint8_t head[] = {0xc0, 12, 0, (uint8_t)type, 0, 1, 0, 0, 0, 60, 0, (uint8_t)bytes};
    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, data, bytes);
    return sizeof head + bytes;
}

/* Names by their first label: "two" has 2 IPv4 addresses, "six" one IPv6, "both" one each, "broken"
 * a server failure, others do not exist. */
static size_t answer(struct dns_server *s, uint8_t *msg, size_t bytes) {
    static const uint8_t v4[2][4] = {{192, 0, 2, 1}, {192, 0, 2, 2}};
    static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    char label[64] = "";
    memcpy(label, msg + 13, msg[12] < 63 ? msg[12] : 63);
    size_t at = 12;
    while (msg[at])
        at += msg[at] + 1u;
    uint16_t type = msg[at + 2];
    size_t end = at + 5;
    CHECK(end <= bytes);
    if (type == 1)
        s->questions++;
    bool is_two = !strcmp(label, "two"), is_six = !strcmp(label, "six"),
         is_both = !strcmp(label, "both");
    uint8_t count = 0, code = is_two || is_six || is_both ? 0 : !strcmp(label, "broken") ? 2 : 3;
    for (size_t i = 0; type == 1 && i < (is_two ? 2u : is_both ? 1u : 0u); i++, count++)
        end += record_put(msg + end, 1, v4[i], 4);
    if (type == 28 && (is_six || is_both)) {
        end += record_put(msg + end, 28, v6, 16);
        count++;
    }
    msg[2] = 0x81;
    msg[3] = 0x80 | code;
    msg[6] = msg[8] = msg[9] = msg[10] = msg[11] = 0;
    msg[7] = count;
    return end;
}

static void *server_main(void *arg) {
    struct dns_server *s = arg;
    for (;;) {
        uint8_t msg[1024];
        struct sockaddr_in from;
        socklen_t len = sizeof from;
        ssize_t n = recvfrom(s->fd, msg, 512, 0, (struct sockaddr *)&from, &len);
        if (n < 12)
            return NULL;
        size_t bytes = answer(s, msg, (size_t)n);
        if (!s->is_silent)
            sendto(s->fd, msg, bytes, 0, (struct sockaddr *)&from, len);
    }
}

static void server_start(struct dns_server *s) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    s->fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(bind(s->fd, (struct sockaddr *)&a, sizeof a) == 0);
    CHECK(getsockname(s->fd, (struct sockaddr *)&a, &len) == 0);
    s->port = ntohs(a.sin_port);
    CHECK(pthread_create(&s->thread, NULL, server_main, s) == 0);
}

static void server_stop(struct dns_server *s) {
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(s->port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    sendto(s->fd, "", 0, 0, (struct sockaddr *)&a, sizeof a);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

/* ---------------------------------------------------------------- questions */

struct test {
    struct dns_server server;
    void (*body)(struct test *t);
    char texts[8][512];
    int rc[8];
    struct error err;
    struct fiber_cond go;
    int answered;
};

static const struct dns_config defaults = {5 * 60 * NS_PER_S, DNS_SELECT_RANDOM, DNS_PREFER_IPV4};

/* "192.0.2.1", or the error's name. */
static const char *ask(struct test *t, struct dns_config cfg, const char *name) {
    static char text[INET6_ADDRSTRLEN];
    union sockaddr_any a;
    if (resolve_host(&cfg, slice_cstr(name), soon_ns(), &a, &t->err) != 0)
        return t->err.text;
    sockaddr_ip_text(&a, text);
    return text;
}

static void expect(struct test *t, const char *got, const char *want) {
    snprintf(t->texts[t->answered++ % 8], sizeof t->texts[0], "%s", strcmp(got, want) ? got : "");
}

static void test_main(void *arg) {
    struct test *t = arg;
    char servers[32];
    snprintf(servers, sizeof servers, "127.0.0.1:%u", t->server.port);
    CHECK(dns_client_set_servers(resolver_dns_client(), servers) == 0);
    t->body(t);
}

/* Runs body in a fiber; every expect() in it must have fitted. */
static void run(struct test *t, void (*body)(struct test *t)) {
    t->body = body;
    fiber_cond_init(&t->go);
    server_start(&t->server);
    run_in_fiber(test_main, t);
    server_stop(&t->server);
    for (int i = 0; i < 8; i++)
        assert_string_equal(t->texts[i], "");
}

static void ask_special(struct test *t) {
    struct dns_config six = defaults;
    six.policy = DNS_ONLY_IPV6;
    expect(t, ask(t, defaults, "203.0.113.9"), "203.0.113.9");
    expect(t, ask(t, defaults, "2001:db8::9"), "2001:db8::9");
    expect(t, ask(t, defaults, "localhost"), "127.0.0.1");
    expect(t, ask(t, defaults, "App.LocalHost."), "127.0.0.1");
    expect(t, ask(t, six, "localhost"), "::1");
    expect(t, ask(t, defaults, "no-such.invalid"), "lookup no-such.invalid: no such host");
    expect(t, ask(t, defaults, ""), "lookup : no such host");
}

static void literals_and_special_names_ask_nobody(void **state) {
    (void)state;
    struct test t = {0};
    run(&t, ask_special);
    assert_int_equal(t.server.questions, 0);
    assert_int_equal(t.err.code, KE_DNS_NO_HOST);
}

static void ask_policies(struct test *t) {
    struct dns_config cfg = defaults;
    expect(t, ask(t, cfg, "both.test"), "192.0.2.1");
    cfg.policy = DNS_PREFER_IPV6;
    expect(t, ask(t, cfg, "both.test"), "2001:db8::1");
    cfg.policy = DNS_ONLY_IPV6;
    expect(t, ask(t, cfg, "two.test"), "lookup two.test: no such host");
    cfg.policy = DNS_PREFER_IPV4;
    expect(t, ask(t, cfg, "six.test"), "2001:db8::1");
    cfg.policy = DNS_ONLY_IPV4;
    expect(t, ask(t, cfg, "six.test"), "lookup six.test: no such host");
}

static void the_policy_chooses_the_family(void **state) {
    (void)state;
    struct test t = {0};
    run(&t, ask_policies);
    assert_int_equal(t.server.questions, 3); /* both, two, six */
}

static void ask_in_turn(struct test *t) {
    struct dns_config cfg = defaults;
    cfg.select = DNS_SELECT_ROUND_ROBIN;
    char first[512], second[512];
    snprintf(first, sizeof first, "%s", ask(t, cfg, "two.test"));
    snprintf(second, sizeof second, "%s", ask(t, cfg, "two.test"));
    t->rc[0] = strcmp(first, second);
    expect(t, ask(t, cfg, "TWO.test"), first);
    cfg.select = DNS_SELECT_FIRST;
    snprintf(first, sizeof first, "%s", ask(t, cfg, "two.test"));
    for (int i = 0; i < 4; i++)
        expect(t, ask(t, cfg, "two.test"), first);
    cfg.select = DNS_SELECT_RANDOM;
    for (int i = 0; i < 64; i++)
        t->rc[1] |= strcmp(ask(t, cfg, "two.test"), "192.0.2.1") ? 1 : 2;
}

static void addresses_are_selected_first_in_turn_or_at_random(void **state) {
    (void)state;
    struct test t = {0};
    run(&t, ask_in_turn);
    assert_int_not_equal(t.rc[0], 0);
    assert_int_equal(t.rc[1], 3);
    assert_int_equal(t.server.questions, 1);
}

static void ask_with_ttl(struct test *t) {
    struct dns_config cfg = defaults;
    cfg.ttl_ns = 0;
    ask(t, cfg, "both.test");
    ask(t, cfg, "both.test");
    t->rc[0] = t->server.questions;
    cfg.ttl_ns = NEVER_NS;
    ask(t, cfg, "both.test");
    t->rc[1] = t->server.questions;
    cfg.ttl_ns = 1;
    ask(t, cfg, "both.test");
    t->rc[2] = t->server.questions;
}

static void an_answer_is_used_for_its_time_to_live(void **state) {
    (void)state;
    struct test t = {0};
    run(&t, ask_with_ttl);
    assert_int_equal(t.rc[0], 2);
    assert_int_equal(t.rc[1], 2);
    assert_int_equal(t.rc[2], 3);
}

static void ask_bad(struct test *t) {
    char want[128];
    snprintf(want, sizeof want, "lookup no-such.test on 127.0.0.1:%u: no such host",
             t->server.port);
    expect(t, ask(t, defaults, "no-such.test"), want);
    t->rc[0] = t->err.code;
    snprintf(want, sizeof want, "lookup broken.test on 127.0.0.1:%u: server misbehaving",
             t->server.port);
    expect(t, ask(t, defaults, "broken.test"), want);
    t->rc[1] = t->err.code;
    t->rc[2] = t->server.questions;
    ask(t, defaults, "no-such.test");
    t->rc[3] = t->server.questions;
}

static void failures_say_why_and_are_not_kept(void **state) {
    (void)state;
    struct test t = {0};
    run(&t, ask_bad);
    assert_int_equal(t.rc[0], KE_DNS_NO_HOST);
    assert_int_equal(t.rc[1], KE_DNS);
    assert_true(t.rc[3] > t.rc[2]);
}

static void one_of_many(void *arg) {
    struct test *t = arg;
    union sockaddr_any a;
    if (resolve_host(&defaults, SLICE("both.test"), soon_ns(), &a, NULL) == 0)
        t->rc[0]++;
}

static void ask_at_once(struct test *t) {
    struct fiber *f[100];
    for (size_t i = 0; i < countof(f); i++)
        f[i] = fiber_start(worker_self(), FIBER_STACK_DEFAULT, one_of_many, t);
    for (size_t i = 0; i < countof(f); i++)
        fiber_join(f[i]);
}

static void a_hundred_fibers_share_one_question(void **state) {
    (void)state;
    struct test t = {0};
    run(&t, ask_at_once);
    assert_int_equal(t.rc[0], 100);
    assert_int_equal(t.server.questions, 1);
}

static void wait_in_vain(void *arg) {
    struct test *t = arg;
    union sockaddr_any a;
    t->rc[1] = resolve_host(&defaults, SLICE("both.test"), soon_ns(), &a, NULL);
}

static void ask_a_silent_server(struct test *t) {
    t->server.is_silent = true;
    union sockaddr_any a;
    t->rc[0] =
        resolve_host(&defaults, SLICE("both.test"), clock_now_ns() + 5 * NS_PER_MS, &a, &t->err);
    struct fiber *f = fiber_start(worker_self(), FIBER_STACK_DEFAULT, wait_in_vain, t);
    fiber_yield();
    fiber_cancel(f);
    fiber_join(f);
    /* The question is still under way when the worker goes. */
}

static void a_lookup_ends_with_its_deadline_or_a_cancel(void **state) {
    (void)state;
    struct test t = {0};
    run(&t, ask_a_silent_server);
    assert_int_equal(t.rc[0], KE_TIMEOUT);
    assert_string_equal(t.err.text, "request timeout");
    assert_int_equal(t.rc[1], KE_CANCELED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_and_special_names_ask_nobody),
        cmocka_unit_test(the_policy_chooses_the_family),
        cmocka_unit_test(addresses_are_selected_first_in_turn_or_at_random),
        cmocka_unit_test(an_answer_is_used_for_its_time_to_live),
        cmocka_unit_test(failures_say_why_and_are_not_kept),
        cmocka_unit_test(a_hundred_fibers_share_one_question),
        cmocka_unit_test(a_lookup_ends_with_its_deadline_or_a_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
