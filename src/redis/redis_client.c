#include "redis/redis_internal.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/random.h"

/* ---------------------------------------------------------------- scope */

void redis_scope_init(struct redis_scope *s) {
    s->n_fibers = 0;
    fiber_cond_init(&s->changed);
}

void redis_scope_wait(struct redis_scope *s) {
    struct fiber *self = fiber_self();
    fiber_mask_cancel(self);
    while (s->n_fibers > 0)
        fiber_cond_wait(&s->changed, NEVER_NS);
    fiber_unmask_cancel(self);
}

/* ---------------------------------------------------------------- life */

struct redis_client *redis_client_new(struct worker *w, struct redis_scope *scope,
                                      struct redis_options *o, const struct redis_net *net) {
    struct redis_client *c = xcalloc(1, sizeof *c);
    c->worker = w;
    c->scope = scope;
    c->refs = 1;
    c->o = *o;
    *o = (struct redis_options){0};
    c->net = *net;
    c->login = (struct redis_login){.username = c->o.username,
                                    .password = c->o.password,
                                    .client_name = c->o.client_name,
                                    .database = c->o.is_cluster ? 0 : c->o.database,
                                    .is_read_only = c->o.is_cluster && c->o.read_only};
    list_init(&c->sleeping);
    list_init(&c->cluster.waiting);
    if (c->o.master_name) {
        /* The one node is whoever is the master when a connection is made. */
        c->sentinels = c->o.addresses;
        c->n_sentinels = c->o.n_addresses;
        c->o.addresses = NULL;
        c->o.n_addresses = 0;
        redis_node_get(c, SLICE(""), 0);
    }
    for (size_t i = 0; i < c->o.n_addresses; i++)
        redis_node_get(c, slice_cstr(c->o.addresses[i].host), c->o.addresses[i].port);
    return c;
}

static void node_free(struct redis_node *n) {
    struct list *l;
    redis_conn_free(n->shared);
    while ((l = list_pop_front(&n->extra)))
        redis_conn_free(container_of(l, struct redis_conn, link));
    free(n->address.host);
    free(n);
}

static void client_unref(struct redis_client *c) {
    if (--c->refs > 0)
        return;
    for (size_t i = 0; i < c->n_nodes; i++)
        node_free(c->nodes[i]);
    free(c->nodes);
    for (size_t i = 0; i < c->n_sentinels; i++)
        free(c->sentinels[i].host);
    free(c->sentinels);
    redis_cluster_release(c);
    redis_options_release(&c->o);
    free(c);
}

void redis_client_free(struct redis_client *c) {
    if (!c)
        return;
    c->is_closed = true;
    redis_client_cancel(c);
    client_unref(c);
}

struct fiber *redis_fiber_start(struct redis_client *c, fiber_fn *fn, void *arg) {
    struct fiber *f = fiber_start(c->worker, REDIS_STACK_BYTES, fn, arg);
    fiber_detach(f);
    c->refs++;
    c->scope->n_fibers++;
    return f;
}

void redis_fiber_done(struct redis_client *c) {
    struct redis_scope *scope = c->scope;
    client_unref(c);
    scope->n_fibers--;
    fiber_cond_broadcast(&scope->changed);
}

/* ---------------------------------------------------------------- nodes */

struct redis_node *redis_node_get(struct redis_client *c, struct slice host, uint16_t port) {
    for (size_t i = 0; i < c->n_nodes; i++) {
        const struct redis_address *a = &c->nodes[i]->address;
        if (a->port == port && slice_eq(slice_cstr(a->host), host))
            return c->nodes[i];
    }
    if (c->n_nodes == REDIS_NODES_MAX)
        return NULL;
    struct redis_node *n = xcalloc(1, sizeof *n);
    n->client = c;
    n->address = (struct redis_address){slice_dup(host), port};
    list_init(&n->extra);
    list_init(&n->waiting);
    c->nodes = xrealloc(c->nodes, (c->n_nodes + 1) * sizeof(struct redis_node *));
    c->nodes[c->n_nodes++] = n;
    return n;
}

/* A connection with nothing to do, or a new one; NULL when there are as many as may be. */
static struct redis_conn *conn_alone(struct redis_node *n) {
    for (struct list *l = n->extra.next; l != &n->extra; l = l->next) {
        struct redis_conn *c = container_of(l, struct redis_conn, link);
        if (redis_conn_is_idle(c))
            return c;
    }
    if (n->n_extra > 0 && n->n_extra >= n->client->o.pool_size)
        return NULL;
    struct redis_conn *c = redis_conn_new(n, true);
    list_push_back(&n->extra, &c->link);
    n->n_extra++;
    return c;
}

