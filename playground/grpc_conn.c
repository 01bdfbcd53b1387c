#include "grpc_conn.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "grpc_methods.h"

#define PREFIX_BYTES 5
#define MESSAGE_MAX ((size_t)4 << 20)
#define PATH_MAX_BYTES 512
#define STREAMS_MAX 1000
/* What a peer does not read is not made. */
#define OUT_MAX ((size_t)1 << 20)
#define H1_HEAD_MAX 8192

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
#define PREFACE_BYTES (sizeof preface - 1)

struct stream {
    struct list link;
    int32_t id;
    struct grpc_conn *conn;
    const struct grpc_method *method; /* NULL = unknown, or a health request */
    char path[PATH_MAX_BYTES];
    bool is_grpc; /* by its content-type */
    bool has_ended, has_responded, is_over;
    size_t n_answers;
    struct buf in, out;
    size_t sent; /* of out */
    int status;
    char words[160];
};

struct grpc_conn {
    enum grpc_conn_kind kind;
    nghttp2_session *ng; /* NULL = HTTP/1.1, or not known yet */
    struct list streams;
    size_t n_streams;
    struct buf head;   /* HTTP/1.1, and before it is known which */
    struct buf answer; /* HTTP/1.1 */
    bool is_h1, is_closing;
};

/* ---------------------------------------------------------------- streams */

static struct stream *stream_new(struct grpc_conn *c, int32_t id) {
    struct stream *s = xcalloc(1, sizeof *s);
    s->id = id;
    s->conn = c;
    buf_init(&s->in, MESSAGE_MAX + PREFIX_BYTES);
    buf_init(&s->out, BUF_NO_CAP);
    list_push_back(&c->streams, &s->link);
    c->n_streams++;
    return s;
}

static void stream_free(struct stream *s) {
    list_remove(&s->link);
    s->conn->n_streams--;
    buf_release(&s->in);
    buf_release(&s->out);
    free(s);
}

static nghttp2_nv field(const char *name, const char *value) {
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                        .value = (uint8_t *)(uintptr_t)value,
                        .namelen = strlen(name),
                        .valuelen = strlen(value),
                        .flags = NGHTTP2_NV_FLAG_NONE};
}

/* grpc-status and grpc-message; the words of this server need no escapes but for '%'. */
static size_t status_fields(const struct stream *s, nghttp2_nv out[2], char number[12]) {
    snprintf(number, 12, "%d", s->status);
    out[0] = field("grpc-status", number);
    if (s->words[0] == '\0')
        return 1;
    out[1] = field("grpc-message", s->words);
    return 2;
}

static ssize_t read_answers(nghttp2_session *ng, int32_t id, uint8_t *to, size_t bytes,
                            uint32_t *flags, nghttp2_data_source *source, void *arg) {
    struct stream *s = source->ptr;
    size_t left = s->out.len - s->sent, n = left < bytes ? left : bytes;
    (void)arg;
    if (n)
        memcpy(to, s->out.ptr + s->sent, n);
    s->sent += n;
    if (s->sent == s->out.len) {
        buf_reset(&s->out);
        s->sent = 0;
        if (!s->is_over)
            return n ? (ssize_t)n : NGHTTP2_ERR_DEFERRED;
        nghttp2_nv trailers[2];
        char number[12];
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_submit_trailer(ng, id, trailers, status_fields(s, trailers, number));
    }
    return (ssize_t)n;
}

/* Headers, or all of the answer when it has no message. */
static void respond(struct stream *s) {
    nghttp2_nv fields[4] = {field(":status", "200"), field("content-type", "application/grpc")};
    nghttp2_data_provider provider = {.source.ptr = s, .read_callback = read_answers};
    char number[12];
    s->has_responded = true;
    if (s->is_over && s->n_answers == 0) {
        size_t n = 2 + status_fields(s, fields + 2, number);
        nghttp2_submit_response(s->conn->ng, s->id, fields, n, NULL);
    } else {
        nghttp2_submit_response(s->conn->ng, s->id, fields, 2, &provider);
    }
}

/* There is something new to send. */
static void stream_go_on(struct stream *s) {
    if (!s->has_responded)
        respond(s);
    else
        nghttp2_session_resume_data(s->conn->ng, s->id);
}

static void finish(struct stream *s, int status, const char *words) {
    if (s->is_over)
        return;
    s->is_over = true;
    s->status = status;
    snprintf(s->words, sizeof s->words, "%s", words);
    stream_go_on(s);
}

