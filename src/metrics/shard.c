#include "metrics/shard.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/compat.h"
#include "metrics/shard_internal.h"

struct shard *shard_new(struct tag_table *tags) {
    struct shard *s = xcalloc(1, sizeof *s);
    arena_init(&s->arena);
    s->tags = tags;
    s->index_size = 256;
    s->index = xcalloc(s->index_size, sizeof *s->index);
    map_init(&s->parts);
    return s;
}

static void free_parts(struct shard *s) {
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(&s->parts, &i));) {
        sink_release(e->value);
        free(e->value);
    }
    map_release(&s->parts);
}

void shard_free(struct shard *s) {
    if (!s)
        return;
    for (uint32_t i = 0; i < s->sinks_len; i++) {
        if (s->sinks[i])
            sink_release(s->sinks[i]);
        free(s->sinks[i]);
    }
    for (struct series *own = s->own_series; own; own = own->next_own) {
        sink_release(own->own);
        free(own->own);
    }
    free_parts(s);
    raw_chunk_free(s->head.raw);
    free(s->sinks);
    free(s->index);
    free(s->http);
    free(s->noted);
    free(s->noted_index);
    arena_release(&s->arena);
    free(s);
}

struct tag_table *shard_tags(struct shard *s) {
    return s->tags;
}

uint32_t shard_series_count(const struct shard *s) {
    return s->n_series;
}

/* ---------------------------------------------------------------- series */

static uint32_t series_slot(const struct shard *s, const struct metric *m,
                            const struct tagset *tags) {
    uint64_t h = ((uint64_t)m->id << 32 | tags->id) * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t mask = s->index_size - 1, i = (uint32_t)(h >> 32) & mask;
    while (s->index[i] && (s->index[i]->metric != m || s->index[i]->tags != tags))
        i = (i + 1) & mask;
    return i;
}

static void grow_index(struct shard *s) {
    struct series **old = s->index;
    uint32_t old_size = s->index_size;
    s->index_size *= 2;
    s->index = xcalloc(s->index_size, sizeof *s->index);
    for (uint32_t i = 0; i < old_size; i++)
        if (old[i])
            s->index[series_slot(s, old[i]->metric, old[i]->tags)] = old[i];
    free(old);
}

static struct series *add_series(struct shard *s, struct metric *m, const struct tagset *tags) {
    if (s->n_series >= s->index_size / 2)
        grow_index(s);
    struct series *series = arena_alloc(&s->arena, sizeof *series);
    *series = (struct series){.type = (uint8_t)m->type, .metric = m, .tags = tags, .shard = s};
    s->index[series_slot(s, m, tags)] = series;
    s->n_series++;
    return series;
}

struct series *shard_series(struct shard *s, struct metric *m, const struct tagset *tags) {
    struct series *found = s->latest;
    if (likely(found && found->metric == m && found->tags == tags))
        return found;
    found = s->index[series_slot(s, m, tags)];
    if (unlikely(!found && s->n_series >= SHARD_SERIES_MAX)) {
        tags = tagset_with(s->tags, tagset_empty(s->tags), SLICE("overflow"), SLICE("true"));
        found = s->index[series_slot(s, m, tags)];
    }
    if (unlikely(!found))
        found = add_series(s, m, tags);
    s->latest = found;
    return found;
}

static struct sink *new_sink(struct shard *s, struct metric *m, const struct series *series) {
    struct sink *sink = xcalloc(1, sizeof *sink);
    sink->metric = m;
    sink->shard = s;
    sink->series = series;
    return sink;
}

static struct sink *metric_sink(struct shard *s, struct metric *m) {
    if (m->id >= s->sinks_len) {
        uint32_t len = metric_count();
        s->sinks = xrealloc(s->sinks, len * sizeof *s->sinks);
        memset(s->sinks + s->sinks_len, 0, (len - s->sinks_len) * sizeof *s->sinks);
        s->sinks_len = len;
    }
    if (!s->sinks[m->id])
        s->sinks[m->id] = new_sink(s, m, NULL);
    return s->sinks[m->id];
}

static struct sink *own_sink(struct shard *s, struct series *series) {
    series->own = new_sink(s, series->metric, series);
    series->next_own = s->own_series;
    s->own_series = series;
    return series->own;
}

/* NULL when there are too many, or the series does not have the tag. */
static struct sink *part_sink(struct shard *s, struct metric *m, const struct tagset *tags,
                              size_t key) {
    const struct tag *tag = NULL;
    for (uint32_t i = 0; i < tags->len && !tag; i++)
        if (slice_eq(tags->tags[i].key, s->part_keys[key]))
            tag = &tags->tags[i];
    if (!tag || tag->value.len == 0)
        return NULL;
    struct buf name;
    buf_init(&name, BUF_NO_CAP);
    buf_printf(&name, "%u %zu ", (unsigned)m->id, key);
    buf_append_slice(&name, tag->value);
    struct sink *sink = map_get(&s->parts, buf_slice(&name));
    if (!sink && s->parts.len < SHARD_PARTS_MAX) {
        sink = new_sink(s, m, NULL);
        sink->part = tag;
        map_set(&s->parts, buf_slice(&name), sink);
    }
    buf_release(&name);
    return sink;
}

