#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "js/crypto/digest.h"
#include "js/go_args.h"
#include "js/mod.h"

static void set(JSContext *ctx, JSValueConst o, const char *name, JSValue v) {
    JS_DefinePropertyValueStr(ctx, o, name, v, JS_PROP_C_W_E);
}

/* ---- reading ---- */

/* The first PEM block, whatever it is called, as a certificate; NULL with an exception pending. */
static X509 *parse_pem(JSContext *ctx, struct slice pem) {
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long len = 0;
    X509 *cert = NULL;
    BIO *in = BIO_new_mem_buf(pem.ptr ? pem.ptr : "", pem.len > INT32_MAX ? 0 : (int)pem.len);
    CHECK(in != NULL);
    if (PEM_read_bio(in, &name, &header, &der, &len) != 1) {
        js_throw_go_error(ctx, "failed to decode certificate PEM file");
    } else {
        const unsigned char *p = der;
        cert = d2i_X509(NULL, &p, len);
        if (cert && p != der + len) {
            X509_free(cert);
            cert = NULL;
            js_throw_go_error(ctx, "failed to parse certificate: x509: trailing data");
        } else if (!cert) {
            js_throw_go_error(ctx, "failed to parse certificate: x509: malformed certificate");
        }
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(in);
    return cert;
}

static JSValue throw_no_bytes(JSContext *ctx, JSValueConst v) {
    struct js_text text;
    if (js_text_get(ctx, v, &text)) {
        JS_ThrowTypeError(
            ctx, "could not convert function call parameter 0: could not convert %.100s to []uint8",
            text.s.ptr);
        js_text_release(&text);
    }
    return JS_EXCEPTION;
}

/* NULL with an exception pending. */
static X509 *certificate_arg(JSContext *ctx, int argc, JSValueConst *argv) {
    JSValueConst v = argc > 0 ? argv[0] : JS_UNDEFINED;
    struct go_bytes pem = {0};
    if (JS_IsUndefined(v) || JS_IsNull(v))
        return parse_pem(ctx, pem.s);
    const uint8_t *ptr;
    size_t len;
    if (!JS_IsString(v) && !js_bytes(ctx, v, &ptr, &len)) {
        throw_no_bytes(ctx, v);
        return NULL;
    }
    if (!go_bytes_get(ctx, v, "", &pem))
        return NULL;
    X509 *cert = parse_pem(ctx, pem.s);
    go_bytes_release(&pem);
    return cert;
}

/* ---- names ---- */

static JSValue new_asn1_string(JSContext *ctx, const ASN1_STRING *s) {
    unsigned char *utf8 = NULL;
    int len = ASN1_STRING_to_UTF8(&utf8, s);
    JSValue v = len < 0 ? JS_NewString(ctx, "")
                        : go_string_new(ctx, slice_from((const char *)utf8, (size_t)len));
    OPENSSL_free(utf8);
    return v;
}

static JSValue new_oid(JSContext *ctx, const ASN1_OBJECT *o) {
    char text[128];
    int n = OBJ_obj2txt(text, sizeof text, o, 1);
    return JS_NewStringLen(ctx, text, n > 0 && n < (int)sizeof text ? (size_t)n : 0);
}

/* The value of an attribute, "" without one; Go keeps the first, but of common names the last. */
static JSValue attribute(JSContext *ctx, const X509_NAME *name, int nid) {
    int found = -1;
    for (int at = -1; (at = X509_NAME_get_index_by_NID(name, nid, at)) >= 0;) {
        if (found < 0 || nid == NID_commonName)
            found = at;
    }
    if (found < 0)
        return JS_NewString(ctx, "");
    return new_asn1_string(ctx, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, found)));
}

static JSValue units(JSContext *ctx, const X509_NAME *name) {
    JSValue list = JS_NewArray(ctx);
    uint32_t n = 0;
    for (int at = -1; (at = X509_NAME_get_index_by_NID(name, NID_organizationalUnitName, at)) >= 0;)
        JS_SetPropertyUint32(
            ctx, list, n++,
            new_asn1_string(ctx, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at))));
    return list;
}

static JSValue all_names(JSContext *ctx, const X509_NAME *name) {
    JSValue list = JS_NewArray(ctx);
    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);
        JSValue rdn = JS_NewObject(ctx);
        set(ctx, rdn, "type", new_oid(ctx, X509_NAME_ENTRY_get_object(e)));
        set(ctx, rdn, "value", new_asn1_string(ctx, X509_NAME_ENTRY_get_data(e)));
        JS_SetPropertyUint32(ctx, list, (uint32_t)i, rdn);
    }
    return list;
}

