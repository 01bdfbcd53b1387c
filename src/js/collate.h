/* String.prototype.localeCompare in the order of the Unicode collation root, which k6's JavaScript
 * engine uses: -1, 0 or 1; punctuation, then digits, then letters; accents count where letters are
 * the same, case where accents are. Exact for ASCII and for Latin letters with accents; Greek and
 * Cyrillic go by code point, whatever the case, and every other character by code point. */
#pragma once

#include "js/quickjs_api.h"

/* Replaces the method of QuickJS, which compares code units. */
void js_collate_register(JSContext *ctx);
