/* Plain connections: dialing rules, reading and writing with deadlines, how they end, proxies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/check.h"
#include "fiber/worker.h"
#include "net/conn_internal.h"
#include "peer.h"

struct test {
    struct peer peer;
    struct dialer_config dialer;
    struct conn_target target;
    struct conn_counters counters;
    struct conn_timings timings;
    struct conn *conn;
    struct error err;
    int rc[4];
    long n[4];
    bool flag[4];
    char text[128];
};

static void target_init(struct test *t, uint16_t port) {
    t->target = (struct conn_target){
        .host = SLICE("127.0.0.1"), .port = port, .dialer = &t->dialer, .counters = &t->counters};
}

static int open_conn(struct test *t) {
    return conn_open(&t->target, soon_ns(), &t->conn, &t->timings, &t->err);
}

static int say(struct test *t, const char *text) {
    struct iovec iov = {(void *)(uintptr_t)text, strlen(text)};
    return conn_write(t->conn, &iov, 1, soon_ns(), &t->err);
}

static void with_peer(struct test *t, void (*serve)(struct peer *, int), void *arg, fiber_fn *fn) {
    peer_start(&t->peer, serve, arg);
    target_init(t, t->peer.port);
    run_in_fiber(fn, t);
    peer_stop(&t->peer);
}

/* ---------------------------------------------------------------- use */

static void echo(void *arg) {
    struct test *t = arg;
    t->rc[0] = open_conn(t);
    struct iovec iov[3] = {
        {(void *)(uintptr_t) "hel", 3}, {NULL, 0}, {(void *)(uintptr_t) "lo", 2}};
    int64_t t0 = clock_now_ns(), event_ns = 0;
    t->rc[1] = conn_write(t->conn, iov, 3, soon_ns(), &t->err);
    for (long got = 0; got < 5; got += t->n[0])
        CHECK((t->n[0] =
                   conn_read(t->conn, t->text + got, 64, true, soon_ns(), &event_ns, &t->err)) > 0);
    t->flag[0] = event_ns >= t0 && event_ns <= clock_now_ns();
    t->flag[1] = conn_is_stale(t->conn);
    t->flag[2] = strcmp(conn_peer_ip(t->conn), "127.0.0.1") == 0 &&
                 sockaddr_port(conn_peer(t->conn)) == t->target.port &&
                 conn_tls_info(t->conn) == NULL;
    conn_close(t->conn);
}

static void what_is_written_is_answered_and_counted(void **state) {
    (void)state;
    struct test t = {0};
    with_peer(&t, serve_echo, NULL, echo);
    assert_int_equal(t.rc[0], 0);
    assert_int_equal(t.rc[1], 0);
    assert_string_equal(t.text, "hello");
    assert_int_equal(t.counters.sent_bytes, 5);
    assert_int_equal(t.counters.received_bytes, 5);
    assert_true(t.flag[0]);
    assert_false(t.flag[1]);
    assert_true(t.flag[2]);
    assert_true(t.timings.connect_ns > 0);
    assert_int_equal(t.timings.tls_ns, 0);
}

/* Echoes once; the thread is busy for so long when the answer is there. True when the answer counts
 * from before it was seen. */
static bool echo_while_busy(struct test *t, int64_t busy_ns) {
    int64_t event_ns = 0;
    t->rc[1] = say(t, "hello");
    CHECK(poll(&(struct pollfd){.fd = t->conn->fd, .events = POLLIN}, 1, 10000) == 1);
    int64_t there_ns = clock_now_ns();
    while (clock_now_ns() < there_ns + busy_ns)
        ;
    t->n[0] = conn_read(t->conn, t->text, 64, true, soon_ns(), &event_ns, &t->err);
    return event_ns <= there_ns;
}

/* Linux begins to stamp packets a moment after the first socket asked for it. */
static void busy_echo(void *arg) {
    struct test *t = arg;
    t->rc[0] = open_conn(t);
    int64_t end_ns = soon_ns();
    while (!echo_while_busy(t, 0) && clock_now_ns() < end_ns)
        ;
    t->flag[0] = echo_while_busy(t, 50 * NS_PER_MS);
    conn_close(t->conn);
}

