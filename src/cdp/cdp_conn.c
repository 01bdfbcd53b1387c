#include "cdp/cdp_conn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/map.h"
#include "ws/ws_conn.h"

#define STACK_BYTES (128 * 1024)
#define READ_BYTES ((size_t)64 << 10)

struct cdp_conn {
    struct worker *worker;
    struct cdp_handler handler;
    struct worker_io *in, *out; /* of the pipes */
    int read_fd, write_fd;
    struct ws_conn *ws;
    struct fiber *reader, *writer;
    struct buf incoming, outgoing;
    struct map listened; /* methods */
    struct fiber_cond changed;
    uint64_t dropped;
    bool is_paused, has_ended, is_freed;
};

static void end(struct cdp_conn *c, const char *why) {
    if (c->has_ended)
        return;
    c->has_ended = true;
    fiber_cond_broadcast(&c->changed);
    if (!c->is_freed)
        c->handler.on_end(c->handler.arg, why);
}

static bool is_wanted(const struct cdp_conn *c, struct slice method) {
    return map_has(&c->listened, method);
}

static void take(struct cdp_conn *c, struct slice json) {
    struct cdp_message m;
    struct slice method = cdp_message_method(json);
    if ((method.ptr && !is_wanted(c, method)) || !cdp_message_read(json, &m) ||
        (m.id == 0 && !is_wanted(c, m.method))) {
        c->dropped++;
        return;
    }
    c->handler.on_message(c->handler.arg, &m);
}

static int wait_unpaused(struct cdp_conn *c) {
    int rc = 0;
    while (c->is_paused && rc == 0)
        rc = fiber_cond_wait(&c->changed, NEVER_NS);
    return rc;
}

/* ---------------------------------------------------------------- reading */

static int take_all(struct cdp_conn *c, size_t scanned) {
    size_t at = 0;
    char *zero;
    int rc = 0;
    while (rc == 0 && (zero = memchr(c->incoming.ptr + scanned, 0, c->incoming.len - scanned))) {
        size_t stop = (size_t)(zero - c->incoming.ptr);
        take(c, slice_from(c->incoming.ptr + at, stop - at));
        at = scanned = stop + 1;
        rc = wait_unpaused(c);
    }
    buf_consume(&c->incoming, at);
    return rc;
}

static void pipe_reader(void *arg) {
    struct cdp_conn *c = arg;
    int rc = 0;
    while (rc == 0 && (rc = buf_reserve(&c->incoming, READ_BYTES)) == 0) {
        size_t had = c->incoming.len;
        ssize_t n = read(c->read_fd, c->incoming.ptr + had, READ_BYTES);
        if (n > 0) {
            c->incoming.len += (size_t)n;
            rc = take_all(c, had);
        } else if (n < 0 && errno == EAGAIN) {
            rc = worker_io_wait(c->in, IO_READ, NEVER_NS);
        } else if (n == 0 || errno != EINTR) {
            rc = KE_EOF;
        }
    }
    end(c, rc == KE_TOO_LARGE ? "a message of the browser is too large" : "the browser has ended");
}

static void ws_reader(void *arg) {
    struct cdp_conn *c = arg;
    struct ws_event event;
    struct error err = {.text = "the browser has ended"};
    int rc = 0;
    while (rc == 0 && (rc = ws_read(c->ws, &event, NEVER_NS, &err)) == 0) {
        if (event.opcode == WS_TEXT || event.opcode == WS_BINARY)
            take(c, event.data);
        else if (event.opcode == WS_PING)
            rc = ws_write(c->ws, WS_PONG, event.data, NEVER_NS, &err);
        else if (event.opcode == WS_CLOSE)
            rc = KE_EOF;
        if (rc == 0)
            rc = wait_unpaused(c);
    }
    end(c, err.text);
}

/* ---------------------------------------------------------------- writing */

static int write_pipe(struct cdp_conn *c, struct slice bytes) {
    while (bytes.len) {
        ssize_t n = send(c->write_fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n > 0) {
            bytes = slice_from(bytes.ptr + n, bytes.len - (size_t)n);
        } else if (n < 0 && errno == EAGAIN) {
            int rc = worker_io_wait(c->out, IO_WRITE, NEVER_NS);
            if (rc)
                return rc;
        } else if (n == 0 || errno != EINTR) {
            return KE_EOF;
        }
    }
    return 0;
}

