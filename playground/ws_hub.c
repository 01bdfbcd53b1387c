#include "ws_hub.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/vec.h"
#include "metrics.h"
#include "ws_frame.h"

#define PING_AFTER_NS (54 * NS_PER_S)
#define SILENCE_MAX_NS (60 * NS_PER_S)
#define CLOSING_MAX_NS (5 * NS_PER_S)
#define TICK_MS 1000
#define MAX_EVENTS 256
#define IN_BYTES (WS_HUB_MESSAGE_MAX_BYTES + 16)
/* What may wait for one peer, and for all of them together, before who is slow is dropped. */
#define OUT_MAX_BYTES ((size_t)256 << 10)
#define BACKLOG_MAX_BYTES ((size_t)256 << 20)

enum peer_state { PEER_OPEN, PEER_CLOSING, PEER_GONE };

struct peer {
    int fd;
    enum peer_state state;
    ws_release_fn release;
    void *owner;
    int64_t opened_ns;
    int64_t heard_ns;
    int64_t next_ping_ns;
    int64_t closing_until_ns;
    uint8_t in[IN_BYTES];
    size_t in_bytes;
    uint8_t message[WS_HUB_MESSAGE_MAX_BYTES]; /* parts so far */
    size_t message_bytes;
    enum ws_opcode message_opcode; /* WS_CONTINUATION while no message has begun */
    struct buf out;                /* what the socket did not take yet */
    size_t turn_seen;              /* so much of hub->turn is not for it, or in `out` already */
};

struct ws_hub {
    struct metrics *metrics;
    int epoll_fd;
    int event_fd;
    pthread_t thread;
    VEC(struct peer *) peers; /* the thread's, as what follows */
    bool has_gone;            /* some peer is PEER_GONE */
    /* Frames of the messages that came in this turn of the loop. Everybody gets them at its end,
     * all in one go: with many peers that talk a lot, sends are what costs. */
    struct buf turn;
    unsigned turn_messages;
    size_t backlog_bytes; /* of all peers' `out` */
    int64_t next_tick_ns;
    pthread_mutex_t lock; /* of what follows */
    VEC(struct peer *) arrivals;
    bool is_stopping;
};

static void watch(struct ws_hub *hub, struct peer *p, int operation) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = p};
    if (p->out.len > 0)
        event.events |= EPOLLOUT;
    epoll_ctl(hub->epoll_fd, operation, p->fd, &event);
}

static void drop(struct ws_hub *hub, struct peer *p) {
    p->state = PEER_GONE;
    hub->has_gone = true;
}

/* As much as the socket takes; -1 when it is broken. */
static ssize_t send_some(struct peer *p, const void *data, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t sent = send(p->fd, (const char *)data + done, size - done, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN)
            return -1;
        if (sent < 0)
            break;
        done += (size_t)sent;
    }
    return (ssize_t)done;
}

static void send_out(struct ws_hub *hub, struct peer *p) {
    ssize_t sent = send_some(p, p->out.ptr, p->out.len);
    if (sent < 0) {
        drop(hub, p);
        return;
    }
    buf_consume(&p->out, (size_t)sent);
    hub->backlog_bytes -= (size_t)sent;
    if (p->out.len == 0) {
        watch(hub, p, EPOLL_CTL_MOD);
        if (p->state == PEER_CLOSING)
            shutdown(p->fd, SHUT_WR);
    }
}

/* Sends now what the socket takes, and keeps the rest. */
static void send_bytes(struct ws_hub *hub, struct peer *p, const void *data, size_t size) {
    const bool was_idle = p->out.len == 0;
    ssize_t sent = was_idle ? send_some(p, data, size) : 0;
    if (sent < 0) {
        drop(hub, p);
        return;
    }
    const size_t rest = size - (size_t)sent;
    if (rest == 0)
        return;
    if (hub->backlog_bytes + rest > BACKLOG_MAX_BYTES ||
        buf_append(&p->out, (const char *)data + sent, rest) != 0) {
        drop(hub, p);
        return;
    }
    hub->backlog_bytes += rest;
    if (was_idle)
        watch(hub, p, EPOLL_CTL_MOD);
}

