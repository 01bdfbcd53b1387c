/* Connection URLs, by the rules of go-redis's ParseURL. */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/go_text.h"
#include "http/url_parts.h"
#include "redis/redis_options.h"

static char *quoted(struct slice s) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    go_quote(&b, s);
    return buf_detach(&b, NULL);
}

/* strconv.Atoi. */
static bool to_int(struct slice s, int64_t *out) {
    uint64_t v;
    bool is_negative = s.len && s.ptr[0] == '-';
    if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        s = slice_from(s.ptr + 1, s.len - 1);
    if (!slice_to_u64(s, &v) || v > INT64_MAX)
        return false;
    *out = is_negative ? -(int64_t)v : (int64_t)v;
    return true;
}

static bool is_all_digits(struct slice s) {
    size_t i = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+');
    bool is_empty = i == s.len;
    for (; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    }
    return !is_empty;
}

static int atoi_error(struct error *err, const char *prefix, struct slice s) {
    char *text = quoted(s);
    error_set(err, KE_INVALID, "redis: %s: strconv.Atoi: parsing %s: %s", prefix, text,
              is_all_digits(s) ? "value out of range" : "invalid syntax");
    free(text);
    return KE_INVALID;
}

/* ---------------------------------------------------------------- query */

enum kind { NUMBER, DURATION, BOOLEAN, TEXT, IGNORED_NUMBER, IGNORED_DURATION, IGNORED_BOOLEAN };

static const struct option {
    const char *name;
    enum kind kind;
    size_t offset;
} known[] = {
#define AT(field) offsetof(struct redis_options, field)
    {"protocol", IGNORED_NUMBER, 0},
    {"client_name", TEXT, AT(client_name)},
    {"max_retries", NUMBER, AT(max_retries)},
    {"min_retry_backoff", DURATION, AT(min_retry_backoff_ns)},
    {"max_retry_backoff", DURATION, AT(max_retry_backoff_ns)},
    {"dial_timeout", DURATION, AT(dial_timeout_ns)},
    {"read_timeout", DURATION, AT(read_timeout_ns)},
    {"write_timeout", DURATION, AT(write_timeout_ns)},
    {"pool_fifo", IGNORED_BOOLEAN, 0},
    {"pool_size", NUMBER, AT(pool_size)},
    {"pool_timeout", DURATION, AT(pool_timeout_ns)},
    {"min_idle_conns", NUMBER, AT(min_idle_conns)},
    {"max_idle_conns", IGNORED_NUMBER, 0},
    {"max_active_conns", IGNORED_NUMBER, 0},
    {"max_concurrent_dials", IGNORED_NUMBER, 0},
    {"idle_timeout", DURATION, AT(idle_timeout_ns)},
    {"conn_max_idle_time", DURATION, AT(idle_timeout_ns)},
    {"max_conn_age", DURATION, AT(max_age_ns)},
    {"conn_max_lifetime", DURATION, AT(max_age_ns)},
    {"conn_max_lifetime_jitter", IGNORED_DURATION, 0},
    {"skip_verify", BOOLEAN, AT(skips_verify)},
#undef AT
};

static int read_duration(const char *name, struct slice value, int64_t *out, struct error *err) {
    int64_t v = 0;
    if (to_int(value, &v)) {
        *out = v <= 0 ? -1 : v > INT64_MAX / NS_PER_S ? INT64_MAX : v * NS_PER_S;
        return 0;
    }
    if (duration_parse_go(value, &v)) {
        char *text = quoted(value);
        error_set(err, KE_INVALID, "redis: invalid %s duration: time: invalid duration %s", name,
                  text);
        free(text);
        return KE_INVALID;
    }
    *out = v <= 0 ? -1 : v;
    return 0;
}

static int read_boolean(const char *name, struct slice value, bool *out, struct error *err) {
    *out = slice_eq(value, SLICE("true")) || slice_eq(value, SLICE("1"));
    if (*out || value.len == 0 || slice_eq(value, SLICE("false")) || slice_eq(value, SLICE("0")))
        return 0;
    char *text = quoted(value);
    error_set(err, KE_INVALID,
              "redis: invalid %s boolean: expected true/false/1/0 or an empty string, got %s", name,
              text);
    free(text);
    return KE_INVALID;
}

