/* The table of options: one row each with its JSON key, K6_* variable, kind and place in struct
 * options. Reading JSON and the environment, merging and writing all walk it, so an option cannot
 * be forgotten in one of them. */
#pragma once

#include "load/options.h"

enum option_kind {
    OPTION_BOOL,
    OPTION_INT,
    OPTION_DURATION,
    OPTION_TEXT,
    OPTION_LIST,
    OPTION_MAP,
    OPTION_STAGES,
    OPTION_SCENARIOS,
    OPTION_SEGMENT,
    OPTION_SEQUENCE,
    OPTION_DNS,
    OPTION_CIPHER_SUITES,
    OPTION_TLS_VERSION,
    OPTION_TLS_AUTH,
    OPTION_THRESHOLDS,
    OPTION_CIDRS,
    OPTION_HOSTNAMES,
    OPTION_HOSTS,
    OPTION_RAW,        /* any JSON, kept as text */
    OPTION_RAW_OBJECT, /* the same, an object */
    OPTION_SYSTEM_TAGS,
    OPTION_IP_POOL,
};

#define OPTION_NOT_IN_JSON 1u /* CLI and environment only */
#define OPTION_SHORTCUT 2u    /* not shown by exec.test.options */
#define OPTION_NOT_V051 4u
#define OPTION_OMIT_EMPTY 8u /* not written when not set */
#define OPTION_EXECUTION 16u /* a tier that sets it clears the other three */

struct option_row {
    const char *key;  /* in JSON */
    const char *env;  /* NULL = not settable there */
    const char *name; /* of the field, as k6's environment errors show it */
    enum option_kind kind;
    size_t offset;
    unsigned flags;
};

/* In the order in which k6 writes them; terminated by key NULL. */
extern const struct option_row option_rows[];

static inline void *option_field(const struct options *o, const struct option_row *row) {
    return (char *)o + row->offset;
}

/* Whether the field is set; the one flag of every kind. */
bool option_is_set(const struct options *o, const struct option_row *row);
