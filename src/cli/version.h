/* The version line of `kiln version` and `kiln --version`. */
#pragma once

#include <stdio.h>

void version_print(FILE *out);
