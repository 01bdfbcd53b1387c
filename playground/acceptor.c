#include "acceptor.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/error.h"

/* How long to leave alone a system that has no files left. */
#define EXHAUSTED_WAIT_MS 20

struct acceptor {
    int listen_fd;
    int stop_fd;
    acceptor_fn fn;
    void *arg;
    pthread_t thread;
};

/* Takes all that wait. False when the system cannot give any more now. */
static bool accept_all(struct acceptor *a) {
    for (;;) {
        struct sockaddr_storage address;
        socklen_t size = sizeof address;
        int fd =
            accept4(a->listen_fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            a->fn(a->arg, fd, (struct sockaddr *)&address, size);
        else if (errno == EAGAIN)
            return true;
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return false;
        /* else the peer has gone already, or a signal came: the next one */
    }
}

static void *run(void *arg) {
    struct acceptor *a = arg;
    struct pollfd fds[] = {{.fd = a->stop_fd, .events = POLLIN},
                           {.fd = a->listen_fd, .events = POLLIN}};
    bool is_exhausted = false;
    for (;;) {
        int count = is_exhausted ? poll(fds, 1, EXHAUSTED_WAIT_MS) : poll(fds, countof(fds), -1);
        if (count > 0 && fds[0].revents != 0)
            return NULL;
        is_exhausted = !accept_all(a);
    }
}

int acceptor_start(struct acceptor **out, int listen_fd, acceptor_fn fn, void *arg) {
    struct acceptor *a = xcalloc(1, sizeof *a);
    *a = (struct acceptor){.listen_fd = listen_fd, .fn = fn, .arg = arg};
    a->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (a->stop_fd < 0 || pthread_create(&a->thread, NULL, run, a) != 0) {
        if (a->stop_fd >= 0)
            close(a->stop_fd);
        free(a);
        return KE_FAILED;
    }
    *out = a;
    return 0;
}

void acceptor_stop(struct acceptor *a) {
    if (a == NULL)
        return;
    const uint64_t one = 1;
    CHECK(write(a->stop_fd, &one, sizeof one) == sizeof one);
    pthread_join(a->thread, NULL);
    close(a->listen_fd);
    close(a->stop_fd);
    free(a);
}
