/* Sets up the log from --verbose, --log-format, --log-output, --no-color and their variables. */
#pragma once

#include "base/log.h"
#include "cli/flags.h"

/* KE_CONFIG with k6's words on an unknown output or level. is_stdout_taken: what the command prints
 * is for a program, so that a log for stdout goes to stderr. */
int log_setup(const struct flags *flags, bool is_stdout_taken, struct error *err);
/* "warn" and its like. KE_CONFIG: unknown. */
int log_level_parse(struct slice name, enum log_level *out, struct error *err);
/* --no-color, K6_NO_COLOR (not empty), NO_COLOR (even empty). */
bool log_setup_no_color(const struct flags *flags);
