/* A connection against a scripted peer. */
#include "ws_unit.h"

#include <stdlib.h>

#include "fiber/worker.h"
#include "ws/ws_conn.h"
#include "ws_peer.h"

struct run {
    struct worker *worker;
    struct ws_peer *peer;
    struct http_client_config http;
    struct ws_params params;
    struct ws_response response;
    struct ws_conn *ws;
    struct error err;
    int rc; /* of ws_open */
    char url[64];
    void (*body)(struct run *r);
};

static int64_t soon(void) {
    return clock_now_ns() + 20 * NS_PER_S;
}

static void body_fiber(void *arg) {
    struct run *r = arg;
    r->rc = ws_open(&r->params, soon(), &r->ws, &r->response, &r->err);
    r->body(r);
    ws_free(r->ws);
    worker_stop(r->worker);
}

/* Opens a connection to a peer that does the steps, and runs body on a fiber. Afterwards the peer's
 * records are there. */
static void run_with(struct run *r, const char *head, const struct ws_step *steps, size_t n_steps,
                     void (*body)(struct run *r)) {
    r->peer = ws_peer_start(head, steps, n_steps);
    r->body = body;
    if (!r->params.url.ptr) {
        snprintf(r->url, sizeof r->url, "ws://127.0.0.1:%d/ws?a=b", r->peer->port);
        r->params.url = slice_cstr(r->url);
    }
    r->http.user_agent = SLICE("tester/1");
    r->params.http = &r->http;
    r->params.dialer = &r->http.dialer;
    r->worker = worker_new(0);
    fiber_detach(fiber_start(r->worker, FIBER_STACK_DEFAULT, body_fiber, r));
    worker_run(r->worker);
    worker_free(r->worker);
    ws_peer_stop(r->peer);
}

static void end(struct run *r) {
    ws_response_release(&r->response);
    ws_peer_free(r->peer);
}

static void expect(struct run *r, enum ws_opcode opcode, const char *data) {
    struct ws_event e;
    int rc = ws_read(r->ws, &e, soon(), &r->err);
    if (rc)
        fail_msg("ws_read: %d %s", rc, r->err.text);
    assert_int_equal(e.opcode, opcode);
    if (!slice_eq(e.data, slice_cstr(data)))
        fail_msg("\"%.*s\" != \"%s\"", SLICE_FMT(e.data), data);
}

static void body_echo(struct run *r) {
    assert_int_equal(r->rc, 0);
    assert_int_equal(r->response.status, 101);
    assert_string_equal(ws_peer_ip(r->ws), "127.0.0.1");
    expect(r, WS_TEXT, "hello");
    expect(r, WS_PING, "p");
    assert_int_equal(ws_write(r->ws, WS_PONG, SLICE("p"), soon(), &r->err), 0);
    assert_int_equal(ws_write(r->ws, WS_TEXT, SLICE("back"), soon(), &r->err), 0);
    expect(r, WS_CLOSE, "why");
    assert_int_equal(ws_write_close(r->ws, 4005, SLICE(""), soon(), &r->err), 0);
    assert_int_equal(ws_write(r->ws, WS_TEXT, SLICE("late"), soon(), &r->err), KE_EOF);
    assert_string_equal(r->err.text, "websocket: close sent");
}

static void messages_go_both_ways(void **state) {
    (void)state;
    static const struct ws_step steps[] = {SENDS("\x81\x05hello\x89\x01p"), READS_FRAME,
                                           READS_FRAME, SENDS("\x88\x05\x0f\xa5why"), READS_FRAME};
    struct run r = {0};
    run_with(&r, NULL, steps, countof(steps), body_echo);
    assert_int_equal(r.peer->n_frames, 3);
    assert_string_equal(r.peer->frames[0], "10:p");
    assert_string_equal(r.peer->frames[1], "1:back");
    assert_string_equal(r.peer->frames[2], "8:\x0f\xa5");
    end(&r);
}

static void body_none(struct run *r) {
    assert_int_equal(r->rc, 0);
}

