/* A Redis client of one VU: a single server, a cluster, or a master that sentinels know. It
 * connects when the first command comes. Commands that are given while others are under way share
 * their connection (pipelining); those that make a connection wait (BLPOP, SUBSCRIBE …) get one of
 * their own. A command that failed for a reason that may pass (a lost connection, a server that is
 * still loading, a redirection of the cluster) is tried again, by go-redis's rules and with its
 * backoff.
 *
 * All of it belongs to one worker. Nothing here waits but redis_scope_wait: a call is started, and
 * its `done` says how it ended. See docs/internals/redis.md. */
#pragma once

#include "fiber/worker.h"
#include "redis/redis_command.h"
#include "redis/redis_link.h"

struct redis_client;
struct redis_split_state;

/* The fibers of an owner's clients: before what they use goes away, the owner waits for them. */
struct redis_scope {
    size_t n_fibers;
    struct fiber_cond changed;
};
void redis_scope_init(struct redis_scope *s);
/* Until no fiber is left; free the clients first. Yields, not cancelable. */
void redis_scope_wait(struct redis_scope *s);

/* A command under way. The memory is the caller's, zeroed before its first use, until done was
 * called. */
struct redis_call {
    /* Called once, on a fiber of the worker or in the caller's own call: must not wait. The call
     * may be freed in it (after redis_call_release). */
    void (*done)(struct redis_call *call);

    /* How it ended: 0 with the reply, which may be an error; else a code with its words.
     * KE_CANCELED: redis_client_cancel, redis_client_free. */
    int rc;
    char *words;
    struct slice reply;

    /* The client's. */
    struct redis_client *client;
    struct list link;
    struct slice wire;
    struct redis_traits traits;
    int16_t slot;
    uint8_t n_skip; /* replies to come before its own */
    bool is_asking, is_queued;
    int attempt;
    int64_t deadline_ns;
    struct worker_timer timer;
    struct redis_node *node; /* that it was last sent to */
    struct redis_split_state *split;
    struct slice key; /* within wire */
};

/* o is finished (redis_options_finish) and moves into the client; net and scope are the owner's and
 * outlive it. On w's thread. */
struct redis_client *redis_client_new(struct worker *w, struct redis_scope *scope,
                                      struct redis_options *o, const struct redis_net *net);
/* Calls under way end with KE_CANCELED, now or soon. Connections close. */
void redis_client_free(struct redis_client *c);
/* The same for calls alone. */
void redis_client_cancel(struct redis_client *c);

/* Starts a command; args[0] is its name. The arguments are copied. May call call->done at once. */
void redis_client_do(struct redis_client *c, struct redis_call *call, const struct slice *args,
                     size_t n_args);
/* Frees what a call that is done holds. */
void redis_call_release(struct redis_call *call);
