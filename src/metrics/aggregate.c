#include "metrics/aggregate.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "base/vec.h"
#include "metrics/aggregate_windows.h"
#include "metrics/group_tree.h"
#include "metrics/shard_internal.h"

/* k6's suggested limit of time series. */
#define SERIES_SUGGESTED 100000u

struct by_pointer {
    const void *key;
    struct aggregate_series *value;
};

struct aggregate {
    struct sink **sinks; /* by metric id */
    uint32_t sinks_len;
    struct group_tree *tree;
    struct tag_table *tags;
    struct shard *interned; /* only to intern metric and tag set */
    VEC(struct aggregate_series *) series;
    struct by_pointer *known; /* a worker's or an interned series -> the one here */
    uint32_t known_size, n_known;
    uint32_t series_limit;
    bool is_overflow_told;
    struct windows *windows; /* NULL: not kept */
};

struct aggregate *aggregate_new(void) {
    struct aggregate *a = xcalloc(1, sizeof *a);
    a->tree = group_tree_new();
    a->tags = tag_table_new();
    a->interned = shard_new(a->tags);
    a->series_limit = SERIES_SUGGESTED;
    return a;
}

void aggregate_free(struct aggregate *a) {
    if (!a)
        return;
    for (uint32_t i = 0; i < a->sinks_len; i++) {
        if (a->sinks[i])
            sink_release(a->sinks[i]);
        free(a->sinks[i]);
    }
    for (size_t i = 0; i < a->series.len; i++) {
        sink_release(&a->series.ptr[i]->sink);
        free(a->series.ptr[i]);
    }
    vec_release(&a->series);
    windows_free(a->windows);
    free(a->known);
    free(a->sinks);
    group_tree_free(a->tree);
    shard_free(a->interned);
    tag_table_free(a->tags);
    free(a);
}

static struct sink *sink_for(struct aggregate *a, struct metric *m) {
    if (m->id >= a->sinks_len) {
        uint32_t len = metric_count();
        a->sinks = xrealloc(a->sinks, len * sizeof *a->sinks);
        memset(a->sinks + a->sinks_len, 0, (len - a->sinks_len) * sizeof *a->sinks);
        a->sinks_len = len;
    }
    if (!a->sinks[m->id]) {
        a->sinks[m->id] = xcalloc(1, sizeof **a->sinks);
        a->sinks[m->id]->metric = m;
    }
    return a->sinks[m->id];
}

const struct sink *aggregate_sink(const struct aggregate *a, const struct metric *m) {
    return m->id < a->sinks_len ? a->sinks[m->id] : NULL;
}

/* ---------------------------------------------------------------- per series */

static struct by_pointer *known_slot(const struct aggregate *a, const void *key) {
    uint64_t h = (uint64_t)(uintptr_t)key * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t mask = a->known_size - 1, i = (uint32_t)(h >> 32) & mask;
    while (a->known[i].key && a->known[i].key != key)
        i = (i + 1) & mask;
    return &a->known[i];
}

static void grow_known(struct aggregate *a) {
    struct by_pointer *old = a->known;
    uint32_t old_size = a->known_size;
    a->known_size = old_size ? old_size * 2 : 256;
    a->known = xcalloc(a->known_size, sizeof *a->known);
    for (uint32_t i = 0; i < old_size; i++)
        if (old[i].key)
            *known_slot(a, old[i].key) = old[i];
    free(old);
}

static void know(struct aggregate *a, const void *key, struct aggregate_series *value) {
    if (a->n_known >= a->known_size / 2)
        grow_known(a);
    *known_slot(a, key) = (struct by_pointer){key, value};
    a->n_known++;
}

/* The same metric and tags may come from several workers: tags are interned again, and the series
 * of a shard that never records tells which is which. */
static struct aggregate_series *series_of(struct aggregate *a, struct metric *m,
                                          const struct tag *from, size_t n) {
    const struct tagset *tags = tagset_with_all(a->tags, tagset_empty(a->tags), from, n);
    const struct series *same = shard_series(a->interned, m, tags);
    struct by_pointer *at = a->known_size ? known_slot(a, same) : NULL;
    struct aggregate_series *s = at ? at->value : NULL;
    if (!s) {
        s = xcalloc(1, sizeof *s);
        s->metric = s->sink.metric = m;
        s->tags = same->tags;
        vec_push(&a->series, s);
        know(a, same, s);
    }
    return s;
}

