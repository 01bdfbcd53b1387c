/* Cookies as k6 (Go's net/http and its cookie jar) treats them: parsing of Set-Cookie, the jar of a
 * VU, and the Cookie header. Beyond k6, no cookie is taken for a public suffix (public_suffix.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "http/url.h"

struct cookie { /* views into the parsed text */
    struct slice name, value, domain, path;
    bool http_only, secure;
    int max_age; /* seconds; Go: 0 = unset, -1 = delete now */
    bool has_expires;
    int64_t expires_ms; /* Unix time */
};

/* Parses one Set-Cookie value. False when Go would drop it. */
bool cookie_parse(struct slice set_cookie, struct cookie *out);
/* Go's RFC1123 date, "Mon, 02 Jan 2006 15:04:05 GMT", or the same with dashes in the date. Unix
 * milliseconds. */
bool cookie_parse_date(struct slice text, int64_t *out_ms);
/* Appends "name=value" as Go sends it: bytes that may not stand in a cookie are dropped, a value
 * with blanks or commas is quoted. "; " is put before it unless out->len is start. */
void cookie_append(struct buf *out, size_t start, struct slice name, struct slice value);

struct cookie_jar;

struct cookie_jar *cookie_jar_new(void);
void cookie_jar_free(struct cookie_jar *jar);
/* Forgets everything, keeps the memory (per-iteration reset). */
void cookie_jar_reset(struct cookie_jar *jar);
bool cookie_jar_is_empty(const struct cookie_jar *jar);
/* Stores a cookie received from, or set by a script for, url; rejected ones (foreign domain) are
 * ignored. */
void cookie_jar_set(struct cookie_jar *jar, const struct url *url, const struct cookie *c);
/* Removes the cookies of url, as k6 does it: each cookie that url would be sent is overwritten by
 * an expired one for url's own host and directory, so that cookies of other paths and of parent
 * domains stay. */
void cookie_jar_clear(struct cookie_jar *jar, const struct url *url);
/* The same for one name. */
void cookie_jar_delete(struct cookie_jar *jar, const struct url *url, struct slice name);
/* Calls fn for each cookie to send to url, in sending order (longest path first, then oldest). fn
 * must not change the jar. */
void cookie_jar_each(struct cookie_jar *jar, const struct url *url,
                     void (*fn)(void *arg, struct slice name, struct slice value), void *arg);
