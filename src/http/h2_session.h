/* An HTTP/2 connection and the streams on it. nghttp2 knows the frames; this knows fibers.
 *
 * There is no fiber for the connection: of the fibers that wait for their streams, one reads for
 * all. It hands the others what came, and the reading when its own stream is done. A lone request
 * so costs what one over HTTP/1.1 does. Writing is done by whoever has something to say, as far as
 * the socket takes it; what it does not take stays here, and one of the waiting fibers waits for
 * room.
 *
 * A stream lives in the memory of the fiber that waits for it. docs/internals/http.md tells more.
 */
#pragma once

#include <nghttp2/nghttp2.h>

#include "base/list.h"
#include "fiber/fiber.h"
#include "http/h2_head.h"
#include "net/conn.h"

struct h2_session;

struct h2_stream {
    struct list link;
    struct h2_session *session;
    struct fiber *fiber;
    int32_t id;
    /* Set by the caller before h2_stream_open. */
    bool is_head_request; /* no body will come */
    bool drops_body;      /* its bytes are counted only; may be set later, too */
    uint64_t max_body_bytes;
    struct slice body; /* of the request */
    size_t body_sent;
    const struct slice *pieces; /* when there are some, body.len is their sum */
    size_t piece_sent;          /* of *pieces; those before it are done */
    /* State. */
    bool is_parked;      /* in fiber_park: fiber_wake helps */
    bool is_framed;      /* the request is in frames, maybe not on the wire yet */
    bool has_head;       /* head is complete and final */
    bool saw_head;       /* the caller has looked at it */
    bool is_done;        /* nothing more will come; err.code says why if that was too early */
    bool is_closed;      /* on the wire, too */
    bool is_unprocessed; /* failed without the server having looked at it: may be repeated */
    /* Results. */
    struct h2_head head;
    struct buf data; /* the body, or what came of it */
    uint64_t data_bytes;
    int64_t wrote_ns, first_byte_ns, end_ns;
    int64_t queued_ns; /* between the poll's events and the reader's turns */
    struct error err;
};

/* conn stays the caller's and must outlive the session. */
struct h2_session *h2_session_new(struct conn *conn);
/* No stream may be open. */
void h2_session_free(struct h2_session *s);
/* May a further request be sent? Reads what came while nobody waited, without waiting itself. */
bool h2_session_is_usable(struct h2_session *s);
/* … and does the server's limit of concurrent streams allow it now? */
bool h2_session_has_room(const struct h2_session *s);
/* Will it never be usable again, as far as is known? */
bool h2_session_is_ending(const struct h2_session *s);
/* No further requests: the last stream ends it. */
void h2_session_drain(struct h2_session *s);

/* Queues a request. fields are copied; stream->body must live until h2_stream_close, which must
 * follow in any case. has_body: DATA follows, maybe empty. 0, or stream->err.code. */
int h2_stream_open(struct h2_session *s, struct h2_stream *stream, const nghttp2_nv *fields,
                   size_t n_fields, bool has_body);
/* Sends what is queued. Yields when others send at the same time, to go out with them. */
void h2_stream_send(struct h2_stream *stream);
/* Waits until the head is there (returns once for it) or the stream is done. 0, or
 * stream->err.code. Yields. */
int h2_stream_wait(struct h2_stream *stream, int64_t deadline_ns);
/* Forgets the stream; resets it when it is still open. */
void h2_stream_close(struct h2_stream *stream);
