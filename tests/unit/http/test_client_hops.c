/* What happens between the requests of a chain: redirects, cookies, credentials, proxies. */
#include "http_unit.h"

#include <stdlib.h>

#include "base/compat.h"
#include "client_run.h"
#include "http/cookie.h"

#define REDIRECT(status, location) \
    { .reply = "HTTP/1.1 " #status " X\r\nContent-Length: 3\r\nLocation: " location "\r\n\r\nhop" }

static const char *sent(const struct run *r, int i) {
    assert_true(i < r->server->n_requests);
    return r->server->requests[i];
}

/* ---------------------------------------------------------------- redirects */

static const int statuses[] = {301, 302, 303, 307, 308, 300, 304};
static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "HEAD"};

static void all_redirects(struct run *r) {
    const struct http_header headers[] = {{SLICE("Content-Type"), SLICE("text/x-own")},
                                          {SLICE("X-Keep"), SLICE("k")}};
    for (size_t i = 0; i < countof(statuses); i++) {
        for (size_t k = 0; k < countof(methods); k++) {
            struct http_request req = request(r, methods[k]);
            req.headers = headers;
            req.n_headers = countof(headers);
            req.has_body = k >= 1 && k <= 3;
            req.body = req.has_body ? SLICE("payload") : slice_from("", 0);
            assert_int_equal(fetch(r, &req, "/from"), 0);
            bool follows = statuses[i] != 300 && statuses[i] != 304;
            assert_int_equal(r->response->status, follows ? 200 : statuses[i]);
        }
    }
}

static void method_and_body_after_each_status(void **state) {
    (void)state;
    for (int round = 0; round < 2; round++) {
        struct run r = {0};
        struct server_step steps[countof(statuses) * countof(methods) * 2] = {{0}};
        char replies[countof(statuses)][128];
        size_t n = 0;
        compat_set(round ? COMPAT_V0_51 : COMPAT_V2_2);
        for (size_t i = 0; i < countof(statuses); i++) {
            snprintf(replies[i], sizeof replies[i],
                     "HTTP/1.1 %d X\r\nContent-Length: 0\r\nLocation: /to\r\n\r\n", statuses[i]);
            for (size_t k = 0; k < countof(methods); k++) {
                steps[n++].reply = replies[i];
                if (i < 5)
                    steps[n++] = (struct server_step)OK_REPLY(0, "");
            }
        }
        run_with(&r, steps, n, all_redirects);
        int at = 0;
        for (size_t i = 0; i < 5; i++) {
            for (size_t k = 0; k < countof(methods); k++) {
                const char *text = sent(&r, at + 1);
                bool keeps = statuses[i] >= 307;
                const char *method = keeps || k == 4 ? methods[k] : "GET";
                char line[64];
                snprintf(line, sizeof line, "%s /to HTTP/1.1\r\n", method);
                assert_memory_equal(text, line, strlen(line));
                assert_non_null(strstr(text, "\r\nX-Keep: k\r\n"));
                assert_int_equal(strstr(text, "\r\nContent-Type: text/x-own") != NULL,
                                 keeps || round);
                assert_int_equal(strstr(text, "payload") != NULL, keeps && k >= 1 && k <= 3);
                assert_non_null(
                    strstr(without_ports(&r, text), "\r\nReferer: http://127.0.0.1:PORT/from\r\n"));
                at += 2;
            }
        }
        server_free(r.server);
        compat_set(COMPAT_V2_2);
    }
}

static void chain(struct run *r) {
    struct http_request req = request(r, "GET");
    assert_int_equal(fetch(r, &req, "/start"), 0);
    assert_int_equal(r->response->status, 200);
    char expected[64];
    snprintf(expected, sizeof expected, "http://127.0.0.1:%u/b#frag", r->server->port);
    assert_slice(r->response->url_text, expected);
    req.max_redirects = 1;
    assert_int_equal(fetch(r, &req, "/limit"), 0);
    assert_int_equal(r->response->status, 302);
    assert_slice(r->response->body, "hop");
    req.max_redirects = 0;
    assert_int_equal(fetch(r, &req, "/zero"), 0);
    assert_int_equal(r->response->status, 302);
    req.max_redirects = -1;
    assert_int_equal(fetch(r, &req, "/minus"), 0);
    assert_int_equal(r->response->status, 302);
    req.max_redirects = 10;
    assert_int_equal(fetch(r, &req, "/no-location"), 0);
    assert_int_equal(r->response->status, 302);
}

