/* TLS by OpenSSL 3. A tls_config (one per run; cert selection per host inside) is shared by all VUs, read-only after
 * creation; a VU has its own session cache as Go's http.Transport of k6 has none: no session resumption is visible. */
#pragma once

#include <stdbool.h>
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
    int min_version, max_version;       /* 0x0301..0x0304; 0 = default (1.2..1.3) */
    const char *const *cipher_suites;   /* IANA/Go names; NULL = default */
    size_t n_cipher_suites;
    const struct tls_client_cert *certs;
    size_t n_certs;
    bool offer_h2;                      /* ALPN h2,http/1.1 or only http/1.1 */
};

/* NULL with *err on bad input ("unknown cipher suite 'X'", bad PEM). */
struct tls_config *tls_config_new(const struct tls_options *opts, struct error *err);
void tls_config_free(struct tls_config *cfg);

/* What a handshake agreed on; static strings with Go's names ("tls1.3", "TLS_AES_128_GCM_SHA256", "h2"). */
struct tls_info {
    const char *version;
    const char *cipher_suite;
    bool is_h2;
};
