/* One pizza, and its form in answers. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "catalog.h"

#define PIZZA_NAME_BYTES 160
#define PIZZA_MAX_INGREDIENTS 64

struct pizza {
    int64_t id;
    char name[PIZZA_NAME_BYTES];
    uint16_t name_bytes;
    uint16_t dough; /* these three are indexes into the catalog */
    uint16_t tool;
    uint16_t ingredients[PIZZA_MAX_INGREDIENTS];
    uint16_t ingredient_count;
};

/* Copies a name, cut to the room there is. */
void pizza_set_name(struct pizza *p, struct slice name);

static inline struct slice pizza_name(const struct pizza *p) {
    return slice_from(p->name, p->name_bytes);
}

/* Appends {"id":..,"name":..,"dough":..,"ingredients":[..],"tool":..}. */
void pizza_write_json(const struct pizza *p, const struct catalog *c, struct buf *out);
