/* Is a text JSON, and if not, where and why in the words of Go's encoding/json: what scripts see
 * from Response.json() and grep for. Two generations of those words exist (--compat): k6 v2.2 was
 * built with the second encoding/json, which counts the bytes before the error where the first one
 * counts the offending byte too.
 *
 * No JavaScript here. Nesting is limited to 10,000 levels, as in Go; no recursion. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct json_syntax_error {
    size_t offset;  /* as Go's SyntaxError.Offset */
    char text[128]; /* "invalid character 'w' looking for beginning of value" */
};

/* Exactly one JSON value with white space around it (RFC 8259; invalid UTF-8 in strings is
 * accepted, as Go does). When false, *out (may be NULL) says why. */
bool json_valid(struct slice json, struct json_syntax_error *out);

/* k6's sentence for a body that is not JSON: "cannot parse json due to an error at line 1,
 * character 17 , error: unexpected end of JSON input". NUL-terminated, cut to out_bytes (256 hold
 * every one). For text that is JSON after all, the sentence says so in general terms. */
void json_error_describe(struct slice json, char *out, size_t out_bytes);
