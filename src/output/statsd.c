/* --out statsd, of k6 v0.51: a datagram of lines per flush or per so many samples, with Datadog's
 * tags when they are enabled. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "output/output_config.h"
#include "output/sample_text.h"
#include "output/udp.h"

#define DATAGRAM_MAX 1432 /* fits an Ethernet frame */
#define BLOCKED_MAX 64

struct statsd_output {
    struct output base;
    char *addr, *namespace, *blocklist;
    int64_t buffer_size;
    bool has_tags;
    struct slice blocked[BLOCKED_MAX]; /* into blocklist */
    size_t n_blocked;
    struct tags_text tags;
    struct buf lines;
    int64_t n_lines;
    int fd;
    bool is_told;
};

static bool is_blocked(const struct statsd_output *o, struct slice key) {
    for (size_t i = 0; i < o->n_blocked; i++)
        if (slice_eq(o->blocked[i], key))
            return true;
    return false;
}

/* A text cannot hold what ends a line. */
static void put_clean(struct buf *out, struct slice s) {
    for (size_t i = 0; i < s.len; i++)
        buf_append_char(out, s.ptr[i] == '\n' ? ' ' : s.ptr[i]);
}

static void make_tags(void *arg, struct buf *out, const struct tagset *tags) {
    const struct statsd_output *o = arg;
    const char *separator = "|#";
    for (size_t i = 0; i < tags->len; i++) {
        struct tag t = tags->tags[i];
        if (t.value.len == 0 || is_blocked(o, t.key))
            continue;
        buf_append_str(out, separator);
        put_clean(out, t.key);
        buf_append_char(out, ':');
        put_clean(out, t.value);
        separator = ",";
    }
}

static void send_lines(struct statsd_output *o) {
    if (o->lines.len == 0)
        return;
    if (udp_send_lines(o->fd, buf_slice(&o->lines), DATAGRAM_MAX) && !o->is_told) {
        o->is_told = true;
        log_fields(LOG_ERROR, SLICE("Couldn't flush a batch"), LOG_STR("error", strerror(errno)),
                   LOG_STR("output", "statsd"));
    }
    buf_reset(&o->lines);
    o->n_lines = 0;
}

static void put_check(struct buf *out, struct slice check, double value) {
    buf_append_str(out, "check.");
    put_clean(out, check);
    buf_append_str(out, value == 0 ? ".fail:1|c" : ".pass:1|c");
}

/* Counts are whole numbers, as the client that k6 uses has them. */
static void put_count(struct buf *out, double value) {
    double whole = value < -9e18 ? -9e18 : value > 9e18 ? 9e18 : isnan(value) ? 0 : trunc(value);
    buf_printf(out, ":%lld|c", (long long)whole);
}

static void put_sample(struct statsd_output *o, const struct raw_sample *s) {
    struct buf *out = &o->lines;
    const struct metric *m = s->series->metric;
    struct slice check = tagset_get(s->series->tags, SLICE("check"));
    if (m->type != METRIC_COUNTER && !isfinite(s->value))
        return;
    buf_append_str(out, o->namespace);
    if (m->type == METRIC_RATE && check.ptr) {
        put_check(out, check, s->value);
    } else {
        buf_append_str(out, m->name);
        if (m->type == METRIC_COUNTER || m->type == METRIC_RATE) {
            put_count(out, s->value);
        } else if (m->type == METRIC_TREND) {
            buf_printf(out, ":%.6f|ms", s->value);
        } else {
            buf_append_char(out, ':');
            append_value(out, s->value);
            buf_append_str(out, "|g");
        }
    }
    if (o->has_tags)
        buf_append_slice(out, tags_text_get(&o->tags, s->series->tags));
    buf_append_char(out, '\n');
    if (++o->n_lines >= o->buffer_size)
        send_lines(o);
}

static void statsd_consume(struct output *base, const struct raw_chunk *chunk) {
    for (uint32_t i = 0; i < chunk->len; i++)
        put_sample((struct statsd_output *)base, &chunk->samples[i]);
}

static void statsd_flush(struct output *base) {
    send_lines((struct statsd_output *)base);
}

static int statsd_start(struct output *base, struct error *err) {
    struct statsd_output *o = (struct statsd_output *)base;
    if (config_check_flush(base->flush_ns, err))
        return KE_CONFIG;
    o->fd = udp_open(slice_cstr(o->addr), "8125", err);
    return o->fd >= 0 ? 0 : KE_IO;
}

static void statsd_stop(struct output *base) {
    struct statsd_output *o = (struct statsd_output *)base;
    udp_close(o->fd);
    o->fd = -1;
}

static void statsd_release(struct output *base) {
    struct statsd_output *o = (struct statsd_output *)base;
    tags_text_release(&o->tags);
    buf_release(&o->lines);
    free(o->addr);
    free(o->namespace);
    free(o->blocklist);
}

static int configure(struct statsd_output *o, struct error *err) {
    const struct output *base = &o->base;
    o->addr = xstrdup("localhost:8125");
    o->namespace = xstrdup("k6.");
    o->blocklist = xstrdup("vu,iter,url");
    o->buffer_size = 20;
    o->base.flush_ns = NS_PER_S;
#define V(name, field) (&(struct output_variable){base, "K6_STATSD_" name, field, NULL})
    variable_string(V("ADDR", "Addr"), &o->addr);
    variable_string(V("NAMESPACE", "Namespace"), &o->namespace);
    variable_string(V("TAG_BLOCKLIST", "TagBlocklist"), &o->blocklist);
    if (variable_int(V("BUFFER_SIZE", "BufferSize"), &o->buffer_size, err) ||
        variable_duration(V("PUSH_INTERVAL", "PushInterval"), &o->base.flush_ns, err) ||
        variable_bool(V("ENABLE_TAGS", "EnableTags"), &o->has_tags, err))
        return KE_CONFIG;
#undef V
    struct slice rest = slice_cstr(o->blocklist);
    while (rest.ptr && o->n_blocked < BLOCKED_MAX)
        o->blocked[o->n_blocked++] = slice_trim(slice_cut(&rest, ','));
    return 0;
}

static int statsd_create(struct output *base, struct slice arg, struct error *err) {
    struct statsd_output *o = (struct statsd_output *)base;
    (void)arg; /* k6 does not look at it either */
    o->fd = -1;
    buf_init(&o->lines, BUF_NO_CAP);
    tags_text_init(&o->tags, make_tags, o);
    base->release = statsd_release;
    if (configure(o, err))
        return KE_CONFIG;
    base->description = xasprintf("statsd (%s)", o->addr);
    base->wants = OUTPUT_WANTS_RAW;
    base->start = statsd_start;
    base->consume = statsd_consume;
    base->flush = statsd_flush;
    base->stop = statsd_stop;
    return 0;
}

const struct output_type output_statsd = {
    .name = "statsd",
    .create = statsd_create,
    .bytes = sizeof(struct statsd_output),
    .removed = "it was removed in k6 v0.55.0; --compat v0.51 has it"};