void shard_break_down(struct shard *s, const struct slice *keys, size_t n) {
    s->part_keys = keys;
    s->n_part_keys = n;
}

/* Submetrics are all known by the time a sample is recorded, however early the series itself was
 * made. */
void series_resolve(struct series *series) {
    struct shard *s = series->shard;
    uint32_t n = (s->is_series_kept ? 2 : 1) + (uint32_t)s->n_part_keys;
    for (struct metric *m = series->metric->submetrics; m; m = m->next_sub)
        n += tagset_contains(series->tags, m->match, m->n_match);
    series->sinks = n == 1 ? &series->first : arena_alloc(&s->arena, n * sizeof *series->sinks);
    uint32_t at = 0;
    series->sinks[at++] = metric_sink(s, series->metric);
    for (struct metric *m = series->metric->submetrics; m; m = m->next_sub)
        if (tagset_contains(series->tags, m->match, m->n_match))
            series->sinks[at++] = metric_sink(s, m);
    if (s->is_series_kept)
        series->sinks[at++] = own_sink(s, series);
    for (size_t i = 0; i < s->n_part_keys; i++) {
        struct sink *part = part_sink(s, series->metric, series->tags, i);
        if (part)
            series->sinks[at++] = part;
    }
    series->n_sinks = at;
}

void shard_keep_series(struct shard *s) {
    s->is_series_kept = true;
}

/* ---------------------------------------------------------------- requests */

struct http_series *shard_http_series(struct shard *s, const struct tagset *tags,
                                      bool with_failed) {
    uint32_t at = tags->id * 2 + with_failed;
    if (unlikely(at >= s->http_len)) {
        uint32_t len = s->http_len ? s->http_len * 2 : 64;
        while (at >= len)
            len *= 2;
        s->http = xrealloc(s->http, len * sizeof(*s->http));
        memset(s->http + s->http_len, 0, (len - s->http_len) * sizeof(*s->http));
        s->http_len = len;
    }
    if (likely(s->http[at] != NULL))
        return s->http[at];
    struct http_series *h = arena_alloc(&s->arena, sizeof *h);
    h->tags = tags;
    h->reqs = shard_series(s, metric_by_id(M_HTTP_REQS), tags);
    h->failed = with_failed ? shard_series(s, metric_by_id(M_HTTP_REQ_FAILED), tags) : NULL;
    h->duration = shard_series(s, metric_by_id(M_HTTP_REQ_DURATION), tags);
    h->blocked = shard_series(s, metric_by_id(M_HTTP_REQ_BLOCKED), tags);
    h->connecting = shard_series(s, metric_by_id(M_HTTP_REQ_CONNECTING), tags);
    h->tls = shard_series(s, metric_by_id(M_HTTP_REQ_TLS_HANDSHAKING), tags);
    h->sending = shard_series(s, metric_by_id(M_HTTP_REQ_SENDING), tags);
    h->waiting = shard_series(s, metric_by_id(M_HTTP_REQ_WAITING), tags);
    h->receiving = shard_series(s, metric_by_id(M_HTTP_REQ_RECEIVING), tags);
    return s->http[at] = h;
}

static void stream_http(struct http_series *h, const struct http_sample *v, int64_t time_ns,
                        const struct sample_meta *meta) {
    series_stream(h->reqs, 1, time_ns, meta);
    series_stream(h->duration, v->duration, time_ns, meta);
    series_stream(h->blocked, v->blocked, time_ns, meta);
    series_stream(h->connecting, v->connecting, time_ns, meta);
    series_stream(h->tls, v->tls, time_ns, meta);
    series_stream(h->sending, v->sending, time_ns, meta);
    series_stream(h->waiting, v->waiting, time_ns, meta);
    series_stream(h->receiving, v->receiving, time_ns, meta);
    if (h->failed)
        series_stream(h->failed, v->is_failed, time_ns, meta);
}

void http_series_add(struct http_series *h, const struct http_sample *v, int64_t time_ns,
                     const struct sample_meta *meta) {
    series_add_typed(h->reqs, METRIC_COUNTER, 1, time_ns);
    series_add_typed(h->duration, METRIC_TREND, v->duration, time_ns);
    series_add_typed(h->blocked, METRIC_TREND, v->blocked, time_ns);
    series_add_typed(h->connecting, METRIC_TREND, v->connecting, time_ns);
    series_add_typed(h->tls, METRIC_TREND, v->tls, time_ns);
    series_add_typed(h->sending, METRIC_TREND, v->sending, time_ns);
    series_add_typed(h->waiting, METRIC_TREND, v->waiting, time_ns);
    series_add_typed(h->receiving, METRIC_TREND, v->receiving, time_ns);
    if (h->failed)
        series_add_typed(h->failed, METRIC_RATE, v->is_failed, time_ns);
    if (unlikely(h->reqs->shard->head.raw != NULL))
        stream_http(h, v, time_ns, meta);
}

