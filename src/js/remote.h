/* Modules from https URLs: fetched while the script is initialised, as k6 does it (GET with _k6=1
 * in the query, then without; 60 s; only status 200 will do), and kept on disk. A copy is asked
 * about again (If-None-Match) by every run, so that scripts are never older than their server's;
 * when the server cannot be reached it is used with a warning. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* --offline: copies only. Before any script is loaded. */
void remote_set_offline(bool is_offline);

/* Content of a URL, heap, NUL-terminated. KE_NOT_FOUND or another code with words for behind
 * `Error : `. Yields. */
int remote_fetch(const char *url, char **out_content, size_t *out_len, struct error *err);

/* k6's words around them. Returns code. */
int remote_failed(const char *specifier, const char *url, const struct error *why,
                  struct error *err);
