/* The option flags of run, archive and inspect, and the tier of options that they make. */
#pragma once

#include "cli/flags.h"
#include "load/options.h"

/* -u, -d, -i, -s, --tag … ended by name NULL. */
extern const struct flag_def option_flag_defs[];

/* What the flags say, over defaults, into *out (initialised here). KE_INVALID with k6's words. */
int options_from_flags(struct arena *a, const struct flags *flags, struct options *out,
                       struct error *err);
