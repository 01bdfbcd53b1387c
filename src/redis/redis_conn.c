#include <stdlib.h>

#include "base/check.h"
#include "redis/redis_internal.h"

#define BATCH_MAX 64 /* calls a write */
/* A reader without work stays so long: starting a fiber costs more than waking one. */
#define LINGER_NS NS_PER_S

struct redis_conn *redis_conn_new(struct redis_node *node, bool is_alone) {
    struct redis_conn *c = xcalloc(1, sizeof *c);
    c->client = node->client;
    c->node = node;
    c->is_alone = is_alone;
    list_init(&c->link);
    list_init(&c->pending);
    list_init(&c->sent);
    fiber_cond_init(&c->changed);
    fiber_cond_init(&c->work);
    redis_link_init(&c->io);
    return c;
}

void redis_conn_free(struct redis_conn *c) {
    if (!c)
        return;
    CHECK(!c->reader && !c->writer);
    redis_link_release(&c->io);
    free(c->write_words);
    free(c);
}

static struct redis_call *call_of(struct list *l) {
    return container_of(l, struct redis_call, link);
}

/* ---------------------------------------------------------------- writing */

/* Writes some of what is pending: those calls are sent then, whatever comes of it. */
static int write_batch(struct redis_conn *c, struct error *err) {
    static const char asking[] = "*1\r\n$6\r\nasking\r\n";
    struct iovec iov[BATCH_MAX * 2];
    int n = 0;
    int64_t deadline_ns = redis_deadline(c->client->o.read_timeout_ns);
    while (n < BATCH_MAX && !list_empty(&c->pending)) {
        struct redis_call *call = call_of(list_pop_front(&c->pending));
        call->n_skip = call->is_asking;
        if (call->is_asking)
            iov[n++] = (struct iovec){(void *)(uintptr_t)asking, sizeof asking - 1};
        call->is_asking = false;
        call->deadline_ns = deadline_ns;
        iov[n++] = (struct iovec){(void *)(uintptr_t)call->wire.ptr, call->wire.len};
        list_push_back(&c->sent, &call->link);
    }
    return redis_link_write(&c->io, iov, n, c->client->o.write_timeout_ns, err);
}

static int write_pending(struct redis_conn *c, struct error *err) {
    int rc = 0;
    while (rc == 0 && !list_empty(&c->pending))
        rc = write_batch(c, err);
    return rc;
}

/* For commands that come while the reader waits for replies. */
static void writer_run(void *arg) {
    struct redis_conn *c = arg;
    struct redis_client *client = c->client;
    struct error err;
    int rc = write_pending(c, &err);
    if (rc) {
        c->write_rc = rc;
        c->is_bad = true;
        free(c->write_words);
        c->write_words = xstrdup(err.text);
        conn_abort(c->io.conn); /* the reader ends, and tells everybody */
    }
    c->writer = NULL;
    fiber_cond_broadcast(&c->changed);
    redis_fiber_done(client);
}

static void wait_for_writer(struct redis_conn *c) {
    struct fiber *self = fiber_self();
    fiber_mask_cancel(self);
    while (c->writer)
        fiber_cond_wait(&c->changed, NEVER_NS);
    fiber_unmask_cancel(self);
}

/* ---------------------------------------------------------------- reading */

static void deliver(struct redis_conn *c, struct slice reply) {
    struct redis_call *call = call_of(c->sent.next);
    struct slice error = redis_reply_error(reply);
    if (call->n_skip) {
        call->n_skip--;
        return;
    }
    if (!c->is_alone && resp_head(reply).type == RESP_PUSH)
        return; /* news that nobody asked for */
    /* The server has become a replica: another connection may lead to the master. */
    if ((error.ptr && slice_starts(error, SLICE("READONLY "))) || call->traits.is_one_way)
        c->is_bad = true;
    list_remove(&call->link);
    redis_call_answered(call, reply);
}

static int read_replies(struct redis_conn *c, struct error *err) {
    struct slice reply;
    while (!list_empty(&c->sent)) {
        int rc = redis_link_take(&c->io, &reply, err);
        if (rc == 0) {
            c->is_reading = true;
            rc = redis_link_fill(&c->io, call_of(c->sent.next)->deadline_ns, err);
            c->is_reading = false;
        } else if (rc > 0) {
            deliver(c, reply);
            rc = 0;
        }
        if (rc)
            return rc;
    }
    return 0;
}

/* ---------------------------------------------------------------- life */

