/* One call on a channel: a stream of HTTP/2 with messages on it.
 *
 *     struct grpc_call call;
 *     grpc_call_init(&call, channel, SLICE("/greet.v1.Greeter/SayHello"));
 *     call.deadline_ns = …;
 *     if (grpc_call_unary(&call, request) == 0 && call.status.code == GRPC_OK)
 *         … buf_slice(&call.message) …
 *     grpc_call_release(&call);
 *
 * or, for streams: grpc_call_start, then grpc_call_send and grpc_call_end_sending from one fiber,
 * grpc_call_receive from one (the same or another), until it says that the call is over. */
#pragma once

#include "grpc/grpc_channel.h"
#include "grpc/grpc_metadata.h"

struct grpc_call {
    /* Set before the start. */
    struct grpc_channel *channel;
    struct slice path;                    /* views, good until the start returns … */
    const struct grpc_metadata *metadata; /* … may be NULL */
    int64_t deadline_ns;                  /* NEVER_NS = none */
    bool is_client_stream;                /* otherwise the first message sent is the last */
    bool is_server_stream;                /* otherwise one message is a must */
    /* Results. */
    struct grpc_status status; /* once the call is over */
    bool is_over;
    struct grpc_metadata headers, trailers;
    char peer_ip[46]; /* "" before the request was sent */
    int64_t start_ns, end_ns;
    int64_t queued_ns;  /* of that, time in which the answer was here and this program was busy */
    struct buf message; /* of grpc_call_unary; empty when none came */
    /* Inside. */
    struct grpc_link *link;
    struct h2_stream stream;
    bool has_stream, has_headers, is_sending_ended;
    struct slice encoding; /* in headers_encoding */
    char encoding_text[32];
    struct buf inflated;
    size_t at;        /* in stream.data: what is before it was taken */
    size_t n_unpaced; /* bytes of it that the window does not count yet */
    size_t n_messages;
};

void grpc_call_init(struct grpc_call *c, struct grpc_channel *ch, struct slice path);
/* Resets a call that is not over. No fiber may be in a call on it. */
void grpc_call_release(struct grpc_call *c);

/* Sends the request and waits for all of the answer; repeats what the server has not looked at. 0:
 * c->status, c->message, c->headers and c->trailers are there, or KE_CANCELED (the fiber). Yields.
 */
int grpc_call_unary(struct grpc_call *c, struct slice request);

/* Begins a call whose messages follow. 0 (also when it is over at once), or KE_CANCELED. Yields. */
int grpc_call_start(struct grpc_call *c);
/* One message. Yields while there is too much under way. 0, KE_TIMEOUT or KE_CANCELED; a message of
 * a call that has ended is dropped. One that is too large ends the call, and so does one behind the
 * last: after grpc_call_end_sending, or a second one when !is_client_stream. */
int grpc_call_send(struct grpc_call *c, struct slice message);
void grpc_call_end_sending(struct grpc_call *c);
/* The next message: 1, *out is a view, good until the next call. 0: the call is over, c->status
 * says how. KE_CANCELED: the fiber. Yields. */
int grpc_call_receive(struct grpc_call *c, struct slice *out);
/* The other fiber's grpc_call_receive ends with CANCELED and these words. */
void grpc_call_cancel(struct grpc_call *c, const char *words);
