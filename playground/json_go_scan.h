/* The syntax half of json_go.h: finds the end of the first JSON value of a text, or says what is
 * wrong with it in the words of Go's scanner. */
#pragma once

#include <stddef.h>

/* Returns 0 and the bounds of the first value (without white space around it), or KE_INVALID and a
 * text in `error` (cut to error_bytes): "EOF" for an empty text, "unexpected EOF" for one that ends
 * too early, else "invalid character ..." or "exceeded max depth" (10000 levels). */
int json_go_scan(const char *text, size_t size, size_t *out_start, size_t *out_end, char *error,
                 size_t error_bytes);
