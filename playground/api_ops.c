#include "api.h"

#include "base/check.h"
#include "metrics.h"

static struct blob ok = {.status = 200};

static void get_ready(struct request *r) {
    reply_blob(r, &ok);
}

static void get_metrics(struct request *r) {
    metrics_write(r->app->metrics, &r->response.body);
    r->response.status = 200;
    r->response.content_type = "text/plain; version=0.0.4; charset=utf-8";
}

static const struct route routes[] = {
    {METHOD_GET, "/ready", get_ready, ROUTE_NO_METRICS},
    {METHOD_GET, "/healthz", get_ready, ROUTE_NO_METRICS},
    {METHOD_ANY, "/metrics", get_metrics, ROUTE_NO_METRICS},
};

void api_ops_routes(struct router *router) {
    router_add(router, routes, countof(routes));
}
