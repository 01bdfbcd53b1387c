/* Failures in k6's words. An error of the layers below has the words Go would print; k6 shows them
 * whole in its log and, for what it knows, a shorter text with an error_code in the response and in
 * the tags. */
#pragma once

#include "base/error.h"
#include "http/url.h"

/* k6's `error` text for err: "dial: connection refused", "x509: unknown authority", … or err's own
 * words. Heap string. */
char *http_error_short(const struct error *err);
/* What Go's http.Client puts around the words of a failed round trip: `Get "http://user:***@h/":
 * words`. Heap string. */
char *http_error_round_trip(struct slice first_method, const struct url *url, const char *words);
/* The words of err as they are logged: "request timeout" and "dial: i/o timeout" replace Go's own.
 */
const char *http_error_words(const struct error *err);
