/* Tag sets: immutable, interned per worker, so that equality is pointer equality and adding a tag
 * to a known set is one lookup. Keys and values are copied on first sight. A table holds at most
 * TAG_SETS_MAX sets and TAG_BYTES_MAX of text: beyond that a new set keeps only the values that
 * were seen before, gets the tag overflow="true", and is counted (docs/internals/metrics.md). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct tag {
    struct slice key, value;
};

struct tagset {
    const struct tag *tags; /* sorted by key, unique */
    uint32_t len;
    uint32_t id; /* dense, per table; 0 is the empty set */
    uint64_t hash;
};

#define TAG_SETS_MAX 100000u
#define TAG_BYTES_MAX ((size_t)64 << 20)
/* Tags of one set; more are left out and counted as an overflow. */
#define TAGS_PER_SET_MAX 512

struct tag_table; /* one per worker; sets live as long as it */

struct tag_table *tag_table_new(void);
void tag_table_free(struct tag_table *t);
/* Other limits than the above, for tests. Before the first set. */
void tag_table_set_limits(struct tag_table *t, uint32_t max_sets, size_t max_bytes);
uint32_t tag_table_count(const struct tag_table *t);
/* How many times a set could not be had in full. */
uint64_t tag_table_overflows(const struct tag_table *t);

const struct tagset *tagset_empty(struct tag_table *t);
/* base plus key=value (replacing an older value of key). Cached transition. */
const struct tagset *tagset_with(struct tag_table *t, const struct tagset *base, struct slice key,
                                 struct slice value);
/* base plus all of add, later ones replacing earlier ones of their key, without interning what lies
 * between: the way to build the set of a request. Cached transition. */
const struct tagset *tagset_with_all(struct tag_table *t, const struct tagset *base,
                                     const struct tag *add, size_t n);
const struct tagset *tagset_without(struct tag_table *t, const struct tagset *base,
                                    struct slice key);
/* NULL ptr when absent. */
struct slice tagset_get(const struct tagset *s, struct slice key);
/* True when s has every pair of match. */
struct tag_match;
bool tagset_contains(const struct tagset *s, const struct tag_match *match, size_t n);

/* System tags (options.systemTags) as bits, in k6's order. */
enum system_tag {
    TAG_PROTO = 1 << 0,
    TAG_SUBPROTO = 1 << 1,
    TAG_STATUS = 1 << 2,
    TAG_METHOD = 1 << 3,
    TAG_URL = 1 << 4,
    TAG_NAME = 1 << 5,
    TAG_GROUP = 1 << 6,
    TAG_CHECK = 1 << 7,
    TAG_ERROR = 1 << 8,
    TAG_ERROR_CODE = 1 << 9,
    TAG_TLS_VERSION = 1 << 10,
    TAG_SCENARIO = 1 << 11,
    TAG_SERVICE = 1 << 12,
    TAG_EXPECTED_RESPONSE = 1 << 13,
    TAG_ITER = 1 << 14,
    TAG_VU = 1 << 15,
    TAG_OCSP_STATUS = 1 << 16,
    TAG_IP = 1 << 17
};
#define SYSTEM_TAGS_DEFAULT 0x3fffu
#define SYSTEM_TAGS_ALL 0x3ffffu
/* Kept as metadata of a sample, not in its tag set. */
#define SYSTEM_TAGS_METADATA ((uint32_t)(TAG_ITER | TAG_VU))
/* 0 when unknown. */
uint32_t system_tag_by_name(struct slice name);
const char *system_tag_name(uint32_t bit);
