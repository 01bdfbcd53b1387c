/* k6's feature flags: --features, K6_FEATURES or `features` of the config file, the first of these
 * that is there. */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "cli/flags.h"
#include "load/option_parse.h"

enum feature { FEATURE_FREEZE_ENV, FEATURE_MERGE_RUN_TAGS, FEATURE_NATIVE_HISTOGRAMS, N_FEATURES };

struct feature_def {
    const char *name, *lifecycle, *description;
};
extern const struct feature_def feature_defs[N_FEATURES];

struct feature_flags {
    bool is_on[N_FEATURES];
};

/* Logs what is turned on and what is no feature. env is __ENV: it counts as the environment, and
 * its K6_FEATURES says afterwards what is on. */
void feature_flags_resolve(struct feature_flags *out, struct arena *a, const struct flags *flags,
                           struct map *env);
/* k6_feature_NAME=true for each that is on, in a copy of tags. */
void feature_flags_tag(const struct feature_flags *f, struct arena *a, struct opt_map *tags);
