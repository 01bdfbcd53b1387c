#include <stdlib.h>

#include "base/check.h"
#include "redis/redis_internal.h"

#define SENTINELS_MAX 64

static void put_question(struct buf *out, const char *verb, const char *master) {
    resp_put_command(out, 3);
    resp_put_arg(out, SLICE("sentinel"));
    resp_put_arg(out, slice_cstr(verb));
    resp_put_arg(out, slice_cstr(master));
}

static bool to_port(struct slice s, uint16_t *out) {
    uint64_t v;
    if (!slice_to_u64(s, &v) || v == 0 || v > UINT16_MAX)
        return false;
    *out = (uint16_t)v;
    return true;
}

/* [ip, port], or null when it knows no such master. */
static int read_master(struct slice reply, struct redis_address *out, struct error *err) {
    struct resp_item head, host, port;
    uint16_t number;
    if (!resp_next(&reply, &head) || head.type == RESP_NULL)
        return error_set(err, KE_FAILED, "redis: nil");
    if (head.type == RESP_ERROR)
        return error_set(err, KE_FAILED, "%.*s", SLICE_FMT(head.text));
    if (head.type != RESP_ARRAY || !resp_next(&reply, &host) || !resp_next(&reply, &port) ||
        host.type != RESP_STRING || port.type != RESP_STRING || !to_port(port.text, &number))
        return error_set(err, KE_INVALID, "redis: can't parse the master's address");
    *out = (struct redis_address){slice_dup(host.text), number};
    return 0;
}

static void add_sentinel(struct redis_client *c, struct slice host, uint16_t port) {
    for (size_t i = 0; i < c->n_sentinels; i++) {
        if (c->sentinels[i].port == port && slice_eq(slice_cstr(c->sentinels[i].host), host))
            return;
    }
    if (c->n_sentinels == SENTINELS_MAX)
        return;
    c->sentinels = xrealloc(c->sentinels, (c->n_sentinels + 1) * sizeof *c->sentinels);
    c->sentinels[c->n_sentinels++] = (struct redis_address){slice_dup(host), port};
}

/* The others that watch the same master, each as names and values by turns: asked when this one is
 * gone. */
static void read_others(struct redis_client *c, struct slice reply) {
    struct resp_item list, entry, name, value;
    if (!resp_next(&reply, &list) || list.type != RESP_ARRAY)
        return;
    for (int64_t i = 0; i < list.integer && resp_next(&reply, &entry); i++) {
        struct slice ip = {0}, port = {0};
        uint16_t number;
        if (entry.type != RESP_ARRAY && entry.type != RESP_MAP)
            return;
        int64_t n = entry.type == RESP_MAP ? entry.integer : entry.integer / 2;
        for (int64_t k = 0; k < n && resp_next(&reply, &name) && resp_next(&reply, &value); k++) {
            if (slice_eq(name.text, SLICE("ip")))
                ip = value.text;
            else if (slice_eq(name.text, SLICE("port")))
                port = value.text;
        }
        if (ip.len && to_port(port, &number))
            add_sentinel(c, ip, number);
    }
}

static void move_to_front(struct redis_client *c, size_t at) {
    struct redis_address chosen = c->sentinels[at];
    memmove(c->sentinels + 1, c->sentinels, at * sizeof chosen);
    c->sentinels[0] = chosen;
}

int redis_sentinel_master(struct redis_client *c, struct redis_address *out, struct error *err) {
    struct redis_login login = {
        .username = c->o.sentinel_username, .password = c->o.sentinel_password, .client_name = ""};
    struct buf wire, all;
    int rc = KE_FAILED;
    buf_init(&wire, BUF_NO_CAP);
    buf_init(&all, BUF_NO_CAP);
    put_question(&wire, "get-master-addr-by-name", c->o.master_name);
    put_question(&wire, "sentinels", c->o.master_name);
    size_t n = c->n_sentinels; /* those that are found on the way are for the next time */
    for (size_t i = 0; i < n && rc && rc != KE_CANCELED; i++) {
        struct slice replies[2];
        /* Other fibers may ask, too, and change the list. */
        struct redis_address to = {xstrdup(c->sentinels[i].host), c->sentinels[i].port};
        rc = redis_ask(c, &to, &login, buf_slice(&wire), 2, replies, err);
        if (rc == 0) {
            rc = read_master(replies[0], out, err);
            if (rc == 0) {
                read_others(c, replies[1]);
                move_to_front(c, i);
            }
            free((char *)(uintptr_t)replies[0].ptr);
            free((char *)(uintptr_t)replies[1].ptr);
        }
        if (rc)
            buf_printf(&all, "%s%s", all.len ? "\n" : "", err->text);
        free(to.host);
    }
    if (rc && rc != KE_CANCELED)
        /* May pass: sentinels come back. */
        rc = error_set(err, KE_NET,
                       "redis: all sentinels specified in configuration are unreachable: %s",
                       buf_cstr(&all));
    buf_release(&wire);
    buf_release(&all);
    return rc;
}
