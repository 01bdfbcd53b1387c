#include "http_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"

#define CONNECTIONS_MAX 32

struct server_inside {
    struct server_step *steps;
    size_t n_steps;
    pthread_t thread;
    int listener, stop_read, stop_write;
    int fds[CONNECTIONS_MAX]; /* -1 = closed; the index is the number of the connection */
    struct buf in[CONNECTIONS_MAX];
};

static void send_all(int fd, const char *p, size_t n, size_t step) {
    while (n) {
        size_t part = n < step ? n : step;
        ssize_t sent = send(fd, p, part, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        p += sent;
        n -= (size_t)sent;
    }
}

static void send_reply(struct server *s, int fd, const struct server_step *step) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    if (step->reply_len) {
        buf_append(&b, step->reply, step->reply_len);
    } else {
        const char *at = step->reply ? step->reply : "", *mark;
        while ((mark = strstr(at, "%PORT%"))) {
            buf_append(&b, at, (size_t)(mark - at));
            buf_printf(&b, "%u", s->port);
            at = mark + 6;
        }
        buf_append_str(&b, at);
    }
    for (size_t i = 0; i < step->filler_bytes; i++)
        buf_append_char(&b, 'x');
    send_all(fd, b.ptr, b.len, step->dribbles ? 1 : SIZE_MAX);
    buf_release(&b);
}

/* Bytes of the first complete request in b, 0 when it is not complete. */
static size_t request_length(struct buf *b) {
    const char *text = buf_cstr(b);
    const char *end = strstr(text, "\r\n\r\n");
    if (!end)
        return 0;
    size_t head = (size_t)(end - text) + 4;
    const char *length = strstr(text, "\r\nContent-Length: ");
    if (length && length < end) {
        size_t n = head + (size_t)strtoul(length + 18, NULL, 10);
        return n <= b->len ? n : 0;
    }
    const char *coding = strstr(text, "\r\nTransfer-Encoding: chunked");
    if (coding && coding < end) {
        const char *last = strstr(end + 4, "0\r\n\r\n");
        return last ? (size_t)(last - text) + 5 : 0;
    }
    return head;
}

static void close_connection(struct server_inside *in, int i, bool resets) {
    if (resets) {
        struct linger linger = {1, 0};
        setsockopt(in->fds[i], SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    }
    close(in->fds[i]);
    in->fds[i] = -1;
}

static void serve(struct server *s, int i) {
    struct server_inside *in = s->inside;
    struct buf *b = &in->in[i];
    buf_reserve(b, 65536);
    ssize_t n = recv(in->fds[i], b->ptr + b->len, 65536, 0);
    if (n <= 0) {
        close_connection(in, i, false);
        return;
    }
    b->len += (size_t)n;
    size_t bytes;
    while (in->fds[i] >= 0 && (bytes = request_length(b)) > 0) {
        static const struct server_step none = {
            .reply = "HTTP/1.1 599 No More Steps\r\nContent-Length: 0\r\n\r\n"};
        int number = s->n_requests;
        const struct server_step *step = (size_t)number < in->n_steps ? &in->steps[number] : &none;
        if (number < SERVER_REQUESTS_MAX) {
            s->requests[number] = xstrndup(b->ptr, bytes);
            s->request_bytes[number] = bytes;
            s->connection_of[number] = i;
            s->n_requests++;
        }
        buf_consume(b, bytes);
        send_reply(s, in->fds[i], step);
        if (step->closes || step->resets)
            close_connection(in, i, step->resets);
    }
}

static void *run(void *arg) {
    struct server *s = arg;
    struct server_inside *in = s->inside;
    for (;;) {
        struct pollfd fds[CONNECTIONS_MAX + 2] = {{in->stop_read, POLLIN, 0},
                                                  {in->listener, POLLIN, 0}};
        for (int i = 0; i < s->n_connections; i++)
            fds[i + 2] = (struct pollfd){in->fds[i], POLLIN, 0};
        int n = s->n_connections;
        if (poll(fds, (nfds_t)n + 2, -1) < 0 && errno != EINTR)
            break;
        if (fds[0].revents)
            break;
        for (int i = 0; i < n; i++) {
            if (fds[i + 2].revents)
                serve(s, i);
        }
        if (fds[1].revents) {
            int fd = accept(in->listener, NULL, NULL), one = 1;
            CHECK(fd >= 0 && s->n_connections < CONNECTIONS_MAX);
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            in->fds[s->n_connections] = fd;
            buf_init(&in->in[s->n_connections], BUF_NO_CAP);
            s->n_connections++;
        }
    }
    return NULL;
}

struct server *server_start(const struct server_step *steps, size_t n_steps) {
    struct server *s = xcalloc(1, sizeof *s);
    struct server_inside *in = s->inside = xcalloc(1, sizeof *in);
    in->steps = xmalloc((n_steps + 1) * sizeof *steps);
    if (n_steps)
        memcpy(in->steps, steps, n_steps * sizeof *steps);
    in->n_steps = n_steps;
    in->listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    CHECK(bind(in->listener, (struct sockaddr *)&a, sizeof a) == 0);
    CHECK(listen(in->listener, 16) == 0);
    CHECK(getsockname(in->listener, (struct sockaddr *)&a, &len) == 0);
    s->port = ntohs(a.sin_port);
    int pipe_fds[2];
    CHECK(pipe(pipe_fds) == 0);
    in->stop_read = pipe_fds[0];
    in->stop_write = pipe_fds[1];
    CHECK(pthread_create(&in->thread, NULL, run, s) == 0);
    return s;
}

void server_stop(struct server *s) {
    struct server_inside *in = s->inside;
    if (!in)
        return;
    CHECK(write(in->stop_write, "x", 1) == 1);
    pthread_join(in->thread, NULL);
    for (int i = 0; i < s->n_connections; i++) {
        if (in->fds[i] >= 0)
            close(in->fds[i]);
        buf_release(&in->in[i]);
    }
    close(in->listener);
    close(in->stop_read);
    close(in->stop_write);
    free(in->steps);
    free(in);
    s->inside = NULL;
}

void server_free(struct server *s) {
    server_stop(s);
    for (int i = 0; i < s->n_requests; i++)
        free(s->requests[i]);
    free(s);
}
