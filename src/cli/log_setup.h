/* Sets up the log from --verbose, --log-format, --log-output, --no-color and their variables. */
#pragma once

#include "cli/flags.h"

/* KE_CONFIG with k6's words on an unknown output or level. */
int log_setup(const struct flags *flags, struct error *err);
/* --no-color, K6_NO_COLOR (not empty), NO_COLOR (even empty). */
bool log_setup_no_color(const struct flags *flags);
