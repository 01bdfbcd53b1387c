/* A request whose answer is a stream of server-sent events, read on a fiber of its own that runs no
 * JavaScript. sse.open() and EventSource stand on it; k6's http metrics are recorded when the
 * stream ends, and `sse_event` once an event. */
#pragma once

#include "http/event_stream.h"
#include "js/mod/http_internal.h"

/* An event that outlives the bytes it came in. */
struct sse_event {
    struct event_stream_event e; /* its slices point behind it */
    size_t bytes;
    char room[];
};

struct sse_stream {
    struct vu *vu;
    struct http_call call;
    bool has_call;
    struct event_stream parser;
    struct fiber *reader;
    struct metric *metric;     /* sse_event */
    const struct tagset *tags; /* of its samples; complete once the stream is open */
    bool is_open;
    bool is_closing; /* nobody wants more */
    int rc;          /* how it ended: 0, or err has why */
    struct error err;
    /* The owner's, on the reading fiber. on_open: the head is there; on_event may yield to wait for
     * room and owns the event; either ends the stream by returning false. on_end is the last act of
     * a fiber that sse_stream_start started. */
    bool (*on_open)(struct sse_stream *s, const struct http_response *r);
    bool (*on_event)(struct sse_stream *s, struct sse_event *event);
    void (*on_end)(struct sse_stream *s);
};

/* Reads the request from a script's values: params has headers, tags, timeout, jar (as k6/http;
 * without timeout there is none), and Accept is text/event-stream unless it says otherwise. 0;
 * KE_JS with an exception pending; another code with s->err. Release it in any case. */
int sse_stream_init(struct sse_stream *s, struct vu *vu, JSValueConst method, JSValueConst url,
                    JSValueConst body, JSValueConst params);
/* Sends the request and reads, on the calling fiber, until the stream ends. For a further time,
 * too: a reconnection. Yields. */
void sse_stream_run(struct sse_stream *s);
/* The same on a fiber of its own, which calls on_end. */
void sse_stream_start(struct sse_stream *s);
/* The stream ends soon. */
void sse_stream_close(struct sse_stream *s);
/* What the server answered; NULL when it did not. */
const struct http_response *sse_stream_response(const struct sse_stream *s);
/* Counts an event. VU's fiber. */
void sse_stream_count(const struct sse_stream *s);
/* No fiber may run. */
void sse_stream_release(struct sse_stream *s);
