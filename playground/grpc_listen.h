/* Where the gRPC side listens. */
#pragma once

#include "base/error.h"
#include "config.h"
#include "listener.h"

struct grpc_sockets {
    int calls_fd, health_fd;          /* -1 = gRPC is off */
    char address[LISTENER_URL_BYTES]; /* "127.0.0.1:3334", "" when off */
    char health_address[LISTENER_URL_BYTES];
    bool is_busy; /* the usual ports could not be had */
};

/* config->grpc_listen: "ADDR:PORT", the health port is the next one (or any, for port 0); "off".
 * NULL is the usual: ports 3334 and 3335 beside the usual 3333, off beside any other; that these
 * are in use is no failure. 0, or KE_CONFIG or KE_IO with a message. */
int grpc_listen(const struct config *config, struct grpc_sockets *out, struct error *err);
