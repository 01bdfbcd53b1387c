/* Where the REST API is: of the test that is run, or of the one that is asked. */
#pragma once

#include <stdbool.h>

#include "cli/flags.h"

/* --address, or K6_ADDRESS, or what the version does without; "" = off. *out_explicit (may be
 * NULL): it was given by flag. */
const char *api_address(const struct flags *flags, bool *out_explicit);
