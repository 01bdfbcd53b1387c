#include "api/listen.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"

#define BACKLOG 512
#define PORT_MAX 65535

static int fail_address(struct slice address, const char *why, struct error *err) {
    return error_set(err, KE_INVALID, "address %.*s: %s", SLICE_FMT(address), why);
}

int address_split(struct slice address, struct slice *out_host, struct slice *out_port,
                  struct error *err) {
    const char *colon = address.len > 0 ? memrchr(address.ptr, ':', address.len) : NULL;
    if (colon == NULL)
        return fail_address(address, "missing port in address", err);
    struct slice host = slice_from(address.ptr, (size_t)(colon - address.ptr));
    *out_port = slice_from(colon + 1, address.len - host.len - 1);
    if (host.len > 0 && host.ptr[0] == '[') {
        if (host.ptr[host.len - 1] != ']')
            return fail_address(address,
                                memchr(address.ptr, ']', address.len) != NULL
                                    ? "missing port in address"
                                    : "missing ']' in address",
                                err);
        host = slice_from(host.ptr + 1, host.len - 2);
    } else if (memchr(host.ptr, ':', host.len) != NULL) {
        return fail_address(address, "too many colons in address", err);
    }
    *out_host = host;
    return 0;
}

static int open_socket(const struct sockaddr *address, socklen_t size, bool is_dual) {
    const int on = 1, off = 0;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, is_dual ? &off : &on, sizeof on);
    if (bind(fd, address, size) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* Every address of both families; of IPv4 where there is no IPv6. */
static int open_any(uint16_t port) {
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = open_socket((const struct sockaddr *)&v6, sizeof v6, true);
    if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL || errno == EPROTONOSUPPORT))
        fd = open_socket((const struct sockaddr *)&v4, sizeof v4, false);
    return fd;
}

static int fail_bind(struct slice host, unsigned port, struct error *err) {
    char why[128];
    bool has_colon = host.len > 0 && memchr(host.ptr, ':', host.len) != NULL;
    snprintf(why, sizeof why, "%s", strerror(errno));
    why[0] = (char)tolower((unsigned char)why[0]);
    return error_set(err, KE_IO,
                     has_colon ? "listen tcp [%.*s]:%u: bind: %s" : "listen tcp %.*s:%u: bind: %s",
                     SLICE_FMT(host), port, why);
}

/* A name's first IPv4 address, as Go prefers it, or else its first one. */
static int open_named(struct slice host, unsigned port, int *out_fd, struct error *err) {
    char name[256], text[INET6_ADDRSTRLEN] = "";
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    if (host.len >= sizeof name)
        return error_set(err, KE_INVALID, "listen tcp: lookup: no such host");
    memcpy(name, host.ptr, host.len);
    name[host.len] = '\0';
    if (getaddrinfo(name, NULL, &hints, &found) != 0)
        return error_set(err, KE_DNS_NO_HOST, "listen tcp: lookup %s: no such host", name);
    const struct addrinfo *chosen = found;
    for (const struct addrinfo *i = found; i != NULL && chosen->ai_family != AF_INET;
         i = i->ai_next)
        if (i->ai_family == AF_INET)
            chosen = i;
    if (chosen->ai_family == AF_INET6)
        ((struct sockaddr_in6 *)chosen->ai_addr)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)chosen->ai_addr)->sin_port = htons((uint16_t)port);
    *out_fd = open_socket(chosen->ai_addr, chosen->ai_addrlen, false);
    int saved = errno;
    getnameinfo(chosen->ai_addr, chosen->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(found);
    errno = saved;
    return *out_fd >= 0 ? 0 : fail_bind(slice_cstr(text), port, err);
}

int api_listen(const char *address, int *out_fd, struct error *err) {
    struct slice host, port_text;
    struct error why = {0};
    uint64_t port = 0;
    if (address_split(slice_cstr(address), &host, &port_text, &why) != 0)
        return error_set(err, KE_CONFIG, "listen tcp: %s", why.text);
    if (port_text.len > 0 && (!slice_to_u64(port_text, &port) || port > PORT_MAX))
        return error_set(err, KE_CONFIG, "listen tcp: address %.*s: invalid port",
                         SLICE_FMT(port_text));
    bool is_any = host.len == 0 || slice_eq(host, SLICE("0.0.0.0")) || slice_eq(host, SLICE("::"));
    if (!is_any)
        return open_named(host, (unsigned)port, out_fd, err);
    *out_fd = open_any((uint16_t)port);
    return *out_fd >= 0 ? 0 : fail_bind(host, (unsigned)port, err);
}
