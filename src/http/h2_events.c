/* What frames mean to streams: the callbacks of nghttp2. They run while a fiber feeds or drains the
 * session, so they never wait. Checks of messages are ours (h2_head.c), as strict as Go's. */
#include <pthread.h>
#include <string.h>

#include "base/check.h"
#include "http/h2_error.h"
#include "http/h2_session_internal.h"
#include "http/header.h"
#include "http/http_client.h"

/* Go's. Bodies are taken off the wire as they come, so windows only bound what is under way. */
#define STREAM_WINDOW (4 << 20)
#define CONNECTION_WINDOW ((1 << 30) + 65535)
/* Sent bytes of an open body leave its buffer together. */
#define OPEN_BODY_SLACK ((size_t)256 * 1024)

static nghttp2_session_callbacks *callbacks;
static nghttp2_option *option, *option_paced;
static pthread_once_t once = PTHREAD_ONCE_INIT;

void h2_stream_end(struct h2_stream *stream) {
    if (stream->is_done)
        return;
    stream->is_done = true;
    stream->end_ns = clock_now_ns();
    if (stream->is_parked)
        fiber_wake(stream->fiber);
    if (stream->feeder)
        fiber_wake(stream->feeder);
}

/* Something that its fiber waits for, and more will come. */
static void tell(struct h2_stream *stream) {
    stream->has_news = true;
    if (stream->is_parked)
        fiber_wake(stream->fiber);
}

static struct h2_stream *stream_of(nghttp2_session *ng, int32_t id) {
    struct h2_stream *stream = id ? nghttp2_session_get_stream_user_data(ng, id) : NULL;
    return stream && !stream->is_done ? stream : NULL;
}

/* The server broke the rules of this stream. */
static void offend(struct h2_stream *stream, const char *cause) {
    h2_stream_error(&stream->err, stream->id, NGHTTP2_PROTOCOL_ERROR, cause);
    nghttp2_submit_rst_stream(stream->session->ng, NGHTTP2_FLAG_NONE, stream->id,
                              NGHTTP2_PROTOCOL_ERROR);
    h2_stream_end(stream);
}

/* ---------------------------------------------------------------- heads */

static int begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *arg) {
    struct h2_session *s = arg;
    struct h2_stream *stream = stream_of(ng, frame->hd.stream_id);
    if (!stream)
        return 0;
    if (!stream->first_byte_ns) {
        stream->first_byte_ns = s->event_ns;
        stream->queued_ns = s->queued_ns;
    }
    if (!stream->has_head)
        h2_head_reset(&stream->head);
    return 0;
}

static void add_trailer(struct h2_stream *stream, struct slice name, struct slice value) {
    struct buf *t = &stream->trailers;
    bool is_good = name.len && name.ptr[0] != ':' && http_all_of(name, HTTP_TOKEN) &&
                   http_all_of(value, HTTP_VALUE);
    if (!is_good || buf_reserve(t, name.len + value.len + 4)) {
        offend(stream, "invalid trailer");
        return;
    }
    buf_append_slice(t, name);
    buf_append(t, ": ", 2);
    buf_append_slice(t, value);
    buf_append(t, "\r\n", 2);
}

static int header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
                  size_t name_bytes, const uint8_t *value, size_t value_bytes, uint8_t flags,
                  void *arg) {
    struct h2_stream *stream = stream_of(ng, frame->hd.stream_id);
    struct error cause;
    (void)flags;
    (void)arg;
    if (!stream)
        return 0;
    if (unlikely(stream->has_head)) {
        if (stream->keeps_trailers)
            add_trailer(stream, slice_from((const char *)name, name_bytes),
                        slice_from((const char *)value, value_bytes));
        return 0;
    }
    if (unlikely(h2_head_add(&stream->head, slice_from((const char *)name, name_bytes),
                             slice_from((const char *)value, value_bytes), &cause)))
        offend(stream, cause.text);
    return 0;
}

static void end_of_headers(struct h2_stream *stream, bool is_end) {
    struct error cause;
    stream->ended_by_head = is_end;
    if (stream->has_head) {
        if (is_end)
            h2_stream_end(stream);
        else
            offend(stream, NULL);
        return;
    }
    if (unlikely(h2_head_finish(&stream->head, &cause))) {
        offend(stream, cause.text);
        return;
    }
    int status = stream->head.notes.status;
    if (unlikely(status >= 100 && status < 200)) {
        if (is_end)
            offend(stream, "1xx informational response with END_STREAM flag");
        return;
    }
    stream->has_head = true;
    if (is_end) {
        if (!stream->is_head_request && stream->head.notes.content_length > 0)
            error_set(&stream->err, KE_EOF, "unexpected EOF");
        h2_stream_end(stream);
    } else {
        tell(stream);
    }
}

/* ---------------------------------------------------------------- bodies */