static void data_counts_from_when_the_kernel_got_it(void **state) {
    (void)state;
    struct test t = {0};
    with_peer(&t, serve_echo, NULL, busy_echo);
    assert_int_equal(t.n[0], 5);
#ifdef SO_TIMESTAMPNS
    assert_true(t.flag[0]);
#endif
}

#define BIG (8 << 20)

struct big {
    struct test *t;
    char *bytes;
};

static void write_big(void *arg) {
    struct big *b = arg;
    struct iovec iov[20];
    for (int i = 0; i < 20; i++)
        iov[i] =
            (struct iovec){b->bytes + i * (BIG / 32), i < 19 ? BIG / 32 : BIG - 19 * (BIG / 32)};
    b->t->rc[1] = conn_write(b->t->conn, iov, 20, soon_ns(), &b->t->err);
}

static void echo_big(void *arg) {
    struct test *t = arg;
    t->rc[0] = open_conn(t);
    struct big b = {t, xmalloc(BIG)};
    for (size_t i = 0; i < BIG; i++)
        b.bytes[i] = (char)(i * 2654435761u >> 13);
    char *back = xmalloc(BIG);
    struct fiber *writer = fiber_start(worker_self(), FIBER_STACK_DEFAULT, write_big, &b);
    size_t got = 0;
    long n = 1;
    while (got < BIG && n > 0) {
        n = conn_read(t->conn, back + got, BIG - got, false, soon_ns(), NULL, &t->err);
        got += n > 0 ? (size_t)n : 0;
    }
    fiber_join(writer);
    t->flag[0] = got == BIG && memcmp(back, b.bytes, BIG) == 0;
    free(back);
    free(b.bytes);
    conn_close(t->conn);
}

static void eight_megabytes_go_both_ways_at_once(void **state) {
    (void)state;
    struct test t = {0};
    with_peer(&t, serve_echo, NULL, echo_big);
    assert_int_equal(t.rc[0], 0);
    assert_int_equal(t.rc[1], 0);
    assert_true(t.flag[0]);
    assert_int_equal(t.counters.sent_bytes, BIG);
    assert_int_equal(t.counters.received_bytes, BIG);
}

static void wait_for_mute(void *arg) {
    struct test *t = arg;
    open_conn(t);
    int64_t t0 = clock_now_ns();
    t->n[0] = conn_read(t->conn, t->text, 64, true, t0 + 5 * NS_PER_MS, NULL, &t->err);
    t->flag[0] = clock_now_ns() - t0 >= 5 * NS_PER_MS;
    conn_close(t->conn);
}

static void a_read_from_a_mute_peer_ends_at_its_deadline(void **state) {
    (void)state;
    struct test t = {0};
    with_peer(&t, serve_mute, NULL, wait_for_mute);
    assert_int_equal(t.n[0], KE_TIMEOUT);
    assert_string_equal(t.err.text, "request timeout");
    assert_true(t.flag[0]);
}

static void fill_mute(void *arg) {
    struct test *t = arg;
    open_conn(t);
    char *bytes = xcalloc(1, 64 << 20);
    struct iovec iov = {bytes, 64 << 20};
    t->rc[0] = conn_write(t->conn, &iov, 1, clock_now_ns() + 20 * NS_PER_MS, &t->err);
    free(bytes);
    conn_close(t->conn);
}

static void serve_deaf(struct peer *p, int fd) {
    (void)fd;
    while (!*(atomic_bool *)p->arg)
        usleep(1000);
}

static void a_write_to_a_deaf_peer_ends_at_its_deadline(void **state) {
    (void)state;
    struct test t = {0};
    atomic_bool is_over = false;
    peer_start(&t.peer, serve_deaf, &is_over);
    target_init(&t, t.peer.port);
    run_in_fiber(fill_mute, &t);
    is_over = true;
    peer_stop(&t.peer);
    assert_int_equal(t.rc[0], KE_TIMEOUT);
}

static void serve_flood(struct peer *p, int fd) {
    (void)p;
    static char bytes[1 << 16];
    while (send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0)
        ;
}

static void drink(void *arg) {
    struct test *t = arg;
    open_conn(t);
    int64_t end_ns = clock_now_ns() + 10 * NS_PER_MS;
    do {
        t->n[0] = conn_read(t->conn, t->text, sizeof t->text, false, end_ns, NULL, &t->err);
    } while (t->n[0] > 0 && clock_now_ns() < end_ns + NS_PER_S);
    conn_close(t->conn);
}

