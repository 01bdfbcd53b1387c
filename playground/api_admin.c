#include "api.h"

#include <stddef.h>
#include <stdio.h>

#include "base/check.h"
#include "base/random.h"
#include "pizza_store.h"

#define ADMIN_TOKEN_BYTES 20
#define HISTORY_LENGTH 15

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

/* ---------------------------------------------------------------- the history of pizzas */

static bool has_value(const char *text) {
    return text != NULL && *text != '\0';
}

/* Earlier clients name themselves by a customer id and show the admin token as Authorization. */
static bool is_admin(const struct request *r) {
    return has_value(request_cookie(r, "admin_token")) ||
           (has_value(request_header(r, "X-User-ID")) &&
            has_value(request_header(r, "Authorization")));
}

static void get_history(struct request *r) {
    if (!is_admin(r)) {
        reply_error(r, 401, "authentication failed");
        return;
    }
    struct pizza pizzas[HISTORY_LENGTH];
    size_t count = pizza_store_latest(r->app->pizzas, pizzas, HISTORY_LENGTH);
    struct buf *body = &r->response.body;
    buf_append_str(body, "{\"pizzas\":[");
    for (size_t i = 0; i < count; i++) {
        buf_append_str(body, i > 0 ? "," : "");
        pizza_write_json(&pizzas[i], r->app->catalog, body);
    }
    buf_append_str(body, "]}\n");
    reply_json(r, 200);
}

void api_pizza_reply(struct request *r) {
    struct pizza pizza;
    int64_t id;
    if (!request_param_int(r, 0, &id) || pizza_store_get(r->app->pizzas, id, &pizza) != 0) {
        reply_empty(r, 404);
        return;
    }
    pizza_write_json(&pizza, r->app->catalog, &r->response.body);
    buf_append_char(&r->response.body, '\n');
    reply_json(r, 200);
}

/* ---------------------------------------------------------------- a pizza from elsewhere */

struct posted_item {
    int64_t id;
    struct slice name;
    int64_t calories;
    bool is_vegetarian;
};

struct posted_pizza {
    int64_t id;
    struct slice name;
    struct posted_item dough;
    struct json_go_objects ingredients;
    struct slice tool;
};

static const struct json_go_field item_fields[] = {
    {"ID", JSON_GO_INT, offsetof(struct posted_item, id), NULL},
    {"name", JSON_GO_TEXT, offsetof(struct posted_item, name), NULL},
    {"caloriesPerSlice", JSON_GO_INT, offsetof(struct posted_item, calories), NULL},
    {"vegetarian", JSON_GO_BOOL, offsetof(struct posted_item, is_vegetarian), NULL},
};

static const struct json_go_type dough_type = {
    .package = "model",
    .name = "Dough",
    .fields = item_fields,
    .field_count = countof(item_fields) - 1, /* doughs are not said to be vegetarian */
    .size = sizeof(struct posted_item),
};

static const struct json_go_type ingredient_type = {
    .package = "model",
    .name = "Ingredient",
    .fields = item_fields,
    .field_count = countof(item_fields),
    .size = sizeof(struct posted_item),
};

static const struct json_go_field pizza_fields[] = {
    {"id", JSON_GO_INT, offsetof(struct posted_pizza, id), NULL},
    {"name", JSON_GO_TEXT, offsetof(struct posted_pizza, name), NULL},
    {"dough", JSON_GO_OBJECT, offsetof(struct posted_pizza, dough), &dough_type},
    {"ingredients", JSON_GO_OBJECTS, offsetof(struct posted_pizza, ingredients), &ingredient_type},
    {"tool", JSON_GO_TEXT, offsetof(struct posted_pizza, tool), NULL},
};

static const struct json_go_type pizza_type = {
    .package = "model",
    .name = "Pizza",
    .fields = pizza_fields,
    .field_count = countof(pizza_fields),
};

/* Looks everything up in the catalog; the catalog's names and calories count. False after an answer
 * that says what is not in it. */
static bool find_parts(struct request *r, const struct posted_pizza *posted, struct pizza *out) {
    const struct catalog *c = r->app->catalog;
    const struct posted_item *items = posted->ingredients.items;
    char text[96] = "";
    const int dough = catalog_dough_index(c, posted->dough.id);
    const int tool = catalog_tool_index(c, posted->tool);
    if (tool < 0)
        snprintf(text, sizeof text, "unknown tool");
    if (dough < 0)
        snprintf(text, sizeof text, "dough ID %lld not found", (long long)posted->dough.id);
    if (posted->ingredients.count > PIZZA_MAX_INGREDIENTS)
        snprintf(text, sizeof text, "more than %d ingredients", PIZZA_MAX_INGREDIENTS);
    for (size_t i = 0; i < posted->ingredients.count && *text == '\0'; i++) {
        const int index = catalog_ingredient_index(c, items[i].id);
        if (index < 0)
            snprintf(text, sizeof text, "ingredient ID %lld not found", (long long)items[i].id);
        out->ingredients[out->ingredient_count++] = (uint16_t)index;
    }
    if (*text != '\0') {
        reply_error(r, 400, text);
        return false;
    }
    out->dough = (uint16_t)dough;
    out->tool = (uint16_t)tool;
    return true;
}

/* The caller may say that it is one of QuickPizza's own services; earlier ones gave the customer's
 * id instead. */
static void post_history(struct request *r) {
    if (!has_value(request_header(r, "X-Is-Internal")) &&
        !has_value(request_header(r, "X-User-ID"))) {
        reply_error(r, 401, "authentication failed");
        return;
    }
    struct posted_pizza posted = {0};
    struct pizza pizza = {0};
    if (!request_read_json(r, &pizza_type, &posted) || !find_parts(r, &posted, &pizza))
        return;
    pizza_set_name(&pizza, posted.name);
    pizza_store_add(r->app->pizzas, &pizza);
    pizza_write_json(&pizza, r->app->catalog, &r->response.body);
    buf_append_char(&r->response.body, '\n');
    reply_json(r, 201);
}

static const struct route routes[] = {
    {METHOD_ANY, "/api/admin/login", login, 0},
    {METHOD_GET, "/api/login", login, ROUTE_AUTH}, /* of earlier versions */
    {METHOD_GET, "/api/internal/recommendations", get_history, 0},
    {METHOD_POST, "/api/internal/recommendations", post_history, 0},
    {METHOD_GET, "/api/internal/recommendations/{id:int}", api_pizza_reply, 0},
};

void api_admin_routes(struct router *router) {
    router_add(router, routes, countof(routes));
}
