#include "grpc/grpc_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/go_text.h"
#include "base/percent.h"
#include "grpc/grpc_frame.h"
#include "http/h2_error.h"
#include "http/header.h"

/* Of a call that no server has looked at. */
#define REPEATS_MAX 5
/* Of pairs that a peer sends; the header block has its own cap. */
#define PAIRS_MAX 10000
#define OWN_FIELDS 9
/* What is shown of a body that is not gRPC's. */
#define REFUSED_BYTES 1024

void grpc_call_init(struct grpc_call *c, struct grpc_channel *ch, struct slice path) {
    *c = (struct grpc_call){.channel = grpc_channel_ref(ch), .path = path, .deadline_ns = NEVER_NS};
    grpc_status_init(&c->status);
    buf_init(&c->message, ch->max_receive_bytes);
    buf_init(&c->inflated, 0);
}

static void close_stream(struct grpc_call *c) {
    if (c->has_stream)
        h2_stream_close(&c->stream);
    c->has_stream = false;
    grpc_link_unref(c->link);
    c->link = NULL;
}

void grpc_call_release(struct grpc_call *c) {
    if (!c->channel)
        return;
    close_stream(c);
    grpc_status_release(&c->status);
    grpc_metadata_release(&c->headers);
    grpc_metadata_release(&c->trailers);
    buf_release(&c->message);
    buf_release(&c->inflated);
    grpc_channel_unref(c->channel);
    c->channel = NULL;
}

/* ---------------------------------------------------------------- the request */

struct fields {
    nghttp2_nv *nv;
    size_t len;
    struct buf values; /* of -bin fields; views into it come last, when it has stopped to grow */
};

static void put(struct fields *f, struct slice name, struct slice value) {
    f->nv[f->len++] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name.ptr,
                                   .value = (uint8_t *)(uintptr_t)value.ptr,
                                   .namelen = name.len,
                                   .valuelen = value.len};
}

static void put_metadata(struct fields *f, const struct grpc_metadata *md) {
    for (size_t i = 0; i < md->len; i++) {
        if (grpc_name_is_binary(md->pairs[i].name))
            grpc_value_encode(&f->values, md->pairs[i].name, md->pairs[i].value);
    }
    size_t at = 0;
    for (size_t i = 0; i < md->len; i++) {
        const struct grpc_pair *p = &md->pairs[i];
        struct slice value = p->value;
        if (grpc_name_is_binary(p->name)) {
            size_t bytes = (value.len * 4 + 2) / 3; /* base64 without padding */
            value = slice_from(f->values.ptr + at, bytes);
            at += bytes;
        }
        if (!grpc_name_is_reserved(p->name))
            put(f, p->name, value);
    }
}

/* Opens the stream; its body is set already. */
static int open_stream(struct grpc_call *c) {
    const struct grpc_channel *ch = c->channel;
    const struct grpc_metadata *md = c->metadata;
    nghttp2_nv few[OWN_FIELDS + 7];
    struct fields f = {.nv = few};
    char timeout[24];
    size_t n = OWN_FIELDS + (md ? md->len : 0);
    if (n > countof(few))
        f.nv = xmalloc(n * sizeof *f.nv);
    buf_init(&f.values, BUF_NO_CAP);
    put(&f, SLICE(":method"), SLICE("POST"));
    put(&f, SLICE(":scheme"), ch->tls ? SLICE("https") : SLICE("http"));
    put(&f, SLICE(":path"), c->path);
    put(&f, SLICE(":authority"), slice_cstr(ch->authority));
    put(&f, SLICE("content-type"), SLICE("application/grpc"));
    put(&f, SLICE("user-agent"), slice_cstr(ch->user_agent));
    put(&f, SLICE("te"), SLICE("trailers"));
    put(&f, SLICE("grpc-accept-encoding"), SLICE("gzip"));
    if (c->deadline_ns != NEVER_NS) {
        grpc_timeout_text(c->deadline_ns - clock_now_ns(), timeout);
        put(&f, SLICE("grpc-timeout"), slice_cstr(timeout));
        /* Another value each time: not worth a place in the compressor's table. */
        f.nv[f.len - 1].flags = NGHTTP2_NV_FLAG_NO_INDEX;
    }
    if (md)
        put_metadata(&f, md);
    c->stream.keeps_trailers = true;
    int rc = h2_stream_open(c->link->h2, &c->stream, f.nv, f.len, true);
    c->has_stream = true;
    if (f.nv != few)
        free(f.nv);
    buf_release(&f.values);
    snprintf(c->peer_ip, sizeof c->peer_ip, "%s", conn_peer_ip(c->link->conn));
    return rc;
}