static bool is_worn_out(struct redis_conn *c) {
    const struct redis_options *o = &c->client->o;
    int64_t now_ns = worker_now_ns(c->client->worker);
    return c->is_bad || c->io.in.len > c->io.taken || conn_is_stale(c->io.conn) ||
           (o->max_age_ns && now_ns - c->io.opened_ns > o->max_age_ns) ||
           (o->idle_timeout_ns && now_ns - c->idle_since_ns > o->idle_timeout_ns);
}

static int connect_to(struct redis_conn *c, struct error *err) {
    struct redis_client *client = c->client;
    struct redis_address to = c->node->address;
    bool has_sentinels = client->n_sentinels > 0;
    int rc = has_sentinels ? redis_sentinel_master(client, &to, err) : 0;
    if (rc == 0)
        rc = redis_link_open(&c->io, &client->net, &client->o, &to, &client->login, err);
    if (rc == 0)
        c->node->latency_ns = c->io.handshake_ns;
    if (has_sentinels && to.host != c->node->address.host)
        free(to.host);
    return rc;
}

static int make_ready(struct redis_conn *c, struct error *err) {
    if (c->io.conn && is_worn_out(c))
        redis_link_close(&c->io);
    c->is_bad = false;
    c->write_rc = 0;
    return c->io.conn ? 0 : connect_to(c, err);
}

static void fail_all(struct list *calls, int rc, const char *words) {
    struct list failed, *l;
    /* What is tried again must not come back into the list that is being emptied. */
    list_init(&failed);
    while ((l = list_pop_front(calls)))
        list_push_back(&failed, l);
    while ((l = list_pop_front(&failed)))
        redis_call_failed(call_of(l), rc, words);
}

static void break_off(struct redis_conn *c, int rc, const struct error *err) {
    char *words = xstrdup(c->write_rc ? c->write_words : err->text);
    rc = c->write_rc && rc != KE_CANCELED ? c->write_rc : rc;
    bool was_connected = c->io.conn != NULL;
    if (was_connected)
        conn_abort(c->io.conn);
    wait_for_writer(c);
    redis_link_close(&c->io);
    fail_all(&c->sent, rc, words);
    /* What was not sent yet deserves a connection of its own, if there was one at all. */
    if (!was_connected || rc == KE_CANCELED)
        fail_all(&c->pending, rc, words);
    free(words);
}

static void do_work(struct redis_conn *c) {
    struct error err;
    while (!list_empty(&c->pending) || !list_empty(&c->sent)) {
        int rc = list_empty(&c->sent) ? make_ready(c, &err) : 0;
        rc = rc ? rc : write_pending(c, &err);
        rc = rc ? rc : read_replies(c, &err);
        if (rc)
            break_off(c, rc, &err);
        else
            wait_for_writer(c);
    }
    c->idle_since_ns = worker_now_ns(c->client->worker);
    if (c->is_bad && c->io.conn)
        redis_link_close(&c->io);
}

/* Waits a while for the next command, which often comes at once. False when the fiber is to end:
 * then the connection is idle, or another reader's. */
static bool linger(struct redis_conn *c) {
    struct fiber *self = fiber_self();
    int64_t until_ns = worker_now_ns(c->client->worker) + LINGER_NS;
    c->is_lingering = true;
    while (list_empty(&c->pending) && c->reader == self && fiber_cond_wait(&c->work, until_ns) == 0)
        ;
    if (c->reader != self)
        return false;
    c->is_lingering = false;
    if (!list_empty(&c->pending))
        return true;
    c->reader = NULL;
    return false;
}

static void reader_run(void *arg) {
    struct redis_conn *c = arg;
    struct redis_client *client = c->client;
    do {
        do_work(c);
        if (c->is_alone) {
            c->reader = NULL;
            struct list *l = list_pop_front(&c->node->waiting);
            if (l)
                redis_node_submit(c->node, call_of(l));
        }
    } while (!c->is_alone && linger(c));
    redis_fiber_done(client);
}

void redis_conn_queue(struct redis_conn *c, struct redis_call *call) {
    call->node = c->node;
    list_push_back(&c->pending, &call->link);
    if (!c->reader)
        c->reader = redis_fiber_start(c->client, reader_run, c);
    else if (c->is_lingering)
        fiber_cond_signal(&c->work);
    else if (c->is_reading && !c->writer)
        c->writer = redis_fiber_start(c->client, writer_run, c);
}

void redis_conn_cancel(struct redis_conn *c) {
    struct fiber *reader = c->reader;
    /* One that lingers is not the reader of the calls to come. */
    if (c->is_lingering && list_empty(&c->pending)) {
        c->reader = NULL;
        c->is_lingering = false;
    }
    if (reader)
        fiber_cancel(reader);
    if (c->writer)
        fiber_cancel(c->writer);
}
