/* The HTTP server: answers now and later, limits, peers that misbehave. */
#include "unit.h"

#include <pthread.h>
#include <sys/socket.h>

#include "api/http_server.h"
#include "base/check.h"

#define BODY_MAX 1000

/* /now answers at once, /later when the test says so, /echo gives the body back. */
struct world {
    struct http_server *server;
    uint16_t port;
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct server_request *waiting;
};

static void answer_text(struct server_request *r, const char *text) {
    struct buf body;
    buf_init(&body, BUF_NO_CAP);
    buf_append_str(&body, text);
    server_request_answer(r, 200, "text/plain", &body);
    buf_release(&body);
}

static void handle(void *arg, struct server_request *r) {
    struct world *w = arg;
    const char *path = server_request_path(r);
    if (strcmp(path, "/later") == 0) {
        pthread_mutex_lock(&w->lock);
        w->waiting = r;
        pthread_cond_signal(&w->came);
        pthread_mutex_unlock(&w->lock);
    } else if (strcmp(path, "/echo") == 0) {
        char *text = slice_dup(server_request_body(r));
        answer_text(r, text);
        free(text);
    } else {
        char *text = xasprintf("%s %s", server_request_method(r), path);
        answer_text(r, text);
        free(text);
    }
}

static const char *describe(void *arg, int status, struct buf *out) {
    (void)arg;
    buf_printf(out, "refused %d", status);
    return "text/plain";
}

static int setup(void **state) {
    struct world *w = xcalloc(1, sizeof *w);
    struct error err = {0};
    struct http_server_config cfg = {.fd = listen_anywhere(&w->port),
                                     .max_body_bytes = BODY_MAX,
                                     .max_bodies_bytes = BODY_MAX + BODY_MAX / 2,
                                     .handle = handle,
                                     .describe_error = describe,
                                     .arg = w};
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->came, NULL);
    w->server = http_server_start(&cfg, &err);
    *state = w;
    return w->server == NULL;
}

static int teardown(void **state) {
    struct world *w = *state;
    if (w->server != NULL)
        http_server_stop(w->server);
    free(w);
    return 0;
}

static struct server_request *wait_for_request(struct world *w) {
    pthread_mutex_lock(&w->lock);
    while (w->waiting == NULL)
        pthread_cond_wait(&w->came, &w->lock);
    struct server_request *r = w->waiting;
    w->waiting = NULL;
    pthread_mutex_unlock(&w->lock);
    return r;
}

static void expect(struct world *w, const char *line, const char *body, const char *answer) {
    char *got = call(w->port, line, body);
    assert_string_equal(got, answer);
    free(got);
}

static void a_request_reaches_the_handler(void **state) {
    expect(*state, "PATCH /a%7Bb%7D?c=d", "", "200 PATCH /a{b}");
}

