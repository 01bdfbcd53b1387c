/* The inside of k6/websockets. A WebSocket has a reading fiber (dial, handshake, frames), and a
 * writing fiber while something is queued; both run no JavaScript but post tasks, which the VU's
 * event loop runs in order (websockets_events.c). The object is pinned until both fibers are gone.
 */
#pragma once

#include "js/event_loop.h"
#include "js/mod/ws_call.h"

enum ws_event_type { WS_ON_OPEN, WS_ON_MESSAGE, WS_ON_ERROR, WS_ON_CLOSE, WS_ON_PING, WS_ON_PONG };
#define WS_EVENT_TYPES 6
extern const char *const ws_event_names[WS_EVENT_TYPES];

enum ws_ready_state { WS_CONNECTING, WS_OPEN, WS_CLOSING, WS_CLOSED };

struct ws_listeners {
    JSValue on; /* the onX property; undefined = none */
    JSValue *list;
    size_t len;
};

struct websocket {
    struct ws_call call;
    struct vu *vu;
    struct list link; /* websockets_module.active, while a fiber runs */
    JSValue self;     /* undefined when no fiber runs */
    struct ws_listeners listeners[WS_EVENT_TYPES];
    uint8_t state;
    bool is_arraybuffer, is_binary_type_set;
    bool was_open;
    bool is_background; /* no iteration waits for it */
    bool is_canceled;   /* the iteration is over: no more events */
    bool is_done;       /* the last task is posted */
    char *url_text;
    char *protocol, *extensions;
    int close_code;
    char *close_reason;
    struct ws_pings pings;

    struct ws_conn *conn;
    struct fiber *reader, *writer;
    struct list outgoing; /* struct ws_outgoing */
    size_t outgoing_bytes;
    size_t buffered_bytes; /* as scripts see it */
    size_t n_tasks, task_bytes;
    struct fiber_cond changed; /* tasks were done, bytes were sent */
};

struct ws_outgoing {
    struct list link;
    enum ws_opcode opcode;
    size_t len;
    char data[];
};

struct websockets_module {
    struct list active;
};

/* websockets_io.c: starts dialing. */
void websocket_start(struct websocket *ws);
/* Queues a frame. Waits while far too much is queued (yields then); false with an exception pending
 * when that is interrupted. */
bool websocket_queue(struct websocket *ws, enum ws_opcode opcode, struct slice data);
/* The connection is of no more use: both fibers end soon. */
void websocket_abort(struct websocket *ws);
/* The same when the iteration is over: no more events, and the peer is told if that takes no time.
 */
void websocket_cancel(struct websocket *ws);

/* websockets_events.c: posts a task from a fiber. */
enum ws_task_kind {
    WS_TASK_CONNECTED,
    WS_TASK_TEXT,
    WS_TASK_BINARY,
    WS_TASK_PING,
    WS_TASK_PONG,
    WS_TASK_ERROR,  /* answering a ping failed */
    WS_TASK_CLOSED, /* data: the error's words, code: the close code that came or 0 */
    WS_TASK_DONE
};
void websocket_post(struct websocket *ws, enum ws_task_kind kind, struct slice data, int code,
                    struct slice reason);
/* websockets.c */
void websocket_finish(struct websocket *ws);