static void pool_timed_out(struct worker_timer *t) {
    struct redis_call *call = container_of(t, struct redis_call, timer);
    list_remove(&call->link);
    redis_call_failed(call, KE_TIMEOUT, "redis: connection pool timeout");
}

void redis_node_submit(struct redis_node *node, struct redis_call *call) {
    struct redis_conn *c;
    worker_timer_stop(node->client->worker, &call->timer);
    if (call->traits.is_blocking || call->traits.is_one_way) {
        c = conn_alone(node);
    } else {
        if (!node->shared)
            node->shared = redis_conn_new(node, false);
        c = node->shared;
    }
    if (c) {
        redis_conn_queue(c, call);
        return;
    }
    list_push_back(&node->waiting, &call->link);
    if (node->client->o.pool_timeout_ns)
        worker_timer_start(node->client->worker, &call->timer,
                           redis_deadline(node->client->o.pool_timeout_ns), pool_timed_out);
}

int redis_ask(struct redis_client *c, const struct redis_address *to,
              const struct redis_login *login, struct slice wire, size_t n_replies,
              struct slice *out_replies, struct error *err) {
    struct redis_link l;
    struct slice reply;
    size_t n = 0;
    redis_link_init(&l);
    int rc = redis_link_open(&l, &c->net, &c->o, to, login, err);
    if (rc == 0)
        rc = redis_link_write(&l, &(struct iovec){(void *)(uintptr_t)wire.ptr, wire.len}, 1,
                              c->o.write_timeout_ns, err);
    for (; rc == 0 && n < n_replies; n += rc == 0) {
        rc = redis_link_read(&l, &reply, redis_deadline(c->o.read_timeout_ns), err);
        if (rc == 0)
            out_replies[n] = slice_from(slice_dup(reply), reply.len);
    }
    while (rc && n > 0)
        free((char *)(uintptr_t)out_replies[--n].ptr);
    redis_link_release(&l);
    return rc;
}

/* ---------------------------------------------------------------- calls */

void redis_call_finish(struct redis_call *call, int rc, const char *words, struct slice reply) {
    struct redis_client *c = call->client;
    worker_timer_stop(c->worker, &call->timer);
    c->queued_bytes -= call->wire.len;
    call->rc = rc;
    if (rc == 0)
        call->reply = slice_from(slice_dup(reply), reply.len);
    else
        call->words = xstrdup(words);
    call->done(call);
}

void redis_call_release(struct redis_call *call) {
    redis_split_release(call);
    free((char *)(uintptr_t)call->wire.ptr);
    free((char *)(uintptr_t)call->reply.ptr);
    free(call->words);
    call->wire = call->reply = call->key = (struct slice){0};
    call->words = NULL;
}

void redis_call_route(struct redis_call *call) {
    struct redis_client *c = call->client;
    if (c->is_closed)
        redis_call_finish(call, KE_CANCELED, "context canceled", SLICE(""));
    else if (c->o.is_cluster)
        redis_cluster_route(call);
    else
        redis_node_submit(c->nodes[0], call);
}

static void slept(struct worker_timer *t) {
    struct redis_call *call = container_of(t, struct redis_call, timer);
    list_remove(&call->link);
    redis_call_route(call);
}

/* go-redis's: at least the minimum, then up to twice as much more with each try. */
static int64_t backoff_ns(const struct redis_options *o, int attempt) {
    int64_t min = o->min_retry_backoff_ns, max = o->max_retry_backoff_ns;
    if (min == 0)
        return 0;
    if (attempt > 30 || min > INT64_MAX >> attempt >> 1)
        return max;
    int64_t ns = min + (int64_t)random_below((uint64_t)(min << attempt));
    return ns > max ? max : ns;
}

static bool try_again(struct redis_call *call) {
    struct redis_client *c = call->client;
    int64_t max = c->o.is_cluster && !c->cluster.is_single ? c->o.max_redirects : c->o.max_retries;
    if (call->attempt >= max || c->is_closed)
        return false;
    call->attempt++;
    list_push_back(&c->sleeping, &call->link);
    worker_timer_start(c->worker, &call->timer, clock_now_ns() + backoff_ns(&c->o, call->attempt),
                       slept);
    return true;
}

