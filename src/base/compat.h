/* Where k6 v0.51 and v2.2 differ. kiln behaves as v2.2 (with the legacy summary by default);
 * `--compat v0.51` or KILN_COMPAT=v0.51 switches to the behaviour and the texts of v0.51. Every
 * such difference is a row of the table in compat.c and asked for by name, so that the whole list
 * can be read in one place. */
#pragma once

#include <stdbool.h>

enum compat_version { COMPAT_V2_2, COMPAT_V0_51 };

/* Set once at start, before any thread runs. */
void compat_set(enum compat_version v);
enum compat_version compat_get(void);
/* "v0.51", "0.51", "v2", "v2.2"; returns 0 or KE_INVALID. */
int compat_parse(const char *text, enum compat_version *out);

static inline bool compat_is_v051(void) {
    return compat_get() == COMPAT_V0_51;
}

/* Rows of the table: behaviours (asked with compat_on) and texts (compat_text). Add rows in
 * compat.def. */
enum compat_behaviour {
#define BEHAVIOUR(name, v051, v2, why) name,
#define TEXT(name, v051, v2)
#include "base/compat.def"
#undef BEHAVIOUR
#undef TEXT
};

enum compat_text {
#define BEHAVIOUR(name, v051, v2, why)
#define TEXT(name, v051, v2) name,
#include "base/compat.def"
#undef BEHAVIOUR
#undef TEXT
};

bool compat_on(enum compat_behaviour b);
const char *compat_text(enum compat_text t);
