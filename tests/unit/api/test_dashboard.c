/* The event log, and the dashboard's server with readers at their own pace. */
#include "unit.h"

#include <sys/socket.h>

#include "api/dashboard.h"
#include "base/check.h"
#include "base/clock.h"

static char *read_all(struct event_log *l, struct event_cursor *c, size_t step) {
    struct buf out;
    char chunk[256];
    size_t n;
    buf_init(&out, BUF_NO_CAP);
    while ((n = event_log_read(l, c, chunk, step)) > 0)
        buf_append(&out, chunk, n);
    return buf_detach(&out, NULL);
}

static void late_readers_get_everything_that_counts(void **state) {
    struct event_log *l = event_log_new();
    struct event_cursor c = {0};
    (void)state;
    event_log_add(l, "param", SLICE("{}"), false);
    event_log_add(l, "status", SLICE("1"), true);
    event_log_add(l, "snapshot", SLICE("[1]"), false);
    event_log_add(l, "status", SLICE("2"), true);
    event_log_add(l, "snapshot", SLICE("[2]"), false);
    char *text = read_all(l, &c, 7);
    assert_string_equal(text, "id: 1\nevent: param\ndata: {}\n\n"
                              "id: 3\nevent: snapshot\ndata: [1]\n\n"
                              "id: 4\nevent: status\ndata: 2\n\n"
                              "id: 5\nevent: snapshot\ndata: [2]\n\n");
    free(text);
    event_log_add(l, "stop", SLICE("[]"), false);
    text = read_all(l, &c, 200);
    assert_string_equal(text, "id: 6\nevent: stop\nretry: 9007199254740991\ndata: []\n\n");
    free(text);
    struct buf lines;
    buf_init(&lines, BUF_NO_CAP);
    event_log_write_lines(l, &lines);
    assert_contains(buf_cstr(&lines), "{\"event\":\"status\",\"data\":2}\n");
    buf_release(&lines);
    event_cursor_release(l, &c);
    event_log_free(l);
}

static void a_replaced_event_is_read_to_its_end(void **state) {
    struct event_log *l = event_log_new();
    struct event_cursor c = {0};
    char part[6];
    (void)state;
    event_log_add(l, "status", SLICE("1"), true);
    assert_int_equal(event_log_read(l, &c, part, sizeof part), sizeof part);
    event_log_add(l, "status", SLICE("2"), true);
    char *text = read_all(l, &c, 100);
    assert_string_equal(text, "event: status\ndata: 1\n\nid: 2\nevent: status\ndata: 2\n\n");
    free(text);
    event_cursor_release(l, &c);
    event_log_free(l);
}

static void the_log_is_bounded(void **state) {
    struct event_log *l = event_log_new();
    struct buf lines;
    (void)state;
    event_log_add(l, "param", SLICE("{}"), false);
    for (size_t i = 0; i < EVENTS_OF_A_NAME_MAX + 100; i++)
        event_log_add(l, "snapshot", SLICE("[]"), false);
    buf_init(&lines, BUF_NO_CAP);
    event_log_write_lines(l, &lines);
    size_t n = 0;
    for (size_t i = 0; i < lines.len; i++)
        n += lines.ptr[i] == '\n';
    assert_int_equal(n, EVENTS_OF_A_NAME_MAX + 1);
    buf_release(&lines);
    event_log_free(l);
}

/* ---- the server */

struct world {
    struct event_log *events;
    struct dashboard *dashboard;
    uint16_t port;
};

static void write_report(void *arg, struct buf *out) {
    (void)arg;
    buf_append_str(out, "<p>report</p>");
}

