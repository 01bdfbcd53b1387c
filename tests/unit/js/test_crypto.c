/* k6/crypto, k6/encoding and k6/crypto/x509. */
#include "script_test.h"

#define RUN(imports, code) imports "export default function () { " code " }"
#define CRYPTO "import crypto from 'k6/crypto';"

static void hashes_of_abc(void **state) {
    (void)state;
    expect_log(RUN(CRYPTO,
                   "for (const h of ['md4', 'md5', 'sha1', 'sha256', 'sha512_224', 'sha512_256', "
                   "'ripemd160']) console.log(crypto[h]('abc', 'hex'));"),
               "info: a448017aaf21d8525fc10ae87aa6729d\n"
               "info: 900150983cd24fb0d6963f7d28e17f72\n"
               "info: a9993e364706816aba3e25717850c26c9cd0d89d\n"
               "info: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n"
               "info: 4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa\n"
               "info: 53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23\n"
               "info: 8eb208f7e05d987a9b044a8e98c6b087f15a0bfc\n");
    expect_log(RUN(CRYPTO, "console.log(crypto.sha384('abc', 'hex').slice(0, 32), "
                           "crypto.sha512('abc', 'hex').slice(0, 32));"),
               "info: cb00753f45a35e8bb5a03d699ac65007 ddaf35a193617abacc417349ae204131\n");
}

static void hmac_rfc_4231_and_rfc_2202(void **state) {
    (void)state;
    expect_log(
        RUN(CRYPTO,
            "const key = new Uint8Array(20).fill(0x0b).buffer;"
            "console.log(crypto.hmac('sha256', key, 'Hi There', 'hex'));"
            "console.log(crypto.hmac('sha1', key, 'Hi There', 'hex'));"
            "console.log(crypto.hmac('sha256', new Uint8Array(131).fill(0xaa).buffer,"
            "  'Test Using Larger Than Block-Size Key - Hash Key First', 'hex'));"
            "console.log(crypto.hmac('md5', 'Jefe', 'what do ya want for nothing?', 'hex'));"),
        "info: b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7\n"
        "info: b617318655057264e28bc0b6fb378c8ef146be00\n"
        "info: 60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54\n"
        "info: 750c783e6ab0b503eaa86e310a5db738\n");
}

static void hashers_take_data_in_pieces_and_stay_open(void **state) {
    (void)state;
    expect_log(RUN(CRYPTO,
                   "const h = crypto.createHash('sha1'), m = crypto.createHMAC('md5', 'Jefe');"
                   "h.update('a'); h.update(new Uint8Array([98]));"
                   "const early = h.digest('hex'); h.update('c');"
                   "console.log(early !== h.digest('hex'), h.digest('hex'), h.digest('base64'));"
                   "m.update('what do ya want '); m.update('for nothing?');"
                   "console.log(m.digest('hex'), m.digest('binary').byteLength);"),
               "info: true a9993e364706816aba3e25717850c26c9cd0d89d qZk+NkcGgWq6PiVxeFDCbJzQ2J0=\n"
               "info: 750c783e6ab0b503eaa86e310a5db738 16\n");
}

static void wrong_arguments_are_go_errors(void **state) {
    (void)state;
    expect_log(
        RUN(CRYPTO,
            "for (const f of [() => crypto.md5(new Int16Array(1), 'hex'), () => crypto.sha1(true, "
            "'hex'), () => crypto.hexEncode(5), () => crypto.randomBytes(0), () => "
            "crypto.randomBytes('x'), () => crypto.createHash('sha0'), () => "
            "crypto.md5('x', undefined)]) try { console.log(f()); } catch (e) { "
            "console.log(String(e)); }"),
        "info: GoError: md5 failed: invalid type []int16, expected string, []byte or ArrayBuffer\n"
        "info: GoError: sha1 failed: invalid type bool, expected string, []byte or ArrayBuffer\n"
        "info: GoError: invalid type int64, expected string, []byte or ArrayBuffer\n"
        "info: GoError: invalid size\n"
        "info: GoError: invalid size\n"
        "info: GoError: invalid algorithm: sha0\n"
        "info: GoError: invalid output encoding: \n");
}

static void random_bytes_differ(void **state) {
    (void)state;
    expect_log(RUN(CRYPTO, "const a = crypto.randomBytes(32), b = crypto.randomBytes(32);"
                           "console.log(a.byteLength, crypto.hexEncode(a) !== "
                           "crypto.hexEncode(b), crypto.hexEncode(a).length);"),
               "info: 32 true 64\n");
}

static void views_are_read_as_what_they_show(void **state) {
    (void)state;
    expect_log(RUN("import { b64encode } from 'k6/encoding';" CRYPTO,
                   "const v = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);"
                   "console.log(crypto.hexEncode(v), b64encode(v));"),
               "info: 0203 AgM=\n");
}

