/* TLS against servers of the test's own, with certificates made here. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/check.h"
#include "fiber/worker.h"
#include "net/tls.h"
#include "peer.h"

#define YEAR (365L * 24 * 3600)

static struct pki_cert ca, other_ca, server, expired, nameless, by_other, client;

static char keylog_path[] = "/tmp/kiln-test-keys-XXXXXX";

static int pki_setup(void **state) {
    (void)state;
    const char *names = "DNS:localhost,DNS:*.app.test,IP:127.0.0.1";
    pki_make(&ca, NULL, "Test CA", NULL, -3600, YEAR);
    pki_make(&other_ca, NULL, "Other CA", NULL, -3600, YEAR);
    pki_make(&server, &ca, "server", names, -3600, YEAR);
    pki_make(&expired, &ca, "expired", names, -2 * YEAR, -YEAR);
    pki_make(&nameless, &ca, "localhost", NULL, -3600, YEAR);
    pki_make(&by_other, &other_ca, "server", names, -3600, YEAR);
    pki_make(&client, &ca, "the client", NULL, -3600, YEAR);
    pki_trust(&ca);
    close(mkstemp(keylog_path));
    setenv("SSLKEYLOGFILE", keylog_path, 1);
    return 0;
}

static int pki_teardown(void **state) {
    (void)state;
    unlink(keylog_path);
    struct pki_cert *all[] = {&ca, &other_ca, &server, &expired, &nameless, &by_other, &client};
    for (size_t i = 0; i < countof(all); i++)
        pki_release(all[i]);
    return 0;
}

struct test {
    struct peer peer;
    struct tls_peer tls;
    struct tls_options options;
    struct dialer_config dialer;
    struct conn_target target;
    struct conn_counters counters;
    struct conn_timings timings;
    struct error err;
    const char *host;
    int64_t timeout_ns; /* of the opening; 0 = long */
    fiber_fn *use;      /* of an open connection, then closed */
    struct conn *conn;
    struct tls_info info;
    int rc;
    long n;
    bool flag[3];
    char text[64];
};

static void open_and_use(void *arg) {
    struct test *t = arg;
    t->rc = conn_open(&t->target, t->timeout_ns ? clock_now_ns() + t->timeout_ns : soon_ns(),
                      &t->conn, &t->timings, &t->err);
    if (t->rc)
        return;
    t->info = *conn_tls_info(t->conn);
    if (t->use)
        t->use(t);
    conn_close(t->conn);
}

/* Connects to the port, by the name t->host (127.0.0.1 without one). */
static void connect_to(struct test *t, uint16_t port) {
    struct host_override host = {0};
    union sockaddr_any to;
    sockaddr_parse(SLICE("127.0.0.1"), &to);
    host.pattern = slice_cstr(t->host ? t->host : "127.0.0.1");
    memcpy(&host.addr, &to, sizeof to);
    t->dialer.hosts = &host;
    t->dialer.n_hosts = 1;
    struct tls_config *cfg = tls_config_new(&t->options, &t->err);
    assert_non_null(cfg);
    t->target.host = host.pattern;
    t->target.port = port;
    t->target.is_tls = true;
    t->target.dialer = &t->dialer;
    t->target.tls = cfg;
    t->target.counters = &t->counters;
    run_in_fiber(open_and_use, t);
    tls_config_free(cfg);
}

static void with_server(struct test *t, const struct pki_cert *cert) {
    t->tls.cert = cert;
    peer_start(&t->peer, serve_tls_echo, &t->tls);
    connect_to(t, t->peer.port);
    peer_stop(&t->peer);
}

/* ---------------------------------------------------------------- use */

static void say_hello(void *arg) {
    struct test *t = arg;
    struct iovec iov[3] = {
        {(void *)(uintptr_t) "hel", 3}, {NULL, 0}, {(void *)(uintptr_t) "lo", 2}};
    if (conn_write(t->conn, iov, 3, soon_ns(), &t->err) == 0)
        t->n = conn_read(t->conn, t->text, sizeof t->text - 1, true, soon_ns(), NULL, &t->err);
}

static void a_trusted_server_is_talked_to(void **state) {
    (void)state;
    struct test t = {.host = "localhost", .use = say_hello};
    with_server(&t, &server);
    assert_int_equal(t.rc, 0);
    assert_string_equal(t.text, "hello");
    assert_string_equal(t.info.version, "tls1.3");
    assert_string_equal(t.info.cipher_suite, "TLS_AES_128_GCM_SHA256");
    assert_false(t.info.is_h2);
    assert_string_equal(t.tls.server_name, "localhost");
    assert_true(t.timings.tls_ns > 0);
}