/* Sends what the turn has brought so far. */
static void catch_up(struct ws_hub *hub, struct peer *p) {
    const size_t seen = p->turn_seen;
    p->turn_seen = hub->turn.len;
    if (p->state == PEER_OPEN && seen < hub->turn.len)
        send_bytes(hub, p, hub->turn.ptr + seen, hub->turn.len - seen);
}

static void send_frame(struct ws_hub *hub, struct peer *p, enum ws_opcode opcode,
                       const void *payload, size_t size) {
    uint8_t frame[WS_HEADER_MAX_BYTES + WS_CONTROL_MAX_BYTES];
    CHECK(size <= WS_CONTROL_MAX_BYTES);
    size_t header_bytes = ws_frame_header(opcode, size, frame);
    if (size > 0)
        memcpy(frame + header_bytes, payload, size);
    catch_up(hub, p);
    if (p->state != PEER_GONE)
        send_bytes(hub, p, frame, header_bytes + size);
}

/* Says goodbye; the peer is gone when it hangs up too, or soon after. */
static void close_peer(struct ws_hub *hub, struct peer *p, unsigned code) {
    if (p->state != PEER_OPEN)
        return;
    const uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};
    send_frame(hub, p, WS_CLOSE, payload, code == WS_CLOSE_NO_STATUS ? 0 : sizeof payload);
    if (p->state != PEER_OPEN)
        return;
    p->state = PEER_CLOSING;
    p->closing_until_ns = clock_now_ns() + CLOSING_MAX_NS;
    if (p->out.len == 0)
        shutdown(p->fd, SHUT_WR);
}

static void broadcast(struct ws_hub *hub, const uint8_t *message, size_t size) {
    uint8_t header[WS_HEADER_MAX_BYTES];
    size_t header_bytes = ws_frame_header(WS_TEXT, size, header);
    buf_append(&hub->turn, header, header_bytes);
    buf_append(&hub->turn, message, size);
    hub->turn_messages++;
}

/* Everybody gets the messages of the turn, in the same order. */
static void end_turn(struct ws_hub *hub, int64_t start_ns) {
    if (hub->turn_messages == 0)
        return;
    struct peer **p;
    vec_foreach(p, &hub->peers) {
        catch_up(hub, *p);
        (*p)->turn_seen = 0;
    }
    const int64_t duration_ns = clock_now_ns() - start_ns;
    for (; hub->turn_messages > 0; hub->turn_messages--)
        metrics_ws_message(hub->metrics, duration_ns);
    buf_reset(&hub->turn);
}

static void receive_close(struct ws_hub *hub, struct peer *p, const uint8_t *payload, size_t size) {
    if (size == 1)
        close_peer(hub, p, WS_CLOSE_PROTOCOL_ERROR);
    else
        close_peer(hub, p, size == 0 ? WS_CLOSE_NO_STATUS : (unsigned)payload[0] << 8 | payload[1]);
}

static void receive_data(struct ws_hub *hub, struct peer *p, const struct ws_frame *frame,
                         const uint8_t *payload) {
    const size_t size = (size_t)frame->payload_bytes;
    const bool is_first = frame->opcode != WS_CONTINUATION;
    if (is_first == (p->message_opcode != WS_CONTINUATION)) {
        close_peer(hub, p, WS_CLOSE_PROTOCOL_ERROR);
        return;
    }
    if (is_first) {
        p->message_opcode = frame->opcode;
        p->message_bytes = 0;
    }
    if (size > sizeof p->message - p->message_bytes) {
        close_peer(hub, p, WS_CLOSE_TOO_BIG);
        return;
    }
    memcpy(p->message + p->message_bytes, payload, size);
    p->message_bytes += size;
    if (!frame->is_final)
        return;
    if (p->message_opcode == WS_TEXT)
        broadcast(hub, p->message, p->message_bytes);
    p->message_opcode = WS_CONTINUATION;
}

