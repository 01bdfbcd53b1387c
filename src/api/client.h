/* Asks the REST API of another kiln (or k6): one request on a connection of its own, blocking. For
 * the commands status, stats, pause, resume and scale. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

/* method: "GET", "PATCH"; path: "/v1/status"; body may be empty. *out gets the answer's body when
 * its status is below 400. KE_* with Go's words: `Get "http://localhost:6565/v1/status": dial tcp
 * 127.0.0.1:6565: connect: connection refused`; for an error of the API itself "TITLE: DETAIL". */
int api_request(const char *address, const char *method, const char *path, struct slice body,
                struct buf *out, struct error *err);
