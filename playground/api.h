/* The routes, one table a file. Their behaviour is QuickPizza's; what is not said beside a handler
 * follows from the tests (tests/scenario/test_playground*.py). */
#pragma once

#include "catalog.h"
#include "config.h"
#include "router.h"

void api_pizza_routes(struct router *router);   /* POST /api/pizza, GET /api/pizza/{id} */
void api_catalog_routes(struct router *router); /* ingredients, doughs, tools */
void api_users_routes(struct router *router);   /* sign-up, login, tokens */
void api_ratings_routes(struct router *router); /* ratings */
void api_admin_routes(struct router *router);   /* admin login, the history of pizzas */
void api_copy_routes(struct router *router);    /* quotes, names, adjectives */
void api_config_routes(struct router *router);  /* config */
void api_ops_routes(struct router *router);     /* ready, healthz, metrics */
void api_ws_routes(struct router *router);      /* the WebSocket handshake */
void api_testing_routes(struct router *router); /* status, bytes, delay, ... in httpbin's style */
void api_legacy_routes(struct router *router);  /* the pages that test.k6.io once had */

/* Answers with the pizza whose id is the path's first parameter, or with an empty 404. */
void api_pizza_reply(struct request *r);

/* Renders the answers that never change: once, before the server starts. Released after its end. */
void api_catalog_prepare(const struct catalog *c);
void api_catalog_release(void);
void api_copy_prepare(const struct catalog *c);
void api_copy_release(void);
void api_config_prepare(const struct config *c);
void api_config_release(void);
