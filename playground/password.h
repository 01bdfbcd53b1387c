/* How passwords are kept: bcrypt for users who signed up, plain text for those of the seed data.
 * bcrypt takes its time by design, tens of milliseconds: not on a server thread. */
#pragma once

#include <stdbool.h>

#include "base/slice.h"

/* bcrypt takes no more, and no zero byte either. */
#define PASSWORD_MAX_BYTES 72
#define PASSWORD_HASH_BYTES 61 /* with the zero byte */

/* Can it be hashed? */
bool password_is_valid(struct slice password);

/* Writes the stored form of a valid password. */
void password_hash(struct slice password, char out[PASSWORD_HASH_BYTES]);

/* Is `stored` slow to compare? */
bool password_is_hash(const char *stored);

/* Does the password fit what password_hash() or the seed data stored? */
bool password_matches(struct slice password, const char *stored);
