/* UTF-8, as far as logs and reports need it: strict decoding (no surrogates, no overlong forms),
 * and widths in runes. */
#pragma once

#include "base/slice.h"

#define UTF8_INVALID UINT32_MAX

/* Decodes the first rune of s (not empty). Returns its length in bytes; an invalid byte gives 1 and
 * UTF8_INVALID. */
size_t utf8_decode(struct slice s, uint32_t *out_rune);
/* Number of runes; every invalid byte counts as one. */
size_t utf8_length(struct slice s);
/* Without an invalid byte? Fast where text is ASCII. */
bool utf8_is_valid(struct slice s);
/* Bytes that the first n runes take. */
size_t utf8_prefix_bytes(struct slice s, size_t n);
/* Go's unicode.IsPrint, except that unassigned code points count as printable. */
bool utf8_is_print(uint32_t rune);
