/* The fibers of a WebSocket. */
#include <stdlib.h>

#include "base/check.h"
#include "js/js_util.h"
#include "js/mod/websockets.h"

#define STACK_BYTES (128 * 1024)
/* Beyond these, the reader waits for the script, and send() for the socket. */
#define TASKS_MAX 4096
#define TASK_BYTES_MAX ((size_t)64 << 20)
#define OUTGOING_BYTES_MAX ((size_t)64 << 20)

static void maybe_done(struct websocket *ws) {
    if (ws->reader || ws->writer || ws->is_done)
        return;
    ws->is_done = true;
    websocket_post(ws, WS_TASK_DONE, SLICE(""), 0, SLICE(""));
}

static struct slice words(const struct error *err) {
    return slice_cstr(err->text);
}

/* ---------------------------------------------------------------- writing */

static void drop_outgoing(struct websocket *ws) {
    struct list *l;
    while ((l = list_pop_front(&ws->outgoing)))
        free(container_of(l, struct ws_outgoing, link));
    ws->outgoing_bytes = 0;
}

static void writer_fiber(void *arg) {
    struct websocket *ws = arg;
    struct list *l;
    int rc = 0;
    while (rc == 0 && ws->state != WS_CLOSED && !ws->is_canceled &&
           (l = list_pop_front(&ws->outgoing))) {
        struct ws_outgoing *o = container_of(l, struct ws_outgoing, link);
        struct error err;
        int64_t deadline = o->opcode == WS_PING ? clock_now_ns() + WS_CONTROL_WAIT_NS : NEVER_NS;
        rc = ws_write(ws->conn, o->opcode, slice_from(o->data, o->len), deadline, &err);
        ws->outgoing_bytes -= o->len;
        if (rc == 0) {
            ws_call_count(&ws->call, M_WS_MSGS_SENT);
            if (o->opcode == WS_TEXT || o->opcode == WS_BINARY)
                ws->buffered_bytes -= o->len;
        } else {
            websocket_post(ws, WS_TASK_CLOSED, words(&err), 0, SLICE(""));
        }
        free(o);
        fiber_cond_broadcast(&ws->changed);
    }
    if (rc || ws->state == WS_CLOSED || ws->is_canceled)
        drop_outgoing(ws);
    ws->writer = NULL;
    fiber_cond_broadcast(&ws->changed);
    maybe_done(ws);
}

/* What is queued before the connection is there waits for it. */
static void start_writer(struct websocket *ws) {
    if (ws->writer || !ws->conn || list_empty(&ws->outgoing))
        return;
    ws->writer = fiber_start(ws->vu->worker, STACK_BYTES, writer_fiber, ws);
    fiber_detach(ws->writer);
}

bool websocket_queue(struct websocket *ws, enum ws_opcode opcode, struct slice data) {
    while (ws->outgoing_bytes > OUTGOING_BYTES_MAX && ws->writer) {
        if (fiber_cond_wait(&ws->changed, NEVER_NS)) {
            js_throw_interrupted(ws->vu->ctx);
            return false;
        }
    }
    if (!ws->reader)
        return true; /* the connection has ended: the script will be told */
    struct ws_outgoing *o = xmalloc(sizeof *o + data.len);
    o->opcode = opcode;
    o->len = data.len;
    if (data.len)
        memcpy(o->data, data.ptr, data.len);
    list_push_back(&ws->outgoing, &o->link);
    ws->outgoing_bytes += data.len;
    start_writer(ws);
    return true;
}

/* ---------------------------------------------------------------- reading */

/* The peer's close frame, answered as gorilla/websocket does. */
static void on_close_frame(struct websocket *ws, const struct ws_event *e) {
    struct error err;
    int code = e->close_code;
    ws_write_close(ws->conn, code, SLICE(""), clock_now_ns() + WS_CONTROL_WAIT_NS, NULL);
    bool is_expected = code == WS_CLOSE_NORMAL || code == WS_CLOSE_GOING_AWAY;
    ws_close_error(&err, code, e->data);
    websocket_post(ws, WS_TASK_CLOSED, is_expected ? SLICE("") : words(&err), code, e->data);
}

