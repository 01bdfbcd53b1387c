/* Client certificates from PEM, and the choice among them. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "net/tls_internal.h"

struct tls_cert {
    X509 *leaf;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
    char **domains;
    size_t n_domains;
};

void tls_cert_free(struct tls_cert *c) {
    if (!c)
        return;
    X509_free(c->leaf);
    sk_X509_pop_free(c->chain, X509_free);
    EVP_PKEY_free(c->key);
    for (size_t i = 0; i < c->n_domains; i++)
        free(c->domains[i]);
    free(c->domains);
    free(c);
}

static int certs_read(struct tls_cert *c, const char *pem, struct error *err) {
    BIO *in = BIO_new_mem_buf(pem, -1);
    X509 *cert;
    while ((cert = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
        if (!c->leaf)
            c->leaf = cert;
        else if (!sk_X509_push(c->chain, cert))
            X509_free(cert);
    }
    BIO_free(in);
    ERR_clear_error();
    if (c->leaf)
        return 0;
    if (strstr(pem, "-----BEGIN "))
        return error_set(err, KE_CONFIG,
                         "tls: failed to find \"CERTIFICATE\" PEM block in certificate input");
    return error_set(err, KE_CONFIG, "tls: failed to find any PEM data in certificate input");
}

static int password_give(char *out, int bytes, int is_writing, void *arg) {
    (void)is_writing;
    const char *password = arg;
    size_t len = password ? strlen(password) : 0;
    if (bytes < 0 || len > (size_t)bytes)
        return -1;
    memcpy(out, password ? password : "", len);
    return (int)len;
}

static int key_read(struct tls_cert *c, const struct tls_client_cert *from, struct error *err) {
    bool is_encrypted = strstr(from->key_pem, "DEK-Info:") != NULL, has_password = from->password;
    if (!strstr(from->key_pem, "-----BEGIN "))
        return error_set(err, KE_CONFIG, "%s",
                         has_password ? "failed to decode PEM key"
                                      : "tls: failed to find any PEM data in key input");
    if (has_password && strstr(from->key_pem, "-----BEGIN ENCRYPTED PRIVATE KEY-----"))
        return error_set(err, KE_CONFIG, "encrypted pkcs8 formatted key is not supported");
    if (has_password && !is_encrypted)
        return error_set(err, KE_CONFIG, "x509: no DEK-Info header in block");
    BIO *in = BIO_new_mem_buf(from->key_pem, -1);
    /* password_give only reads it */
    c->key = PEM_read_bio_PrivateKey(in, NULL, password_give, (void *)(uintptr_t)from->password);
    BIO_free(in);
    ERR_clear_error();
    if (!c->key && has_password)
        return error_set(err, KE_CONFIG, "x509: decryption password incorrect");
    if (!c->key)
        return error_set(err, KE_CONFIG, "tls: failed to parse private key");
    if (X509_check_private_key(c->leaf, c->key) != 1) {
        ERR_clear_error();
        return error_set(err, KE_CONFIG, "tls: private key does not match public key");
    }
    return 0;
}

struct tls_cert *tls_cert_new(const struct tls_client_cert *from, struct error *err) {
    struct tls_cert *c = xcalloc(1, sizeof *c);
    c->chain = sk_X509_new_null();
    CHECK(c->chain != NULL);
    c->domains = xcalloc(from->n_domains + 1, sizeof *c->domains);
    c->n_domains = from->n_domains;
    for (size_t i = 0; i < from->n_domains; i++)
        c->domains[i] = slice_dup(from->domains[i]);
    if (certs_read(c, from->cert_pem, err) == 0 && key_read(c, from, err) == 0)
        return c;
    tls_cert_free(c);
    return NULL;
}

/* ---------------------------------------------------------------- choice */

static bool is_for_host(const struct tls_cert *c, const char *host) {
    struct slice h = slice_cstr(host);
    for (size_t i = 0; i < c->n_domains; i++) {
        struct slice d = slice_cstr(c->domains[i]);
        bool is_wild = slice_starts(d, SLICE("*."));
        if (is_wild)
            d = slice_from(d.ptr + 1, d.len - 1);
        if (slice_ieq(d, h) ||
            (is_wild && h.len > d.len && slice_ieq(d, slice_from(h.ptr + h.len - d.len, d.len))))
            return true;
    }
    return false;
}

/* Go's rule: an authority of the list issued it, or the server named none. */
static bool is_acceptable(SSL *ssl, const struct tls_cert *c) {
    const STACK_OF(X509_NAME) *authorities = SSL_get0_peer_CA_list(ssl);
    if (sk_X509_NAME_num(authorities) <= 0)
        return true;
    for (int i = 0; i < sk_X509_NAME_num(authorities); i++) {
        const X509_NAME *name = sk_X509_NAME_value(authorities, i);
        if (X509_NAME_cmp(name, X509_get_issuer_name(c->leaf)) == 0)
            return true;
        for (int k = 0; k < sk_X509_num(c->chain); k++) {
            if (X509_NAME_cmp(name, X509_get_issuer_name(sk_X509_value(c->chain, k))) == 0)
                return true;
        }
    }
    return false;
}

/* Those meant for the host first, those for all hosts next; like k6, any other rather than none. */
void tls_certs_offer(SSL *ssl, struct tls_cert *const *certs, size_t n_certs, const char *host) {
    const struct tls_cert *best = NULL;
    int best_rank = 0;
    for (size_t i = 0; i < n_certs; i++) {
        int rank = is_for_host(certs[i], host) ? 3 : certs[i]->n_domains == 0 ? 2 : 1;
        if (rank > best_rank && is_acceptable(ssl, certs[i])) {
            best = certs[i];
            best_rank = rank;
        }
    }
    if (best)
        SSL_use_cert_and_key(ssl, best->leaf, best->key, best->chain, 1);
}
