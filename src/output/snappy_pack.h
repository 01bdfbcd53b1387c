/* Snappy's block format, by libsnappy, which is loaded when it is first needed: it brings the C++
 * library along, and only remote write wants it. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

/* KE_NOT_FOUND: libsnappy is not on this machine. Any thread. */
int snappy_load(struct error *err);
/* After snappy_load. Appends. */
void snappy_pack(struct buf *out, struct slice in);
