/* Percent-encoding as the readers of URLs, queries and headers take it (RFC 3986, 2.1). */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/* Appends s with each %XX as the byte it stands for, and + as a space when it is of a query. What
 * is no escape stays as it is. */
void percent_decode(struct buf *out, struct slice s, bool is_plus_space);
