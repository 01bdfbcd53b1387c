/* Between the files of a client: redis_client.c has the calls and their second tries, redis_conn.c
 * a pipelined connection, redis_cluster.c slots and redirections, redis_split.c commands whose keys
 * lie in several slots, redis_sentinel.c the way to a master. */
#pragma once

#include "redis/redis_client.h"

#define REDIS_STACK_BYTES ((size_t)128 << 10)
/* What a script may have under way at a time. */
#define REDIS_QUEUE_BYTES_MAX ((size_t)512 << 20)
/* More nodes than this are a server that talks nonsense. */
#define REDIS_NODES_MAX 1024

struct redis_conn {
    struct redis_client *client;
    struct redis_node *node;
    struct list link; /* of redis_node.extra */
    struct redis_link io;
    struct list pending; /* calls to be written */
    struct list sent;    /* calls without their reply, oldest first */
    struct fiber *reader, *writer;
    struct fiber_cond changed; /* the writer has ended */
    struct fiber_cond work;    /* there is something pending */
    bool is_lingering;         /* the reader has nothing to do */
    bool is_reading;           /* the reader waits for replies */
    bool is_bad;               /* not to be used again */
    bool is_alone;             /* for one call at a time */
    int write_rc;              /* the writer failed, with these words */
    char *write_words;
    int64_t idle_since_ns;
};

struct redis_node {
    struct redis_client *client;
    struct redis_address address;
    struct redis_conn *shared;
    struct list extra;   /* connections that are alone */
    struct list waiting; /* calls that want such a one */
    int64_t n_extra;
    int64_t latency_ns; /* 0 = not known */
};

struct redis_range { /* of slots, with the nodes that have them: the master first */
    uint16_t first, last;
    uint16_t nodes_at, n_nodes;
};

struct redis_client {
    struct worker *worker;
    struct redis_scope *scope;
    struct redis_options o;
    struct redis_net net;
    struct redis_login login;
    size_t refs; /* the owner's, and each fiber's */
    bool is_closed;
    struct list sleeping; /* calls before their next try, or that wait for slots */
    size_t queued_bytes;
    struct redis_node **nodes;
    size_t n_nodes;

    struct { /* of a cluster */
        struct redis_range *ranges;
        size_t n_ranges;
        uint16_t *nodes; /* indices */
        size_t n_nodes;
        int64_t loaded_ns;
        bool is_loaded, is_single; /* one server that is no cluster, after all */
        struct fiber *loader;
        struct list waiting; /* calls for the first map */
    } cluster;

    struct redis_address *sentinels;
    size_t n_sentinels;
};

/* redis_client.c: a fiber that keeps the client. */
struct fiber *redis_fiber_start(struct redis_client *c, fiber_fn *fn, void *arg);
void redis_fiber_done(struct redis_client *c);
/* A call has ended here. rc 0: reply is copied. */
void redis_call_finish(struct redis_call *call, int rc, const char *words, struct slice reply);
/* What a connection knows of a call: maybe it is tried again. */
void redis_call_answered(struct redis_call *call, struct slice reply);
void redis_call_failed(struct redis_call *call, int rc, const char *words);
/* Sends it wherever it belongs. */
void redis_call_route(struct redis_call *call);
void redis_node_submit(struct redis_node *node, struct redis_call *call);
/* The node of an address, made when it is new; NULL when there are far too many. */
struct redis_node *redis_node_get(struct redis_client *c, struct slice host, uint16_t port);
/* One question on a connection of its own, on the running fiber: the reply (heap, the caller's). */
int redis_ask(struct redis_client *c, const struct redis_address *to,
              const struct redis_login *login, struct slice wire, size_t n_replies,
              struct slice *out_replies, struct error *err);

/* redis_conn.c */
struct redis_conn *redis_conn_new(struct redis_node *node, bool is_alone);
void redis_conn_free(struct redis_conn *c);
void redis_conn_queue(struct redis_conn *c, struct redis_call *call);
void redis_conn_cancel(struct redis_conn *c);
static inline bool redis_conn_is_idle(const struct redis_conn *c) {
    return !c->reader;
}

/* redis_cluster.c: sends a call to its node, once the map is there. */
void redis_cluster_route(struct redis_call *call);
/* A redirection ("MOVED 3999 127.0.0.1:6381"): true when it was one, and the call is on its way. */
bool redis_cluster_redirect(struct redis_call *call, struct slice words);
/* The map is out of date: loads it, unless that is being done. */
void redis_cluster_reload(struct redis_client *c);
void redis_cluster_cancel(struct redis_client *c);
void redis_cluster_release(struct redis_client *c);
/* A slot of each master: a heap array. */
int16_t *redis_cluster_shards(struct redis_client *c, size_t *out_n);

/* redis_split.c: true when the command was taken apart and is under way in parts. */
bool redis_split_by_keys(struct redis_call *call, const struct slice *args, size_t n_args);
void redis_split_to_all(struct redis_call *call);
void redis_split_release(struct redis_call *call);

/* redis_sentinel.c: asks for the master's address, on the running fiber. */
int redis_sentinel_master(struct redis_client *c, struct redis_address *out, struct error *err);
