/* Between tls*.c and conn_tls.c. */
#pragma once

#include <openssl/ssl.h>

#include "net/conn.h"
#include "net/tls.h"

/* What the checks of the peer's certificate found, worst first; kept while a handshake runs. */
struct tls_verdict {
    int leaf_time_error, host_error, chain_error; /* X509_V_ERR_*, 0 = fine */
    struct error error;                           /* in Go's words, once a check failed */
    char host[256];
};

/* A client session for host, not connected to anything yet. verdict must live until the handshake
 * is over. NULL with *err when the config cannot be used. Starts OpenSSL on first use. Any thread.
 */
SSL *tls_session_new(struct tls_config *cfg, struct slice host, enum conn_alpn alpn,
                     struct tls_verdict *verdict, struct error *err);

/* tls_verify.c: makes ctx check as Go does: all errors are collected, the one that Go would have
 * met first is told. */
void tls_verify_install(SSL_CTX *ctx, bool is_insecure);
void tls_verdict_attach(SSL *ssl, struct tls_verdict *verdict);
/* The target's name while a handshake runs, "" at a renegotiation. */
const char *tls_verdict_host(const SSL *ssl);

/* tls_cert.c: client certificates. */
struct tls_cert;
struct tls_cert *tls_cert_new(const struct tls_client_cert *from, struct error *err);
void tls_cert_free(struct tls_cert *cert);
/* Gives ssl the certificate that suits host and the peer's list of authorities, if any. */
void tls_certs_offer(SSL *ssl, struct tls_cert *const *certs, size_t n_certs, const char *host);

/* tls_error.c: "remote error: tls: bad certificate" of an alert the peer sent. */
const char *tls_alert_text(int alert);
/* What OpenSSL's error queue says, in Go's words; empties the queue. */
int tls_error_from_queue(struct error *err);

bool tls_ocsp_parse(SSL *ssl, struct tls_ocsp *out);
