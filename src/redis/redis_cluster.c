#include <stdlib.h>

#include "base/check.h"
#include "base/random.h"
#include "redis/redis_internal.h"

/* A map older than this is loaded again beside the next command, as go-redis does. */
#define MAP_AGE_NS (10 * NS_PER_S)
#define RANGES_MAX REDIS_SLOTS

/* ---------------------------------------------------------------- the map */

struct slots {
    struct redis_range *ranges;
    size_t n_ranges;
    uint16_t *nodes;
    size_t n_nodes;
};

static void slots_release(struct slots *m) {
    free(m->ranges);
    free(m->nodes);
}

static int bad_map(struct error *err) {
    return error_set(err, KE_INVALID, "redis: can't parse the cluster's slots");
}

static int node_index(struct redis_client *c, struct slice host, uint16_t port) {
    struct redis_node *n = redis_node_get(c, host, port);
    for (size_t i = 0; n && i < c->n_nodes; i++) {
        if (c->nodes[i] == n)
            return (int)i;
    }
    return -1;
}

/* [host, port, id, …]: an empty host is the one that was asked. */
static int read_node(struct redis_client *c, struct slice *rest, struct slice asked,
                     struct slots *m, struct error *err) {
    struct resp_item list, host, port, other;
    if (!resp_next(rest, &list) || list.type != RESP_ARRAY || list.integer < 2 ||
        !resp_next(rest, &host) || !resp_next(rest, &port) || port.type != RESP_INTEGER ||
        port.integer < 0 || port.integer > UINT16_MAX)
        return bad_map(err);
    for (int64_t left = list.integer - 2; left > 0; left--) {
        if (!resp_next(rest, &other))
            return bad_map(err);
        if (other.type == RESP_ARRAY || other.type == RESP_PUSH)
            left += other.integer;
        else if (other.type == RESP_MAP)
            left += 2 * other.integer;
    }
    bool has_host = host.type == RESP_STRING && host.text.len && !slice_eq(host.text, SLICE("?"));
    int index = node_index(c, has_host ? host.text : asked, (uint16_t)port.integer);
    if (index < 0 || m->n_nodes == UINT16_MAX)
        return error_set(err, KE_TOO_LARGE, "redis: the cluster has too many nodes");
    m->nodes = xrealloc(m->nodes, (m->n_nodes + 1) * sizeof *m->nodes);
    m->nodes[m->n_nodes++] = (uint16_t)index;
    return 0;
}

/* The answer to CLUSTER SLOTS: [first, last, master, replica…] each. */
static int read_map(struct redis_client *c, struct slice rest, struct slice asked, struct slots *m,
                    struct error *err) {
    struct resp_item list, range, first, last;
    if (!resp_next(&rest, &list) || list.type == RESP_ERROR)
        return error_set(err, KE_FAILED, "%.*s", SLICE_FMT(list.text));
    if (list.type != RESP_ARRAY || list.integer > RANGES_MAX)
        return bad_map(err);
    for (int64_t i = 0; i < list.integer; i++) {
        if (!resp_next(&rest, &range) || range.type != RESP_ARRAY || range.integer < 3 ||
            !resp_next(&rest, &first) || !resp_next(&rest, &last) || first.type != RESP_INTEGER ||
            last.type != RESP_INTEGER || first.integer < 0 || last.integer < first.integer ||
            last.integer >= REDIS_SLOTS || range.integer > REDIS_NODES_MAX)
            return bad_map(err);
        m->ranges = xrealloc(m->ranges, (m->n_ranges + 1) * sizeof *m->ranges);
        m->ranges[m->n_ranges++] =
            (struct redis_range){(uint16_t)first.integer, (uint16_t)last.integer,
                                 (uint16_t)m->n_nodes, (uint16_t)(range.integer - 2)};
        for (int64_t k = 2; k < range.integer; k++) {
            int rc = read_node(c, &rest, asked, m, err);
            if (rc)
                return rc;
        }
    }
    return 0;
}

