/* Remote modules on disk: what a URL gave when it was fetched last. Contents are kept once, by
 * their SHA-256 (blobs/HASH); an entry a URL (urls/HASH-OF-URL) names its content and what the
 * server said to ask again with. A damaged entry counts as none. */
#pragma once

#include <stdbool.h>

#include "base/slice.h"

struct remote_copy {
    char *content; /* heap, NUL-terminated */
    size_t len;
    char *etag, *last_modified; /* "" = none */
};

/* $KILN_CACHE_DIR, $XDG_CACHE_HOME/kiln or ~/.cache/kiln, with /modules behind it. Heap string;
 * NULL when there is no place for it. */
char *remote_cache_dir(void);
/* True when there is a copy; release it then. dir may be NULL. */
bool remote_cache_get(const char *dir, const char *url, struct remote_copy *out);
/* Best effort: a full or read-only disk only costs the next run its copy (logged at debug). */
void remote_cache_put(const char *dir, const char *url, const struct remote_copy *copy);
void remote_copy_release(struct remote_copy *c);
