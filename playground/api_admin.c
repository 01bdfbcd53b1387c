#include "api.h"

#include "base/check.h"
#include "base/random.h"

#define ADMIN_TOKEN_BYTES 20

static void login(struct request *r) {
    if ((r->method & (METHOD_GET | METHOD_POST)) == 0) {
        reply_empty(r, 405);
        return;
    }
    const char *user = request_query(r, "user");
    const char *password = request_query(r, "password");
    if (user == NULL || *user == '\0' || password == NULL || *password == '\0') {
        reply_empty(r, 400);
        return;
    }
    if (strcmp(user, "admin") != 0 || strcmp(password, "admin") != 0) {
        reply_error(r, 401, "authentication failed");
        return;
    }
    char token[ADMIN_TOKEN_BYTES + 1];
    for (size_t i = 0; i < ADMIN_TOKEN_BYTES; i++)
        token[i] = "0123456789abcdefghijklmnopqrstuv"[random_below(32)];
    token[ADMIN_TOKEN_BYTES] = '\0';

    struct buf *body = &r->response.body;
    buf_printf(body, "admin_token=%s; Path=/; SameSite=Strict", token);
    reply_header(r, "Set-Cookie", buf_slice(body));
    buf_reset(body);
    buf_printf(body, "{\"token\":\"%s\"}\n", token);
    reply_json(r, 200);
}

static const struct route routes[] = {
    {METHOD_ANY, "/api/admin/login", login, 0},
};

void api_admin_routes(struct router *router) {
    router_add(router, routes, countof(routes));
}
