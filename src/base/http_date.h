/* Dates of HTTP as Go's cookie parser takes them: time.Parse with RFC 1123 ("Mon, 02 Jan 2006
 * 15:04:05 GMT") and the same with dashes ("Mon, 02-Jan-2006 15:04:05 GMT"). Go takes no other
 * form: an RFC 850 or asctime date makes it ignore the attribute. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

/* Returns 0 or KE_INVALID. The zone is UTC, GMT, GMT with an offset in hours, or any other
 * abbreviation, which Go takes for UTC; the day of the week is not compared with the date. */
int http_date_parse(struct slice text, int64_t *out_unix_ms);

/* time.Parse(time.RFC1123, text) alone. KE_INVALID with Go's words in *err (may be NULL): `parsing
 * time "soon" as "Mon, 02 Jan 2006 15:04:05 MST": cannot parse "soon" as "Mon"`. */
int http_date_parse_rfc1123(struct slice text, int64_t *out_unix_ms, struct error *err);
