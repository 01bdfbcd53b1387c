/* Numbers and durations as Go parses them, with Go's words on failure: k6 shows these words for bad
 * flags, environment variables and options, so they are part of its interface. Each returns 0 or
 * KE_INVALID with *err filled. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

/* strconv.ParseInt(s, base, 64): base 10, or 0 for "0x1f", "0o17", "0b1" and "1_000" besides
 * decimal. `strconv.ParseInt: parsing "x": invalid syntax` or `…: value out of range`. */
int go_parse_int(struct slice s, int base, int64_t *out, struct error *err);
/* strconv.ParseBool: 1, t, T, TRUE, true, True, 0, f, F, FALSE, false, False. */
int go_parse_bool(struct slice s, bool *out, struct error *err);
/* time.ParseDuration: `time: invalid duration "x"`, `time: missing unit in duration "5"`, `time:
 * unknown unit "y" in duration "5y"`. */
int go_parse_duration(struct slice s, int64_t *out_ns, struct error *err);
/* k6's wider form: a bare number is milliseconds, and days may lead ("1d12h"). */
int go_parse_duration_extended(struct slice s, int64_t *out_ns, struct error *err);
