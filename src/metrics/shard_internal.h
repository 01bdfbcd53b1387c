/* What shard.c, shard_checks.c and aggregate.c share. Not for other layers. */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "metrics/shard.h"

/* A group (name.ptr NULL) or a check of a group, with what was counted since the last take. */
struct noted {
    struct slice path, name; /* the shard's memory */
    uint64_t hash;
    int64_t first_ns; /* 0 = not seen yet */
    uint64_t passes, fails;
    bool is_new; /* not given to the aggregate yet */
};

struct shard {
    struct shard_head head;
    struct arena arena;
    struct tag_table *tags;
    struct sink **sinks; /* by metric id */
    uint32_t sinks_len;
    struct series **index; /* open addressing by metric and tag set */
    uint32_t index_size, n_series;
    struct series *latest;     /* one-entry cache of shard_series */
    struct http_series **http; /* by 2 · tag set id + with_failed */
    uint32_t http_len;
    bool is_series_kept;
    struct series *own_series; /* that have a sink of their own, linked by next_own */
    const struct slice *part_keys;
    size_t n_part_keys;
    struct map parts;     /* metric, key and value -> struct sink * */
    struct sink *touched; /* what has samples, linked by next_touched */
    uint32_t n_touched;
    void (*give)(void *arg, struct raw_chunk *chunk);
    void *give_arg;
    struct noted *noted;
    uint32_t n_noted, noted_alloc;
    uint32_t *noted_index; /* position + 1, open addressing */
    uint32_t noted_index_size;
};

struct shard_delta {
    struct sink *sinks; /* of metrics, and those of series */
    struct noted *noted;
    uint32_t n_sinks, n_noted;
    uint32_t n_series;
    uint64_t tag_overflows;
};

/* Moves the counts of checks and new groups to d. */
void shard_take_noted(struct shard *s, struct shard_delta *d);
