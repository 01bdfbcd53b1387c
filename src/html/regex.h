/* Regular expressions for the selectors :matches() and [attr#=…]: Go's (RE2's) syntax without
 * Unicode classes (\p{…}), matched in time linear to the text. Only whether there is a match. */
#pragma once

#include "base/slice.h"

struct html_regex;

/* NULL when the text is no expression of this syntax, or too large. */
struct html_regex *html_regex_new(struct slice text);
void html_regex_free(struct html_regex *rx); /* NULL is fine */
/* Somewhere in text. */
bool html_regex_match(const struct html_regex *rx, struct slice text);
