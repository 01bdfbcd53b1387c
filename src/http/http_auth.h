/* Authorization headers. */
#pragma once

#include "http/http_client.h"

/* "Basic …" of url's user and password. Heap string. */
char *http_basic_authorization(const struct url *url);
/* The answer to a Digest challenge (RFC 7616 with MD5, as k6's library makes it), for one request.
 * NULL when challenge is none that we know. Heap string. */
char *http_digest_authorization(struct slice challenge, struct slice method, struct slice uri,
                                struct slice user, struct slice password, struct slice body);
/* NTLM: the first message, for the scheme that the server asked for ("NTLM" or "Negotiate"), and
 * the answer to the challenge (base64) that it gives to that. Heap strings; NULL when the challenge
 * makes no sense or wants what HTTP clients do not do (NTLMv1, key exchange). user may be
 * "DOMAIN\\name". */
char *http_ntlm_negotiate(struct slice scheme);
char *http_ntlm_authenticate(struct slice scheme, struct slice challenge, struct slice user,
                             struct slice password);