static void answer(struct stream *s, struct slice request) {
    struct grpc_answer a = {.status = GRPC_STATUS_OK};
    char prefix[PREFIX_BYTES] = {0};
    buf_init(&a.message, BUF_NO_CAP);
    s->method->call(request, &a);
    if (a.has_message) {
        for (int i = 0; i < 4; i++)
            prefix[1 + i] = (char)(a.message.len >> (24 - 8 * i));
        buf_append(&s->out, prefix, sizeof prefix);
        buf_append_slice(&s->out, buf_slice(&a.message));
        s->n_answers++;
    }
    buf_release(&a.message);
    if (a.status != GRPC_STATUS_OK || !(s->method->is_stream || a.stays_open))
        finish(s, a.status, a.words);
    else
        stream_go_on(s);
}

/* Answers the messages that are complete. */
static void take_messages(struct stream *s) {
    while (!s->is_over && s->in.len >= PREFIX_BYTES && s->out.len < OUT_MAX) {
        const unsigned char *p = (const unsigned char *)s->in.ptr;
        size_t len = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
        if (len > MESSAGE_MAX) {
            finish(s, GRPC_STATUS_EXHAUSTED, "grpc: received message larger than max");
        } else if (p[0] != 0) {
            finish(s, GRPC_STATUS_UNIMPLEMENTED,
                   "grpc: Decompressor is not installed for grpc-encoding");
        } else if (s->in.len - PREFIX_BYTES < len) {
            break;
        } else if (s->method->is_stream || s->n_answers == 0) {
            answer(s, slice_from(s->in.ptr + PREFIX_BYTES, len));
            buf_consume(&s->in, PREFIX_BYTES + len);
        } else {
            break;
        }
    }
    if (s->has_ended && !s->is_over && (s->method->is_stream || s->n_answers == 0))
        finish(s, s->method->is_stream ? GRPC_STATUS_OK : GRPC_STATUS_INTERNAL,
               s->method->is_stream ? "" : "the call has no request");
}

/* ---------------------------------------------------------------- HTTP/2 */

static void answer_health(struct stream *s) {
    bool is_it = strcmp(s->path, "/grpchealthz") == 0;
    nghttp2_nv fields[] = {field(":status", is_it ? "204" : "404"), field("grpc-status", "12"),
                           field("grpc-message", "unimplemented")};
    s->is_over = s->has_responded = true;
    nghttp2_submit_response(s->conn->ng, s->id, fields, is_it ? 3 : 1, NULL);
}

static void request_came(struct stream *s) {
    char words[160];
    if (s->conn->kind == GRPC_CONN_HEALTH) {
        answer_health(s);
        return;
    }
    if (!s->is_grpc) {
        nghttp2_nv fields[] = {field(":status", "415")};
        s->is_over = s->has_responded = true;
        nghttp2_submit_response(s->conn->ng, s->id, fields, 1, NULL);
        return;
    }
    s->method = grpc_method_find(slice_cstr(s->path), words);
    if (!s->method)
        finish(s, GRPC_STATUS_UNIMPLEMENTED, words);
}

static int begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *arg) {
    struct grpc_conn *c = arg;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct stream *s = stream_new(c, frame->hd.stream_id);
    return nghttp2_session_set_stream_user_data(ng, frame->hd.stream_id, s);
}

static int header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
                  size_t name_bytes, const uint8_t *value, size_t value_bytes, uint8_t flags,
                  void *arg) {
    struct stream *s = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    struct slice key = slice_from((const char *)name, name_bytes);
    struct slice text = slice_from((const char *)value, value_bytes);
    (void)flags;
    (void)arg;
    if (!s)
        return 0;
    if (slice_eq(key, SLICE(":path")))
        snprintf(s->path, sizeof s->path, "%.*s", (int)(text.len < sizeof s->path ? text.len : 0),
                 text.ptr);
    else if (slice_eq(key, SLICE("content-type")))
        s->is_grpc = slice_starts(text, SLICE("application/grpc"));
    return 0;
}

