/* A connection to a browser: the pipe of a launched one (messages end with a zero byte), or the
 * WebSocket of a running one. Two fibers do the I/O; the owner sends without waiting and gets
 * answers and the events it listens to through a callback. */
#pragma once

#include "cdp/cdp_message.h"
#include "fiber/worker.h"

struct cdp_conn;
struct ws_conn;

/* Largest message in either direction. */
#define CDP_MESSAGE_MAX ((size_t)512 << 20)

struct cdp_handler {
    /* On the reading fiber; must not wait. m's views end with the call. */
    void (*on_message)(void *arg, const struct cdp_message *m);
    /* The browser hung up or sent nonsense; once, the last call. */
    void (*on_end)(void *arg, const char *why);
    void *arg;
};

/* Takes the descriptors (made non-blocking here): a pipe or socket to read, a socket to write. */
struct cdp_conn *cdp_conn_new_pipe(struct worker *w, int read_fd, int write_fd,
                                   const struct cdp_handler *handler);
/* Takes ws. */
struct cdp_conn *cdp_conn_new_ws(struct worker *w, struct ws_conn *ws,
                                 const struct cdp_handler *handler);
/* Ends both fibers and closes. No callbacks any more. Yields, cancelled or not. NULL is fine. */
void cdp_conn_free(struct cdp_conn *c);

/* Events of this method are given to the handler; all others are dropped unread. */
void cdp_conn_listen(struct cdp_conn *c, struct slice method);
/* Queues a command; params is JSON or empty, session may be empty. 0; KE_EOF when the connection
 * has ended; KE_TOO_LARGE when what is queued passes CDP_MESSAGE_MAX. */
int cdp_conn_send(struct cdp_conn *c, int64_t id, struct slice session, struct slice method,
                  struct slice params);
/* The reader waits while paused: the owner has too much to do already. */
void cdp_conn_pause(struct cdp_conn *c, bool is_paused);
bool cdp_conn_has_ended(const struct cdp_conn *c);
/* Events that came and that nobody listened to. */
uint64_t cdp_conn_dropped(const struct cdp_conn *c);
