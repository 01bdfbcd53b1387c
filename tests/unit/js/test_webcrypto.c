#include "script_test.h"

#define HELPERS                                                                      \
    "const hex = (b) => Array.from(new Uint8Array(b)).map((x) => "                   \
    "x.toString(16).padStart(2, '0')).join('');"                                     \
    "const un = (s) => new Uint8Array(s.match(/../g).map((x) => parseInt(x, 16)));"  \
    "const text = (s) => new Uint8Array(Array.from(s).map((c) => c.charCodeAt(0)));" \
    "const s = crypto.subtle;"                                                       \
    "const show = async (f) => { try { console.log(await f()); } catch (e) { "       \
    "console.log(e.name === undefined ? String(e) : `${e.name} ${e.message}`); } };"
#define RUN(code) HELPERS "export default async function () { " code " }"

static void aes_nist_vectors(void **state) {
    (void)state;
    /* NIST SP 800-38A F.2.1 and F.5.1 (first block); GCM test case 4 of its specification. */
    expect_log(
        RUN("const key = un('2b7e151628aed2a6abf7158809cf4f3c'), block = "
            "un('6bc1bee22e409f96e93d7e117393172a');"
            "const cbc = await s.importKey('raw', key, 'AES-CBC', true, ['encrypt', 'decrypt']);"
            "const out = await s.encrypt({ name: 'AES-CBC', iv: "
            "un('000102030405060708090a0b0c0d0e0f') }, cbc, block);"
            "console.log(hex(out).slice(0, 32), out.byteLength);"
            "const ctr = await s.importKey('raw', key, 'AES-CTR', true, ['encrypt']);"
            "console.log(hex(await s.encrypt({ name: 'AES-CTR', counter: "
            "un('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'), length: 128 }, ctr, block)));"
            "const gcm = await s.importKey('raw', un('feffe9928665731c6d6a8f9467308308'), "
            "'AES-GCM', true, ['encrypt', 'decrypt']);"
            "const p = { name: 'AES-GCM', iv: un('cafebabefacedbaddecaf888'), additionalData: "
            "un('feedfacedeadbeeffeedfacedeadbeefabaddad2') };"
            "const plain = un('d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c"
            "0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39');"
            "const sealed = await s.encrypt(p, gcm, plain);"
            "console.log(hex(sealed).slice(-32), hex(await s.decrypt(p, gcm, sealed)) === "
            "hex(plain));"),
        "info: 7649abac8119b246cee98e9b12e9197d 32\n"
        "info: 874d6191b620e3261bef6864990db6ce\n"
        "info: 5bc94fbc3221a5db94fae95ae7121a47 true\n");
}

static void aes_gcm_notices_tampering(void **state) {
    (void)state;
    expect_log(
        RUN("const k = await s.generateKey({ name: 'AES-GCM', length: 192 }, true, ['encrypt', "
            "'decrypt']); const iv = new Uint8Array(12);"
            "const c = new Uint8Array(await s.encrypt({ name: 'AES-GCM', iv }, k, text('hi')));"
            "c[0] ^= 1; await show(() => s.decrypt({ name: 'AES-GCM', iv }, k, c));"
            "await show(() => s.decrypt({ name: 'AES-GCM', iv }, k, new Uint8Array(3)));"
            "await show(() => s.encrypt({ name: 'AES-GCM', iv: new Uint8Array(8) }, k, c));"
            "await show(() => s.encrypt({ name: 'AES-GCM', iv, tagLength: 64 }, k, c));"),
        "info: OperationError could not decrypt ciphertext\n"
        "info: OperationError ciphertext is too short\n"
        "info: NotSupportedError only 12 bytes long iv are supported\n"
        "info: NotSupportedError tag length 32 and 64 are not supported\n");
}

static void bad_ciphertexts_of_aes_cbc_are_errors(void **state) {
    (void)state;
    expect_log(RUN("const k = await s.importKey('raw', new Uint8Array(16), 'AES-CBC', true, "
                   "['encrypt', 'decrypt']); const p = { name: 'AES-CBC', iv: new Uint8Array(16) };"
                   "for (const n of [0, 5, 32]) await show(() => s.decrypt(p, k, new "
                   "Uint8Array(n)));"
                   "await show(() => s.encrypt(p, k, new Uint8Array(0)));"),
               "info: OperationError invalid padding\n"
               "info: OperationError invalid padding\n"
               "info: OperationError invalid padding\n"
               "info: OperationError could not pad plaintext\n");
}