static void on_ping(struct websocket *ws, const struct ws_event *e) {
    struct error err;
    if (ws_write(ws->conn, WS_PONG, e->data, clock_now_ns() + WS_CONTROL_WAIT_NS, &err))
        websocket_post(ws, WS_TASK_ERROR, words(&err), 0, SLICE(""));
    else
        websocket_post(ws, WS_TASK_PING, SLICE(""), 0, SLICE(""));
}

static bool make_room(struct websocket *ws) {
    while (ws->n_tasks > TASKS_MAX || ws->task_bytes > TASK_BYTES_MAX) {
        if (ws->state == WS_CLOSED || fiber_cond_wait(&ws->changed, NEVER_NS))
            return false;
    }
    return true;
}

static void read_all(struct websocket *ws) {
    struct ws_event e;
    struct error err;
    while (make_room(ws)) {
        int rc = ws_read(ws->conn, &e, NEVER_NS, &err);
        if (rc == KE_EOF && e.opcode == WS_CLOSE) {
            websocket_post(ws, WS_TASK_CLOSED, words(&err), e.close_code, e.data);
            return;
        }
        if (rc) {
            /* k6 tells scripts about close frames only. */
            websocket_post(ws, WS_TASK_CLOSED, SLICE(""), 0, SLICE(""));
            return;
        }
        switch (e.opcode) {
        case WS_TEXT:
            websocket_post(ws, WS_TASK_TEXT, e.data, 0, SLICE(""));
            break;
        case WS_BINARY:
            websocket_post(ws, WS_TASK_BINARY, e.data, 0, SLICE(""));
            break;
        case WS_PING:
            on_ping(ws, &e);
            break;
        case WS_PONG:
            websocket_post(ws, WS_TASK_PONG, e.data, 0, SLICE(""));
            break;
        default:
            on_close_frame(ws, &e);
            return;
        }
    }
}

/* The iteration was cut short: the peer is told when that takes no time. */
static void say_goodbye(struct websocket *ws) {
    struct fiber *self = fiber_self();
    fiber_mask_cancel(self);
    ws_write_close(ws->conn, WS_CLOSE_GOING_AWAY, SLICE(""), clock_now_ns(), NULL);
    fiber_unmask_cancel(self);
}

static void take_response(struct websocket *ws, const struct ws_response *r) {
    struct slice extensions = ws_response_header(r, SLICE("Sec-WebSocket-Extensions"));
    if (extensions.ptr)
        ws->extensions = slice_dup(extensions);
    if (ws->conn)
        ws->protocol = slice_dup(ws_protocol(ws->conn));
}

static void reader_fiber(void *arg) {
    struct websocket *ws = arg;
    struct ws_response response;
    struct error err = {.code = 0};
    int rc = ws_call_open(&ws->call, &ws->conn, &response, &err);
    take_response(ws, &response);
    ws_response_release(&response);
    if (rc) {
        websocket_post(ws, WS_TASK_CLOSED, words(&err), 0, SLICE(""));
    } else {
        websocket_post(ws, WS_TASK_CONNECTED, SLICE(""), 0, SLICE(""));
        start_writer(ws);
        read_all(ws);
        if (ws->is_canceled)
            say_goodbye(ws);
    }
    ws->reader = NULL;
    if (!ws->writer)
        drop_outgoing(ws);
    maybe_done(ws);
}

void websocket_start(struct websocket *ws) {
    list_init(&ws->outgoing);
    fiber_cond_init(&ws->changed);
    ws->reader = fiber_start(ws->vu->worker, STACK_BYTES, reader_fiber, ws);
    fiber_detach(ws->reader);
}

/* ---------------------------------------------------------------- ending */

void websocket_abort(struct websocket *ws) {
    if (ws->conn)
        ws_abort(ws->conn);
    else if (ws->reader)
        fiber_cancel(ws->reader);
    fiber_cond_broadcast(&ws->changed);
}

void websocket_cancel(struct websocket *ws) {
    ws->is_canceled = true;
    if (ws->reader)
        fiber_cancel(ws->reader);
    if (ws->writer)
        fiber_cancel(ws->writer);
}