static JSValue new_name(JSContext *ctx, const X509_NAME *name, bool is_subject) {
    JSValue o = JS_NewObject(ctx);
    set(ctx, o, "commonName", attribute(ctx, name, NID_commonName));
    set(ctx, o, "country", attribute(ctx, name, NID_countryName));
    if (is_subject)
        set(ctx, o, "postalCode", attribute(ctx, name, NID_postalCode));
    set(ctx, o, "stateOrProvinceName", attribute(ctx, name, NID_stateOrProvinceName));
    set(ctx, o, "localityName", attribute(ctx, name, NID_localityName));
    if (is_subject)
        set(ctx, o, "streetAddress", attribute(ctx, name, NID_streetAddress));
    set(ctx, o, "organizationName", attribute(ctx, name, NID_organizationName));
    if (is_subject)
        set(ctx, o, "organizationalUnitName", units(ctx, name));
    set(ctx, o, "names", all_names(ctx, name));
    return o;
}

/* ---- the rest of a certificate ---- */

static JSValue new_ip(JSContext *ctx, const ASN1_OCTET_STRING *ip) {
    char text[INET6_ADDRSTRLEN] = "";
    int len = ASN1_STRING_length(ip);
    if (len == 4 || len == 16)
        inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(ip), text, sizeof text);
    return JS_NewString(ctx, text);
}

/* DNS names, then e-mail addresses, IP addresses and URIs. */
static JSValue alt_names(JSContext *ctx, const X509 *cert) {
    static const int kinds[] = {GEN_DNS, GEN_EMAIL, GEN_IPADD, GEN_URI};
    JSValue list = JS_NewArray(ctx);
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    uint32_t n = 0;
    for (size_t k = 0; k < countof(kinds); k++) {
        for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
            const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
            if (name->type != kinds[k])
                continue;
            JS_SetPropertyUint32(ctx, list, n++,
                                 kinds[k] == GEN_IPADD ? new_ip(ctx, name->d.iPAddress)
                                                       : new_asn1_string(ctx, name->d.ia5));
        }
    }
    GENERAL_NAMES_free(names);
    return list;
}

/* RFC 3339, in UTC. */
static JSValue new_time(JSContext *ctx, const ASN1_TIME *t) {
    struct tm tm;
    char text[40] = "";
    if (ASN1_TIME_to_tm(t, &tm) == 1)
        snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    return JS_NewString(ctx, text);
}

static const char *signature_algorithm(const X509 *cert) {
    static const struct {
        int nid, digest_nid;
        const char *name;
    } names[] = {
        {NID_md2WithRSAEncryption, 0, "MD2-RSA"},
        {NID_md5WithRSAEncryption, 0, "MD5-RSA"},
        {NID_sha1WithRSAEncryption, 0, "SHA1-RSA"},
        {NID_sha256WithRSAEncryption, 0, "SHA256-RSA"},
        {NID_sha384WithRSAEncryption, 0, "SHA384-RSA"},
        {NID_sha512WithRSAEncryption, 0, "SHA512-RSA"},
        {NID_rsassaPss, NID_sha256, "SHA256-RSAPSS"},
        {NID_rsassaPss, NID_sha384, "SHA384-RSAPSS"},
        {NID_rsassaPss, NID_sha512, "SHA512-RSAPSS"},
        {NID_dsaWithSHA1, 0, "DSA-SHA1"},
        {NID_dsa_with_SHA256, 0, "DSA-SHA256"},
        {NID_ecdsa_with_SHA1, 0, "ECDSA-SHA1"},
        {NID_ecdsa_with_SHA256, 0, "ECDSA-SHA256"},
        {NID_ecdsa_with_SHA384, 0, "ECDSA-SHA384"},
        {NID_ecdsa_with_SHA512, 0, "ECDSA-SHA512"},
        {NID_ED25519, 0, "Ed25519"},
    };
    int nid = X509_get_signature_nid(cert), digest_nid = 0;
    X509_get_signature_info((X509 *)cert, &digest_nid, NULL, NULL, NULL);
    for (size_t i = 0; i < countof(names); i++)
        if (names[i].nid == nid && (!names[i].digest_nid || names[i].digest_nid == digest_nid))
            return names[i].name;
    return "UnknownSignatureAlgorithm";
}

static JSValue fingerprint(JSContext *ctx, const X509 *cert) {
    unsigned char sum[DIGEST_MAX_BYTES];
    unsigned len = 0;
    JSValue list = JS_NewArray(ctx);
    X509_digest(cert, digest_evp(DIGEST_SHA1), sum, &len);
    for (unsigned i = 0; i < len; i++)
        JS_SetPropertyUint32(ctx, list, i, JS_NewInt32(ctx, sum[i]));
    return list;
}

