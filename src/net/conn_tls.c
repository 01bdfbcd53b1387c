/* TLS on a connection: OpenSSL reads and writes through a BIO of ours, which counts the bytes on
 * the wire and never waits; waiting is done here, by the fiber. */
#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"
#include "fiber/worker.h"
#include "net/conn_internal.h"
#include "net/net_error.h"
#include "net/tls_internal.h"
#include "net/tls_suite.h"

#define JOIN_BYTES 4096
/* When the peer makes one direction depend on the other (renegotiation), which another fiber may be
 * waiting for. */
#define NAP_NS NS_PER_MS

/* ---------------------------------------------------------------- BIO */

static void head_keep(struct conn *c, const char *bytes, size_t n) {
    while (n-- && c->n_head < sizeof c->head)
        c->head[c->n_head++] = (uint8_t)*bytes++;
}

/* What the outer TLS says, in the words of a BIO. */
static int outer_outcome(BIO *bio, struct conn *c, int done) {
    if (done == 1)
        return 1;
    int why = SSL_get_error(c->outer, done);
    if (why == SSL_ERROR_WANT_READ)
        BIO_set_retry_read(bio);
    else if (why == SSL_ERROR_WANT_WRITE)
        BIO_set_retry_write(bio);
    else if (why == SSL_ERROR_ZERO_RETURN)
        c->has_eof = true;
    return 0;
}

static int nested_read(BIO *bio, char *out, size_t bytes, size_t *out_bytes) {
    struct conn *c = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *out_bytes = 0;
    int rc = outer_outcome(bio, c, SSL_read_ex(c->outer, out, bytes, out_bytes));
    head_keep(c, out, *out_bytes);
    return rc;
}

static int nested_write(BIO *bio, const char *from, size_t bytes, size_t *out_bytes) {
    struct conn *c = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *out_bytes = 0;
    return outer_outcome(bio, c, SSL_write_ex(c->outer, from, bytes, out_bytes));
}

static int wire_read(BIO *bio, char *out, size_t bytes, size_t *out_bytes) {
    struct conn *c = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t n;
    do {
        n = conn_recv(c, out, bytes);
    } while (n < 0 && errno == EINTR);
    *out_bytes = n > 0 ? (size_t)n : 0;
    if (n > 0) {
        conn_count_received(c, (size_t)n);
        if (!c->outer)
            head_keep(c, out, (size_t)n);
    } else if (n == 0) {
        c->has_eof = true;
    } else if (errno == EAGAIN) {
        BIO_set_retry_read(bio);
    } else {
        c->sys_errno = errno;
    }
    return n > 0;
}

static int wire_write(BIO *bio, const char *from, size_t bytes, size_t *out_bytes) {
    struct conn *c = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t n;
    do {
        n = send(c->fd, from, bytes, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    *out_bytes = n > 0 ? (size_t)n : 0;
    if (n >= 0)
        conn_count_sent(c, (size_t)n);
    else if (errno == EAGAIN)
        BIO_set_retry_write(bio);
    else
        c->sys_errno = errno;
    return n > 0;
}

static long wire_control(BIO *bio, int command, long number, void *pointer) {
    struct conn *c = BIO_get_data(bio);
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF)
        return c->has_eof;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *wire_method, *nested_method;

static BIO_METHOD *method_new(int (*read)(BIO *, char *, size_t, size_t *),
                              int (*write)(BIO *, const char *, size_t, size_t *)) {
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "kiln connection");
    CHECK(m != NULL);
    BIO_meth_set_read_ex(m, read);
    BIO_meth_set_write_ex(m, write);
    BIO_meth_set_ctrl(m, wire_control);
    return m;
}

static void wire_method_make(void) {
    wire_method = method_new(wire_read, wire_write);
    nested_method = method_new(nested_read, nested_write);
}

static void wire_attach(struct conn *c) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, wire_method_make);
    BIO *bio = BIO_new(c->outer ? nested_method : wire_method);
    CHECK(bio != NULL);
    BIO_set_data(bio, c);
    BIO_set_init(bio, 1);
    SSL_set_bio(c->ssl, bio, bio);
}

/* ---------------------------------------------------------------- outcomes */

