/* The checks of a peer's certificate, told as Go tells them: validity of the leaf first, then the
 * name, then the chain. */
#include <openssl/x509v3.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/tls_internal.h"

#define PREFIX "tls: failed to verify certificate: x509: "

static int verdict_index = -1;

/* ---------------------------------------------------------------- words */

static int64_t asn1_time_ns(const ASN1_TIME *t) {
    struct tm tm;
    if (!t || !ASN1_TIME_to_tm(t, &tm))
        return 0;
    return (int64_t)timegm(&tm) * NS_PER_S;
}

static int time_error(struct tls_verdict *v, X509 *cert) {
    char now[40], limit[40];
    int64_t now_ns = clock_wall_ns(), from_ns = asn1_time_ns(X509_get0_notBefore(cert));
    bool is_early = now_ns < from_ns;
    clock_format_rfc3339(now_ns, now);
    time_t limit_s =
        (time_t)((is_early ? from_ns : asn1_time_ns(X509_get0_notAfter(cert))) / NS_PER_S);
    struct tm utc;
    gmtime_r(&limit_s, &utc);
    strftime(limit, sizeof limit, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return error_set(&v->error, KE_FAILED,
                     PREFIX "certificate has expired or is not yet valid: current time %s is %s %s",
                     now, is_early ? "before" : "after", limit);
}

static void name_append(struct buf *names, const GENERAL_NAME *name) {
    if (names->len)
        buf_append_str(names, ", ");
    if (name->type == GEN_DNS) {
        buf_append(names, ASN1_STRING_get0_data(name->d.dNSName),
                   (size_t)ASN1_STRING_length(name->d.dNSName));
        return;
    }
    union sockaddr_any a = {0};
    char text[INET6_ADDRSTRLEN];
    int bytes = ASN1_STRING_length(name->d.iPAddress);
    a.sa.sa_family = bytes == 4 ? AF_INET : AF_INET6;
    if (bytes == 4)
        memcpy(&a.in4.sin_addr, ASN1_STRING_get0_data(name->d.iPAddress), 4);
    else if (bytes == 16)
        memcpy(&a.in6.sin6_addr, ASN1_STRING_get0_data(name->d.iPAddress), 16);
    sockaddr_ip_text(&a, text);
    buf_append_str(names, text);
}

/* The subject's common name counts only without alternative names, and then only for the words. */
static bool common_name_fits(X509 *cert, const char *host) {
    return X509_check_host(cert, host, 0, X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT, NULL) == 1;
}

static int host_error(struct tls_verdict *v, X509 *cert) {
    union sockaddr_any ip;
    bool is_ip = sockaddr_parse_ip(slice_cstr(v->host), &ip) == 0;
    struct buf names;
    buf_init(&names, 384);
    GENERAL_NAMES *alt = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(alt); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(alt, i);
        if (name->type == (is_ip ? GEN_IPADD : GEN_DNS))
            name_append(&names, name);
    }
    if (!alt && !is_ip && common_name_fits(cert, v->host))
        error_set(&v->error, KE_X509_HOSTNAME,
                  PREFIX "certificate relies on legacy Common Name field, use SANs instead");
    else if (is_ip && !names.len)
        error_set(&v->error, KE_X509_HOSTNAME,
                  PREFIX
                  "cannot validate certificate for %s because it doesn't contain any IP SANs",
                  v->host);
    else if (!names.len)
        error_set(&v->error, KE_X509_HOSTNAME,
                  PREFIX "certificate is not valid for any names, but wanted to match %s", v->host);
    else
        error_set(&v->error, KE_X509_HOSTNAME, PREFIX "certificate is valid for %.*s, not %s",
                  (int)names.len, names.ptr, v->host);
    GENERAL_NAMES_free(alt);
    buf_release(&names);
    return v->error.code;
}

static int chain_error(struct tls_verdict *v) {
    switch (v->chain_error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return error_set(&v->error, KE_FAILED,
                         PREFIX "certificate has expired or is not yet valid");
    case X509_V_ERR_INVALID_PURPOSE:
        return error_set(&v->error, KE_FAILED,
                         PREFIX "certificate specifies an incompatible key usage");
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
        return error_set(&v->error, KE_FAILED,
                         PREFIX "too many intermediates for path length constraint");
    case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
        return error_set(&v->error, KE_FAILED, PREFIX "unhandled critical extension");
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        return error_set(&v->error, KE_X509_UNKNOWN_CA,
                         PREFIX "certificate signed by unknown authority");
    default:
        return error_set(&v->error, KE_FAILED, PREFIX "%s",
                         X509_verify_cert_error_string(v->chain_error));
    }
}

/* ---------------------------------------------------------------- checks */

static struct tls_verdict *verdict_of(X509_STORE_CTX *ctx) {
    SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
    return SSL_get_ex_data(ssl, verdict_index);
}

/* Lets the checks go on, so that all errors are seen; the first of each kind is kept. */
static int error_collect(int is_ok, X509_STORE_CTX *ctx) {
    if (is_ok)
        return 1;
    struct tls_verdict *v = verdict_of(ctx);
    int code = X509_STORE_CTX_get_error(ctx);
    bool is_time = code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID;
    bool is_host = code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH;
    int *slot = is_host                                               ? &v->host_error
                : is_time && X509_STORE_CTX_get_error_depth(ctx) == 0 ? &v->leaf_time_error
                                                                      : &v->chain_error;
    if (!*slot)
        *slot = code;
    return 1;
}

static int chain_check(X509_STORE_CTX *ctx, void *arg) {
    (void)arg;
    struct tls_verdict *v = verdict_of(ctx);
    X509_STORE_CTX_set_verify_cb(ctx, error_collect);
    X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
    if (X509_verify_cert(ctx) <= 0 && !v->chain_error)
        v->chain_error = X509_V_ERR_UNSPECIFIED;
    int code = v->leaf_time_error ? v->leaf_time_error
               : v->host_error    ? v->host_error
                                  : v->chain_error;
    if (!code)
        return 1;
    X509_STORE_CTX_set_error(ctx, code); /* chooses the alert that the peer gets */
    if (v->leaf_time_error)
        time_error(v, leaf);
    else if (v->host_error)
        host_error(v, leaf);
    else
        chain_error(v);
    return 0;
}

static int chain_accept(X509_STORE_CTX *ctx, void *arg) {
    (void)ctx;
    (void)arg;
    return 1;
}

static void index_make(void) {
    verdict_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

void tls_verify_install(SSL_CTX *ctx, bool is_insecure) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, index_make);
    /* Even unverified, OpenSSL would build a chain. */
    SSL_CTX_set_cert_verify_callback(ctx, is_insecure ? chain_accept : chain_check, NULL);
    SSL_CTX_set_verify(ctx, is_insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
}

void tls_verdict_attach(SSL *ssl, struct tls_verdict *verdict) {
    SSL_set_ex_data(ssl, verdict_index, verdict);
}

const char *tls_verdict_host(const SSL *ssl) {
    const struct tls_verdict *v = SSL_get_ex_data(ssl, verdict_index);
    return v ? v->host : "";
}