/* A worker's series -> the one here. */
static struct aggregate_series *series_for(struct aggregate *a, const struct series *from) {
    struct by_pointer *at = a->known_size ? known_slot(a, from) : NULL;
    if (at && at->key)
        return at->value;
    struct aggregate_series *s = series_of(a, from->metric, from->tags->tags, from->tags->len);
    know(a, from, s);
    return s;
}

size_t aggregate_series_count(const struct aggregate *a) {
    return a->series.len;
}

struct aggregate_series *aggregate_series_at(struct aggregate *a, size_t i) {
    return i < a->series.len ? a->series.ptr[i] : NULL;
}

/* ---------------------------------------------------------------- merging */

static void warn_of_cardinality(struct aggregate *a, const struct shard_delta *d) {
    if (d->n_series > a->series_limit) {
        log_printf(LOG_WARN,
                   "One worker has %u different time series, more than the %u that are advisable: "
                   "tag values made from ids or times cost memory, and every output has to carry "
                   "them. For URLs with ids, set the name tag or use http.url.",
                   d->n_series, SERIES_SUGGESTED);
        while (a->series_limit < d->n_series)
            a->series_limit *= 2;
    }
    if (d->tag_overflows && !a->is_overflow_told) {
        log_printf(LOG_WARN,
                   "More than %u different tag sets in one worker: new tag values are dropped from "
                   "here on, and the samples they belong to get the tag overflow=true.",
                   TAG_SETS_MAX);
        a->is_overflow_told = true;
    }
}

static void merge_series(struct aggregate_series *s, const struct sink *from) {
    sink_merge(&s->sink, from);
    s->is_updated = true;
    s->updates++;
}

void aggregate_add(struct aggregate *a, struct metric *m, const struct sink *from) {
    struct sink *total = sink_for(a, m), same = *from;
    same.metric = m;
    sink_merge(total, &same);
    if (a->windows)
        windows_add(a->windows, total, &same);
}

void aggregate_add_window(struct aggregate *a, struct metric *m, const struct tag *part,
                          const struct sink *from) {
    struct sink same = *from;
    same.metric = m;
    same.part = part;
    if (!a->windows)
        return;
    if (part)
        windows_add_part(a->windows, &same);
    else
        windows_add(a->windows, sink_for(a, m), &same);
}

void aggregate_add_series(struct aggregate *a, struct metric *m, const struct tag *tags,
                          size_t n_tags, const struct sink *from) {
    struct sink same = *from;
    same.metric = m;
    merge_series(series_of(a, m, tags, n_tags), &same);
}

void aggregate_add_check(struct aggregate *a, struct slice group_path, struct slice name,
                         uint64_t passes, uint64_t fails, int64_t first_ns) {
    group_tree_add(a->tree, &(struct noted){.path = group_path,
                                            .name = name,
                                            .first_ns = first_ns,
                                            .passes = passes,
                                            .fails = fails});
}

void aggregate_merge(struct aggregate *a, struct shard_delta *d) {
    if (!d)
        return;
    warn_of_cardinality(a, d);
    for (uint32_t i = 0; i < d->n_sinks; i++) {
        const struct sink *from = &d->sinks[i];
        if (from->series) {
            merge_series(series_for(a, from->series), from);
        } else if (from->part) {
            if (a->windows)
                windows_add_part(a->windows, from);
        } else {
            struct sink *total = sink_for(a, from->metric);
            sink_merge(total, from);
            if (a->windows)
                windows_add(a->windows, total, from);
        }
    }
    for (uint32_t i = 0; i < d->n_noted; i++)
        group_tree_add(a->tree, &d->noted[i]);
    shard_delta_free(d);
}

const struct group_stats *aggregate_root_group(const struct aggregate *a) {
    return group_tree_root(a->tree);
}

/* ---------------------------------------------------------------- windows */

void aggregate_keep_windows(struct aggregate *a) {
    if (!a->windows)
        a->windows = windows_new();
}

size_t aggregate_window_count(const struct aggregate *a) {
    return a->windows ? windows_count(a->windows) : 0;
}

const struct aggregate_window *aggregate_window_at(const struct aggregate *a, size_t i) {
    return i < aggregate_window_count(a) ? windows_at(a->windows, i) : NULL;
}

void aggregate_reset_windows(struct aggregate *a) {
    if (a->windows)
        windows_reset(a->windows);
}
