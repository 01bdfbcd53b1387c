#include "peer.h"

#include <arpa/inet.h>
#include <openssl/ocsp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "fiber/worker.h"

/* ---------------------------------------------------------------- fibers */

struct body {
    fiber_fn *fn;
    void *arg;
};

static void body_run(void *arg) {
    struct body *b = arg;
    b->fn(b->arg);
    worker_stop(worker_self());
}

void run_in_fiber(fiber_fn *fn, void *arg) {
    struct worker *w = worker_new(0);
    struct body b = {fn, arg};
    fiber_detach(fiber_start(w, FIBER_STACK_DEFAULT, body_run, &b));
    worker_run(w);
    worker_free(w);
}

int64_t soon_ns(void) {
    return clock_now_ns() + 20 * NS_PER_S;
}

/* ---------------------------------------------------------------- servers */

static int listen_on_loopback(uint16_t *out_port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
    *out_port = ntohs(a.sin_port);
    return fd;
}

static void *peer_main(void *arg) {
    struct peer *p = arg;
    int fd;
    while ((fd = accept(p->fd, NULL, NULL)) >= 0) {
        p->serve(p, fd);
        close(fd);
    }
    return NULL;
}

void peer_start(struct peer *p, void (*serve)(struct peer *p, int fd), void *arg) {
    signal(SIGPIPE, SIG_IGN); /* OpenSSL's own writes on a server's side raise it */
    p->serve = serve;
    p->arg = arg;
    p->fd = listen_on_loopback(&p->port);
    CHECK(listen(p->fd, 1024) == 0);
    CHECK(pthread_create(&p->thread, NULL, peer_main, p) == 0);
}

void peer_stop(struct peer *p) {
    shutdown(p->fd, SHUT_RDWR);
    pthread_join(p->thread, NULL);
    close(p->fd);
}

uint16_t closed_port(void) {
    uint16_t port;
    close(listen_on_loopback(&port));
    return port;
}

void serve_echo(struct peer *p, int fd) {
    (void)p;
    char buf[16384];
    ssize_t n;
    while ((n = recv(fd, buf, sizeof buf, 0)) > 0) {
        if (send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
            return;
    }
}

void serve_mute(struct peer *p, int fd) {
    (void)p;
    char buf[16384];
    while (recv(fd, buf, sizeof buf, 0) > 0)
        ;
}

void serve_reset(struct peer *p, int fd) {
    (void)p;
    char byte;
    struct linger hard = {.l_onoff = 1};
    CHECK(recv(fd, &byte, 1, 0) == 1);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

void serve_text(struct peer *p, int fd) {
    char buf[4096];
    const char *text = p->arg;
    if (recv(fd, buf, sizeof buf, 0) <= 0)
        return;
    (void)send(fd, text, strlen(text), MSG_NOSIGNAL);
    /* What is not read yet would turn the close into a reset. */
    shutdown(fd, SHUT_WR);
    serve_mute(p, fd);
}

/* ---------------------------------------------------------------- TLS server */

static int alpn_choose(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg) {
    (void)ssl;
    const char *want = arg;
    return SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len,
                                 (const unsigned char *)want, (unsigned)strlen(want), in,
                                 in_len) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int ocsp_staple(SSL *ssl, void *arg) {
    const struct tls_peer *t = arg;
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, t->cert->x509, t->ca->x509);
    ASN1_TIME *revoked = ASN1_TIME_set(NULL, 1000), *this_update = ASN1_TIME_set(NULL, 2000);
    OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_REVOKED, OCSP_REVOKED_STATUS_KEYCOMPROMISE,
                           revoked, this_update, NULL);
    CHECK(OCSP_basic_sign(basic, t->ca->x509, t->ca->key, EVP_sha256(), NULL, 0) == 1);
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    unsigned char *der = NULL;
    int bytes = i2d_OCSP_RESPONSE(response, &der);
    SSL_set_tlsext_status_ocsp_resp(ssl, der, bytes);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(revoked);
    ASN1_TIME_free(this_update);
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *server_context(struct tls_peer *t) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    CHECK(SSL_CTX_use_certificate(ctx, t->cert->x509) == 1);
    CHECK(SSL_CTX_use_PrivateKey(ctx, t->cert->key) == 1);
    if (t->max_version)
        SSL_CTX_set_max_proto_version(ctx, t->max_version);
    if (t->client_ca) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), t->client_ca->x509);
        SSL_CTX_add_client_CA(ctx, t->client_ca->x509);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    if (t->is_revoked) {
        SSL_CTX_set_tlsext_status_cb(ctx, ocsp_staple);
        SSL_CTX_set_tlsext_status_arg(ctx, t);
    }
    if (t->alpn)
        SSL_CTX_set_alpn_select_cb(ctx, alpn_choose, (void *)(uintptr_t)t->alpn);
    return ctx;
}

