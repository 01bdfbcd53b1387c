/* --secret-source: the sources of secrets, ready before the script is. */
#pragma once

#include "base/error.h"
#include "cli/flags.h"

/* 0, or KE_CONFIG with k6's words. */
int secret_sources_setup(const struct flags *flags, struct error *err);
