/* Several scripts in one run: the text of a script that requires them all and exports one test
 * (src/js/several/combine.js). Scenarios and what they execute are named after their file. */
#pragma once

#include <stddef.h>

/* Heap string; *out_title a heap string that names them all ("a.js, b.js"). */
char *several_source(const char *const *paths, size_t n, char **out_title);
