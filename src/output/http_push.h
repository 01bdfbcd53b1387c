/* Blocking HTTP(S) for the threads of outputs: POSTs a body and gives the status, over one kept
 * connection. Not for VUs, whose requests are fibers (http/). libcurl does the work; it is loaded
 * when the first output asks for it, since linking it would cost every start 10 ms and 4 MB.
 *
 * One thread at a time may use an instance. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

struct http_push;

struct http_push_config {
    const char *user_agent;
    int64_t timeout_ns;              /* of a whole request; <= 0 = 5 s */
    const char *username, *password; /* basic auth when username is set */
    const char *proxy;               /* NULL = none; HTTP_PROXY and its like are not looked at */
    bool is_insecure;                /* certificates are not verified */
    int tls_min;                     /* 12 or 13; 0 = libcurl's own */
    const char *ca, *cert, *key;     /* PEM files, NULL = none */
    bool is_http2; /* HTTP/2 at once, also over plain TCP (gRPC); a connection a request */
    /* AWS signature version 4, when region is set. */
    const char *sigv4_region, *sigv4_service, *sigv4_access_key, *sigv4_secret_key;
};

/* What config points to is copied. NULL: libcurl is not on this machine (KE_NOT_FOUND), or an
 * option is refused (KE_CONFIG). */
struct http_push *http_push_new(const struct http_push_config *config, struct error *err);
void http_push_free(struct http_push *h);
/* "Name: value", sent with each request from now on. */
void http_push_header(struct http_push *h, const char *line);

#define HTTP_PUSH_ANSWER_MAX ((size_t)64 << 10)
struct http_push_answer {
    int status;
    char grpc_status[8]; /* of the trailers or headers, "" = none */
    char grpc_message[256];
    struct buf body; /* its first HTTP_PUSH_ANSWER_MAX bytes; buf_init by the caller */
};
/* 0 whatever the status is. Otherwise KE_IO or KE_TIMEOUT with Go's words: `Post "URL": dial tcp
 * 127.0.0.1:1: connect: connection refused`. */
int http_push_post(struct http_push *h, const char *url, struct slice body,
                   struct http_push_answer *answer, struct error *err);
