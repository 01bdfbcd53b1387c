#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/go_text.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "metrics/registry.h"

static void expression_error(struct error *err, struct slice what, const char *reason) {
    struct buf quoted;
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, what);
    error_set(err, KE_INVALID, "parsing metric name failed, metric %s %s", buf_cstr(&quoted),
              reason);
    buf_release(&quoted);
}

/* Splits name{pairs}; *out_pairs has ptr NULL without braces. */
static int split_expression(struct slice s, struct slice *out_name, struct slice *out_pairs,
                            struct error *err) {
    const char *open = s.len ? memchr(s.ptr, '{', s.len) : NULL;
    const char *close = s.len ? memrchr(s.ptr, '}', s.len) : NULL;
    const char *problem = NULL;
    *out_name = s;
    *out_pairs = slice_from(NULL, 0);
    if (!open && !close)
        return 0;
    if (!open || !close)
        problem = "has unmatched opening/close curly brace";
    else if (close < open)
        problem = "closing curly brace appears before opening one";
    else if (close != s.ptr + s.len - 1)
        problem = "lacks a closing curly brace in its last position";
    if (problem) {
        expression_error(err, s, problem);
        return KE_INVALID;
    }
    *out_name = slice_from(s.ptr, (size_t)(open - s.ptr));
    *out_pairs = slice_from(open + 1, (size_t)(close - open - 1));
    return 0;
}

/* Each pair needs a value, before anything is trimmed: "a: " is fine, "a:" is not. */
static int check_pairs(struct slice pairs, struct error *err) {
    struct slice rest = pairs;
    do {
        struct slice value = slice_cut(&rest, ','), pair = value;
        slice_cut(&value, ':');
        if (value.len == 0) {
            expression_error(err, pair, "tag expression is malformed");
            return KE_INVALID;
        }
    } while (rest.ptr);
    return 0;
}

static struct slice unquote(struct slice s) {
    s = slice_trim(s);
    while (s.len > 0 && (s.ptr[0] == '"' || s.ptr[0] == '\'')) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && (s.ptr[s.len - 1] == '"' || s.ptr[s.len - 1] == '\''))
        s.len--;
    return s;
}

typedef VEC(struct tag_match) match_vec;

static int compare_keys(const void *a, const void *b) {
    struct slice x = ((const struct tag_match *)a)->key, y = ((const struct tag_match *)b)->key;
    size_t n = x.len < y.len ? x.len : y.len;
    int c = n ? memcmp(x.ptr, y.ptr, n) : 0;
    return c ? c : (x.len > y.len) - (x.len < y.len);
}

/* The last value of a key counts. The slices point into pairs. */
static void parse_pairs(struct slice pairs, match_vec *out) {
    struct slice rest = slice_trim(pairs);
    do {
        struct slice value = slice_cut(&rest, ',');
        if (value.len == 0)
            continue;
        struct slice key = unquote(slice_cut(&value, ':'));
        struct tag_match *same = NULL, *m;
        vec_foreach(m, out) {
            if (slice_eq(m->key, key))
                same = m;
        }
        if (same)
            same->value = unquote(value);
        else
            vec_push(out, (struct tag_match){key, unquote(value)});
    } while (rest.ptr);
    if (out->len)
        qsort(out->ptr, out->len, sizeof *out->ptr, compare_keys);
}

static bool same_pairs(const struct metric *sub, const match_vec *pairs) {
    if (sub->n_match != pairs->len)
        return false;
    for (size_t i = 0; i < pairs->len; i++)
        if (!slice_eq(sub->match[i].key, pairs->ptr[i].key) ||
            !slice_eq(sub->match[i].value, pairs->ptr[i].value))
            return false;
    return true;
}

static struct metric *add_submetric(struct metric *parent, struct slice suffix,
                                    const match_vec *pairs, struct error *err) {
    struct metric **link = &parent->submetrics;
    for (; *link; link = &(*link)->next_sub)
        if (same_pairs(*link, pairs))
            return *link;
    char *name = xasprintf("%s{%.*s}", parent->name, SLICE_FMT(suffix));
    struct metric *m = registry_add(slice_cstr(name), parent->type, parent->contains, err);
    free(name);
    if (!m)
        return NULL;
    m->parent = parent;
    m->suffix = slice_dup(suffix);
    m->is_builtin = parent->is_builtin;
    m->match = xcalloc(pairs->len + 1, sizeof *m->match);
    m->n_match = pairs->len;
    for (size_t i = 0; i < pairs->len; i++) {
        struct tag_match *from = &pairs->ptr[i];
        m->match[i].key = slice_from(slice_dup(from->key), from->key.len);
        m->match[i].value = slice_from(slice_dup(from->value), from->value.len);
    }
    *link = m;
    return m;
}

struct metric *metric_submetric(struct slice expression, struct error *err) {
    struct slice name, pairs;
    match_vec matches = {0};
    if (split_expression(expression, &name, &pairs, err) || (pairs.ptr && check_pairs(pairs, err)))
        return NULL;
    registry_lock();
    struct metric *m = registry_find(name);
    if (!m) {
        error_set(err, KE_NOT_FOUND, "metric '%.*s' does not exist in the script", SLICE_FMT(name));
    } else if (pairs.ptr) {
        parse_pairs(pairs, &matches);
        m = add_submetric(m, slice_trim(pairs), &matches, err);
    }
    registry_unlock();
    vec_release(&matches);
    return m;
}
