/* The client over HTTP/2, without TLS, against a server of nghttp2's. */
#include "http_unit.h"

#include <stdlib.h>

#include "base/error.h"
#include "fiber/worker.h"
#include "h2_server.h"
#include "http/cookie.h"
#include "http/http_client.h"

#define SIBLINGS_MAX 64

struct run {
    struct worker *worker;
    struct h2_server *server;
    struct http_client_config config;
    struct http_client *client;
    void (*body)(struct run *r);
    struct http_response *response;
    uint32_t max_streams;
    struct fiber *fibers[SIBLINGS_MAX];
    int n_fibers, n_good;
    char path[64]; /* of the siblings */
};

static void run_fiber(void *arg) {
    struct run *r = arg;
    r->client = http_client_new(&r->config, NULL);
    r->body(r);
    http_response_unref(r->response);
    http_client_free(r->client);
    worker_stop(r->worker);
}

static void run_with(struct run *r, void (*body)(struct run *r)) {
    r->server = h2_server_start(r->max_streams);
    r->worker = worker_new(0);
    r->body = body;
    r->config.h2c = true;
    fiber_detach(fiber_start(r->worker, FIBER_STACK_DEFAULT, run_fiber, r));
    worker_run(r->worker);
    worker_free(r->worker);
    h2_server_stop(r->server);
}

static struct http_request request(const char *method) {
    return (struct http_request){.method = slice_cstr(method),
                                 .timeout_ns = 10 * NS_PER_S,
                                 .max_redirects = 10,
                                 .keep_request_head = true};
}

static int do_request(struct run *r, struct http_request *req, const char *path,
                      struct http_response **out) {
    struct url url;
    char text[256];
    snprintf(text, sizeof text, "http://127.0.0.1:%u%s", r->server->port, path);
    assert_int_equal(url_parse(slice_cstr(text), &url, NULL), 0);
    req->url = &url;
    int rc = http_client_do(r->client, req, out);
    url_release(&url);
    return rc;
}

static int fetch(struct run *r, struct http_request *req, const char *path) {
    http_response_unref(r->response);
    r->response = NULL;
    return do_request(r, req, path, &r->response);
}

static int get(struct run *r, const char *path) {
    struct http_request req = request("GET");
    return fetch(r, &req, path);
}

static void sibling(void *arg) {
    struct run *r = arg;
    struct http_response *response;
    struct http_request req = request("GET");
    if (do_request(r, &req, r->path, &response) == 0 && response->status == 200)
        r->n_good++;
    http_response_unref(response);
}

static void start_siblings(struct run *r, int n, const char *path) {
    snprintf(r->path, sizeof r->path, "%s", path);
    for (r->n_fibers = 0; r->n_fibers < n; r->n_fibers++)
        r->fibers[r->n_fibers] = fiber_start(r->worker, FIBER_STACK_DEFAULT, sibling, r);
}

static void join_siblings(struct run *r) {
    for (int i = 0; i < r->n_fibers; i++)
        fiber_join(r->fibers[i]);
}

static struct slice header_of(const struct run *r, const char *name) {
    struct http_header h;
    for (size_t pos = 0; http_response_next_header(r->response, &pos, &h);) {
        if (slice_ieq(h.name, slice_cstr(name)))
            return h.value;
    }
    return SLICE("");
}

/* ---------------------------------------------------------------- one request */

static void do_get(struct run *r) {
    assert_int_equal(get(r, "/hello"), 0);
    assert_int_equal(r->response->status, 200);
    assert_int_equal(r->response->proto_major, 2);
    assert_slice(r->response->status_text, "200 OK");
    assert_slice(r->response->body, "hello");
    assert_slice(r->response->head, "HTTP/2.0 200 OK\r\ncontent-length: 5\r\n\r\n");
    assert_slice(header_of(r, "content-length"), "5");
    const struct http_timings *t = &r->response->timings;
    assert_true(t->connecting > 0 && t->blocked >= t->connecting);
    assert_true(t->sending > 0 && t->waiting > 0 && t->receiving > 0);
}

