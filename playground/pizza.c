#include "pizza.h"

#include "base/json_write.h"

void pizza_set_name(struct pizza *p, struct slice name) {
    size_t size = name.len < sizeof p->name ? name.len : sizeof p->name;
    if (size > 0)
        memcpy(p->name, name.ptr, size);
    p->name_bytes = (uint16_t)size;
}

void pizza_write_json(const struct pizza *p, const struct catalog *c, struct buf *out) {
    struct json_writer w;
    json_write_init(&w, out, NULL, true);
    json_object_begin(&w);
    json_key(&w, "id");
    json_int(&w, p->id);
    json_key(&w, "name");
    json_string(&w, pizza_name(p));
    json_key(&w, "dough");
    json_raw(&w, c->doughs[p->dough].json);
    json_key(&w, "ingredients");
    json_array_begin(&w);
    for (size_t i = 0; i < p->ingredient_count; i++)
        json_raw(&w, c->ingredients[p->ingredients[i]].json);
    json_array_end(&w);
    json_key(&w, "tool");
    json_string(&w, c->tools.words[p->tool]);
    json_object_end(&w);
}
