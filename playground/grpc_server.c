#include "grpc_server.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "grpc_conn.h"
#include "grpc_schema.h"

#define EVENTS_A_TURN 256
#define READ_BYTES (64 * 1024)
#define CONNECTIONS_MAX 20000

struct peer {
    struct list link;
    int fd;
    struct grpc_conn *conn;
    struct buf out;
    size_t sent;
    bool is_ending; /* close once out is sent */
    bool waits_to_write;
};

struct grpc_server {
    int epoll_fd, stop_fd;
    int listen_fds[2]; /* by kind */
    struct list peers;
    size_t n_peers;
    pthread_t thread;
    char room[READ_BYTES];
};

static void watch(struct grpc_server *s, int op, int fd, uint32_t events, void *data) {
    struct epoll_event e = {.events = events, .data.ptr = data};
    CHECK(epoll_ctl(s->epoll_fd, op, fd, &e) == 0);
}

static void peer_close(struct grpc_server *s, struct peer *p) {
    close(p->fd);
    grpc_conn_free(p->conn);
    buf_release(&p->out);
    list_remove(&p->link);
    s->n_peers--;
    free(p);
}

static void accept_peers(struct grpc_server *s, enum grpc_conn_kind kind) {
    for (;;) {
        int fd = accept4(s->listen_fds[kind], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        if (s->n_peers >= CONNECTIONS_MAX) {
            close(fd);
            continue;
        }
        struct peer *p = xcalloc(1, sizeof *p);
        p->fd = fd;
        p->conn = grpc_conn_new(kind);
        buf_init(&p->out, BUF_NO_CAP);
        list_push_back(&s->peers, &p->link);
        s->n_peers++;
        watch(s, EPOLL_CTL_ADD, fd, EPOLLIN, p);
    }
}

/* Sends what there is, as far as the socket takes it. False: the connection is over. */
static bool peer_send(struct grpc_server *s, struct peer *p) {
    for (;;) {
        if (p->sent == p->out.len) {
            buf_reset(&p->out);
            p->sent = 0;
            if (p->is_ending)
                return false;
            p->is_ending = !grpc_conn_drain(p->conn, &p->out);
            if (p->out.len == 0 && !p->is_ending)
                break;
            if (p->out.len == 0)
                return false;
        }
        ssize_t n = send(p->fd, p->out.ptr + p->sent, p->out.len - p->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n < 0)
            break;
        p->sent += (size_t)n;
    }
    /* Who does not take its answers is not read from. */
    bool waits = p->sent < p->out.len;
    if (waits != p->waits_to_write)
        watch(s, EPOLL_CTL_MOD, p->fd, waits ? EPOLLOUT : EPOLLIN, p);
    p->waits_to_write = waits;
    return true;
}

/* One read a turn, so that nobody waits for a peer that sends without end. */
static bool peer_read(struct grpc_server *s, struct peer *p) {
    ssize_t n = recv(p->fd, s->room, sizeof s->room, 0);
    if (n > 0)
        return grpc_conn_feed(p->conn, s->room, (size_t)n);
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void peer_ready(struct grpc_server *s, struct peer *p, uint32_t events) {
    bool is_good = !(events & (EPOLLERR | EPOLLHUP));
    if (is_good && events & EPOLLOUT)
        is_good = peer_send(s, p);
    if (is_good && events & EPOLLIN)
        is_good = peer_read(s, p);
    /* What the peer is told when it broke the protocol goes out, too. */
    bool goes_on = peer_send(s, p);
    if (!is_good || !goes_on)
        peer_close(s, p);
}

static void *serve(void *arg) {
    struct grpc_server *s = arg;
    struct epoll_event events[EVENTS_A_TURN];
    for (;;) {
        int n = epoll_wait(s->epoll_fd, events, EVENTS_A_TURN, -1);
        for (int i = 0; i < n; i++) {
            void *what = events[i].data.ptr;
            if (what == &s->stop_fd)
                return NULL;
            if (what == &s->listen_fds[GRPC_CONN_CALLS])
                accept_peers(s, GRPC_CONN_CALLS);
            else if (what == &s->listen_fds[GRPC_CONN_HEALTH])
                accept_peers(s, GRPC_CONN_HEALTH);
            else
                peer_ready(s, what, events[i].events);
        }
    }
}

int grpc_server_start(struct grpc_server **out, int grpc_fd, int health_fd, struct error *err) {
    struct grpc_server *s = xcalloc(1, sizeof *s);
    grpc_schema_prepare();
    list_init(&s->peers);
    s->listen_fds[GRPC_CONN_CALLS] = grpc_fd;
    s->listen_fds[GRPC_CONN_HEALTH] = health_fd;
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    s->stop_fd = eventfd(0, EFD_CLOEXEC);
    CHECK(s->epoll_fd >= 0 && s->stop_fd >= 0);
    watch(s, EPOLL_CTL_ADD, s->stop_fd, EPOLLIN, &s->stop_fd);
    for (int i = 0; i < 2; i++)
        watch(s, EPOLL_CTL_ADD, s->listen_fds[i], EPOLLIN, &s->listen_fds[i]);
    if (pthread_create(&s->thread, NULL, serve, s) != 0) {
        close(s->epoll_fd);
        close(s->stop_fd);
        free(s);
        return error_set(err, KE_FAILED, "cannot start a thread for gRPC");
    }
    *out = s;
    return 0;
}

void grpc_server_stop(struct grpc_server *s) {
    if (s == NULL)
        return;
    uint64_t one = 1;
    CHECK(write(s->stop_fd, &one, sizeof one) == sizeof one);
    pthread_join(s->thread, NULL);
    while (!list_empty(&s->peers))
        peer_close(s, container_of(s->peers.next, struct peer, link));
    close(s->listen_fds[0]);
    close(s->listen_fds[1]);
    close(s->epoll_fd);
    close(s->stop_fd);
    free(s);
}
