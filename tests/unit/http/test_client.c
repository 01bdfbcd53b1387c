#include "http_unit.h"

#include <stdlib.h>

#include "client_run.h"

/* ---------------------------------------------------------------- plain requests */

static void two_gets(struct run *r) {
    assert_int_equal(get(r, "/a?b=1"), 0);
    assert_int_equal(r->response->status, 200);
    assert_slice(r->response->status_text, "200 OK");
    assert_slice(r->response->body, "hello");
    assert_int_equal(r->response->body.ptr[5], 0);
    assert_string_equal(r->response->remote_ip, "127.0.0.1");
    assert_int_equal(r->response->remote_port, r->server->port);
    assert_true(r->response->timings.connecting > 0);
    assert_true(r->response->timings.blocked >= r->response->timings.connecting);
    assert_string_equal(r->response->error.text, "");
    assert_int_equal(get(r, "/second"), 0);
    assert_slice(r->response->body, "again!");
    assert_int_equal(r->response->timings.connecting, 0);
    assert_true(r->response->timings.waiting > 0);
}

static void connection_is_kept_and_bytes_are_gos(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {OK_REPLY(5, "hello"), OK_REPLY(6, "again!")};
    RUN(&r, steps, two_gets);
    assert_int_equal(r.server->n_connections, 1);
    assert_string_equal(
        without_ports(&r, r.server->requests[0]),
        "GET /a?b=1 HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nUser-Agent: kiln/test\r\n\r\n");
    assert_int_equal(r.counters.sent_bytes,
                     r.server->request_bytes[0] + r.server->request_bytes[1]);
    assert_string_equal(r.hops, "GET 200 /a?b=1;GET 200 /second;");
    server_free(r.server);
}

static void odd_requests(struct run *r) {
    const struct http_header headers[] = {
        {SLICE("x-zeta"), SLICE("  last ")},     {SLICE("accept"), SLICE("one")},
        {SLICE("HOST"), SLICE("other.test:81")}, {SLICE("X-Zeta"), SLICE("wins")},
        {SLICE("user-agent"), SLICE("mine")},    {SLICE("Content-length"), SLICE("99")},
    };
    struct http_request req = request(r, "POST");
    req.headers = headers;
    req.n_headers = countof(headers);
    req.has_body = true;
    req.body = SLICE("body");
    fetch(r, &req, "/");
    req.n_headers = 0;
    req.body = SLICE("");
    fetch(r, &req, "/empty");
    req.has_body = false;
    fetch(r, &req, "/none");
    req = request(r, "GET");
    req.has_body = true;
    fetch(r, &req, "/get-empty");
    const struct http_header no_agent = {SLICE("User-Agent"), SLICE("")};
    req.headers = &no_agent;
    req.n_headers = 1;
    fetch(r, &req, "/no-agent");
}

static void request_headers_are_canonical_and_sorted(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {OK_REPLY(0, ""), OK_REPLY(0, ""), OK_REPLY(0, ""),
                                        OK_REPLY(0, ""), OK_REPLY(0, "")};
    RUN(&r, steps, odd_requests);
    static const char *const expected[] = {
        "POST / HTTP/1.1\r\nHost: other.test:81\r\nUser-Agent: mine\r\nContent-Length: 4\r\n"
        "Accept: one\r\nX-Zeta: wins\r\n\r\nbody",
        "POST /empty HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nUser-Agent: kiln/test\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /none HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nUser-Agent: kiln/test\r\n"
        "Content-Length: 0\r\n\r\n",
        "GET /get-empty HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nUser-Agent: kiln/test\r\n\r\n",
        "GET /no-agent HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
    };
    for (size_t i = 0; i < countof(expected); i++)
        assert_string_equal(without_ports(&r, r.server->requests[i]), expected[i]);
    server_free(r.server);
}