static int keep(struct h2_stream *stream, const uint8_t *bytes, size_t n) {
    struct buf *data = &stream->data;
    if (data->alloc - data->len <= n) {
        /* What is declared is trusted up to a megabyte, then growth is geometric. */
        int64_t declared = stream->head.notes.content_length;
        size_t room = n;
        if (data->len == 0 && declared > (int64_t)n)
            room = declared < 1 << 20 ? (size_t)declared : 1 << 20;
        else if (data->len)
            room = data->len > n ? data->len : n;
        if (room > data->cap - data->len)
            room = n;
        if (buf_reserve(data, room))
            return KE_TOO_LARGE;
    }
    return buf_append(data, bytes, n);
}

static int data_chunk(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *bytes,
                      size_t n, void *arg) {
    struct h2_session *s = arg;
    struct h2_stream *stream = stream_of(ng, id);
    (void)flags;
    if (s->is_paced) {
        nghttp2_session_consume_connection(ng, n);
        if (stream && !stream->is_paced)
            nghttp2_session_consume_stream(ng, id, n);
    }
    if (!stream)
        return 0;
    if (unlikely(!stream->has_head || (stream->is_head_request && n))) {
        offend(stream, NULL);
        return 0;
    }
    int64_t declared = stream->head.notes.content_length;
    bool is_excess = declared >= 0 && stream->data_bytes + n > (uint64_t)declared;
    if (unlikely(is_excess))
        n = (size_t)((uint64_t)declared - stream->data_bytes);
    int rc = 0;
    if (!stream->drops_body)
        rc = keep(stream, bytes, n);
    else if (stream->data_bytes + n > stream->max_body_bytes)
        rc = KE_TOO_LARGE;
    if (likely(rc == 0)) {
        stream->data_bytes += n;
        if (stream->wants_data)
            tell(stream);
        if (likely(!is_excess))
            return 0;
        error_set(&stream->err, KE_FAILED,
                  "net/http: server replied with more than declared Content-Length; truncated");
    } else {
        error_set(&stream->err, KE_TOO_LARGE, "response body is larger than %llu bytes",
                  (unsigned long long)stream->max_body_bytes);
    }
    nghttp2_submit_rst_stream(s->ng, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    h2_stream_end(stream);
    return 0;
}

static void end_of_data(struct h2_stream *stream) {
    int64_t declared = stream->head.notes.content_length;
    if (!stream->is_head_request && declared >= 0 && stream->data_bytes < (uint64_t)declared)
        error_set(&stream->err, KE_EOF, "unexpected EOF");
    h2_stream_end(stream);
}

static void copy_pieces(struct h2_stream *stream, uint8_t *to, size_t bytes) {
    while (bytes) {
        struct slice piece = *stream->pieces;
        size_t left = piece.len - stream->piece_sent, n = left < bytes ? left : bytes;
        if (n)
            memcpy(to, piece.ptr + stream->piece_sent, n);
        to += n;
        bytes -= n;
        stream->piece_sent += n;
        if (stream->piece_sent == piece.len) {
            stream->pieces++;
            stream->piece_sent = 0;
        }
    }
}

static ssize_t read_open_body(struct h2_stream *stream, uint8_t *to, size_t bytes,
                              uint32_t *flags) {
    struct buf *out = &stream->outgoing;
    size_t left = out->len - stream->body_sent, n = left < bytes ? left : bytes;
    if (n == 0 && !stream->is_body_ended)
        return NGHTTP2_ERR_DEFERRED;
    if (n)
        memcpy(to, out->ptr + stream->body_sent, n);
    stream->body_sent += n;
    if (n == left) {
        buf_reset(out);
        stream->body_sent = 0;
        if (stream->is_body_ended)
            *flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (stream->body_sent >= OPEN_BODY_SLACK) {
        buf_consume(out, stream->body_sent);
        stream->body_sent = 0;
    }
    if (stream->feeder)
        fiber_wake(stream->feeder);
    return (ssize_t)n;
}

static ssize_t read_body(nghttp2_session *ng, int32_t id, uint8_t *to, size_t bytes,
                         uint32_t *flags, nghttp2_data_source *source, void *arg) {
    struct h2_stream *stream = stream_of(ng, id);
    (void)source;
    (void)arg;
    if (!stream)
        return NGHTTP2_ERR_DEFERRED; /* about to be reset */
    if (stream->has_open_body)
        return read_open_body(stream, to, bytes, flags);
    size_t left = stream->body.len - stream->body_sent, n = left < bytes ? left : bytes;
    if (stream->pieces)
        copy_pieces(stream, to, n);
    else if (n)
        memcpy(to, stream->body.ptr + stream->body_sent, n);
    stream->body_sent += n;
    if (n == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

/* ---------------------------------------------------------------- the rest */

/* Streams above the last one were not looked at. The rest go on. */
static void goaway(struct h2_session *s, const nghttp2_goaway *frame) {
    s->is_draining = true;
    if (!s->has_goaway || s->goaway_code == NGHTTP2_NO_ERROR)
        s->goaway_code = frame->error_code;
    if (!s->goaway_debug_bytes && frame->opaque_data_len) {
        size_t n = frame->opaque_data_len;
        s->goaway_debug_bytes = n < sizeof s->goaway_debug ? n : sizeof s->goaway_debug;
        memcpy(s->goaway_debug, frame->opaque_data, s->goaway_debug_bytes);
    }
    s->has_goaway = true;
    s->goaway_last_id = frame->last_stream_id;
    for (struct list *l = s->streams.next; l != &s->streams; l = l->next) {
        struct h2_stream *stream = container_of(l, struct h2_stream, link);
        char scratch[32];
        if (stream->is_done || stream->id <= frame->last_stream_id)
            continue;
        /* A server that errs on a new connection would do so on the next one. */
        if (stream->id == 1 && s->goaway_code != NGHTTP2_NO_ERROR) {
            error_set(&stream->err, KE_FAILED,
                      "http2: Transport received GOAWAY from server ErrCode:%s",
                      h2_code_name(s->goaway_code, scratch));
        } else {
            stream->is_unprocessed = true;
            error_set(&stream->err, KE_FAILED,
                      "http2: Transport received Server's graceful shutdown GOAWAY");
        }
        h2_stream_end(stream);
    }
}

static void reset(struct h2_session *s, struct h2_stream *stream, uint32_t code) {
    stream->is_unprocessed = code == NGHTTP2_REFUSED_STREAM;
    stream->was_reset = true;
    stream->reset_code = code;
    if (code == NGHTTP2_PROTOCOL_ERROR)
        s->is_draining = true;
    h2_stream_error(&stream->err, stream->id, code, "received from peer");
    h2_stream_end(stream);
}

static int frame_came(nghttp2_session *ng, const nghttp2_frame *frame, void *arg) {
    struct h2_session *s = arg;
    bool is_end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        goaway(s, &frame->goaway);
        return 0;
    }
    if (frame->hd.type == NGHTTP2_SETTINGS)
        s->has_settings = true;
    struct h2_stream *stream = stream_of(ng, frame->hd.stream_id);
    if (!stream)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS)
        end_of_headers(stream, is_end);
    else if (frame->hd.type == NGHTTP2_DATA && is_end)
        end_of_data(stream);
    else if (frame->hd.type == NGHTTP2_RST_STREAM)
        reset(s, stream, frame->rst_stream.error_code);
    return 0;
}

static int frame_went(nghttp2_session *ng, const nghttp2_frame *frame, void *arg) {
    struct h2_session *s = arg;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        s->own_error = frame->goaway.error_code;
    } else if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM &&
               (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA)) {
        struct h2_stream *stream = stream_of(ng, frame->hd.stream_id);
        if (stream)
            stream->is_framed = s->has_unmarked = true;
    }
    return 0;
}