static void hmac_of_a_jwk_rfc_7515(void **state) {
    (void)state;
    /* RFC 7515 appendix A.1. */
    expect_log(
        RUN("const k = await s.importKey('jwk', { kty: 'oct', k: "
            "'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow' "
            "}, { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']);"
            "console.log(hex(await s.sign('HMAC', k, text('eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp"
            "0cnVlfQ'))), k.algorithm.length);"),
        "info: 7418dfb49799e0254ffa607dd8adbbba16d4254d69d6bff05b58055853848d79 512\n");
}

static void pbkdf2_rfc_6070(void **state) {
    (void)state;
    expect_log(
        RUN("const k = await s.importKey('raw', text('password'), 'PBKDF2', false, ['deriveBits', "
            "'deriveKey']);"
            "const bits = (iterations) => s.deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: "
            "text('salt'), iterations }, k, 160);"
            "console.log(hex(await bits(1)), hex(await bits(4096)));"
            "const aes = await s.deriveKey({ name: 'PBKDF2', hash: 'SHA-1', salt: 'salt', "
            "iterations: 4096 }, k, { name: 'AES-CBC', length: 128 }, true, ['encrypt']);"
            "console.log(hex(await s.exportKey('raw', aes)));"
            "await show(() => bits(0));"
            "await show(() => s.deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: text('s'), "
            "iterations: 1 }, k, 7));"),
        "info: 0c60c80f961f0e71f3a9b524af6012062fe037a6 4b007901b765489abead49d926f721d065a429c1\n"
        "info: 4b007901b765489abead49d926f721d0\n"
        "info: OperationError number of iterations can't be 0\n"
        "info: OperationError currently only multiples of 8 are supported for length\n");
}

/* The signatures below were made by another implementation. */

static void rsa_signatures_of_others_verify(void **state) {
    (void)state;
    expect_log(
        RUN("const spki = un('30819f300d06092a864886f70d010101050003818d0030818902818100d8d5a058fdb5"
            "02cbf84cfb9ea2395dd2db455774a70ccfffdc489c4edf6395cb87914ad3ac8674eb6c4029033286e5881eee"
            "6c40f1478f347a7827c10827aaec8dbe856cc1b2d612d21ab65907fdb3e17a280e73b63212800e3714be0b0d"
            "e05dbdf5d0d32e88a6584a6c6b6a546ed8fbc5e5b9e7c3a42c8dac01da12e2f7eac50203010001');"
            "const pss = un('531e183651593db3230504da54796154d301c17d5294304caf92b516bbf2d84b1d3de8e8"
            "bbee7428e698cc9871a158a96c8fed3935ef53ace153d1a365240fb2e88b3abce9c324ab45ba7c534cd0cdd6"
            "baa0e8f994a8f8bb59929c5ecf7f56d258b95bdc3bb36ab7f01e69df14ef5156371f6cb17fc723e428d819d7"
            "17c52b6b');"
            "const v15 = un('056869be46ca6923f39628d5302c565ed543a4d4e0da035f96718c250ad45010752953347"
            "db0e71c28178ebb067d1d5053516004ad72bcc1b5bc207861459873b1217ac95a34bd74ee0ad10468d42a137"
            "8e896c4fb5c39c792168b5126e35bf6b699ae3f942fd01d785c1b101e91f18ebbf3db8552c9d6b58af5bf3e4"
            "7708574');"
            "const a = await s.importKey('spki', spki, { name: 'RSA-PSS', hash: 'SHA-256' }, true, "
            "['verify']);"
            "const b = await s.importKey('spki', spki, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1' }, "
            "true, ['verify']);"
            "const p = { name: 'RSA-PSS', saltLength: 20 };"
            "console.log(await s.verify(p, a, pss, text('kiln')), await s.verify(p, a, pss, "
            "text('oven')), await s.verify('RSASSA-PKCS1-v1_5', b, v15, text('kiln')), await "
            "s.verify('RSASSA-PKCS1-v1_5', b, pss, text('kiln')), a.algorithm.modulusLength);"
            "console.log(hex(await s.exportKey('spki', a)) === hex(spki), (await s.exportKey('jwk', "
            "a)).e);"),
        "info: true false true false 1024\ninfo: true AQAB\n");
}