/* Why a call failed for good. `op` is "read" or "write". */
static int failure(struct conn *c, int why, const char *op, const struct tls_verdict *verdict,
                   struct error *err) {
    c->is_broken = true;
    if (c->sys_errno) {
        int sys_errno = c->sys_errno;
        c->sys_errno = 0;
        ERR_clear_error();
        return net_error_io(err, op, sys_errno, c->fd, &c->peer);
    }
    if (verdict && verdict->error.code) {
        ERR_clear_error();
        if (err)
            *err = verdict->error;
        return verdict->error.code;
    }
    bool is_tls = c->n_head < 2 || (c->head[0] >= 20 && c->head[0] <= 24 && c->head[1] == 3);
    if (verdict && !is_tls) {
        ERR_clear_error();
        if (c->n_head == sizeof c->head && memcmp(c->head, "HTTP/", sizeof c->head) == 0)
            return error_set(err, KE_TLS_RECORD_HEADER,
                             "http: server gave HTTP response to HTTPS client");
        return error_set(err, KE_TLS_RECORD_HEADER,
                         "tls: first record does not look like a TLS handshake");
    }
    if (c->has_eof || why == SSL_ERROR_ZERO_RETURN) {
        ERR_clear_error();
        return error_set(err, KE_EOF, "EOF");
    }
    return tls_error_from_queue(err);
}

/* After SSL said "want": waits for it. Otherwise tells why it failed. 0 means try again. */
static int wait_or_fail(struct conn *c, int rc, bool is_reading, const struct tls_verdict *verdict,
                        int64_t deadline_ns, struct error *err) {
    int want = SSL_get_error(c->ssl, rc);
    if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE)
        return failure(c, want, is_reading ? "read" : "write", verdict, err);
    int events = want == SSL_ERROR_WANT_READ ? IO_READ : IO_WRITE;
    if (verdict || events == (is_reading ? IO_READ : IO_WRITE)) {
        rc = worker_io_wait(c->io, events, deadline_ns);
    } else {
        int64_t nap_ns = worker_now_ns(worker_self()) + NAP_NS;
        rc = nap_ns < deadline_ns ? fiber_sleep_until(nap_ns) : KE_TIMEOUT;
    }
    return rc ? net_error_wait(err, rc) : 0;
}

/* ---------------------------------------------------------------- handshake */

static const struct tls_info *info_of(SSL *ssl) {
    const unsigned char *protocol;
    unsigned bytes;
    SSL_get0_alpn_selected(ssl, &protocol, &bytes);
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    uint16_t id = cipher ? SSL_CIPHER_get_protocol_id(cipher) : 0;
    return tls_info_intern(SSL_version(ssl), id, bytes == 2 && memcmp(protocol, "h2", 2) == 0);
}

int conn_tls_handshake(struct conn *c, const struct conn_target *t, int64_t deadline_ns,
                       struct error *err) {
    struct tls_verdict *verdict = xmalloc(sizeof *verdict);
    int rc = KE_FAILED;
    c->ssl = tls_session_new((struct tls_config *)(uintptr_t)t->tls,
                             t->tls_name.len ? t->tls_name : t->host, t->alpn, verdict, err);
    if (!c->ssl)
        goto out;
    wire_attach(c);
    for (;;) {
        ERR_clear_error();
        int done = SSL_do_handshake(c->ssl);
        if (done == 1)
            break;
        rc = wait_or_fail(c, done, true, verdict, deadline_ns, err);
        if (rc)
            goto out;
    }
    c->info = info_of(c->ssl);
    rc = 0;
out:
    if (c->ssl)
        tls_verdict_attach(c->ssl, NULL);
    free(verdict);
    return rc;
}