static int setup(void **state) {
    struct world *w = xcalloc(1, sizeof *w);
    struct error err = {0};
    w->events = event_log_new();
    struct dashboard_config config = {.host = "",
                                      .events = w->events,
                                      .page = SLICE("<p>page</p>"),
                                      .token = "secret",
                                      .write_report = write_report};
    w->dashboard = dashboard_start(&config, &err);
    if (w->dashboard == NULL)
        fail_msg("%s", err.text);
    w->port = (uint16_t)strtoul(strrchr(dashboard_url(w->dashboard), ':') + 1, NULL, 10);
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    dashboard_stop(w->dashboard);
    event_log_free(w->events);
    free(w);
    return 0;
}

static void assert_answer(struct world *w, const char *request, const char *part) {
    char *answer = ask(w->port, request);
    assert_contains(answer, part);
    free(answer);
}

static void pages_are_served(void **state) {
    struct world *w = *state;
    assert_answer(w, "GET / HTTP/1.0\r\n\r\n", "Location: /ui/?endpoint=/");
    assert_answer(w, "GET /ui/?endpoint=/ HTTP/1.0\r\n\r\n", "<p>page</p>");
    assert_answer(w, "GET /report HTTP/1.0\r\n\r\n", "<p>report</p>");
    assert_answer(w, "GET /else HTTP/1.0\r\n\r\n", " 404 ");
    assert_answer(w, "POST /report HTTP/1.0\r\nContent-Length: 0\r\n\r\n", " 405 ");
    assert_answer(w, "POST /control HTTP/1.0\r\nContent-Length: 0\r\n\r\n", " 403 ");
    assert_answer(w, "POST /control HTTP/1.0\r\nX-Kiln-Token: secreT\r\nContent-Length: 0\r\n\r\n",
                  " 403 ");
    assert_answer(w, "POST /control HTTP/1.0\r\nX-Kiln-Token: secret\r\nContent-Length: 0\r\n\r\n",
                  " 503 "); /* nothing to control yet */
}

/* Reads until a text has come. */
static void hear_until(int fd, const char *text) {
    struct buf all;
    char chunk[1000];
    buf_init(&all, BUF_NO_CAP);
    while (strstr(buf_cstr(&all), text) == NULL) {
        ssize_t n = recv(fd, chunk, sizeof chunk, 0);
        if (n <= 0)
            fail_msg("%s did not come: %s", text, buf_cstr(&all));
        buf_append(&all, chunk, (size_t)n);
    }
    buf_release(&all);
}

static void events_come_as_they_happen(void **state) {
    struct world *w = *state;
    event_log_add(w->events, "param", SLICE("{\"a\":1}"), false);
    int fd = dial_port(w->port);
    say(fd, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
    hear_until(fd, "{\"a\":1}");
    for (int i = 0; i < 20; i++) {
        char json[32];
        snprintf(json, sizeof json, "[%d]", i);
        event_log_add(w->events, "snapshot", slice_cstr(json), false);
        dashboard_wake(w->dashboard);
        hear_until(fd, json);
    }
    close(fd);
}

static void the_end_comes_although_readers_stay(void **state) {
    struct world *w = *state;
    int fds[20];
    for (size_t i = 0; i < countof(fds); i++) {
        fds[i] = dial_port(w->port);
        say(fds[i], "GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
        hear_until(fds[i], "text/event-stream");
    }
    close(fds[0]); /* one went without a word */
    /* Others do not read what is too much for their socket. */
    char *large = xmalloc(4 << 20);
    memset(large, ' ', 4 << 20);
    event_log_add(w->events, "snapshot", slice_from(large, 4 << 20), false);
    event_log_add(w->events, "stop", SLICE("[]"), false);
    free(large);
    dashboard_wake(w->dashboard);
    dashboard_stop(w->dashboard);
    w->dashboard = NULL;
    for (size_t i = 1; i < countof(fds); i++)
        close(fds[i]);
}

#define with_world(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_readers_get_everything_that_counts),
        cmocka_unit_test(a_replaced_event_is_read_to_its_end),
        cmocka_unit_test(the_log_is_bounded),
        with_world(pages_are_served),
        with_world(events_come_as_they_happen),
        with_world(the_end_comes_although_readers_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