/* ---------------------------------------------------------------- the end */

static void set_over(struct grpc_call *c) {
    c->is_over = true;
    c->end_ns = c->has_stream && c->stream.end_ns ? c->stream.end_ns : clock_now_ns();
    if (c->has_stream)
        c->queued_ns = c->stream.queued_ns;
}

/* Metadata that must not go out ends the call before it begins. */
static bool is_sendable(struct grpc_call *c) {
    char *problem = grpc_metadata_problem(c->metadata);
    if (problem) {
        grpc_status_set(&c->status, GRPC_INTERNAL, "%s", problem);
        set_over(c);
    }
    free(problem);
    return !problem;
}

static void set_quoted(struct grpc_status *st, uint32_t code, const char *before,
                       struct slice words) {
    struct buf quoted;
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, words);
    grpc_status_set(st, code, "%s%s", before, buf_cstr(&quoted));
    buf_release(&quoted);
}

static void fail_of_transport(struct grpc_status *st, const char *why) {
    char *words = xasprintf("error reading from server: %s", why);
    set_quoted(st, GRPC_UNAVAILABLE, "connection error: desc = ", slice_cstr(words));
    free(words);
}

static void fail_of_stream(struct grpc_call *c) {
    const struct h2_stream *s = &c->stream;
    struct grpc_status *st = &c->status;
    int64_t code = h2_stream_reset_code(s);
    char scratch[32];
    if (s->err.code == KE_TIMEOUT) {
        grpc_status_set(st, GRPC_DEADLINE_EXCEEDED, "context deadline exceeded");
    } else if (s->err.code == KE_CANCELED) {
        grpc_status_set(st, GRPC_CANCELED, "%s", s->err.text);
    } else if (code >= 0) {
        uint32_t to = grpc_code_of_reset((uint32_t)code);
        if (to == GRPC_CANCELED && clock_now_ns() >= c->deadline_ns)
            to = GRPC_DEADLINE_EXCEEDED;
        grpc_status_set(st, to, "stream terminated by RST_STREAM with error code: %s",
                        h2_code_name((uint32_t)code, scratch));
    } else if (s->err.code == KE_TOO_LARGE) {
        grpc_status_set(st, GRPC_RESOURCE_EXHAUSTED, "grpc: received messages larger than max");
    } else if (s->err.code <= KE_H2_STREAM && s->err.code >= KE_H2_STREAM - KE_H2_CODES) {
        grpc_status_set(st, GRPC_INTERNAL, "%s", s->err.text);
    } else {
        fail_of_transport(st, s->err.code == KE_EOF ? "EOF" : s->err.text);
    }
}

static void add_pair(struct grpc_metadata *md, const struct http_header *h) {
    struct buf value;
    buf_init(&value, BUF_NO_CAP);
    if (md->len < PAIRS_MAX && grpc_value_decode(&value, h->name, h->value))
        grpc_metadata_add(md, h->name, buf_slice(&value));
    buf_release(&value);
}

/* What the fields of a block say beside metadata. */
struct verdict {
    struct slice status, message, details;
};

static bool is_grpc_type(struct slice type) {
    struct slice prefix = SLICE("application/grpc");
    return slice_starts(type, prefix) &&
           (type.len == prefix.len || type.ptr[prefix.len] == '+' || type.ptr[prefix.len] == ';');
}

