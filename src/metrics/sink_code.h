/* Sinks as bytes, for result files (docs/internals/results.md has the form). Times are stored as
 * wall-clock milliseconds. */
#pragma once

#include "base/wire.h"
#include "metrics/shard.h"

/* The kind of content is the metric's. is_compact: a trend's values go to their buckets, so that
 * its quantiles are within 0.05 % instead of exact. */
void sink_encode(const struct sink *s, bool is_compact, struct buf *out);
/* Into an empty sink with its metric set; the times are milliseconds, as stored. False when the
 * bytes are no such sink, or a trend would take more than *budget_bytes, which is counted down.
 * Release in each case. */
bool sink_decode(struct wire_reader *r, struct sink *out, size_t *budget_bytes);
