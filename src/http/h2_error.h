/* Failures of HTTP/2 in Go's words. Codes are those of RFC 9113, section 7. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

/* "REFUSED_STREAM"; "unknown error code 0x20". */
const char *h2_code_name(uint32_t code, char scratch[32]);
/* `stream error: stream ID 3; PROTOCOL_ERROR; cause` (cause may be NULL). Returns err->code, of the
 * kind KE_H2_STREAM. */
int h2_stream_error(struct error *err, int32_t stream_id, uint32_t code, const char *cause);
/* "connection error: PROTOCOL_ERROR" */
int h2_connection_error(struct error *err, uint32_t code);
/* The connection ended after a GOAWAY. */
int h2_goaway_error(struct error *err, int32_t last_stream_id, uint32_t code, struct slice debug);
/* k6's short text of those three, NULL for other errors. Heap string. */
char *h2_error_short(const struct error *err);