/* A connection that was lost or not made may be made the next time. Go's TLS errors and blocked
 * addresses do not pass. */
static bool failure_may_pass(int rc) {
    switch (rc) {
    case KE_EOF:
    case KE_TIMEOUT:
    case KE_DNS:
    case KE_DNS_NO_HOST:
    case KE_TCP:
    case KE_TCP_BROKEN_PIPE:
    case KE_TCP_ERRNO:
    case KE_TCP_RESET:
    case KE_DIAL:
    case KE_DIAL_TIMEOUT:
    case KE_DIAL_REFUSED:
    case KE_DIAL_ERRNO:
    case KE_NET:
        return true;
    default:
        return false;
    }
}

static bool refusal_may_pass(struct slice words) {
    static const char *const starts[] = {"ERR max number of clients reached",
                                         "LOADING ",
                                         "READONLY ",
                                         "MASTERDOWN ",
                                         "CLUSTERDOWN ",
                                         "TRYAGAIN ",
                                         "NOREPLICAS "};
    for (size_t i = 0; i < countof(starts); i++) {
        if (slice_starts(words, slice_cstr(starts[i])))
            return true;
    }
    return false;
}

void redis_call_failed(struct redis_call *call, int rc, const char *words) {
    struct redis_client *c = call->client;
    if (c->o.is_cluster && rc != KE_CANCELED)
        redis_cluster_reload(c); /* the node may be gone for good */
    if (!failure_may_pass(rc) || !try_again(call))
        redis_call_finish(call, rc, words, SLICE(""));
}

void redis_call_answered(struct redis_call *call, struct slice reply) {
    struct redis_client *c = call->client;
    struct slice words = redis_reply_error(reply);
    if (words.ptr && c->o.is_cluster) {
        if (redis_cluster_redirect(call, words))
            return;
        if (slice_starts(words, SLICE("READONLY ")) || slice_starts(words, SLICE("CLUSTERDOWN ")))
            redis_cluster_reload(c);
    }
    if (words.ptr && refusal_may_pass(words) && try_again(call))
        return;
    redis_call_finish(call, 0, NULL, reply);
}

static struct slice encode(const struct slice *args, size_t n_args) {
    struct buf wire;
    size_t bytes = 16 + n_args * 24;
    for (size_t i = 0; i < n_args; i++)
        bytes += args[i].len;
    buf_init(&wire, BUF_NO_CAP);
    buf_reserve(&wire, bytes);
    resp_put_command(&wire, n_args);
    for (size_t i = 0; i < n_args; i++)
        resp_put_arg(&wire, args[i]);
    size_t len = wire.len;
    return slice_from(buf_detach(&wire, NULL), len);
}

void redis_client_do(struct redis_client *c, struct redis_call *call, const struct slice *args,
                     size_t n_args) {
    call->client = c;
    call->slot = REDIS_NO_SLOT;
    redis_traits_of(args, n_args, &call->traits);
    call->wire = encode(args, n_args);
    c->queued_bytes += call->wire.len;
    if (c->queued_bytes > REDIS_QUEUE_BYTES_MAX) {
        redis_call_finish(call, KE_TOO_LARGE, "redis: too much is waiting to be sent", SLICE(""));
        return;
    }
    if (c->o.is_cluster && call->traits.key_at) {
        call->slot = (int16_t)redis_slot(args[call->traits.key_at]);
        if (redis_split_by_keys(call, args, n_args))
            return;
    }
    redis_call_route(call);
}

/* ---------------------------------------------------------------- cancelling */

static void cancel_list(struct list *calls) {
    struct list *l;
    while ((l = list_pop_front(calls)))
        redis_call_finish(container_of(l, struct redis_call, link), KE_CANCELED, "context canceled",
                          SLICE(""));
}

void redis_client_cancel(struct redis_client *c) {
    c->refs++; /* a call that ends may end the client */
    cancel_list(&c->sleeping);
    redis_cluster_cancel(c);
    for (size_t i = 0; i < c->n_nodes; i++) {
        struct redis_node *n = c->nodes[i];
        cancel_list(&n->waiting);
        if (n->shared)
            redis_conn_cancel(n->shared);
        for (struct list *l = n->extra.next; l != &n->extra; l = l->next)
            redis_conn_cancel(container_of(l, struct redis_conn, link));
    }
    client_unref(c);
}
