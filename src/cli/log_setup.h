/* Sets up the log from --verbose, --log-format, --log-output, --no-color and their variables. */
#pragma once

#include "base/log.h"
#include "cli/flags.h"

/* KE_CONFIG with k6's words on an unknown output or level. */
int log_setup(const struct flags *flags, struct error *err);
/* "warn" and its like. KE_CONFIG: unknown. */
int log_level_parse(struct slice name, enum log_level *out, struct error *err);
/* --no-color, K6_NO_COLOR (not empty), NO_COLOR (even empty). */
bool log_setup_no_color(const struct flags *flags);
