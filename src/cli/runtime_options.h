/* Options that shape how a script is loaded and reported, not the load itself: -e,
 * --include-system-env-vars,
 * --compatibility-mode, --no-thresholds, --summary-mode … A flag wins over its variable. */
#pragma once

#include "base/map.h"
#include "cli/flags.h"
#include "report/summary.h"

struct runtime_options {
    struct map env; /* __ENV: name -> char * (heap) */
    bool is_extended, is_web;
    const char *test_type; /* "js", "archive", "" = by content */
    bool no_thresholds;
    enum summary_mode summary_mode;
    const char *summary_export; /* "" = none */
    bool machine_readable;
};

extern const struct flag_def runtime_flag_defs[];

/* include_system_env: the command's default. KE_INVALID with k6's words; release in each case. */
int runtime_options_init(struct runtime_options *o, const struct flags *flags,
                         bool include_system_env, struct error *err);
void runtime_options_release(struct runtime_options *o);
