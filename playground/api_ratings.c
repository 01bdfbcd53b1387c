#include "api.h"

#include <stddef.h>
#include <stdio.h>

#include "base/check.h"
#include "base/json_write.h"
#include "pizza_store.h"
#include "rating_store.h"

#define MIN_STARS 1
#define MAX_STARS 5
#define LIST_LENGTH 50

static const struct json_go_field rating_fields[] = {
    {"id", JSON_GO_INT, offsetof(struct rating, id), NULL},
    {"stars", JSON_GO_INT, offsetof(struct rating, stars), NULL},
    {"pizza_id", JSON_GO_INT, offsetof(struct rating, pizza_id), NULL},
};

static const struct json_go_type rating_type = {
    .package = "model",
    .name = "Rating",
    .fields = rating_fields,
    .field_count = countof(rating_fields),
};

static void write_rating(struct json_writer *w, const struct rating *rating) {
    json_object_begin(w);
    json_key(w, "id");
    json_int(w, rating->id);
    json_key(w, "stars");
    json_int(w, rating->stars);
    json_key(w, "pizza_id");
    json_int(w, rating->pizza_id);
    json_object_end(w);
}

static void reply_rating(struct request *r, int status, const struct rating *rating) {
    struct json_writer w;
    json_write_init(&w, &r->response.body, NULL, true);
    write_rating(&w, rating);
    buf_append_char(&r->response.body, '\n');
    reply_json(r, status);
}

static void reply_no_such(struct request *r, const char *what, int64_t id) {
    char text[64];
    snprintf(text, sizeof text, "%s ID %lld not found", what, (long long)id);
    reply_error(r, 400, text);
}

/* False after an answer that says what is wrong. */
static bool read_rating(struct request *r, struct rating *out) {
    *out = (struct rating){0};
    if (!request_read_json(r, &rating_type, out))
        return false;
    if (out->stars >= MIN_STARS && out->stars <= MAX_STARS)
        return true;
    reply_error(r, 400, "number of stars must be between 1 and 5 (inclusive)");
    return false;
}

/* Everybody is the default user, so it may change nothing. False after a 403. */
static bool may_change(struct request *r) {
    if (r->identity.id != USER_DEFAULT_ID)
        return true;
    reply_error(r, 403, "operation not permitted for default user");
    return false;
}

/* The id of the path. False after a 400: the digits are too many. */
static bool read_id(struct request *r, int64_t *out) {
    if (request_param_int(r, 0, out))
        return true;
    reply_empty(r, 400);
    return false;
}

static void post_rating(struct request *r) {
    struct rating rating;
    struct pizza pizza;
    if (!read_rating(r, &rating))
        return;
    rating.user_id = r->identity.id;
    if (pizza_store_get(r->app->pizzas, rating.pizza_id, &pizza) != 0)
        reply_no_such(r, "pizza", rating.pizza_id);
    else if (rating_store_add(r->app->ratings, &rating) != 0)
        reply_empty(r, 500);
    else
        reply_rating(r, 201, &rating);
}

static void get_ratings(struct request *r) {
    struct rating ratings[LIST_LENGTH];
    size_t count;
    if (rating_store_list(r->app->ratings, r->identity.id, ratings, LIST_LENGTH, &count) != 0) {
        reply_empty(r, 500);
        return;
    }
    struct json_writer w;
    json_write_init(&w, &r->response.body, NULL, true);
    json_object_begin(&w);
    json_key(&w, "ratings");
    json_array_begin(&w);
    for (size_t i = 0; i < count; i++)
        write_rating(&w, &ratings[i]);
    json_array_end(&w);
    json_object_end(&w);
    buf_append_char(&r->response.body, '\n');
    reply_json(r, 200);
}

static void get_rating(struct request *r) {
    struct rating rating;
    int64_t id;
    if (!read_id(r, &id))
        return;
    int rc = rating_store_get(r->app->ratings, r->identity.id, id, &rating);
    if (rc == 0)
        reply_rating(r, 200, &rating);
    else if (rc == KE_NOT_FOUND)
        reply_error(r, 404, "not found");
    else
        reply_empty(r, 500);
}

static void put_rating(struct request *r) {
    struct rating wish;
    struct rating rating;
    int64_t id;
    if (!read_id(r, &id) || !read_rating(r, &wish) || !may_change(r))
        return;
    int rc = rating_store_update(r->app->ratings, r->identity.id, id, wish.stars, &rating);
    if (rc == 0)
        reply_rating(r, 200, &rating);
    else if (rc == KE_NOT_FOUND)
        reply_no_such(r, "rating", id);
    else
        reply_empty(r, 500);
}

static void delete_rating(struct request *r) {
    int64_t id;
    if (!read_id(r, &id) || !may_change(r))
        return;
    int rc = rating_store_delete(r->app->ratings, r->identity.id, id);
    if (rc == KE_NOT_FOUND)
        reply_no_such(r, "rating", id);
    else
        reply_empty(r, rc == 0 ? 204 : 500);
}

static void delete_ratings(struct request *r) {
    if (may_change(r))
        reply_empty(r, rating_store_clear(r->app->ratings, r->identity.id) == 0 ? 204 : 500);
}

static const struct route routes[] = {
    {METHOD_POST, "/api/ratings", post_rating, ROUTE_AUTH},
    {METHOD_GET, "/api/ratings", get_ratings, ROUTE_AUTH},
    {METHOD_DELETE, "/api/ratings", delete_ratings, ROUTE_AUTH},
    {METHOD_GET, "/api/ratings/{id:int}", get_rating, ROUTE_AUTH},
    {METHOD_PUT | METHOD_PATCH, "/api/ratings/{id:int}", put_rating, ROUTE_AUTH},
    {METHOD_DELETE, "/api/ratings/{id:int}", delete_rating, ROUTE_AUTH},
};

void api_ratings_routes(struct router *router) {
    router_add(router, routes, countof(routes));
}