static void bytes_on_the_wire_are_counted(void **state) {
    (void)state;
    struct test t = {.use = say_hello};
    with_server(&t, &server);
    assert_int_equal(t.rc, 0);
    /* A handshake and a record each way; certificates make the answer the larger one. */
    assert_in_range(t.counters.sent_bytes, 250, 900);
    assert_in_range(t.counters.received_bytes, 600, 4000);
}

static void an_address_is_verified_and_not_named(void **state) {
    (void)state;
    struct test t = {.use = say_hello};
    snprintf(t.tls.server_name, sizeof t.tls.server_name, "?");
    with_server(&t, &server);
    assert_int_equal(t.rc, 0);
    assert_string_equal(t.tls.server_name, "");
}

static void version_and_suites_can_be_chosen(void **state) {
    (void)state;
    static const char *const suites[] = {"TLS_RSA_WITH_RC4_128_SHA",
                                         "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"};
    struct test t = {
        .options = {.max_version = 0x0303, .cipher_suites = suites, .n_cipher_suites = 2}};
    with_server(&t, &server);
    assert_int_equal(t.rc, 0);
    assert_string_equal(t.info.version, "tls1.2");
    assert_string_equal(t.info.cipher_suite, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");

    struct test old = {.options.min_version = 0x0304, .tls.max_version = TLS1_2_VERSION};
    with_server(&old, &server);
    assert_int_equal(old.rc, KE_NET);
    assert_string_equal(old.err.text, "remote error: tls: protocol version not supported");
}

static void unknown_suites_are_refused(void **state) {
    (void)state;
    static const char *const suites[] = {"TLS_AES_128_GCM_SHA256", "TLS_NOT_A_SUITE"};
    struct tls_options o = {.cipher_suites = suites, .n_cipher_suites = 2};
    struct error err;
    assert_null(tls_config_new(&o, &err));
    assert_string_equal(err.text, "unknown cipher suite 'TLS_NOT_A_SUITE'");
    assert_true(tls_cipher_suite_is_known("TLS_AES_128_GCM_SHA256"));
    assert_false(tls_cipher_suite_is_known("AES128-SHA"));
}

static void protocols_are_negotiated(void **state) {
    (void)state;
    struct test t = {.options.offer_h2 = true, .tls.alpn = "\x02h2"};
    with_server(&t, &server);
    assert_int_equal(t.rc, 0);
    assert_true(t.info.is_h2);
    t = (struct test){
        .options.offer_h2 = true, .tls.alpn = "\x02h2", .target.alpn = CONN_ALPN_HTTP1};
    with_server(&t, &server);
    assert_int_equal(t.rc, KE_NET);
    assert_string_equal(t.err.text, "remote error: tls: no application protocol");
    t = (struct test){.tls.alpn = "\x02h2", .target.alpn = CONN_ALPN_H2};
    with_server(&t, &server);
    assert_true(t.rc == 0 && t.info.is_h2);
}

#define BIG (3 << 20)

struct big {
    struct test *t;
    char *bytes;
    int rc;
};

static void write_big(void *arg) {
    struct big *b = arg;
    struct iovec iov[3] = {{b->bytes, 100}, {b->bytes + 100, 5000}, {b->bytes + 5100, BIG - 5100}};
    b->rc = conn_write(b->t->conn, iov, 3, soon_ns(), &b->t->err);
}

static void echo_big(void *arg) {
    struct test *t = arg;
    struct big b = {.t = t, .bytes = xmalloc(BIG), .rc = 1};
    for (size_t i = 0; i < BIG; i++)
        b.bytes[i] = (char)(i * 2654435761u >> 13);
    char *back = xmalloc(BIG);
    struct fiber *writer = fiber_start(worker_self(), FIBER_STACK_DEFAULT, write_big, &b);
    size_t got = 0;
    long n = 1;
    while (got < BIG && n > 0) {
        n = conn_read(t->conn, back + got, BIG - got, got % 2, soon_ns(), NULL, &t->err);
        got += n > 0 ? (size_t)n : 0;
    }
    fiber_join(writer);
    t->flag[0] = b.rc == 0 && got == BIG && memcmp(back, b.bytes, BIG) == 0;
    free(back);
    free(b.bytes);
}

static void three_megabytes_go_both_ways_at_once(void **state) {
    (void)state;
    struct test t = {.use = echo_big};
    with_server(&t, &server);
    assert_int_equal(t.rc, 0);
    assert_true(t.flag[0]);
}

static void be_idle(void *arg) {
    struct test *t = arg;
    say_hello(t); /* session tickets came before the answer, or come now */
    for (int i = 0; i < 20; i++)
        fiber_yield();
    t->flag[0] = conn_is_stale(t->conn);
    say_hello(t);
    shutdown(t->peer.fd, SHUT_RDWR);
    conn_write(t->conn, &(struct iovec){(void *)(uintptr_t) "more", 4}, 1, soon_ns(), NULL);
    int64_t end_ns = soon_ns();
    while (!conn_is_stale(t->conn) && clock_now_ns() < end_ns)
        fiber_sleep_until(clock_now_ns() + NS_PER_MS);
    t->flag[1] = conn_is_stale(t->conn);
}

static void session_tickets_do_not_make_a_connection_stale_but_data_does(void **state) {
    (void)state;
    struct test t = {.use = be_idle};
    with_server(&t, &server);
    assert_int_equal(t.rc, 0);
    assert_false(t.flag[0]);
    assert_true(t.flag[1]);
}

/* ---------------------------------------------------------------- verification */

#define FAILED_TO_VERIFY "tls: failed to verify certificate: x509: "

static void an_unknown_authority_is_refused_unless_verification_is_off(void **state) {
    (void)state;
    struct test t = {0};
    with_server(&t, &by_other);
    assert_int_equal(t.rc, KE_X509_UNKNOWN_CA);
    assert_string_equal(t.err.text, FAILED_TO_VERIFY "certificate signed by unknown authority");
    t = (struct test){.options.insecure_skip_verify = true, .use = say_hello};
    with_server(&t, &by_other);
    assert_int_equal(t.rc, 0);
    assert_string_equal(t.text, "hello");
}

static void a_self_signed_certificate_is_refused(void **state) {
    (void)state;
    struct pki_cert alone;
    pki_make(&alone, NULL, "alone", "IP:127.0.0.1", -3600, YEAR);
    struct test t = {0};
    with_server(&t, &alone);
    assert_int_equal(t.rc, KE_X509_UNKNOWN_CA);
    pki_release(&alone);
}

static void a_name_that_does_not_fit_is_told(void **state) {
    (void)state;
    static const struct {
        const char *host;
        const struct pki_cert *cert;
        const char *words;
    } cases[] = {
        {"else.test", &server, "certificate is valid for localhost, *.app.test, not else.test"},
        {"a.b.app.test", &server,
         "certificate is valid for localhost, *.app.test, not a.b.app.test"},
        {"else.test", &nameless,
         "certificate is not valid for any names, but wanted to match else.test"},
        {"localhost", &nameless,
         "certificate relies on legacy Common Name field, use SANs instead"},
        {NULL, &nameless,
         "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct test t = {.host = cases[i].host};
        char want[256];
        with_server(&t, cases[i].cert);
        snprintf(want, sizeof want, FAILED_TO_VERIFY "%s", cases[i].words);
        assert_string_equal(t.err.text, want);
        assert_int_equal(t.rc, KE_X509_HOSTNAME);
    }
    struct test t = {.host = "www.app.test"};
    with_server(&t, &server);
    assert_int_equal(t.rc, 0);
}

static void an_expired_certificate_is_told_before_a_wrong_name(void **state) {
    (void)state;
    struct test t = {.host = "else.test"};
    with_server(&t, &expired);
    assert_int_equal(t.rc, KE_FAILED);
    const char *words =
        FAILED_TO_VERIFY "certificate has expired or is not yet valid: current time ";
    assert_memory_equal(t.err.text, words, strlen(words));
    assert_non_null(strstr(t.err.text, " is after "));
}

/* ---------------------------------------------------------------- client certificates */

static void with_client_cert(struct test *t, const char *key, const char *password) {
    struct tls_client_cert cert = {client.cert_pem, key, password, NULL, 0};
    t->options.certs = &cert;
    t->options.n_certs = key ? 1 : 0;
    t->tls.client_ca = &ca;
    t->use = say_hello;
    with_server(t, &server);
}

static void a_client_certificate_is_shown_when_asked_for(void **state) {
    (void)state;
    struct test t = {0};
    with_client_cert(&t, client.key_pem, NULL);
    assert_string_equal(t.text, "hello");
    assert_string_equal(t.tls.client_cn, "the client");
    t = (struct test){.options.max_version = 0x0303};
    with_client_cert(&t, client.key_pem, NULL);
    assert_string_equal(t.tls.client_cn, "the client");
    char *key = pki_encrypted_key(&client, "secret");
    t = (struct test){0};
    with_client_cert(&t, key, "secret");
    assert_string_equal(t.tls.client_cn, "the client");
    free(key);
}

static void a_missing_client_certificate_ends_in_the_servers_alert(void **state) {
    (void)state;
    struct test t = {0};
    with_client_cert(&t, NULL, NULL);
    assert_int_equal(t.rc, 0); /* in TLS 1.3 the client is done before the server looks */
    assert_int_equal(t.n, KE_NET);
    assert_string_equal(t.err.text, "remote error: tls: certificate required");
    t = (struct test){.options.max_version = 0x0303};
    with_client_cert(&t, NULL, NULL);
    assert_int_equal(t.rc, KE_NET);
    assert_string_equal(t.err.text, "remote error: tls: handshake failure");
}

static void bad_client_certificates_are_refused(void **state) {
    (void)state;
    char *key = pki_encrypted_key(&client, "secret");
    const struct {
        struct tls_client_cert cert;
        const char *words;
    } cases[] = {
        {{"", client.key_pem, NULL, NULL, 0},
         "tls: failed to find any PEM data in certificate input"},
        {{client.key_pem, client.key_pem, NULL, NULL, 0},
         "tls: failed to find \"CERTIFICATE\" PEM block in certificate input"},
        {{client.cert_pem, "x", NULL, NULL, 0}, "tls: failed to find any PEM data in key input"},
        {{client.cert_pem, server.key_pem, NULL, NULL, 0},
         "tls: private key does not match public key"},
        {{client.cert_pem, key, "wrong", NULL, 0}, "x509: decryption password incorrect"},
        {{client.cert_pem, key, NULL, NULL, 0}, "tls: failed to parse private key"},
        {{client.cert_pem, "x", "secret", NULL, 0}, "failed to decode PEM key"},
        {{client.cert_pem, client.key_pem, "secret", NULL, 0}, "x509: no DEK-Info header in block"},
        {{client.cert_pem, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "secret", NULL, 0},
         "encrypted pkcs8 formatted key is not supported"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct error err = {0};
        assert_null(
            tls_config_new(&(struct tls_options){.certs = &cases[i].cert, .n_certs = 1}, &err));
        assert_string_equal(err.text, cases[i].words);
        assert_int_equal(err.code, KE_CONFIG);
    }
    free(key);
}

/* ---------------------------------------------------------------- peers that are no TLS servers */

static void with_text_peer(struct test *t, const char *text) {
    peer_start(&t->peer, serve_text, (void *)(uintptr_t)text);
    connect_to(t, t->peer.port);
    peer_stop(&t->peer);
}

static void an_answer_that_is_no_handshake_is_told(void **state) {
    (void)state;
    struct test t = {0};
    with_text_peer(&t, "HTTP/1.1 400 Bad Request\r\n\r\n");
    assert_int_equal(t.rc, KE_TLS_RECORD_HEADER);
    assert_string_equal(t.err.text, "http: server gave HTTP response to HTTPS client");
    t = (struct test){0};
    with_text_peer(&t, "220 mail.test ESMTP\r\n");
    assert_int_equal(t.rc, KE_TLS_RECORD_HEADER);
    assert_string_equal(t.err.text, "tls: first record does not look like a TLS handshake");
    t = (struct test){0};
    with_text_peer(&t, "");
    assert_int_equal(t.rc, KE_EOF);
    assert_string_equal(t.err.text, "EOF");
}

static void a_reset_during_the_handshake_is_a_reset(void **state) {
    (void)state;
    struct test t = {0};
    peer_start(&t.peer, serve_reset, NULL);
    connect_to(&t, t.peer.port);
    peer_stop(&t.peer);
    assert_int_equal(t.rc, KE_TCP_RESET);
    assert_non_null(strstr(t.err.text, ": read: connection reset by peer"));
}

static void a_handshake_with_a_mute_peer_ends_at_its_deadline(void **state) {
    (void)state;
    struct test t = {.timeout_ns = 20 * NS_PER_MS};
    peer_start(&t.peer, serve_mute, NULL);
    connect_to(&t, t.peer.port);
    peer_stop(&t.peer);
    assert_int_equal(t.rc, KE_TIMEOUT);
}

static void cut_off(void *arg) {
    struct test *t = arg;
    say_hello(t);
    t->n = conn_read(t->conn, t->text, 8, false, clock_now_ns() + 5 * NS_PER_MS, NULL, &t->err);
}

static void a_read_beyond_the_data_ends_at_its_deadline(void **state) {
    (void)state;
    struct test t = {.use = cut_off};
    with_server(&t, &server);
    assert_int_equal(t.rc, 0);
    assert_int_equal(t.n, KE_TIMEOUT);
}

/* ---------------------------------------------------------------- staples */

static struct tls_ocsp seen_ocsp;

static void look_at_staple(void *arg) {
    struct test *t = arg;
    t->flag[0] = conn_tls_ocsp(t->conn, &seen_ocsp);
}

static void a_stapled_ocsp_response_is_read(void **state) {
    (void)state;
    struct test t = {.use = look_at_staple, .tls.is_revoked = true, .tls.ca = &ca};
    with_server(&t, &server);
    assert_int_equal(t.rc, 0);
    assert_true(t.flag[0]);
    assert_string_equal(seen_ocsp.status, "revoked");
    assert_string_equal(seen_ocsp.revocation_reason, "key_compromise");
    assert_int_equal(seen_ocsp.revoked_at, 1000);
    assert_int_equal(seen_ocsp.this_update, 2000);
    assert_int_equal(seen_ocsp.next_update, 0);
    assert_true(seen_ocsp.produced_at > 2000);
    t = (struct test){.use = look_at_staple};
    with_server(&t, &server);
    assert_false(t.flag[0]);
    assert_string_equal(seen_ocsp.status, "unknown");
}

/* ---------------------------------------------------------------- files */

static void secrets_go_to_the_key_log(void **state) {
    (void)state;
    struct test t = {0};
    with_server(&t, &server);
    char text[4096] = "";
    int fd = open(keylog_path, O_RDONLY);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(n > 0);
    assert_non_null(strstr(text, "CLIENT_TRAFFIC_SECRET_0 "));
}

static void the_conformance_suites_encrypted_key_is_read(void **state) {
    (void)state;
    static const char *const paths[] = {"tests/conformance/testdata/client.pem",
                                        "tests/conformance/testdata/client-enc.key"};
    char text[2][8192];
    for (int i = 0; i < 2; i++) {
        int fd = open(paths[i], O_RDONLY);
        if (fd < 0)
            skip();
        ssize_t n = read(fd, text[i], sizeof text[i] - 1);
        assert_true(n > 0);
        text[i][n] = '\0';
        close(fd);
    }
    struct tls_client_cert cert = {text[0], text[1], NULL, NULL, 0};
    struct error err;
    assert_null(tls_config_new(&(struct tls_options){.certs = &cert, .n_certs = 1}, &err));
    assert_string_equal(err.text, "tls: failed to parse private key");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trusted_server_is_talked_to),
        cmocka_unit_test(bytes_on_the_wire_are_counted),
        cmocka_unit_test(an_address_is_verified_and_not_named),
        cmocka_unit_test(version_and_suites_can_be_chosen),
        cmocka_unit_test(unknown_suites_are_refused),
        cmocka_unit_test(protocols_are_negotiated),
        cmocka_unit_test(three_megabytes_go_both_ways_at_once),
        cmocka_unit_test(session_tickets_do_not_make_a_connection_stale_but_data_does),
        cmocka_unit_test(an_unknown_authority_is_refused_unless_verification_is_off),
        cmocka_unit_test(a_self_signed_certificate_is_refused),
        cmocka_unit_test(a_name_that_does_not_fit_is_told),
        cmocka_unit_test(an_expired_certificate_is_told_before_a_wrong_name),
        cmocka_unit_test(a_client_certificate_is_shown_when_asked_for),
        cmocka_unit_test(a_missing_client_certificate_ends_in_the_servers_alert),
        cmocka_unit_test(bad_client_certificates_are_refused),
        cmocka_unit_test(an_answer_that_is_no_handshake_is_told),
        cmocka_unit_test(a_reset_during_the_handshake_is_a_reset),
        cmocka_unit_test(a_handshake_with_a_mute_peer_ends_at_its_deadline),
        cmocka_unit_test(a_read_beyond_the_data_ends_at_its_deadline),
        cmocka_unit_test(a_stapled_ocsp_response_is_read),
        cmocka_unit_test(secrets_go_to_the_key_log),
        cmocka_unit_test(the_conformance_suites_encrypted_key_is_read),
    };
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
