/* An HTTP server for measurements: answers each GET with a small document after a delay of a known
 * pattern (delays.h). A request counts from when the kernel got it. When it is told to end it
 * prints the percentiles of the delays as they really were.
 *
 *     cc -O2 -o /tmp/delay_server bench/delay_server.c -lm && /tmp/delay_server PORT [PATTERN…]
 *
 * Requests have to be small, without a body, and not pipelined. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "delays.h"

static const char response[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                               "Content-Length: 15\r\n\r\n{\"pizza\":\"yes\"}";

static unsigned *generations; /* by descriptor; odd while it is open */
static int n_fds;

static void respond(const struct answer *a) {
    int64_t took_ns = now_ns() - a->got_ns;
    if (send(a->fd, response, sizeof response - 1, MSG_NOSIGNAL) > 0)
        sample_add(took_ns);
}

static void respond_to_due(void) {
    while (heap_len && heap[0].due_ns <= now_ns()) {
        struct answer a = heap_pop();
        if (generations[a.fd] == a.generation)
            respond(&a);
    }
}

static int64_t wall_minus_monotonic_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec - now_ns();
}

static void on_readable(int fd) {
    char in[4096], room[128];
    struct iovec iov = {in, sizeof in};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    ssize_t n = recvmsg(fd, &msg, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        generations[fd]++;
        close(fd);
        return;
    }
    if (n < 4 || memcmp(in + n - 4, "\r\n\r\n", 4) != 0)
        return; /* the rest of the head comes */
    struct answer a = {.got_ns = now_ns(), .fd = fd, .generation = generations[fd]};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    if (c && c->cmsg_type == SCM_TIMESTAMPNS) {
        struct timespec t;
        memcpy(&t, CMSG_DATA(c), sizeof t);
        a.got_ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec - wall_minus_monotonic_ns();
    }
    int64_t delay_ns = pattern_next_ns();
    a.due_ns = a.got_ns + delay_ns;
    if (delay_ns)
        heap_push(&a);
    else
        respond(&a);
}

static void accept_all(int epoll, int listener) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (fd >= n_fds) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
        generations[fd]++;
        struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
    }
}

int main(int argc, char **argv) {
    struct epoll_event events[64];
    if (argc < 2) {
        fprintf(stderr, "usage: delay_server PORT [PATTERN…]\n");
        return 2;
    }
    pattern_read(argc - 2, argv + 2);
    n_fds = (int)sysconf(_SC_OPEN_MAX);
    generations = calloc((size_t)n_fds, sizeof *generations);
    int epoll = epoll_create1(0), listener = listen_on(argv[1], epoll);
    while (!is_ending) {
        struct timespec wait = heap_wait();
        int n = epoll_pwait2(epoll, events, 64, &wait, NULL);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                accept_all(epoll, listener);
            else
                on_readable(events[i].data.fd);
            respond_to_due();
        }
        respond_to_due();
    }
    samples_print();
    return 0;
}
