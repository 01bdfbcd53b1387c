/* A small HTTP/1.1 server on a thread of its own, for the REST API (and whatever else wants to be
 * seen by a browser while a test runs). It never runs on a worker.
 *
 *     server = http_server_start(&config, &err);
 *     handle(arg, request): server_request_answer(request, 200, "text/plain", &body);
 *     http_server_stop(server);
 *
 * The handler is called on the server's thread when a request's body is complete, and must not
 * wait: the answer may be given at once, or later by any thread. Until then the connection rests
 * and costs nothing; others are served meanwhile.
 *
 * Limits: HTTP_SERVER_CONNECTIONS connections, bodies of max_body_bytes (413 above), all bodies
 * together of max_bodies_bytes (503 above), 15 s for a peer that goes silent. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

#define HTTP_SERVER_CONNECTIONS 1024

struct http_server;
struct server_request;

struct http_server_config {
    int fd; /* listens; taken over, also on failure */
    size_t max_body_bytes, max_bodies_bytes;
    void (*handle)(void *arg, struct server_request *request);
    /* Answers that the server gives by itself (413, 503), as JSON or what the caller likes; NULL:
     * an empty body. Fills *out and returns its content type. */
    const char *(*describe_error)(void *arg, int status, struct buf *out);
    void *arg;
};

/* NULL with *err when the thread cannot be started. */
struct http_server *http_server_start(const struct http_server_config *cfg, struct error *err);
/* Every request that reached the handler must have been answered. Waits for a second at most until
 * the answers are sent, and closes all connections. */
void http_server_stop(struct http_server *s);

/* Any thread, until the request is answered. */
const char *server_request_method(const struct server_request *r);
/* Without the query; percent-decoded. */
const char *server_request_path(const struct server_request *r);
struct slice server_request_body(const struct server_request *r);
/* A header's value or NULL; in the handler only. */
const char *server_request_header(const struct server_request *r, const char *name);

/* Adds a header to the answer that is to come. Any thread, until the request is answered; name and
 * value are copied. At most SERVER_HEADERS_MAX. */
#define SERVER_HEADERS_MAX 8
void server_request_add_header(struct server_request *r, const char *name, const char *value);

/* Any thread, once. Takes body's content (it is empty afterwards; NULL = none). content_type is
 * static or NULL. The request is gone afterwards. */
void server_request_answer(struct server_request *r, int status, const char *content_type,
                           struct buf *body);

/* An answer without a known end, such as server-sent events. */
struct server_stream {
    /* The server's thread, its lock held: puts up to max bytes at to. 0: nothing yet, asked again
     * after http_server_wake_streams; negative: this is the end. Must not wait. */
    long (*read)(void *arg, char *to, size_t max);
    void (*release)(void *arg); /* the server's thread; may be NULL */
    void *arg;
};
/* Any thread, once, instead of server_request_answer. A stream that the peer does not read costs
 * nothing but itself. http_server_stop ends all streams once their read has nothing more. */
void server_request_stream(struct server_request *r, int status, const char *content_type,
                           const struct server_stream *stream);
/* Any thread: there is something new to read. */
void http_server_wake_streams(struct http_server *s);
