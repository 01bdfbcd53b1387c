#include "metrics/tags.h"

#include "base/check.h"

/* By bit. */
static const char *const names[] = {
    "proto", "subproto", "status",      "method",      "url",      "name",    "group",
    "check", "error",    "error_code",  "tls_version", "scenario", "service", "expected_response",
    "iter",  "vu",       "ocsp_status", "ip",
};

uint32_t system_tag_by_name(struct slice name) {
    for (size_t i = 0; i < countof(names); i++)
        if (slice_eq(name, slice_cstr(names[i])))
            return UINT32_C(1) << i;
    return 0;
}

const char *system_tag_name(uint32_t bit) {
    for (size_t i = 0; i < countof(names); i++)
        if (bit == UINT32_C(1) << i)
            return names[i];
    return NULL;
}