static void chains_and_their_limit(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {
        REDIRECT(302, "a"),   REDIRECT(302, "//127.0.0.1:%PORT%/b#frag"),
        OK_REPLY(2, "ok"),    REDIRECT(302, "/l2"),
        REDIRECT(302, "/l3"), REDIRECT(302, "/z2"),
        REDIRECT(302, "/m2"), {.reply = "HTTP/1.1 302 X\r\nContent-Length: 0\r\n\r\n"},
    };
    RUN(&r, steps, chain);
    assert_string_equal(r.hops, "GET 302 /start;GET 302 /a;GET 200 /b#frag;GET 302 /limit;"
                                "GET 302 /l2;GET 302 /zero;GET 302 /minus;GET 302 /no-location;");
    assert_int_equal(r.server->n_connections, 1);
    server_free(r.server);
}

static void bad_locations(struct run *r) {
    assert_int_equal(get(r, "/x"), KE_HTTP_REDIRECT);
    assert_string_equal(r->response->error.text,
                        "failed to parse Location header \"http://bad host/\": parse \"http://bad "
                        "host/\": invalid character \" \" in host name");
    assert_string_equal(without_ports(r, r->response->error.log_text),
                        "Get \"http://127.0.0.1:PORT/x\": failed to parse Location header "
                        "\"http://bad host/\": parse \"http://bad host/\": invalid character \" \" "
                        "in host name");
    assert_int_equal(r->response->error_code, 1000);
    assert_int_not_equal(get(r, "/y"), 0);
    assert_string_equal(r->response->error.text, "unsupported protocol scheme \"ftp\"");
    assert_string_equal(r->response->error.log_text,
                        "Get \"ftp://127.0.0.1/x\": unsupported protocol scheme \"ftp\"");
}

static void bad_locations_have_gos_words(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {REDIRECT(302, "http://bad host/"),
                                        REDIRECT(302, "ftp://127.0.0.1/x")};
    RUN(&r, steps, bad_locations);
    assert_string_equal(r.hops, "GET 0 /x;GET 302 /y;GET 0 /x;");
    server_free(r.server);
}

static void cross_host(struct run *r) {
    const struct http_header headers[] = {
        {SLICE("Authorization"), SLICE("Bearer abc")},
        {SLICE("Cookie"), SLICE("raw=1")},
        {SLICE("X-Own"), SLICE("stays")},
        {SLICE("WWW-Authenticate"), SLICE("odd")},
        {SLICE("Host"), SLICE("virtual.test")},
    };
    const struct http_cookie_param cookie = {SLICE("set"), SLICE("by-param"), false};
    struct http_request req = request(r, "GET");
    req.headers = headers;
    req.n_headers = countof(headers);
    req.cookies = &cookie;
    req.n_cookies = 1;
    req.jar = cookie_jar_new();
    assert_int_equal(fetch(r, &req, "http://one.test/a"), 0);
    assert_int_equal(fetch(r, &req, "http://one.test/a"), 0);
    cookie_jar_free(req.jar);
}

static void credentials_stay_behind_on_another_host(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {REDIRECT(302, "http://two.test/b"), OK_REPLY(0, ""),
                                        REDIRECT(302, "/same"), OK_REPLY(0, "")};
    RUN(&r, steps, cross_host);
    assert_string_equal(sent(&r, 0),
                        "GET /a HTTP/1.1\r\nHost: virtual.test\r\nUser-Agent: kiln/test\r\n"
                        "Authorization: Bearer abc\r\nCookie: raw=1; set=by-param\r\n"
                        "Www-Authenticate: odd\r\nX-Own: stays\r\n\r\n");
    assert_string_equal(sent(&r, 1),
                        "GET /b HTTP/1.1\r\nHost: two.test\r\nUser-Agent: kiln/test\r\n"
                        "Cookie: set=by-param\r\nReferer: http://one.test/a\r\n"
                        "X-Own: stays\r\n\r\n");
    assert_string_equal(sent(&r, 3),
                        "GET /same HTTP/1.1\r\nHost: virtual.test\r\nUser-Agent: kiln/test\r\n"
                        "Authorization: Bearer abc\r\nCookie: set=by-param\r\n"
                        "Referer: http://one.test/a\r\nWww-Authenticate: odd\r\n"
                        "X-Own: stays\r\n\r\n");
    server_free(r.server);
}

