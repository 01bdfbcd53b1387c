/* A client and a scripted server for one test: the body of the test runs on a fiber. */
#pragma once

#include "base/error.h"
#include "fiber/worker.h"
#include "http/http_client.h"
#include "http_server.h"

struct run {
    struct worker *worker;
    struct server *server;
    struct http_client_config config; /* may be filled before */
    struct host_override hosts[2];    /* one.test and two.test are the server */
    struct http_client *client;
    struct conn_counters counters;
    void (*body)(struct run *r);
    struct http_response *response; /* the latest */
    char hops[1024];                /* "GET 302 /path;" for each call of on_hop */
};

/* Starts the server with the steps and runs body on a fiber. Afterwards the server is stopped and
 * its records are there, to be freed with server_free. */
void run_with(struct run *r, const struct server_step *steps, size_t n_steps,
              void (*body)(struct run *r));
#define RUN(r, steps, body) run_with(r, steps, sizeof(steps) / sizeof((steps)[0]), body)

/* A request with sensible defaults. */
struct http_request request(struct run *r, const char *method);
/* Does req on http://127.0.0.1:port + path (or on path itself when it is a URL; "%PORT%" in it is
 * replaced); the response is r->response. */
int fetch(struct run *r, struct http_request *req, const char *path);
int get(struct run *r, const char *path);
/* Text with the server's port as PORT and other ports of loopback as N. Static buffer. */
const char *without_ports(const struct run *r, const char *text);

#define OK_REPLY(length, body) \
    { .reply = "HTTP/1.1 200 OK\r\nContent-Length: " #length "\r\n\r\n" body }
