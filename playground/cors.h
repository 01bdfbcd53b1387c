/* Cross-origin requests of browsers: everyone may ask. */
#pragma once

#include <stdbool.h>

#include "request.h"

/* Marks the request when its answer is to carry the headers of a cross-origin answer. */
void cors_mark(struct request *r);

/* Answers a preflight request (OPTIONS with Access-Control-Request-Method): 200 and an empty body,
 * with the permissions asked for, or without them when a method or a header asked for is not on the
 * list. False when the request is no preflight. */
bool cors_preflight(struct request *r);
