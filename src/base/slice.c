#include "base/slice.h"

#include "base/check.h"

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool slice_ieq(struct slice a, struct slice b) {
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

bool slice_starts(struct slice s, struct slice prefix) {
    return s.len >= prefix.len && slice_eq(slice_from(s.ptr, prefix.len), prefix);
}

bool slice_ends(struct slice s, struct slice suffix) {
    return s.len >= suffix.len &&
           slice_eq(slice_from(s.ptr + (s.len - suffix.len), suffix.len), suffix);
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s) {
    while (s.len > 0 && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

struct slice slice_cut(struct slice *rest, char sep) {
    struct slice s = *rest;
    const char *at = s.len ? memchr(s.ptr, sep, s.len) : NULL;
    if (at == NULL) {
        *rest = (struct slice){NULL, 0};
        return s;
    }
    size_t len = (size_t)(at - s.ptr);
    *rest = slice_from(at + 1, s.len - len - 1);
    return slice_from(s.ptr, len);
}

bool slice_to_u64(struct slice s, uint64_t *out) {
    uint64_t value = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}

char *slice_dup(struct slice s) {
    return xstrndup(s.ptr, s.len);
}

static uint64_t mix(uint64_t a, uint64_t b) {
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load(const unsigned char *p, size_t len) {
    uint64_t v = 0;
    memcpy(&v, p, len);
    return v;
}

#define HASH_A UINT64_C(0xa0761d6478bd642f)
#define HASH_B UINT64_C(0xe7037ed1a0b428db)

uint64_t hash_bytes(const void *ptr, size_t len) {
    const unsigned char *p = ptr;
    uint64_t h = HASH_A ^ len;
    size_t left = len;
    for (; left > 16; left -= 16, p += 16)
        h = mix(load(p, 8) ^ HASH_B, load(p + 8, 8) ^ h);
    uint64_t a = 0, b = 0;
    if (left > 8) {
        a = load(p, 8);
        b = load(p + 8, left - 8);
    } else if (left > 0) {
        a = load(p, left);
    }
    return mix(HASH_B ^ len, mix(a ^ HASH_B, b ^ h));
}
