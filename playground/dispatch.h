/* From a complete request to its answer: preflight, route, authentication, handler, and the page's
 * files for paths that no route knows. */
#pragma once

#include "request.h"
#include "router.h"

/* Fills `router` with every route of the playground. */
void dispatch_routes(struct router *router);

/* Writes r->response. */
void dispatch(const struct router *router, struct request *r);
