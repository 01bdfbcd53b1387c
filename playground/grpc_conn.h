/* One connection of the gRPC side, without a loop: bytes in, bytes out. */
#pragma once

#include "base/buf.h"
#include "base/list.h"

struct grpc_conn;

/* What is served: calls, or /grpchealthz. */
enum grpc_conn_kind { GRPC_CONN_CALLS, GRPC_CONN_HEALTH };

struct grpc_conn *grpc_conn_new(enum grpc_conn_kind kind);
void grpc_conn_free(struct grpc_conn *c);
/* Takes what the peer sent. False: it broke the protocol, close. */
bool grpc_conn_feed(struct grpc_conn *c, const char *bytes, size_t n);
/* Appends what there is to send to out, which is to be sent whole before more is asked for. False:
 * there will never be more, close once it is sent. */
bool grpc_conn_drain(struct grpc_conn *c, struct buf *out);