static void a_flood_does_not_outlast_the_deadline(void **state) {
    (void)state;
    struct test t = {0};
    with_peer(&t, serve_flood, NULL, drink);
    assert_int_equal(t.n[0], KE_TIMEOUT);
}

static void read_forever(void *arg) {
    struct test *t = arg;
    open_conn(t);
    t->n[0] = conn_read(t->conn, t->text, 64, true, NEVER_NS, NULL, &t->err);
    conn_close(t->conn);
}

static void cancel_reader(void *arg) {
    struct test *t = arg;
    struct fiber *f = fiber_start(worker_self(), FIBER_STACK_DEFAULT, read_forever, t);
    while (!t->conn)
        fiber_yield();
    fiber_yield();
    fiber_cancel(f);
    fiber_join(f);
}

static void a_cancel_ends_a_read(void **state) {
    (void)state;
    struct test t = {0};
    with_peer(&t, serve_mute, NULL, cancel_reader);
    assert_int_equal(t.n[0], KE_CANCELED);
    assert_string_equal(t.err.text, "context canceled");
}

static void read_to_close(void *arg) {
    struct test *t = arg;
    t->n[0] = conn_read(t->conn, t->text, 64, true, NEVER_NS, NULL, &t->err);
}

static void abort_reader(void *arg) {
    struct test *t = arg;
    t->n[0] = 1;
    open_conn(t);
    struct fiber *f = fiber_start(worker_self(), FIBER_STACK_DEFAULT, read_to_close, t);
    fiber_yield();
    fiber_yield();
    conn_abort(t->conn);
    fiber_join(f);
    conn_close(t->conn);
}

static void an_abort_ends_the_read_of_another_fiber(void **state) {
    (void)state;
    struct test t = {0};
    with_peer(&t, serve_mute, NULL, abort_reader);
    assert_int_equal(t.n[0], 0);
}

/* ---------------------------------------------------------------- ends */

static void read_after_reset(void *arg) {
    struct test *t = arg;
    open_conn(t);
    t->rc[0] = say(t, "x");
    t->n[0] = conn_read(t->conn, t->text, 64, true, soon_ns(), NULL, &t->err);
    t->rc[1] = say(t, "y");
    t->rc[2] = t->err.code;
    conn_close(t->conn);
}

static void a_reset_is_told_as_go_does(void **state) {
    (void)state;
    struct test t = {0};
    with_peer(&t, serve_reset, NULL, read_after_reset);
    assert_int_equal(t.n[0], KE_TCP_RESET);
    assert_int_equal(t.rc[1], KE_TCP_BROKEN_PIPE);
    assert_non_null(strstr(t.err.text, "write tcp 127.0.0.1:"));
    assert_non_null(strstr(t.err.text, ": write: broken pipe"));
}

static void read_reset_text(void *arg) {
    struct test *t = arg;
    open_conn(t);
    say(t, "x");
    conn_read(t->conn, t->text, 64, true, soon_ns(), NULL, &t->err);
    conn_close(t->conn);
}

static void the_words_of_a_reset_name_both_ends(void **state) {
    (void)state;
    struct test t = {0};
    with_peer(&t, serve_reset, NULL, read_reset_text);
    char want[64];
    snprintf(want, sizeof want, "->127.0.0.1:%u: read: connection reset by peer", t.target.port);
    assert_memory_equal(t.err.text, "read tcp 127.0.0.1:", 19);
    assert_non_null(strstr(t.err.text, want));
    assert_int_equal(t.err.sys_errno, ECONNRESET);
}

static void read_to_the_end(void *arg) {
    struct test *t = arg;
    open_conn(t);
    say(t, "x");
    t->n[0] = conn_read(t->conn, t->text, 64, true, soon_ns(), NULL, &t->err);
    t->n[1] = conn_read(t->conn, t->text, 64, false, soon_ns(), NULL, &t->err);
    t->n[2] = conn_read(t->conn, t->text, 64, true, soon_ns(), NULL, &t->err);
    conn_close(t->conn);
}