static void decoded_text_has_u_fffd_for_what_is_no_utf8(void **state) {
    (void)state;
    expect_log(RUN("import { b64decode } from 'k6/encoding';",
                   "console.log(JSON.stringify(b64decode('YcMo', 'std', 's')), "
                   "b64decode('', 'std').byteLength);"),
               "info: \"a\xef\xbf\xbd(\" 0\n");
}

/* EC key, two values of OU and CN, all kinds of alternative names. */
#define CERTIFICATE                                                       \
    "-----BEGIN CERTIFICATE-----\\n"                                      \
    "MIICbzCCAhWgAwIBAgIBBzAKBggqhkjOPQQDAjCBgzELMAkGA1UEBhMCU0UxEjAQ\\n" \
    "BgNVBAgMCVN0b2NraG9sbTEOMAwGA1UEBwwFU29sbmExDTALBgNVBAoMBEtpbG4x\\n" \
    "DDAKBgNVBAsMA1R3bzESMBAGA1UEAwwJa2lsbi50ZXN0MQ4wDAYDVQQRDAUxMjM0\\n" \
    "NTEPMA0GA1UECQwGUm9hZCAxMB4XDTI2MTEyMzEyMjQ0MFoXDTM2MTEyMDEyMjQ0\\n" \
    "MFowgYMxCzAJBgNVBAYTAlNFMRIwEAYDVQQIDAlTdG9ja2hvbG0xDjAMBgNVBAcM\\n" \
    "BVNvbG5hMQ0wCwYDVQQKDARLaWxuMQwwCgYDVQQLDANUd28xEjAQBgNVBAMMCWtp\\n" \
    "bG4udGVzdDEOMAwGA1UEEQwFMTIzNDUxDzANBgNVBAkMBlJvYWQgMTBZMBMGByqG\\n" \
    "SM49AgEGCCqGSM49AwEHA0IABGUNMjuVJl+p8sJO8UgC5pSbna8xzMrx1ElOpZ0L\\n" \
    "Eu3PSohIp1S5Y+lzrh8yWfDnx8L4Js1ayHEvh2eVrcjLAf2jeDB2MFUGA1UdEQRO\\n" \
    "MEyBBWFAYi5jgglraWxuLnRlc3SGE2h0dHBzOi8va2lsbi50ZXN0L3iHBH8AAAGH\\n" \
    "ECABDbgAAAAAAAAAAAAAAAGCCyoua2lsbi50ZXN0MB0GA1UdDgQWBBQlQ8dbYt86\\n" \
    "21X2bOyEWylTW82xDjAKBggqhkjOPQQDAgNIADBFAiEA67uwMKXZ8MfQzgq6rBap\\n" \
    "hhAuOZG4wRq/JpWbkqERJ20CIDUQWAHn7jg1ftcsL+XBjJAK7vyiRVlpVIe+Gmp1\\n" \
    "W0ht\\n-----END CERTIFICATE-----\\n"

static void certificates_are_taken_apart(void **state) {
    (void)state;
    expect_log(
        RUN("import x509 from 'k6/crypto/x509'; const pem = '" CERTIFICATE "';",
            "const c = x509.parse(pem), s = c.subject;"
            "console.log(s.commonName, s.country, s.postalCode, s.stateOrProvinceName, "
            "s.localityName, s.streetAddress, s.organizationName, "
            "s.organizationalUnitName.join('+'), s.names.length, s.names[0].type);"
            "console.log(c.issuer.commonName, c.issuer.postalCode, c.notBefore, c.notAfter, "
            "c.signatureAlgorithm, c.publicKey.algorithm, c.fingerPrint.slice(0, 3).join());"
            "console.log(x509.getAltNames(pem).join());"
            "try { x509.getSubject(pem.replace('MIICb', 'MIICc')); } catch (e) { "
            "console.log(String(e).slice(0, 38)); }"),
        "info: kiln.test SE 12345 Stockholm Solna Road 1 Kiln Two 8 2.5.4.6\n"
        "info: kiln.test undefined 2026-11-23T12:24:40Z 2036-11-20T12:24:40Z ECDSA-SHA256 ECDSA "
        "196,157,129\n"
        "info: kiln.test,*.kiln.test,a@b.c,127.0.0.1,2001:db8::1,https://kiln.test/x\n"
        "info: GoError: failed to parse certificate: \n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_of_abc),
        cmocka_unit_test(hmac_rfc_4231_and_rfc_2202),
        cmocka_unit_test(hashers_take_data_in_pieces_and_stay_open),
        cmocka_unit_test(wrong_arguments_are_go_errors),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(views_are_read_as_what_they_show),
        cmocka_unit_test(decoded_text_has_u_fffd_for_what_is_no_utf8),
        cmocka_unit_test(certificates_are_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
