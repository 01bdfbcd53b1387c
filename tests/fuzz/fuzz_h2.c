/* layer: http
 * What a server sends over HTTP/2, from its SETTINGS on: nothing may be read or written out of
 * bounds, streams end at most once, and a head that was accepted is a good HTTP/1 block. The first
 * byte says how the bytes are cut and what was asked; there is no socket, so the callbacks are fed
 * directly. */
#include "fuzz.h"

#include <stdlib.h>

#include "base/check.h"
#include "http/h2_session_internal.h"
#include "http/header.h"

#define STREAMS 3

static void drain(struct h2_session *s) {
    const uint8_t *frame;
    while (nghttp2_session_mem_send(s->ng, &frame) > 0)
        ;
}

static void open_streams(struct h2_session *s, struct h2_stream *streams, uint8_t how) {
    nghttp2_nv fields[] = {
        {(uint8_t *)(uintptr_t) ":method", (uint8_t *)(uintptr_t) "GET", 7, 3, 0},
        {(uint8_t *)(uintptr_t) ":path", (uint8_t *)(uintptr_t) "/", 5, 1, 0}};
    for (int i = 0; i < STREAMS; i++) {
        streams[i] = (struct h2_stream){.session = s,
                                        .is_head_request = i == 1 && how & 1,
                                        .drops_body = i == 2,
                                        .max_body_bytes = 1000,
                                        .body = SLICE("body")};
        h2_head_init(&streams[i].head);
        buf_init(&streams[i].data, 1000);
        list_push_back(&s->streams, &streams[i].link);
        streams[i].id = h2_events_submit(&streams[i], fields, 2, how & 2);
        CHECK(streams[i].id > 0);
    }
    drain(s);
}

static void check(struct h2_stream *stream) {
    struct http_header field;
    size_t pos = 0, n_fields = 0;
    CHECK(stream->data.len <= 1000 && stream->data_bytes <= 1000);
    if (stream->drops_body)
        CHECK(stream->data.len == 0);
    if (stream->has_head) {
        struct slice text = buf_slice(&stream->head.text);
        const struct h1_head *notes = &stream->head.notes;
        CHECK(slice_starts(text, SLICE("HTTP/2.0 ")) && slice_ends(text, SLICE("\r\n\r\n")));
        CHECK(notes->location.at + notes->location.len <= text.len);
        CHECK(notes->content_encoding.at + notes->content_encoding.len <= text.len);
        slice_cut(&text, '\n');
        while (http_header_next(text, &pos, &field)) {
            CHECK(field.name.len > 0);
            n_fields++;
        }
        CHECK(pos + 2 >= text.len || n_fields == 0);
    }
    CHECK(!stream->is_closed || stream->is_done);
    h2_head_release(&stream->head);
    buf_release(&stream->data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    static const uint8_t settings[] = {0, 0, 0, 4, 0, 0, 0, 0, 0};
    struct h2_session s = {0};
    struct h2_stream streams[STREAMS];
    if (bytes < 1)
        return 0;
    list_init(&s.streams);
    h2_events_attach(&s);
    open_streams(&s, streams, data[0]);
    size_t step = (data[0] >> 2) + 1;
    CHECK(nghttp2_session_mem_recv(s.ng, settings, sizeof settings) == sizeof settings);
    for (size_t at = 1; at < bytes;) {
        size_t n = bytes - at < step ? bytes - at : step;
        uint8_t *piece = xmalloc(n); /* exactly sized: a sanitizer sees the first byte too many */
        memcpy(piece, data + at, n);
        ssize_t used = nghttp2_session_mem_recv(s.ng, piece, n);
        free(piece);
        if (used < 0)
            break;
        drain(&s);
        at += n;
    }
    for (int i = 0; i < STREAMS; i++)
        check(&streams[i]);
    nghttp2_session_del(s.ng);
    return 0;
}