static void receive_frame(struct ws_hub *hub, struct peer *p, const struct ws_frame *frame,
                          uint8_t *payload) {
    const size_t size = (size_t)frame->payload_bytes;
    ws_frame_unmask(payload, size, frame->mask);
    switch (frame->opcode) {
    case WS_PING:
        send_frame(hub, p, WS_PONG, payload, size);
        break;
    case WS_PONG:
        break;
    case WS_CLOSE:
        receive_close(hub, p, payload, size);
        break;
    default:
        receive_data(hub, p, frame, payload);
    }
}

/* Takes the complete frames out of the input. */
static void parse(struct ws_hub *hub, struct peer *p) {
    size_t at = 0;
    while (p->state == PEER_OPEN) {
        struct ws_frame frame;
        int rc = ws_frame_parse(p->in + at, p->in_bytes - at, &frame);
        if (rc < 0)
            close_peer(hub, p, WS_CLOSE_PROTOCOL_ERROR);
        else if (rc > 0 && frame.payload_bytes > WS_HUB_MESSAGE_MAX_BYTES)
            close_peer(hub, p, WS_CLOSE_TOO_BIG);
        else if (rc == 0 || p->in_bytes - at < frame.header_bytes + frame.payload_bytes)
            break;
        else {
            receive_frame(hub, p, &frame, p->in + at + frame.header_bytes);
            at += frame.header_bytes + (size_t)frame.payload_bytes;
        }
    }
    if (p->state != PEER_OPEN)
        at = p->in_bytes; /* nobody listens any more */
    memmove(p->in, p->in + at, p->in_bytes - at);
    p->in_bytes -= at;
}

static void read_in(struct ws_hub *hub, struct peer *p) {
    ssize_t size = recv(p->fd, p->in + p->in_bytes, sizeof p->in - p->in_bytes, 0);
    if (size < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (size <= 0) {
        drop(hub, p);
        return;
    }
    p->heard_ns = clock_now_ns();
    p->in_bytes += (size_t)size;
    parse(hub, p);
}

static void tick(struct ws_hub *hub, int64_t now_ns) {
    if (now_ns < hub->next_tick_ns)
        return;
    hub->next_tick_ns = now_ns + TICK_MS * NS_PER_MS;
    struct peer **item;
    vec_foreach(item, &hub->peers) {
        struct peer *p = *item;
        if (p->state == PEER_CLOSING ? now_ns >= p->closing_until_ns
                                     : now_ns - p->heard_ns >= SILENCE_MAX_NS)
            drop(hub, p);
        if (p->state == PEER_OPEN && now_ns >= p->next_ping_ns) {
            p->next_ping_ns = now_ns + PING_AFTER_NS;
            send_frame(hub, p, WS_PING, NULL, 0);
        }
    }
}

static void free_peer(struct ws_hub *hub, struct peer *p) {
    metrics_ws_closed(hub->metrics, clock_now_ns() - p->opened_ns);
    if (p->out.len > 0) /* else perhaps not on the hub's thread */
        hub->backlog_bytes -= p->out.len;
    p->release(p->owner);
    buf_release(&p->out);
    free(p);
}

/* Lets go of the peers that are gone, after the events that may name them. */
static void sweep(struct ws_hub *hub) {
    size_t kept = 0;
    if (!hub->has_gone)
        return;
    hub->has_gone = false;
    for (size_t i = 0; i < hub->peers.len; i++) {
        struct peer *p = hub->peers.ptr[i];
        if (p->state != PEER_GONE) {
            hub->peers.ptr[kept++] = p;
            continue;
        }
        epoll_ctl(hub->epoll_fd, EPOLL_CTL_DEL, p->fd, NULL);
        free_peer(hub, p);
    }
    hub->peers.len = kept;
}

/* Takes in who has arrived. True when the hub is to stop. */
static bool welcome(struct ws_hub *hub) {
    uint64_t count;
    ssize_t ignored = read(hub->event_fd, &count, sizeof count);
    (void)ignored;
    pthread_mutex_lock(&hub->lock);
    const size_t first = hub->peers.len;
    struct peer **p;
    vec_foreach(p, &hub->arrivals) {
        vec_push(&hub->peers, *p);
    }
    hub->arrivals.len = 0;
    const bool is_stopping = hub->is_stopping;
    pthread_mutex_unlock(&hub->lock);
    for (size_t i = first; i < hub->peers.len; i++) {
        hub->peers.ptr[i]->turn_seen = hub->turn.len;
        watch(hub, hub->peers.ptr[i], EPOLL_CTL_ADD);
        parse(hub, hub->peers.ptr[i]);
    }
    return is_stopping;
}

static void *run(void *arg) {
    struct ws_hub *hub = arg;
    struct epoll_event events[MAX_EVENTS];
    bool is_stopping = false;
    while (!is_stopping) {
        int count =
            epoll_wait(hub->epoll_fd, events, MAX_EVENTS, hub->peers.len > 0 ? TICK_MS : -1);
        const int64_t start_ns = clock_now_ns();
        for (int i = 0; i < count; i++) {
            struct peer *p = events[i].data.ptr;
            if (p == NULL) {
                is_stopping = welcome(hub);
                continue;
            }
            if ((events[i].events & EPOLLOUT) != 0 && p->state != PEER_GONE)
                send_out(hub, p);
            if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && p->state != PEER_GONE)
                read_in(hub, p);
        }
        end_turn(hub, start_ns);
        tick(hub, start_ns);
        sweep(hub);
    }
    struct peer **p;
    vec_foreach(p, &hub->peers) {
        close_peer(hub, *p, WS_CLOSE_GOING_AWAY);
        drop(hub, *p);
    }
    sweep(hub);
    return NULL;
}