static void the_end_is_zero_bytes(void **state) {
    (void)state;
    struct test t = {0};
    with_peer(&t, serve_text, (void *)(uintptr_t) "bye", read_to_the_end);
    assert_int_equal(t.n[0], 3);
    assert_int_equal(t.n[1], 0);
    assert_int_equal(t.n[2], 0);
}

static void go_stale(void *arg) {
    struct test *t = arg;
    open_conn(t);
    say(t, "x");
    t->n[0] = conn_read(t->conn, t->text, 64, true, soon_ns(), NULL, &t->err);
    int64_t end_ns = soon_ns();
    while (!conn_is_stale(t->conn) && clock_now_ns() < end_ns)
        fiber_sleep_until(clock_now_ns() + NS_PER_MS);
    t->flag[0] = conn_is_stale(t->conn);
    conn_close(t->conn);
}

static void an_idle_connection_that_the_peer_closed_is_stale(void **state) {
    (void)state;
    struct test t = {0};
    with_peer(&t, serve_text, (void *)(uintptr_t) "bye", go_stale);
    assert_int_equal(t.n[0], 3);
    assert_true(t.flag[0]);
}

/* ---------------------------------------------------------------- dialing */

static void just_open(void *arg) {
    struct test *t = arg;
    t->rc[0] = open_conn(t);
    if (t->rc[0] == 0)
        conn_close(t->conn);
}

static void a_refused_connection_is_told_as_go_does(void **state) {
    (void)state;
    struct test t = {0};
    char want[96];
    target_init(&t, closed_port());
    run_in_fiber(just_open, &t);
    snprintf(want, sizeof want, "dial tcp 127.0.0.1:%u: connect: connection refused",
             t.target.port);
    assert_string_equal(t.err.text, want);
    assert_int_equal(t.rc[0], KE_DIAL_REFUSED);
    assert_int_equal(t.err.sys_errno, ECONNREFUSED);
    t.target.host = SLICE("::1");
    run_in_fiber(just_open, &t);
    snprintf(want, sizeof want, "dial tcp [::1]:%u: connect: ", t.target.port);
    assert_memory_equal(t.err.text, want, strlen(want));
}

static void open_until(void *arg) {
    struct test *t = arg;
    t->rc[0] = conn_open(&t->target, clock_now_ns() + 20 * NS_PER_MS, &t->conn, NULL, &t->err);
}

static void cancel_open(void *arg) {
    struct test *t = arg;
    struct fiber *f = fiber_start(worker_self(), FIBER_STACK_DEFAULT, just_open, t);
    fiber_yield();
    fiber_yield();
    fiber_cancel(f);
    fiber_join(f);
}

/* A listener whose queue is full does not answer. */
static void a_connect_that_hangs_ends_at_its_deadline_or_with_a_cancel(void **state) {
    (void)state;
    struct test t = {0};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fill[4];
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(listener, 0), 0);
    getsockname(listener, (struct sockaddr *)&a, &len);
    for (size_t i = 0; i < countof(fill); i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fill[i], (struct sockaddr *)&a, sizeof a);
    }
    target_init(&t, ntohs(a.sin_port));
    run_in_fiber(open_until, &t);
    assert_int_equal(t.rc[0], KE_TIMEOUT);
    run_in_fiber(cancel_open, &t);
    assert_int_equal(t.rc[0], KE_CANCELED);
    for (size_t i = 0; i < countof(fill); i++)
        close(fill[i]);
    close(listener);
}

