#include "net/net_error.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *net_errno_text(int sys_errno, char *out) {
    char buf[NET_ERRNO_TEXT_MAX];
    const char *text = strerror_r(sys_errno, buf, sizeof buf); /* GNU's */
    snprintf(out, NET_ERRNO_TEXT_MAX, "%s", text);
    if (out[0] && islower((unsigned char)out[1]))
        out[0] = (char)tolower((unsigned char)out[0]);
    return out;
}

int net_error_wait(struct error *err, int rc) {
    return error_set(err, rc, "%s", error_text(rc));
}

static int with_errno(struct error *err, int rc, int sys_errno) {
    if (err)
        err->sys_errno = sys_errno;
    return rc;
}

int net_error_dial(struct error *err, const char *call, int sys_errno,
                   const union sockaddr_any *local, const union sockaddr_any *peer) {
    char words[NET_ERRNO_TEXT_MAX], from[SOCKADDR_TEXT_MAX + 2] = "", to[SOCKADDR_TEXT_MAX];
    int code = sys_errno == ECONNREFUSED ? KE_DIAL_REFUSED : KE_DIAL_ERRNO;
    if (sys_errno == ECONNRESET)
        code = KE_TCP_RESET;
    if (local) {
        sockaddr_text(local, from, SOCKADDR_TEXT_MAX);
        memcpy(from + strlen(from), "->", 3);
    }
    sockaddr_text(peer, to, sizeof to);
    error_set(err, code, "dial tcp %s%s: %s: %s", from, to, call, net_errno_text(sys_errno, words));
    return with_errno(err, code, sys_errno);
}

/* "127.0.0.1:1234->127.0.0.1:80"; out has ROUTE_TEXT_MAX bytes. */
#define ROUTE_TEXT_MAX (2 * SOCKADDR_TEXT_MAX + 2)
static const char *route_text(int fd, const union sockaddr_any *peer, char *out) {
    char from[SOCKADDR_TEXT_MAX], to[SOCKADDR_TEXT_MAX];
    union sockaddr_any local = {0};
    socklen_t len = sizeof local;
    if (getsockname(fd, &local.sa, &len) != 0)
        local.sa.sa_family = AF_UNSPEC;
    sockaddr_text(&local, from, sizeof from);
    sockaddr_text(peer, to, sizeof to);
    snprintf(out, ROUTE_TEXT_MAX, "%s->%s", from, to);
    return out;
}

int net_error_io(struct error *err, const char *op, int sys_errno, int fd,
                 const union sockaddr_any *peer) {
    char words[NET_ERRNO_TEXT_MAX], route[ROUTE_TEXT_MAX];
    int code = KE_TCP_ERRNO;
    if (sys_errno == ECONNRESET)
        code = KE_TCP_RESET;
    else if (sys_errno == EPIPE)
        code = KE_TCP_BROKEN_PIPE;
    if (!err)
        return code;
    error_set(err, code, "%s tcp %s: %s: %s", op, route_text(fd, peer, route), op,
              net_errno_text(sys_errno, words));
    return with_errno(err, code, sys_errno);
}

int net_error_timeout(struct error *err, const char *op, int fd, const union sockaddr_any *peer) {
    char route[ROUTE_TEXT_MAX];
    return error_set(err, KE_TIMEOUT, "%s tcp %s: i/o timeout", op, route_text(fd, peer, route));
}
