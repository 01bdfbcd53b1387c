/* The form of the REST API's documents about one thing:
 * {"data":{"type":TYPE,"id":ID,"attributes":{…}}}. */
#pragma once

#include "base/json_write.h"

/* Begins it in out, which the caller has initialised; attributes follow. */
void envelope_begin(struct json_writer *w, struct buf *out, const char *type, const char *id);
void envelope_end(struct json_writer *w);