static void a_get_has_status_head_body_and_times(void **state) {
    (void)state;
    struct run r = {.config.user_agent = SLICE("kiln/test")};
    run_with(&r, do_get);
    char expected[200];
    snprintf(expected, sizeof expected,
             ":authority: 127.0.0.1:%u\n:method: GET\n:path: /hello\n:scheme: http\n"
             "user-agent: kiln/test\n",
             r.server->port);
    assert_string_equal(r.server->requests[0], expected);
    h2_server_free(r.server);
}

static void do_headers(struct run *r) {
    const struct http_header headers[] = {{SLICE("X-Own"), SLICE("Value")},
                                          {SLICE("Connection"), SLICE("keep-alive")},
                                          {SLICE("Keep-Alive"), SLICE("5")},
                                          {SLICE("Cookie"), SLICE("a=1; b=2;c=3")},
                                          {SLICE("Host"), SLICE("other.test")}};
    struct http_request req = request("POST");
    req.headers = headers;
    req.n_headers = countof(headers);
    req.has_body = true;
    req.body = SLICE("payload");
    assert_int_equal(fetch(r, &req, "/echo?a=b"), 0);
}

static void request_headers_follow_the_rules_of_http2(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, do_headers);
    assert_string_equal(r.server->requests[0],
                        ":authority: other.test\n:method: POST\n:path: /echo?a=b\n:scheme: http\n"
                        "content-length: 7\ncookie: a=1\ncookie: b=2\ncookie: c=3\nx-own: Value\n");
    assert_int_equal(r.server->body_bytes[0], 7);
    h2_server_free(r.server);
}

static void do_bad_header(struct run *r) {
    const struct http_header bad = {SLICE("Upgrade"), SLICE("h2c")};
    struct http_request req = request("GET");
    req.headers = &bad;
    req.n_headers = 1;
    assert_int_equal(fetch(r, &req, "/hello"), KE_FAILED);
    assert_string_equal(r->response->error.text,
                        "http2: invalid Upgrade request header: [\"h2c\"]");
    assert_int_equal(get(r, "/hello"), 0);
}

static void a_header_that_http2_lacks_is_refused(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, do_bad_header);
    assert_int_equal(r.server->n_requests, 1);
    assert_int_equal(r.server->n_connections, 1);
    h2_server_free(r.server);
}

static void do_bodies(struct run *r) {
    struct http_request req = request("GET");
    assert_int_equal(get(r, "/bytes/20000000"), 0);
    assert_int_equal(r->response->body.len, 20000000);
    req.response_type = HTTP_RESPONSE_NONE;
    assert_int_equal(fetch(r, &req, "/bytes/100000"), 0);
    assert_null(r->response->body.ptr);
    assert_int_equal(r->response->body_bytes, 100000);
    req = request("HEAD");
    assert_int_equal(fetch(r, &req, "/status/200"), 0);
    assert_non_null(r->response->body.ptr);
    assert_int_equal(r->response->body.len, 0);
    assert_int_equal(get(r, "/status/204"), 0);
    assert_null(r->response->body.ptr);
    assert_int_equal(get(r, "/status/299"), 0);
    assert_slice(r->response->status_text, "299 ");
}

static void bodies_of_every_kind_arrive(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, do_bodies);
    assert_int_equal(r.server->n_connections, 1);
    h2_server_free(r.server);
}

static void do_upload(struct run *r) {
    struct http_request req = request("POST");
    char *body = xmalloc(5000000);
    memset(body, 'b', 5000000);
    req.has_body = true;
    req.body = slice_from(body, 5000000);
    assert_int_equal(fetch(r, &req, "/echo"), 0);
    assert_slice(header_of(r, "x-length"), "5000000");
    req.body = slice_from("", 0);
    assert_int_equal(fetch(r, &req, "/echo"), 0);
    assert_slice(header_of(r, "x-length"), "0");
    free(body);
}

