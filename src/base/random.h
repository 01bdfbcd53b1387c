/* Random numbers for jitter, selection and boundaries: fast, per thread, seeded from the system.
 * Not for secrets. */
#pragma once

#include <stdint.h>

uint64_t random_u64(void);
/* 0 <= x < bound, bound > 0; without visible bias. */
uint64_t random_below(uint64_t bound);
/* 0 <= x < 1 */
double random_double(void);