static int ask_for_map(struct redis_client *c, const struct redis_address *to, struct error *err) {
    struct slots m = {0};
    struct slice reply;
    struct redis_login login = c->login;
    login.is_read_only = false;
    int rc =
        redis_ask(c, to, &login, SLICE("*2\r\n$7\r\ncluster\r\n$5\r\nslots\r\n"), 1, &reply, err);
    if (rc)
        return rc;
    rc = read_map(c, reply, slice_cstr(to->host), &m, err);
    free((char *)(uintptr_t)reply.ptr);
    if (rc) {
        slots_release(&m);
        return rc;
    }
    free(c->cluster.ranges);
    free(c->cluster.nodes);
    c->cluster.ranges = m.ranges;
    c->cluster.n_ranges = m.n_ranges;
    c->cluster.nodes = m.nodes;
    c->cluster.n_nodes = m.n_nodes;
    return 0;
}

/* ---------------------------------------------------------------- loading */

static void route_all(struct list *calls) {
    struct list ready, *l;
    list_init(&ready);
    while ((l = list_pop_front(calls)))
        list_push_back(&ready, l);
    while ((l = list_pop_front(&ready)))
        redis_call_route(container_of(l, struct redis_call, link));
}

static void fail_waiting(struct redis_client *c, int rc, const char *words) {
    struct list *l;
    while ((l = list_pop_front(&c->cluster.waiting)))
        redis_call_finish(container_of(l, struct redis_call, link), rc, words, SLICE(""));
}

/* Asks one node after another, beginning anywhere. The words of the first failure are kept. */
static int load(struct redis_client *c, struct error *err) {
    size_t n = c->n_nodes, start = random_below(n);
    int rc = KE_FAILED;
    for (size_t i = 0; i < n; i++) {
        struct error own;
        const struct redis_node *node = c->nodes[(start + i) % n];
        struct redis_address to = {xstrdup(node->address.host), node->address.port};
        int this_rc = ask_for_map(c, &to, &own);
        free(to.host);
        if (this_rc == 0 || this_rc == KE_CANCELED) {
            *err = own;
            return this_rc;
        }
        if (i == 0) {
            rc = this_rc;
            *err = own;
        }
    }
    return rc;
}

/* A single server was given as a cluster of one; k6 takes it for what it is. */
static bool is_no_cluster(const struct redis_client *c, const struct error *err) {
    return c->n_nodes == 1 && strstr(err->text, "cluster support disabled");
}

static void loader_run(void *arg) {
    struct redis_client *c = arg;
    struct error err = {0};
    int rc = load(c, &err);
    c->cluster.loader = NULL;
    c->cluster.loaded_ns = clock_now_ns();
    if (rc && is_no_cluster(c, &err)) {
        c->cluster.is_single = true;
        rc = 0;
    }
    if (rc == 0)
        c->cluster.is_loaded = true;
    if (c->cluster.is_loaded)
        route_all(&c->cluster.waiting);
    else
        fail_waiting(c, rc, err.text);
    redis_fiber_done(c);
}

void redis_cluster_reload(struct redis_client *c) {
    if (!c->cluster.loader && !c->cluster.is_single && !c->is_closed)
        c->cluster.loader = redis_fiber_start(c, loader_run, c);
}

void redis_cluster_cancel(struct redis_client *c) {
    if (c->cluster.loader)
        fiber_cancel(c->cluster.loader);
    fail_waiting(c, KE_CANCELED, "context canceled");
}

void redis_cluster_release(struct redis_client *c) {
    free(c->cluster.ranges);
    free(c->cluster.nodes);
}

/* ---------------------------------------------------------------- routing */

static const struct redis_range *range_of(const struct redis_client *c, int slot) {
    for (size_t i = 0; i < c->cluster.n_ranges; i++) {
        const struct redis_range *r = &c->cluster.ranges[i];
        if (slot >= r->first && slot <= r->last)
            return r;
    }
    return NULL;
}

static struct redis_node *node_at(const struct redis_client *c, const struct redis_range *r,
                                  size_t i) {
    return c->nodes[c->cluster.nodes[r->nodes_at + i]];
}

