#include "dispatch.h"

#include "api.h"
#include "auth.h"
#include "cors.h"
#include "web.h"

void dispatch_routes(struct router *router) {
    *router = (struct router){0};
    api_pizza_routes(router);
    api_catalog_routes(router);
    api_copy_routes(router);
    api_admin_routes(router);
    api_ops_routes(router);
    api_ws_routes(router);
}

void dispatch(const struct router *router, struct request *r) {
    if (cors_preflight(r))
        return;
    cors_mark(r);
    const struct route *route = router_find(router, r);
    if (route == NULL) {
        if (!web_serve(r))
            reply_page_not_found(r);
        return;
    }
    bool is_known = auth_identify(r);
    if (!is_known && (route->flags & ROUTE_AUTH) != 0) {
        reply_error(r, 401, "authentication failed");
        return;
    }
    route->handler(r);
}
