/* Cookies: Set-Cookie parsing (RFC 6265, with Go's leniency and strictness as k6 shows it) and the
 * jar. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "http/url.h"

struct cookie { /* views into the parsed text */
    struct slice name, value, domain, path;
    bool http_only, secure;
    int max_age; /* Go: 0 = unset, -1 = delete now */
    bool has_expires;
    int64_t expires_ms; /* Unix time */
};

/* Parses one Set-Cookie value. False when Go would drop it. */
bool cookie_parse(struct slice set_cookie, struct cookie *out);

struct cookie_jar;

struct cookie_jar *cookie_jar_new(void);
void cookie_jar_free(struct cookie_jar *jar);
/* Forgets everything, keeps the memory (per-iteration reset). */
void cookie_jar_reset(struct cookie_jar *jar);
bool cookie_jar_is_empty(const struct cookie_jar *jar);
/* Stores a cookie received from, or set by a script for, url; rejected ones (foreign domain, public
 * suffix) are ignored. */
void cookie_jar_set(struct cookie_jar *jar, const struct url *url, const struct cookie *c);
/* Removes all cookies that url would be sent / the one of that name. */
void cookie_jar_clear(struct cookie_jar *jar, const struct url *url);
void cookie_jar_delete(struct cookie_jar *jar, const struct url *url, struct slice name);
/* Calls fn for each cookie to send to url, in sending order (longest path first, then oldest). */
void cookie_jar_each(struct cookie_jar *jar, const struct url *url,
                     void (*fn)(void *arg, struct slice name, struct slice value), void *arg);
