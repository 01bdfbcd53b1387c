#include "server.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "acceptor.h"
#include "access_log.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/vec.h"
#include "base/random.h"
#include "config.h"
#include "dispatch.h"
#include "metrics.h"
#include "request.h"
#include "wakeup.h"
#include "workers.h"
#include "ws_hub.h"

#define CONNECTION_MEMORY_BYTES ((size_t)16 << 10)
/* A body that passes the limit is read to its end, so that its sender reads the 413; but not for
 * ever. */
#define MAX_DISCARDED_BYTES ((size_t)32 << 20)

struct server {
    const struct app *app;
    struct MHD_Daemon *daemon;
    struct acceptor *acceptor;
    struct wakeup *wakeup;
    struct workers *workers;
    struct ws_hub *hub;
    struct router router;
    pthread_mutex_t shared_lock;
    VEC(_Atomic(void *) *) shared; /* where blobs keep the library's form of themselves */
};

enum exchange_state { EXCHANGE_READING, EXCHANGE_WAITING, EXCHANGE_ANSWERED };

/* One request on a connection, from its first line to the end of the answer. */
struct exchange {
    struct server *server;
    struct MHD_Connection *connection;
    struct request request;
    enum exchange_state state;
    size_t discarded_bytes;
};

static const enum MHD_ValueKind kinds[] = {
    [FIELD_HEADER] = MHD_HEADER_KIND,
    [FIELD_COOKIE] = MHD_COOKIE_KIND,
    [FIELD_QUERY] = MHD_GET_ARGUMENT_KIND,
};

static const char *lookup(void *source, enum request_field field, const char *name) {
    return MHD_lookup_connection_value(source, kinds[field], name);
}

struct visitor {
    request_visit visit;
    void *arg;
};

static enum MHD_Result visit_value(void *arg, enum MHD_ValueKind kind, const char *name,
                                   const char *value) {
    const struct visitor *visitor = arg;
    (void)kind;
    visitor->visit(visitor->arg, name, value != NULL ? value : "");
    return MHD_YES;
}

static void each(void *source, enum request_field field, request_visit visit, void *arg) {
    struct visitor visitor = {visit, arg};
    MHD_get_connection_values(source, kinds[field], visit_value, &visitor);
}

static void add_common_headers(struct MHD_Response *native, const char *content_type,
                               bool is_cross_origin) {
    if (content_type != NULL)
        MHD_add_response_header(native, "Content-Type", content_type);
    MHD_add_response_header(native, "Vary", "Origin");
    if (is_cross_origin) {
        MHD_add_response_header(native, "Access-Control-Allow-Origin", "*");
        MHD_add_response_header(native, "Access-Control-Allow-Credentials", "true");
        MHD_add_response_header(native, "Access-Control-Expose-Headers", "Link");
    }
}

struct chunked_body {
    char *data;
    size_t size;
    bool is_owned;
};

static ssize_t read_chunked(void *arg, uint64_t position, char *out, size_t room) {
    const struct chunked_body *body = arg;
    if (position >= body->size)
        return MHD_CONTENT_READER_END_OF_STREAM;
    size_t left = body->size - (size_t)position;
    size_t size = left < room ? left : room;
    memcpy(out, body->data + position, size);
    return (ssize_t)size;
}

static void free_chunked(void *arg) {
    struct chunked_body *body = arg;
    if (body->is_owned)
        free(body->data);
    free(body);
}

static struct MHD_Response *chunked_response(char *data, size_t size, bool is_owned) {
    struct chunked_body *body = xmalloc(sizeof *body);
    *body = (struct chunked_body){data, size, is_owned};
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, size < 32768 ? size : 32768,
                                             read_chunked, body, free_chunked);
}

static ssize_t read_random(void *arg, uint64_t position, char *out, size_t room) {
    const uint64_t *size = arg;
    if (position >= *size)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (room > *size - position)
        room = (size_t)(*size - position);
    for (size_t i = 0; i < room; i += sizeof(uint64_t)) {
        const uint64_t random = random_u64();
        memcpy(out + i, &random, room - i < sizeof random ? room - i : sizeof random);
    }
    return (ssize_t)room;
}

static struct MHD_Response *random_response(uint64_t size) {
    uint64_t *arg = xmalloc(sizeof *arg);
    *arg = size;
    const uint64_t length = size > RESPONSE_CHUNKED_ABOVE ? MHD_SIZE_UNKNOWN : size;
    return MHD_create_response_from_callback(length, 32768, read_random, arg, free);
}

static struct MHD_Response *create_blob_response(const struct blob *blob, bool is_cross_origin) {
    struct MHD_Response *native;
    char *data = (char *)blob->body.ptr;
    if (blob->body.len > RESPONSE_CHUNKED_ABOVE && !blob->is_file)
        native = chunked_response(data, blob->body.len, false);
    else
        native = MHD_create_response_from_buffer(blob->body.len, data, MHD_RESPMEM_PERSISTENT);
    CHECK(native != NULL);
    add_common_headers(native, blob->content_type, is_cross_origin);
    if (blob->is_file)
        MHD_add_response_header(native, "Accept-Ranges", "bytes");
    if (blob->header.name != NULL)
        MHD_add_response_header(native, blob->header.name, blob->header.value);
    return native;
}