/* ---------------------------------------------------------------- raw samples */

static struct raw_chunk *new_chunk(void) {
    struct raw_chunk *c = xmalloc(sizeof *c);
    c->next = NULL;
    c->len = 0;
    return c;
}

void raw_chunk_free(struct raw_chunk *chunk) {
    free(chunk);
}

void shard_stream_raw(struct shard *s, void (*give)(void *arg, struct raw_chunk *chunk),
                      void *arg) {
    s->give = give;
    s->give_arg = arg;
    if (!s->head.raw)
        s->head.raw = new_chunk();
}

void shard_flush_raw(struct shard *s) {
    struct raw_chunk *c = s->head.raw;
    if (!c || c->len == 0)
        return;
    s->head.raw = new_chunk();
    s->give(s->give_arg, c);
}

void series_stream(struct series *series, double value, int64_t time_ns,
                   const struct sample_meta *meta) {
    struct shard *s = series->shard;
    struct raw_sample *to = &s->head.raw->samples[s->head.raw->len++];
    *to = (struct raw_sample){series, value, time_ns, -1, -1, NULL};
    if (meta) {
        to->vu = meta->vu;
        to->iter = meta->iter;
        to->custom = meta->custom;
    }
    if (s->head.raw->len == RAW_CHUNK_SAMPLES)
        shard_flush_raw(s);
}

/* ---------------------------------------------------------------- sinks */

void sink_add_first(struct sink *sink, enum metric_type type, double value, int64_t time_ns) {
    sink->has_samples = true;
    if (sink->shard) {
        sink->next_touched = sink->shard->touched;
        sink->shard->touched = sink;
        sink->shard->n_touched++;
    }
    switch (type) {
    case METRIC_COUNTER:
        sink->counter.sum = value;
        sink->counter.first_ns = time_ns;
        break;
    case METRIC_RATE:
        sink->rate.trues = value != 0;
        sink->rate.total = 1;
        break;
    case METRIC_TREND:
        trend_add(&sink->trend, value);
        break;
    case METRIC_GAUGE:
        sink->gauge.last = sink->gauge.min = sink->gauge.max = value;
        if (value < 0 && compat_on(COMPAT_GAUGE_MAX_FROM_ZERO))
            sink->gauge.max = 0;
        sink->gauge.last_ns = time_ns;
    }
}

void sink_merge(struct sink *dst, const struct sink *src) {
    if (!src->has_samples)
        return;
    if (src->metric->type == METRIC_TREND) {
        trend_merge(&dst->trend, &src->trend);
    } else if (!dst->has_samples) {
        *dst = *src;
        dst->series = NULL;
        dst->part = NULL;
    } else if (src->metric->type == METRIC_COUNTER) {
        dst->counter.sum += src->counter.sum;
        if (src->counter.first_ns < dst->counter.first_ns)
            dst->counter.first_ns = src->counter.first_ns;
    } else if (src->metric->type == METRIC_RATE) {
        dst->rate.trues += src->rate.trues;
        dst->rate.total += src->rate.total;
    } else {
        if (src->gauge.last_ns >= dst->gauge.last_ns) {
            dst->gauge.last = src->gauge.last;
            dst->gauge.last_ns = src->gauge.last_ns;
        }
        if (src->gauge.min < dst->gauge.min)
            dst->gauge.min = src->gauge.min;
        if (src->gauge.max > dst->gauge.max)
            dst->gauge.max = src->gauge.max;
    }
    dst->has_samples = true;
}

void sink_release(struct sink *sink) {
    if (sink->metric->type == METRIC_TREND)
        trend_release(&sink->trend);
}

/* ---------------------------------------------------------------- taking */

/* The address stays, the content goes. */
static void move_sink(struct sink *to, struct sink *from) {
    *to = *from;
    to->shard = NULL;
    to->next_touched = NULL;
    *from = (struct sink){
        .metric = to->metric, .shard = from->shard, .series = to->series, .part = to->part};
}

struct shard_delta *shard_take(struct shard *s) {
    struct shard_delta *d = xcalloc(1, sizeof *d);
    d->n_series = s->n_series;
    d->tag_overflows = tag_table_overflows(s->tags);
    d->sinks = xcalloc(s->n_touched + 1, sizeof *d->sinks);
    d->n_sinks = s->n_touched;
    uint32_t at = d->n_sinks; /* the list has the last one first */
    for (struct sink *sink = s->touched, *next; sink; sink = next) {
        next = sink->next_touched;
        move_sink(&d->sinks[--at], sink);
    }
    s->touched = NULL;
    s->n_touched = 0;
    shard_take_noted(s, d);
    return d;
}

void shard_delta_free(struct shard_delta *d) {
    if (!d)
        return;
    for (uint32_t i = 0; i < d->n_sinks; i++)
        sink_release(&d->sinks[i]);
    free(d->sinks);
    free(d->noted);
    free(d);
}
