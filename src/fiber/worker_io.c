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
    struct fiber *reader, *writer; /* may be one fiber */
    struct list dead;              /* linked once freed */
    int fd;
    uint32_t registered; /* epoll events */
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

/* False when nobody waits. A waiter that was resumed already (cancelled, timed out, the other
 * direction) is about to run. */
static bool waiter_resume(struct fiber *waiter) {
    if (waiter && fiber_is_suspended(waiter))
        fiber_resume(waiter, 0);
    return waiter != NULL;
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
    if (events & IO_READ && !waiter_resume(io->reader)) {
        /* It would be reported every turn; an error even with an empty mask, but that wakes a
         * writer too. */
        io->is_dirty = true;
        io_watch(io, io->writer ? io->registered & EPOLLOUT : 0);
    }
    if (events & IO_WRITE && !waiter_resume(io->writer) && io->registered & EPOLLOUT)
        io_watch(io, epoll_mask(IO_READ));
}

struct worker_io *worker_io_new(struct worker *w, int fd) {
    struct worker_io *io = xcalloc(1, sizeof *io);
    io->watch.happened = io_happened;
    io->worker = w;
    io->fd = fd;
    return io;
}

static void io_bury(struct worker_io *io) {
    CHECK(!io->reader && !io->writer);
    io->is_dead = true;
    list_push_back(&io->worker->dead_ios, &io->dead);
}

void worker_io_free(struct worker_io *io) {
    if (!io)
        return;
    io_watch(io, 0);
    io_bury(io);
}

/* Unregisters although the close would do it: while a child process is being started, its copy of
 * the descriptor keeps the registration, and events would name memory that is gone. */
void worker_io_close(struct worker_io *io) {
    if (!io)
        return;
    int fd = io->fd;
    worker_io_free(io);
    close(fd);
}

void worker_free_dead_ios(struct worker *w) {
    struct list *item;
    while ((item = list_pop_front(&w->dead_ios)))
        free(container_of(item, struct worker_io, dead));
}

int worker_io_wait(struct worker_io *io, int events, int64_t deadline_ns) {
    struct fiber *f = fiber_self();
    CHECK(!(events & IO_READ && io->reader) && !(events & IO_WRITE && io->writer));
    if (events & IO_READ) {
        io->reader = f;
        io->is_dirty = false;
    }
    if (events & IO_WRITE)
        io->writer = f;
    /* Reading stays registered, room to write does not. */
    uint32_t mask =
        epoll_mask(events) | (io->writer ? EPOLLOUT : 0) | (io->registered & ~(uint32_t)EPOLLOUT);
    if (mask != io->registered)
        io_watch(io, mask);
    int rc = fiber_suspend(FIBER_WAITING, deadline_ns);
    if (events & IO_READ)
        io->reader = NULL;
    if (events & IO_WRITE)
        io->writer = NULL;
    return rc;
}

void worker_io_rouse(struct worker_io *io) {
    waiter_resume(io->reader);
}

bool worker_io_is_dirty(const struct worker_io *io) {
    return io->is_dirty;
}
