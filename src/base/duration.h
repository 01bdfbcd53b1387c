/* Durations in Go's text form ("1h2m3.5s", "500ms", "1m0s") and in k6's wider form (also "1d12h",
 * bare numbers = milliseconds). Nanoseconds as int64. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define DURATION_TEXT_MAX 40

/* Go's time.ParseDuration. Returns 0 or KE_INVALID. */
int duration_parse_go(struct slice s, int64_t *out_ns);
/* k6's types.ParseExtendedDuration: Go form, leading days ("1d12h"), or a number of milliseconds
 * (float allowed). Returns 0 or KE_INVALID. */
int duration_parse(struct slice s, int64_t *out_ns);
/* Go's Duration.String(): "0s", "1.5s", "10m0s", "250ms", "1µs". out has DURATION_TEXT_MAX bytes;
 * returns out. */
char *duration_format(int64_t ns, char *out);
/* The form of progress lines, whose width depends on max_ns alone: "1.0s", "01.0s", "1m01.0s",
 * "00m01.0s", "0h00m01.0s", "1d02h03m04.5s". Tenths of a second, rounded; negative values count as
 * positive. */
char *duration_format_fixed(int64_t ns, int64_t max_ns, char *out);
