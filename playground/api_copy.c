#include "api.h"

#include "base/check.h"
#include "blob.h"

static struct blob quotes;
static struct blob names;
static struct blob adjectives;

static void get_quotes(struct request *r) {
    const struct config_delays *delays = &r->app->config->delays;
    r->response.wait_ns += delays->copy_ns + delays->copy_quotes_ns;
    reply_blob(r, &quotes);
}

static void get_names(struct request *r) {
    const struct config_delays *delays = &r->app->config->delays;
    r->response.wait_ns += delays->copy_ns + delays->copy_names_ns;
    reply_blob(r, &names);
}

static void get_adjectives(struct request *r) {
    const struct config_delays *delays = &r->app->config->delays;
    r->response.wait_ns += delays->copy_ns + delays->copy_adjectives_ns;
    reply_blob(r, &adjectives);
}

void api_copy_prepare(const struct catalog *c) {
    struct buf body;
    buf_init(&body, BUF_NO_CAP);
    catalog_write_words(&body, "quotes", &c->quotes);
    blob_set_json(&quotes, &body);
    catalog_write_words(&body, "names", &c->classical_names);
    blob_set_json(&names, &body);
    catalog_write_words(&body, "adjectives", &c->adjectives);
    blob_set_json(&adjectives, &body);
}

void api_copy_release(void) {
    blob_release(&quotes);
    blob_release(&names);
    blob_release(&adjectives);
}

static const struct route routes[] = {
    {METHOD_GET, "/api/quotes", get_quotes, 0},
    {METHOD_GET, "/api/names", get_names, 0},
    {METHOD_GET, "/api/adjectives", get_adjectives, 0},
};

void api_copy_routes(struct router *router) {
    router_add(router, routes, countof(routes));
}
