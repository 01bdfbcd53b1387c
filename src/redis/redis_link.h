/* One socket to a Redis server: dialing, TLS, the handshake (HELLO, AUTH, SELECT, READONLY, CLIENT
 * SETNAME), commands out and replies in. All of it looks blocking and yields; errors are those of
 * net/conn.h in Go's words, or KE_INVALID for what is no RESP. */
#pragma once

#include "net/conn.h"
#include "redis/redis_options.h"
#include "redis/resp.h"

struct redis_net { /* how to get there; all of it the owner's */
    const struct dialer_config *dialer;
    const struct tls_config *tls; /* NULL = plain */
    struct conn_counters *counters;
};

struct redis_login { /* "" = none */
    const char *username, *password, *client_name;
    int64_t database;
    bool is_read_only;
};

struct redis_link {
    struct conn *conn; /* NULL = not connected */
    struct resp_scan scan;
    struct buf in;        /* what came */
    size_t taken;         /* of its bytes, by redis_link_take */
    int64_t opened_ns;    /* clock_now_ns() */
    int64_t handshake_ns; /* how long HELLO took: the distance to the server */
};

void redis_link_init(struct redis_link *l);
/* Closes; may be opened again. No other fiber may be in a call on it. */
void redis_link_close(struct redis_link *l);
void redis_link_release(struct redis_link *l);

/* Connects and logs in, within o's dial timeout and its read timeout for each answer. A refusal by
 * the server is KE_FAILED ("failed to authenticate: WRONGPASS …"); *err always has words. */
int redis_link_open(struct redis_link *l, const struct redis_net *net,
                    const struct redis_options *o, const struct redis_address *to,
                    const struct redis_login *login, struct error *err);
int redis_link_write(struct redis_link *l, const struct iovec *iov, int n_iov, int64_t timeout_ns,
                     struct error *err);
/* The next reply if it has come already: 1, a view that is good until
 * redis_link_fill; 0, negative. */
int redis_link_take(struct redis_link *l, struct slice *out, struct error *err);
/* Waits for more bytes; what redis_link_take gave is gone then. 0; KE_EOF ("EOF") when the server
 * has closed. */
int redis_link_fill(struct redis_link *l, int64_t deadline_ns, struct error *err);
/* Both: the next reply. 0 or negative. */
int redis_link_read(struct redis_link *l, struct slice *out, int64_t deadline_ns,
                    struct error *err);

/* A reply's error, or NULL slice: "ERR unknown command". */
struct slice redis_reply_error(struct slice reply);
/* A timeout from now on; NEVER_NS for one of 0. */
int64_t redis_deadline(int64_t timeout_ns);