/* The library's form of a constant answer, made at its first use and kept until the server stops.
 */
static struct MHD_Response *shared_response(struct server *s, struct blob *blob,
                                            bool is_cross_origin) {
    struct MHD_Response *native = atomic_load(&blob->native[is_cross_origin]);
    if (native != NULL)
        return native;
    pthread_mutex_lock(&s->shared_lock);
    native = atomic_load(&blob->native[is_cross_origin]);
    if (native == NULL) {
        native = create_blob_response(blob, is_cross_origin);
        vec_push(&s->shared, &blob->native[is_cross_origin]);
        atomic_store(&blob->native[is_cross_origin], native);
    }
    pthread_mutex_unlock(&s->shared_lock);
    return native;
}

static void release_upgraded(void *handle) {
    MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

static void on_upgrade(void *hub, struct MHD_Connection *connection, void *exchange,
                       const char *early, size_t early_bytes, MHD_socket fd,
                       struct MHD_UpgradeResponseHandle *handle) {
    (void)connection;
    (void)exchange;
    ws_hub_adopt(hub, fd, early, early_bytes, release_upgraded, handle);
}

static struct MHD_Response *create_response(struct server *s, struct request *r) {
    struct response *response = &r->response;
    struct MHD_Response *native;
    if (response->is_upgrade) {
        native = MHD_create_response_for_upgrade(on_upgrade, s->hub);
    } else if (response->random_bytes > 0) {
        native = random_response(response->random_bytes);
    } else {
        size_t size;
        char *data = buf_detach(&response->body, &size);
        if (size > RESPONSE_CHUNKED_ABOVE && !response->has_length)
            native = chunked_response(data, size, true);
        else
            native = MHD_create_response_from_buffer(size, data, MHD_RESPMEM_MUST_FREE);
    }
    CHECK(native != NULL);
    add_common_headers(native, response->content_type, r->is_cross_origin);
    for (size_t i = 0; i < response->header_count; i++)
        MHD_add_response_header(native, response->headers[i].name, response->headers[i].value);
    return native;
}

static size_t body_bytes(const struct response *response) {
    if (response->blob != NULL)
        return response->blob->body.len;
    return response->random_bytes > 0 ? (size_t)response->random_bytes : response->body.len;
}

static enum MHD_Result send_answer(struct exchange *x) {
    struct server *s = x->server;
    struct request *r = &x->request;
    struct blob *blob = r->response.blob;
    x->state = EXCHANGE_ANSWERED;
    access_log_request(s->app->log, r, body_bytes(&r->response));
    metrics_request(s->app->metrics, r);

    /* A response read through a callback is locked while it is sent: not one to share. */
    bool is_shared = blob != NULL && (blob->is_file || blob->body.len <= RESPONSE_CHUNKED_ABOVE);
    struct MHD_Response *native;
    if (is_shared)
        native = shared_response(s, blob, r->is_cross_origin);
    else if (blob != NULL)
        native = create_blob_response(blob, r->is_cross_origin);
    else
        native = create_response(s, r);
    enum MHD_Result result =
        MHD_queue_response(x->connection, (unsigned)r->response.status, native);
    if (!is_shared)
        MHD_destroy_response(native);
    return result;
}

static void resume(void *exchange) {
    struct exchange *x = exchange;
    MHD_resume_connection(x->connection);
}

/* The answer to a suspended connection is complete; it is sent when it is to have taken long
 * enough. */
static void finish(struct exchange *x) {
    const int64_t wait_ns = x->request.response.wait_ns;
    if (wait_ns <= 0 || wakeup_add(x->server->wakeup, clock_now_ns() + wait_ns, x) != 0)
        resume(x);
}

/* On a thread of the workers. */
static void finish_later(void *exchange, bool is_canceled) {
    struct exchange *x = exchange;
    if (is_canceled)
        reply_empty(&x->request, 503);
    else
        x->request.response.later(&x->request);
    finish(x);
}

/* The request is complete: answers it, now or later. */
static enum MHD_Result answer(struct exchange *x) {
    struct request *r = &x->request;
    dispatch(&x->server->router, r);
    if (r->response.wait_ns <= 0 && r->response.later == NULL)
        return send_answer(x);

    /* Suspended first: the wakeup may come before the call that asks for it returns. */
    x->state = EXCHANGE_WAITING;
    MHD_suspend_connection(x->connection);
    if (r->response.later != NULL)
        workers_add(x->server->workers, x);
    else
        finish(x);
    return MHD_YES;
}

static enum MHD_Result refuse_body(struct exchange *x) {
    reply_error(&x->request, 413, "http: request body too large");
    return send_answer(x);
}

/* A body passes its limit: some routes have a higher one. */
static bool raise_body_limit(struct exchange *x) {
    struct request *r = &x->request;
    const struct route *route = router_find(&x->server->router, r);
    if (route == NULL || (route->flags & ROUTE_LARGE_BODY) == 0)
        return false;
    r->body.cap = REQUEST_BODY_LARGE_BYTES;
    return true;
}

static void take_body(struct exchange *x, const char *data, size_t size) {
    struct buf *body = &x->request.body;
    if (x->discarded_bytes == 0 && buf_append(body, data, size) == 0)
        return;
    if (x->discarded_bytes == 0 && raise_body_limit(x) && buf_append(body, data, size) == 0)
        return;
    x->discarded_bytes += size;
}

static enum MHD_Result begin(struct server *s, struct MHD_Connection *connection, const char *url,
                             const char *method, void **exchange) {
    struct exchange *x = xmalloc(sizeof *x);
    x->server = s;
    x->connection = connection;
    x->state = EXCHANGE_READING;
    x->discarded_bytes = 0;
    *exchange = x;

    struct request *r = &x->request;
    request_init(r);
    r->app = s->app;
    r->lookup = lookup;
    r->each = each;
    r->source = connection;
    r->method = http_method_parse(method);
    r->method_name = method;
    r->path = url;
    const char *length = request_header(r, "Content-Length");
    if (length != NULL && strtoull(length, NULL, 10) > MAX_DISCARDED_BYTES)
        return refuse_body(x);
    return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_bytes, void **exchange) {
    (void)version;
    struct server *s = arg;
    struct exchange *x = *exchange;
    if (x == NULL)
        return begin(s, connection, url, method, exchange);
    if (*data_bytes > 0) {
        take_body(x, data, *data_bytes);
        *data_bytes = 0;
        return x->discarded_bytes <= MAX_DISCARDED_BYTES ? MHD_YES : MHD_NO;
    }
    switch (x->state) {
    case EXCHANGE_READING:
        return x->discarded_bytes == 0 ? answer(x) : refuse_body(x);
    case EXCHANGE_WAITING:
        return send_answer(x);
    default:
        return MHD_YES;
    }
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **exchange,
                         enum MHD_RequestTerminationCode code) {
    (void)arg;
    (void)connection;
    (void)code;
    struct exchange *x = *exchange;
    if (x == NULL)
        return;
    request_release(&x->request);
    free(x);
    *exchange = NULL;
}

/* The library puts it on one of its threads, by the number of the file. */
static void on_connection(void *arg, int fd, const struct sockaddr *address, socklen_t size) {
    struct server *s = arg;
    MHD_add_connection(s->daemon, fd, address, size); /* closes it when that fails */
}

/* As many connections as the system lets this process have. */
static unsigned raise_connection_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1000;
    limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > 128 ? (unsigned)limit.rlim_cur - 64 : 64;
}