static void read_fields(struct grpc_call *c, struct slice block, struct grpc_metadata *md,
                        struct verdict *v) {
    struct http_header h;
    size_t pos = 0;
    while (http_header_next(block, &pos, &h)) {
        if (slice_eq(h.name, SLICE("content-type"))) {
            add_pair(md, &h);
        } else if (slice_eq(h.name, SLICE("grpc-encoding"))) {
            size_t n = h.value.len < sizeof c->encoding_text ? h.value.len : 0;
            memcpy(c->encoding_text, h.value.ptr, n);
            c->encoding = slice_from(c->encoding_text, n);
        } else if (slice_eq(h.name, SLICE("grpc-status"))) {
            v->status = h.value;
        } else if (slice_eq(h.name, SLICE("grpc-message"))) {
            v->message = h.value;
        } else if (!grpc_name_is_reserved(h.name)) {
            if (slice_eq(h.name, SLICE("grpc-status-details-bin")))
                v->details = h.value;
            add_pair(md, &h);
        }
    }
}

static void take_verdict(struct grpc_call *c, const struct verdict *v) {
    uint64_t code = GRPC_UNKNOWN;
    struct buf details;
    if (v->status.ptr && (!slice_to_u64(v->status, &code) || code > INT32_MAX)) {
        set_quoted(
            &c->status, GRPC_UNKNOWN,
            "transport: malformed grpc-status: strconv.ParseInt: invalid syntax: ", v->status);
        return;
    }
    grpc_status_set(&c->status, (uint32_t)code, "%s", "");
    percent_decode(&c->status.message, v->message, false);
    buf_init(&details, BUF_NO_CAP);
    if (v->details.ptr && grpc_value_decode(&details, SLICE("-bin"), v->details))
        grpc_status_take_details(&c->status, buf_slice(&details));
    buf_release(&details);
}

static void refuse_response(struct grpc_call *c, struct slice head) {
    struct slice type = http_header_find(head, SLICE("content-type"));
    int status = c->stream.head.notes.status;
    struct buf why;
    buf_init(&why, BUF_NO_CAP);
    if (type.ptr) {
        buf_append_str(&why, "transport: received unexpected content-type ");
        go_quote(&why, type);
    } else {
        buf_append_str(&why, "malformed header: missing HTTP content-type");
    }
    if (!c->stream.ended_by_head || c->stream.data.len) {
        size_t n = c->stream.data.len < REFUSED_BYTES ? c->stream.data.len : REFUSED_BYTES;
        buf_append_str(&why, "\ndata: ");
        go_quote(&why, slice_from(c->stream.data.ptr, n));
    }
    grpc_status_set(&c->status, grpc_code_of_http(status),
                    "unexpected HTTP status code received from server: %d (%s); %s", status,
                    http_status_text(status), buf_cstr(&why));
    buf_release(&why);
    set_over(c);
}

/* The head is there. One that is not gRPC's ends the call once enough of its body came. */
static void take_head(struct grpc_call *c) {
    struct verdict v = {.message = SLICE("")};
    const struct buf *text = &c->stream.head.text;
    const char *first = memchr(text->ptr, '\n', text->len);
    struct slice block = slice_from(first + 1, text->len - (size_t)(first + 1 - text->ptr));
    bool is_all = c->stream.is_done && c->stream.ended_by_head && c->stream.trailers.len == 0 &&
                  c->stream.data_bytes == 0 && http_header_find(block, SLICE("grpc-status")).ptr;
    if (!is_grpc_type(http_header_find(block, SLICE("content-type")))) {
        if (c->stream.is_done || c->stream.data.len >= REFUSED_BYTES)
            refuse_response(c, block);
        return;
    }
    c->has_headers = true;
    read_fields(c, block, is_all ? &c->trailers : &c->headers, &v);
    if (is_all) {
        take_verdict(c, &v);
        set_over(c);
    }
}

