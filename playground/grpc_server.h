/* The gRPC side of the playground: quickpizza.GRPC, health checks and reflection over HTTP/2
 * without TLS, and the health port beside it, which answers GET /grpchealthz in HTTP/1.1 and in
 * HTTP/2. One thread serves both: calls take microseconds. */
#pragma once

#include "base/error.h"

struct grpc_server;

/* Starts to serve; the listening sockets then are the server's. Returns 0 or KE_FAILED. */
int grpc_server_start(struct grpc_server **out, int grpc_fd, int health_fd, struct error *err);
/* Closes every connection and ends the thread. NULL is allowed. */
void grpc_server_stop(struct grpc_server *s);
