/* Command-line flags by the rules of Go's pflag, which k6 uses: long and short names, values behind
 * `=` or in the next argument (`--vus 5`, `--vus=5`, `-u5`, `-u 5`), bool flags without a value,
 * clusters of short flags (`-qv`), flags and arguments in any order, `--` ends flags. Parsing
 * checks the value against the flag's type; what it means is its reader's business. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"

enum flag_type {
    FLAG_BOOL,
    FLAG_INT,      /* 64-bit */
    FLAG_DURATION, /* Go duration with unit */
    FLAG_TEXT,
    FLAG_LIST, /* repeatable */
};

struct flag_def {
    const char *name;
    char short_name; /* 0 = none */
    enum flag_type type;
    const char *value_name; /* shown by help behind the name; NULL = by type */
    const char *help;
    const char
        *no_value; /* what a bare --name stands for; NULL = a value is needed (bool: "true") */
};

/* A command's flags: sets of definitions, each ended by name NULL; the list ended by NULL. */
typedef const struct flag_def *const *flag_sets;

struct flag_use {
    const struct flag_def *def;
    const char *value; /* lives as long as argv, or is static */
};

struct flags {
    VEC(struct flag_use) uses; /* in order of appearance */
    VEC(const char *) args;    /* what is no flag */
};

/* Parses argv[0..argc). KE_INVALID with pflag's words ("unknown flag: --x", "flag needs an
 * argument: 'u' in -u", `invalid argument "x" for "-u, --vus" flag: …`). Release in each case. */
int flags_parse(flag_sets sets, int argc, char **argv, struct flags *out, struct error *err);
void flags_release(struct flags *f);

bool flags_has(const struct flags *f, const char *name);
/* The last value given, NULL when absent. */
const char *flags_text(const struct flags *f, const char *name);
/* Last value or fallback. */
bool flags_bool(const struct flags *f, const char *name, bool fallback);
int64_t flags_int(const struct flags *f, const char *name, int64_t fallback);

struct buf;
/* Appends help lines for a set: two columns, wrapped at 120. */
void flags_describe(struct buf *out, const struct flag_def *set);
