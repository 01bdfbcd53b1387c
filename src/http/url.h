/* URLs as Go's net/url and k6 treat them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

/* All slices point into text (owned by url; one allocation). */
struct url {
    char *text;           /* the whole URL without fragment and user info as sent in tags, NUL-terminated */
    size_t text_len;
    bool is_https;
    struct slice scheme, host, user, password; /* host without brackets; user/password percent-decoded */
    bool has_user;
    uint16_t port;        /* explicit or the scheme's default */
    struct slice host_header; /* as sent in Host: host[:port] when the URL named one */
    struct slice request_uri; /* path?query, "/" when empty, escaped for the wire */
    struct slice path, query, fragment;
};

/* Parses an absolute http(s) URL. 0 or KE_URL with Go's words in err (`invalid URL: parse "http://%": …`). */
int url_parse(struct slice text, struct url *out, struct error *err);
/* Resolves a Location header against base. */
int url_resolve(const struct url *base, struct slice reference, struct url *out, struct error *err);
void url_release(struct url *u);
/* "****:****" put in place of user:password, as k6 shows URLs in tags and errors. Heap string. */
char *url_masked(const struct url *u);
