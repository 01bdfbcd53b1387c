#include "output/udp.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

static int connect_to(const char *host, const char *port, struct error *err) {
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *list = NULL;
    int rc = getaddrinfo(host[0] ? host : "localhost", port, &hints, &list), fd = -1;
    if (rc)
        return error_set(err, KE_IO, "lookup %s: %s", host, gai_strerror(rc));
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen)) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    return fd >= 0 ? fd : error_set(err, KE_IO, "dial udp %s:%s: %s", host, port, strerror(errno));
}

int udp_open(struct slice address, const char *default_port, struct error *err) {
    char *host = slice_dup(address), *start = host, *end = NULL;
    const char *port = default_port;
    if (host[0] == '[' && (end = strchr(host, ']')) != NULL) {
        *end = '\0';
        start = host + 1;
        if (end[1] == ':')
            port = end + 2;
    } else if ((end = strrchr(host, ':')) != NULL) {
        *end = '\0';
        port = end + 1;
    }
    int fd = connect_to(start, port, err);
    free(host);
    return fd;
}

void udp_close(int fd) {
    if (fd >= 0)
        close(fd);
}

/* ECONNREFUSED is the answer to an earlier datagram: this one was not sent yet. */
static int send_one(int fd, struct slice data) {
    for (int i = 0; i < 3; i++) {
        if (send(fd, data.ptr, data.len, 0) >= 0)
            return 0;
        if (errno != EINTR && errno != ECONNREFUSED)
            return errno;
    }
    return 0;
}

int udp_send_lines(int fd, struct slice lines, size_t max_bytes) {
    int failure = 0;
    while (lines.len) {
        size_t take = 0;
        while (take < lines.len) {
            const char *newline = memchr(lines.ptr + take, '\n', lines.len - take);
            size_t next = newline ? (size_t)(newline - lines.ptr) + 1 : lines.len;
            if (take > 0 && next > max_bytes)
                break;
            take = next;
        }
        int rc = send_one(fd, slice_from(lines.ptr, take));
        failure = failure ? failure : rc;
        lines = slice_from(lines.ptr + take, lines.len - take);
    }
    errno = failure;
    return failure ? KE_IO : 0;
}
