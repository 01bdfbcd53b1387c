#include "net/tls.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/log.h"
#include "net/tls_internal.h"
#include "net/tls_suite.h"

struct tls_config {
    bool is_insecure, offers_h2;
    int min_version, max_version;
    char *suites12; /* OpenSSL's names; NULL = default */
    bool has_no_suite12;
    struct tls_cert **certs;
    size_t n_certs, n_own_certs; /* the first ones are its own, the rest another config's */
    X509_STORE *roots;           /* NULL = the system's */
    bool adds_system_roots;      /* to roots */

    pthread_mutex_t lock; /* of what follows, made by the first handshake */
    SSL_CTX *ctx;
    struct error start_error;
};

/* ---------------------------------------------------------------- key log */

/* One file a process; a line is one write, so that threads do not mix. */
static int keylog_fd = -1;

static void keylog_open(void) {
    const char *path = getenv("SSLKEYLOGFILE");
    if (!path || !*path)
        return;
    keylog_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (keylog_fd < 0)
        log_printf(LOG_WARN, "cannot open '%s' for TLS keys", path);
}

static void keylog_write(const SSL *ssl, const char *line) {
    (void)ssl;
    char text[512];
    int len = snprintf(text, sizeof text, "%s\n", line);
    if (len > 0 && (size_t)len < sizeof text) {
        ssize_t n = write(keylog_fd, text, (size_t)len);
        (void)n;
    }
}

/* ---------------------------------------------------------------- config */

static int suites_choose(struct tls_config *cfg, const struct tls_options *opts,
                         struct error *err) {
    struct buf names;
    buf_init(&names, BUF_NO_CAP);
    int rc = 0;
    for (size_t i = 0; i < opts->n_cipher_suites && rc == 0; i++) {
        const struct tls_suite *s = tls_suite_by_name(opts->cipher_suites[i]);
        if (!s)
            rc = error_set(err, KE_CONFIG, "unknown cipher suite '%s'", opts->cipher_suites[i]);
        else if (s->openssl_name)
            buf_printf(&names, "%s%s", names.len ? ":" : "", s->openssl_name);
    }
    cfg->has_no_suite12 = names.len == 0;
    if (rc == 0 && names.len)
        cfg->suites12 = xstrndup(names.ptr, names.len);
    buf_release(&names);
    return rc;
}

struct tls_config *tls_config_new(const struct tls_options *opts, struct error *err) {
    struct tls_config *cfg = xcalloc(1, sizeof *cfg);
    cfg->is_insecure = opts->insecure_skip_verify;
    cfg->offers_h2 = opts->offer_h2;
    cfg->min_version = opts->min_version ? opts->min_version : TLS1_2_VERSION;
    cfg->max_version = opts->max_version ? opts->max_version : TLS1_3_VERSION;
    pthread_mutex_init(&cfg->lock, NULL);
    if (opts->cipher_suites && suites_choose(cfg, opts, err) != 0)
        goto fail;
    cfg->certs = xcalloc(opts->n_certs + 1, sizeof *cfg->certs);
    for (; cfg->n_certs < opts->n_certs; cfg->n_certs++) {
        cfg->certs[cfg->n_certs] = tls_cert_new(&opts->certs[cfg->n_certs], err);
        if (!cfg->certs[cfg->n_certs])
            goto fail;
    }
    cfg->n_own_certs = cfg->n_certs;
    return cfg;
fail:
    cfg->n_own_certs = cfg->n_certs;
    tls_config_free(cfg);
    return NULL;
}

