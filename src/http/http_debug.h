/* --http-debug: what went over the wire, in the form in which Go's httputil dumps it for k6. */
#pragma once

#include <stdbool.h>

#include "base/log.h"
#include "http/http_client.h"

/* Logs a hop at level info, request and response (the latter if there was one), each with the
 * fields given and an id that both share. The request needs keep_request_head. is_full: bodies too.
 */
void http_debug_log(const struct http_request *req, const struct http_response *hop, bool is_full,
                    const struct log_field *fields, size_t n_fields);
/* The two dumps, with "\n" for line ends (for tests). */
void http_debug_dump_request(struct buf *out, const struct http_request *req,
                             const struct http_response *hop, bool is_full);
void http_debug_dump_response(struct buf *out, const struct http_response *hop, bool is_full);
