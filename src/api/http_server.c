#include "api/http_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/list.h"
#include "base/log.h"

#define CONNECTION_MEMORY_BYTES ((size_t)32 * 1024)
#define STREAM_BLOCK_BYTES ((size_t)16 * 1024)
#define SILENCE_S 15u
/* For the last answers to be sent, before connections are cut. */
#define SEND_PATIENCE_S 1
/* What is too much is still read to its end, so that its sender sees the answer; but not for ever.
 */
#define MAX_DISCARDED_BYTES ((size_t)16 * 1024 * 1024)

struct http_server {
    struct http_server_config config;
    struct MHD_Daemon *daemon;
    size_t bodies_bytes; /* server's thread */
    pthread_mutex_t lock;
    pthread_cond_t sent;
    struct list resting; /* streams without anything to say */
    bool is_stopping;
    int n_handled; /* requests from the handler's call until their answer is sent */
};

enum request_state { REQUEST_READING, REQUEST_HANDLED, REQUEST_ANSWERED };

struct server_request {
    struct http_server *server;
    struct MHD_Connection *connection;
    char *method, *path;
    struct buf body;
    enum request_state state;
    int refusal; /* status of a request that is not handled; 0 = none */
    size_t discarded_bytes;
    /* the answer */
    int status;
    const char *content_type;
    char *content;
    size_t content_bytes;
    char *header_names[SERVER_HEADERS_MAX], *header_values[SERVER_HEADERS_MAX];
    int n_headers;
    struct server_stream stream; /* read NULL: content is the answer */
    struct list link;            /* of resting */
};

static struct server_request *request_new(struct http_server *s, struct MHD_Connection *connection,
                                          const char *path, const char *method) {
    struct server_request *r = xcalloc(1, sizeof *r);
    r->server = s;
    r->connection = connection;
    r->method = xstrdup(method);
    r->path = xstrdup(path);
    buf_init(&r->body, s->config.max_body_bytes);
    list_init(&r->link);
    return r;
}

static void drop_body(struct server_request *r) {
    r->server->bodies_bytes -= r->body.len;
    buf_release(&r->body);
    buf_init(&r->body, r->server->config.max_body_bytes);
}

static void request_free(struct server_request *r) {
    drop_body(r);
    for (int i = 0; i < r->n_headers; i++) {
        free(r->header_names[i]);
        free(r->header_values[i]);
    }
    if (r->stream.release != NULL)
        r->stream.release(r->stream.arg);
    free(r->method);
    free(r->path);
    free(r->content);
    free(r);
}

/* Reading and coming to rest are one step under the lock: what is new afterwards wakes it. */
static ssize_t read_stream(void *arg, uint64_t position, char *to, size_t max) {
    struct server_request *r = arg;
    struct http_server *s = r->server;
    (void)position;
    pthread_mutex_lock(&s->lock);
    long n = r->stream.read(r->stream.arg, to, max);
    if (n == 0 && s->is_stopping)
        n = -1;
    if (n == 0) {
        list_push_back(&s->resting, &r->link);
        MHD_suspend_connection(r->connection);
    }
    pthread_mutex_unlock(&s->lock);
    return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : n;
}

static struct MHD_Response *make_response(struct server_request *r) {
    if (r->stream.read != NULL)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_stream,
                                                 r, NULL);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(r->content_bytes, r->content, MHD_RESPMEM_MUST_FREE);
    if (response != NULL)
        r->content = NULL; /* the response's now */
    return response;
}

static enum MHD_Result queue_answer(struct server_request *r) {
    struct MHD_Response *response = make_response(r);
    if (response == NULL)
        return MHD_NO;
    for (int i = 0; i < r->n_headers; i++)
        MHD_add_response_header(response, r->header_names[i], r->header_values[i]);
    if (r->content_type != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, r->content_type);
    enum MHD_Result rc = MHD_queue_response(r->connection, (unsigned)r->status, response);
    MHD_destroy_response(response);
    return rc;
}

static void set_answer(struct server_request *r, int status, const char *content_type,
                       struct buf *body) {
    r->status = status;
    r->content_type = content_type;
    if (body != NULL)
        r->content = buf_detach(body, &r->content_bytes);
}

static enum MHD_Result refuse(struct server_request *r) {
    const struct http_server_config *cfg = &r->server->config;
    struct buf body;
    const char *type = NULL;
    buf_init(&body, BUF_NO_CAP);
    if (cfg->describe_error != NULL)
        type = cfg->describe_error(cfg->arg, r->refusal, &body);
    set_answer(r, r->refusal, type, &body);
    buf_release(&body);
    return queue_answer(r);
}

/* False: the peer does not stop sending. */
static bool take_body(struct server_request *r, const char *data, size_t len) {
    struct http_server *s = r->server;
    if (r->refusal == 0 && s->bodies_bytes + len > s->config.max_bodies_bytes)
        r->refusal = MHD_HTTP_SERVICE_UNAVAILABLE;
    else if (r->refusal == 0 && buf_append(&r->body, data, len) != 0)
        r->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
    if (r->refusal == 0) {
        s->bodies_bytes += len;
        return true;
    }
    drop_body(r);
    r->discarded_bytes += len;
    return r->discarded_bytes <= MAX_DISCARDED_BYTES;
}

