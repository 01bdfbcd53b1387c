#include "api.h"

#include <stddef.h>

#include "base/check.h"
#include "base/random.h"
#include "base/json_write.h"
#include "fault.h"
#include "metrics.h"
#include "pizza_store.h"
#include "recommend.h"

static const struct json_go_field restriction_fields[] = {
    {"maxCaloriesPerSlice", JSON_GO_INT, offsetof(struct restrictions, max_calories_per_slice),
     NULL},
    {"mustBeVegetarian", JSON_GO_BOOL, offsetof(struct restrictions, must_be_vegetarian), NULL},
    {"excludedIngredients", JSON_GO_TEXT_LIST, offsetof(struct restrictions, excluded_ingredients),
     NULL},
    {"excludedTools", JSON_GO_TEXT_LIST, offsetof(struct restrictions, excluded_tools), NULL},
    {"maxNumberOfToppings", JSON_GO_INT, offsetof(struct restrictions, max_number_of_toppings),
     NULL},
    {"minNumberOfToppings", JSON_GO_INT, offsetof(struct restrictions, min_number_of_toppings),
     NULL},
    {"customName", JSON_GO_TEXT, offsetof(struct restrictions, custom_name), NULL},
};

static const struct json_go_type restrictions_type = {
    .package = "http",
    .name = "Restrictions",
    .fields = restriction_fields,
    .field_count = countof(restriction_fields),
};

/* A step of the recommendation that takes delay_ns, cut off at the step limit. False when cut off.
 */
static bool take_step(struct request *r, int64_t delay_ns) {
    const int64_t limit_ns = r->app->config->step_timeout_ns;
    if (delay_ns >= limit_ns) {
        r->response.wait_ns += limit_ns;
        return false;
    }
    r->response.wait_ns += delay_ns;
    return true;
}

/* What the recommender asks for before it can choose: the ingredients of each kind, then the words
 * for names. Their delays and faults show in its answer. */
static bool gather(struct request *r) {
    const struct config_delays *delays = &r->app->config->delays;
    const struct fault fault = fault_read(r, "get-ingredients");
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        if (!take_step(r, fault_delay_ns(&fault)) || fault_strikes(&fault))
            return false;
    }
    return take_step(r, delays->copy_ns + delays->copy_adjectives_ns) &&
           take_step(r, delays->copy_ns + delays->copy_names_ns);
}

static void write_recommendation(struct request *r, const struct recommendation *found) {
    struct buf *body = &r->response.body;
    struct json_writer w;
    json_write_init(&w, body, NULL, true);
    buf_reserve(body, 1024);
    buf_append_str(body, "{\"pizza\":");
    pizza_write_json(&found->pizza, r->app->catalog, body);
    buf_append_str(body, ",\"calories\":");
    json_int(&w, found->calories);
    buf_append_str(body,
                   found->is_vegetarian ? ",\"vegetarian\":true}\n" : ",\"vegetarian\":false}\n");
    reply_json(r, 200);
}

static void post_pizza(struct request *r) {
    const struct config *config = r->app->config;
    r->response.wait_ns += config->delays.recommendations_ns + config->delays.pizza_post_ns;
    if (config->pizza_fail_percent > 0 && random_double() * 100 < config->pizza_fail_percent) {
        reply_error(r, 503, "Pizza service temporarily unavailable");
        return;
    }

    struct restrictions restrictions = {0};
    if (!request_read_json(r, &restrictions_type, &restrictions))
        return;
    if (!gather(r)) {
        reply_empty(r, 500);
        return;
    }
    struct recommendation found;
    int rc = recommend(r->app->catalog, &restrictions, config->delays.name_ns, &found);
    r->response.wait_ns += found.pause_ns;
    if (rc != 0) {
        reply_empty(r, 500);
        return;
    }
    pizza_store_add(r->app->pizzas, &found.pizza);
    metrics_pizza(r->app->metrics, &found);
    struct slice name = pizza_name(&found.pizza);
    r->pizza = slice_from(arena_strndup(&r->arena, name.ptr, name.len), name.len);
    write_recommendation(r, &found);
}

static void get_pizza(struct request *r) {
    const struct config_delays *delays = &r->app->config->delays;
    r->response.wait_ns += delays->recommendations_ns + delays->pizza_get_ns;
    api_pizza_reply(r);
}

static const struct route routes[] = {
    {METHOD_POST, "/api/pizza", post_pizza, ROUTE_AUTH},
    {METHOD_GET, "/api/pizza/{id:int}", get_pizza, ROUTE_AUTH},
};

void api_pizza_routes(struct router *router) {
    router_add(router, routes, countof(routes));
}