static void ecdsa_signatures_of_others_verify(void **state) {
    (void)state;
    expect_log(
        RUN("const raw = un('0455f446a9ed600847e871c45a2324a86aa002dec7f7464c20c77e943b839ef66c5df12ee"
            "4ccd1267c24c961ca2d6a0a06fc6804f095aaf9acab5be2e043b48fe7');"
            "const sig = un('5edcbac09f2cd093b3c6b08fe4c2df7d58ea695bff767c93739b85386f216cc214b148fa"
            "41f07fa01dd8e1734902ab0f935aaf15f71f4e7aa5b435296f70f619');"
            "const k = await s.importKey('raw', raw, { name: 'ECDSA', namedCurve: 'P-256' }, true, "
            "['verify']); const p = { name: 'ECDSA', hash: 'SHA-384' };"
            "console.log(await s.verify(p, k, sig, text('kiln')), await s.verify(p, k, sig, "
            "text('oven')), await s.verify(p, k, sig.slice(0, 9), text('kiln')));"
            "raw[64] ^= 1; await show(() => s.importKey('raw', raw, { name: 'ECDSA', namedCurve: "
            "'P-256' }, true, ['verify']));"),
        "info: true false false\ninfo: DataError unable to import ECDSA public key data\n");
}

static void ecdh_agrees_with_others(void **state) {
    (void)state;
    expect_log(
        RUN("const alg = { name: 'ECDH', namedCurve: 'P-384' };"
            "const mine = await s.importKey('jwk', { kty: 'EC', crv: 'P-384', x: "
            "'ZzINznc4My-TchxqSaRlJZmdkdj71q-2RDKQ0cSom2K73jydseRhtFiSMUdCQGRh', y: "
            "'5pOoIMkCBC893V51291SLla24fEjQq3vjT1_eBGhd5-wRtlOGAip3tfF2iGp6cdi', d: "
            "'_EBSjNwhfPgRqRPEBY6qm3xllsBxnvfJbXX_AexQExUhf0sgUHepXdfkwgUPgoUz' }, alg, true, "
            "['deriveBits']);"
            "const theirs = await s.importKey('raw', un('041be2efefcdad47de812860735e945f1f78a419e99"
            "245f4e6d6997abd4c71207210208804643b9c00a8fd9785b434a2ccbeecd1690157d06722565a7f47c43cd77"
            "26e904c7e4f45625d37746816a2511d8cffd0f001a05881bf3f139463d6b294'), alg, true, []);"
            "const p = { name: 'ECDH', public: theirs };"
            "console.log(hex(await s.deriveBits(p, mine, 384)));"
            "console.log(hex(await s.deriveBits(p, mine, 64)));"
            "await show(() => s.deriveBits(p, mine, 392));"
            "await show(() => s.deriveBits({ name: 'ECDH', public: mine }, mine, 8));"),
        "info: 5172dbb7af750df29af2981b69130001820e6d441e90e99158f71421b2729364c385c75b38917bafdeb9d08"
        "fdeb3b221\n"
        "info: 5172dbb7af750df2\n"
        "info: OperationError length is too large\n"
        "info: InvalidAccessError algorithm's public key is not a public key\n");
}

static void keys_survive_every_format(void **state) {
    (void)state;
    expect_log(
        RUN("for (const [alg, uses, p] of ["
            "  [{ name: 'RSASSA-PKCS1-v1_5', modulusLength: 1024, publicExponent: new "
            "Uint8Array([1, 0, 1]), hash: 'SHA-512' }, ['sign', 'verify'], 'RSASSA-PKCS1-v1_5'],"
            "  [{ name: 'RSA-PSS', modulusLength: 1024, publicExponent: new Uint8Array([3]), hash: "
            "'SHA-1' }, ['sign', 'verify'], { name: 'RSA-PSS', saltLength: 8 }],"
            "  [{ name: 'ECDSA', namedCurve: 'P-521' }, ['sign', 'verify'], { name: 'ECDSA', hash: "
            "'SHA-512' }]]) {"
            "  const pair = await s.generateKey(alg, true, uses), seen = [];"
            "  for (const [a, b] of [['pkcs8', 'spki'], ['jwk', 'jwk']]) {"
            "    const priv = await s.importKey(a, await s.exportKey(a, pair.privateKey), alg, true, "
            "['sign']);"
            "    const pub = await s.importKey(b, await s.exportKey(b, pair.publicKey), alg, true, "
            "['verify']);"
            "    seen.push(priv.type, pub.type, await s.verify(p, pub, await s.sign(p, priv, "
            "text('x')), text('x')));"
            "  }"
            "  console.log(alg.name, seen.join());"
            "}"),
        "info: RSASSA-PKCS1-v1_5 private,public,true,private,public,true\n"
        "info: RSA-PSS private,public,true,private,public,true\n"
        "info: ECDSA private,public,true,private,public,true\n");
}

