#include "js/embedded.h"

#include <stdlib.h>
#include <string.h>

#include "embed/k6_summary.h"
#include "embed/k6_utils.h"
#include "embed/k6_utils_stages.h"

struct embedded_module {
    const char *url;    /* up to the version; behind it comes "/index.js" */
    unsigned min_minor; /* version 1.min_minor or later */
    const unsigned char *source;
    const size_t *bytes;
};

/* Newer versions of a module before older ones. */
static const struct embedded_module modules[] = {
    {"https://jslib.k6.io/k6-summary/", 0, k6_summary, &k6_summary_bytes},
    {"https://jslib.k6.io/k6-utils/", 3, k6_utils_stages, &k6_utils_stages_bytes},
    {"https://jslib.k6.io/k6-utils/", 0, k6_utils, &k6_utils_bytes},
};

/* "1.4.0/index.js" -> 4; what is no such version counts as the newest. */
static unsigned minor_of(const char *version) {
    const char *dot = strchr(version, '.');
    return dot ? (unsigned)strtoul(dot + 1, NULL, 10) : 1000;
}

bool js_embedded_find(const char *url, struct slice *out) {
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        const struct embedded_module *m = &modules[i];
        size_t len = strlen(m->url);
        const char *end = strncmp(url, m->url, len) == 0 ? strchr(url + len, '/') : NULL;
        if (!end || strcmp(end, "/index.js") != 0 || minor_of(url + len) < m->min_minor)
            continue;
        *out = slice_from((const char *)m->source, *m->bytes);
        return true;
    }
    return false;
}
