#include "h2_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"

#define CONNECTIONS_MAX 64
#define WAITERS_MAX 128

struct peer {
    struct h2_server *server;
    int index, fd;
    nghttp2_session *ng;
    bool ends;    /* when what was submitted is out */
    bool is_shut; /* half closed; a close at once could become a reset */
};

struct exchange { /* a request, and the body of its response */
    int number;
    char path[128];
    struct buf fields;
    size_t left;
    bool has_trailers, resets_after;
    uint32_t reset_code;
};

struct h2_server_inside {
    pthread_t thread;
    int listener, stop_read, stop_write;
    uint32_t max_streams;
    struct peer peers[CONNECTIONS_MAX];
    struct {
        struct peer *peer;
        int32_t id;
    } waiting[WAITERS_MAX];
    int n_waiting;
    bool has_refused, has_gone, has_released;
};

/* ---------------------------------------------------------------- answers */

static nghttp2_nv nv(const char *name, const char *value) {
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static ssize_t body(nghttp2_session *ng, int32_t id, uint8_t *to, size_t bytes, uint32_t *flags,
                    nghttp2_data_source *source, void *arg) {
    struct exchange *x = source->ptr;
    size_t n = x->left < bytes ? x->left : bytes;
    (void)arg;
    if (x->left == 5 && n == 5)
        memcpy(to, "hello", 5);
    else
        memset(to, 'x', n);
    x->left -= n;
    if (x->left)
        return (ssize_t)n;
    if (x->resets_after) {
        if (n == 0) {
            nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, id, x->reset_code);
            return NGHTTP2_ERR_DEFERRED;
        }
        return (ssize_t)n;
    }
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (x->has_trailers) {
        nghttp2_nv trailer = nv("x-trailer", "late");
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_submit_trailer(ng, id, &trailer, 1);
    }
    return (ssize_t)n;
}

static void respond(struct peer *p, int32_t id, const char *status, const char *length,
                    size_t bytes, const nghttp2_nv *more, size_t n_more) {
    struct exchange *x = nghttp2_session_get_stream_user_data(p->ng, id);
    if (!x)
        return; /* reset by the client while it waited */
    nghttp2_nv fields[8] = {nv(":status", status)};
    size_t n = 1;
    if (length)
        fields[n++] = nv("content-length", length);
    for (size_t i = 0; i < n_more; i++)
        fields[n++] = more[i];
    x->left = bytes;
    nghttp2_data_provider provider = {.source.ptr = x, .read_callback = body};
    nghttp2_submit_response(p->ng, id, fields, n, bytes ? &provider : NULL);
}

static void hello(struct peer *p, int32_t id) {
    respond(p, id, "200", "5", 5, NULL, 0);
}

static bool starts(const char *path, const char *with, const char **rest) {
    size_t n = strlen(with);
    if (strncmp(path, with, n) != 0)
        return false;
    *rest = path + n;
    return true;
}

static void release(struct h2_server_inside *in) {
    for (int i = 0; i < in->n_waiting; i++)
        hello(in->waiting[i].peer, in->waiting[i].id);
    in->n_waiting = 0;
    in->has_released = true;
}