/* The stream is done and its data read. */
static void finish(struct grpc_call *c) {
    struct verdict v = {.message = SLICE("")};
    struct h2_stream *s = &c->stream;
    if (c->is_over)
        return;
    if (s->err.code) {
        fail_of_stream(c);
    } else if (!s->ended_by_head) {
        grpc_status_set(&c->status, GRPC_INTERNAL,
                        "server closed the stream without sending trailers");
    } else {
        read_fields(c, buf_slice(&s->trailers), &c->trailers, &v);
        take_verdict(c, &v);
        if (c->status.code == GRPC_OK && s->data.len > c->at)
            grpc_status_set(&c->status, GRPC_INTERNAL, "unexpected EOF");
        else if (c->status.code == GRPC_OK && !c->is_server_stream && c->n_messages == 0)
            grpc_status_set(&c->status, GRPC_INTERNAL,
                            "cardinality violation: received no response message from "
                            "non-server-streaming RPC");
    }
    set_over(c);
}

/* Takes the next message of what came. 1, 0 (nothing more now), -1 (the call is over). */
static int next_message(struct grpc_call *c, struct slice *out) {
    struct grpc_frame f;
    struct slice rest = slice_from(c->stream.data.ptr + c->at, c->stream.data.len - c->at);
    size_t max = c->channel->max_receive_bytes;
    int got = rest.len ? grpc_frame_read(rest, max, &f, &c->status) : 0;
    if (got > 0 && !grpc_frame_open(&f, c->encoding, max, &c->inflated, out, &c->status))
        got = -1;
    if (got > 0 && c->n_messages && !c->is_server_stream) {
        grpc_status_set(&c->status, GRPC_INTERNAL,
                        "cardinality violation: expected <EOF> for non server-streaming RPCs, but "
                        "received another message");
        got = -1;
    }
    if (got < 0)
        set_over(c);
    if (got > 0) {
        c->n_messages++;
        c->at += f.bytes;
    }
    return got;
}

/* ---------------------------------------------------------------- unary */

static int unary_once(struct grpc_call *c, struct slice request) {
    char prefix[GRPC_PREFIX_BYTES];
    const struct slice pieces[] = {slice_from(prefix, sizeof prefix), request};
    struct slice message;
    memset(&c->stream, 0, sizeof c->stream);
    grpc_prefix_write(prefix, request.len);
    c->stream.body.len = sizeof prefix + request.len;
    c->stream.pieces = pieces;
    /* One message and the prefix of another: of a message that is too large, enough to say so. */
    c->stream.max_body_bytes = c->channel->max_receive_bytes + 64 * 1024;
    if (open_stream(c) == 0)
        h2_stream_send(&c->stream);
    int rc = c->stream.err.code;
    while (!rc && !c->stream.is_done)
        rc = h2_stream_wait(&c->stream, c->deadline_ns);
    if (rc == KE_CANCELED && fiber_is_canceled(fiber_self()))
        return rc;
    if (c->stream.is_unprocessed)
        return KE_FAILED;
    if (c->stream.has_head)
        take_head(c);
    while (!c->is_over && next_message(c, &message) > 0)
        buf_append_slice(&c->message, message);
    finish(c);
    return 0;
}

int grpc_call_unary(struct grpc_call *c, struct slice request) {
    const struct grpc_channel *ch = c->channel;
    int rc = KE_FAILED;
    c->start_ns = clock_now_ns();
    if (!is_sendable(c))
        return 0;
    if (request.len > ch->max_send_bytes) {
        grpc_status_set(&c->status, GRPC_RESOURCE_EXHAUSTED,
                        "trying to send message larger than max (%zu vs. %zu)", request.len,
                        ch->max_send_bytes);
        set_over(c);
        return 0;
    }
    for (int i = 0; rc && rc != KE_CANCELED; i++) {
        if (!grpc_channel_link(c->channel, c->deadline_ns, &c->link, &c->status)) {
            set_over(c);
            return c->status.code == GRPC_OK ? KE_CANCELED : 0;
        }
        rc = unary_once(c, request);
        if (rc && rc != KE_CANCELED && i == REPEATS_MAX) {
            finish(c);
            rc = 0;
        }
        close_stream(c);
    }
    return rc;
}

