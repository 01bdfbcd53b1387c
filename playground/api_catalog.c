#include "api.h"

#include "base/check.h"
#include "base/go_text.h"
#include "blob.h"
#include "fault.h"

static struct blob ingredients[KIND_COUNT];
static struct blob doughs;
static struct blob tools;

static void get_ingredients(struct request *r) {
    const char *name = r->params[0].ptr;
    enum ingredient_kind kind = catalog_kind(name);
    if (kind == KIND_COUNT) {
        struct buf text;
        buf_init(&text, REQUEST_BODY_MAX_BYTES);
        buf_append_str(&text, "Unknown ingredient ");
        go_quote(&text, r->params[0]);
        reply_text(r, 400, "text/plain; charset=utf-8", buf_slice(&text));
        buf_release(&text);
        return;
    }
    const struct fault fault = fault_read(r, "get-ingredients");
    r->response.wait_ns += fault_delay_ns(&fault);
    if (fault_strikes(&fault))
        reply_empty(r, 500);
    else
        reply_blob(r, &ingredients[kind]);
}

static void get_doughs(struct request *r) {
    reply_blob(r, &doughs);
}

static void get_tools(struct request *r) {
    reply_blob(r, &tools);
}

static void prepare_ingredients(const struct catalog *c, enum ingredient_kind kind) {
    struct buf body;
    buf_init(&body, BUF_NO_CAP);
    buf_append_str(&body, "{\"ingredients\":[");
    bool is_first = true;
    for (size_t i = 0; i < c->ingredient_count; i++) {
        if (c->ingredients[i].kind != kind)
            continue;
        buf_append_str(&body, is_first ? "" : ",");
        buf_append_slice(&body, c->ingredients[i].json);
        is_first = false;
    }
    buf_append_str(&body, "]}\n");
    blob_set_json(&ingredients[kind], &body);
}

void api_catalog_prepare(const struct catalog *c) {
    for (int kind = 0; kind < KIND_COUNT; kind++)
        prepare_ingredients(c, (enum ingredient_kind)kind);

    struct buf body;
    buf_init(&body, BUF_NO_CAP);
    buf_append_str(&body, "{\"doughs\":[");
    for (size_t i = 0; i < c->dough_count; i++) {
        buf_append_str(&body, i > 0 ? "," : "");
        buf_append_slice(&body, c->doughs[i].json);
    }
    buf_append_str(&body, "]}\n");
    blob_set_json(&doughs, &body);

    catalog_write_words(&body, "tools", &c->tools);
    blob_set_json(&tools, &body);
}

void api_catalog_release(void) {
    for (int kind = 0; kind < KIND_COUNT; kind++)
        blob_release(&ingredients[kind]);
    blob_release(&doughs);
    blob_release(&tools);
}

static const struct route routes[] = {
    {METHOD_GET, "/api/ingredients/{type}", get_ingredients, ROUTE_AUTH},
    {METHOD_GET, "/api/doughs", get_doughs, ROUTE_AUTH},
    {METHOD_GET, "/api/tools", get_tools, ROUTE_AUTH},
};

void api_catalog_routes(struct router *router) {
    router_add(router, routes, countof(routes));
}
