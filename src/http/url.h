/* URLs as Go's net/url parses, prints and resolves them, and what k6 makes of them. Any URL that Go
 * accepts parses, relative ones and foreign schemes included: refusing those with Go's words is the
 * client's job (as in Go). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

/* All slices point into one allocation owned by url. */
struct url {
    char *text; /* the whole URL normalised (Go's String()), user info and fragment included,
                   NUL-terminated */
    size_t text_len, block_bytes;
    bool is_http;  /* scheme http or https */
    bool is_https; /* scheme https */
    bool has_user, has_password;
    bool is_host_valid; /* host_header may go out as it is */
    bool is_port_valid; /* false: a number beyond 65535, which nobody can dial; port is 0 */
    uint16_t port;      /* explicit or the scheme's default; 0 when neither */
    struct slice scheme;
    struct slice user, password; /* percent-decoded */
    struct slice userinfo;       /* "user:password" as in text */
    struct slice host;           /* ASCII form without brackets and port, case as written */
    struct slice host_header;    /* as sent in Host: host[:port] when the URL named one */
    struct slice request_uri;    /* path?query, "/" when empty, escaped for the wire */
    struct slice path;           /* decoded, may be empty */
    struct slice query, fragment;
};

/* Parses text. 0 or KE_URL with k6's words in err (`invalid URL: parse "http://%": …`). */
int url_parse(struct slice text, struct url *out, struct error *err);
/* Resolves a Location header against base. 0 or KE_URL with Go's words in err (`parse "…": …`). */
int url_resolve(const struct url *base, struct slice reference, struct url *out, struct error *err);
/* A deep copy. */
void url_copy(const struct url *src, struct url *out);
/* A copy without user info (digest authentication takes the credentials out of the URL). */
void url_copy_without_user(const struct url *src, struct url *out);
void url_release(struct url *u);
/* The text with "****:****" in place of user:password (or "****" for a lone user), as k6 shows URLs
 * in tags. Heap string. */
char *url_masked(const struct url *u);
/* The text with "***" in place of the password, as Go shows URLs in errors. Heap string. */
char *url_hide_password(const struct url *u);
