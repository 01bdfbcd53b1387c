/* The inside of url.c: a URL taken apart as Go's url.URL has it, and put together as struct url. */
#pragma once

#include "base/arena.h"
#include "http/url.h"
#include "http/url_escape.h"

/* The parts as Go's url.URL has them; slices into the source text or the arena. */
struct url_parts {
    struct slice scheme, opaque;
    bool has_user, has_password;
    struct slice user, password;
    struct slice host; /* with port and brackets, decoded */
    struct slice path, raw_path;
    bool force_query, omit_host;
    struct slice query;
    struct slice fragment, raw_fragment;
};

/* Takes text apart. 0 or KE_URL with Go's words (`parse "…": …`). */
int url_parts_parse(struct arena *a, struct url_parts *u, struct slice text, struct error *err);
/* Puts a URL together. */
void url_parts_finish(struct arena *a, const struct url_parts *u, struct url *out);
/* The encoded form of a decoded part: its original spelling when that is a valid one, otherwise
 * Go's own. */
struct slice url_parts_escaped(struct arena *a, struct slice decoded, struct slice raw,
                               enum url_mode mode);
/* Sets path from its encoded form. 0 or KE_URL. */
int url_parts_set_path(struct arena *a, struct url_parts *u, struct slice text, struct error *err);

/* Moves a buffer's content into the arena. */
struct slice url_keep(struct arena *a, struct buf *b);
const char *url_find_last(struct slice s, char c);