static int write_ws(struct cdp_conn *c, struct slice bytes) {
    struct error err;
    int rc = 0;
    while (bytes.len && rc == 0) {
        const char *zero = memchr(bytes.ptr, 0, bytes.len);
        size_t len = (size_t)(zero - bytes.ptr);
        rc = ws_write(c->ws, WS_TEXT, slice_from(bytes.ptr, len), NEVER_NS, &err);
        bytes = slice_from(zero + 1, bytes.len - len - 1);
    }
    return rc;
}

static void writer(void *arg) {
    struct cdp_conn *c = arg;
    int rc = 0;
    while (rc == 0 && !c->has_ended) {
        if (c->outgoing.len == 0) {
            rc = fiber_cond_wait(&c->changed, NEVER_NS);
            continue;
        }
        struct buf now = c->outgoing;
        buf_init(&c->outgoing, CDP_MESSAGE_MAX);
        rc = c->ws ? write_ws(c, buf_slice(&now)) : write_pipe(c, buf_slice(&now));
        buf_release(&now);
    }
    end(c, "the browser has ended");
}

int cdp_conn_send(struct cdp_conn *c, int64_t id, struct slice session, struct slice method,
                  struct slice params) {
    if (c->has_ended)
        return KE_EOF;
    size_t before = c->outgoing.len;
    int rc = buf_printf(&c->outgoing, "{\"id\":%lld,\"method\":\"%.*s\"", (long long)id,
                        SLICE_FMT(method));
    if (session.len)
        rc = rc ? rc : buf_printf(&c->outgoing, ",\"sessionId\":\"%.*s\"", SLICE_FMT(session));
    if (params.len) {
        rc = rc ? rc : buf_append_str(&c->outgoing, ",\"params\":");
        rc = rc ? rc : buf_append_slice(&c->outgoing, params);
    }
    rc = rc ? rc : buf_append(&c->outgoing, "}", 2); /* with the zero byte */
    if (rc)
        c->outgoing.len = before;
    else if (before == 0)
        fiber_cond_broadcast(&c->changed);
    return rc;
}

/* ---------------------------------------------------------------- life */

static struct cdp_conn *new_conn(struct worker *w, const struct cdp_handler *handler) {
    struct cdp_conn *c = xcalloc(1, sizeof *c);
    c->worker = w;
    c->handler = *handler;
    c->read_fd = c->write_fd = -1;
    buf_init(&c->incoming, CDP_MESSAGE_MAX);
    buf_init(&c->outgoing, CDP_MESSAGE_MAX);
    map_init(&c->listened);
    fiber_cond_init(&c->changed);
    return c;
}

static void set_nonblocking(int fd) {
    CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
}

struct cdp_conn *cdp_conn_new_pipe(struct worker *w, int read_fd, int write_fd,
                                   const struct cdp_handler *handler) {
    struct cdp_conn *c = new_conn(w, handler);
    set_nonblocking(read_fd);
    set_nonblocking(write_fd);
    c->read_fd = read_fd;
    c->write_fd = write_fd;
    c->in = worker_io_new(w, read_fd);
    c->out = worker_io_new(w, write_fd);
    c->reader = fiber_start(w, STACK_BYTES, pipe_reader, c);
    c->writer = fiber_start(w, STACK_BYTES, writer, c);
    return c;
}

struct cdp_conn *cdp_conn_new_ws(struct worker *w, struct ws_conn *ws,
                                 const struct cdp_handler *handler) {
    struct cdp_conn *c = new_conn(w, handler);
    c->ws = ws;
    c->reader = fiber_start(w, STACK_BYTES, ws_reader, c);
    c->writer = fiber_start(w, STACK_BYTES, writer, c);
    return c;
}

void cdp_conn_free(struct cdp_conn *c) {
    if (!c)
        return;
    c->is_freed = true;
    fiber_cancel(c->reader);
    fiber_cancel(c->writer);
    if (c->ws)
        ws_abort(c->ws);
    fiber_join(c->reader);
    fiber_join(c->writer);
    if (c->ws) {
        ws_free(c->ws);
    } else {
        worker_io_close(c->in);
        worker_io_close(c->out);
    }
    buf_release(&c->incoming);
    buf_release(&c->outgoing);
    map_release(&c->listened);
    free(c);
}

void cdp_conn_listen(struct cdp_conn *c, struct slice method) {
    map_set(&c->listened, method, c);
}

void cdp_conn_pause(struct cdp_conn *c, bool is_paused) {
    if (c->is_paused == is_paused)
        return;
    c->is_paused = is_paused;
    if (!is_paused)
        fiber_cond_broadcast(&c->changed);
}

bool cdp_conn_has_ended(const struct cdp_conn *c) {
    return c->has_ended;
}

uint64_t cdp_conn_dropped(const struct cdp_conn *c) {
    return c->dropped;
}
