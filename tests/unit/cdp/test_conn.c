/* A connection over pipes, the test being the browser at their other ends. */
#include "cdp_unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "cdp/cdp_conn.h"

struct run {
    struct worker *worker;
    struct cdp_conn *conn;
    int events_fd, commands_fd; /* the browser's ends */
    struct buf got;             /* what the handler was told, a line a call */
    int ends;
    void (*body)(struct run *r);
};

static void on_message(void *arg, const struct cdp_message *m) {
    struct run *r = arg;
    buf_printf(&r->got, "%lld %.*s %.*s %.*s%s\n", (long long)m->id, SLICE_FMT(m->session),
               SLICE_FMT(m->method), SLICE_FMT(m->payload), m->is_error ? " error" : "");
}

static void on_end(void *arg, const char *why) {
    struct run *r = arg;
    r->ends++;
    buf_printf(&r->got, "end: %s\n", why);
}

static void body_fiber(void *arg) {
    struct run *r = arg;
    r->body(r);
    cdp_conn_free(r->conn);
    worker_stop(r->worker);
}

static void run_with(void (*body)(struct run *r), struct run *r) {
    int events[2], commands[2];
    *r = (struct run){.body = body};
    assert_int_equal(pipe2(events, O_CLOEXEC), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, commands), 0);
    r->events_fd = events[1];
    r->commands_fd = commands[0];
    CHECK(fcntl(r->commands_fd, F_SETFL, O_NONBLOCK) == 0);
    buf_init(&r->got, BUF_NO_CAP);
    r->worker = worker_new(0);
    struct cdp_handler handler = {on_message, on_end, r};
    r->conn = cdp_conn_new_pipe(r->worker, events[0], commands[1], &handler);
    fiber_detach(fiber_start(r->worker, FIBER_STACK_DEFAULT, body_fiber, r));
    worker_run(r->worker);
    worker_free(r->worker);
    close(r->events_fd);
    close(r->commands_fd);
    buf_release(&r->got);
}

/* The browser writes; text with its zero bytes. */
static void say(struct run *r, const char *text, size_t len) {
    assert_int_equal(write(r->events_fd, text, len), len);
}
#define SAY(r, text) say(r, text, sizeof(text) - 1)

static void expect(struct run *r, const char *lines) {
    int64_t end = clock_now_ns() + 20 * NS_PER_S;
    while (r->got.len < strlen(lines) && clock_now_ns() < end)
        fiber_sleep_until(clock_now_ns() + NS_PER_MS);
    assert_string_equal(buf_cstr(&r->got), lines);
    r->got.len = 0;
}

static void expect_commands(struct run *r, const char *text, size_t len) {
    char got[1000];
    size_t have = 0;
    int64_t end = clock_now_ns() + 20 * NS_PER_S;
    while (have < len && clock_now_ns() < end) {
        ssize_t n = read(r->commands_fd, got + have, sizeof got - have);
        have += n > 0 ? (size_t)n : 0;
        fiber_sleep_until(clock_now_ns() + NS_PER_MS);
    }
    assert_int_equal(have, len);
    assert_memory_equal(got, text, len);
}

static void body_pieces(struct run *r) {
    cdp_conn_listen(r->conn, SLICE("A.b"));
    SAY(r, "{\"id\":1,\"result\":{\"x\"");
    fiber_sleep_until(clock_now_ns() + 5 * NS_PER_MS);
    SAY(r, ":2}}\0{\"method\":\"A.b\",\"params\":{},\"sessionId\":\"S\"}\0{\"id\":2,");
    expect(r, "1   {\"x\":2}\n0 S A.b {}\n");
    SAY(r, "\"error\":{}}\0");
    expect(r, "2   {} error\n");
}

static void messages_come_in_pieces(void **state) {
    (void)state;
    struct run r;
    run_with(body_pieces, &r);
    assert_int_equal(r.ends, 0);
}

static void body_listen(struct run *r) {
    cdp_conn_listen(r->conn, SLICE("A.wanted"));
    SAY(r, "{\"method\":\"A.other\",\"params\":{}}\0");
    SAY(r, "{\"params\":{},\"method\":\"A.other\"}\0nonsense\0");
    SAY(r, "{\"params\":1,\"method\":\"A.wanted\"}\0");
    expect(r, "0  A.wanted 1\n");
    assert_int_equal(cdp_conn_dropped(r->conn), 3);
}

static void what_nobody_listens_to_is_dropped(void **state) {
    (void)state;
    struct run r;
    run_with(body_listen, &r);
}

static void body_send(struct run *r) {
    static const char text[] =
        "{\"id\":1,\"method\":\"A.b\"}\0"
        "{\"id\":2,\"method\":\"A.c\",\"sessionId\":\"S\",\"params\":{\"a\":1}}";
    assert_int_equal(cdp_conn_send(r->conn, 1, SLICE(""), SLICE("A.b"), SLICE("")), 0);
    assert_int_equal(cdp_conn_send(r->conn, 2, SLICE("S"), SLICE("A.c"), SLICE("{\"a\":1}")), 0);
    expect_commands(r, text, sizeof text);
}

static void commands_are_written_in_order(void **state) {
    (void)state;
    struct run r;
    run_with(body_send, &r);
}

static void body_pause(struct run *r) {
    cdp_conn_pause(r->conn, true);
    SAY(r, "{\"id\":1,\"result\":{}}\0{\"id\":2,\"result\":{}}\0");
    fiber_sleep_until(clock_now_ns() + 20 * NS_PER_MS);
    expect(r, "1   {}\n"); /* the one at which it looked whether it should go on */
    cdp_conn_pause(r->conn, false);
    expect(r, "2   {}\n");
}

static void the_reader_can_be_paused(void **state) {
    (void)state;
    struct run r;
    run_with(body_pause, &r);
}

static void body_end(struct run *r) {
    close(r->events_fd);
    expect(r, "end: the browser has ended\n");
    assert_true(cdp_conn_has_ended(r->conn));
    assert_int_equal(cdp_conn_send(r->conn, 1, SLICE(""), SLICE("A.b"), SLICE("")), KE_EOF);
    r->events_fd = dup(r->commands_fd);
}

static void the_end_is_told_once(void **state) {
    (void)state;
    struct run r;
    run_with(body_end, &r);
    assert_int_equal(r.ends, 1);
}

static void body_reader_gone(struct run *r) {
    close(r->commands_fd);
    r->commands_fd = dup(r->events_fd);
    assert_int_equal(cdp_conn_send(r->conn, 1, SLICE(""), SLICE("A.b"), SLICE("")), 0);
    expect(r, "end: the browser has ended\n");
}

static void a_browser_that_reads_no_more_has_ended(void **state) {
    (void)state;
    struct run r;
    run_with(body_reader_gone, &r);
}

static void body_free(struct run *r) {
    SAY(r, "{\"id\":1,\"resu");
    assert_int_equal(cdp_conn_send(r->conn, 1, SLICE(""), SLICE("A.b"), SLICE("")), 0);
    cdp_conn_free(r->conn);
    r->conn = NULL;
}

static void freeing_asks_nobody(void **state) {
    (void)state;
    struct run r;
    run_with(body_free, &r);
    assert_int_equal(r.ends, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_in_pieces),
        cmocka_unit_test(what_nobody_listens_to_is_dropped),
        cmocka_unit_test(commands_are_written_in_order),
        cmocka_unit_test(the_reader_can_be_paused),
        cmocka_unit_test(the_end_is_told_once),
        cmocka_unit_test(a_browser_that_reads_no_more_has_ended),
        cmocka_unit_test(freeing_asks_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
