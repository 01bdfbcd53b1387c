/* permessage-deflate (RFC 7692) without context takeover: every message is a deflate stream of its
 * own, which is the only form that k6 offers. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

/* Inflates a message into out (emptied first), whose cap bounds it. 0; KE_TOO_LARGE ("websocket:
 * read limit exceeded"); KE_INVALID with Go's words. */
int ws_inflate(struct buf *out, struct slice in, struct error *err);
/* Deflates a message into out (emptied first). 0 or KE_TOO_LARGE. */
int ws_deflate(struct buf *out, struct slice in);