/* A number of the key as a BigInt. */
static void set_big(JSContext *ctx, JSValueConst o, const char *name, const EVP_PKEY *key,
                    const char *param) {
    BIGNUM *n = NULL;
    if (EVP_PKEY_get_bn_param(key, param, &n) != 1)
        return;
    char *hex = BN_bn2hex(n), *source = xasprintf("0x%s", hex);
    JSValue global = JS_GetGlobalObject(ctx), big = JS_GetPropertyStr(ctx, global, "BigInt");
    JSValue text = JS_NewString(ctx, source);
    set(ctx, o, name, JS_Call(ctx, big, JS_UNDEFINED, 1, (JSValueConst *)&text));
    JS_FreeValue(ctx, text);
    JS_FreeValue(ctx, big);
    JS_FreeValue(ctx, global);
    free(source);
    OPENSSL_free(hex);
    BN_free(n);
}

/* JS_EXCEPTION for keys that k6 does not know. */
static JSValue public_key(JSContext *ctx, const X509 *cert) {
    const EVP_PKEY *key = X509_get0_pubkey(cert);
    int type = key ? EVP_PKEY_get_base_id(key) : 0;
    if (type != EVP_PKEY_RSA && type != EVP_PKEY_EC && type != EVP_PKEY_DSA)
        return js_throw_go_error(ctx, "unsupported public key algorithm");
    JSValue o = JS_NewObject(ctx), inner = JS_NewObject(ctx);
    BIGNUM *e = NULL;
    if (type == EVP_PKEY_RSA) {
        set_big(ctx, inner, "n", key, OSSL_PKEY_PARAM_RSA_N);
        if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1)
            set(ctx, inner, "e", JS_NewInt64(ctx, (int64_t)BN_get_word(e)));
        BN_free(e);
    } else if (type == EVP_PKEY_EC) {
        set_big(ctx, inner, "x", key, OSSL_PKEY_PARAM_EC_PUB_X);
        set_big(ctx, inner, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y);
    } else {
        set_big(ctx, inner, "y", key, OSSL_PKEY_PARAM_PUB_KEY);
    }
    set(ctx, o, "algorithm",
        JS_NewString(ctx, type == EVP_PKEY_RSA  ? "RSA"
                          : type == EVP_PKEY_EC ? "ECDSA"
                                                : "DSA"));
    set(ctx, o, "key", inner);
    return o;
}

static JSValue new_certificate(JSContext *ctx, const X509 *cert) {
    JSValue key = public_key(ctx, cert);
    if (JS_IsException(key))
        return key;
    JSValue o = JS_NewObject(ctx);
    set(ctx, o, "subject", new_name(ctx, X509_get_subject_name(cert), true));
    set(ctx, o, "issuer", new_name(ctx, X509_get_issuer_name(cert), false));
    set(ctx, o, "notBefore", new_time(ctx, X509_get0_notBefore(cert)));
    set(ctx, o, "notAfter", new_time(ctx, X509_get0_notAfter(cert)));
    set(ctx, o, "altNames", alt_names(ctx, cert));
    set(ctx, o, "signatureAlgorithm", JS_NewString(ctx, signature_algorithm(cert)));
    set(ctx, o, "fingerPrint", fingerprint(ctx, cert));
    set(ctx, o, "publicKey", key);
    return o;
}

/* ---- functions of scripts ---- */

enum part { WHOLE, ALT_NAMES, ISSUER, SUBJECT };

static JSValue js_part(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                       int part) {
    (void)this_val;
    X509 *cert = certificate_arg(ctx, argc, argv);
    if (!cert)
        return JS_EXCEPTION;
    JSValue ret;
    if (part == WHOLE)
        ret = new_certificate(ctx, cert);
    else if (part == ALT_NAMES)
        ret = alt_names(ctx, cert);
    else if (part == ISSUER)
        ret = new_name(ctx, X509_get_issuer_name(cert), false);
    else
        ret = new_name(ctx, X509_get_subject_name(cert), true);
    X509_free(cert);
    return ret;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_MAGIC_DEF("getAltNames", 1, js_part, ALT_NAMES),
    JS_CFUNC_MAGIC_DEF("getIssuer", 1, js_part, ISSUER),
    JS_CFUNC_MAGIC_DEF("getSubject", 1, js_part, SUBJECT),
    JS_CFUNC_MAGIC_DEF("parse", 1, js_part, WHOLE),
};

static int declare(JSContext *ctx, JSModuleDef *m) {
    return JS_AddModuleExportList(ctx, m, functions, countof(functions));
}

static int init(JSContext *ctx, JSModuleDef *m) {
    return js_module_set_functions(ctx, m, functions, countof(functions));
}

const struct js_module js_mod_crypto_x509 = {
    .specifier = "k6/crypto/x509", .declare = declare, .init = init};
