/* "Did you mean this?" for mistyped commands, by cobra's rules. */
#pragma once

#include <stddef.h>

#include "base/buf.h"

/* Edits (insert, delete, replace; ASCII case ignored) that turn a into b. */
size_t edit_distance(const char *a, const char *b);
/* Appends the names that are near to what was typed, or begin with it; nothing when there are none.
 */
void suggest(struct buf *out, const char *typed, const char *const *names);