/* What ends connections or streams. */
static bool answer_badly(struct peer *p, int32_t id, struct exchange *x) {
    struct h2_server_inside *in = p->server->inside;
    const char *rest;
    if (starts(x->path, "/rst/", &rest)) {
        nghttp2_submit_rst_stream(p->ng, NGHTTP2_FLAG_NONE, id, (uint32_t)strtoul(rest, NULL, 10));
    } else if (starts(x->path, "/rst-body/", &rest)) {
        x->resets_after = true;
        x->reset_code = (uint32_t)strtoul(rest, NULL, 10);
        respond(p, id, "200", NULL, 5, NULL, 0);
    } else if (strcmp(x->path, "/refuse-once") == 0 && !in->has_refused) {
        in->has_refused = true;
        nghttp2_submit_rst_stream(p->ng, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    } else if (strcmp(x->path, "/goaway") == 0) {
        hello(p, id);
        nghttp2_submit_goaway(p->ng, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR, NULL, 0);
    } else if (starts(x->path, "/goaway-unseen/", &rest) && !in->has_gone) {
        in->has_gone = true;
        nghttp2_submit_goaway(p->ng, NGHTTP2_FLAG_NONE, id - 2 > 0 ? id - 2 : 0,
                              (uint32_t)strtoul(rest, NULL, 10), NULL, 0);
    } else if (starts(x->path, "/goaway-die/", &rest)) {
        nghttp2_submit_goaway(p->ng, NGHTTP2_FLAG_NONE, id, (uint32_t)strtoul(rest, NULL, 10),
                              (const uint8_t *)"calm \"down\"", 11);
        p->ends = true;
    } else if (strcmp(x->path, "/die") == 0) {
        p->ends = true;
    } else if (strcmp(x->path, "/junk") == 0) {
        /* DATA on stream 0. */
        CHECK(send(p->fd, "\0\0\1\0\0\0\0\0\0x", 10, MSG_NOSIGNAL) == 10);
    } else {
        return false;
    }
    return true;
}

static void answer(struct peer *p, int32_t id, struct exchange *x) {
    struct h2_server_inside *in = p->server->inside;
    const char *rest;
    if (answer_badly(p, id, x))
        return;
    if (starts(x->path, "/bytes/", &rest)) {
        respond(p, id, "200", rest, (size_t)strtoul(rest, NULL, 10), NULL, 0);
    } else if (strcmp(x->path, "/redirect") == 0) {
        nghttp2_nv location = nv("location", "/hello");
        respond(p, id, "302", "5", 5, &location, 1);
    } else if (strcmp(x->path, "/cookie") == 0) {
        nghttp2_nv cookies[] = {nv("set-cookie", "a=1"), nv("set-cookie", "b=2")};
        respond(p, id, "200", "5", 5, cookies, 2);
    } else if (strcmp(x->path, "/early") == 0) {
        nghttp2_nv early[] = {nv(":status", "103"), nv("link", "</style.css>")};
        nghttp2_submit_headers(p->ng, NGHTTP2_FLAG_NONE, id, NULL, early, 2, NULL);
        hello(p, id);
    } else if (strcmp(x->path, "/trailers") == 0) {
        x->has_trailers = true;
        hello(p, id);
    } else if (strcmp(x->path, "/short") == 0) {
        respond(p, id, "200", "10", 5, NULL, 0);
    } else if (strcmp(x->path, "/long") == 0) {
        respond(p, id, "200", "2", 5, NULL, 0);
    } else if (starts(x->path, "/status/", &rest)) {
        respond(p, id, rest, NULL, 0, NULL, 0);
    } else if (strcmp(x->path, "/echo") == 0) {
        char text[24];
        snprintf(text, sizeof text, "%zu", p->server->body_bytes[x->number]);
        nghttp2_nv field = nv("x-length", text);
        respond(p, id, "200", "5", 5, &field, 1);
    } else if (strcmp(x->path, "/wait") == 0 && !in->has_released) {
        in->waiting[in->n_waiting].peer = p;
        in->waiting[in->n_waiting++].id = id;
    } else if (strcmp(x->path, "/never") != 0) {
        hello(p, id);
    }
}

/* ---------------------------------------------------------------- events */

static int begin(nghttp2_session *ng, const nghttp2_frame *frame, void *arg) {
    (void)arg;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct exchange *x = xcalloc(1, sizeof *x);
    buf_init(&x->fields, BUF_NO_CAP);
    nghttp2_session_set_stream_user_data(ng, frame->hd.stream_id, x);
    return 0;
}

static int header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
                  size_t name_bytes, const uint8_t *value, size_t value_bytes, uint8_t flags,
                  void *arg) {
    struct exchange *x = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    (void)flags;
    (void)arg;
    buf_printf(&x->fields, "%.*s: %.*s\n", (int)name_bytes, name, (int)value_bytes, value);
    if (name_bytes == 5 && memcmp(name, ":path", 5) == 0)
        snprintf(x->path, sizeof x->path, "%.*s", (int)value_bytes, value);
    return 0;
}

static int data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n,
                void *arg) {
    struct peer *p = arg;
    struct exchange *x = nghttp2_session_get_stream_user_data(ng, id);
    (void)flags;
    (void)bytes;
    if (x)
        p->server->body_bytes[x->number] += n;
    return 0;
}

static int frame_came(nghttp2_session *ng, const nghttp2_frame *frame, void *arg) {
    struct peer *p = arg;
    struct h2_server *s = p->server;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct exchange *x = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    if (!x)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        CHECK(s->n_requests < H2_REQUESTS_MAX);
        x->number = s->n_requests++;
        s->requests[x->number] = xstrdup(buf_cstr(&x->fields));
        s->connection_of[x->number] = p->index;
    }
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        answer(p, frame->hd.stream_id, x);
    return 0;
}

static int closed(nghttp2_session *ng, int32_t id, uint32_t code, void *arg) {
    struct exchange *x = nghttp2_session_get_stream_user_data(ng, id);
    (void)code;
    (void)arg;
    if (!x)
        return 0;
    buf_release(&x->fields);
    free(x);
    nghttp2_session_set_stream_user_data(ng, id, NULL);
    return 0;
}

/* ---------------------------------------------------------------- connections */

static void peer_start(struct peer *p, struct h2_server *s, int index, int fd) {
    nghttp2_session_callbacks *calls;
    nghttp2_option *option;
    *p = (struct peer){.server = s, .index = index, .fd = fd};
    CHECK(nghttp2_session_callbacks_new(&calls) == 0 && nghttp2_option_new(&option) == 0);
    nghttp2_option_set_no_http_messaging(option, 1);
    nghttp2_session_callbacks_set_on_begin_headers_callback(calls, begin);
    nghttp2_session_callbacks_set_on_header_callback(calls, header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, frame_came);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, closed);
    CHECK(nghttp2_session_server_new2(&p->ng, calls, p, option) == 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(calls);
    uint32_t max = s->inside->max_streams;
    nghttp2_settings_entry setting = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, max};
    nghttp2_submit_settings(p->ng, NGHTTP2_FLAG_NONE, &setting, max ? 1 : 0);
}

