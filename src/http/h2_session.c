#include "http/h2_session.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "fiber/worker.h"
#include "http/h2_error.h"
#include "http/h2_session_internal.h"
#include "http/http_internal.h"

/* After a read of this size more is likely to be there already. */
#define BIG_READ 8192
/* Of an open body; more of it waits in its writer. */
#define UNSENT_MAX ((size_t)64 * 1024)

static struct h2_session *session_new(struct conn *conn, bool is_paced) {
    struct h2_session *s = xcalloc(1, sizeof *s);
    s->conn = conn;
    s->is_paced = is_paced;
    list_init(&s->streams);
    buf_init(&s->out, BUF_NO_CAP);
    h2_events_attach(s);
    return s;
}

struct h2_session *h2_session_new(struct conn *conn) {
    return session_new(conn, false);
}

struct h2_session *h2_session_new_paced(struct conn *conn) {
    return session_new(conn, true);
}

void h2_session_free(struct h2_session *s) {
    if (!s)
        return;
    CHECK(list_empty(&s->streams));
    nghttp2_session_del(s->ng);
    buf_release(&s->out);
    free(s);
}

void h2_session_drain(struct h2_session *s) {
    s->is_draining = true;
}

bool h2_session_is_ending(const struct h2_session *s) {
    return s->is_dead || s->is_draining;
}

/* ---------------------------------------------------------------- the end of a connection */

/* Every stream fails with the words of err. Whoever waits for the socket is roused by its end. */
static void fail_all(struct h2_session *s, const struct error *err) {
    if (s->is_dead)
        return;
    s->is_dead = true;
    s->end = *err;
    for (struct list *l = s->streams.next; l != &s->streams; l = l->next) {
        struct h2_stream *stream = container_of(l, struct h2_stream, link);
        if (stream->is_done)
            continue;
        stream->err = *err;
        h2_stream_end(stream);
    }
    conn_abort(s->conn);
}

/* The peer is gone, or the network broke. */
static void fail_input(struct h2_session *s, struct error *err) {
    if (s->has_goaway)
        h2_goaway_error(err, s->goaway_last_id, s->goaway_code,
                        slice_from(s->goaway_debug, s->goaway_debug_bytes));
    else if (err->code == KE_EOF)
        error_set(err, KE_EOF, "unexpected EOF");
    fail_all(s, err);
}

/* nghttp2 has said GOAWAY, or has nothing more to say or to hear. */
static void check_for_end(struct h2_session *s) {
    struct error err;
    if (unlikely(s->own_error != NGHTTP2_NO_ERROR)) {
        h2_connection_error(&err, s->own_error);
        fail_all(s, &err);
    } else if (unlikely(!nghttp2_session_want_read(s->ng) && !nghttp2_session_want_write(s->ng))) {
        error_set(&err, KE_EOF, "EOF");
        fail_input(s, &err);
    }
}

/* ---------------------------------------------------------------- writing */

static void mark_written(struct h2_session *s) {
    int64_t now = clock_now_ns();
    s->has_unmarked = false;
    for (struct list *l = s->streams.next; l != &s->streams; l = l->next) {
        struct h2_stream *stream = container_of(l, struct h2_stream, link);
        if (stream->is_framed && !stream->wrote_ns)
            stream->wrote_ns = now;
    }
}

/* Frames into the thread's buffer, and past its end into s->out. Returns the bytes in the former,
 * or an nghttp2 error. */
static long gather(struct h2_session *s, char *to, size_t room) {
    size_t n = 0;
    while (s->out.len == 0) {
        const uint8_t *frame;
        ssize_t bytes = nghttp2_session_mem_send(s->ng, &frame);
        if (bytes <= 0)
            return bytes < 0 ? bytes : (long)n;
        if ((size_t)bytes > room - n) {
            buf_append(&s->out, frame, (size_t)bytes);
        } else {
            memcpy(to + n, frame, (size_t)bytes);
            n += (size_t)bytes;
        }
    }
    return (long)n;
}