static void large_redirect_body(struct run *r) {
    assert_int_equal(get(r, "/1"), 0);
    assert_slice(r->response->body, "end");
    assert_int_equal(get(r, "/2"), 0);
    assert_slice(r->response->body, "end");
}

static void body_of_a_redirect_is_read_if_small(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {
        {.reply = "HTTP/1.1 302 X\r\nLocation: /n\r\nContent-Length: 500000\r\n\r\n",
         .filler_bytes = 500000},
        OK_REPLY(3, "end"),
        {.reply = "HTTP/1.1 302 X\r\nLocation: /n\r\nContent-Length: 100\r\n\r\n",
         .filler_bytes = 50,
         .closes = true},
        OK_REPLY(3, "end"),
    };
    RUN(&r, steps, large_redirect_body);
    assert_int_equal(r.server->n_connections, 3);
    assert_string_equal(r.hops, "GET 302 /1;GET 200 /n;GET 302 /2;GET 200 /n;");
    server_free(r.server);
}

/* ---------------------------------------------------------------- cookies */

static void cookie_walk(struct run *r) {
    struct http_request req = request(r, "GET");
    const struct http_cookie_param replace = {SLICE("a"), SLICE("mine"), true};
    req.jar = cookie_jar_new();
    assert_int_equal(fetch(r, &req, "/set"), 0);
    req.cookies = &replace;
    req.n_cookies = 1;
    assert_int_equal(fetch(r, &req, "/replace"), 0);
    cookie_jar_free(req.jar);
    req.cookies = NULL;
    req.n_cookies = 0;
    req.jar = NULL;
    assert_int_equal(fetch(r, &req, "/no-jar"), 0);
}