/* ---------------------------------------------------------------- streams */

int grpc_call_start(struct grpc_call *c) {
    c->start_ns = clock_now_ns();
    if (!is_sendable(c))
        return 0;
    if (!grpc_channel_link(c->channel, c->deadline_ns, &c->link, &c->status)) {
        set_over(c);
        return c->status.code == GRPC_OK ? KE_CANCELED : 0;
    }
    c->stream.has_open_body = c->stream.is_paced = c->stream.wants_data = true;
    c->stream.max_body_bytes = UINT64_MAX;
    if (open_stream(c) == 0)
        h2_stream_send(&c->stream);
    return 0;
}

/* The call ends here, the fiber that receives is told. */
static void fail_sending(struct grpc_call *c, uint32_t code, const char *words) {
    grpc_status_set(&c->status, code, "%s", words);
    set_over(c);
    h2_stream_fail(&c->stream, KE_FAILED, words);
}

int grpc_call_send(struct grpc_call *c, struct slice message) {
    char prefix[GRPC_PREFIX_BYTES];
    if (c->is_over || !c->has_stream)
        return 0;
    if (c->is_sending_ended) {
        fail_sending(c, GRPC_INTERNAL, "SendMsg called after CloseSend");
        return 0;
    }
    if (message.len > c->channel->max_send_bytes) {
        char words[120];
        snprintf(words, sizeof words, "trying to send message larger than max (%zu vs. %zu)",
                 message.len, c->channel->max_send_bytes);
        fail_sending(c, GRPC_RESOURCE_EXHAUSTED, words);
        return 0;
    }
    grpc_prefix_write(prefix, message.len);
    h2_stream_queue(&c->stream, slice_from(prefix, sizeof prefix));
    if (!c->is_client_stream)
        c->is_sending_ended = c->stream.is_body_ended = true;
    return h2_stream_write(&c->stream, message, c->deadline_ns);
}

void grpc_call_end_sending(struct grpc_call *c) {
    if (c->is_sending_ended || c->is_over || !c->has_stream)
        return;
    c->is_sending_ended = true;
    h2_stream_end_body(&c->stream);
}

void grpc_call_cancel(struct grpc_call *c, const char *words) {
    if (c->has_stream && !c->is_over)
        h2_stream_fail(&c->stream, KE_CANCELED, words);
}

/* What was read leaves the buffer when it is most of it. */
static void compact(struct grpc_call *c) {
    struct buf *data = &c->stream.data;
    if (c->at == 0 || (c->at < data->len && c->at < 64 * 1024))
        return;
    if (c->at == data->len)
        buf_reset(data);
    else
        buf_consume(data, c->at);
    c->at = 0;
}

/* The server may send again as much as was read, and what the message under way lacks. */
static void open_window(struct grpc_call *c) {
    uint64_t seen = c->stream.data_bytes;
    size_t bytes = (size_t)(seen - c->n_unpaced);
    if (bytes == 0)
        return;
    c->n_unpaced = (size_t)seen;
    h2_stream_consumed(&c->stream, bytes);
}

int grpc_call_receive(struct grpc_call *c, struct slice *out) {
    struct h2_stream *s = &c->stream;
    if (c->has_stream)
        compact(c);
    while (!c->is_over) {
        if (s->has_head && !c->has_headers)
            take_head(c);
        if (c->is_over)
            break;
        int got = c->has_headers ? next_message(c, out) : 0;
        if (got)
            return got > 0;
        if (s->is_done) {
            finish(c);
            break;
        }
        open_window(c);
        int rc = h2_stream_wait(s, c->deadline_ns);
        if (rc == KE_CANCELED && fiber_is_canceled(fiber_self()))
            return rc;
    }
    return 0;
}