/* What the socket does not take stays in front of s->out. */
static int put(struct h2_session *s, const char *from, size_t bytes, struct error *err) {
    long n = conn_try_write(s->conn, from, bytes, err);
    if (n < 0 || (size_t)n == bytes)
        return n < 0 ? (int)n : 0;
    struct buf rest;
    buf_init(&rest, BUF_NO_CAP);
    buf_append(&rest, from + n, bytes - (size_t)n);
    buf_append(&rest, s->out.ptr, s->out.len);
    buf_release(&s->out);
    s->out = rest;
    return 0;
}

static int put_rest(struct h2_session *s, struct error *err) {
    long n = conn_try_write(s->conn, s->out.ptr, s->out.len, err);
    if (n < 0)
        return (int)n;
    buf_consume(&s->out, (size_t)n);
    if (s->out.len == 0)
        buf_release(&s->out);
    return 0;
}

/* Writes what there is to say, without waiting. A failure ends the connection. */
static void flush(struct h2_session *s) {
    struct error err;
    int rc = 0;
    if (s->writer || s->is_dead)
        return;
    while (rc == 0) {
        if (s->out.len)
            rc = put_rest(s, &err);
        if (rc || s->out.len)
            break;
        if (!nghttp2_session_want_write(s->ng))
            break;
        char *room = http_scratch()->recv; /* nobody reads now */
        long n = gather(s, room, HTTP_RECV_BYTES);
        if (n < 0)
            rc = error_set(&err, KE_H2, "http2: %s", nghttp2_strerror((int)n));
        else if (n == 0 && s->out.len == 0)
            break; /* it wants to write, but flow control does not let it */
        else if (n)
            rc = put(s, room, (size_t)n, &err);
    }
    if (unlikely(rc)) {
        fail_all(s, &err);
        return;
    }
    if (s->has_unmarked && s->out.len == 0)
        mark_written(s);
    if (unlikely(s->own_error != NGHTTP2_NO_ERROR))
        check_for_end(s);
}

/* ---------------------------------------------------------------- reading */

/* Takes one read's worth. event_ns is what conn_wait said, 0 when nobody waited. Returns its bytes,
 * 0 when there was nothing or the connection ended. */
static long take_input(struct h2_session *s, int64_t event_ns) {
    struct error err;
    char *buf = http_scratch()->recv;
    long n = conn_try_read(s->conn, buf, HTTP_RECV_BYTES, &err);
    if (unlikely(n < 0)) {
        fail_input(s, &err);
        return 0;
    }
    if (n == 0)
        return 0;
    struct fiber *self = fiber_self(); /* none when a timer looks */
    event_ns = event_ns ? conn_arrival_ns(s->conn, event_ns) : clock_now_ns();
    int64_t resumed_ns = self ? fiber_resumed_ns(self) : event_ns;
    s->event_ns = event_ns;
    s->queued_ns = resumed_ns > event_ns ? resumed_ns - event_ns : 0;
    ssize_t used = nghttp2_session_mem_recv(s->ng, (const uint8_t *)buf, (size_t)n);
    if (unlikely(used < 0)) {
        uint32_t code =
            used == NGHTTP2_ERR_FLOODED ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR;
        h2_connection_error(&err, code);
        fail_all(s, &err);
        return 0;
    }
    flush(s);
    check_for_end(s);
    return n;
}

static void take_stale_input(struct h2_session *s) {
    if (!s->reader && conn_is_stale(s->conn)) {
        while (take_input(s, 0) > 0)
            ;
    }
}

bool h2_session_is_usable(struct h2_session *s) {
    if (unlikely(s->is_dead || s->is_draining))
        return false;
    take_stale_input(s);
    return !s->is_dead && !s->is_draining && nghttp2_session_check_request_allowed(s->ng);
}

