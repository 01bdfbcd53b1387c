/* Modules that scripts import by URL and that kiln brings along (equivalents of
 * https://jslib.k6.io/…), so that a script runs without a network. */
#pragma once

#include <stdbool.h>

#include "base/slice.h"

struct embedded_module {
    const char *url; /* up to the version: "https://jslib.k6.io/k6-utils/"; what follows is any
                        version and "/index.js" */
    struct slice source;
};

/* True and the source when the URL is one of them. */
bool js_embedded_find(const char *url, struct slice *out);
