/* In a cluster, MGET, DEL, EXISTS and their like are sent as one command a slot, DBSIZE, KEYS and
 * FLUSHALL to every master; the answers become one again. As newer versions of go-redis do it. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"
#include "redis/redis_internal.h"

struct part {
    struct redis_call call;
    struct redis_split_state *split;
};

struct redis_split_state {
    struct redis_call *whole;
    struct part *parts;
    size_t n_parts, n_left;
    uint32_t *part_of; /* by key, for answers that are in the order of keys */
    size_t n_keys;
};

/* ---------------------------------------------------------------- joining */

/* The first item of *rest with all that lies in it, as bytes. */
static struct slice item_take(struct slice *rest) {
    struct slice start = *rest;
    struct resp_item item;
    for (int64_t left = 1; left > 0 && resp_next(rest, &item); left--) {
        if (item.type == RESP_ARRAY || item.type == RESP_PUSH)
            left += item.integer;
        else if (item.type == RESP_MAP)
            left += 2 * item.integer;
    }
    return slice_from(start.ptr, start.len - rest->len);
}

static void join_sum(const struct redis_split_state *s, struct buf *out) {
    int64_t sum = 0;
    for (size_t i = 0; i < s->n_parts; i++) {
        struct resp_item head = resp_head(s->parts[i].call.reply);
        sum = (int64_t)((uint64_t)sum + (uint64_t)(head.type == RESP_INTEGER ? head.integer : 0));
    }
    buf_printf(out, ":%" PRId64 "\r\n", sum);
}

/* Values in the order of the keys, or one list after the other. */
static void join_values(const struct redis_split_state *s, struct buf *out) {
    struct slice *rests = xcalloc(s->n_parts, sizeof *rests);
    int64_t n = 0;
    for (size_t i = 0; i < s->n_parts; i++) {
        struct resp_item head = {0};
        rests[i] = s->parts[i].call.reply;
        if (resp_next(&rests[i], &head) && head.type == RESP_ARRAY)
            n += head.integer;
    }
    buf_printf(out, "*%" PRId64 "\r\n", s->part_of ? (int64_t)s->n_keys : n);
    for (size_t i = 0; s->part_of && i < s->n_keys; i++) {
        struct slice item = item_take(&rests[s->part_of[i]]);
        if (item.len)
            buf_append_slice(out, item);
        else
            buf_append_str(out, "$-1\r\n"); /* the server gave fewer than it was asked for */
    }
    for (size_t i = 0; !s->part_of && i < s->n_parts; i++)
        buf_append_slice(out, rests[i]);
    free(rests);
}

static void finish(struct redis_split_state *s) {
    struct redis_call *whole = s->whole;
    struct buf joined;
    for (size_t i = 0; i < s->n_parts; i++) {
        const struct redis_call *part = &s->parts[i].call;
        if (part->rc) {
            redis_call_finish(whole, part->rc, part->words, SLICE(""));
            return;
        }
        if (redis_reply_error(part->reply).ptr) {
            redis_call_finish(whole, 0, NULL, part->reply);
            return;
        }
    }
    buf_init(&joined, BUF_NO_CAP);
    if (whole->traits.split == REDIS_SPLIT_SUM)
        join_sum(s, &joined);
    else if (whole->traits.split == REDIS_SPLIT_VALUES)
        join_values(s, &joined);
    else
        buf_append_str(&joined, "+OK\r\n");
    redis_call_finish(whole, 0, NULL, buf_slice(&joined));
    buf_release(&joined);
}

static void part_done(struct redis_call *call) {
    struct redis_split_state *s = container_of(call, struct part, call)->split;
    if (--s->n_left == 0)
        finish(s);
}

void redis_split_release(struct redis_call *call) {
    struct redis_split_state *s = call->split;
    if (!s)
        return;
    call->split = NULL;
    for (size_t i = 0; i < s->n_parts; i++)
        redis_call_release(&s->parts[i].call);
    free(s->parts);
    free(s->part_of);
    free(s);
}

/* ---------------------------------------------------------------- taking apart */

