/* The routes, one table a file. Their behaviour is QuickPizza's; what is not said beside a handler
 * follows from the tests (tests/scenario/test_playground*.py). */
#pragma once

#include "catalog.h"
#include "config.h"
#include "router.h"

void api_pizza_routes(struct router *router);   /* POST /api/pizza, GET /api/pizza/{id}, history */
void api_catalog_routes(struct router *router); /* ingredients, doughs, tools */
void api_copy_routes(struct router *router);    /* quotes, names, adjectives */
void api_admin_routes(struct router *router);   /* admin login */
void api_ops_routes(struct router *router);     /* config, ready, healthz */
void api_ws_routes(struct router *router);      /* the WebSocket handshake */

/* Renders the answers that never change: once, before the server starts. Released after its end. */
void api_catalog_prepare(const struct catalog *c);
void api_catalog_release(void);
void api_copy_prepare(const struct catalog *c);
void api_copy_release(void);
void api_ops_prepare(const struct config *c);
void api_ops_release(void);
