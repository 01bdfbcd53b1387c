/* What a script needs of the program that runs it, as k6 finds it out: k6 itself, the modules of
 * extensions (k6/x/…) that it imports, and the versions that its directives ask for:
 *
 *     "use k6 >= 2.0";
 *     "use k6 with k6/x/redis >= 0.3";
 *
 * at the top of any of its files. K6_DEPENDENCIES_MANIFEST adds versions for what no directive
 * speaks of. k6 goes and builds a binary that satisfies them; kiln says what is missing. */
#pragma once

#include "base/semver.h"
#include "base/vec.h"
#include "js/script.h"

struct dependency {
    char *name;                             /* "k6", "k6/x/sql" */
    struct semver_constraints *constraints; /* of directives; NULL = any */
    struct semver_constraints *manifest;    /* of the manifest, when directives say nothing */
};

struct dependencies {
    VEC(struct dependency) list; /* by name */
    bool is_collected;
};

void dependencies_release(struct dependencies *d);
/* From what the linked script imports, and the manifest (JSON text, NULL = none). 0, or KE_INVALID
 * with k6's words (`already have constraint for "k6", …`). */
int dependencies_collect(struct dependencies *d, const struct script *s, const char *manifest,
                         struct error *err);
/* The constraints as text, "*" for none; with those of the manifest if they are wanted. Appends. */
void dependency_print(const struct dependency *d, bool with_manifest, struct buf *out);
/* This program has it, in a version that will do. */
bool dependency_is_satisfied(const struct dependency *d);
/* It has all, but for modules that are not known at all if those do not matter. */
bool dependencies_are_satisfied(const struct dependencies *d, bool unknown_matters);
/* "k6>=2.0;k6/x/sql": k6's words for all of them. Appends. */
void dependencies_print(const struct dependencies *d, struct buf *out);