void serve_tls_echo(struct peer *p, int fd) {
    struct tls_peer *t = p->arg;
    SSL_CTX *ctx = server_context(t);
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    char buf[16384];
    int n;
    if (SSL_accept(ssl) == 1) {
        const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        snprintf(t->server_name, sizeof t->server_name, "%s", name ? name : "");
        X509 *client = SSL_get0_peer_certificate(ssl);
        if (client)
            X509_NAME_get_text_by_NID(X509_get_subject_name(client), NID_commonName, t->client_cn,
                                      sizeof t->client_cn);
        while ((n = SSL_read(ssl, buf, sizeof buf)) > 0) {
            if (SSL_write(ssl, buf, n) != n)
                break;
        }
        SSL_shutdown(ssl);
    } else {
        /* The alert must get out before a reset overtakes it. */
        shutdown(fd, SHUT_WR);
        serve_mute(p, fd);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* ---------------------------------------------------------------- certificates */

static void extension_add(X509 *cert, int nid, const char *value) {
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    CHECK(ext != NULL);
    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
}

static char *bio_text(BIO *bio) {
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    char *text = xstrndup(data, (size_t)len);
    BIO_free(bio);
    return text;
}

void pki_make(struct pki_cert *out, const struct pki_cert *issuer, const char *cn,
              const char *names, long from_s, long to_s) {
    static long serial = 1;
    out->key = EVP_EC_gen("P-256");
    X509 *cert = out->x509 = X509_new();
    CHECK(out->key && cert);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(cert), from_s);
    X509_gmtime_adj(X509_getm_notAfter(cert), to_s);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                               (const unsigned char *)cn, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer->x509 : cert));
    X509_set_pubkey(cert, out->key);
    extension_add(cert, NID_basic_constraints, issuer ? "CA:FALSE" : "critical,CA:TRUE");
    if (names)
        extension_add(cert, NID_subject_alt_name, names);
    CHECK(X509_sign(cert, issuer ? issuer->key : out->key, EVP_sha256()) > 0);
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, cert);
    out->cert_pem = bio_text(bio);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, out->key, NULL, NULL, 0, NULL, NULL);
    out->key_pem = bio_text(bio);
}

void pki_release(struct pki_cert *c) {
    X509_free(c->x509);
    EVP_PKEY_free(c->key);
    free(c->cert_pem);
    free(c->key_pem);
}

char *pki_encrypted_key(const struct pki_cert *c, const char *password) {
    BIO *bio = BIO_new(BIO_s_mem());
    CHECK(PEM_write_bio_PrivateKey_traditional(bio, c->key, EVP_aes_128_cbc(),
                                               (const unsigned char *)password,
                                               (int)strlen(password), NULL, NULL) == 1);
    return bio_text(bio);
}

static char trust_path[] = "/tmp/kiln-test-ca-XXXXXX";

static void trust_remove(void) {
    unlink(trust_path);
}

void pki_trust(const struct pki_cert *authority) {
    int fd = mkstemp(trust_path);
    CHECK(fd >= 0);
    atexit(trust_remove);
    size_t len = strlen(authority->cert_pem);
    CHECK(write(fd, authority->cert_pem, len) == (ssize_t)len);
    close(fd);
    setenv("SSL_CERT_FILE", trust_path, 1);
}
