/* Modules that scripts import by URL and that kiln brings along (equivalents of
 * https://jslib.k6.io/…, written in src/js/jslib/), so that a script runs without a network. */
#pragma once

#include <stdbool.h>

#include "base/slice.h"

/* True and the source when the URL is one of them. */
bool js_embedded_find(const char *url, struct slice *out);