static void the_request_is_what_go_sends(void **state) {
    (void)state;
    static const struct http_header headers[] = {{SLICE("x-own"), SLICE("v")},
                                                 {SLICE("bad name"), SLICE("left out")},
                                                 {SLICE("Zed"), SLICE("a\r\nInjected: 1")},
                                                 {SLICE("User-Agent"), SLICE("own/2")}};
    struct run r = {.params = {.headers = headers,
                               .n_headers = countof(headers),
                               .protocols = SLICE("one, two"),
                               .offers_deflate = true}};
    char expected[600], key[25] = "";
    run_with(&r, NULL, NULL, 0, body_none);
    const char *at = strstr(r.peer->request, "Sec-WebSocket-Key: ");
    assert_non_null(at);
    memcpy(key, at + 19, 24);
    snprintf(
        expected, sizeof expected,
        "GET /ws?a=b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: own/2\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Extensions: permessage-deflate; "
        "server_no_context_takeover; client_no_context_takeover\r\nSec-WebSocket-Key: %s\r\n"
        "Sec-WebSocket-Protocol: one, two\r\nSec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n"
        "X-Own: v\r\nZed: a  Injected: 1\r\n\r\n",
        r.peer->port, key);
    assert_string_equal(r.peer->request, expected);
    end(&r);
}

static void body_refused(struct run *r) {
    assert_int_equal(r->rc, KE_INVALID);
    assert_string_equal(r->err.text, "websocket: bad handshake");
}

static void a_refusal_has_its_status_and_body(void **state) {
    (void)state;
    static const struct {
        const char *head, *body;
    } cases[] = {
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\ndenied", "denied"},
        {"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nden\r\n3\r\nied\r\n0\r\n\r\n",
         "denied"},
        {"HTTP/1.1 403 Forbidden\r\n\r\ndenied", "denied"},
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\ndenied", "denied"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct run r = {0};
        run_with(&r, cases[i].head, NULL, 0, body_refused);
        assert_int_equal(r.response.status, 403);
        assert_string_equal(r.response.body, cases[i].body);
        end(&r);
    }
}

static void a_wrong_accept_is_a_bad_handshake(void **state) {
    (void)state;
    static const char *const heads[] = {
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        "AAAA\r\n\r\n",
        "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %KEY%\r\n\r\n",
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %KEY%\r\n\r\n",
    };
    for (size_t i = 0; i < countof(heads); i++) {
        struct run r = {0};
        run_with(&r, heads[i], NULL, 0, body_refused);
        assert_int_equal(r.response.status, 101);
        end(&r);
    }
}

static void body_eof(struct run *r) {
    struct ws_event e;
    assert_int_equal(ws_read(r->ws, &e, soon(), &r->err), KE_EOF);
    assert_int_equal(e.close_code, WS_CLOSE_ABNORMAL);
    assert_string_equal(r->err.text, "websocket: close 1006 (abnormal closure): unexpected EOF");
}

static void an_end_without_a_close_frame_is_1006(void **state) {
    (void)state;
    static const struct ws_step steps[] = {SENDS("\x81\x05he")};
    struct run r = {0};
    run_with(&r, NULL, steps, countof(steps), body_eof);
    end(&r);
}

static void body_breach(struct run *r) {
    struct ws_event e;
    assert_int_equal(ws_read(r->ws, &e, soon(), &r->err), KE_INVALID);
    assert_string_equal(r->err.text, "websocket: bad MASK");
    assert_int_equal(ws_write(r->ws, WS_TEXT, SLICE("late"), soon(), &r->err), KE_EOF);
}

static void a_breach_is_answered_with_1002(void **state) {
    (void)state;
    static const struct ws_step steps[] = {SENDS("\x81\x80"), READS_FRAME};
    struct run r = {0};
    run_with(&r, NULL, steps, countof(steps), body_breach);
    assert_string_equal(r.peer->frames[0], "8:\x03\xea"
                                           "bad MASK");
    end(&r);
}

static void body_deflate(struct run *r) {
    assert_int_equal(r->rc, 0);
    expect(r, WS_TEXT, "Hello");
    expect(r, WS_TEXT, "plain");
    assert_int_equal(ws_write(r->ws, WS_TEXT, SLICE("Hello"), soon(), &r->err), 0);
    assert_int_equal(ws_write(r->ws, WS_PING, SLICE("p"), soon(), &r->err), 0);
}

#define DEFLATE_101(extension)                                                                     \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"            \
    "Sec-WebSocket-Accept: %KEY%\r\nSec-WebSocket-Extensions: permessage-deflate" extension "\r\n" \
    "\r\n"

