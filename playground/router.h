/* Which handler a method and a path belong to. Each api_*.c offers a table of routes; the router is
 * the sum of them.
 *
 * A pattern is a path in which a segment may be {name} (anything but an empty text) or {name:int}
 * (digits). When nothing matches, wrong methods included, there is no route: callers answer 404. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "request.h"

typedef void (*route_handler)(struct request *r);

enum route_flags {
    ROUTE_AUTH = 1 << 0,       /* 401 without a user, see auth.h */
    ROUTE_LARGE_BODY = 1 << 1, /* takes REQUEST_BODY_LARGE_BYTES */
    ROUTE_NO_METRICS = 1 << 2, /* is not counted, see metrics.h */
};

struct route {
    unsigned methods; /* sum of enum http_method */
    const char *pattern;
    route_handler handler;
    unsigned flags;
};

struct route_table {
    const struct route *routes;
    size_t count;
};

#define ROUTE_MAX_TABLES 16

struct router {
    struct route_table tables[ROUTE_MAX_TABLES];
    size_t table_count;
    bool has_page; /* paths without a route are looked for among the page's files */
};

/* Adds a table, which must outlive the router. */
void router_add(struct router *router, const struct route *routes, size_t count);

/* The first route that fits r->method and r->path, its parameters in r->params; NULL when none
 * does. */
const struct route *router_find(const struct router *router, struct request *r);