/* One that is not known yet comes first: its distance is measured by using it. */
static struct redis_node *nearest(const struct redis_client *c, const struct redis_range *r) {
    struct redis_node *best = node_at(c, r, 0);
    for (size_t i = 1; i < r->n_nodes; i++) {
        struct redis_node *n = node_at(c, r, i);
        if (n->latency_ns < best->latency_ns)
            best = n;
    }
    return best;
}

static struct redis_node *node_for(struct redis_client *c, const struct redis_call *call) {
    bool is_read = c->o.read_only && call->traits.is_read;
    int slot = call->slot >= 0 ? call->slot : (int)random_below(REDIS_SLOTS);
    const struct redis_range *r = range_of(c, slot);
    if (!r)
        return c->nodes[random_below(c->n_nodes)]; /* it knows better, or says why not */
    if (!is_read || r->n_nodes == 1)
        return node_at(c, r, 0);
    if (c->o.route_by_latency)
        return nearest(c, r);
    if (c->o.route_randomly)
        return node_at(c, r, random_below(r->n_nodes));
    /* A replica; after a failure anybody. */
    return node_at(c, r,
                   call->attempt ? random_below(r->n_nodes)
                                 : 1 + random_below((uint64_t)r->n_nodes - 1));
}

void redis_cluster_route(struct redis_call *call) {
    struct redis_client *c = call->client;
    if (!c->cluster.is_loaded) {
        list_push_back(&c->cluster.waiting, &call->link);
        redis_cluster_reload(c);
        return;
    }
    if (c->cluster.is_single) {
        redis_node_submit(c->nodes[0], call);
        return;
    }
    if (worker_now_ns(c->worker) - c->cluster.loaded_ns > MAP_AGE_NS)
        redis_cluster_reload(c);
    if (call->traits.is_all)
        redis_split_to_all(call);
    else
        redis_node_submit(node_for(c, call), call);
}

int16_t *redis_cluster_shards(struct redis_client *c, size_t *out_n) {
    int16_t *slots = xcalloc(c->cluster.n_ranges + 1, sizeof *slots);
    size_t n = 0;
    for (size_t i = 0; i < c->cluster.n_ranges; i++) {
        const struct redis_range *r = &c->cluster.ranges[i];
        size_t k = 0;
        while (k < n && node_at(c, range_of(c, slots[k]), 0) != node_at(c, r, 0))
            k++;
        if (k == n)
            slots[n++] = (int16_t)r->first;
    }
    *out_n = n;
    return slots;
}

/* "host:port"; IPv6 without brackets, an empty host is that of the node which said it. */
static struct redis_node *node_named(struct redis_call *call, struct slice address) {
    const char *colon = address.len ? memrchr(address.ptr, ':', address.len) : NULL;
    uint64_t port;
    if (!colon)
        return NULL;
    struct slice host = slice_from(address.ptr, (size_t)(colon - address.ptr));
    if (!slice_to_u64(slice_from(colon + 1, address.len - host.len - 1), &port) ||
        port > UINT16_MAX)
        return NULL;
    if (host.len > 1 && host.ptr[0] == '[')
        host = slice_from(host.ptr + 1, host.len - 2);
    if (host.len == 0)
        host = slice_cstr(call->node->address.host);
    return redis_node_get(call->client, host, (uint16_t)port);
}

bool redis_cluster_redirect(struct redis_call *call, struct slice words) {
    struct redis_client *c = call->client;
    bool is_ask = slice_starts(words, SLICE("ASK "));
    if (!is_ask && !slice_starts(words, SLICE("MOVED ")))
        return false;
    redis_cluster_reload(c);
    struct slice rest = words;
    slice_cut(&rest, ' ');
    slice_cut(&rest, ' ');
    struct redis_node *node = rest.ptr ? node_named(call, rest) : NULL;
    if (!node || call->attempt >= c->o.max_redirects)
        return false;
    call->attempt++;
    call->is_asking = is_ask;
    redis_node_submit(node, call);
    return true;
}