static int stream_closed(nghttp2_session *ng, int32_t id, uint32_t code, void *arg) {
    struct h2_stream *stream = nghttp2_session_get_stream_user_data(ng, id);
    (void)arg;
    if (!stream)
        return 0;
    stream->is_closed = true;
    if (stream->is_done)
        return 0;
    /* Closed by nghttp2 itself: the server broke a rule of frames. */
    h2_stream_error(&stream->err, id, code, NULL);
    h2_stream_end(stream);
    return 0;
}

static nghttp2_option *option_new(void) {
    nghttp2_option *o;
    CHECK(nghttp2_option_new(&o) == 0);
    nghttp2_option_set_no_http_messaging(o, 1);
    nghttp2_option_set_max_send_header_block_length(o, HTTP_MAX_HEADER_BYTES);
    return o;
}

static void make_tables(void) {
    CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, data_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frame_came);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frame_went);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_closed);
    option = option_new();
    option_paced = option_new();
    nghttp2_option_set_no_auto_window_update(option_paced, 1);
}

void h2_events_attach(struct h2_session *s) {
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP_MAX_HEADER_BYTES},
    };
    pthread_once(&once, make_tables);
    CHECK(nghttp2_session_client_new2(&s->ng, callbacks, s, s->is_paced ? option_paced : option) ==
          0);
    CHECK(nghttp2_submit_settings(s->ng, NGHTTP2_FLAG_NONE, settings, countof(settings)) == 0);
    nghttp2_session_set_local_window_size(s->ng, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW);
}

int h2_events_submit(struct h2_stream *stream, const nghttp2_nv *fields, size_t n_fields,
                     bool has_body) {
    nghttp2_data_provider provider = {.read_callback = read_body};
    return nghttp2_submit_request(stream->session->ng, NULL, fields, n_fields,
                                  has_body ? &provider : NULL, stream);
}
