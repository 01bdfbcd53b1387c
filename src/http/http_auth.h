/* Authorization headers. */
#pragma once

#include "http/http_client.h"

/* "Basic …" of url's user and password. Heap string. */
char *http_basic_authorization(const struct url *url);
/* The answer to a Digest challenge (RFC 7616 with MD5, as k6's library makes it), for one request.
 * NULL when challenge is none that we know. Heap string. */
char *http_digest_authorization(struct slice challenge, struct slice method, struct slice uri,
                                struct slice user, struct slice password, struct slice body);
