#include "router.h"

#include "base/check.h"

void router_add(struct router *router, const struct route *routes, size_t count) {
    CHECK(router->table_count < ROUTE_MAX_TABLES);
    router->tables[router->table_count++] = (struct route_table){routes, count};
}

static bool is_number(struct slice text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    }
    return text.len > 0;
}

static bool matches(const char *pattern, const char *path,
                    struct slice params[REQUEST_MAX_PARAMS]) {
    size_t param_count = 0;
    while (*pattern != '\0') {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        const char *end = strchr(pattern, '}');
        bool wants_number = end - pattern > 4 && memcmp(end - 4, ":int", 4) == 0;
        struct slice value = {path, strcspn(path, "/")};
        if (wants_number ? !is_number(value) : value.len == 0)
            return false;
        CHECK(param_count < REQUEST_MAX_PARAMS);
        params[param_count++] = value;
        pattern = end + 1;
        path += value.len;
    }
    return *path == '\0';
}

const struct route *router_find(const struct router *router, struct request *r) {
    for (size_t t = 0; t < router->table_count; t++) {
        const struct route_table *table = &router->tables[t];
        for (size_t i = 0; i < table->count; i++) {
            const struct route *route = &table->routes[i];
            if ((route->methods & r->method) != 0 && matches(route->pattern, r->path, r->params))
                return route;
        }
    }
    return NULL;
}