static void uploads_beyond_the_window_arrive(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, do_upload);
    assert_int_equal(r.server->body_bytes[0], 5000000);
    assert_null(strstr(r.server->requests[1], "content-length"));
    h2_server_free(r.server);
}

static void do_oddities(struct run *r) {
    struct cookie_jar *jar = cookie_jar_new();
    struct http_request req = request("GET");
    req.jar = jar;
    assert_int_equal(get(r, "/early"), 0);
    assert_slice(r->response->body, "hello");
    assert_int_equal(header_of(r, "link").len, 0);
    assert_int_equal(get(r, "/trailers"), 0);
    assert_slice(r->response->body, "hello");
    assert_int_equal(header_of(r, "x-trailer").len, 0);
    assert_int_equal(fetch(r, &req, "/cookie"), 0);
    assert_int_equal(fetch(r, &req, "/redirect"), 0);
    assert_int_equal(r->response->status, 200);
    cookie_jar_free(jar);
}

static void early_hints_trailers_redirects_and_cookies(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, do_oddities);
    assert_int_equal(r.server->n_requests, 5);
    assert_non_null(strstr(r.server->requests[4], ":path: /hello\n"));
    assert_non_null(strstr(r.server->requests[4], "cookie: a=1\ncookie: b=2\n"));
    h2_server_free(r.server);
}

/* ---------------------------------------------------------------- many requests */

static void do_many(struct run *r) {
    assert_int_equal(get(r, "/hello"), 0);
    start_siblings(r, 50, "/wait");
    while (fiber_yield(), r->server->n_requests < 51)
        ;
    h2_server_release(r->server);
    join_siblings(r);
    assert_int_equal(r->n_good, 50);
}

static void concurrent_requests_share_one_connection(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, do_many);
    assert_int_equal(r.server->n_connections, 1);
    h2_server_free(r.server);
}

static void do_limited(struct run *r) {
    assert_int_equal(get(r, "/hello"), 0);
    start_siblings(r, 5, "/wait");
    /* The fifth may have to queue on the second connection. */
    while (fiber_yield(), r->server->n_requests < 5)
        ;
    h2_server_release(r->server);
    join_siblings(r);
    assert_int_equal(r->n_good, 5);
}

static void the_servers_limit_of_streams_makes_further_connections(void **state) {
    (void)state;
    struct run r = {.max_streams = 2};
    run_with(&r, do_limited);
    int used[8] = {0};
    assert_in_range(r.server->n_connections, 2, 6);
    for (int i = 1; i < 5; i++)
        used[r.server->connection_of[i]]++;
    assert_int_equal(used[0], 2);
    h2_server_free(r.server);
}

static void do_big_together(struct run *r) {
    assert_int_equal(get(r, "/hello"), 0);
    start_siblings(r, 8, "/bytes/3000000");
    join_siblings(r);
    assert_int_equal(r->n_good, 8);
}

static void big_bodies_flow_side_by_side(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, do_big_together);
    assert_int_equal(r.server->n_connections, 1);
    h2_server_free(r.server);
}

static void do_first_batch(struct run *r) {
    start_siblings(r, 10, "/hello");
    join_siblings(r);
    assert_int_equal(r->n_good, 10);
    r->n_good = 0;
    start_siblings(r, 10, "/hello");
    join_siblings(r);
    assert_int_equal(r->n_good, 10);
    http_client_close_idle(r->client);
    start_siblings(r, 10, "/hello");
    join_siblings(r);
}

static void siblings_wait_for_a_dial_to_a_host_that_is_known(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, do_first_batch);
    /* All dial the first time, when nobody knows what the host speaks; one serves. */
    assert_true(r.server->n_connections <= 11);
    assert_int_equal(r.n_good, 20);
    for (int i = 1; i < 20; i++)
        assert_int_equal(r.server->connection_of[i], r.server->connection_of[0]);
    for (int i = 20; i < 30; i++)
        assert_int_equal(r.server->connection_of[i], r.server->n_connections - 1);
    h2_server_free(r.server);
}

