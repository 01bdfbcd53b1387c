/* A channel: what a gRPC client keeps to one address. It has one HTTP/2 connection at a time, which
 * carries all its calls, and makes a new one when a call finds none (grpc-go's pick_first). Calls
 * under way when a connection is replaced end on the old one.
 *
 *     grpc_channel_open(&params, deadline, &channel, &err);
 *     struct grpc_call call = {.channel = channel, .path = SLICE("/greet.v1.Greeter/SayHello"), …};
 *     grpc_call_unary(&call, message);           (grpc/grpc_call.h)
 *     grpc_channel_close(channel);
 *
 * All functions are for fibers of one worker. docs/internals/grpc.md. */
#pragma once

#include "base/list.h"
#include "fiber/worker.h"
#include "grpc/grpc_status.h"
#include "http/h2_session.h"

/* grpc-go's. */
#define GRPC_MAX_RECEIVE_DEFAULT ((size_t)4 << 20)
#define GRPC_MAX_SEND_DEFAULT ((size_t)INT32_MAX)

struct grpc_channel_params {      /* slices are copied */
    struct slice address;         /* "host:port"; also dns:///host:port, passthrough:///host:port */
    struct slice authority;       /* of requests and of certificates; empty = the address's */
    struct slice user_agent;      /* what goes before "grpc-kiln/…"; may be empty */
    const struct tls_config *tls; /* NULL = plaintext */
    const struct dialer_config *dialer;
    struct conn_counters *counters;           /* may be NULL; outlives the channel and its calls */
    size_t max_receive_bytes, max_send_bytes; /* of a message; 0 = default */
};

struct grpc_link { /* one connection of a channel */
    uint32_t refs;
    struct conn *conn;
    struct h2_session *h2;
    struct worker_timer tick;
};

struct grpc_channel {
    uint32_t refs;
    bool is_closed;
    char *host, *authority, *authority_host, *user_agent;
    char *bad_address; /* why nothing can be dialed, NULL = fine */
    uint16_t port;
    const struct tls_config *tls;
    const struct dialer_config *dialer;
    struct conn_counters *counters;
    size_t max_receive_bytes, max_send_bytes;
    struct grpc_link *link; /* NULL = none, or it is spent */
    bool is_dialing;
    struct fiber_cond dialed;
    int failures;            /* of dialing, in a row */
    int64_t next_dial_ns;    /* not before: back-off */
    struct error dial_error; /* of the last attempt; code 0 = none */
};

/* Dials until there is a connection that speaks HTTP/2, or the deadline (k6: blocking dial, errors
 * that will not go away end it at once). Yields. Errors have grpc-go's words: `connection error:
 * desc = "transport: error while dialing: dial tcp …"`, `context deadline exceeded`. */
int grpc_channel_open(const struct grpc_channel_params *p, int64_t deadline_ns,
                      struct grpc_channel **out, struct error *err);
/* No further calls; those under way end with CANCELED. Drops the caller's reference. */
void grpc_channel_close(struct grpc_channel *ch);
struct grpc_channel *grpc_channel_ref(struct grpc_channel *ch);
void grpc_channel_unref(struct grpc_channel *ch);

/* A connection for a call, dialing when there is none. Yields. False: *status says why, with code
 * GRPC_OK when the fiber was cancelled. grpc_link_unref it. */
bool grpc_channel_link(struct grpc_channel *ch, int64_t deadline_ns, struct grpc_link **out,
                       struct grpc_status *status);
void grpc_link_unref(struct grpc_link *link);
