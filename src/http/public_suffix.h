/* The public suffix list: names under which anybody can register a domain ("co.uk",
 * "github.io"), so that no cookie may be set for them. k6 has no such list and takes every cookie.
 *
 * The list is libpsl's, loaded when first asked for. Where it is not installed no name is a public
 * suffix, as in k6. Any thread. */
#pragma once

#include <stdbool.h>

#include "base/slice.h"

/* Whether a domain, in lower case, is in the list. A name of which the list knows nothing (a
 * company's own "corp") is not. */
bool public_suffix_is(struct slice domain);