static void rules_of_the_run_are_kept(void **state) {
    (void)state;
    struct test t = {0};
    peer_start(&t.peer, serve_mute, NULL);
    target_init(&t, 1);

    union sockaddr_any to;
    sockaddr_parse(SLICE("127.0.0.1"), &to);
    sockaddr_set_port(&to, t.peer.port);
    struct host_override host = {.pattern = SLICE("*.app.test")};
    memcpy(&host.addr, &to, sizeof to);
    t.dialer.hosts = &host;
    t.dialer.n_hosts = 1;
    t.target.host = SLICE("www.app.test");
    run_in_fiber(just_open, &t);
    assert_int_equal(t.rc[0], 0);

    struct slice pattern = SLICE("*.app.test");
    t.dialer.blocked_hostnames = &pattern;
    t.dialer.n_blocked_hostnames = 1;
    run_in_fiber(just_open, &t);
    assert_int_equal(t.rc[0], KE_HOST_BLOCKED);
    assert_string_equal(t.err.text, "hostname (www.app.test) is in a blocked pattern (*.app.test)");
    t.dialer.n_blocked_hostnames = 0;

    struct ip_range range;
    assert_int_equal(ip_range_parse(SLICE("127.0.0.0/8"), &range), 0);
    t.dialer.blacklist = &range;
    t.dialer.n_blacklist = 1;
    run_in_fiber(just_open, &t);
    assert_int_equal(t.rc[0], KE_IP_BLOCKED);
    assert_string_equal(t.err.text, "IP (127.0.0.1) is in a blacklisted range (127.0.0.0/8)");
    t.dialer.n_blacklist = 0;

    t.target.host = SLICE("gone.invalid");
    run_in_fiber(just_open, &t);
    assert_int_equal(t.rc[0], KE_DNS_NO_HOST);
    assert_string_equal(t.err.text, "lookup gone.invalid: no such host");
    peer_stop(&t.peer);
}

static void serve_peer_name(struct peer *p, int fd) {
    (void)p;
    union sockaddr_any from;
    char text[INET6_ADDRSTRLEN];
    socklen_t len = sizeof from;
    getpeername(fd, &from.sa, &len);
    sockaddr_ip_text(&from, text);
    CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) > 0);
}

static void read_line(void *arg) {
    struct test *t = arg;
    t->rc[0] = open_conn(t);
    if (t->rc[0])
        return;
    t->n[0] = conn_read(t->conn, t->text, 64, false, soon_ns(), NULL, &t->err);
    conn_close(t->conn);
}

static void a_local_address_is_used(void **state) {
    (void)state;
    struct test t = {0};
    union sockaddr_any local;
    sockaddr_parse(SLICE("127.0.0.7"), &local);
    memcpy(&t.dialer.local_ip, &local, sizeof local);
    with_peer(&t, serve_peer_name, NULL, read_line);
    assert_string_equal(t.text, "127.0.0.7");
    sockaddr_parse(SLICE("192.0.2.1"), &local);
    memcpy(&t.dialer.local_ip, &local, sizeof local);
    run_in_fiber(just_open, &t);
    assert_int_equal(t.rc[0], KE_DIAL_ERRNO);
    assert_memory_equal(t.err.text, "dial tcp 192.0.2.1:0->127.0.0.1:", 32);
    assert_non_null(strstr(t.err.text, ": bind: cannot assign requested address"));
}

/* ---------------------------------------------------------------- proxy */

static void serve_proxy(struct peer *p, int fd) {
    char request[1024] = "";
    const char *answer = p->arg;
    ssize_t n = recv(fd, request, sizeof request - 1, 0);
    if (n <= 0)
        return;
    if (!strstr(request, "CONNECT far.test:8443 HTTP/1.1\r\nHost: far.test:8443\r\n") ||
        !strstr(request, "\r\nProxy-Authorization: Basic abc\r\n\r\n"))
        answer = "HTTP/1.1 400 Bad Request\r\n\r\n";
    CHECK(send(fd, answer, strlen(answer), MSG_NOSIGNAL) > 0);
    serve_echo(p, fd);
}

static void echo_through_proxy(void *arg) {
    struct test *t = arg;
    t->target.host = SLICE("far.test");
    t->target.port = 8443;
    t->target.proxy_host = SLICE("127.0.0.1");
    t->target.proxy_port = t->peer.port;
    t->target.proxy_auth = SLICE("Basic abc");
    t->target.proxy_tunnel = true;
    t->rc[0] = open_conn(t);
    if (t->rc[0])
        return;
    say(t, "ping");
    t->n[0] = conn_read(t->conn, t->text, 64, true, soon_ns(), NULL, &t->err);
    conn_close(t->conn);
}

static void a_tunnel_leads_through_a_proxy(void **state) {
    (void)state;
    struct test t = {0};
    with_peer(&t, serve_proxy,
              (void *)(uintptr_t) "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n",
              echo_through_proxy);
    assert_int_equal(t.rc[0], 0);
    assert_string_equal(t.text, "ping");
}

