#include "http/cookie.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/vec.h"
#include "http/public_suffix.h"

/* What a peer can make a jar hold. Browsers keep about 3000 cookies in all. */
#define COOKIES_MAX 10000
#define HOST_MAX_BYTES 255

struct entry {
    char *text; /* holds the slices; its memory outlives the entry, for the next one in its place */
    size_t alloc;
    struct slice name, value, domain, path;
    struct slice key; /* the last two labels of the host that set it: cookies never cross these */
    bool is_host_only, is_secure;
    int64_t expires_ns; /* wall clock; NEVER_NS for a session cookie */
    uint64_t seq;       /* age */
};

struct cookie_jar {
    struct entry *entries; /* len in use, the rest up to alloc kept for their memory */
    size_t len, alloc;
    uint64_t next_seq;
    const struct entry **selected; /* scratch of cookie_jar_each */
    size_t selected_alloc;
};

struct cookie_jar *cookie_jar_new(void) {
    return xcalloc(1, sizeof(struct cookie_jar));
}

void cookie_jar_free(struct cookie_jar *jar) {
    if (!jar)
        return;
    for (size_t i = 0; i < jar->alloc; i++)
        free(jar->entries[i].text);
    free(jar->entries);
    free(jar->selected);
    free(jar);
}

void cookie_jar_reset(struct cookie_jar *jar) {
    jar->len = 0;
}

bool cookie_jar_is_empty(const struct cookie_jar *jar) {
    return jar->len == 0;
}

