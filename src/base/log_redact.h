/* Words that no log record may show: each becomes ***SECRET_REDACTED***. Any thread. */
#pragma once

#include "base/buf.h"
#include "base/log.h"

/* From now on; blank words are ignored. */
void log_redact_add(struct slice secret);

/* A record without secrets. */
struct log_redacted {
    struct slice msg;
    const struct log_field *fields;
    struct buf text; /* what the slices point into, when something was replaced */
    struct log_field *own_fields;
};
/* False, and *out untouched, when there are no secrets (one atomic read). */
bool log_redact(struct slice msg, const struct log_field *fields, size_t n_fields,
                struct log_redacted *out);
void log_redact_release(struct log_redacted *r);