void conn_tls_nest(struct conn *c) {
    c->outer = c->ssl;
    c->ssl = NULL;
    c->info = NULL;
    c->n_head = 0;
    SSL_set_mode(c->outer, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

/* ---------------------------------------------------------------- data */

static int record_write(struct conn *c, const char *from, size_t bytes, int64_t deadline_ns,
                        struct error *err) {
    while (bytes) {
        size_t n = 0;
        ERR_clear_error();
        int done = SSL_write_ex(c->ssl, from, bytes, &n);
        if (done == 1) {
            from += n;
            bytes -= n;
            int rc = bytes ? conn_breathe(deadline_ns) : 0;
            if (rc)
                return net_error_wait(err, rc);
            continue;
        }
        int rc = wait_or_fail(c, done, false, NULL, deadline_ns, err);
        if (rc)
            return rc;
    }
    return 0;
}

/* Small pieces are joined: a record has some 30 bytes and a call into OpenSSL of its own. */
int conn_tls_write(struct conn *c, const struct iovec *iov, int n_iov, int64_t deadline_ns,
                   struct error *err) {
    char joined[JOIN_BYTES];
    size_t n = 0;
    int rc = 0;
    for (int i = 0; i < n_iov && rc == 0; i++) {
        const char *from = iov[i].iov_base;
        size_t bytes = iov[i].iov_len;
        size_t take = bytes < sizeof joined - n ? bytes : sizeof joined - n;
        if (take && n_iov > 1) {
            memcpy(joined + n, from, take);
            n += take;
            from += take;
            bytes -= take;
        }
        if (bytes && n) {
            rc = record_write(c, joined, n, deadline_ns, err);
            n = 0;
        }
        if (bytes && rc == 0)
            rc = record_write(c, from, bytes, deadline_ns, err);
    }
    return n && rc == 0 ? record_write(c, joined, n, deadline_ns, err) : rc;
}

long conn_tls_read(struct conn *c, void *buf, size_t bytes, bool wait_first, int64_t deadline_ns,
                   int64_t *out_event_ns, struct error *err) {
    bool has_waited =
        wait_first && !SSL_has_pending(c->ssl) && !(c->outer && SSL_has_pending(c->outer));
    int rc = has_waited ? worker_io_wait(c->io, IO_READ, deadline_ns) : conn_breathe(deadline_ns);
    if (rc)
        return net_error_wait(err, rc);
    for (;;) {
        size_t n = 0;
        ERR_clear_error();
        int done = SSL_read_ex(c->ssl, buf, bytes, &n);
        if (done == 1 || SSL_get_error(c->ssl, done) == SSL_ERROR_ZERO_RETURN) {
            if (out_event_ns)
                *out_event_ns =
                    has_waited ? conn_arrival_ns(c, fiber_event_ns(fiber_self())) : clock_now_ns();
            return (long)n;
        }
        rc = wait_or_fail(c, done, true, NULL, deadline_ns, err);
        if (rc == KE_EOF)
            return 0;
        if (rc)
            return rc;
        has_waited = true;
    }
}

long conn_tls_try_write(struct conn *c, const char *from, size_t bytes, struct error *err) {
    size_t written = 0;
    while (written < bytes) {
        size_t n = 0;
        ERR_clear_error();
        int done = SSL_write_ex(c->ssl, from + written, bytes - written, &n);
        if (done == 1) {
            written += n;
            continue;
        }
        int want = SSL_get_error(c->ssl, done);
        if (want == SSL_ERROR_WANT_WRITE)
            break;
        return failure(c, want, "write", NULL, err);
    }
    return (long)written;
}

long conn_tls_try_read(struct conn *c, void *buf, size_t bytes, struct error *err) {
    size_t n = 0;
    ERR_clear_error();
    int done = SSL_read_ex(c->ssl, buf, bytes, &n);
    if (done == 1)
        return (long)n;
    int want = SSL_get_error(c->ssl, done);
    return want == SSL_ERROR_WANT_READ ? 0 : failure(c, want, "read", NULL, err);
}

bool conn_tls_has_news(struct conn *c) {
    char byte;
    size_t n = 0;
    ERR_clear_error();
    int done = SSL_peek_ex(c->ssl, &byte, 1, &n);
    int why = done == 1 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, done);
    ERR_clear_error();
    return why != SSL_ERROR_WANT_READ;
}

static void say_goodbye(struct conn *c, SSL *ssl) {
    if (ssl && !c->is_broken && !c->has_eof && SSL_is_init_finished(ssl)) {
        ERR_clear_error();
        SSL_shutdown(ssl);
        ERR_clear_error();
    }
    SSL_free(ssl);
}

void conn_tls_close(struct conn *c) {
    say_goodbye(c, c->ssl);
    say_goodbye(c, c->outer);
    c->ssl = c->outer = NULL;
}

bool conn_tls_ocsp(const struct conn *c, struct tls_ocsp *out) {
    return c->ssl && tls_ocsp_parse(c->ssl, out);
}
