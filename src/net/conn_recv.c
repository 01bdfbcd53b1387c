#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/conn_internal.h"

#ifdef SO_TIMESTAMPNS

#define OFFSET_TTL_NS (20 * NS_PER_MS)
/* An arrival longer ago than this is a step of the wall clock. */
#define ARRIVAL_MAX_AGE_NS NS_PER_S

/* Wall clock minus monotonic clock, as of a moment ago: the wall clock is slewed. */
static int64_t wall_offset_ns(int64_t now_ns) {
    static _Thread_local struct { int64_t offset_ns, read_ns; } last;
    if (now_ns - last.read_ns > OFFSET_TTL_NS || now_ns < last.read_ns) {
        struct timespec wall;
        clock_gettime(CLOCK_REALTIME, &wall);
        last.read_ns = clock_now_ns();
        last.offset_ns = wall.tv_sec * NS_PER_S + wall.tv_nsec - last.read_ns;
    }
    return last.offset_ns;
}

void conn_recv_init(struct conn *c) {
    int one = 1;
    setsockopt(c->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
}

ssize_t conn_recv(struct conn *c, void *buf, size_t bytes) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(struct timespec))];
    } control;
    struct iovec iov = {.iov_base = buf, .iov_len = bytes};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof control};
    ssize_t n = recvmsg(c->fd, &msg, 0);
    if (n <= 0)
        return n;
    c->arrival_wall_ns = 0;
    if (msg.msg_controllen >= CMSG_LEN(sizeof(struct timespec)) &&
        control.head.cmsg_level == SOL_SOCKET && control.head.cmsg_type == SCM_TIMESTAMPNS) {
        struct timespec at;
        memcpy(&at, CMSG_DATA(&control.head), sizeof at);
        c->arrival_wall_ns = at.tv_sec * NS_PER_S + at.tv_nsec;
    }
    return n;
}

int64_t conn_arrival_ns(const struct conn *c, int64_t event_ns) {
    if (!c->arrival_wall_ns)
        return event_ns;
    int64_t age_ns = event_ns - (c->arrival_wall_ns - wall_offset_ns(event_ns));
    return age_ns > 0 && age_ns < ARRIVAL_MAX_AGE_NS ? event_ns - age_ns : event_ns;
}

#else

void conn_recv_init(struct conn *c) {
    (void)c;
}

ssize_t conn_recv(struct conn *c, void *buf, size_t bytes) {
    return recv(c->fd, buf, bytes, 0);
}

int64_t conn_arrival_ns(const struct conn *c, int64_t event_ns) {
    (void)c;
    return event_ns;
}

#endif
