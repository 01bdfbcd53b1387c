#include "api/dashboard.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "api/api_internal.h"
#include "api/listen.h"
#include "base/check.h"

#define BODY_MAX_BYTES ((size_t)4096)
#define BODIES_MAX_BYTES ((size_t)1 << 20)
#define HTML "text/html; charset=utf-8"

struct dashboard {
    struct dashboard_config config;
    struct http_server *server;
    char *url;
    pthread_mutex_t lock;
    struct api *api; /* under the lock */
};

struct reader {
    struct dashboard *dashboard;
    struct event_cursor cursor;
};

/* ---- answers, on the server's thread */

static void answer_text(struct server_request *r, int status, const char *text) {
    struct buf body;
    buf_init(&body, BUF_NO_CAP);
    buf_append_str(&body, text);
    server_request_answer(r, status, API_TEXT, &body);
    buf_release(&body);
}

static void answer_error(struct server_request *r, int status, const char *title,
                         const char *detail) {
    struct buf body;
    buf_init(&body, BUF_NO_CAP);
    api_write_error(&body, status, title, detail);
    server_request_answer(r, status, API_JSON, &body);
    buf_release(&body);
}

static void answer_root(struct dashboard *d, struct server_request *r) {
    (void)d;
    server_request_add_header(r, "Location", "/ui/?endpoint=/");
    server_request_answer(r, 307, NULL, NULL);
}

/* A page that others cannot frame, and that is never older than the program. */
static void protect(struct server_request *r) {
    server_request_add_header(r, "X-Content-Type-Options", "nosniff");
    server_request_add_header(r, "X-Frame-Options", "DENY");
    server_request_add_header(r, "Referrer-Policy", "no-referrer");
    server_request_add_header(r, "Cache-Control", "no-store");
}

static void answer_page(struct dashboard *d, struct server_request *r) {
    struct buf body;
    buf_init(&body, BUF_NO_CAP);
    buf_append_slice(&body, d->config.page);
    protect(r);
    server_request_answer(r, 200, HTML, &body);
    buf_release(&body);
}

static void answer_report(struct dashboard *d, struct server_request *r) {
    struct buf body;
    buf_init(&body, BUF_NO_CAP);
    d->config.write_report(d->config.arg, &body);
    protect(r);
    server_request_answer(r, 200, HTML, &body);
    buf_release(&body);
}

static long read_events(void *arg, char *to, size_t max) {
    struct reader *reader = arg;
    return (long)event_log_read(reader->dashboard->config.events, &reader->cursor, to, max);
}

static void release_reader(void *arg) {
    struct reader *reader = arg;
    event_cursor_release(reader->dashboard->config.events, &reader->cursor);
    free(reader);
}

static void answer_events(struct dashboard *d, struct server_request *r) {
    struct reader *reader = xcalloc(1, sizeof *reader);
    reader->dashboard = d;
    server_request_add_header(r, "Access-Control-Allow-Origin", "*");
    server_request_add_header(r, "Cache-Control", "no-cache");
    server_request_stream(r, 200, "text/event-stream",
                          &(struct server_stream){read_events, release_reader, reader});
}

/* Takes the same time wherever they differ. */
static bool is_token(const char *expected, const char *given) {
    size_t len = strlen(expected);
    unsigned char differs = 0;
    if (given == NULL || strlen(given) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        differs |= (unsigned char)(expected[i] ^ given[i]);
    return differs == 0;
}

static void answer_control(struct dashboard *d, struct server_request *r) {
    if (d->config.token == NULL) {
        answer_error(r, 404, "Not Found", "the REST API is off: there is nothing to control");
        return;
    }
    if (!is_token(d->config.token, server_request_header(r, "X-Kiln-Token"))) {
        answer_error(r, 403, "Forbidden",
                     "the token is missing or wrong: kiln logs it at its start");
        return;
    }
    pthread_mutex_lock(&d->lock);
    if (d->api != NULL)
        api_control(d->api, r);
    else
        answer_error(r, 503, "Shutting down", "the test is over");
    pthread_mutex_unlock(&d->lock);
}

static const struct dashboard_route {
    const char *method, *path;
    void (*answer)(struct dashboard *d, struct server_request *r);
} routes[] = {
    {"GET", "/", answer_root},
    {"GET", "/ui/", answer_page},
    {"GET", "/ui/index.html", answer_page},
    {"GET", "/events", answer_events},
    {"GET", "/report", answer_report},
    {"POST", "/control", answer_control},
};

static void handle(void *arg, struct server_request *r) {
    struct dashboard *d = arg;
    const char *path = server_request_path(r), *method = server_request_method(r);
    /* What HEAD gets is GET's answer; the server leaves its body out. */
    if (strcmp(method, "HEAD") == 0 && strcmp(path, "/events") != 0)
        method = "GET";
    for (size_t i = 0; i < countof(routes); i++) {
        if (strcmp(path, routes[i].path) != 0)
            continue;
        if (strcmp(method, routes[i].method) == 0)
            routes[i].answer(d, r);
        else
            answer_text(r, 405, "Method Not Allowed\n");
        return;
    }
    answer_text(r, 404, "404 page not found\n");
}

/* ---- life */

static int bound_port(int fd) {
    struct sockaddr_storage at;
    socklen_t size = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &size) != 0)
        return 0;
    return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
                                          : ((struct sockaddr_in *)&at)->sin_port);
}

static char *join_address(const char *host, int port) {
    bool is_v6 = strchr(host, ':') != NULL && host[0] != '[';
    return xasprintf(is_v6 ? "[%s]:%d" : "%s:%d", host, port);
}

struct dashboard *dashboard_start(const struct dashboard_config *config, struct error *err) {
    int fd;
    const char *host = *config->host != '\0' ? config->host : "127.0.0.1";
    char *address = join_address(host, config->port);
    int rc = api_listen(address, &fd, err);
    free(address);
    if (rc != 0)
        return NULL;
    struct dashboard *d = xcalloc(1, sizeof *d);
    d->config = *config;
    pthread_mutex_init(&d->lock, NULL);
    address = join_address(host, bound_port(fd));
    d->url = xasprintf("http://%s", address);
    free(address);
    struct http_server_config server = {.fd = fd,
                                        .max_body_bytes = BODY_MAX_BYTES,
                                        .max_bodies_bytes = BODIES_MAX_BYTES,
                                        .handle = handle,
                                        .arg = d};
    d->server = http_server_start(&server, err);
    if (d->server != NULL)
        return d;
    free(d->url);
    free(d);
    return NULL;
}

const char *dashboard_url(const struct dashboard *d) {
    return d->url;
}

void dashboard_set_api(struct dashboard *d, struct api *api) {
    pthread_mutex_lock(&d->lock);
    d->api = api;
    pthread_mutex_unlock(&d->lock);
}

void dashboard_wake(struct dashboard *d) {
    http_server_wake_streams(d->server);
}

void dashboard_stop(struct dashboard *d) {
    if (d == NULL)
        return;
    http_server_stop(d->server);
    pthread_mutex_destroy(&d->lock);
    free(d->url);
    free(d);
}