static int frame_came(nghttp2_session *ng, const nghttp2_frame *frame, void *arg) {
    bool is_end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    struct stream *s = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    (void)arg;
    if (!s || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        request_came(s);
    s->has_ended = s->has_ended || is_end;
    if (s->method && !s->is_over)
        take_messages(s);
    return 0;
}

static int data_came(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n,
                     void *arg) {
    struct stream *s = nghttp2_session_get_stream_user_data(ng, id);
    (void)flags;
    (void)arg;
    if (!s || !s->method || s->is_over)
        return 0;
    if (buf_append(&s->in, bytes, n))
        finish(s, GRPC_STATUS_EXHAUSTED, "grpc: received message larger than max");
    else
        take_messages(s);
    return 0;
}

static int stream_closed(nghttp2_session *ng, int32_t id, uint32_t code, void *arg) {
    struct stream *s = nghttp2_session_get_stream_user_data(ng, id);
    (void)code;
    (void)arg;
    if (s) {
        nghttp2_session_set_stream_user_data(ng, id, NULL);
        stream_free(s);
    }
    return 0;
}

static void start_h2(struct grpc_conn *c) {
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20},
    };
    nghttp2_session_callbacks *callbacks;
    CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frame_came);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, data_came);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_closed);
    CHECK(nghttp2_session_server_new(&c->ng, callbacks, c) == 0);
    nghttp2_session_callbacks_del(callbacks);
    CHECK(nghttp2_submit_settings(c->ng, NGHTTP2_FLAG_NONE, settings, countof(settings)) == 0);
    nghttp2_session_set_local_window_size(c->ng, NGHTTP2_FLAG_NONE, 0, 16 << 20);
}

/* ---------------------------------------------------------------- HTTP/1.1 */

/* Requests of probes: a head, no body. */
static bool take_h1(struct grpc_conn *c) {
    static const char wanted[] = " /grpchealthz HTTP/1.";
    char *end;
    while ((end = memmem(c->head.ptr, c->head.len, "\r\n\r\n", 4)) != NULL) {
        size_t bytes = (size_t)(end - c->head.ptr) + 4;
        struct slice rest = slice_from(c->head.ptr, bytes);
        struct slice line = slice_cut(&rest, '\r');
        bool is_it = memmem(line.ptr, line.len, wanted, sizeof wanted - 1) != NULL;
        buf_append_str(&c->answer, is_it ? "HTTP/1.1 204 No Content\r\nGrpc-Status: 12\r\n"
                                           "Grpc-Message: unimplemented\r\n\r\n"
                                         : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        buf_consume(&c->head, bytes);
        if (c->answer.len > OUT_MAX)
            return false;
    }
    return c->head.len <= H1_HEAD_MAX;
}

/* ---------------------------------------------------------------- connections */

struct grpc_conn *grpc_conn_new(enum grpc_conn_kind kind) {
    struct grpc_conn *c = xcalloc(1, sizeof *c);
    c->kind = kind;
    list_init(&c->streams);
    buf_init(&c->head, BUF_NO_CAP);
    buf_init(&c->answer, BUF_NO_CAP);
    if (kind == GRPC_CONN_CALLS)
        start_h2(c);
    return c;
}

void grpc_conn_free(struct grpc_conn *c) {
    nghttp2_session_del(c->ng);
    while (!list_empty(&c->streams))
        stream_free(container_of(c->streams.next, struct stream, link));
    buf_release(&c->head);
    buf_release(&c->answer);
    free(c);
}

static bool feed_h2(struct grpc_conn *c, const char *bytes, size_t n) {
    return nghttp2_session_mem_recv(c->ng, (const uint8_t *)bytes, n) == (ssize_t)n;
}

bool grpc_conn_feed(struct grpc_conn *c, const char *bytes, size_t n) {
    if (c->ng)
        return feed_h2(c, bytes, n);
    buf_append(&c->head, bytes, n);
    size_t known = c->head.len < PREFACE_BYTES ? c->head.len : PREFACE_BYTES;
    if (!c->is_h1 && memcmp(c->head.ptr, preface, known) == 0) {
        if (known < PREFACE_BYTES)
            return true;
        start_h2(c);
        bool is_good = feed_h2(c, c->head.ptr, c->head.len);
        buf_release(&c->head);
        return is_good;
    }
    c->is_h1 = true;
    return take_h1(c);
}

bool grpc_conn_drain(struct grpc_conn *c, struct buf *out) {
    if (!c->ng) {
        buf_append_slice(out, buf_slice(&c->answer));
        buf_reset(&c->answer);
        return true;
    }
    while (out->len < OUT_MAX) {
        const uint8_t *frame;
        ssize_t n = nghttp2_session_mem_send(c->ng, &frame);
        if (n < 0)
            return false;
        if (n == 0)
            break;
        buf_append(out, frame, (size_t)n);
    }
    /* Calls that waited for their answers to be taken. */
    for (struct list *l = c->streams.next; l != &c->streams; l = l->next) {
        struct stream *s = container_of(l, struct stream, link);
        if (s->method && !s->is_over && s->in.len)
            take_messages(s);
    }
    return nghttp2_session_want_read(c->ng) || nghttp2_session_want_write(c->ng);
}