static void another_thread_may_answer_while_others_are_served(void **state) {
    struct world *w = *state;
    int fd = dial_port(w->port);
    say(fd, "GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    struct server_request *r = wait_for_request(w);
    expect(w, "GET /now", "", "200 GET /now");
    answer_text(r, "at last");
    char *answer = hear(fd);
    assert_contains(answer, "\r\n\r\nat last");
    free(answer);
    close(fd);
}

static void a_connection_takes_several_requests(void **state) {
    struct world *w = *state;
    char *answer = ask(w->port, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
                                "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                                "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_contains(answer, "GET /1");
    assert_contains(answer, "abc");
    assert_contains(answer, "GET /3");
    free(answer);
}

static void http_1_0_is_served(void **state) {
    struct world *w = *state;
    char *answer = ask(w->port, "GET /old HTTP/1.0\r\n\r\n");
    assert_contains(answer, "200 OK");
    assert_contains(answer, "\r\n\r\nGET /old");
    free(answer);
}

static void a_chunked_body_is_put_together(void **state) {
    struct world *w = *state;
    char *answer = ask(w->port, "PUT /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                "Transfer-Encoding: chunked\r\n\r\n"
                                "3\r\n{\"a\r\n4\r\n\":7}\r\n0\r\n\r\n");
    assert_contains(answer, "\r\n\r\n{\"a\":7}");
    free(answer);
}

static void a_body_that_is_too_large_is_refused(void **state) {
    char body[BODY_MAX + 2];
    memset(body, 'x', sizeof body);
    body[BODY_MAX + 1] = '\0';
    expect(*state, "POST /echo", body, "413 refused 413");
    body[BODY_MAX] = '\0';
    char *expected = xasprintf("200 %s", body);
    expect(*state, "POST /echo", body, expected);
    free(expected);
}

static void many_large_bodies_at_once_are_refused(void **state) {
    struct world *w = *state;
    char head[200], body[BODY_MAX + 1];
    memset(body, 'x', sizeof body);
    body[BODY_MAX] = '\0';
    snprintf(head, sizeof head,
             "POST /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n",
             BODY_MAX);
    int fd = dial_port(w->port);
    say(fd, head);
    say(fd, body);
    struct server_request *r = wait_for_request(w);
    expect(w, "POST /echo", body, "503 refused 503");
    answer_text(r, "done");
    free(hear(fd));
    close(fd);
    char *expected = xasprintf("200 %s", body);
    expect(w, "POST /echo", body, expected);
    free(expected);
}

static void peers_that_send_half_a_request_block_nobody(void **state) {
    struct world *w = *state;
    int fds[50];
    for (size_t i = 0; i < countof(fds); i++) {
        fds[i] = dial_port(w->port);
        say(fds[i],
            i % 2 ? "GET /slo" : "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab");
    }
    expect(w, "GET /now", "", "200 GET /now");
    for (size_t i = 0; i < countof(fds); i++)
        close(fds[i]);
    expect(w, "GET /now", "", "200 GET /now");
}

static void rubbish_is_turned_away(void **state) {
    struct world *w = *state;
    static const char *const texts[] = {
        "\x16\x03\x01\x02\r\n\r\n",
        "\r\n\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: -5\r\nConnection: close\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"};
    for (size_t i = 0; i < countof(texts); i++) {
        int fd = dial_port(w->port);
        say(fd, texts[i]);
        shutdown(fd, 1);
        char *answer = hear(fd);
        if (strstr(answer, " 200 ") != NULL)
            fail_msg("text %zu was taken: %s", i, answer);
        free(answer);
        close(fd);
    }
    expect(w, "GET /now", "", "200 GET /now");
}

static void a_peer_may_leave_before_its_answer(void **state) {
    struct world *w = *state;
    int fd = dial_port(w->port);
    say(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    struct server_request *r = wait_for_request(w);
    close(fd);
    answer_text(r, "nobody reads this");
    expect(w, "GET /now", "", "200 GET /now");
}

static void an_answer_just_before_the_stop_is_sent(void **state) {
    struct world *w = *state;
    int fd = dial_port(w->port);
    say(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    answer_text(wait_for_request(w), "the very last words");
    http_server_stop(w->server);
    w->server = NULL;
    char *answer = hear(fd);
    assert_contains(answer, "\r\n\r\nthe very last words");
    free(answer);
    close(fd);
}

static void stopping_closes_idle_connections(void **state) {
    struct world *w = *state;
    int idle = dial_port(w->port), half = dial_port(w->port);
    say(half, "GET /half HTTP/1.1\r\n");
    expect(w, "GET /now", "", "200 GET /now");
    http_server_stop(w->server);
    w->server = NULL;
    char *answer = hear(idle);
    assert_string_equal(answer, "");
    free(answer);
    free(hear(half)); /* ends */
    close(idle);
    close(half);
}

#define server_test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        server_test(a_request_reaches_the_handler),
        server_test(another_thread_may_answer_while_others_are_served),
        server_test(a_connection_takes_several_requests),
        server_test(http_1_0_is_served),
        server_test(a_chunked_body_is_put_together),
        server_test(a_body_that_is_too_large_is_refused),
        server_test(many_large_bodies_at_once_are_refused),
        server_test(peers_that_send_half_a_request_block_nobody),
        server_test(rubbish_is_turned_away),
        server_test(a_peer_may_leave_before_its_answer),
        server_test(an_answer_just_before_the_stop_is_sent),
        server_test(stopping_closes_idle_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