static void rsa_oaep_round_trip_with_label(void **state) {
    (void)state;
    expect_log(
        RUN("const { privateKey, publicKey } = await s.generateKey({ name: 'RSA-OAEP', "
            "modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, "
            "false, ['encrypt', 'decrypt']);"
            "const p = { name: 'RSA-OAEP', label: text('l') };"
            "const c = await s.encrypt(p, publicKey, text('hi'));"
            "console.log(hex(await s.decrypt(p, privateKey, c)), publicKey.usages.join(), "
            "privateKey.usages.join());"
            "await show(() => s.decrypt({ name: 'RSA-OAEP' }, privateKey, c));"
            "await show(() => s.encrypt(p, publicKey, new Uint8Array(100)));"
            "await show(() => s.exportKey('pkcs8', privateKey));"
            "await show(() => s.exportKey('raw', publicKey));"),
        "info: 6869 encrypt decrypt\n"
        "info: OperationError could not decrypt data: crypto/rsa: decryption error\n"
        "info: OperationError could not encrypt data: crypto/rsa: message too long for RSA key size\n"
        "info: InvalidAccessError the key is not extractable\n"
        "info: NotSupportedError unsupported key format raw\n");
}

static void objects_that_are_no_keys_are_refused(void **state) {
    (void)state;
    expect_log(
        RUN("const d = new Uint8Array(4), alg = (name) => ({ algorithm: { name }, usages: ['sign', "
            "'verify', 'encrypt', 'decrypt', 'deriveBits'], type: 'private' });"
            "for (const n of ['HMAC', 'RSASSA-PKCS1-v1_5']) await show(() => s.sign(n, alg(n), d));"
            "await show(() => s.sign({ name: 'ECDSA', hash: 'SHA-1' }, alg('ECDSA'), d));"
            "await show(() => s.encrypt({ name: 'AES-CBC', iv: new Uint8Array(16) }, alg('AES-CBC'), "
            "d));"
            "await show(() => s.encrypt({ name: 'RSA-OAEP' }, alg('RSA-OAEP'), d));"
            "await show(() => s.deriveBits({ name: 'ECDH', public: { ...alg('ECDH'), type: 'public' "
            "} }, alg('ECDH'), 8));"
            "await show(() => s.sign('HMAC', 5, d)); await show(() => s.sign('HMAC', {}, d));"
            "await show(() => s.exportKey('raw', {}));"),
        "info: InvalidAccessError key algorithm does not describe a HMAC key\n"
        "info: InvalidAccessError given CryptoKey is not a private RSA key, it's <nil>\n"
        "info: InvalidAccessError key is not a valid ECDSA private key\n"
        "info: ImplementationError could not get key handle\n"
        "info: InvalidAccessError given CryptoKey is not a public RSA key, it's <nil>\n"
        "info: InvalidAccessError keys are not valid elliptic curve keys\n"
        "info: InvalidAccessError key argument does hold not a valid CryptoKey object\n"
        "info: TypeError field algorithm is null or undefined\n"
        "info: ImplementationError unable to extract CryptoKey from key object\n");
}

static void random_values_fill_integer_arrays(void **state) {
    (void)state;
    expect_log(
        RUN("const a = new Uint32Array(64); console.log(crypto.getRandomValues(a) === a, "
            "a.some((x) => x > 0)); const u = crypto.randomUUID();"
            "console.log(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(u), u[14], u !== "
            "crypto.randomUUID());"
            "await show(() => crypto.getRandomValues(new Float64Array(1)));"
            "await show(() => crypto.getRandomValues(new Uint8Array(65537)));"),
        "info: true true\ninfo: true 4 true\n"
        "info: GoError TypeMismatchError: typedArray parameter isn't a TypedArray instance\n"
        "info: GoError QuotaExceededError: typedArray parameter is too big; maximum length is "
        "65536\n");
}