static int read_option(struct redis_options *o, const struct option *k, struct slice value,
                       struct error *err) {
    int64_t number = 0;
    bool boolean = false;
    int rc = 0;
    char *field = (char *)o + k->offset;
    if (k->kind == TEXT) {
        free(*(char **)(void *)field);
        *(char **)(void *)field = slice_dup(value);
    } else if (k->kind == BOOLEAN || k->kind == IGNORED_BOOLEAN) {
        rc = read_boolean(k->name, value, &boolean, err);
        if (k->kind == BOOLEAN)
            *(bool *)field = boolean;
    } else if (k->kind == DURATION || k->kind == IGNORED_DURATION) {
        rc = value.len ? read_duration(k->name, value, &number, err) : 0;
        if (k->kind == DURATION)
            *(int64_t *)(void *)field = number;
    } else {
        if (value.len && !to_int(value, &number)) {
            char prefix[64];
            snprintf(prefix, sizeof prefix, "invalid %s number", k->name);
            rc = atoi_error(err, prefix, value);
        }
        if (k->kind == NUMBER)
            *(int64_t *)(void *)field = number;
    }
    return rc;
}

struct pair {
    struct slice name, value;
};

static int by_name(const void *a, const void *b) {
    const struct pair *x = a, *y = b;
    size_t n = x->name.len < y->name.len ? x->name.len : y->name.len;
    int d = n ? memcmp(x->name.ptr, y->name.ptr, n) : 0;
    return d ? d : (x->name.len > y->name.len) - (x->name.len < y->name.len);
}

/* The pairs of a query, decoded; as Go's URL.Query, those that cannot be decoded are left out. */
static size_t query_read(struct arena *a, struct slice query, struct pair *out, size_t max) {
    size_t n = 0;
    while (query.ptr && query.len && n < max) {
        struct slice value = slice_cut(&query, '&');
        struct slice name = slice_cut(&value, '=');
        struct buf decoded_name, decoded_value;
        if (name.len == 0 && !value.ptr)
            continue;
        buf_init(&decoded_name, BUF_NO_CAP);
        buf_init(&decoded_value, BUF_NO_CAP);
        bool is_bad = (name.len && memchr(name.ptr, ';', name.len)) ||
                      url_unescape(&decoded_name, name, URL_QUERY_COMPONENT, NULL) ||
                      (value.len && url_unescape(&decoded_value, value, URL_QUERY_COMPONENT, NULL));
        out[n].name = url_keep(a, &decoded_name);
        out[n].value = url_keep(a, &decoded_value);
        n += !is_bad;
    }
    return n;
}

static const struct pair *query_last(const struct pair *pairs, size_t n, const char *name) {
    while (n-- > 0) {
        if (slice_eq(pairs[n].name, slice_cstr(name)))
            return &pairs[n];
    }
    return NULL;
}

static int unknown_options(struct pair *pairs, size_t n, struct error *err) {
    struct buf names;
    struct slice last = {0};
    buf_init(&names, BUF_NO_CAP);
    qsort(pairs, n, sizeof *pairs, by_name);
    for (size_t i = 0; i < n; i++) {
        bool is_known = slice_eq(pairs[i].name, SLICE("db"));
        for (size_t k = 0; k < countof(known) && !is_known; k++)
            is_known = slice_eq(pairs[i].name, slice_cstr(known[k].name));
        if (is_known || (last.ptr && slice_eq(last, pairs[i].name)))
            continue;
        last = pairs[i].name;
        buf_printf(&names, "%s%.*s", names.len ? ", " : "", SLICE_FMT(last));
    }
    int rc = names.len
                 ? error_set(err, KE_INVALID, "redis: unexpected option: %s", buf_cstr(&names))
                 : 0;
    buf_release(&names);
    return rc;
}

#define PAIRS_MAX 256