/* The host as the jar compares it. False when it is none that could have cookies. */
static bool canonical_host(const struct url *url, char out[HOST_MAX_BYTES + 1],
                           struct slice *host) {
    size_t len = url->host.len;
    if (!url->is_http || len > HOST_MAX_BYTES)
        return false;
    if (len && url->host.ptr[len - 1] == '.')
        len--;
    for (size_t i = 0; i < len; i++) {
        char c = url->host.ptr[i];
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    out[len] = 0;
    *host = slice_from(out, len);
    return true;
}

static bool is_ip(struct slice host) {
    char text[HOST_MAX_BYTES + 1];
    struct in_addr addr;
    for (size_t i = 0; i < host.len; i++) {
        if (host.ptr[i] == ':' || host.ptr[i] == '%')
            return true;
        text[i] = host.ptr[i];
    }
    text[host.len] = 0;
    return inet_pton(AF_INET, text, &addr) == 1;
}

/* As in Go without a list; what public_suffix_is refuses never gets here. */
static struct slice site_key(struct slice host) {
    if (is_ip(host))
        return host;
    size_t dots = 0;
    for (size_t i = host.len; i > 0; i--) {
        if (host.ptr[i - 1] == '.' && ++dots == 2)
            return slice_from(host.ptr + i, host.len - i);
    }
    return host;
}

static struct slice default_path(struct slice path) {
    if (!path.len || path.ptr[0] != '/')
        return SLICE("/");
    size_t i = path.len - 1;
    while (path.ptr[i] != '/')
        i--;
    return i == 0 ? SLICE("/") : slice_from(path.ptr, i);
}

static bool has_dot_suffix(struct slice s, struct slice suffix) {
    return s.len > suffix.len && s.ptr[s.len - suffix.len - 1] == '.' && slice_ends(s, suffix);
}

/* RFC 6265 5.3, points 4 to 6. */
static bool accept_domain(struct slice host, struct slice attribute, struct slice *out,
                          bool *out_host_only) {
    *out = host;
    *out_host_only = true;
    if (!attribute.len)
        return true;
    if (is_ip(host))
        return slice_eq(host, attribute);
    if (attribute.ptr[0] == '.')
        attribute = slice_from(attribute.ptr + 1, attribute.len - 1);
    if (!attribute.len || attribute.len > host.len)
        return false;
    /* A suffix of the host, so the host's own (lower case) spelling serves. */
    struct slice tail = slice_from(host.ptr + host.len - attribute.len, attribute.len);
    if (!slice_ieq(tail, attribute) || (tail.len != host.len && !has_dot_suffix(host, tail)))
        return false;
    if (public_suffix_is(tail))
        return tail.len == host.len; /* its own site, such as https://github.io: for it alone */
    *out = tail;
    *out_host_only = false;
    return true;
}

static bool is_loopback_name(struct slice domain) {
    char text[HOST_MAX_BYTES + 1];
    struct in_addr v4;
    struct in6_addr v6;
    if (domain.len > HOST_MAX_BYTES)
        return false;
    if (slice_eq(domain, SLICE("localhost")) || has_dot_suffix(domain, SLICE("localhost")))
        return true;
    memcpy(text, domain.ptr, domain.len);
    text[domain.len] = 0;
    if (inet_pton(AF_INET, text, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool path_matches(struct slice request, struct slice cookie) {
    if (!slice_starts(request, cookie))
        return false;
    return request.len == cookie.len || cookie.ptr[cookie.len - 1] == '/' ||
           request.ptr[cookie.len] == '/';
}

static bool may_send(const struct entry *e, const struct url *url, struct slice host,
                     struct slice key, struct slice path) {
    if (!slice_eq(e->key, key) || !path_matches(path, e->path))
        return false;
    if (!slice_eq(e->domain, host) && (e->is_host_only || !has_dot_suffix(host, e->domain)))
        return false;
    return !e->is_secure || url->is_https ||
           (!compat_on(COMPAT_SECURE_COOKIE_NEEDS_TLS) && is_loopback_name(e->domain));
}

static void remove_at(struct cookie_jar *jar, size_t i) {
    struct entry gone = jar->entries[i];
    jar->len--;
    jar->entries[i] = jar->entries[jar->len];
    jar->entries[jar->len] = gone;
}

static struct entry *find(struct cookie_jar *jar, struct slice key, struct slice domain,
                          struct slice path, struct slice name) {
    for (size_t i = 0; i < jar->len; i++) {
        struct entry *e = &jar->entries[i];
        if (slice_eq(e->name, name) && slice_eq(e->path, path) && slice_eq(e->domain, domain) &&
            slice_eq(e->key, key))
            return e;
    }
    return NULL;
}

static struct entry *add(struct cookie_jar *jar) {
    if (jar->len == COOKIES_MAX)
        return NULL;
    if (jar->len == jar->alloc) {
        size_t alloc = jar->alloc ? jar->alloc * 2 : 4;
        jar->entries = xrealloc(jar->entries, alloc * sizeof *jar->entries);
        memset(jar->entries + jar->alloc, 0, (alloc - jar->alloc) * sizeof *jar->entries);
        jar->alloc = alloc;
    }
    struct entry *e = &jar->entries[jar->len++];
    e->seq = jar->next_seq++;
    return e;
}

static struct slice store(char **at, struct slice s) {
    struct slice kept = slice_from(*at, s.len);
    memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return kept;
}

/* The new texts may be views of the old ones only when they are in another block. */
static void fill(struct entry *e, struct slice key, struct slice domain, struct slice path,
                 const struct cookie *c) {
    size_t bytes = key.len + domain.len + path.len + c->name.len + c->value.len;
    char *old = NULL;
    if (bytes > e->alloc) {
        old = e->text;
        e->text = xmalloc(bytes);
        e->alloc = bytes;
    }
    char *at = e->text;
    e->key = store(&at, key);
    e->domain = store(&at, domain);
    e->path = store(&at, path);
    e->name = store(&at, c->name);
    e->value = store(&at, c->value);
    free(old);
}

void cookie_jar_set(struct cookie_jar *jar, const struct url *url, const struct cookie *c) {
    char text[HOST_MAX_BYTES + 1];
    struct slice host, domain;
    bool is_host_only;
    if (!canonical_host(url, text, &host) ||
        !accept_domain(host, c->domain, &domain, &is_host_only))
        return;
    struct slice path = c->path.len && c->path.ptr[0] == '/' ? c->path : default_path(url->path);
    struct slice key = site_key(host);
    int64_t now_ns = clock_wall_ns(), expires_ns = NEVER_NS;
    if (c->max_age > 0)
        expires_ns = now_ns + (int64_t)c->max_age * NS_PER_S;
    else if (c->has_expires && c->max_age == 0 && c->expires_ms < NEVER_NS / NS_PER_MS)
        expires_ns = c->expires_ms <= 0 ? 0 : c->expires_ms * NS_PER_MS;
    struct entry *e = find(jar, key, domain, path, c->name);
    if (c->max_age < 0 || expires_ns <= now_ns) {
        if (e)
            remove_at(jar, (size_t)(e - jar->entries));
        return;
    }
    if (!e)
        e = add(jar);
    if (!e)
        return;
    fill(e, key, domain, path, c);
    e->is_host_only = is_host_only;
    e->is_secure = c->secure;
    e->expires_ns = expires_ns;
}

static bool goes_before(const struct entry *a, const struct entry *b) {
    return a->path.len != b->path.len ? a->path.len > b->path.len : a->seq < b->seq;
}

/* Fills jar->selected with what url is sent, in order. */
static size_t select_for(struct cookie_jar *jar, const struct url *url) {
    char text[HOST_MAX_BYTES + 1];
    struct slice host;
    if (!jar->len || !canonical_host(url, text, &host))
        return 0;
    struct slice key = site_key(host), path = url->path.len ? url->path : SLICE("/");
    int64_t now_ns = 0;
    size_t n = 0;
    if (jar->selected_alloc < jar->alloc) {
        jar->selected = xrealloc(jar->selected, jar->alloc * sizeof(struct entry *));
        jar->selected_alloc = jar->alloc;
    }
    for (size_t i = 0; i < jar->len;) {
        struct entry *e = &jar->entries[i];
        if (e->expires_ns != NEVER_NS) {
            now_ns = now_ns ? now_ns : clock_wall_ns();
            if (e->expires_ns <= now_ns) {
                /* Moves the last one here, which is not selected yet. */
                remove_at(jar, i);
                continue;
            }
        }
        i++;
        if (!may_send(e, url, host, key, path))
            continue;
        size_t at = n++;
        for (; at > 0 && goes_before(e, jar->selected[at - 1]); at--)
            jar->selected[at] = jar->selected[at - 1];
        jar->selected[at] = e;
    }
    return n;
}

void cookie_jar_each(struct cookie_jar *jar, const struct url *url,
                     void (*fn)(void *arg, struct slice name, struct slice value), void *arg) {
    size_t n = select_for(jar, url);
    for (size_t i = 0; i < n; i++)
        fn(arg, jar->selected[i]->name, jar->selected[i]->value);
}

void cookie_jar_delete(struct cookie_jar *jar, const struct url *url, struct slice name) {
    struct cookie c = {.name = name, .max_age = -1};
    cookie_jar_set(jar, url, &c);
}

void cookie_jar_clear(struct cookie_jar *jar, const struct url *url) {
    size_t n = select_for(jar, url);
    VEC(char *) names = {0};
    for (size_t i = 0; i < n; i++)
        vec_push(&names, slice_dup(jar->selected[i]->name));
    for (size_t i = 0; i < names.len; i++) {
        cookie_jar_delete(jar, url, slice_cstr(names.ptr[i]));
        free(names.ptr[i]);
    }
    vec_release(&names);
}
