/* Versions and constraints on them as scripts and k6 write them (">= 1.2", "^0.4", "1.x || 2.0
 * - 2.4"), by the rules of the Go library Masterminds/semver that k6 uses. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

struct semver {
    uint64_t major, minor, patch;
    struct slice pre; /* "rc.1"; a view of what was parsed */
};

/* "v1.2.3-rc.1+build"; parts that are missing are 0. */
bool semver_parse(struct slice text, struct semver *out);

struct semver_constraints;

/* NULL with Go's words in *err: `improper constraint: "1.2.3.4"`. */
struct semver_constraints *semver_constraints_new(struct slice text, struct error *err);
void semver_constraints_free(struct semver_constraints *c);
bool semver_constraints_allow(const struct semver_constraints *c, const struct semver *v);
/* ">=1.2 <3 || 4.x": without the spaces that it was written with. */
void semver_constraints_print(const struct semver_constraints *c, struct buf *out);
