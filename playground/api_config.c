#include "api.h"

#include "base/check.h"
#include "base/json_write.h"
#include "blob.h"

static struct blob public_config;

static void get_config(struct request *r) {
    reply_blob(r, &public_config);
}

void api_config_prepare(const struct config *c) {
    struct buf body;
    struct json_writer w;
    buf_init(&body, BUF_NO_CAP);
    json_write_init(&w, &body, NULL, true);
    json_object_begin(&w);
    for (size_t i = 0; i < c->public_count; i++) {
        json_key(&w, c->publics[i].name);
        json_cstr(&w, c->publics[i].value);
    }
    json_object_end(&w);
    buf_append_char(&body, '\n');
    blob_set_json(&public_config, &body);
}

void api_config_release(void) {
    blob_release(&public_config);
}

static const struct route routes[] = {
    {METHOD_GET, "/api/config", get_config, 0},
};

void api_config_routes(struct router *router) {
    router_add(router, routes, countof(routes));
}