int server_start(struct server **out, const struct app *app, int listen_fd, struct error *err) {
    struct server *s = xcalloc(1, sizeof *s);
    s->app = app;
    pthread_mutex_init(&s->shared_lock, NULL);
    dispatch_routes(&s->router, app->config->services);
    if (wakeup_start(&s->wakeup, resume) != 0) {
        server_stop(s);
        return error_set(err, KE_FAILED, "cannot start the timer thread");
    }
    if (workers_start(&s->workers, app->config->threads, finish_later) != 0) {
        server_stop(s);
        return error_set(err, KE_FAILED, "cannot start the worker threads");
    }
    if (ws_hub_start(&s->hub, app->metrics) != 0) {
        server_stop(s);
        return error_set(err, KE_FAILED, "cannot start the WebSocket thread");
    }
    unsigned flags = MHD_ALLOW_UPGRADE | MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_TURBO | MHD_USE_NO_LISTEN_SOCKET;
    /* The library takes one thread for "no pool". */
    unsigned pool = app->config->threads > 1 ? app->config->threads : 0;
    s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_THREAD_POOL_SIZE,
                                 pool, MHD_OPTION_CONNECTION_LIMIT, raise_connection_limit(),
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES,
                                 MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    if (s->daemon == NULL || acceptor_start(&s->acceptor, listen_fd, on_connection, s) != 0) {
        close(listen_fd);
        server_stop(s);
        return error_set(err, KE_FAILED, "cannot start the server threads");
    }
    *out = s;
    return 0;
}

void server_stop(struct server *s) {
    if (s == NULL)
        return;
    acceptor_stop(s->acceptor);
    if (s->wakeup != NULL)
        wakeup_stop(s->wakeup);
    if (s->workers != NULL)
        workers_stop(s->workers);
    if (s->hub != NULL)
        ws_hub_stop(s->hub);
    if (s->daemon != NULL)
        MHD_stop_daemon(s->daemon);
    ws_hub_free(s->hub);
    workers_free(s->workers);
    wakeup_free(s->wakeup);
    for (size_t i = 0; i < s->shared.len; i++)
        MHD_destroy_response(atomic_exchange(s->shared.ptr[i], NULL));
    vec_release(&s->shared);
    pthread_mutex_destroy(&s->shared_lock);
    free(s);
}