static void promises_settle_behind_the_running_code(void **state) {
    (void)state;
    expect_log(RUN("const p = s.digest('SHA-1', text('abc')).then((d) => console.log('digest', "
                   "d.byteLength)); Promise.resolve().then(() => console.log('job'));"
                   "console.log('code'); await p;"),
               "info: code\ninfo: job\ninfo: digest 20\n");
}

static void work_that_nobody_awaits_is_waited_for(void **state) {
    (void)state;
    expect_log(RUN("s.generateKey({ name: 'RSA-PSS', modulusLength: 1024, publicExponent: new "
                   "Uint8Array([1, 0, 1]), hash: 'SHA-1' }, true, ['sign']).then((k) => "
                   "console.log(k.privateKey.type));"),
               "info: private\n");
}

static void a_failed_iteration_drops_slow_work(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_script(&f,
                   RUN("s.generateKey({ name: 'RSA-PSS', modulusLength: 2048, publicExponent: new "
                       "Uint8Array([1, 0, 1]), hash: 'SHA-1' }, true, ['sign']).then(() => "
                       "console.log('never'));"
                       "throw new Error('stop');"),
                   1);
    assert_null(strstr(fixture_log(&f), "never"));
    assert_non_null(strstr(fixture_log(&f), "stop"));
    fixture_release(&f);
}

#define TRY_HEAD "const s = crypto.subtle; export default async function () {"
#define TRY(code) "try { " code "; } catch (e) { console.log(String(e)); }\n"

static void bad_jwks_are_refused_in_gos_words(void **state) {
    (void)state;
    expect_log(
        TRY_HEAD TRY("await s.importKey('jwk', 5, 'AES-CBC', true, ['encrypt'])") TRY(
            "await s.importKey('jwk', { kty: 'oct', k: 5, x: 1 }, 'AES-CBC', true, ['encrypt'])")
            TRY("await s.importKey('jwk', { kty: 'EC', d: 1 }, { name: 'ECDSA', namedCurve: "
                "'P-256' }, true, [])")
                TRY("await s.importKey('jwk', { kty: [] }, { name: 'RSA-PSS', hash: 'SHA-1' }, true, "
                    "[])")
                    TRY("await s.importKey('jwk', { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }, { "
                        "name: 'ECDH', namedCurve: 'P-256' }, true, [])")
                        TRY("await s.importKey('raw', new Uint8Array(8), 'PBKDF2', true, "
                            "['deriveBits'])") "}",
        "info: DataError: failed to parse symmetric JWK: json: cannot unmarshal number into Go value of type webcrypto.symmetricJWK\n"
        "info: DataError: failed to parse symmetric JWK: json: cannot unmarshal number into Go struct field symmetricJWK.k of type string\n"
        "info: failed to parse input as EC JWK key: json: cannot unmarshal number into Go struct field ecJWK.d of type string\n"
        "info: failed to parse input as RSA JWK key: json: cannot unmarshal array into Go struct field rsaJWK.kty of type string\n"
        "info: failed to convert ECDSA key to ECDH key: ecdsa: invalid public key\n"
        "info: SyntaxError: invalid value for param extractable \n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aes_nist_vectors),
        cmocka_unit_test(aes_gcm_notices_tampering),
        cmocka_unit_test(bad_ciphertexts_of_aes_cbc_are_errors),
        cmocka_unit_test(hmac_of_a_jwk_rfc_7515),
        cmocka_unit_test(pbkdf2_rfc_6070),
        cmocka_unit_test(rsa_signatures_of_others_verify),
        cmocka_unit_test(ecdsa_signatures_of_others_verify),
        cmocka_unit_test(ecdh_agrees_with_others),
        cmocka_unit_test(keys_survive_every_format),
        cmocka_unit_test(rsa_oaep_round_trip_with_label),
        cmocka_unit_test(objects_that_are_no_keys_are_refused),
        cmocka_unit_test(bad_jwks_are_refused_in_gos_words),
        cmocka_unit_test(random_values_fill_integer_arrays),
        cmocka_unit_test(promises_settle_behind_the_running_code),
        cmocka_unit_test(work_that_nobody_awaits_is_waited_for),
        cmocka_unit_test(a_failed_iteration_drops_slow_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
