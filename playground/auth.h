/* Who is asking. Two ways are open, so that the scripts of both times work:
 *
 *   - a user token of exactly 16 characters, in the cookie qp_user_token or in the header
 *     `Authorization: Token <token>` (or Bearer); a token nobody owns stands for user 1;
 *   - a non-empty header X-User-ID, free text, which also stands for user 1.
 *
 * X-User-ID is what the log names when it is there: readers watch it change. */
#pragma once

#include <stdbool.h>

#include "request.h"

/* Sets r->identity and r->user. False when the request names nobody. */
bool auth_identify(struct request *r);

/* The request's user token, of USER_TOKEN_BYTES; NULL when it has none. */
const char *auth_token(const struct request *r);