static void count_handled(struct http_server *s, int change) {
    pthread_mutex_lock(&s->lock);
    s->n_handled += change;
    pthread_cond_signal(&s->sent);
    pthread_mutex_unlock(&s->lock);
}

static enum MHD_Result on_access(void *arg, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *data,
                                 size_t *data_bytes, void **slot) {
    struct http_server *s = arg;
    struct server_request *r = *slot;
    (void)version;
    if (r == NULL) {
        *slot = request_new(s, connection, url, method);
        return MHD_YES;
    }
    if (*data_bytes > 0) {
        bool goes_on = take_body(r, data, *data_bytes);
        *data_bytes = 0;
        return goes_on ? MHD_YES : MHD_NO;
    }
    if (r->refusal != 0)
        return refuse(r);
    if (r->state == REQUEST_ANSWERED)
        return queue_answer(r);
    /* Rests before the handler runs: whoever answers wakes it up, however early. */
    r->state = REQUEST_HANDLED;
    count_handled(s, 1);
    MHD_suspend_connection(connection);
    s->config.handle(s->config.arg, r);
    return MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode why) {
    struct server_request *r = *slot;
    (void)connection;
    (void)why;
    if (r == NULL)
        return;
    if (r->stream.read != NULL) {
        pthread_mutex_lock(&r->server->lock);
        list_remove(&r->link); /* in case it rests */
        pthread_mutex_unlock(&r->server->lock);
    }
    if (r->state != REQUEST_READING)
        count_handled(arg, -1);
    request_free(r);
    *slot = NULL;
}

static void on_message(void *arg, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
static void on_message(void *arg, const char *fmt, va_list ap) {
    struct buf text;
    (void)arg;
    if (!log_enabled(LOG_DEBUG))
        return;
    buf_init(&text, BUF_NO_CAP);
    buf_vprintf(&text, fmt, ap);
    log_printf(LOG_DEBUG, "HTTP server: %.*s", SLICE_FMT(slice_trim(buf_slice(&text))));
    buf_release(&text);
}

static struct MHD_Daemon *start_daemon(struct http_server *s) {
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_LISTEN_SOCKET, s->config.fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, HTTP_SERVER_CONNECTIONS, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, SILENCE_S, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)CONNECTION_MEMORY_BYTES, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, s},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_ERROR_LOG;
    return MHD_start_daemon(flags, 0, NULL, NULL, on_access, s, MHD_OPTION_EXTERNAL_LOGGER,
                            on_message, NULL, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
}

struct http_server *http_server_start(const struct http_server_config *cfg, struct error *err) {
    struct http_server *s = xcalloc(1, sizeof *s);
    sigset_t all, before;
    s->config = *cfg;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->sent, NULL);
    list_init(&s->resting);
    /* Signals are the main thread's business. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s->daemon = start_daemon(s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (s->daemon != NULL)
        return s;
    error_set(err, KE_FAILED, "cannot start the HTTP server: %s", strerror(errno));
    close(cfg->fd);
    free(s);
    return NULL;
}

/* With the lock held. */
static void wake_streams(struct http_server *s) {
    while (!list_empty(&s->resting)) {
        struct server_request *r = container_of(s->resting.next, struct server_request, link);
        list_remove(&r->link);
        MHD_resume_connection(r->connection);
    }
}

void http_server_wake_streams(struct http_server *s) {
    pthread_mutex_lock(&s->lock);
    wake_streams(s);
    pthread_mutex_unlock(&s->lock);
}

void http_server_stop(struct http_server *s) {
    struct timespec end;
    int rc = 0;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += SEND_PATIENCE_S;
    pthread_mutex_lock(&s->lock);
    s->is_stopping = true;
    wake_streams(s);
    while (s->n_handled > 0 && rc == 0)
        rc = pthread_cond_timedwait(&s->sent, &s->lock, &end);
    pthread_mutex_unlock(&s->lock);
    MHD_stop_daemon(s->daemon);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->sent);
    free(s);
}

const char *server_request_method(const struct server_request *r) {
    return r->method;
}

const char *server_request_path(const struct server_request *r) {
    return r->path;
}

struct slice server_request_body(const struct server_request *r) {
    return buf_slice(&r->body);
}

const char *server_request_header(const struct server_request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

void server_request_answer(struct server_request *r, int status, const char *content_type,
                           struct buf *body) {
    set_answer(r, status, content_type, body);
    r->state = REQUEST_ANSWERED;
    MHD_resume_connection(r->connection);
}

void server_request_add_header(struct server_request *r, const char *name, const char *value) {
    CHECK(r->n_headers < SERVER_HEADERS_MAX);
    r->header_names[r->n_headers] = xstrdup(name);
    r->header_values[r->n_headers++] = xstrdup(value);
}

void server_request_stream(struct server_request *r, int status, const char *content_type,
                           const struct server_stream *stream) {
    r->stream = *stream;
    set_answer(r, status, content_type, NULL);
    r->state = REQUEST_ANSWERED;
    MHD_resume_connection(r->connection);
}
