/* TLS by OpenSSL 3. A tls_config (one per run; cert selection per host inside) is shared by all
 * VUs, read-only after creation. As in k6, whose transports keep no session cache, no session is
 * ever resumed.
 *
 * Nothing of OpenSSL is started, and no root certificate is read, before the first handshake. Roots
 * are the system's (SSL_CERT_FILE and SSL_CERT_DIR win). With SSLKEYLOGFILE set, secrets go to that
 * file. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

struct tls_config;

struct tls_client_cert {
    const char *cert_pem, *key_pem, *password; /* password may be NULL */
    struct slice *domains;                     /* empty = all hosts */
    size_t n_domains;
};

struct tls_options {
    bool insecure_skip_verify;
    int min_version, max_version;     /* 0x0301..0x0304; 0 = default (1.2..1.3) */
    const char *const *cipher_suites; /* IANA/Go names; NULL = default. Those of TLS 1.3 are not
                                         selectable, as in Go */
    size_t n_cipher_suites;
    const struct tls_client_cert *certs;
    size_t n_certs;
    bool offer_h2; /* ALPN h2,http/1.1 or only http/1.1 */
};

/* Options are copied. NULL with *err on bad input ("unknown cipher suite 'X'", bad PEM). */
struct tls_config *tls_config_new(const struct tls_options *opts, struct error *err);
void tls_config_free(struct tls_config *cfg);

/* What one client says for itself. */
struct tls_own {
    const struct tls_client_cert *cert; /* put before base's; NULL = none */
    bool drops_base_certs;
    const char *const *cacerts; /* authorities: PEM, in any number each */
    size_t n_cacerts;
    bool keeps_system_roots;  /* beside them; otherwise they are the only ones trusted */
    bool refuses_bad_cacerts; /* one without a certificate that can be read is an error */
    bool insecure_skip_verify;
};
/* A config of its own for one client: base's options (NULL: the defaults) with these. base must
 * outlive it unless its certificates are dropped. NULL with *err when a certificate is bad ("failed
 * to append ca certificate [0] from PEM"). */
struct tls_config *tls_config_derive(const struct tls_config *base, const struct tls_own *own,
                                     struct error *err);

/* True for the names that tlsCipherSuites may hold. */
bool tls_cipher_suite_is_known(const char *name);

/* What a handshake agreed on: k6's names ("tls1.3", "TLS_AES_128_GCM_SHA256"). Lives as long as the
 * program. */
struct tls_info {
    const char *version;
    const char *cipher_suite;
    bool is_h2;
};

/* The OCSP response stapled by the server, in k6's words; times in Unix seconds, 0 when absent. */
struct tls_ocsp {
    const char *status;            /* "good", "revoked", "server_failed", "unknown" */
    const char *revocation_reason; /* "" or "key_compromise"... */
    int64_t produced_at, this_update, next_update, revoked_at;
};