static void a_proxy_that_refuses_gives_its_words(void **state) {
    (void)state;
    static const struct {
        const char *answer, *words;
    } cases[] = {
        {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "Proxy Authentication Required"},
        {"HTTP/1.1 502\r\n\r\n", "unknown status code"},
        {"SSH-2.0-x\r\n\r\n", "malformed HTTP response \"SSH-2.0-x\""},
        {"HTTP/1.1 200 OK\r\n\r\nhello", "the proxy sent data before the tunnel was used"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct test t = {0};
        with_peer(&t, serve_proxy, (void *)(uintptr_t)cases[i].answer, echo_through_proxy);
        assert_int_equal(t.rc[0], KE_FAILED);
        assert_string_equal(t.err.text, cases[i].words);
    }
    struct test t = {.peer.port = closed_port()};
    t.target.dialer = &t.dialer;
    run_in_fiber(echo_through_proxy, &t);
    assert_int_equal(t.rc[0], KE_TCP);
    assert_memory_equal(t.err.text, "proxyconnect tcp: dial tcp 127.0.0.1:", 37);
}

/* ---------------------------------------------------------------- many */

#ifdef KILN_ASAN
#define MANY 2000
#else
#define MANY 10000
#endif
#define OPEN_AT_ONCE 100

struct crowd {
    struct test *t;
    struct fiber_cond room;
    int open, done;
};

static void one_of_crowd(void *arg) {
    struct crowd *c = arg;
    struct conn *conn;
    char byte;
    while (c->open == OPEN_AT_ONCE)
        fiber_cond_wait(&c->room, NEVER_NS);
    c->open++;
    if (conn_open(&c->t->target, soon_ns(), &conn, NULL, NULL) == 0) {
        struct iovec iov = {(void *)(uintptr_t) "x", 1};
        if (conn_write(conn, &iov, 1, soon_ns(), NULL) == 0 &&
            conn_read(conn, &byte, 1, true, soon_ns(), NULL, NULL) == 1)
            c->done++;
        conn_close(conn);
    }
    c->open--;
    fiber_cond_signal(&c->room);
}

static void be_many(void *arg) {
    struct crowd c = {.t = arg};
    fiber_cond_init(&c.room);
    struct fiber **f = xcalloc(MANY, sizeof *f);
    for (int i = 0; i < MANY; i++)
        f[i] = fiber_start(worker_self(), FIBER_STACK_DEFAULT, one_of_crowd, &c);
    for (int i = 0; i < MANY; i++)
        fiber_join(f[i]);
    free(f);
    c.t->n[0] = c.done;
}

static void ten_thousand_fibers_connect_in_turns(void **state) {
    (void)state;
    struct test t = {0};
    with_peer(&t, serve_echo, NULL, be_many);
    assert_int_equal(t.n[0], MANY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_answered_and_counted),
        cmocka_unit_test(data_counts_from_when_the_kernel_got_it),
        cmocka_unit_test(eight_megabytes_go_both_ways_at_once),
        cmocka_unit_test(a_read_from_a_mute_peer_ends_at_its_deadline),
        cmocka_unit_test(a_write_to_a_deaf_peer_ends_at_its_deadline),
        cmocka_unit_test(a_flood_does_not_outlast_the_deadline),
        cmocka_unit_test(a_cancel_ends_a_read),
        cmocka_unit_test(an_abort_ends_the_read_of_another_fiber),
        cmocka_unit_test(a_reset_is_told_as_go_does),
        cmocka_unit_test(the_words_of_a_reset_name_both_ends),
        cmocka_unit_test(the_end_is_zero_bytes),
        cmocka_unit_test(an_idle_connection_that_the_peer_closed_is_stale),
        cmocka_unit_test(a_refused_connection_is_told_as_go_does),
        cmocka_unit_test(a_connect_that_hangs_ends_at_its_deadline_or_with_a_cancel),
        cmocka_unit_test(rules_of_the_run_are_kept),
        cmocka_unit_test(a_local_address_is_used),
        cmocka_unit_test(a_tunnel_leads_through_a_proxy),
        cmocka_unit_test(a_proxy_that_refuses_gives_its_words),
        cmocka_unit_test(ten_thousand_fibers_connect_in_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