static void messages_are_compressed_when_agreed_on(void **state) {
    (void)state;
    static const struct ws_step steps[] = {
        SENDS("\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\x81\x05plain"), READS_FRAME, READS_FRAME};
    struct run r = {.params = {.offers_deflate = true}};
    run_with(&r, DEFLATE_101("; server_no_context_takeover; client_no_context_takeover"), steps,
             countof(steps), body_deflate);
    assert_string_equal(r.peer->frames[0], "65:\xf2\x48\xcd\xc9\xc9\x07");
    assert_string_equal(r.peer->frames[1], "9:p");
    end(&r);
}

static void body_bad_negotiation(struct run *r) {
    assert_int_equal(r->rc, KE_INVALID);
    assert_string_equal(r->err.text, "websocket: invalid compression negotiation");
}

static void context_takeover_is_refused(void **state) {
    (void)state;
    struct run r = {.params = {.offers_deflate = true}};
    run_with(&r, DEFLATE_101("; server_no_context_takeover"), NULL, 0, body_bad_negotiation);
    end(&r);
}

static void abort_fiber(void *arg) {
    struct run *r = arg;
    ws_abort(r->ws);
}

static void body_abort(struct run *r) {
    struct ws_event e;
    struct fiber *f = fiber_start(r->worker, FIBER_STACK_DEFAULT, abort_fiber, r);
    assert_int_not_equal(ws_read(r->ws, &e, soon(), &r->err), 0);
    assert_string_equal(r->err.text, "use of closed network connection");
    fiber_join(f);
}

static void an_abort_ends_a_waiting_read(void **state) {
    (void)state;
    static const struct ws_step steps[] = {READS_FRAME};
    struct run r = {0};
    run_with(&r, NULL, steps, countof(steps), body_abort);
    end(&r);
}

static void body_deadline(struct run *r) {
    struct ws_event e;
    assert_int_equal(r->rc, 0);
    assert_int_equal(ws_read(r->ws, &e, clock_now_ns() + NS_PER_MS, &r->err), KE_TIMEOUT);
}

static void reading_has_a_deadline(void **state) {
    (void)state;
    static const struct ws_step steps[] = {READS_FRAME};
    struct run r = {0};
    run_with(&r, NULL, steps, countof(steps), body_deadline);
    end(&r);
}

static void check_url(const char *url, const char *expected) {
    struct http_client_config http = {.max_idle = 0};
    struct ws_params params = {.url = slice_cstr(url), .http = &http, .dialer = &http.dialer};
    struct ws_conn *ws;
    struct ws_response response;
    struct error err;
    assert_int_equal(ws_open(&params, NEVER_NS, &ws, &response, &err), KE_URL);
    assert_string_equal(err.text, expected);
}

static void urls_are_checked_before_dialing(void **state) {
    (void)state;
    check_url("http://127.0.0.1/", "malformed ws or wss URL");
    check_url("not a url", "malformed ws or wss URL");
    check_url("ws://user:pw@127.0.0.1/", "malformed ws or wss URL");
    check_url("ws://127.0.0.1/%zz", "parse \"ws://127.0.0.1/%zz\": invalid URL escape \"%zz\"");
}

static void body_duplicate(struct run *r) {
    assert_int_equal(r->rc, KE_INVALID);
    assert_string_equal(r->err.text, "websocket: duplicate header not allowed: Upgrade");
}

static void headers_of_the_handshake_are_ours(void **state) {
    (void)state;
    static const struct http_header header = {SLICE("upgrade"), SLICE("h2c")};
    struct run r = {.params = {.headers = &header, .n_headers = 1}};
    run_with(&r, NULL, NULL, 0, body_duplicate);
    end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_both_ways),
        cmocka_unit_test(the_request_is_what_go_sends),
        cmocka_unit_test(a_refusal_has_its_status_and_body),
        cmocka_unit_test(a_wrong_accept_is_a_bad_handshake),
        cmocka_unit_test(an_end_without_a_close_frame_is_1006),
        cmocka_unit_test(a_breach_is_answered_with_1002),
        cmocka_unit_test(messages_are_compressed_when_agreed_on),
        cmocka_unit_test(context_takeover_is_refused),
        cmocka_unit_test(an_abort_ends_a_waiting_read),
        cmocka_unit_test(reading_has_a_deadline),
        cmocka_unit_test(urls_are_checked_before_dialing),
        cmocka_unit_test(headers_of_the_handshake_are_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
