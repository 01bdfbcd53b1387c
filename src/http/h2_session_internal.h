/* Between h2_session.c (reading, writing, waiting) and h2_events.c (what frames mean). */
#pragma once

#include "http/h2_session.h"

struct h2_session {
    struct conn *conn;
    nghttp2_session *ng;
    struct list streams;
    size_t n_streams;
    struct h2_stream *reader; /* waits for input, for all */
    struct h2_stream *writer; /* waits for room to write `out` */
    struct buf out;           /* what the socket did not take */
    bool has_flusher;         /* a fiber will write when its siblings have had their turn */
    bool has_unmarked;        /* streams that are framed but not known to be written */
    bool is_dead, is_draining;
    bool is_paced;
    bool has_settings; /* the server's */
    bool has_goaway;
    uint32_t goaway_code;
    int32_t goaway_last_id;
    char goaway_debug[128];
    size_t goaway_debug_bytes;
    uint32_t own_error; /* of the GOAWAY that we sent */
    struct error end;   /* why it is dead */
    /* Of the current read. */
    int64_t event_ns, queued_ns;
};

/* Makes the protocol's side of s. */
void h2_events_attach(struct h2_session *s);
/* The stream's id, or a negative code of nghttp2. */
int h2_events_submit(struct h2_stream *stream, const nghttp2_nv *fields, size_t n_fields,
                     bool has_body);
/* Nothing more will come for it; wakes its fiber. With code and words in stream->err when that is a
 * failure. */
void h2_stream_end(struct h2_stream *stream);
