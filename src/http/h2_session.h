/* An HTTP/2 connection and the streams on it. nghttp2 knows the frames; this knows fibers.
 *
 * There is no fiber for the connection: of the fibers that wait for their streams, one reads for
 * all. It hands the others what came, and the reading when its own stream is done. A lone request
 * so costs what one over HTTP/1.1 does. Writing is done by whoever has something to say, as far as
 * the socket takes it; what it does not take stays here, and one of the waiting fibers waits for
 * room.
 *
 * A stream lives in the memory of the fiber that waits for it. docs/internals/http.md tells more.
 *
 * gRPC wants more of a stream than HTTP: trailers, a request body that grows while the response
 * comes, messages as they arrive, and a window that opens only as they are read. Such a session is
 * made by h2_session_new_paced.
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
    bool keeps_trailers;        /* the block after the body goes to `trailers` */
    bool wants_data;            /* h2_stream_wait returns for data, too */
    bool is_paced;              /* the window opens by h2_stream_consumed only (paced sessions) */
    bool has_open_body;         /* the body is what h2_stream_write gives, until …_end_body */
    /* State. */
    struct fiber *feeder; /* in h2_stream_write */
    bool is_body_ended;
    bool has_news;       /* that h2_stream_wait has not returned for yet: the head, wanted data */
    bool ended_by_head;  /* a block of fields was the end, as in every gRPC response */
    bool is_parked;      /* in fiber_park: fiber_wake helps */
    bool is_framed;      /* the request is in frames, maybe not on the wire yet */
    bool has_head;       /* head is complete and final */
    bool is_done;        /* nothing more will come; err.code says why if that was too early */
    bool is_closed;      /* on the wire, too */
    bool is_unprocessed; /* failed without the server having looked at it: may be repeated */
    bool was_reset;      /* by the peer, with reset_code */
    uint32_t reset_code;
    /* Results. */
    struct h2_head head;
    struct buf data;     /* the body, or what came of it */
    struct buf trailers; /* "name: value\r\n" lines */
    struct buf outgoing; /* of an open body: not in frames yet */
    uint64_t data_bytes;
    int64_t wrote_ns, first_byte_ns, end_ns;
    int64_t queued_ns; /* between the poll's events and the reader's turns */
    struct error err;
};

/* conn stays the caller's and must outlive the session. */
struct h2_session *h2_session_new(struct conn *conn);
/* One whose streams may be paced. */
struct h2_session *h2_session_new_paced(struct conn *conn);
/* Waits for the server's SETTINGS. 0, KE_TIMEOUT, KE_CANCELED, or why the connection ended; what
 * came in their place is KE_HTTP_MALFORMED. Yields. Before the first stream only. */
int h2_session_await_settings(struct h2_session *s, int64_t deadline_ns, struct error *err);
/* Answers pings and the like that came while nobody waited, and writes what is left over; never
 * waits. Also from a timer. */
void h2_session_tick(struct h2_session *s);
/* Every stream fails with err, and so does every later one. */
void h2_session_abort(struct h2_session *s, const struct error *err);
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
/* Appends to an open body, and waits while more than a window's worth of it is unsent. 0,
 * KE_TIMEOUT, KE_CANCELED; what is written to a stream that has ended is dropped. One fiber at a
 * time, which need not be the one that waits. Yields. */
int h2_stream_write(struct h2_stream *stream, struct slice bytes, int64_t deadline_ns);
/* Appends only: for what goes in front of the next h2_stream_write. */
void h2_stream_queue(struct h2_stream *stream, struct slice bytes);
/* The open body is complete. */
void h2_stream_end_body(struct h2_stream *stream);
/* bytes of a paced stream's data were read: the server may send as many again. */
void h2_stream_consumed(struct h2_stream *stream, size_t bytes);
/* It ends as failed, here; its fibers go on. The peer is told by h2_stream_close. */
void h2_stream_fail(struct h2_stream *stream, int code, const char *words);
/* The failure is a RST_STREAM of the peer: its code, or -1. */
int64_t h2_stream_reset_code(const struct h2_stream *stream);
/* Forgets the stream; resets it when it is still open. No fiber may be in h2_stream_write. */
void h2_stream_close(struct h2_stream *stream);
