/* Letters: what selectors need of Unicode. */
#pragma once

#include "base/buf.h"

/* Simple case mapping of the alphabets that have cases (Latin with its extensions, Greek, Cyrillic,
 * Armenian); other runes stay. */
uint32_t html_rune_lower(uint32_t rune);
uint32_t html_rune_upper(uint32_t rune);
/* Appends s in lower case. */
void html_lower(struct buf *out, struct slice s);
/* Equal but for case. */
bool html_equal_fold(struct slice a, struct slice b);
/* Nothing but white space in Unicode's sense. */
bool html_is_blank(struct slice s);
