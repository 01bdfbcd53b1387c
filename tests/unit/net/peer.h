/* The other end of a test: a server on loopback in a thread of its own, with blocking sockets;
 * certificates made on the spot; and a worker around a test's body. */
#pragma once

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "fiber/fiber.h"
#include "net/conn.h"

/* ---------------------------------------------------------------- fibers */

/* Runs fn(arg) in a fiber of a fresh worker, until it returns. */
void run_in_fiber(fiber_fn *fn, void *arg);
/* A deadline that only a hanging test reaches. */
int64_t soon_ns(void);

/* ---------------------------------------------------------------- servers */

struct peer {
    int fd;
    uint16_t port;
    pthread_t thread;
    void (*serve)(struct peer *p, int fd); /* closes nothing; fd is closed after it */
    void *arg;
};

/* Serves one connection after the other until peer_stop. */
void peer_start(struct peer *p, void (*serve)(struct peer *p, int fd), void *arg);
void peer_stop(struct peer *p);
/* A port of 127.0.0.1 that nobody listens on. */
uint16_t closed_port(void);

void serve_echo(struct peer *p, int fd);  /* sends back what it gets until EOF */
void serve_mute(struct peer *p, int fd);  /* reads until EOF, says nothing */
void serve_reset(struct peer *p, int fd); /* waits for a byte, then resets */
void serve_text(struct peer *p, int fd);  /* waits for a byte, sends arg (a string), closes */

/* ---------------------------------------------------------------- TLS */

struct pki_cert {
    char *cert_pem, *key_pem;
    X509 *x509;
    EVP_PKEY *key;
};

/* A certificate for names ("DNS:a.test,IP:127.0.0.1", NULL for none) with common name cn, valid
 * from now + from_s to now
 * + to_s, signed by issuer (NULL: by itself, and an authority). */
void pki_make(struct pki_cert *out, const struct pki_cert *issuer, const char *cn,
              const char *names, long from_s, long to_s);
void pki_release(struct pki_cert *c);
/* Writes an authority to a temporary file that SSL_CERT_FILE names from now on; configs made later
 * trust it. */
void pki_trust(const struct pki_cert *authority);
/* The key, encrypted in the traditional form. free() it. */
char *pki_encrypted_key(const struct pki_cert *c, const char *password);

/* arg of serve_tls */
struct tls_peer {
    const struct pki_cert *cert;
    const struct pki_cert *client_ca; /* wants a client certificate when set */
    int max_version;                  /* 0 = any */
    bool is_revoked;                  /* staples an OCSP response that says so */
    const struct pki_cert *ca;        /* signs it */
    const char *alpn;                 /* "\x02h2" to insist on it, NULL = none */
    char client_cn[64];               /* of the last client certificate */
    char server_name[128];            /* SNI of the last client, "" for none */
};
void serve_tls_echo(struct peer *p, int fd);