/* As Go's AppendCertsFromPEM, which passes over what it cannot read; false when that is all. */
static bool roots_add(X509_STORE *roots, const char *pem) {
    BIO *in = BIO_new_mem_buf(pem, -1);
    X509 *cert;
    bool has_any = false;
    while ((cert = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
        has_any = true;
        X509_STORE_add_cert(roots, cert);
        X509_free(cert);
    }
    BIO_free(in);
    ERR_clear_error();
    return has_any;
}

static void options_take(struct tls_config *cfg, const struct tls_config *base, bool takes_certs) {
    cfg->suites12 = base->suites12 ? xstrdup(base->suites12) : NULL;
    cfg->has_no_suite12 = base->has_no_suite12;
    size_t n = takes_certs ? base->n_certs : 0;
    cfg->certs = xrealloc(cfg->certs, (cfg->n_certs + n + 1) * sizeof *cfg->certs);
    for (size_t i = 0; i < n; i++)
        cfg->certs[cfg->n_certs++] = base->certs[i];
}

struct tls_config *tls_config_derive(const struct tls_config *base, const struct tls_own *own,
                                     struct error *err) {
    struct tls_options options = {
        .insecure_skip_verify = own->insecure_skip_verify || (base && base->is_insecure),
        .min_version = base ? base->min_version : 0,
        .max_version = base ? base->max_version : 0,
        .certs = own->cert,
        .n_certs = own->cert != NULL,
    };
    struct tls_config *cfg = tls_config_new(&options, err);
    if (!cfg)
        return NULL;
    if (base)
        options_take(cfg, base, !own->drops_base_certs);
    if (own->n_cacerts)
        cfg->roots = X509_STORE_new();
    cfg->adds_system_roots = own->keeps_system_roots;
    for (size_t i = 0; i < own->n_cacerts; i++) {
        if (!roots_add(cfg->roots, own->cacerts[i]) && own->refuses_bad_cacerts) {
            error_set(err, KE_CONFIG, "failed to append ca certificate [%zu] from PEM", i);
            tls_config_free(cfg);
            return NULL;
        }
    }
    return cfg;
}

void tls_config_free(struct tls_config *cfg) {
    if (!cfg)
        return;
    SSL_CTX_free(cfg->ctx);
    for (size_t i = 0; i < cfg->n_own_certs; i++)
        tls_cert_free(cfg->certs[i]);
    X509_STORE_free(cfg->roots);
    free(cfg->certs);
    free(cfg->suites12);
    pthread_mutex_destroy(&cfg->lock);
    free(cfg);
}

/* ---------------------------------------------------------------- context */

/* OpenSSL's own default directory, and the bundles of distributions that keep none there: Go looks
 * at the same. */
static void roots_load(SSL_CTX *ctx) {
    static const char *const bundles[] = {
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/ssl/cert.pem",
    };
    SSL_CTX_set_default_verify_paths(ctx);
    const char *dir = X509_get_default_cert_dir(), *file = X509_get_default_cert_file();
    if (getenv(X509_get_default_cert_file_env()) || getenv(X509_get_default_cert_dir_env()) ||
        access(file, R_OK) == 0 || access(dir, R_OK) == 0)
        return;
    for (size_t i = 0; i < countof(bundles); i++) {
        if (access(bundles[i], R_OK) == 0 && SSL_CTX_load_verify_file(ctx, bundles[i]) == 1)
            return;
    }
}

static int client_cert_wanted(SSL *ssl, void *arg) {
    struct tls_config *cfg = arg;
    tls_certs_offer(ssl, cfg->certs, cfg->n_certs, tls_verdict_host(ssl));
    return 1;
}

static void library_start(void) {
    /* Like Go, we are not ruled by the machine's openssl.cnf. */
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    keylog_open();
}

static SSL_CTX *context_make(struct tls_config *cfg, struct error *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, library_start);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    CHECK(ctx != NULL);
    int min_version = cfg->min_version;
    if (cfg->has_no_suite12 && cfg->max_version >= TLS1_3_VERSION)
        min_version = TLS1_3_VERSION;
    if (cfg->max_version && min_version > cfg->max_version) {
        SSL_CTX_free(ctx);
        error_set(err, KE_FAILED, "tls: no supported versions satisfy MinVersion and MaxVersion");
        return NULL;
    }
    SSL_CTX_set_min_proto_version(ctx, min_version);
    SSL_CTX_set_max_proto_version(ctx, cfg->max_version);
    SSL_CTX_set_security_level(ctx, min_version < TLS1_2_VERSION ? 0 : 1);
    SSL_CTX_set_ciphersuites(ctx, tls_suites_default13);
    if (SSL_CTX_set_cipher_list(ctx, cfg->suites12 ? cfg->suites12 : tls_suites_default12) != 1) {
        tls_error_from_queue(err);
        SSL_CTX_free(ctx);
        return NULL;
    }
    SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384:P-521");
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                 SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(ctx, 1); /* one recv for a record's head and body */
    SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp);
    tls_verify_install(ctx, cfg->is_insecure);
    if (cfg->roots)
        SSL_CTX_set1_cert_store(ctx, cfg->roots);
    if (!cfg->is_insecure && (!cfg->roots || cfg->adds_system_roots))
        roots_load(ctx);
    if (cfg->n_certs)
        SSL_CTX_set_cert_cb(ctx, client_cert_wanted, cfg);
    if (keylog_fd >= 0)
        SSL_CTX_set_keylog_callback(ctx, keylog_write);
    ERR_clear_error();
    return ctx;
}

static SSL_CTX *context_of(struct tls_config *cfg, struct error *err) {
    pthread_mutex_lock(&cfg->lock);
    if (!cfg->ctx && !cfg->start_error.code)
        cfg->ctx = context_make(cfg, &cfg->start_error);
    SSL_CTX *ctx = cfg->ctx;
    pthread_mutex_unlock(&cfg->lock);
    if (!ctx && err)
        *err = cfg->start_error;
    return ctx;
}

/* ---------------------------------------------------------------- session */

static void alpn_offer(SSL *ssl, const struct tls_config *cfg, enum conn_alpn alpn) {
    if (alpn == CONN_ALPN_NONE)
        return;
    static const unsigned char both[] = "\x02h2\x08http/1.1";
    bool has_h2 = alpn == CONN_ALPN_H2 || (alpn == CONN_ALPN_CONFIG && cfg->offers_h2);
    const unsigned char *from = has_h2 ? both : both + 3;
    size_t bytes = alpn == CONN_ALPN_H2 ? 3 : has_h2 ? sizeof both - 1 : sizeof both - 1 - 3;
    SSL_set_alpn_protos(ssl, from, (unsigned)bytes);
}

SSL *tls_session_new(struct tls_config *cfg, struct slice host, enum conn_alpn alpn,
                     struct tls_verdict *verdict, struct error *err) {
    SSL_CTX *ctx = context_of(cfg, err);
    if (!ctx)
        return NULL;
    if (host.len > 0 && host.ptr[host.len - 1] == '.')
        host.len--;
    memset(verdict, 0, sizeof *verdict);
    if (host.len >= sizeof verdict->host || memchr(host.ptr, '\0', host.len)) {
        error_set(err, KE_FAILED, "tls: invalid server name");
        return NULL;
    }
    memcpy(verdict->host, host.ptr, host.len);
    SSL *ssl = SSL_new(ctx);
    CHECK(ssl != NULL);
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    union sockaddr_any ip;
    if (sockaddr_parse_ip(host, &ip) == 0) {
        X509_VERIFY_PARAM_set1_ip_asc(param, verdict->host);
    } else {
        X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                                   X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        X509_VERIFY_PARAM_set1_host(param, host.ptr, host.len);
        SSL_set_tlsext_host_name(ssl, verdict->host);
    }
    alpn_offer(ssl, cfg, alpn);
    tls_verdict_attach(ssl, verdict);
    SSL_set_connect_state(ssl);
    return ssl;
}
