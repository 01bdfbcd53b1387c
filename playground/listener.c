#include "listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/slice.h"

#define BACKLOG 8192

/* Splits at the last colon and takes brackets off the host. False when there is no port. */
static bool split(const char *address, char *host, size_t host_bytes, const char **out_port) {
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon[1] == '\0')
        return false;
    struct slice name = {address, (size_t)(colon - address)};
    if (name.len >= 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']')
        name = slice_from(name.ptr + 1, name.len - 2);
    else if (memchr(name.ptr, ':', name.len) != NULL)
        return false;
    if (name.len >= host_bytes)
        return false;
    memcpy(host, name.ptr, name.len);
    host[name.len] = '\0';
    *out_port = colon + 1;
    return true;
}

static int open_one(const struct addrinfo *info) {
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, info->ai_protocol);
    if (fd < 0)
        return -1;
    const int on = 1;
    const int off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static void write_url(int fd, const char *host, char out[static LISTENER_URL_BYTES]) {
    struct sockaddr_storage own = {0};
    socklen_t size = sizeof own;
    getsockname(fd, (struct sockaddr *)&own, &size);
    in_port_t port = own.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&own)->sin6_port
                                               : ((struct sockaddr_in *)&own)->sin_port;
    bool is_any = *host == '\0' || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
    bool has_colon = strchr(host, ':') != NULL;
    snprintf(out, LISTENER_URL_BYTES,
             has_colon && !is_any ? "http://[%.80s]:%u" : "http://%.80s:%u",
             is_any ? "localhost" : host, (unsigned)ntohs(port));
}

int listener_open(const char *address, int *out_fd, char out_url[static LISTENER_URL_BYTES],
                  struct error *err) {
    char host[256];
    const char *port;
    if (!split(address, host, sizeof host, &port))
        return error_set(err, KE_CONFIG, "cannot listen on '%s': expected ADDR:PORT", address);

    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(*host != '\0' ? host : NULL, port, &hints, &found);
    if (rc != 0)
        return error_set(err, KE_CONFIG, "cannot listen on '%s': %s", address, gai_strerror(rc));

    int fd = -1;
    /* For "every address" IPv6 goes first: its socket takes IPv4 too. */
    for (int pass = 0; pass < 2 && fd < 0; pass++) {
        for (const struct addrinfo *info = found; info != NULL && fd < 0; info = info->ai_next) {
            if ((*host == '\0') == ((info->ai_family == AF_INET6) == (pass == 0)))
                fd = open_one(info);
        }
    }
    freeaddrinfo(found);
    if (fd < 0 && errno == EADDRINUSE)
        return error_set(
            err, KE_IO,
            "cannot listen on %s: the port is in use, perhaps by another quickpizza; stop "
            "that, or choose another with --listen",
            address);
    if (fd < 0)
        return error_set(err, KE_IO, "cannot listen on %s: %s", address, strerror(errno));
    write_url(fd, host, out_url);
    *out_fd = fd;
    return 0;
}
