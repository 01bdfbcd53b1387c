/* Go's text forms of numbers and strings, where k6's behaviour or words depend on them:
 * strconv.ParseFloat with its errors, and strconv.Quote. */
#pragma once

#include "base/error.h"
#include "base/slice.h"

struct buf;

/* strconv.ParseFloat(s, 64): decimal and hexadecimal floats with Go's underscores, Inf, Infinity
 * and NaN in any case. KE_INVALID with Go's words in *err (may be NULL): `strconv.ParseFloat:
 * parsing "x": invalid syntax`, or `…: value out of range` with *out ±Inf. */
int go_parse_float(struct slice s, double *out, struct error *err);
/* Appends s as strconv.Quote (fmt's %q) writes it. */
void go_quote(struct buf *out, struct slice s);