static void do_single_use(struct run *r) {
    assert_int_equal(get(r, "/hello"), 0);
    assert_int_equal(get(r, "/hello"), 0);
}

static void no_connection_reuse_dials_each_time(void **state) {
    (void)state;
    struct run r = {.config.no_connection_reuse = true};
    run_with(&r, do_single_use);
    assert_int_equal(r.server->n_connections, 2);
    h2_server_free(r.server);
}

/* ---------------------------------------------------------------- what goes wrong */

static void expect(struct run *r, const char *path, int code, const char *text) {
    get(r, path);
    assert_string_equal(r->response->error.text, text);
    assert_int_equal(r->response->error_code, code);
    assert_int_equal(r->response->status, 0);
}

static void do_resets(struct run *r) {
    expect(r, "/rst/2", 1633, "http2: stream error with http2 ErrCode INTERNAL_ERROR");
    assert_non_null(strstr(r->response->error.log_text,
                           "stream error: stream ID 1; INTERNAL_ERROR; received from peer"));
    expect(r, "/rst/11", 1642, "http2: stream error with http2 ErrCode ENHANCE_YOUR_CALM");
    expect(r, "/rst/99", 1630, "http2: stream error with http2 ErrCode unknown error code 0x63");
    expect(r, "/rst-body/8", 1639, "http2: stream error with http2 ErrCode CANCEL");
    assert_slice(r->response->body, "hello");
    assert_int_equal(get(r, "/refuse-once"), 0);
    expect(r, "/short", 1000, "unexpected EOF");
    expect(r, "/long", 1000,
           "net/http: server replied with more than declared Content-Length; truncated");
    assert_slice(r->response->body, "he");
    assert_int_equal(get(r, "/hello"), 0);
}

static void resets_end_their_stream_only(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, do_resets);
    assert_int_equal(r.server->n_connections, 1);
    h2_server_free(r.server);
}

static void do_goaways(struct run *r) {
    assert_int_equal(get(r, "/goaway"), 0);
    assert_int_equal(get(r, "/hello"), 0);
    assert_int_equal(get(r, "/goaway-unseen/0"), 0);
    expect(r, "/goaway-die/11", 1622,
           "http2: received GoAway with http2 ErrCode ENHANCE_YOUR_CALM");
    assert_non_null(strstr(r->response->error.log_text,
                           "http2: server sent GOAWAY and closed the connection; LastStreamID=3, "
                           "ErrCode=ENHANCE_YOUR_CALM, debug=\"calm \\\"down\\\"\""));
    assert_int_equal(get(r, "/hello"), 0);
}

static void goaways_move_on_to_a_new_connection(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, do_goaways);
    assert_int_equal(r.server->n_connections, 4);
    h2_server_free(r.server);
}

static void do_first_goaway(struct run *r) {
    expect(r, "/goaway-unseen/2", 1000,
           "http2: Transport received GOAWAY from server ErrCode:INTERNAL_ERROR");
}

static void an_error_on_a_new_connection_is_not_repeated(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, do_first_goaway);
    assert_int_equal(r.server->n_requests, 1);
    h2_server_free(r.server);
}

static void do_breaks(struct run *r) {
    expect(r, "/die", 1000, "unexpected EOF");
    expect(r, "/junk", 1652, "http2: connection error with http2 ErrCode PROTOCOL_ERROR");
    assert_int_equal(get(r, "/hello"), 0);
}

static void broken_connections_are_told_in_gos_words(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, do_breaks);
    assert_int_equal(r.server->n_connections, 3);
    h2_server_free(r.server);
}