static struct redis_split_state *split_new(struct redis_call *whole, size_t n_parts) {
    struct redis_split_state *s = xcalloc(1, sizeof *s);
    s->whole = whole;
    s->parts = xcalloc(n_parts, sizeof *s->parts);
    s->n_parts = s->n_left = n_parts;
    for (size_t i = 0; i < n_parts; i++) {
        struct redis_call *part = &s->parts[i].call;
        s->parts[i].split = s;
        part->done = part_done;
        part->client = whole->client;
        part->traits = whole->traits;
        part->traits.is_all = false;
        part->traits.split = REDIS_WHOLE;
        part->slot = REDIS_NO_SLOT;
    }
    whole->split = s;
    return s;
}

/* A part must not be counted against what may be queued, which the whole is already. */
static void part_set_wire(struct redis_call *part, struct buf *wire) {
    size_t len = wire->len;
    part->wire = slice_from(buf_detach(wire, NULL), len);
    part->client->queued_bytes += len;
}

/* The last one to end frees them all. */
static void route_parts(struct redis_split_state *s) {
    for (size_t i = 0, n = s->n_parts; i < n; i++)
        redis_call_route(&s->parts[i].call);
}

static void put_part(const struct redis_split_state *s, uint32_t index, const struct slice *args,
                     size_t step, struct redis_call *part) {
    struct buf wire;
    size_t n = 0;
    for (size_t k = 0; k < s->n_keys; k++)
        n += s->part_of[k] == index;
    buf_init(&wire, BUF_NO_CAP);
    resp_put_command(&wire, 1 + n * step);
    resp_put_arg(&wire, args[0]);
    for (size_t k = 0; k < s->n_keys; k++) {
        for (size_t i = 0; i < step && s->part_of[k] == index; i++)
            resp_put_arg(&wire, args[1 + k * step + i]);
    }
    part_set_wire(part, &wire);
}

bool redis_split_by_keys(struct redis_call *call, const struct slice *args, size_t n_args) {
    size_t step = (size_t)call->traits.key_step, n_keys = (n_args - 1) / step;
    if (call->traits.split == REDIS_WHOLE || call->traits.is_all || (n_args - 1) % step != 0)
        return false;
    uint32_t *part_of = xcalloc(n_keys + 1, sizeof *part_of), n_parts = 0;
    int16_t *slots = xcalloc(n_keys + 1, sizeof *slots);
    uint32_t *part_of_slot = xcalloc(REDIS_SLOTS, sizeof *part_of_slot); /* + 1 */
    for (size_t k = 0; k < n_keys; k++) {
        int slot = redis_slot(args[1 + k * step]);
        if (part_of_slot[slot] == 0) {
            slots[n_parts++] = (int16_t)slot;
            part_of_slot[slot] = n_parts;
        }
        part_of[k] = part_of_slot[slot] - 1;
    }
    free(part_of_slot);
    if (n_parts > 1) {
        struct redis_split_state *s = split_new(call, n_parts);
        s->part_of = part_of;
        s->n_keys = n_keys;
        part_of = NULL;
        for (uint32_t i = 0; i < n_parts; i++) {
            s->parts[i].call.slot = slots[i];
            put_part(s, i, args, step, &s->parts[i].call);
        }
        route_parts(s);
    }
    free(part_of);
    free(slots);
    return n_parts > 1;
}

void redis_split_to_all(struct redis_call *call) {
    size_t n;
    int16_t *slots = redis_cluster_shards(call->client, &n);
    if (n == 0) {
        redis_call_finish(call, KE_FAILED, "redis: cluster has no nodes", SLICE(""));
    } else {
        struct redis_split_state *s = split_new(call, n);
        for (size_t i = 0; i < n; i++) {
            struct buf wire;
            buf_init(&wire, BUF_NO_CAP);
            buf_append_slice(&wire, call->wire);
            part_set_wire(&s->parts[i].call, &wire);
            s->parts[i].call.slot = slots[i];
        }
        route_parts(s);
    }
    free(slots);
}
