#include "http_unit.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "client_run.h"
#include "http/http_auth.h"

static size_t decode(const char *text, unsigned char *out) {
    int n = EVP_DecodeBlock(out, (const unsigned char *)text, (int)strlen(text));
    assert_true(n > 0);
    return (size_t)n;
}

/* The example of RFC 2617 3.5 has a nonce of the client's own, which we cannot choose: without qop
 * it plays no part. */
static void digest_without_qop_is_rfc_2069s(void **state) {
    (void)state;
    char *text = http_digest_authorization(
        SLICE("Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
              "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""),
        SLICE("GET"), SLICE("/dir/index.html"), SLICE("Mufasa"), SLICE("CircleOfLife"), SLICE(""));
    assert_non_null(strstr(text, "response=\"1949323746fe6a43ef61f9606e7febea\""));
    assert_non_null(strstr(text, "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""));
    assert_null(strstr(text, "qop="));
    free(text);
}

static void odd_digest_challenges_are_survived(void **state) {
    (void)state;
    static const char *const odd[] = {"",          "Digest",           "Digest realm",
                                      "Digest =",  "Digest realm=\"x", "Basic realm=\"y\"",
                                      "Digest ,,", "Digest a=b c=d,e"};
    for (size_t i = 0; i < countof(odd); i++) {
        char *text = http_digest_authorization(slice_cstr(odd[i]), SLICE("GET"), SLICE("/"),
                                               SLICE("u"), SLICE("p"), SLICE(""));
        assert_memory_equal(text, "Digest username=\"u\", realm=", 26);
        free(text);
    }
}

/* [MS-NLMP] 4.2.4: server challenge and target information of the specification's example. */
static const char challenge_hex[] =
    "4e544c4d53535000020000000c000c003800000033828a820123456789abcdef0000000000000000"
    "2400240044000000060070170000000f53006500720076006500720002000c0044006f006d006100"
    "69006e0001000c0053006500720076006500720000000000";

static void ntlm_answers_follow_the_specification(void **state) {
    (void)state;
    unsigned char challenge[256], m[1024];
    char base64[512];
    size_t n = strlen(challenge_hex) / 2;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(sscanf(challenge_hex + 2 * i, "%2hhx", &challenge[i]), 1);
    EVP_EncodeBlock((unsigned char *)base64, challenge, (int)n);
    char *text = http_ntlm_authenticate(SLICE("NTLM"), slice_cstr(base64), SLICE("Domain\\User"),
                                        SLICE("Password"));
    assert_non_null(text);
    assert_memory_equal(text, "NTLM ", 5);
    size_t bytes = decode(text + 5, m);
    free(text);
    assert_memory_equal(m, "NTLMSSP\0\3\0\0\0", 12);
    unsigned nt_len = m[20] | (unsigned)m[21] << 8, nt_at = m[24];
    assert_true(nt_at + nt_len <= bytes && nt_len > 44);

    /* The proof is HMAC-MD5 of challenge and blob with the key of the example (4.2.4.1.1, NTOWFv2).
     */
    static const unsigned char key[16] = {0x0c, 0x86, 0x8a, 0x40, 0x3b, 0xfd, 0x7a, 0x93,
                                          0xa3, 0x00, 0x1e, 0xf2, 0x2e, 0xf0, 0x2e, 0x3f};
    unsigned char data[512], proof[16];
    size_t proof_len = 0;
    memcpy(data, challenge + 24, 8);
    memcpy(data + 8, m + nt_at + 16, nt_len - 16);
    assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "MD5", NULL, key, sizeof key, data, nt_len - 8,
                              proof, sizeof proof, &proof_len));
    assert_memory_equal(m + nt_at, proof, 16);
    assert_memory_equal(m + nt_at + 16 + 28, challenge + 68, 36); /* target information */
}

static void odd_ntlm_challenges_are_refused(void **state) {
    (void)state;
    static const char *const odd[] = {
        "", "!!!!", "TlRMTVNTUAA=", "TlRMTVNTUAACAAAA",
        /* target information outside of the message */
        "TlRMTVNTUAACAAAAAAAAAAAAAAABAAAAASNFZ4mrze8AAAAAAAAAAP//AAD//wAA"};
    for (size_t i = 0; i < countof(odd); i++)
        assert_null(
            http_ntlm_authenticate(SLICE("NTLM"), slice_cstr(odd[i]), SLICE("u"), SLICE("p")));
}

static void ntlm(struct run *r) {
    struct http_request req = request(r, "GET");
    req.auth = HTTP_AUTH_NTLM;
    assert_int_equal(fetch(r, &req, "http://User:Password@one.test/x"), 0);
    assert_int_equal(r->response->status, 200);
    assert_int_equal(fetch(r, &req, "http://User:Password@one.test/y"), 0);
    assert_int_equal(r->response->status, 401);
}

static void ntlm_handshake_stays_on_its_connection(void **state) {
    (void)state;
    struct run r = {0};
    char token[600], reply[800];
    unsigned char challenge[256];
    for (size_t i = 0; i < strlen(challenge_hex) / 2; i++)
        assert_int_equal(sscanf(challenge_hex + 2 * i, "%2hhx", &challenge[i]), 1);
    EVP_EncodeBlock((unsigned char *)token, challenge, (int)strlen(challenge_hex) / 2);
    snprintf(reply, sizeof reply,
             "HTTP/1.1 401 X\r\nContent-Length: 0\r\nWWW-Authenticate: NTLM %s\r\n\r\n", token);
    const struct server_step steps[] = {
        {.reply = "HTTP/1.1 401 X\r\nContent-Length: 4\r\nWWW-Authenticate: Negotiate\r\n"
                  "WWW-Authenticate: NTLM\r\n\r\nneed"},
        {.reply = reply},
        OK_REPLY(0, ""),
        {.reply = "HTTP/1.1 401 X\r\nContent-Length: 0\r\nWWW-Authenticate: Basic\r\n\r\n"},
    };
    RUN(&r, steps, ntlm);
    assert_int_equal(r.server->n_requests, 4);
    assert_int_equal(r.server->n_connections, 1);
    assert_string_equal(r.hops, "GET 401 /x;GET 401 /x;GET 200 /x;GET 401 /y;");
    assert_null(strstr(r.server->requests[0], "Authorization"));
    assert_non_null(strstr(r.server->requests[1],
                           "\r\nAuthorization: NTLM TlRMTVNTUAABAAAAAYKIoAAAAAAoAAAAAAAAACgAAAA"));
    assert_non_null(strstr(r.server->requests[2], "\r\nAuthorization: NTLM TlRMTVNTUAADAAAA"));
    server_free(r.server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_without_qop_is_rfc_2069s),
        cmocka_unit_test(odd_digest_challenges_are_survived),
        cmocka_unit_test(ntlm_answers_follow_the_specification),
        cmocka_unit_test(odd_ntlm_challenges_are_refused),
        cmocka_unit_test(ntlm_handshake_stays_on_its_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