static int read_query(struct arena *a, struct slice query, struct redis_options *o,
                      struct error *err) {
    struct pair *pairs = arena_alloc(a, PAIRS_MAX * sizeof *pairs);
    size_t n = query_read(a, query, pairs, PAIRS_MAX);
    const struct pair *p = query_last(pairs, n, "db");
    int rc = 0;
    if (p && p->value.len && !to_int(p->value, &o->database))
        return atoi_error(err, "invalid database number", p->value);
    for (size_t k = 0; k < countof(known) && rc == 0; k++) {
        if (known[k].kind == BOOLEAN && !o->has_tls)
            continue; /* unknown without TLS: told below */
        if ((p = query_last(pairs, n, known[k].name)))
            rc = read_option(o, &known[k], p->value, err);
    }
    if (rc == 0 && !o->has_tls && query_last(pairs, n, "skip_verify"))
        return error_set(err, KE_INVALID, "redis: unexpected option: skip_verify");
    return rc ? rc : unknown_options(pairs, n, err);
}

/* ---------------------------------------------------------------- the rest */

static void set_text(char **field, struct slice s) {
    free(*field);
    *field = slice_dup(s.ptr ? s : SLICE(""));
}

static int read_database(struct slice path, int64_t *out, struct error *err) {
    struct slice rest = path, only = {0};
    size_t n = 0;
    while (rest.ptr && rest.len) {
        struct slice part = slice_cut(&rest, '/');
        if (part.len) {
            only = part;
            n++;
        }
    }
    if (n == 1 && !to_int(only, out)) {
        char *text = quoted(only);
        error_set(err, KE_INVALID, "redis: invalid database number: %s", text);
        free(text);
        return KE_INVALID;
    }
    return n > 1 ? error_set(err, KE_INVALID, "redis: invalid URL path: %.*s", SLICE_FMT(path)) : 0;
}

static void read_host(struct slice text, struct redis_options *o) {
    struct slice host = text;
    uint64_t port = 0;
    const char *colon = url_find_last(text, ':'), *bracket = url_find_last(text, ']');
    if (colon && colon > bracket) {
        host = slice_from(text.ptr, (size_t)(colon - text.ptr));
        slice_to_u64(slice_from(colon + 1, text.len - host.len - 1), &port);
    }
    if (host.len > 1 && host.ptr[0] == '[')
        host = slice_from(host.ptr + 1, host.len - 2);
    redis_options_add_address(o, host.len ? host : SLICE("localhost"),
                              port == 0           ? 6379
                              : port > UINT16_MAX ? 0
                                                  : (uint16_t)port);
}

static int read_parts(struct arena *a, const struct url_parts *u, struct redis_options *o,
                      struct error *err) {
    bool is_unix = slice_eq(u->scheme, SLICE("unix"));
    o->has_tls = slice_eq(u->scheme, SLICE("rediss"));
    if (!is_unix && !o->has_tls && !slice_eq(u->scheme, SLICE("redis")))
        return error_set(err, KE_INVALID, "redis: invalid URL scheme: %.*s", SLICE_FMT(u->scheme));
    if (is_unix && slice_trim(u->path).len == 0)
        return error_set(err, KE_INVALID, "redis: empty unix socket path");
    if (u->has_user)
        set_text(&o->username, u->user);
    if (u->has_password)
        set_text(&o->password, u->password);
    if (is_unix) {
        o->unix_path = slice_dup(u->path);
        redis_options_add_address(o, u->path, 0);
    } else {
        read_host(u->host, o);
        int rc = read_database(u->path, &o->database, err);
        if (rc)
            return rc;
    }
    return read_query(a, u->query, o, err);
}

int redis_options_parse_url(struct slice url, struct redis_options *o, struct error *err) {
    struct url_parts parts = {0};
    struct arena arena;
    arena_init(&arena);
    int rc = url_parts_parse(&arena, &parts, url, err);
    rc = rc ? KE_INVALID : read_parts(&arena, &parts, o, err);
    arena_release(&arena);
    return rc;
}
