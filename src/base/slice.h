/* A view of bytes owned by somebody else. Never freed through, not NUL-terminated. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *ptr;
    size_t len;
};

#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
/* printf arguments for "%.*s" */
#define SLICE_FMT(s) (int)(s).len, (s).ptr

static inline struct slice slice_from(const char *ptr, size_t len) {
    return (struct slice){ptr, len};
}

static inline struct slice slice_cstr(const char *s) {
    return (struct slice){s, strlen(s)};
}

static inline bool slice_eq(struct slice a, struct slice b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* ASCII case ignored (header names, schemes, hosts). */
bool slice_ieq(struct slice a, struct slice b);
bool slice_starts(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);
/* Without leading and trailing spaces, tabs, CR and LF. */
struct slice slice_trim(struct slice s);
/* Cuts *rest at the first sep: returns the part before it and leaves the part after it; without sep
 * returns all and leaves a slice with ptr NULL. */
struct slice slice_cut(struct slice *rest, char sep);
/* Decimal, no sign, no spaces; false on anything else or overflow. */
bool slice_to_u64(struct slice s, uint64_t *out);
/* A heap copy with NUL appended. */
char *slice_dup(struct slice s);
/* 64-bit hash for tables (wyhash-like, not for secrets). */
uint64_t hash_bytes(const void *ptr, size_t len);