bool h2_session_has_room(const struct h2_session *s) {
    return s->n_streams <
           nghttp2_session_get_remote_settings(s->ng, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

void h2_session_tick(struct h2_session *s) {
    if (s->is_dead)
        return;
    take_stale_input(s);
    flush(s);
}

void h2_session_abort(struct h2_session *s, const struct error *err) {
    fail_all(s, err);
}

int h2_session_await_settings(struct h2_session *s, int64_t deadline_ns, struct error *err) {
    flush(s);
    while (!s->has_settings && !s->is_dead) {
        int64_t event_ns = 0;
        int rc = conn_wait(s->conn, s->out.len ? IO_READ | IO_WRITE : IO_READ, deadline_ns,
                           &event_ns, err);
        if (rc)
            return rc;
        if (s->out.len)
            flush(s);
        if (!s->is_dead)
            take_input(s, event_ns);
    }
    if (s->has_settings && !s->is_dead)
        return 0;
    *err = s->end;
    return err->code;
}

/* ---------------------------------------------------------------- waiting */

static bool is_over(const struct h2_stream *stream) {
    return stream->is_done || stream->has_news;
}

/* A role is vacant: one of the parked fibers shall take it. The others look by themselves. */
static void call_next(struct h2_session *s) {
    if (s->reader && (s->writer || !s->out.len))
        return;
    for (struct list *l = s->streams.next; l != &s->streams; l = l->next) {
        struct h2_stream *stream = container_of(l, struct h2_stream, link);
        if (stream->is_parked && !stream->is_done) {
            fiber_wake(stream->fiber);
            return;
        }
    }
}

/* Reads for all until its own stream gets somewhere. 0, KE_TIMEOUT, KE_CANCELED (of this fiber
 * only). */
static int read_for_all(struct h2_session *s, struct h2_stream *stream, int64_t deadline_ns,
                        struct error *err) {
    bool tries_first = false;
    int rc = 0;
    s->reader = stream;
    while (!is_over(stream)) {
        int64_t event_ns = 0;
        if (!tries_first || s->out.len) {
            int events = IO_READ;
            if (unlikely(s->out.len && !s->writer)) {
                s->writer = stream;
                events |= IO_WRITE;
            }
            rc = conn_wait(s->conn, events, deadline_ns, &event_ns, err);
            if (s->writer == stream)
                s->writer = NULL;
            if (unlikely(rc))
                break;
            if (unlikely(s->out.len && !s->writer))
                flush(s);
        }
        bool has_begun = stream->first_byte_ns != 0;
        long n = s->is_dead ? 0 : take_input(s, event_ns);
        if (n > 0 && has_begun)
            stream->queued_ns += s->queued_ns;
        tries_first = n >= BIG_READ && !worker_slice_is_over();
    }
    s->reader = NULL;
    return rc;
}

static int write_for_all(struct h2_session *s, struct h2_stream *stream, int64_t deadline_ns,
                         struct error *err) {
    s->writer = stream;
    int rc = conn_wait(s->conn, IO_WRITE, deadline_ns, NULL, err);
    s->writer = NULL;
    if (rc == 0)
        flush(s);
    return rc;
}

static int park(struct h2_stream *stream, int64_t deadline_ns, struct error *err) {
    stream->fiber = fiber_self();
    stream->is_parked = true;
    int rc = fiber_park(deadline_ns);
    stream->is_parked = false;
    return rc ? error_set(err, rc, "%s", error_text(rc)) : 0;
}

int h2_stream_wait(struct h2_stream *stream, int64_t deadline_ns) {
    struct h2_session *s = stream->session;
    struct error err;
    int rc = 0;
    while (rc == 0 && !is_over(stream)) {
        if (!s->reader)
            rc = read_for_all(s, stream, deadline_ns, &err);
        else if (s->out.len && !s->writer)
            rc = write_for_all(s, stream, deadline_ns, &err);
        else
            rc = park(stream, deadline_ns, &err);
    }
    if (unlikely(rc) && !is_over(stream)) {
        stream->err = err;
        stream->err.code = rc;
        stream->is_done = true;
    }
    if (s->n_streams > 1)
        call_next(s);
    stream->has_news = false;
    return stream->err.code;
}

/* ---------------------------------------------------------------- streams */

/* When others are at it, siblings of this fiber are likely to send in this turn, too: one write
 * does for all. */
void h2_stream_send(struct h2_stream *stream) {
    struct h2_session *s = stream->session;
    if (!s->reader) {
        flush(s);
        return;
    }
    if (s->has_flusher)
        return;
    s->has_flusher = true;
    fiber_yield();
    s->has_flusher = false;
    flush(s);
    call_next(s);
}

int h2_stream_open(struct h2_session *s, struct h2_stream *stream, const nghttp2_nv *fields,
                   size_t n_fields, bool has_body) {
    stream->session = s;
    h2_head_init(&stream->head);
    buf_init(&stream->trailers, HTTP_MAX_HEADER_BYTES);
    buf_init(&stream->outgoing, BUF_NO_CAP);
    size_t cap =
        stream->max_body_bytes < SIZE_MAX / 2 ? (size_t)stream->max_body_bytes : SIZE_MAX / 2;
    buf_init(&stream->data, cap);
    stream->err.code = stream->err.sys_errno = 0;
    list_push_back(&s->streams, &stream->link);
    s->n_streams++;
    int id = h2_events_submit(stream, fields, n_fields, has_body);
    if (unlikely(id < 0)) {
        stream->is_done = stream->is_unprocessed = true;
        return error_set(&stream->err, KE_H2, "http2: %s", nghttp2_strerror(id));
    }
    stream->id = id;
    return 0;
}

void h2_stream_queue(struct h2_stream *stream, struct slice bytes) {
    if (!stream->is_done)
        buf_append_slice(&stream->outgoing, bytes);
}

void h2_stream_fail(struct h2_stream *stream, int code, const char *words) {
    if (stream->is_done)
        return;
    error_set(&stream->err, code, "%s", words);
    h2_stream_end(stream);
    if (stream->session->reader == stream)
        conn_rouse(stream->session->conn);
}

int h2_stream_write(struct h2_stream *stream, struct slice bytes, int64_t deadline_ns) {
    struct h2_session *s = stream->session;
    struct error err;
    int rc = 0;
    if (stream->is_done)
        return 0;
    buf_append_slice(&stream->outgoing, bytes);
    nghttp2_session_resume_data(s->ng, stream->id);
    flush(s);
    /* Whoever leaves bytes that the socket did not take leaves somebody who waits for room. */
    while (rc == 0 && !stream->is_done &&
           (stream->outgoing.len > UNSENT_MAX || (s->out.len && !s->writer))) {
        stream->feeder = fiber_self();
        if (s->out.len && !s->writer)
            rc = write_for_all(s, stream, deadline_ns, &err);
        else
            rc = fiber_park(deadline_ns);
        stream->feeder = NULL;
    }
    return rc;
}

void h2_stream_end_body(struct h2_stream *stream) {
    stream->is_body_ended = true;
    if (stream->is_done)
        return;
    nghttp2_session_resume_data(stream->session->ng, stream->id);
    flush(stream->session);
}

void h2_stream_consumed(struct h2_stream *stream, size_t bytes) {
    struct h2_session *s = stream->session;
    if (stream->is_closed || s->is_dead || bytes == 0)
        return;
    nghttp2_session_consume_stream(s->ng, stream->id, bytes);
    flush(s);
}

int64_t h2_stream_reset_code(const struct h2_stream *stream) {
    return stream->was_reset ? (int64_t)stream->reset_code : -1;
}

void h2_stream_close(struct h2_stream *stream) {
    struct h2_session *s = stream->session;
    list_remove(&stream->link);
    s->n_streams--;
    CHECK(!stream->feeder);
    h2_head_release(&stream->head);
    buf_release(&stream->data);
    buf_release(&stream->trailers);
    buf_release(&stream->outgoing);
    if (unlikely(stream->id > 0 && !stream->is_closed && !s->is_dead)) {
        /* What it has in nghttp2's queues must not find it any more. */
        nghttp2_session_set_stream_user_data(s->ng, stream->id, NULL);
        uint32_t code = stream->err.code || !stream->is_done ? NGHTTP2_CANCEL : NGHTTP2_NO_ERROR;
        nghttp2_submit_rst_stream(s->ng, NGHTTP2_FLAG_NONE, stream->id, code);
        flush(s);
    }
    if (s->n_streams)
        call_next(s);
}
