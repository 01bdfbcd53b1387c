#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/check.h"
#include "fiber/internal.h"

/* ---------------------------------------------------------------- poll */

void poll_set(int epoll_fd, int fd, struct poll_watch *watch, uint32_t was, uint32_t now) {
    struct epoll_event ev = {.events = now, .data.ptr = watch};
    int op = !now ? EPOLL_CTL_DEL : was ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (was == now)
        return;
    /* EEXIST and ENOENT: a closed descriptor took its registration along, its number came back. */
    if (epoll_ctl(epoll_fd, op, fd, &ev) == 0 || op == EPOLL_CTL_DEL)
        return;
    op = errno == EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    CHECK(epoll_ctl(epoll_fd, op, fd, &ev) == 0);
}

void worker_poll(struct worker *w, int timeout_ms) {
    struct epoll_event events[POLL_EVENTS_A_TURN];
    if (!list_empty(&w->ready))
        timeout_ms = 0;
    int n = epoll_wait(w->epoll_fd, events, countof(events), timeout_ms);
    CHECK(n >= 0 || errno == EINTR);
    for (int i = 0; i < n; i++) {
        struct poll_watch *watch = events[i].data.ptr;
        watch->happened(watch, events[i].events);
    }
    worker_free_dead_ios(w);
}

/* ---------------------------------------------------------------- descriptors of fibers */

struct worker_io {
    struct poll_watch watch;
    struct worker *worker;
    struct fiber *waiter;
    struct list dead; /* linked once freed */
    int fd;
    uint32_t registered; /* epoll events */
    uint8_t wanted;      /* of the waiter: IO_READ | IO_WRITE */
    bool is_dirty;
    bool is_dead;
};

static uint32_t epoll_mask(int events) {
    return (events & IO_READ ? EPOLLIN | EPOLLRDHUP : 0) | (events & IO_WRITE ? EPOLLOUT : 0);
}

static void io_watch(struct worker_io *io, uint32_t mask) {
    poll_set(io->worker->epoll_fd, io->fd, &io->watch, io->registered, mask);
    io->registered = mask;
}

static void io_happened(struct poll_watch *watch, uint32_t epoll_events) {
    struct worker_io *io = container_of(watch, struct worker_io, watch);
    if (io->is_dead)
        return;
    int events = 0;
    if (epoll_events & (EPOLLIN | EPOLLRDHUP))
        events |= IO_READ;
    if (epoll_events & EPOLLOUT)
        events |= IO_WRITE;
    if (epoll_events & (EPOLLERR | EPOLLHUP))
        events = IO_READ | IO_WRITE;
    if (io->waiter) {
        if (!fiber_is_suspended(io->waiter))
            return; /* cancelled or timed out, about to run */
        if (events & io->wanted) {
            fiber_resume(io->waiter, 0);
            events &= ~io->wanted;
            io->waiter = NULL;
        }
    }
    /* What nobody waits for would be reported every turn. An error is reported whatever the mask
     * says: with no waiter nothing is watched then. */
    if (events & ~io->wanted & IO_READ) {
        io->is_dirty = true;
        io_watch(io, io->waiter ? io->registered & EPOLLOUT : 0);
    } else if (events & ~io->wanted & IO_WRITE) {
        io_watch(io, epoll_mask(IO_READ));
    }
}

struct worker_io *worker_io_new(struct worker *w, int fd) {
    struct worker_io *io = xcalloc(1, sizeof *io);
    io->watch.happened = io_happened;
    io->worker = w;
    io->fd = fd;
    return io;
}

static void io_bury(struct worker_io *io) {
    CHECK(!io->waiter);
    io->is_dead = true;
    list_push_back(&io->worker->dead_ios, &io->dead);
}

void worker_io_free(struct worker_io *io) {
    if (!io)
        return;
    io_watch(io, 0);
    io_bury(io);
}

void worker_io_close(struct worker_io *io) {
    if (!io)
        return;
    close(io->fd);
    io_bury(io);
}

void worker_free_dead_ios(struct worker *w) {
    struct list *item;
    while ((item = list_pop_front(&w->dead_ios)))
        free(container_of(item, struct worker_io, dead));
}

int worker_io_wait(struct worker_io *io, int events, int64_t deadline_ns) {
    CHECK(!io->waiter);
    uint32_t mask = epoll_mask(events);
    if (mask & ~io->registered || io->registered & ~mask & EPOLLOUT)
        io_watch(io, mask | (io->registered & ~(uint32_t)EPOLLOUT));
    if (events & IO_READ)
        io->is_dirty = false;
    io->waiter = fiber_self();
    io->wanted = (uint8_t)events;
    int rc = fiber_suspend(FIBER_WAITING, deadline_ns);
    io->waiter = NULL;
    io->wanted = 0;
    return rc;
}

bool worker_io_is_dirty(const struct worker_io *io) {
    return io->is_dirty;
}