static void bad_requests(struct run *r) {
    static const struct {
        const char *name, *value, *method, *url, *text;
    } rows[] = {
        {"bad name", "x", "GET", "/", "net/http: invalid header field name \"bad name\""},
        {"", "x", "GET", "/", "net/http: invalid header field name \"\""},
        {"X-Newline", "a\nb", "GET", "/", "net/http: invalid header field value for \"X-Newline\""},
        {"Host", "a b", "GET", "/", "http: invalid Host header"},
        {"X", "y", "BAD METHOD", "/", "net/http: invalid method \"BAD METHOD\""},
        {"X", "y", "GET", "ftp://127.0.0.1/x", "unsupported protocol scheme \"ftp\""},
        {"X", "y", "GET", "http:///x", "http: no Host in request URL"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct http_header h = {slice_cstr(rows[i].name), slice_cstr(rows[i].value)};
        struct http_request req = request(r, rows[i].method);
        req.headers = &h;
        req.n_headers = 1;
        assert_int_not_equal(fetch(r, &req, rows[i].url), 0);
        assert_string_equal(r->response->error.text, rows[i].text);
        assert_int_equal(r->response->error_code, 1000);
        assert_int_equal(r->response->status, 0);
        assert_null(r->response->body.ptr);
    }
    assert_int_equal(get(r, "/good"), 0);
}

static void bad_requests_are_refused_before_they_go_out(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {OK_REPLY(0, "")};
    RUN(&r, steps, bad_requests);
    assert_int_equal(r.server->n_connections, 1);
    assert_int_equal(r.server->n_requests, 1);
    server_free(r.server);
}

/* ---------------------------------------------------------------- responses */

static void bodies(struct run *r) {
    size_t expected[] = {300000, 300000, 26, 200000, 11};
    for (size_t i = 0; i < countof(expected); i++) {
        assert_int_equal(get(r, "/"), 0);
        assert_int_equal(r->response->body.len, expected[i]);
        assert_int_equal(r->response->body.ptr[expected[i]], 0);
        assert_int_equal(r->response->body_bytes, expected[i]);
    }
    struct http_header h;
    for (size_t pos = 0; http_response_next_header(r->response, &pos, &h);)
        assert_slice(h.name, "Connection");
}

static void bodies_of_every_framing_arrive_whole(void **state) {
    (void)state;
    struct run r = {0};
    char *chunked = xmalloc(300200);
    size_t n = (size_t)snprintf(chunked, 200,
                                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n493e0\r\n");
    memset(chunked + n, 'x', 300000);
    memcpy(chunked + n + 300000, "\r\n0\r\n\r\n", 7);
    const struct server_step steps[] = {
        {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n", .filler_bytes = 300000},
        {.reply = chunked, .reply_len = n + 300007},
        {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz",
         .dribbles = true},
        {.reply = "HTTP/1.1 200 OK\r\n\r\n", .filler_bytes = 200000, .closes = true},
        {.reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: x\r\n\r\n"
                  "5\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: yes\r\n\r\n",
         .dribbles = true},
    };
    RUN(&r, steps, bodies);
    free(chunked);
    assert_int_equal(r.server->n_connections, 2);
    server_free(r.server);
}

static void no_bodies(struct run *r) {
    struct http_request req = request(r, "HEAD");
    assert_int_equal(fetch(r, &req, "/"), 0);
    assert_slice(r->response->body, "");
    assert_non_null(r->response->body.ptr);
    assert_int_equal(get(r, "/"), 0);
    assert_null(r->response->body.ptr);
    assert_int_equal(get(r, "/"), 0);
    assert_null(r->response->body.ptr);
    req = request(r, "GET");
    req.response_type = HTTP_RESPONSE_NONE;
    assert_int_equal(fetch(r, &req, "/"), 0);
    assert_null(r->response->body.ptr);
    assert_int_equal(r->response->body_bytes, 200000);
    assert_int_equal(fetch(r, &req, "/"), 0);
    assert_int_equal(r->response->status, 200);
    assert_int_equal(r->response->body_bytes, 15);
}

static void absent_and_dropped_bodies(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {
        {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"},
        {.reply = "HTTP/1.1 204 No Content\r\n\r\n"},
        {.reply = "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"},
        {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n", .filler_bytes = 200000},
        /* Not decoded, so not found to be broken either. */
        {.reply = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 15\r\n\r\n"
                  "plain, not gzip"},
    };
    RUN(&r, steps, no_bodies);
    assert_int_equal(r.server->n_connections, 1);
    server_free(r.server);
}

struct failure_row {
    const char *reply;
    bool resets;
    const char *text, *log_text, *body;
    int code;
};

#define BROKEN "Get \"http://127.0.0.1:PORT/x\": net/http: HTTP/1.x transport connection broken: "

static const struct failure_row failures[] = {
    {"this is not http at all\r\n\r\n", false, "malformed HTTP status code \"is\"",
     BROKEN "malformed HTTP status code \"is\"", NULL, 1000},
    {"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", false,
     "malformed MIME header: missing colon: \"no colon here\"",
     BROKEN "malformed MIME header: missing colon: \"no colon here\"", NULL, 1000},
    {"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\nok", false, "bad Content-Length \"ten\"",
     BROKEN "bad Content-Length \"ten\"", NULL, 1000},
    {"HTTP/1.1 200 OK\r\nContent-Le", false, "unexpected EOF", BROKEN "unexpected EOF", NULL, 1000},
    {"", false, "EOF", "Get \"http://127.0.0.1:PORT/x\": EOF", NULL, 1000},
    {"", true, "read: connection reset by peer",
     "Get \"http://127.0.0.1:PORT/x\": read tcp 127.0.0.1:N->127.0.0.1:PORT: read: connection reset "
     "by peer",
     NULL, 1220},
    {"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nonly this", false, "unexpected EOF",
     "unexpected EOF", "only this", 1000},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n", false,
     "invalid byte in chunk length", "invalid byte in chunk length", "", 1000},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nshort", false, "unexpected EOF",
     "unexpected EOF", "short", 1000},
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", false,
     "http: message cannot contain multiple Content-Length headers; got [\"2\" \"3\"]",
     BROKEN "http: message cannot contain multiple Content-Length headers; got [\"2\" \"3\"]", NULL,
     1000},
    {"HTTP/1.1 200 OK\r\nContent-Length: 3000000000\r\n\r\n", false,
     "response body is larger than 2147483648 bytes",
     "response body is larger than 2147483648 bytes", "", 1000},
    {"HTTP/1.1 101 Switching Protocols\r\n\r\n", false,
     "unsupported response status: 101 Switching Protocols",
     "unsupported response status: 101 Switching Protocols", NULL, 1000},
};

static void check_failures(struct run *r) {
    for (size_t i = 0; i < countof(failures); i++) {
        const struct failure_row *row = &failures[i];
        assert_int_not_equal(get(r, "/x"), 0);
        assert_string_equal(r->response->error.text, row->text);
        assert_string_equal(without_ports(r, r->response->error.log_text), row->log_text);
        assert_int_equal(r->response->error_code, row->code);
        assert_int_equal(r->response->status, 0);
        if (row->body)
            assert_slice(r->response->body, row->body);
        else
            assert_null(r->response->body.ptr);
        assert_int_equal(r->response->must_throw, strstr(row->reply, " 101 ") != NULL);
        assert_int_equal(r->response->remote_port, r->server->port);
    }
}

static void failures_have_k6s_words(void **state) {
    (void)state;
    struct run r = {0};
    struct server_step steps[countof(failures)] = {{0}};
    for (size_t i = 0; i < countof(failures); i++) {
        steps[i].reply = failures[i].reply;
        steps[i].closes = !failures[i].resets;
        steps[i].resets = failures[i].resets;
    }
    RUN(&r, steps, check_failures);
    assert_int_equal(r.server->n_connections, countof(failures));
    server_free(r.server);
}

static void refused_and_blocked(struct run *r) {
    server_stop(r->server);
    assert_int_equal(get(r, "/"), KE_DIAL_REFUSED);
    assert_string_equal(r->response->error.text, "dial: connection refused");
    assert_int_equal(r->response->error_code, 1212);
    assert_string_equal(without_ports(r, r->response->error.log_text),
                        "Get \"http://127.0.0.1:PORT/\": dial tcp 127.0.0.1:PORT: connect: "
                        "connection refused");
    struct http_request req = request(r, "post");
    assert_int_not_equal(fetch(r, &req, "http://user:secret@127.0.0.1:1/x"), 0);
    assert_non_null(
        strstr(r->response->error.log_text, "post \"http://user:***@127.0.0.1:1/x\": "));
    struct ip_range range;
    assert_int_equal(ip_range_parse(SLICE("127.0.0.0/8"), &range), 0);
    r->config.dialer.blacklist = &range;
    r->config.dialer.n_blacklist = 1;
    assert_int_equal(get(r, "/"), KE_IP_BLOCKED);
    assert_string_equal(r->response->error.text, "ip is blacklisted");
    assert_int_equal(r->response->error_code, 1110);
    r->config.dialer.n_blacklist = 0;
}

static void dialing_failures_have_k6s_words(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, NULL, 0, refused_and_blocked);
    server_free(r.server);
}

static void timeouts(struct run *r) {
    struct http_request req = request(r, "GET");
    req.timeout_ns = 30 * NS_PER_MS;
    assert_int_equal(fetch(r, &req, "/x"), KE_TIMEOUT);
    assert_string_equal(r->response->error.text, "request timeout");
    assert_int_equal(r->response->error_code, 1050);
    assert_string_equal(without_ports(r, r->response->error.log_text),
                        "Get \"http://127.0.0.1:PORT/x\": request timeout");
    assert_true(r->response->timings.sending + r->response->timings.waiting >= 25 * NS_PER_MS);
    assert_int_equal(fetch(r, &req, "/slow-body"), KE_TIMEOUT);
    assert_slice(r->response->body, "piece");
    assert_string_equal(r->response->error.log_text, "request timeout");
    req.timeout_ns = 0;
    assert_int_equal(fetch(r, &req, "/never"), KE_TIMEOUT);
    req.timeout_ns = -5 * NS_PER_MS;
    assert_int_equal(fetch(r, &req, "/never"), KE_TIMEOUT);
}

static void timeout_covers_the_whole_request(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {
        {.reply = ""},
        {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npiece"},
    };
    RUN(&r, steps, timeouts);
    assert_int_equal(r.server->n_requests, 2);
    server_free(r.server);
}

static void cancel_self(void *arg) {
    fiber_cancel(arg);
}

static void canceled(struct run *r) {
    fiber_detach(fiber_start(r->worker, FIBER_STACK_DEFAULT, cancel_self, fiber_self()));
    assert_int_equal(get(r, "/x"), KE_CANCELED);
    fiber_clear_cancel(fiber_self());
    assert_string_equal(r->hops, "");
}

static void cancel_cuts_through_and_counts_no_hop(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {{.reply = ""}};
    RUN(&r, steps, canceled);
    server_free(r.server);
}

/* ---------------------------------------------------------------- connections */

static void closing(struct run *r) {
    assert_int_equal(get(r, "/1"), 0);
    assert_int_equal(get(r, "/2"), 0);
    assert_int_equal(get(r, "/3"), 0);
    const struct http_header close_header = {SLICE("connection"), SLICE("close")};
    struct http_request req = request(r, "GET");
    req.headers = &close_header;
    req.n_headers = 1;
    assert_int_equal(fetch(r, &req, "/4"), 0);
    assert_int_equal(get(r, "/5"), 0);
}

static void connections_that_may_not_be_kept(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {
        {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"},
        {.reply = "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"},
        {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxtoo much"},
        OK_REPLY(1, "x"),
        OK_REPLY(1, "x"),
    };
    RUN(&r, steps, closing);
    assert_int_equal(r.server->n_connections, 5);
    server_free(r.server);
}

static void no_reuse(struct run *r) {
    assert_int_equal(get(r, "/1"), 0);
    assert_int_equal(get(r, "/2"), 0);
}

static void connection_reuse_can_be_off(void **state) {
    (void)state;
    struct run r = {.config.no_connection_reuse = true};
    const struct server_step steps[] = {OK_REPLY(1, "x"), OK_REPLY(1, "x")};
    RUN(&r, steps, no_reuse);
    assert_int_equal(r.server->n_connections, 2);
    assert_non_null(strstr(r.server->requests[0], "\r\nConnection: close\r\n"));
    server_free(r.server);
}

static void retries(struct run *r) {
    assert_int_equal(get(r, "/1"), 0);
    assert_int_equal(get(r, "/2"), 0); /* dies on the old connection, repeated on a new one */
    assert_slice(r->response->body, "b");
    struct http_request req = request(r, "POST");
    assert_int_equal(fetch(r, &req, "/3"), KE_EOF);
    assert_string_equal(r->response->error.text, "EOF");
    /* Nor is a new connection that fails tried again. */
    assert_int_equal(get(r, "/4"), KE_EOF);
    assert_int_equal(get(r, "/5"), 0);
    const struct http_header key = {SLICE("idempotency-key"), SLICE("1")};
    req.headers = &key;
    req.n_headers = 1;
    assert_int_equal(fetch(r, &req, "/6"), 0);
}

static void idempotent_requests_are_repeated_on_a_dead_connection(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {
        OK_REPLY(1, "a"), {.closes = true}, OK_REPLY(1, "b"), {.closes = true},
        {.closes = true}, OK_REPLY(1, "c"), {.closes = true}, OK_REPLY(1, "d"),
    };
    RUN(&r, steps, retries);
    assert_int_equal(r.server->n_requests, 8);
    server_free(r.server);
}

static void close_idle(struct run *r) {
    assert_int_equal(get(r, "/1"), 0);
    http_client_close_idle(r->client);
    assert_int_equal(get(r, "/2"), 0);
}

static void idle_connections_can_be_closed(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {OK_REPLY(1, "a"), OK_REPLY(1, "b")};
    RUN(&r, steps, close_idle);
    assert_int_equal(r.server->n_connections, 2);
    server_free(r.server);
}

struct parallel {
    struct run *run;
    const char *path;
    size_t body_bytes;
    int rc, status;
};

static void parallel_fiber(void *arg) {
    struct parallel *p = arg;
    struct url url;
    char text[64], *body = xmalloc(p->body_bytes + 1);
    memset(body, 'b', p->body_bytes);
    snprintf(text, sizeof text, "http://127.0.0.1:%u%s", p->run->server->port, p->path);
    assert_int_equal(url_parse(slice_cstr(text), &url, NULL), 0);
    struct http_request req = request(p->run, "POST");
    struct http_response *response;
    req.url = &url;
    req.has_body = true;
    req.body = slice_from(body, p->body_bytes);
    p->rc = http_client_do(p->run->client, &req, &response);
    p->status = response->status;
    http_response_unref(response);
    url_release(&url);
    free(body);
}

static void in_parallel(struct run *r) {
    struct parallel p[] = {
        {r, "/big", 8000000, -1, 0}, {r, "/small", 3, -1, 0}, {r, "/big2", 4000000, -1, 0}};
    struct fiber *fibers[countof(p)];
    for (size_t i = 0; i < countof(p); i++)
        fibers[i] = fiber_start(r->worker, FIBER_STACK_DEFAULT, parallel_fiber, &p[i]);
    for (size_t i = 0; i < countof(p); i++) {
        fiber_join(fibers[i]);
        assert_int_equal(p[i].rc, 0);
        assert_int_equal(p[i].status, 200);
    }
}

static void several_fibers_share_a_client(void **state) {
    (void)state;
    struct run r = {.config.max_idle = 1};
    const struct server_step steps[] = {OK_REPLY(0, ""), OK_REPLY(0, ""), OK_REPLY(0, "")};
    RUN(&r, steps, in_parallel);
    assert_int_equal(r.server->n_requests, 3);
    for (int i = 0; i < 3; i++) {
        const char *text = r.server->requests[i];
        assert_memory_equal(text, "POST /", 6);
        const char *length = strstr(text, "Content-Length: ") + 16;
        assert_int_equal(strtoul(length, NULL, 10), strstr(text, "/big2")  ? 4000000
                                                    : strstr(text, "/big") ? 8000000
                                                                           : 3);
    }
    server_free(r.server);
}

static void early_answer(struct run *r) {
    struct http_request req = request(r, "POST");
    char *body = xcalloc(1, 20000000);
    req.has_body = true;
    req.body = slice_from(body, 20000000);
    int rc = fetch(r, &req, "/");
    /* The peer closed in the middle of the upload: whichever the kernel reported, it is an answer
     * or an error. */
    assert_true(rc == 0 || r->response->error_code == 1201 || r->response->error_code == 1220);
    free(body);
}

static void peer_that_does_not_read_the_body(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {
        {.reply = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", .closes = true}};
    RUN(&r, steps, early_answer);
    server_free(r.server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_is_kept_and_bytes_are_gos),
        cmocka_unit_test(request_headers_are_canonical_and_sorted),
        cmocka_unit_test(bad_requests_are_refused_before_they_go_out),
        cmocka_unit_test(bodies_of_every_framing_arrive_whole),
        cmocka_unit_test(absent_and_dropped_bodies),
        cmocka_unit_test(failures_have_k6s_words),
        cmocka_unit_test(dialing_failures_have_k6s_words),
        cmocka_unit_test(timeout_covers_the_whole_request),
        cmocka_unit_test(cancel_cuts_through_and_counts_no_hop),
        cmocka_unit_test(connections_that_may_not_be_kept),
        cmocka_unit_test(connection_reuse_can_be_off),
        cmocka_unit_test(idempotent_requests_are_repeated_on_a_dead_connection),
        cmocka_unit_test(idle_connections_can_be_closed),
        cmocka_unit_test(several_fibers_share_a_client),
        cmocka_unit_test(peer_that_does_not_read_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