static void peer_end(struct peer *p) {
    struct h2_server_inside *in = p->server->inside;
    if (p->fd < 0)
        return;
    close(p->fd);
    p->fd = -1;
    /* nghttp2 does not call back for streams that it deletes with the session. */
    for (int32_t id = 1; id < 4096; id += 2)
        closed(p->ng, id, 0, p);
    nghttp2_session_del(p->ng);
    for (int i = 0; i < in->n_waiting; i++) {
        if (in->waiting[i].peer == p)
            in->waiting[i--] = in->waiting[--in->n_waiting];
    }
}

static bool peer_write(struct peer *p) {
    if (p->is_shut)
        return true;
    const uint8_t *bytes;
    ssize_t n;
    while ((n = nghttp2_session_mem_send(p->ng, &bytes)) > 0) {
        while (n > 0) {
            ssize_t sent = send(p->fd, bytes, (size_t)n, MSG_NOSIGNAL);
            if (sent <= 0)
                return false;
            bytes += sent;
            n -= sent;
        }
    }
    if (n == 0 && !p->ends && nghttp2_session_want_read(p->ng))
        return true;
    p->is_shut = n == 0 && shutdown(p->fd, SHUT_WR) == 0;
    return p->is_shut;
}

static void peer_serve(struct peer *p) {
    uint8_t in[65536];
    ssize_t n = recv(p->fd, in, sizeof in, 0);
    if (n > 0 && p->is_shut)
        return;
    if (n <= 0 || nghttp2_session_mem_recv(p->ng, in, (size_t)n) < 0) {
        peer_end(p);
        return;
    }
    if (!peer_write(p))
        peer_end(p);
}

static void write_all(struct h2_server *s) {
    for (int i = 0; i < s->n_connections; i++) {
        struct peer *p = &s->inside->peers[i];
        if (p->fd >= 0 && !peer_write(p))
            peer_end(p);
    }
}

static void accept_one(struct h2_server *s) {
    struct h2_server_inside *in = s->inside;
    int fd = accept(in->listener, NULL, NULL), one = 1;
    CHECK(fd >= 0 && s->n_connections < CONNECTIONS_MAX);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct peer *p = &in->peers[s->n_connections];
    peer_start(p, s, s->n_connections++, fd);
    if (!peer_write(p))
        peer_end(p);
}

static void *run(void *arg) {
    struct h2_server *s = arg;
    struct h2_server_inside *in = s->inside;
    for (;;) {
        struct pollfd fds[CONNECTIONS_MAX + 2] = {{in->stop_read, POLLIN, 0},
                                                  {in->listener, POLLIN, 0}};
        int n = s->n_connections;
        for (int i = 0; i < n; i++)
            fds[i + 2] = (struct pollfd){in->peers[i].fd, POLLIN, 0};
        poll(fds, (nfds_t)n + 2, -1);
        if (fds[0].revents) {
            char why;
            CHECK(read(in->stop_read, &why, 1) == 1);
            if (why == 'x')
                return NULL;
            release(in);
            write_all(s);
        }
        for (int i = 0; i < n; i++) {
            if (fds[i + 2].revents && in->peers[i].fd >= 0)
                peer_serve(&in->peers[i]);
        }
        if (fds[1].revents)
            accept_one(s);
    }
}

struct h2_server *h2_server_start(uint32_t max_streams) {
    struct h2_server *s = xcalloc(1, sizeof *s);
    struct h2_server_inside *in = s->inside = xcalloc(1, sizeof *in);
    in->max_streams = max_streams;
    in->listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    CHECK(bind(in->listener, (struct sockaddr *)&a, sizeof a) == 0);
    CHECK(listen(in->listener, 64) == 0);
    CHECK(getsockname(in->listener, (struct sockaddr *)&a, &len) == 0);
    s->port = ntohs(a.sin_port);
    int pipe_fds[2];
    CHECK(pipe(pipe_fds) == 0);
    in->stop_read = pipe_fds[0];
    in->stop_write = pipe_fds[1];
    CHECK(pthread_create(&in->thread, NULL, run, s) == 0);
    return s;
}

void h2_server_release(struct h2_server *s) {
    CHECK(write(s->inside->stop_write, "r", 1) == 1);
}

void h2_server_stop(struct h2_server *s) {
    struct h2_server_inside *in = s->inside;
    if (!in)
        return;
    CHECK(write(in->stop_write, "x", 1) == 1);
    pthread_join(in->thread, NULL);
    for (int i = 0; i < s->n_connections; i++)
        peer_end(&in->peers[i]);
    close(in->listener);
    close(in->stop_read);
    close(in->stop_write);
    free(in);
    s->inside = NULL;
}

void h2_server_free(struct h2_server *s) {
    h2_server_stop(s);
    for (int i = 0; i < s->n_requests; i++)
        free(s->requests[i]);
    free(s);
}
