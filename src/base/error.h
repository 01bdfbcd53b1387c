/* The one table of error codes. Functions return 0 or one of these negative codes; `struct error`
 * carries the words for the user and, for network errors, k6's error_code
 * (https://grafana.com/docs/k6: "Error codes"; see http/http_error.h).
 *
 * X(name, value, text, k6 error_code) */
#pragma once

#include <stdbool.h>

#define KILN_ERRORS(X)                                                                         \
    X(KE_FAILED, -1, "failed", 1000)                                                           \
    X(KE_CANCELED, -2, "context canceled", 1000)                                               \
    X(KE_TIMEOUT, -3, "request timeout", 1050)                                                 \
    X(KE_EOF, -4, "unexpected EOF", 1000)                                                      \
    X(KE_TOO_LARGE, -5, "too large", 1000)                                                     \
    X(KE_INVALID, -6, "invalid argument", 1000)                                                \
    X(KE_NOT_FOUND, -7, "no such file or directory", 1000)                                     \
    X(KE_IO, -8, "input/output error", 1000)                                                   \
    X(KE_URL, -20, "invalid URL", 1020)                                                        \
    X(KE_DNS, -30, "lookup failed", 1100)                                                      \
    X(KE_DNS_NO_HOST, -31, "lookup: no such host", 1101)                                       \
    X(KE_IP_BLOCKED, -32, "IP is in a blacklisted range", 1110)                                \
    X(KE_HOST_BLOCKED, -33, "hostname is in a blocked pattern", 1111)                          \
    X(KE_TCP, -40, "tcp error", 1200)                                                          \
    X(KE_TCP_BROKEN_PIPE, -41, "write: broken pipe", 1201)                                     \
    X(KE_TCP_ERRNO, -42, "tcp error", 1202)                                                    \
    X(KE_DIAL, -43, "dial failed", 1210)                                                       \
    X(KE_DIAL_TIMEOUT, -44, "dial: i/o timeout", 1211)                                         \
    X(KE_DIAL_REFUSED, -45, "dial: connection refused", 1212)                                  \
    X(KE_DIAL_ERRNO, -46, "dial failed", 1213)                                                 \
    X(KE_TCP_RESET, -47, "read: connection reset by peer", 1220)                               \
    X(KE_NET, -48, "network error", 1010)                                                      \
    X(KE_TLS, -50, "tls error", 1300)                                                          \
    X(KE_TLS_RECORD_HEADER, -51, "tls: first record does not look like a TLS handshake", 1301) \
    X(KE_X509_UNKNOWN_CA, -52, "x509: certificate signed by unknown authority", 1310)          \
    X(KE_X509_HOSTNAME, -53, "x509: certificate doesn't match hostname", 1311)                 \
    X(KE_HTTP_MALFORMED, -60, "malformed HTTP response", 1000)                                 \
    X(KE_HTTP_DECOMPRESS, -61, "response decompression failed", 1701)                          \
    X(KE_HTTP_REDIRECT, -62, "bad redirect", 1000)                                             \
    X(KE_JS, -70, "script exception", 0)                                                       \
    X(KE_JS_INTERRUPTED, -71, "context canceled", 0)                                           \
    X(KE_CONFIG, -80, "invalid configuration", 0)

enum kiln_error {
#define X(name, value, text, code) name = value,
    KILN_ERRORS(X)
#undef X
};

/* Errors of HTTP/2, which k6 numbers by kind and protocol code: KE_H2_STREAM - 1 - 7 is a refused
 * stream (1638); the bare kind stands for codes that RFC 9113 does not know. */
#define KE_H2 (-600)
#define KE_H2_GOAWAY (-610)
#define KE_H2_STREAM (-630)
#define KE_H2_CONNECTION (-650)
#define KE_H2_CODES 14

/* "KE_TIMEOUT: request timeout" style parts; unknown codes give "unknown error". */
const char *error_text(int code);
int error_k6_code(int code);

/* An error with its words. Plain data, no ownership; text is cut when too long. */
struct error {
    int code;       /* enum kiln_error */
    int sys_errno;  /* of a failed system call of the network, else 0 */
    char text[504]; /* for the user: what, where, what to do */
};

/* Fills *err (may be NULL) and returns code, so that `return error_set(err, KE_IO, "cannot open
 * '%s'", path);` works. */
int error_set(struct error *err, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
