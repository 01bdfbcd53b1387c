#include "dispatch.h"

#include "api.h"
#include "auth.h"
#include "base/check.h"
#include "cors.h"
#include "web.h"

void dispatch_routes(struct router *router, unsigned services) {
    static const struct {
        enum service service;
        void (*add)(struct router *router);
    } groups[] = {
        {SERVICE_RECOMMENDATIONS, api_pizza_routes}, {SERVICE_CATALOG, api_catalog_routes},
        {SERVICE_CATALOG, api_ratings_routes},       {SERVICE_CATALOG, api_users_routes},
        {SERVICE_CATALOG, api_admin_routes},         {SERVICE_COPY, api_copy_routes},
        {SERVICE_CONFIG, api_config_routes},         {SERVICE_WS, api_ws_routes},
        {SERVICE_HTTP_TESTING, api_testing_routes},  {SERVICE_TEST_K6_IO, api_legacy_routes},
    };
    *router = (struct router){.has_page = (services & SERVICE_PUBLIC_API) != 0};
    api_ops_routes(router);
    for (size_t i = 0; i < countof(groups); i++) {
        if ((services & groups[i].service) != 0)
            groups[i].add(router);
    }
}

void dispatch(const struct router *router, struct request *r) {
    if (cors_preflight(r))
        return;
    cors_mark(r);
    r->route = router_find(router, r);
    if (r->route == NULL) {
        if (!router->has_page || !web_serve(r))
            reply_page_not_found(r);
        return;
    }
    bool is_known = auth_identify(r);
    if (!is_known && (r->route->flags & ROUTE_AUTH) != 0) {
        reply_error(r, 401, "authentication failed");
        return;
    }
    r->route->handler(r);
}
