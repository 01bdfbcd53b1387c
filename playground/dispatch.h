/* From a complete request to its answer: preflight, route, authentication, handler, and the page's
 * files for paths that no route knows. */
#pragma once

#include "request.h"
#include "router.h"

/* Fills `router` with the routes of the playground that belong to `services` (enum service), and
 * those that are always there. */
void dispatch_routes(struct router *router, unsigned services);

/* Writes r->response. */
void dispatch(const struct router *router, struct request *r);