static void cookies_are_stored_on_every_hop(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {
        {.reply = "HTTP/1.1 302 X\r\nContent-Length: 0\r\nSet-Cookie: a=1; Path=/\r\n"
                  "Set-Cookie: b=2\r\nLocation: /next\r\n\r\n"},
        {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nset-cookie: c=3\r\n\r\n"},
        OK_REPLY(0, ""),
        OK_REPLY(0, ""),
    };
    RUN(&r, steps, cookie_walk);
    assert_null(strstr(sent(&r, 0), "Cookie"));
    assert_non_null(strstr(sent(&r, 1), "\r\nCookie: a=1; b=2\r\n"));
    assert_non_null(strstr(sent(&r, 2), "\r\nCookie: a=mine; b=2; c=3\r\n"));
    assert_null(strstr(sent(&r, 3), "Cookie"));
    server_free(r.server);
}

/* ---------------------------------------------------------------- credentials */

static void basic(struct run *r) {
    assert_int_equal(get(r, "http://user:pa%20ss@one.test/a"), 0);
    assert_slice(r->response->url_text, "http://user:pa%20ss@one.test/b");
    const struct http_header own = {SLICE("authorization"), SLICE("Mine")};
    struct http_request req = request(r, "GET");
    req.headers = &own;
    req.n_headers = 1;
    assert_int_equal(fetch(r, &req, "http://user:pass@one.test/c"), 0);
    req = request(r, "GET");
    req.auth = HTTP_AUTH_NTLM;
    assert_int_equal(fetch(r, &req, "http://user:pass@one.test/d"), 0);
}

static void credentials_of_the_url_become_basic_auth(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {REDIRECT(302, "/b"), OK_REPLY(0, ""), OK_REPLY(0, ""),
                                        OK_REPLY(0, "")};
    RUN(&r, steps, basic);
    assert_non_null(strstr(sent(&r, 0), "\r\nAuthorization: Basic dXNlcjpwYSBzcw==\r\n"));
    assert_non_null(strstr(sent(&r, 1), "\r\nAuthorization: Basic dXNlcjpwYSBzcw==\r\n"));
    assert_non_null(strstr(sent(&r, 1), "\r\nReferer: http://one.test/a\r\n"));
    assert_non_null(strstr(sent(&r, 2), "\r\nAuthorization: Mine\r\n"));
    assert_null(strstr(sent(&r, 3), "Authorization"));
    server_free(r.server);
}

static void digest(struct run *r) {
    struct http_request req = request(r, "POST");
    req.auth = HTTP_AUTH_DIGEST;
    req.has_body = true;
    req.body = SLICE("body");
    assert_int_equal(fetch(r, &req, "http://user:pass@one.test/p?q=1"), 0);
    assert_int_equal(r->response->status, 200);
    assert_slice(r->response->url_text, "http://one.test/p?q=1");
    assert_int_equal(fetch(r, &req, "http://user:wrong@one.test/p"), 0);
    assert_int_equal(r->response->status, 401);
}

static void digest_answers_the_challenge_once(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step challenge = {
        .reply = "HTTP/1.1 401 X\r\nContent-Length: 4\r\nWWW-Authenticate: Digest realm=\"the "
                 "kitchen\", qop=\"auth,auth-int\", nonce=\"n1\", opaque=\"o1\", algorithm=MD5\r\n"
                 "\r\nneed"};
    const struct server_step steps[] = {challenge, OK_REPLY(0, ""), challenge, challenge};
    RUN(&r, steps, digest);
    assert_string_equal(r.hops, "POST 401 /p?q=1;POST 200 /p?q=1;POST 401 /p;POST 401 /p;");
    assert_null(strstr(sent(&r, 0), "Authorization"));
    const char *auth = strstr(sent(&r, 1), "\r\nAuthorization: Digest ");
    assert_non_null(auth);
    assert_non_null(strstr(auth, "username=\"user\", realm=\"the kitchen\", nonce=\"n1\", "
                                 "uri=\"/p?q=1\", algorithm=\"MD5\", opaque=\"o1\", qop=auth, "
                                 "nc=00000001, cnonce=\""));
    assert_non_null(strstr(auth, "\r\n\r\nbody"));
    server_free(r.server);
}

/* ---------------------------------------------------------------- proxies */

static void proxied(struct run *r) {
    char proxy[64];
    snprintf(proxy, sizeof proxy, "http://pu:pp@127.0.0.1:%u", r->server->port);
    r->config.http_proxy = slice_cstr(proxy);
    r->config.no_proxy = SLICE("two.test, 10.0.0.0/8,.three.test,four.test:99");
    struct http_client *direct = r->client;
    r->client = http_client_new(&r->config, &r->counters);
    assert_int_equal(get(r, "http://unknown.invalid:81/a?b"), 0);
    assert_int_equal(get(r, "http://another.invalid/c"), 0);
    assert_int_equal(get(r, "http://two.test/direct"), 0);
    assert_int_equal(get(r, "/loopback"), 0);
    http_client_free(r->client);

    r->config.http_proxy = SLICE("127.0.0.1:1");
    r->client = http_client_new(&r->config, &r->counters);
    assert_int_equal(get(r, "http://unknown.invalid/a"), KE_TCP);
    assert_string_equal(r->response->error.text,
                        "proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused");
    assert_int_equal(r->response->error_code, 1200);
    http_client_free(r->client);
    r->client = direct;
}

static void plain_requests_go_to_the_proxy_whole(void **state) {
    (void)state;
    struct run r = {0};
    const struct server_step steps[] = {OK_REPLY(0, ""), OK_REPLY(0, ""), OK_REPLY(0, ""),
                                        OK_REPLY(0, "")};
    RUN(&r, steps, proxied);
    assert_string_equal(sent(&r, 0),
                        "GET http://unknown.invalid:81/a?b HTTP/1.1\r\nHost: unknown.invalid:81\r\n"
                        "User-Agent: kiln/test\r\nProxy-Authorization: Basic cHU6cHA=\r\n\r\n");
    assert_memory_equal(sent(&r, 1), "GET http://another.invalid/c ", 29);
    assert_int_equal(r.server->connection_of[0], r.server->connection_of[1]);
    assert_memory_equal(sent(&r, 2), "GET /direct HTTP/1.1\r\nHost: two.test\r\n", 38);
    assert_memory_equal(sent(&r, 3), "GET /loopback HTTP/1.1\r\n", 24);
    server_free(r.server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(method_and_body_after_each_status),
        cmocka_unit_test(chains_and_their_limit),
        cmocka_unit_test(bad_locations_have_gos_words),
        cmocka_unit_test(credentials_stay_behind_on_another_host),
        cmocka_unit_test(body_of_a_redirect_is_read_if_small),
        cmocka_unit_test(cookies_are_stored_on_every_hop),
        cmocka_unit_test(credentials_of_the_url_become_basic_auth),
        cmocka_unit_test(digest_answers_the_challenge_once),
        cmocka_unit_test(plain_requests_go_to_the_proxy_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