int ws_hub_start(struct ws_hub **out, struct metrics *metrics) {
    struct ws_hub *hub = xcalloc(1, sizeof *hub);
    hub->metrics = metrics;
    buf_init(&hub->turn, BUF_NO_CAP);
    pthread_mutex_init(&hub->lock, NULL);
    hub->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    hub->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (hub->epoll_fd < 0 || hub->event_fd < 0 ||
        epoll_ctl(hub->epoll_fd, EPOLL_CTL_ADD, hub->event_fd, &event) != 0 ||
        pthread_create(&hub->thread, NULL, run, hub) != 0) {
        ws_hub_free(hub);
        return KE_FAILED;
    }
    *out = hub;
    return 0;
}

static void wake(struct ws_hub *hub) {
    const uint64_t one = 1;
    ssize_t ignored = write(hub->event_fd, &one, sizeof one);
    (void)ignored;
}

void ws_hub_stop(struct ws_hub *hub) {
    pthread_mutex_lock(&hub->lock);
    hub->is_stopping = true;
    wake(hub);
    pthread_mutex_unlock(&hub->lock);
    pthread_join(hub->thread, NULL);
}

void ws_hub_free(struct ws_hub *hub) {
    if (hub == NULL)
        return;
    if (hub->epoll_fd >= 0)
        close(hub->epoll_fd);
    if (hub->event_fd >= 0)
        close(hub->event_fd);
    buf_release(&hub->turn);
    vec_release(&hub->peers);
    vec_release(&hub->arrivals);
    pthread_mutex_destroy(&hub->lock);
    free(hub);
}

void ws_hub_adopt(struct ws_hub *hub, int fd, const void *early, size_t early_bytes,
                  ws_release_fn release, void *owner) {
    const int64_t now_ns = clock_now_ns();
    struct peer *p = xcalloc(1, sizeof *p);
    p->fd = fd;
    p->release = release;
    p->owner = owner;
    p->opened_ns = now_ns;
    p->heard_ns = now_ns;
    p->next_ping_ns = now_ns + PING_AFTER_NS;
    buf_init(&p->out, OUT_MAX_BYTES);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);

    bool is_taken = early_bytes <= sizeof p->in;
    if (is_taken && early_bytes > 0) {
        memcpy(p->in, early, early_bytes);
        p->in_bytes = early_bytes;
    }
    metrics_ws_opened(hub->metrics);
    pthread_mutex_lock(&hub->lock);
    is_taken = is_taken && !hub->is_stopping;
    if (is_taken) {
        vec_push(&hub->arrivals, p);
        wake(hub);
    }
    pthread_mutex_unlock(&hub->lock);
    if (!is_taken)
        free_peer(hub, p);
}
