#include "grpc_listen.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define USUAL_PORT ":3333"
#define USUAL_GRPC_PORT 3334

static unsigned port_of(int fd) {
    struct sockaddr_storage own = {0};
    socklen_t size = sizeof own;
    getsockname(fd, (struct sockaddr *)&own, &size);
    return ntohs(own.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&own)->sin6_port
                                           : ((struct sockaddr_in *)&own)->sin_port);
}

/* Everything before the port; listener_open has found it good. */
static int host_bytes(const char *address) {
    const char *colon = strrchr(address, ':');
    return colon ? (int)(colon - address) : (int)strlen(address);
}

static int open_both(const char *address, struct grpc_sockets *out, struct error *err) {
    char health[300], url[LISTENER_URL_BYTES] = "http://";
    int rc = listener_open(address, &out->calls_fd, url, err);
    if (rc != 0) {
        out->calls_fd = -1;
        return rc;
    }
    const char *colon = strrchr(address, ':');
    bool is_any_port = colon && strcmp(colon, ":0") == 0;
    snprintf(health, sizeof health, "%.*s:%u", host_bytes(address), address,
             is_any_port ? 0 : port_of(out->calls_fd) + 1);
    snprintf(out->address, sizeof out->address, "%s", url + strlen("http://"));
    rc = listener_open(health, &out->health_fd, url, err);
    snprintf(out->health_address, sizeof out->health_address, "%s", url + strlen("http://"));
    if (rc != 0) {
        close(out->calls_fd);
        out->calls_fd = out->health_fd = -1;
        out->address[0] = '\0';
    }
    return rc;
}

int grpc_listen(const struct config *config, struct grpc_sockets *out, struct error *err) {
    const char *listen = config->listen;
    size_t len = strlen(listen), usual = strlen(USUAL_PORT);
    char address[300];
    struct error why;
    *out = (struct grpc_sockets){.calls_fd = -1, .health_fd = -1};
    if (!(config->services & SERVICE_GRPC))
        return 0;
    if (config->grpc_listen != NULL)
        return strcmp(config->grpc_listen, "off") == 0 ? 0
                                                       : open_both(config->grpc_listen, out, err);
    if (len < usual || strcmp(listen + len - usual, USUAL_PORT) != 0)
        return 0;
    snprintf(address, sizeof address, "%.*s:%d", host_bytes(listen), listen, USUAL_GRPC_PORT);
    out->is_busy = open_both(address, out, &why) != 0;
    return 0;
}