static void do_siblings_die(struct run *r) {
    assert_int_equal(get(r, "/hello"), 0);
    start_siblings(r, 5, "/wait");
    while (fiber_yield(), r->server->n_requests < 6)
        ;
    expect(r, "/die", 1000, "unexpected EOF");
    join_siblings(r);
    assert_int_equal(r->n_good, 0);
}

static void the_end_of_a_connection_ends_all_its_requests(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, do_siblings_die);
    assert_int_equal(r.server->n_connections, 1);
    h2_server_free(r.server);
}

static void do_timeout(struct run *r) {
    struct http_request req = request("GET");
    req.timeout_ns = 20 * NS_PER_MS;
    assert_int_equal(get(r, "/hello"), 0);
    start_siblings(r, 3, "/wait");
    while (fiber_yield(), r->server->n_requests < 4)
        ;
    /* The last one reads or waits for a reader: neither keeps it past its time. */
    assert_int_equal(fetch(r, &req, "/never"), KE_TIMEOUT);
    assert_int_equal(r->response->error_code, 1050);
    h2_server_release(r->server);
    join_siblings(r);
    assert_int_equal(r->n_good, 3);
    assert_int_equal(fetch(r, &req, "/never"), KE_TIMEOUT);
    assert_int_equal(get(r, "/hello"), 0);
}

static void a_timeout_takes_nobody_along(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, do_timeout);
    assert_int_equal(r.server->n_connections, 1);
    h2_server_free(r.server);
}

static void do_cancel(struct run *r) {
    assert_int_equal(get(r, "/hello"), 0);
    start_siblings(r, 3, "/wait");
    while (fiber_yield(), r->server->n_requests < 4)
        ;
    fiber_cancel(r->fibers[0]); /* the one that reads */
    fiber_join(r->fibers[0]);
    h2_server_release(r->server);
    fiber_join(r->fibers[1]);
    fiber_join(r->fibers[2]);
    assert_int_equal(r->n_good, 2);
}

static void when_the_reader_is_canceled_another_reads_on(void **state) {
    (void)state;
    struct run r = {0};
    run_with(&r, do_cancel);
    assert_int_equal(r.server->n_connections, 1);
    h2_server_free(r.server);
}

static void do_too_large(struct run *r) {
    assert_int_equal(get(r, "/bytes/2000"), KE_TOO_LARGE);
    assert_int_equal(get(r, "/bytes/900"), 0);
}

static void a_body_beyond_the_cap_is_cut_off(void **state) {
    (void)state;
    struct run r = {.config.max_body_bytes = 1000};
    run_with(&r, do_too_large);
    assert_int_equal(r.server->n_connections, 1);
    h2_server_free(r.server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_get_has_status_head_body_and_times),
        cmocka_unit_test(request_headers_follow_the_rules_of_http2),
        cmocka_unit_test(a_header_that_http2_lacks_is_refused),
        cmocka_unit_test(bodies_of_every_kind_arrive),
        cmocka_unit_test(uploads_beyond_the_window_arrive),
        cmocka_unit_test(early_hints_trailers_redirects_and_cookies),
        cmocka_unit_test(concurrent_requests_share_one_connection),
        cmocka_unit_test(the_servers_limit_of_streams_makes_further_connections),
        cmocka_unit_test(big_bodies_flow_side_by_side),
        cmocka_unit_test(siblings_wait_for_a_dial_to_a_host_that_is_known),
        cmocka_unit_test(no_connection_reuse_dials_each_time),
        cmocka_unit_test(resets_end_their_stream_only),
        cmocka_unit_test(goaways_move_on_to_a_new_connection),
        cmocka_unit_test(an_error_on_a_new_connection_is_not_repeated),
        cmocka_unit_test(broken_connections_are_told_in_gos_words),
        cmocka_unit_test(the_end_of_a_connection_ends_all_its_requests),
        cmocka_unit_test(a_timeout_takes_nobody_along),
        cmocka_unit_test(when_the_reader_is_canceled_another_reads_on),
        cmocka_unit_test(a_body_beyond_the_cap_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
