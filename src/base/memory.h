/* How much memory this process may use. */
#pragma once

#include <stddef.h>

/* What is available now: the system's estimate, or what the control group leaves when that is less.
 * SIZE_MAX when neither can be read. */
size_t memory_available_bytes(void);
