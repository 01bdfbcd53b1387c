/* The HTTP side: libmicrohttpd with a pool of epoll threads, one a core. It collects a request,
 * hands it to dispatch(), holds the answer back for as long as it is to take (the connection is
 * suspended meanwhile, no thread waits), and sends it. */
#pragma once

#include "app.h"
#include "base/error.h"

struct server;

/* Starts to accept on a listening socket, which then is the server's. Returns 0 or KE_FAILED. */
int server_start(struct server **out, const struct app *app, int listen_fd, struct error *err);

/* Stops accepting, sends the answers that are being held back at once, closes every connection.
 * NULL is allowed. */
void server_stop(struct server *s);
