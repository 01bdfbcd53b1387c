/* Server-sent events (WHATWG HTML, section 9.2) from bytes, no I/O. Takes bytes in pieces of any
 * size and gives whole events. It gives more than a browser shows: comments, events without data,
 * and lines that are no field, because k6's sse module shows these to scripts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct event_stream_event {
    bool is_unknown_line; /* no event: data is a line that is no field of one */
    bool has_id, has_data;
    int64_t retry_ms; /* -1 = none was given */
    struct slice id, name, data, comment;
};

struct event_stream {
    struct buf line; /* the unfinished one */
    struct buf id, name, data, comment;
    int64_t retry_ms;
    size_t max_event_bytes;
    bool has_id, has_data, is_after_cr, is_started, is_given, is_line_given;
};

/* max_event_bytes bounds an event, and a line. */
void event_stream_init(struct event_stream *s, size_t max_event_bytes);
void event_stream_release(struct event_stream *s);
/* Takes bytes up to the end of an event (an empty line) or of an unknown line: 1 and *out, whose
 * slices are good until the next call; 0 when more bytes are needed. *out_used of them were taken.
 * KE_TOO_LARGE: an event is larger than allowed. Several data lines are joined by "\n", the newline
 * at the end is gone. */
int event_stream_feed(struct event_stream *s, struct slice bytes, size_t *out_used,
                      struct event_stream_event *out, struct error *err);
